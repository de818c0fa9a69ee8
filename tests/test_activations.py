"""Activations against Keras layer by layer; the strongest ones against a plain search."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.activations import (
    activation_model,
    activations,
    pack,
    random_twin,
    receptive_box,
    shown_layers,
    sources,
    strongest_activations,
    strongest_patches,
)
from helpers.errors import LearnerError
from helpers.model import build_model


def branches() -> keras.Model:
    """Return a functional model of grouped, depthwise, separable, joined and unknown layers."""
    image = keras.Input((32, 40, 3), name="image")
    x = layers.Conv2D(8, 3, name="first")(layers.Rescaling(1 / 255)(image))
    x = layers.Dropout(0.5)(x)
    grouped = layers.Conv2D(4, 3, groups=2, padding="same", name="grouped")(x)
    deep = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="deep")(x)
    row = layers.Concatenate(name="row")([grouped, deep])
    apart = layers.SeparableConv2D(4, 3, name="apart")(row)
    inner = keras.Sequential([keras.Input((28, 36, 4)), layers.ReLU()], name="inner")
    up = layers.Conv2DTranspose(2, 3, name="up")(inner(apart))
    return keras.Model(image, layers.Conv2D(2, 3, name="last")(up))


def chain() -> keras.Model:
    """Return a chain built layer by layer: each `add` calls the earlier layers again."""
    model = keras.Sequential()
    model.add(keras.Input((9, 9, 3)))
    model.add(layers.Conv2D(2, 3, name="a"))
    model.add(layers.MaxPooling2D(2, name="b"))
    model.add(layers.Conv2D(2, 2, name="c"))
    return model


@pytest.mark.parametrize("build", [lambda: build_model(seed=3), branches, chain])
def test_activations_are_those_of_each_layer(build):
    """The maps of a layer are those of the model called layer by layer, or ending there."""
    model = build()
    height, width, channels = model.input_shape[1:]
    image = np.random.default_rng(3).integers(0, 256, (height, width, channels))
    maps = activations(model, image)
    assert list(maps) == [layer.name for layer in shown_layers(model)]
    values = image[None].astype(np.float32)
    for layer in model.layers:
        if isinstance(model, keras.Sequential):
            expected = values = layer(values, training=False)
        elif layer.name in maps:
            single = keras.Model(model.inputs[0], layer.output)
            expected = single.predict(image[None].astype(np.float32), verbose=0)
        if layer.name in maps:
            np.testing.assert_allclose(maps[layer.name], expected[0], rtol=1e-5, atol=1e-5)
            assert maps[layer.name].dtype == np.float32


def test_what_feeds_a_layer():
    model = branches()
    assert sources(model) == {
        "first": [], "grouped": ["first"], "deep": ["first"], "row": ["grouped", "deep"],
        "apart": ["row"], "up": ["?"], "last": ["up"],
    }  # fmt: skip
    assert sources(chain()) == {"a": [], "b": ["a"], "c": ["b"]}


def test_a_box_is_where_the_spans_of_rows_and_columns_cross():
    model = chain()
    assert receptive_box(model, "c", 0, 1) == (0, 2, 6, 8)
    assert receptive_box(model, "a", 6, 2) == (6, 2, 9, 5)
    padded = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.ZeroPadding2D(2), layers.MaxPooling2D(2, name="pool")]
    )
    assert receptive_box(padded, "pool", 1, 2) == (0, 2, 2, 4)
    top, _, bottom, _ = receptive_box(padded, "pool", 0, 2)
    assert top == bottom  # sees padding alone
    with pytest.raises(LearnerError, match=r"up: .* not known for this layer"):
        receptive_box(branches(), "up", 0, 0)
    with pytest.raises(LearnerError, match=r"side: .* no such layer; it has a, b, c"):
        receptive_box(model, "side", 0, 0)
    for row, column in ((7, 3), (-1, 0), (0, 7)):
        with pytest.raises(LearnerError, match="a has 7 rows and 7 columns"):
            receptive_box(model, "a", row, column)


inner = keras.Sequential([keras.Input((9, 9, 3)), layers.Conv2D(2, 3)])


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (keras.Sequential([layers.Conv2D(2, 3)]), "begin it with keras.Input"),
        (keras.Sequential([keras.Input((4,)), layers.Dense(1)]), "begin it with keras.Input"),
        (keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3)]), "fixed height"),
        (keras.Sequential([keras.Input((9, 9, 4)), layers.Conv2D(2, 3)]), "1 or 3 channels"),
        (keras.Sequential([keras.Input((9, 9, 3)), layers.Flatten()]), "no layer of its own"),
        (keras.Sequential([keras.Input((9, 9, 3)), inner]), r"inside it: model\.get_layer"),
    ],
)
def test_models_that_cannot_be_looked_into_get_one_sentence(model, sentence):
    with pytest.raises(LearnerError, match=sentence) as caught:
        activation_model(model)
    assert caught.value._render_traceback_() == [f"LearnerError: {caught.value}"]


def test_images_are_fitted_to_the_model():
    photo = np.random.default_rng(5).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    grey = keras.Sequential([keras.Input((12, 10, 1)), layers.Conv2D(1, 1, name="conv")])
    grey.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    maps = activations(grey, photo)["conv"]
    assert maps.shape == (12, 10, 1)
    assert 0 < maps.mean() < 255
    with pytest.raises(LearnerError, match=r"takes an image of shape \(12, 10, 1\)"):
        activations(grey, photo.astype(float))


def test_packing_keeps_every_number_to_half_a_step():
    rng = np.random.default_rng(6)
    maps = {"a": rng.normal(size=(7, 5, 3)), "b": rng.exponential(size=(4, 4, 2))}
    maps["a"][..., 1] = 0
    packed, (pixels, lowest, highest) = pack(
        {name: values.astype(np.float32) for name, values in maps.items()}
    )
    assert pixels.dtype == np.uint8
    assert pixels.size == 7 * 5 * 3 + 4 * 4 * 2
    for layer in packed:
        size = layer["height"] * layer["width"]
        for f in range(layer["filters"]):
            low, high = lowest[layer["first"] + f], highest[layer["first"] + f]
            start = layer["offset"] + f * size
            values = low + pixels[start : start + size] / 255 * (high - low)
            expected = maps[layer["name"]][..., f].ravel()
            assert np.abs(values - expected).max() <= (high - low) / 510 * 1.001
            assert (low, high) == (np.float32(expected.min()), np.float32(expected.max()))


def test_random_twin_has_other_weights_and_is_the_same_each_time():
    model = branches()
    one, two, other = (random_twin(model, seed=s).get_weights() for s in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], model.get_weights()[0])
    assert not np.array_equal(one[0], other[0])
    assert not one[1].any()  # a bias


# ---------------------------------------------------------------- the strongest


def small_model(channels=3):
    image = keras.Input((20, 24, channels), name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    first = layers.Conv2D(4, 3, activation="relu", padding="same", name="first")(x)
    x = layers.SeparableConv2D(4, 3, padding="same", name="second")(first)
    x = layers.Add(name="sum")([first, x])
    model = keras.Model(image, layers.MaxPooling2D(2, name="pool")(x))
    rng = np.random.default_rng(0)
    weights = [rng.normal(0.3, 0.3, w.shape) for w in model.get_weights()]
    weights[0][..., 1], weights[1][1] = 0, -1  # filter 1 of the first layer is dead
    model.set_weights(weights)
    return model


def drained(search):
    """Return all that a search yields, and what it returns."""
    steps = []
    while True:
        try:
            steps.append(next(search))
        except StopIteration as end:
            return steps, end.value


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).integers(0, 256, (37, 20, 24, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def found(images):
    steps, found = drained(strongest_activations(small_model(), images))
    assert steps == [(25, 37), (37, 37)]
    return found


def test_same_as_a_plain_search(images, found):
    model = small_model()
    assert list(found) == ["first", "second", "sum", "pool"]
    all_maps = [activations(model, image) for image in images]
    for name, (value, image, row, column) in found.items():
        for f in range(4):
            maps = np.stack([m[name][..., f] for m in all_maps])
            best = np.argsort(-maps.max((1, 2)), kind="stable")[:9]
            if (name, f) == ("first", 1):
                assert (value[f] == -np.inf).all()
                continue
            np.testing.assert_allclose(value[f], maps.max((1, 2))[best], rtol=1e-4)
            assert len(set(image[f])) == 9  # at most one per image
            there = maps[image[f], row[f], column[f]]
            np.testing.assert_allclose(there, value[f], rtol=1e-4)


def test_a_search_can_be_stopped(images):
    search = strongest_activations(small_model(), images)
    assert next(search) == (25, 37)
    search.close()
    assert drained(search) == ([], None)


def test_patches_are_the_exact_receptive_fields(images, found):
    model = small_model()
    for name in found:
        patches = strongest_patches(model, images, found, layer=name, filter_number=2)
        assert len(patches) == 9
        for number, (pixels, value, image) in enumerate(patches):
            wanted, _, row, column = (each[2, number] for each in found[name])
            top, left, bottom, right = receptive_box(model, name, row, column)
            assert value == wanted
            np.testing.assert_array_equal(pixels, images[image, top:bottom, left:right])
    assert strongest_patches(model, images, found, layer="first", filter_number=1) == []


def test_images_of_another_size_a_grey_model_and_preprocessing(images):
    model, others = small_model(channels=1), images[:6, :15, :15]
    _, found = drained(strongest_activations(model, others))
    ((pixels, *_), *_) = strongest_patches(model, others, found, layer="first", filter_number=0)
    assert pixels.ndim == 3
    assert max(pixels.shape[:2]) <= 3
    _, dark = drained(strongest_activations(model, others, preprocess=lambda x: 0 * x))
    assert (dark["first"][0][0] != found["first"][0][0]).all()
