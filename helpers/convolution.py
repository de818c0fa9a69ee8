"""Cross-correlation, pooling and their arithmetic: NumPy, vectorised, always in floats.

Lesson 1 builds `correlate2d` by hand, lesson 2 the pooling and the sizes; later lessons use them
from here. As in every deep-learning library, *convolution* means cross-correlation: the kernel
is not flipped. An image is (rows, columns) or, channels last, (rows, columns, channels). An
argument that does not fit raises a `LearnerError`, one sentence. The tests compare every function
with SciPy and Keras.
"""

from collections import namedtuple
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from helpers.errors import LearnerError

Padding = Literal["valid", "same"] | int
ReceptiveField = namedtuple("ReceptiveField", ["size", "jump"])
_GREY, _COLOR = "(rows, columns)", "(rows, columns, channels)"

KERNELS: dict[str, NDArray[np.float64]] = {
    "identity": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], float),
    "Sobel (vertical edges)": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float),
    "Sobel (horizontal edges)": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], float),
    "Scharr (vertical edges)": np.array([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]], float),
    "Prewitt (vertical edges)": np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], float),
    "Laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], float),
    "box blur": np.full((3, 3), 1 / 9),
    "Gaussian blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], float) / 16,
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float),
    "emboss": np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], float),
}
"""Named 3 by 3 kernels; the article's is "Sobel (vertical edges)"."""
for _kernel in KERNELS.values():
    _kernel.setflags(write=False)


def correlate2d(
    image: ArrayLike, kernel: ArrayLike, *, stride: int = 1, padding: Padding = "valid"
) -> NDArray[np.floating]:
    """Slide a kernel over a grey image: at each place, the sum of the products.

    The image is (rows, columns), the kernel (kernel rows, kernel columns) and not flipped. The
    stride is the number of pixels from one window to the next. The padding is "valid" (no zeros
    around the image), "same" (as many as Keras puts there) or a number of zeros on every side. The
    result has the sizes that `output_size` says, in floats even for uint8: no value wraps around.
    """
    image, kernel = _floats("image", image, _GREY), _floats("kernel", kernel, _GREY)
    windows = _windows(image, kernel.shape, stride, padding)
    places = np.ndindex(kernel.shape)  # all windows at once, place by place: that is what is fast
    return sum(windows[..., i, j] * kernel[i, j] for i, j in places)


def conv2d(
    image: ArrayLike, kernels: ArrayLike, *, stride: int = 1, padding: Padding = "valid"
) -> NDArray[np.floating]:
    """Apply F filters to an image of C channels, as `keras.layers.Conv2D` does before its bias.

    Every filter holds one kernel per channel; their C results are summed. The kernels are (kernel
    rows, kernel columns, C, F), the result is (rows', columns', F) in floats, and the rest is as
    in `correlate2d`.
    """
    image = _floats("image", image, _COLOR)
    kernels = _floats("kernels", kernels, "(rows, columns, channels, filters)")
    height, width, channels, filters = kernels.shape
    if (given := image.shape[-1]) != channels:
        raise LearnerError(
            f"The channels differ: {given} in the image, {channels} in the kernels; give kernels "
            f"of shape ({height}, {width}, {given}, {filters})."
        )
    windows = _windows(image, (height, width), stride, padding)
    return np.tensordot(windows, np.moveaxis(kernels, 2, 0), axes=3)


def max_pool(x: ArrayLike, *, size: int = 2, stride: int | None = None) -> NDArray[np.floating]:
    """Keep the largest number of every window, as `keras.layers.MaxPooling2D` does.

    `x` is (rows, columns) or (rows, columns, C), and so is the result, in floats. `size` is the
    rows and columns of a window, `stride` the pixels from one to the next (`size` if not given).
    Rows and columns that no window reaches are left out.
    """
    return _pool_windows(x, size, stride).max(axis=(-2, -1))


def average_pool(x: ArrayLike, *, size: int = 2, stride: int | None = None) -> NDArray[np.floating]:
    """Take the mean of every window, as `keras.layers.AveragePooling2D` does; see `max_pool`."""
    return _pool_windows(x, size, stride).mean(axis=(-2, -1))


def output_size(n: int, *, kernel: int, stride: int = 1, padding: Padding = "valid") -> int:
    """Return how many windows fit along an axis of `n` pixels.

    valid: floor((n − kernel) / stride) + 1 · same: ceil(n / stride) · p zeros on both sides:
    floor((n + 2p − kernel) / stride) + 1. Lesson 2 derives it.
    """
    before, after = _pad_amounts(n, kernel, stride, padding)
    return (n + before + after - kernel) // stride + 1


