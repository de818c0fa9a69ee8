"""helpers.convolution against SciPy and Keras, on small random arrays."""

import itertools
import re

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.convolution import (
    KERNELS,
    ReceptiveField,
    average_pool,
    conv2d,
    correlate2d,
    max_pool,
    output_size,
    receptive_field,
    window_spans,
)
from helpers.errors import LearnerError

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 12)
paddings = st.sampled_from(["valid", "same"])
quick = settings(max_examples=150, deadline=None)
slow = settings(max_examples=80, deadline=None)  # Keras builds a layer for each


def random_array(shape, seed, dtype=float):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@given(
    sizes, sizes, st.integers(1, 5), st.integers(1, 5), st.integers(0, 4), st.integers(1, 4), seeds,
)  # fmt: skip
@quick
def test_correlate2d_is_scipys_at_every_stride_and_padding(
    rows, columns, k_rows, k_columns, zeros, stride, seed
):
    rows, columns = max(rows, k_rows - 2 * zeros), max(columns, k_columns - 2 * zeros)
    image = random_array((rows, columns), seed)
    kernel = random_array((k_rows, k_columns), seed + 1)
    padded = np.pad(image, zeros)
    expected = scipy.signal.correlate2d(padded, kernel, mode="valid")[::stride, ::stride]
    result = correlate2d(image, kernel, stride=stride, padding=zeros if zeros else "valid")
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)
    odd = kernel[k_rows % 2 - 1 :, k_columns % 2 - 1 :]
    expected = scipy.ndimage.correlate(image, odd, mode="constant", cval=0.0)
    result = correlate2d(image, odd, padding="same")
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


def test_correlate2d_does_not_flip_and_does_not_wrap():
    step = np.array([[0, 0, 255, 255]] * 3, np.uint8)
    result = correlate2d(step, KERNELS["Sobel (vertical edges)"].astype(int))
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, [[1020, 1020]])
    turned = correlate2d(step[:, ::-1], KERNELS["Sobel (vertical edges)"])
    np.testing.assert_array_equal(turned, [[-1020, -1020]])


@given(
    sizes, sizes, st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5),
    st.integers(1, 4), paddings, seeds,
)  # fmt: skip
@slow
def test_conv2d_is_keras_conv2d(
    rows, columns, channels, filters, k_rows, k_columns, stride, padding, seed
):
    import keras

    if padding == "valid":
        rows, columns = max(rows, k_rows), max(columns, k_columns)
    image = random_array((rows, columns, channels), seed, np.float32)
    kernels = random_array((k_rows, k_columns, channels, filters), seed + 1, np.float32)
    layer = keras.layers.Conv2D(filters, (k_rows, k_columns), strides=stride, padding=padding)
    layer.build((1, *image.shape))
    layer.set_weights([kernels, np.zeros(filters)])
    expected = keras.ops.convert_to_numpy(layer(image[None]))[0]
    result = conv2d(image, kernels, stride=stride, padding=padding)
    assert result.dtype == np.float32 and result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-4)


@given(
    sizes, sizes, st.integers(1, 3), st.integers(1, 5), st.none() | st.integers(1, 4), seeds,
)  # fmt: skip
@slow
def test_pooling_is_keras_pooling(rows, columns, channels, size, stride, seed):
    import keras

    shape = (max(rows, size), max(columns, size), channels)
    x = random_array(shape, seed, np.float32)
    for own, layer in {
        max_pool: keras.layers.MaxPooling2D(size, strides=stride),
        average_pool: keras.layers.AveragePooling2D(size, strides=stride),
    }.items():
        expected = keras.ops.convert_to_numpy(layer(x[None]))[0]
        for given_as, wanted in (x, expected), (x[..., 0], expected[..., 0]):
            result = own(given_as, size=size, stride=stride)
            assert result.dtype == np.float32
            np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-6)


def test_bytes_do_not_wrap_and_no_input_is_changed():
    x = np.array([[255, 255], [255, 251]], np.uint8)
    assert average_pool(x)[0, 0] == 254 and max_pool(x)[0, 0] == 255
    whole = conv2d(x[..., None], np.ones((2, 2, 1, 1), int))
    assert whole.dtype == np.float64 and whole[0, 0, 0] == 1016
    y = np.arange(4.0).reshape(2, 2)
    max_pool(y, size=1)[0, 0] = average_pool(y, size=1)[0, 0] = 99
    correlate2d(y, np.ones((1, 1)))[0, 0] = 99
    np.testing.assert_array_equal(y, [[0, 1], [2, 3]])


def test_output_size_is_keras_for_every_combination_up_to_12():
    import keras

    for kernel, stride, padding in itertools.product(range(1, 13), range(1, 13), ("valid", "same")):
        layer = keras.layers.Conv1D(1, kernel, strides=stride, padding=padding)
        for n in range(1, 13):
            if padding == "valid" and kernel > n:
                with pytest.raises(ValueError, match="does not fit"):
                    output_size(n, kernel=kernel, stride=stride)
                continue
            size = output_size(n, kernel=kernel, stride=stride, padding=padding)
            assert size == layer.compute_output_shape((1, n, 1))[1]


