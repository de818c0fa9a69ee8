"""Every column of lesson 3's table of layers, against what Keras and TensorFlow count."""

import html
import re

import numpy as np
import pytest

from helpers import figures
from helpers.model import build_model, layer_table


def article():
    return build_model(seed=1)


def other():
    """Strides, padding, average pooling, no biases."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((31, 31, 2)),
            layers.Conv2D(5, 4, strides=2, padding="same", use_bias=False, name="a"),
            layers.AveragePooling2D(3, strides=2, padding="same", name="b"),
            layers.Conv2D(7, 3, strides=2, name="c"),
            layers.Flatten(name="d"),
            layers.Dense(3, use_bias=False, name="e"),
        ]
    )


networks = pytest.mark.parametrize("make", [article, other])


@networks
def test_parameters_shapes_and_memory_are_those_of_a_prediction(make):
    import keras

    model = make()
    every = keras.Model(model.inputs, [layer.output for layer in model.layers])
    outputs = every.predict(np.ones((1, *model.input_shape[1:])), verbose=0)
    for row, layer, output in zip(layer_table(model), model.layers, outputs, strict=True):
        assert row.output_shape == output.shape[1:] == layer.output.shape[1:]
        assert row.memory == output.nbytes
        assert row.parameters == layer.count_params()
        assert (eval(row.arithmetic) if row.arithmetic else 0) == layer.count_params()


@networks
def test_multiply_adds_are_those_of_tensorflows_profiler(make):
    """It counts a multiplication and an addition as two operations."""
    import tensorflow as tf
    from tensorflow.compat.v1 import profiler

    model = make()
    call = tf.function(lambda picture: model(picture))
    graph = call.get_concrete_function(tf.TensorSpec((1, *model.input_shape[1:]))).graph
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    counted = profiler.profile(graph, cmd="scope", options=options.with_empty_output().build())
    products = [node for node in counted.children if re.search("convolution|MatMul", node.name)]
    layers = {re.split(r"/|_\d+/", node.name)[-2]: node.total_float_ops for node in products}
    wanted = {row.name: 2 * row.multiply_adds for row in layer_table(model) if row.multiply_adds}
    assert layers == wanted and len(wanted) == sum(row.parameters > 0 for row in layer_table(model))


@networks
def test_receptive_fields_are_those_that_gradients_see(make):
    import keras
    import tensorflow as tf

    def let_everything_through(layer):
        config = layer.get_config()
        if isinstance(layer, keras.layers.MaxPooling2D):  # its gradient follows the largest only
            return keras.layers.AveragePooling2D.from_config(config)
        if "kernel_initializer" in config:
            config |= {"kernel_initializer": "ones", "activation": None}
        return type(layer).from_config(config)

    model = keras.models.clone_model(make(), clone_function=let_everything_through)
    side = model.input_shape[1]
    picture = tf.ones((1, *model.input_shape[1:]))
    for depth, row in enumerate(layer_table(model), start=1):
        if row.receptive_field is None:
            assert len(row.output_shape) == 1
            continue
        for place in (0, row.output_shape[0] // 2, row.output_shape[0] - 1):
            with tf.GradientTape() as tape:
                tape.watch(picture)
                value = keras.Sequential(model.layers[:depth])(picture)[0, place, place, 0]
            seen = np.asarray(tape.gradient(value, picture))[0].any(axis=-1)
            first = row.start + place * row.jump
            span = np.arange(max(first, 0), min(first + row.receptive_field, side))
            np.testing.assert_array_equal(np.flatnonzero(seen.any(axis=0)), span)
            np.testing.assert_array_equal(np.flatnonzero(seen.any(axis=1)), span)


def test_the_page_shows_the_table():
    rows = layer_table(article())
    page = html.unescape(figures.layer_table_html(rows).data).replace("\u00a0", " ")
    lines = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in page.split("<tr>")[2:]]
    assert lines[1] == [
        "conv1", "Conv2D", "148 × 148 × 16", "(3*3*3+1)*16 = 448",
        "9,462,528", "3 × 3", "1,401,856",
    ]  # fmt: skip
    assert lines[-1] == ["together", "", "", "1,639,489", "49,757,440", "", "3,121,460"]
    assert len(lines) == len(rows) + 1


def test_the_diagram_shows_the_shapes_into_and_out_of_each_layer():
    model = article()
    texts = [text.get_text() for text in figures.network_diagram(model).axes[0].texts]
    for layer in model.layers:
        place = texts.index(layer.name)
        _, word_in, shape_in, word_out, shape_out = texts[place + 1 : place + 6]
        assert (word_in, word_out) == ("in", "out")
        for shape, tensor in ((shape_in, layer.input), (shape_out, layer.output)):
            sides = shape.replace(",", "").split("\u00a0×\u00a0")
            assert [int(side) for side in sides] == list(tensor.shape[1:])


def test_the_shrinking_image_has_one_map_of_each_layer_to_one_scale():
    model = article()
    picture = np.random.default_rng(0).integers(0, 256, (150, 150, 3), np.uint8)
    axis = figures.shrinking_image(model, picture).axes[0]
    sides = [image.get_extent()[1] - image.get_extent()[0] for image in axis.images]
    assert sides == [150, 148, 74, 72, 36, 34, 17, 15, 7]
    assert [text.get_text().split("\n")[1].split(" × ")[2] for text in axis.texts] == [
        "3", "16", "16", "32", "32", "32", "32", "64", "64",
    ]  # fmt: skip