def _pad_amounts(n: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Return how many zeros go before and after an axis of `n` pixels, so that a window fits.

    "same" adds what ceil(n / stride) windows need; an odd zero goes after, as in TensorFlow.
    """
    zeros = 0 if padding in ("valid", "same") else padding
    least = {"kernel": (kernel, 1), "stride": (stride, 1), "image size": (n, 1)}
    for name, (value, lowest) in (least | {"padding": (zeros, 0)}).items():
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or value < lowest:
            words = '"valid", "same" or ' if name == "padding" else ""
            raise LearnerError(
                f"The {name} is {value!r}; give {words}a whole number of at least {lowest}."
            )
    if padding == "same":
        missing = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        return missing // 2, missing - missing // 2
    if n + 2 * zeros < kernel:
        raise LearnerError(
            f"A window of {kernel} does not fit into a side of {n} with padding {padding!r}; "
            "take a smaller window, a larger image or more padding."
        )
    return zeros, zeros


def receptive_field(layers: Sequence[tuple[int, int]]) -> ReceptiveField:
    """Return the receptive field behind layers given as (kernel, stride), first layer first.

    Its size says how many rows (and columns) one number sees, its jump how far its neighbour's
    field lies, both in pixels. A layer of kernel k and stride s grows the size by (k − 1) · jump,
    then multiplies the jump by s. No layers: one pixel sees itself. Source: Dumoulin and Visin,
    "A guide to convolution arithmetic for deep learning" (2016); lesson 2 grows it by layers.
    """
    size, jump = 1, 1
    for kernel, stride in layers:
        _pad_amounts(kernel, kernel, stride, "valid")  # refuses what is not a whole number
        size, jump = size + (kernel - 1) * jump, jump * stride
    return ReceptiveField(size, jump)


def window_spans(
    spans: NDArray, *, kernel: int, stride: int = 1, dilation: int = 1, padding: Padding = "valid"
) -> NDArray[np.integer]:
    """Return which pixels each window sees along one axis, given what each position there sees.

    Spans are (n, 2) int arrays, given and returned: the first pixel and one past the last that a
    position sees, (0, 0) if none; the pixels themselves are [[0, 1], [1, 2], ...]. A window sees
    the smallest interval that holds the spans which it covers. Its places are `dilation` positions
    apart, and what is padded sees nothing; the rest is as in `correlate2d`. The border and the
    padding are in the result, which `receptive_field` leaves out.
    """
    reach = (kernel - 1) * dilation + 1
    padded = np.pad(spans, [_pad_amounts(len(spans), reach, stride, padding), (0, 0)])
    windows = sliding_window_view(padded, reach, axis=0)[::stride, :, ::dilation]
    return joined_spans(windows.swapaxes(1, 2))


def joined_spans(spans: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the smallest interval that holds k of `window_spans`: (..., k, 2) to (..., 2)."""
    first, last = np.moveaxis(spans, -1, 0)
    end = last.max(axis=-1)
    begin = np.where(last > 0, first, end[..., None]).min(axis=-1)
    return np.stack([begin, end], axis=-1)


def _windows(x: NDArray, size: tuple[int, int], stride: int, padding: Padding) -> NDArray:
    """Return all windows, (..., kernel rows, kernel columns), as a view of the padded image."""
    widths = [_pad_amounts(n, k, stride, padding) for n, k in zip(x.shape, size, strict=False)]
    padded = np.pad(x, widths + [(0, 0)] * (x.ndim - 2))
    return sliding_window_view(padded, size, (0, 1))[::stride, ::stride]


def _pool_windows(x: ArrayLike, size: int, stride: int | None) -> NDArray:
    x = _floats("array", x, _GREY, _COLOR)
    return _windows(x, (size, size), size if stride is None else stride, "valid")


def _floats(name: str, value: ArrayLike, *shapes: str) -> NDArray[np.floating]:
    """Return an array in floats (float32 stays) of one of the shapes, or say why not."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows that differ in length
        array = np.asarray(value, object)
    if array.dtype.kind not in "buif":
        raise LearnerError(f"The {name} holds {array.dtype}; give real numbers, in equal rows.")
    if 0 in array.shape or array.ndim not in [shape.count(",") + 1 for shape in shapes]:
        raise LearnerError(
            f"The shape of the {name} is {array.shape}; give {' or '.join(shapes)}, none of them 0."
        )
    wide = np.float64 if array.dtype.kind != "f" else np.result_type(array, np.float32)
    return array.astype(wide, copy=False)
