"""What the activation browser sends to its page, without a page: any model, search, saved page."""

import json

import keras
import numpy as np
import pytest
from keras import layers
from traitlets import TraitError

from helpers import images
from helpers.activations import activations
from helpers.errors import LearnerError
from helpers.pets import Pets, Split
from helpers.widgets import ActivationBrowser


@pytest.fixture(scope="module")
def small() -> keras.Model:
    """A small network with two answers."""
    image = [keras.Input((32, 32, 3)), layers.Rescaling(1 / 255)]
    maps = [layers.Conv2D(4, 3, activation="relu", name="conv"), layers.MaxPooling2D(name="pool")]
    maps.append(layers.Conv2D(9, 3, name="second"))
    keras.utils.set_random_seed(1)
    return keras.Sequential([*image, *maps, layers.Flatten(), layers.Dense(1, "sigmoid")])


@pytest.fixture(scope="module")
def pets() -> Pets:
    """Sixty images of noise."""
    noise = np.random.default_rng(2).integers(0, 256, (60, 32, 32, 3), dtype=np.uint8)
    split = Split(noise, np.zeros(60, np.uint8), np.arange(60).astype(str))
    return Pets(train=split, validation=split, source="drawn", digest="")


def branches() -> keras.Model:
    """Return a model of grouped, depthwise, separable, transposed and joined layers."""
    keras.utils.set_random_seed(3)
    image = keras.Input((32, 40, 3), name="image")
    x = layers.Conv2D(8, 3, name="first")(layers.Rescaling(1 / 255)(image))
    x = layers.Dropout(0.5)(x)
    grouped = layers.Conv2D(4, 3, groups=2, padding="same", name="grouped")(x)
    deep = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="deep")(x)
    row = layers.Concatenate(name="row")([grouped, deep])
    few = layers.SeparableConv2D(5, 3, depth_multiplier=2, use_bias=False, name="few")(grouped)
    up = layers.Conv2DTranspose(2, 3, use_bias=False, name="up")(few)
    both = layers.Add(name="both")([up, layers.Conv2D(2, 1, name="flat")(row)])
    return keras.Model(image, layers.MaxPooling2D(name="pool")(both))


def read(browser: ActivationBrowser, weights: str = "trained", image: str | None = None) -> dict:
    """Return a message as the page reads it: layers by name, each with its kernels."""
    request = {"kind": "image", "name": image or browser.image, "weights": weights, "pet": 3}
    header, buffers = browser.answer(request, [])
    json.dumps(header)  # all of it can travel
    kernels = np.frombuffer(buffers[4], np.float32)
    names = [layer["name"] for layer in header["layers"]]
    found = dict(header, photo=np.frombuffer(buffers[0], np.uint8).reshape(header["shape"]))
    for layer in header["layers"]:
        if "kernel" in layer:
            end = layer["start"] + np.prod(layer["kernel"])
            layer["slices"] = kernels[layer["start"] : end].reshape(layer["kernel"])
        layer["reads"] = [[(names[n], i) for n, i in line] for line in layer["reads"]]
        found[layer["name"]] = layer
    return found


