"""What the table of layers counts and what each layer sees, by Keras, TensorFlow and pixels."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from helpers.activations import activation_model
from helpers.model import NETWORKS, build_model, layer_table, receptive_spans


def article() -> keras.Model:
    return build_model(seed=1)


def residual() -> keras.Model:
    return NETWORKS["residual"](seed=1, side=18)


def other() -> keras.Model:
    """Strides, padding, average pooling, uneven kernels, no biases."""
    return keras.Sequential(
        [
            keras.Input((31, 33, 2)),
            layers.Conv2D(6, (4, 5), strides=2, padding="same", use_bias=False, name="a"),
            layers.AveragePooling2D(3, strides=2, padding="same", name="b"),
            layers.Conv2D(7, 3, strides=2, name="c"),
            layers.Flatten(name="d"),
            layers.Dense(3, use_bias=False, name="e"),
        ]
    )


def grouped() -> keras.Model:
    return keras.Sequential([keras.Input((6, 7, 4)), layers.Conv2D(6, (3, 2), groups=2, name="a")])


def branches() -> keras.Model:
    """Three kinds of branches, dilation, an operation, a concatenation, odd sides."""
    image = keras.Input((21, 26, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(x)
    y = layers.Conv2D(4, 3, padding="same", dilation_rate=2, name="wide")(x)
    y = layers.BatchNormalization(name="norm")(y)
    x = layers.ReLU(name="relu")(layers.Add(name="sum")([x, y]))
    y = layers.AveragePooling2D(2, padding="same", name="small")(x)
    z = layers.Conv2D(3, 1, strides=2, name="short")(x)
    x = layers.Concatenate(name="both")([y, z])
    x = x + layers.DepthwiseConv2D(3, padding="same", name="deep")(x)
    x = layers.Conv2D(2, 3, name="last")(x)
    return keras.Model(image, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))


def odd_padding() -> keras.Model:
    """Even kernels, big strides, padding that nobody sees, separable convolutions."""
    image = keras.Input((19, 16, 1))
    x = layers.ZeroPadding2D(((4, 0), (1, 2)), name="frame")(image)
    x = layers.Conv2D(2, (4, 2), strides=(3, 2), padding="same", name="even")(x)
    x = layers.MaxPooling2D(3, strides=1, padding="same", name="pool")(x)
    x = layers.SeparableConv2D(2, 3, padding="same", name="separable")(layers.Dropout(0.5)(x))
    y = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    return keras.Model(image, layers.Multiply(name="excite")([x, y]))


def fifteen() -> keras.Model:
    """A pool that leaves 15 rows, then "same"; 3 x 5 kernels; models inside the model."""
    inner = keras.Sequential([keras.Input((15, 14, 2)), layers.Conv2D(2, 3, padding="same")])
    small = keras.Input((15, 14, 2))
    joined = layers.Add()([small, layers.Conv2D(2, (1, 3), padding="same")(small)])
    image = keras.Input((30, 29, 1))
    x = layers.MaxPooling2D(2, name="pool")(image)
    x = layers.Conv2D(2, (3, 5), padding="same", name="uneven")(x)
    x = keras.Model(small, joined)(inner(x))
    x = layers.MaxPooling2D((2, 3), padding="same", name="pool2")(x)
    return keras.Model(image, layers.Conv2D(1, (5, 3), strides=(2, 1), name="last")(x))


def span(seen: np.ndarray) -> tuple[int, int]:
    """Return the first place that is True, and one past the last; (0, 0) if there is none."""
    places = np.flatnonzero(seen)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("make", [article, other, grouped, residual])
def test_parameters_shapes_and_memory_are_those_of_a_prediction(make):
    model = make()
    every = keras.Model(model.inputs, {layer.name: layer.output for layer in model.layers})
    outputs = every.predict(np.ones((1, *model.input_shape[1:])), verbose=0)
    rows = layer_table(model)
    assert sum(row.parameters for row in rows) == model.count_params()
    for row in rows:
        assert row.output_shape == outputs[row.name].shape[1:]
        assert row.memory == outputs[row.name].nbytes
        assert row.kind == type(model.get_layer(row.name)).__name__
        assert bool(row.arithmetic) == (row.kind in ("Conv2D", "Dense"))
        assert not row.arithmetic or eval(row.arithmetic) == row.parameters


@pytest.mark.parametrize("make", [article, other])
def test_multiply_adds_are_those_of_tensorflows_profiler(make):
    """It counts a multiplication and an addition as two operations."""
    from tensorflow.compat.v1 import profiler

    model = make()
    call = tf.function(lambda image: model(image))
    graph = call.get_concrete_function(tf.TensorSpec((1, *model.input_shape[1:]))).graph
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    counted = profiler.profile(graph, cmd="scope", options=options.with_empty_output().build())
    products = [node for node in counted.children if re.search("convolution|MatMul", node.name)]
    found = {re.split(r"/|_\d+/", node.name)[-2]: node.total_float_ops for node in products}
    wanted = {row.name: 2 * row.multiply_adds for row in layer_table(model) if row.multiply_adds}
    assert found == wanted and len(wanted) == sum(row.parameters > 0 for row in layer_table(model))


def test_fields_in_the_table():
    """3, 8, 18, 38 pixels after the convolutions of lesson 3, and 46 after the last pool."""
    rows = {row.name: row.receptive_field for row in layer_table(article())}
    sides = [rows[name] for name in ("rescaling", "conv1", "conv2", "conv3", "conv4", "pool4")]
    assert sides == [(1, 1), (3, 3), (8, 8), (18, 18), (38, 38), (46, 46)]
    assert rows["flatten"] is rows["dense1"] is None
    assert [row.receptive_field for row in layer_table(other())][:2] == [(4, 5), (8, 9)]


# ---------------------------------------------------------------- receptive fields


@pytest.mark.parametrize("build", [residual, branches, odd_padding, fifteen])
def test_spans_are_exact_for_every_place_of_every_layer(build):
    """Every pixel is raised in turn; where a map changes, that pixel has been seen."""
    model, random = build(), np.random.default_rng(0)
    model.set_weights([random.uniform(0.5, 1, w.shape) for w in model.get_weights()])
    height, width, channels = model.input_shape[1:]
    base = random.uniform(1, 2, (height, width, channels)).astype(np.float32)
    # By so much that it also becomes the maximum of every window that it is in.
    images = np.repeat(base[None], height * width + 1, 0)
    images[np.arange(height * width), *np.divmod(np.arange(height * width), width)] += 1e5
    known = receptive_spans(model)
    answers = activation_model(model).predict(images, verbose=0, batch_size=len(images))
    for name, maps in answers.items():
        # Sums are rounded in another order from place to place: a thousandth is no change.
        changed = (np.abs(maps[:-1] - maps[-1]) > 1e-3 * np.abs(maps[-1])).any(-1)
        seen = changed.reshape(height, width, *changed.shape[1:])
        rows, columns = known[name]
        for row, column in np.ndindex(*seen.shape[2:]):
            here = seen[:, :, row, column]
            expected = tuple(rows[row]), tuple(columns[column])
            if (0, 0) in expected:  # sees padding alone
                assert not here.any()
            else:
                assert (span(here.any(1)), span(here.any(0))) == expected, (name, row, column)


def test_a_chain_built_layer_by_layer_and_layers_without_places():
    model = keras.Sequential()
    model.add(keras.Input((9, 12, 3)))
    model.add(layers.Conv2D(2, 3, name="a"))
    model.add(keras.Sequential([keras.Input((7, 10, 2)), layers.MaxPooling2D(2)], name="inside"))
    model.add(layers.Conv2D(2, 2, name="b"))
    model.add(layers.Flatten(name="flat"))
    model.add(layers.Dense(3, name="dense"))
    known = receptive_spans(model)
    assert [spans.tolist() for spans in known["b"]] == [
        [[0, 6], [2, 8]],
        [[0, 6], [2, 8], [4, 10], [6, 12]],
    ]
    for name in ("flat", "dense"):  # the last row is lost on the way
        assert [spans.tolist() for spans in known[name]] == [[[0, 8]], [[0, 12]]]


def test_what_is_not_known_is_said():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 3, padding="same", name="before")(image)
    up = layers.Conv2DTranspose(3, 3, name="up")(x)
    model = keras.Model(image, layers.Conv2D(2, 3, name="after")(up))
    known = receptive_spans(model)
    assert not isinstance(known["before"], str)
    for name in ("up", "after"):
        assert re.search(r"not known for this layer: from up \(Conv2DTranspose\)", known[name])
    assert [row.receptive_field for row in layer_table(model)] == [(3, 3), known["up"], known["up"]]

    twice = layers.Conv2D(3, 3, padding="same", name="twice")
    model = keras.Model(image, layers.ReLU(name="relu")(twice(twice(image))))
    assert "used more than once" in receptive_spans(model)["relu"]
    free = NETWORKS["residual"](side=None)
    assert "no image of fixed height and width" in receptive_spans(free)["block2a_add"]
    numbers = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="dense")])
    assert [row.receptive_field for row in layer_table(numbers)] == [None]
