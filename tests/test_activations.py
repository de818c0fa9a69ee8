"""Activations against Keras layer by layer; receptive boxes by nudging pixels."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.activations import (
    ModelError,
    activation_model,
    activations,
    check_model,
    pack,
    receptive_box,
    receptive_spans,
    shown_layers,
)


def article(padding: str = "valid") -> keras.Model:
    """Return the article's network, untrained, with a smaller end."""
    stack = [keras.Input((150, 150, 3)), layers.Rescaling(1 / 255, name="rescaling")]
    for number, filters in enumerate((16, 32, 32, 64), 1):
        conv = layers.Conv2D(filters, 3, activation="relu", padding=padding, name=f"conv{number}")
        stack += [conv, layers.MaxPooling2D(2, padding=padding, name=f"pool{number}")]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(1, activation="sigmoid")])


def skip_connection() -> keras.Model:
    """Return a small residual network: three kinds of branches, an operation, a concatenation."""
    picture = keras.Input((21, 26, 3))
    x = layers.Rescaling(1 / 255)(picture)
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(x)
    y = layers.Conv2D(4, 3, padding="same", dilation_rate=2, name="wide")(x)
    y = layers.BatchNormalization(name="norm")(y)
    x = layers.Add(name="sum")([x, y])
    x = layers.ReLU(name="relu")(x)
    y = layers.AveragePooling2D(2, padding="same", name="small")(x)
    z = layers.Conv2D(3, 1, strides=2, name="short")(x)
    x = layers.Concatenate(name="both")([y, z])
    x = x + layers.DepthwiseConv2D(3, padding="same", name="deep")(x)
    x = layers.Conv2D(2, 3, name="last")(x)
    return keras.Model(picture, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))


def odd_padding() -> keras.Model:
    """Return a network of even kernels, big strides, padding that nobody sees, and cropping."""
    picture = keras.Input((19, 16, 1))
    x = layers.ZeroPadding2D(((4, 0), (1, 2)), name="frame")(picture)
    x = layers.Conv2D(2, (4, 2), strides=(3, 2), padding="same", name="even")(x)
    x = layers.Cropping2D(((0, 1), (1, 0)), name="crop")(x)
    x = layers.MaxPooling2D(3, strides=1, padding="same", name="pool")(x)
    x = layers.Dropout(0.5)(x)
    x = layers.UpSampling2D((2, 3), name="up")(x)
    x = layers.SeparableConv2D(2, 3, padding="same", name="separable")(x)
    y = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    x = layers.Multiply(name="excite")([x, y])
    return keras.Model(picture, x)


def shifted_branch() -> keras.Model:
    """Return a branch that sees nothing in its first columns beside one that sees less rows."""
    picture = keras.Input((12, 12, 1))
    y = layers.Conv2D(1, 5, padding="same", name="blur")(picture)
    y = layers.ZeroPadding2D(((0, 0), (4, 0)), name="push")(y)
    y = layers.Cropping2D(((0, 0), (0, 4)), name="cut")(y)
    x = layers.Add(name="sum")([picture, y])
    return keras.Model(picture, layers.Conv2D(1, 2, name="last")(x))