@given(sizes, sizes, sizes, st.integers(0, 6))
@quick
def test_output_size_counts_the_windows(n, kernel, stride, zeros):
    starts = [s for s in range(0, n + 2 * zeros, stride) if s + kernel <= n + 2 * zeros]
    if starts:
        assert output_size(n, kernel=kernel, stride=stride, padding=zeros) == len(starts)
    else:
        with pytest.raises(ValueError, match="does not fit"):
            output_size(n, kernel=kernel, stride=stride, padding=zeros)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=4))
@quick
def test_receptive_field_is_what_reaches_a_number(layers):
    """Walk backwards from two neighbouring outputs to the pixels that they see."""
    spans = [(0, 0), (1, 1)]
    for kernel, stride in reversed(layers):
        spans = [(first * stride, last * stride + kernel - 1) for first, last in spans]
    (first, last), (next_first, _) = spans
    assert receptive_field(layers) == (last - first + 1, next_first - first)
    assert receptive_field([]) == ReceptiveField(size=1, jump=1)


@given(
    st.integers(5, 20), paddings,
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)), max_size=3),
)  # fmt: skip
@slow
def test_spans_are_what_a_keras_convolution_sees(n, padding, layers):
    """One image for each pixel, with that pixel alone: what a position answers to, it sees."""
    import keras

    answers, spans = np.eye(n)[..., None], np.stack([np.arange(n), np.arange(1, n + 1)], axis=1)
    for kernel, stride, dilation in layers:
        stride = 1 if dilation > 1 else stride  # Keras has no layer of both
        if padding == "valid" and (kernel - 1) * dilation >= len(spans):
            break
        layer = keras.layers.Conv1D(
            1, kernel, strides=stride, dilation_rate=dilation, padding=padding,
            kernel_initializer="ones",
        )  # fmt: skip
        answers = np.asarray(layer(answers))
        spans = window_spans(
            spans, kernel=kernel, stride=stride, dilation=dilation, padding=padding
        )
    for seen, span in zip(answers[..., 0].T > 0, spans, strict=True):
        pixels = np.flatnonzero(seen)
        assert tuple(span) == ((pixels[0], pixels[-1] + 1) if len(pixels) else (0, 0))


def test_kernels():
    keep_the_mean = {"box blur", "Gaussian blur", "identity", "sharpen", "emboss"}
    for name, one in KERNELS.items():
        assert one.shape == (3, 3) and one.dtype == float
        assert one.sum() == pytest.approx(int(name in keep_the_mean)), name
    image = random_array((9, 9), 1)
    for name, expected in {
        "Sobel (vertical edges)": scipy.ndimage.sobel(image, axis=1),
        "Prewitt (vertical edges)": scipy.ndimage.prewitt(image, axis=1),
        "Laplacian": scipy.ndimage.laplace(image),
    }.items():
        result = correlate2d(image, KERNELS[name])
        np.testing.assert_allclose(result, expected[1:-1, 1:-1], atol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        KERNELS["identity"][0, 0] = 1


grey, rgb, kernel, kernels = map(np.ones, [(5, 5), (5, 5, 3), (3, 3), (3, 3, 3, 2)])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: correlate2d(rgb, kernel), "shape of the image is (5, 5, 3)"),
        (lambda: correlate2d(grey, kernels), "shape of the kernel is (3, 3, 3, 2)"),
        (lambda: correlate2d([[1, 2], [3]], kernel), "give real numbers, in equal rows"),
        (lambda: correlate2d([["a"]], kernel), "image holds <U1"),
        (lambda: correlate2d(np.ones((0, 5)), kernel), "none of them 0"),
        (lambda: correlate2d(grey, np.ones((6, 2))), "window of 6 does not fit into a side of 5"),
        (lambda: correlate2d(grey, kernel, stride=0), "stride is 0"),
        (lambda: correlate2d(grey, kernel, stride=1.5), "stride is 1.5"),
        (lambda: correlate2d(grey, kernel, padding="full"), "padding is 'full'"),
        (lambda: correlate2d(grey, kernel, padding=-1), "padding is -1"),
        (lambda: conv2d(grey, kernels), "shape of the image is (5, 5)"),
        (lambda: conv2d(rgb, kernel), "shape of the kernels is (3, 3)"),
        (lambda: conv2d(np.ones((5, 5, 1)), kernels), "1 in the image, 3 in the kernels"),
        (lambda: max_pool(np.ones(5)), "shape of the array is (5,)"),
        (lambda: max_pool(grey, size=0), "is 0; give a whole number"),
        (lambda: max_pool(grey, stride=-1), "stride is -1"),
        (lambda: output_size(0, kernel=1), "image size is 0"),
        (lambda: output_size(5, kernel=True), "kernel is True"),
        (lambda: receptive_field([(3, 0)]), "stride is 0"),
    ],
)
def test_errors_are_one_sentence(call, words):
    with pytest.raises(LearnerError, match=re.escape(words)) as caught:
        call()
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    assert not re.search(r"\. [A-Z]", message), "more than one sentence"
