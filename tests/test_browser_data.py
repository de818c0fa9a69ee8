"""What the activation browser sends to the page, without a page: any model, upload, saved page."""

import json
import re
import time

import keras
import numpy as np
import pytest
from keras import layers

from helpers import images
from helpers.activations import ModelError, activations, random_twin, sources
from helpers.model import build_model
from helpers.widgets.browser import SLICES, ActivationBrowser
from helpers.widgets.lab import PictureChooser


def branches() -> keras.Model:
    """Return a functional model of grouped, depthwise, joined and unknown layers."""
    picture = keras.Input((32, 40, 3), name="picture")
    x = layers.Conv2D(8, 3, name="first")(layers.Rescaling(1 / 255)(picture))
    x = layers.Dropout(0.5)(x)
    grouped = layers.Conv2D(4, 3, groups=2, padding="same", name="grouped")(x)
    deep = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="deep")(x)
    row = layers.Concatenate(name="row")([grouped, deep])
    up = layers.Conv2DTranspose(2, 3, name="up")(row)
    return keras.Model(picture, layers.Conv2D(2, 3, name="last")(up))


def read(browser: ActivationBrowser, weights: int = 0) -> dict:
    """Return a message as the page reads it: layers by name, each with its maps and kernels."""
    header, buffers = browser.message(weights)
    json.dumps(header)  # all of it can travel
    photo, pixels, low, high, slices = (
        np.frombuffer(data, kind)
        for data, kind in zip(buffers, ["u1", "u1", "f4", "f4", "f4"], strict=False)
    )
    found = {}
    for layer in header["layers"]:
        count, first, start = layer["filters"], layer["first"], layer["offset"]
        shape = (count, layer["height"], layer["width"])
        codes = pixels[start : start + np.prod(shape)].reshape(shape) / 255
        span = (high - low)[first : first + count, None, None]
        layer["maps"] = np.moveaxis(low[first : first + count, None, None] + codes * span, 0, -1)
        if "kernel" in layer:
            end = layer["start"] + np.prod(layer["kernel"])
            layer["slices"] = slices[layer["start"] : end].reshape(layer["kernel"])
        found[layer["name"]] = layer
    return found | {"photo": photo.reshape(header["shape"]), "answer": header["answer"]}


def test_the_maps_that_travel_are_those_of_keras():
    model = build_model(seed=3)
    model.class_names = ("cat", "dog")  # as `load_trained` sets them
    data = read(ActivationBrowser(model, "cat"))
    for name, values in activations(model, images.resize(images.sample("cat"))).items():
        step = (values.max((0, 1)) - values.min((0, 1))) / 255
        assert (np.abs(data[name]["maps"] - values) <= step * 0.51 + 1e-7).all()
    assert "It knows only two answers, cat and dog" in data["answer"]
    np.testing.assert_array_equal(data["photo"], images.resize(images.sample("cat")))


def test_a_model_trained_further_is_shown_anew():
    model = build_model(seed=3)
    browser = ActivationBrowser(model, "cat")
    before = read(browser)
    model.set_weights([2 * weights for weights in model.get_weights()])
    after = read(browser)
    np.testing.assert_allclose(after["conv1"]["slices"], 2 * before["conv1"]["slices"])
    assert after["conv1"]["maps"].max() > 1.5 * before["conv1"]["maps"].max()


def test_a_search_that_fails_says_so(monkeypatch):
    browser = ActivationBrowser(build_model(seed=3), "cat")
    sent = []
    monkeypatch.setattr(browser._view, "send", lambda message, buffers=None: sent.append(message))

    def full(**_wanted):
        raise OSError("no space left")

    monkeypatch.setattr(browser, "_send_patches", full)
    with pytest.raises(OSError, match="no space"):
        browser._answer(None, {"kind": "patches", "weights": 0, "layer": 0, "filter": 0}, [])
    assert sent[-1]["kind"] == "failed" and "press the button again" in sent[-1]["sentence"]


def test_one_pass_is_quick_and_small():
    browser = ActivationBrowser(build_model(seed=3))
    browser._messages.clear()
    start = time.perf_counter()
    _, buffers = browser.message()
    seconds = time.perf_counter() - start
    print(f"\none picture: {seconds * 1000:.0f} ms, {sum(map(len, buffers)) / 1e6:.2f} MB")
    assert sum(map(len, buffers)) < 900_000
    assert seconds < 3  # 0.1 s on two free cores