def make_positive(model: keras.Model) -> keras.Model:
    """Give every weight a positive value, so that no influence cancels or is cut off."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1, weight.shape) for weight in model.get_weights()])
    return model


def changed(model: keras.Model, base: np.ndarray, nudged: np.ndarray) -> dict[str, np.ndarray]:
    """Return for each layer where its maps differ for each of the nudged pictures."""
    pictures = np.concatenate([nudged, base[None]])
    maps = activation_model(model).predict(pictures, verbose=0, batch_size=len(pictures))
    # Sums are rounded in another order from place to place: a thousandth is no change.
    return {
        name: (np.abs(after[:-1] - after[-1]) > 1e-3 * np.abs(after[-1])).any(-1)
        for name, after in maps.items()
    }


@pytest.mark.parametrize("build", [skip_connection, odd_padding, shifted_branch])
def test_box_is_exact_for_every_layer(build):
    """Every pixel is raised in turn; where a map changes, that pixel has been seen."""
    model = make_positive(build())
    height, width, channels = check_model(model)
    base = np.random.default_rng(1).uniform(1, 2, (height, width, channels)).astype(np.float32)
    # Raised by so much that it also becomes the maximum of every window that it is in.
    nudged = np.repeat(base[None], height * width, 0)
    nudged[np.arange(height * width), *np.divmod(np.arange(height * width), width)] += 1e5
    for name, maps in changed(model, base, nudged).items():
        seen = maps.reshape(height, width, *maps.shape[1:])
        for row, column in np.ndindex(*maps.shape[1:]):
            here = seen[:, :, row, column]
            rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
            box = (0, 0, 0, 0)
            if rows.size:
                box = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
            assert receptive_box(model, name, row, column) == box, (name, row, column)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_box_of_the_article_network(padding):
    """Everything outside a box changes nothing; each edge of it, alone, does: every layer."""
    model = make_positive(article(padding))
    rng = np.random.default_rng(2)
    base = rng.uniform(1, 2, (150, 150, 3)).astype(np.float32)
    extractor = activation_model(model)
    for layer in shown_layers(model):
        height, width = layer.output.shape[1:3]
        places = [(0, 0), (height - 1, width - 1), tuple(rng.integers((height, width)))]
        for row, column in places:
            top, left, bottom, right = receptive_box(model, layer.name, row, column)
            inside = np.zeros((150, 150, 1), bool)
            inside[top:bottom, left:right] = True
            nudges = [base, np.where(inside, base, base + 1000)]
            for edge in (np.s_[top], np.s_[bottom - 1], np.s_[:, left], np.s_[:, right - 1]):
                line = np.zeros_like(inside)
                line[edge] = True
                nudges.append(np.where(line & inside, base + 1e5, base))
            after = extractor.predict(np.stack(nudges), verbose=0)
            old, outside, *edges = after[layer.name][:, row, column]
            np.testing.assert_allclose(outside, old, rtol=1e-5, err_msg=layer.name)
            for edge in edges:
                assert (np.abs(edge - old) > 1e-3 * old).any(), (layer.name, row, column)


def test_boxes_of_the_article_are_those_of_the_design():
    """3, 8, 18, 38 pixels after the convolutions and 46 after the last pool (in the middle)."""
    model = article()
    sizes = []
    for name in ("conv1", "conv2", "conv3", "conv4", "pool4"):
        ((rows, _),) = receptive_spans(model, name)
        sizes.append(int(np.subtract(*rows[len(rows) // 2][::-1])))
    assert sizes == [3, 8, 18, 38, 46]


def test_unknown_layer_gets_a_sentence():
    picture = keras.Input((8, 8, 3))
    x = layers.Conv2DTranspose(2, 3, name="up")(picture)
    model = keras.Model(picture, layers.Conv2D(2, 3, name="after")(x))
    assert activations(model, np.zeros((8, 8, 3))).keys() == {"up", "after"}
    with pytest.raises(ModelError, match=r"'up' is not known here: it is a Conv2DTranspose"):
        receptive_box(model, "after", 0, 0)
    with pytest.raises(ModelError, match="no layer 'side'"):
        receptive_box(model, "side", 0, 0)


def test_shared_layer_gets_a_sentence():
    picture = keras.Input((8, 8, 3))
    twice = layers.Conv2D(3, 3, padding="same", name="twice")
    model = keras.Model(picture, layers.ReLU(name="relu")(twice(twice(picture))))
    with pytest.raises(ModelError, match="used more than once"):
        receptive_box(model, "relu", 0, 0)


def test_model_inside_a_model():
    inner = keras.Sequential([keras.Input((12, 12, 3)), layers.Conv2D(2, 3, name="inner")])
    outer = keras.Sequential([keras.Input((12, 12, 3)), inner, layers.Conv2D(2, 3, name="outer")])
    assert receptive_box(outer, "outer", 2, 3) == (2, 3, 7, 8)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (keras.Sequential([layers.Conv2D(2, 3)]), "begin it with keras.Input"),
        (keras.Sequential([keras.Input((4,)), layers.Dense(1)]), "begin it with keras.Input"),
        (keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3)]), "fixed height"),
        (keras.Sequential([keras.Input((9, 9, 4)), layers.Conv2D(2, 3)]), "1 or 3 channels"),
        (keras.Sequential([keras.Input((9, 9, 3)), layers.Flatten()]), "no layer of its own"),
    ],
)
def test_models_that_cannot_be_looked_into(model, sentence):
    with pytest.raises(ModelError, match=sentence):
        activation_model(model)


@pytest.mark.parametrize("build", [article, skip_connection, odd_padding])
def test_activations_are_those_of_each_layer(build):
    """Layer by layer by hand: the maps of a layer are those of a model that ends there."""
    model = build()
    height, width, channels = check_model(model)
    picture = np.random.default_rng(3).integers(0, 256, (height, width, channels))
    maps = activations(model, picture)
    assert list(maps) == [layer.name for layer in shown_layers(model)]
    for name, values in maps.items():
        single = keras.Model(model.inputs[0], model.get_layer(name).output)
        expected = single.predict(picture[None].astype(np.float32), verbose=0)[0]
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
        assert values.dtype == np.float32


def test_sequential_built_layer_by_layer():
    """`add` calls the earlier layers again: the graph holds each of them several times."""
    model = keras.Sequential()
    model.add(keras.Input((9, 9, 3)))
    model.add(layers.Conv2D(2, 3, name="a"))
    model.add(layers.MaxPooling2D(2, name="b"))
    model.add(layers.Conv2D(2, 2, name="c"))
    picture = np.random.default_rng(4).uniform(size=(9, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(activations(model, picture)["c"], model(picture[None])[0], atol=1e-6)
    assert receptive_box(model, "c", 0, 1) == (0, 2, 6, 8)


def test_pictures_are_fitted_to_the_model():
    photo = np.random.default_rng(5).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    grey = keras.Sequential([keras.Input((12, 10, 1)), layers.Conv2D(1, 1, name="conv")])
    grey.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    maps = activations(grey, photo)["conv"]
    assert maps.shape == (12, 10, 1)
    assert 0 < maps.mean() < 255
    with pytest.raises(ValueError, match=r"takes a picture of shape \(12, 10, 1\)"):
        activations(grey, photo.astype(float))


def test_packing_keeps_every_number_to_half_a_step():
    rng = np.random.default_rng(6)
    maps = {"a": rng.normal(size=(7, 5, 3)), "b": rng.exponential(size=(4, 4, 2))}
    maps["a"][..., 1] = 0
    packed = pack({name: values.astype(np.float32) for name, values in maps.items()})
    assert packed.pixels.dtype == np.uint8
    assert packed.pixels.size == 7 * 5 * 3 + 4 * 4 * 2
    for layer in packed.layers:
        size = layer["height"] * layer["width"]
        for f in range(layer["filters"]):
            low, high = packed.low[layer["first"] + f], packed.high[layer["first"] + f]
            start = layer["offset"] + f * size
            values = low + packed.pixels[start : start + size] / 255 * (high - low)
            expected = maps[layer["name"]][..., f].ravel()
            assert np.abs(values - expected).max() <= (high - low) / 510 * 1.001
            assert (low, high) == (np.float32(expected.min()), np.float32(expected.max()))


def test_a_place_outside_the_maps_is_refused():
    model = article()
    for row, column in ((500, 3), (-1, 0), (0, 148)):
        with pytest.raises(ModelError, match="conv1 has 148 rows and 148 columns"):
            receptive_box(model, "conv1", row, column)


def test_the_maps_of_the_article_take_about_700_kilobytes():
    maps = activations(article(), np.zeros((150, 150, 3), np.uint8))
    assert pack(maps).pixels.nbytes == 709_216