def test_every_kernel_says_what_it_reads() -> None:
    model = branches()
    data = read(ActivationBrowser(model, "dog"))
    maps = activations(model, images.resize(images.sample("dog"), (32, 40)))
    kernel = model.get_layer("first").kernel.numpy()
    np.testing.assert_array_equal(data["first"]["slices"], np.moveaxis(kernel, (3, 2), (0, 1)))
    assert data["first"]["reads"] == [[]] * 8  # the image
    # Filter 3 belongs to the second group, which reads the maps 4 to 7.
    kernel = model.get_layer("grouped").kernel.numpy()[..., 3]
    order = np.argsort(-np.abs(kernel).sum((0, 1)), kind="stable")
    assert data["grouped"]["reads"][3] == [("first", number + 4) for number in order]
    np.testing.assert_array_equal(data["grouped"]["slices"][3], np.moveaxis(kernel, 2, 0)[order])
    # Filter 5 of the depthwise layer is the second one of map 2.
    assert data["deep"]["reads"][5] == [("first", 2)]
    kernel = model.get_layer("deep").kernel.numpy()
    np.testing.assert_array_equal(data["deep"]["slices"][5, 0], kernel[..., 2, 1])
    assert data["row"]["reads"][3:5] == [[("grouped", 3)], [("deep", 0)]]
    assert data["both"]["reads"][1] == [("up", 1), ("flat", 1)]
    assert data["pool"]["reads"][1] == [("both", 1)] and data["pool"]["made"].endswith("every 2×2")
    # All slices of a separable and of a transposed convolution, put in their places, do the same.
    for name, source, layer in [
        ("few", "grouped", layers.Conv2D(5, 3, use_bias=False)),
        ("up", "few", layers.Conv2DTranspose(2, 3, use_bias=False)),
    ]:
        made = data[name]
        assert {name for line in made["reads"] for name, _ in line} == {source}
        axes = "hwif" if name == "few" else "hwfi"
        kernel = np.zeros((*made["slices"].shape[:1], maps[source].shape[-1], 3, 3))
        for number, line in enumerate(made["reads"]):
            kernel[number, [i for _, i in line]] = made["slices"][number]
        layer.build((None, *maps[source].shape))
        layer.set_weights([np.einsum(f"fihw->{axes}", kernel)])
        np.testing.assert_allclose(layer(maps[source][None])[0], maps[name], rtol=1e-3, atol=1e-5)
    assert "Conv2DTranspose" in data["both"]["unknown"] and "spans" not in data["both"]
    assert data["chances"] == []  # it ends in maps, not in an answer


@pytest.mark.parametrize(("units", "activation"), [(1, "sigmoid"), (3, "softmax"), (2, "linear")])
def test_the_probability_of_each_answer(units: int, activation: str) -> None:
    stack = [keras.Input((8, 8, 3)), layers.Conv2D(2, 3), layers.Flatten()]
    model = keras.Sequential([*stack, layers.Dense(units, activation)])
    image = np.random.default_rng(0).integers(0, 3, (8, 8, 3), np.uint8)
    (said,) = model.predict(image[None], verbose=0)
    wanted = {"sigmoid": [1 - said[0], said[0]], "softmax": said, "linear": []}[activation]
    assert read(ActivationBrowser(model, image))["chances"] == pytest.approx(wanted, abs=1e-6)


def test_weights_trained_further_are_shown(small: keras.Model) -> None:
    browser = ActivationBrowser(small, "cat")
    before, random = read(browser), read(browser, "random")
    weights = small.get_weights()
    small.set_weights([2 * w for w in weights])
    after = read(browser)
    small.set_weights(weights)
    assert before["checksum"] == random["checksum"] == after["checksum"]
    assert len({before["version"], random["version"], after["version"]}) == 3
    np.testing.assert_allclose(after["conv"]["slices"], 2 * before["conv"]["slices"])
    assert read(browser)["version"] == before["version"]


def test_a_search_goes_on_when_it_is_asked_and_says_what_failed(
    small: keras.Model, pets: Pets
) -> None:
    browser = ActivationBrowser(small, "cat", pets=pets)
    request = {"kind": "search", "weights": "trained", "layer": "second", "filter": 5}
    steps = [browser.answer(request, [])[0] for _ in range(3)]
    assert [step.get("done") for step in steps] == [25, 50, 60]
    header, buffers = browser.answer(request, [])
    assert header["version"] == steps[0]["version"] and header["source"] == "60 drawn pets"
    assert len(header["patches"]) == len(buffers) == 9
    errors = []

    def preprocess(batch: np.ndarray) -> np.ndarray:
        if errors:
            raise errors[0]
        return batch

    browser = ActivationBrowser(small, "cat", pets=pets, preprocess=preprocess)
    sent = []
    browser.send = lambda header, buffers: sent.append(header)
    for error, words in [
        (OSError("no space left"), "This did not work (OSError): try again, or another image."),
        (LearnerError("Give another image."), "Give another image."),
    ]:
        errors[:] = [error]
        browser.receive(request, [])
        assert sent.pop() == {"kind": "search", "sentence": words}
    errors.clear()
    assert browser.answer(request, [])[0]["done"] == 25