def test_kernels_and_where_they_read():
    model = branches()
    assert sources(model) == {
        "first": [], "grouped": ["first"], "deep": ["first"], "row": ["grouped", "deep"],
        "up": ["row"], "last": ["up"],
    }  # fmt: skip
    data = read(ActivationBrowser(model, "dog"))
    first = model.get_layer("first").kernel.numpy()
    assert data["first"]["color"]
    np.testing.assert_array_equal(data["first"]["slices"], np.moveaxis(first, 3, 0))
    # Filter 3 belongs to the second group, which reads the maps 4 to 7.
    kernel = model.get_layer("grouped").kernel.numpy()[..., 3]
    order = np.argsort(-np.abs(kernel).sum((0, 1)), kind="stable")[:SLICES]
    assert data["grouped"]["inputs"][3] == (order + 4).tolist()
    for place, number in enumerate(order):
        np.testing.assert_array_equal(data["grouped"]["slices"][3, place], kernel[..., number])
    # Filter 5 of the depthwise layer is the second one of map 2.
    assert data["deep"]["inputs"][5] == [2]
    kernel = model.get_layer("deep").kernel.numpy()
    np.testing.assert_array_equal(data["deep"]["slices"][5, 0], kernel[..., 2, 1])
    assert data["row"]["join"] == "row" and "kernel" not in data["row"]
    assert "Conv2DTranspose" in data["last"]["unknown"] and not data["last"]["spans"]
    assert data["answer"] == ""  # it ends in maps, not in an answer


def test_a_grey_model_and_one_of_another_size():
    grey = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(3, 5, name="conv")])
    data = read(ActivationBrowser(grey, images.ascent(), preprocess=lambda x: x / 255))
    assert data["conv"]["maps"].shape == (24, 24, 3)
    assert not data["conv"]["color"] and data["conv"]["inputs"] == [[0]] * 3
    model = keras.Sequential([keras.Input((40, 24, 3)), layers.MaxPooling2D(4, name="pool")])
    data = read(ActivationBrowser(model, "owl"))
    assert data["photo"].shape == (40, 24, 3) and data["pool"]["maps"].shape == (10, 6, 3)


def test_random_twin_has_other_weights_and_is_the_same_each_time():
    model = build_model(seed=3)
    one, two = (random_twin(model).get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], model.get_weights()[0])
    browser = ActivationBrowser(model)
    assert not np.array_equal(read(browser)["conv1"]["maps"], read(browser, 1)["conv1"]["maps"])


def test_an_upload_goes_into_a_page_only_on_request(tmp_path):
    browser = ActivationBrowser(build_model(seed=3))
    assert browser.save_html(tmp_path / "dog.html").stat().st_size < 2_000_000
    browser._chooser._take(images.sample("owl"))
    assert browser._chooser.name == PictureChooser.own
    with pytest.raises(ValueError, match="with_upload=True"):
        browser.save_html(tmp_path / "owl.html")
    assert not (tmp_path / "owl.html").exists()
    page = browser.save_html(tmp_path / "owl.html", with_upload=True).read_text(encoding="utf-8")
    assert not re.search(r"/\*(style|script|header|buffers)\*/", page)
    assert "http" not in re.sub(r"http://www.w3.org/2000/svg", "", page.split("<script")[1])


def test_wrong_ways_get_a_sentence():
    browser = ActivationBrowser(build_model(seed=3))
    with pytest.raises(ValueError, match=r"no layer 'conv9'.*choose one of.*conv1"):
        browser.layer = "conv9"
    browser.layer = "pool2"
    with pytest.raises(ValueError, match="filters 0 to 31, not 32"):
        browser.filter = 32
    browser.filter = 31
    assert (browser.layer, browser.filter) == ("pool2", 31)
    with pytest.raises(ModelError, match="one picture as input"):
        ActivationBrowser(keras.Sequential([layers.Conv2D(1, 1)]))
    with pytest.raises(images.ImageError):
        ActivationBrowser(build_model(seed=3), "no_such_file.jpg")
    assert repr(browser) == "ActivationBrowser()"