def test_an_upload_is_in_no_state_and_in_a_page_only_on_request(
    small: keras.Model, pets: Pets, tmp_path
) -> None:
    browser = ActivationBrowser(small, "cat", pets=pets)
    noise = np.random.default_rng(5).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    file = tmp_path / "me.png"
    images.Image.fromarray(noise).save(file)
    request = {"kind": "upload", "part": 0, "parts": 1, "name": "me.png", "weights": "random"}
    header, buffers = browser.answer(request, [memoryview(file.read_bytes())])
    assert (header["name"], header["weights"]) == (browser.OWN, "random")
    assert buffers[0] == noise.tobytes()
    browser.image = browser.OWN
    state = json.dumps({k: v for k, v in browser.get_state().items() if k not in ("_esm", "_css")})
    assert len(state) < 3_000 and "me.png" not in state
    page = tmp_path / "page.html"
    with pytest.raises(LearnerError, match="with_upload=True"):
        browser.save_html(page)
    assert not page.exists()
    small_page = browser.save_html(page, with_upload=True).stat().st_size
    assert f'"{browser.OWN}", "weights"' in page.read_text(encoding="utf-8")
    browser.image, browser.pet = "one of my pets", 7
    pet = read(browser, image="one of my pets")
    np.testing.assert_array_equal(pet["photo"], pets.validation.images[3])  # as the page asked
    assert (pet["pet"], pet["pets"], browser.pet) == (3, 60, 7)
    browser.weights = "random"
    assert browser.stored()["answers"][0]["message"]["pet"] == 7
    assert browser.save_html(page).stat().st_size < 1.2 * small_page < 2_000_000
    assert f'"{browser.OWN}", "weights"' not in page.read_text(encoding="utf-8")


def test_what_cannot_be_shown_gets_a_sentence(small: keras.Model, pets: Pets) -> None:
    browser = ActivationBrowser(small, pets=pets)
    browser.layer, browser.filter = "second", 8
    for name, wrong, words in [
        ("layer", "conv9", "no layer 'conv9': choose one of conv, pool, second"),
        ("filter", 9, r"filter of second is 9: give a whole number from 0 to 8"),
        ("filter", -1, "from 0 to 8"),
        ("filter", "3", "filter of second is '3'"),
        ("weights", "best", r"'weights' trait .* any of \['trained', 'random'\]"),
        ("shared_scale", "yes", "'shared_scale' trait .* a boolean"),
        ("pet", 60, "from 0 to 59"),
        ("image", "moon", "no image 'moon': choose one of dog, cat"),
    ]:
        with pytest.raises((LearnerError, TraitError), match=words):
            setattr(browser, name, wrong)
    assert (browser.layer, browser.filter, browser.weights) == ("second", 8, "trained")
    browser.layer = "pool"  # has fewer filters
    assert browser.filter == 3
    browser.set_state({"filter": 40})  # of a slider that is linked to it in the page
    assert browser.filter == 3
    browser.set_state({"layer": "second", "filter": 7})
    assert (browser.layer, browser.filter) == ("second", 7)
    with pytest.raises(LearnerError, match="a fixed height and width"):
        ActivationBrowser(keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(1, 1)]))
    with pytest.raises(LearnerError):
        ActivationBrowser(small, "no_such_file.jpg")
    assert repr(browser) == "ActivationBrowser()"
