"""Cross-correlation, pooling and their arithmetic: NumPy, vectorised, always in floats.

Lesson 1 builds `correlate2d` by hand, lesson 2 the pooling and the sizes; later lessons use them
from here. As in every deep-learning library, *convolution* means cross-correlation: the kernel
is not flipped. Pictures are channels-last: (rows, columns), (rows, columns, channels) or
(pictures, rows, columns, channels). The tests compare every function with SciPy and Keras.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

Padding = Literal["valid", "same"] | int
SHAPES = {
    2: "(rows, columns)",
    3: "(rows, columns, channels)",
    4: "(pictures, rows, columns, channels)",
}

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
    picture: ArrayLike, kernel: ArrayLike, *, stride: int = 1, padding: Padding = "valid"
) -> NDArray[np.floating]:
    """Slide a kernel over a grey picture: at each place, the sum of the products.

    Parameters
    ----------
    picture : (rows, columns) array
    kernel : (kernel rows, kernel columns) array, not flipped
    stride : int
        Pixels from one window to the next.
    padding : "valid", "same" or int
        No zeros around the picture; as many as Keras puts there; or this many on every side.

    Returns
    -------
    (rows', columns') float array
        Sizes as `output_size` says; float even for uint8, so no value wraps around.

    Raises
    ------
    ValueError
        If a shape, the stride or the padding does not fit.
    """
    picture = _numbers("picture", picture, (2,))
    kernel = _numbers("kernel", kernel, (2,))
    dtype = _float_type(picture, kernel)
    padded = _pad(picture.astype(dtype, copy=False), kernel.shape, stride, padding, axes=(0, 1))
    kernel = kernel.astype(dtype, copy=False)
    views = _shifted(padded, kernel.shape, stride)
    first, weight = next(views), kernel.flat[0]
    total = first * weight
    product = np.empty_like(total)
    for view, weight in zip(views, kernel.flat[1:], strict=True):
        np.multiply(view, weight, out=product)
        total += product
    return total


def conv2d(
    pictures: ArrayLike,
    kernels: ArrayLike,
    *,
    bias: ArrayLike | None = None,
    stride: int = 1,
    padding: Padding = "valid",
) -> NDArray[np.floating]:
    """Apply F filters to pictures of C channels, as `keras.layers.Conv2D` does.

    Every filter holds one kernel per channel; the C results and the filter's bias are summed.

    Parameters
    ----------
    pictures : (N, rows, columns, C) or (rows, columns, C) array
    kernels : (kernel rows, kernel columns, C, F) array
    bias : (F,) array, optional
    stride, padding
        As in `correlate2d`.

    Returns
    -------
    (N, rows', columns', F) or (rows', columns', F) float array

    Raises
    ------
    ValueError
        If a shape, the stride or the padding does not fit.
    """
    pictures = _numbers("pictures", pictures, (3, 4))
    kernels = _numbers("kernels", kernels, (4,), {4: "(rows, columns, channels, filters)"})
    *size, channels, filters = kernels.shape
    if pictures.shape[-1] != channels:
        raise ValueError(
            f"The pictures have {_count(pictures.shape[-1], 'channel')} and the kernels "
            f"{channels}; give kernels of shape ({size[0]}, {size[1]}, {pictures.shape[-1]}, "
            f"{filters})."
        )
    bias = np.zeros(filters) if bias is None else _numbers("bias", bias, (1,), {1: "(filters,)"})
    if bias.shape != (filters,):
        raise ValueError(
            f"The bias has the shape {bias.shape}; give one number per filter: ({filters},)."
        )
    dtype = _float_type(pictures, kernels)
    batch = (pictures if pictures.ndim == 4 else pictures[None]).astype(dtype, copy=False)
    batch = _pad(batch, tuple(size), stride, padding, axes=(1, 2))
    windows = sliding_window_view(batch, tuple(size), axis=(1, 2))[:, ::stride, ::stride]
    windows = np.moveaxis(windows, 3, -1)  # (N, rows', columns', kernel rows, kernel columns, C)
    table = kernels.reshape(-1, filters).astype(dtype, copy=False)
    result = np.empty((*windows.shape[:3], filters), dtype)
    # A picture at a time fits in the cache; a row at a time stays below the size at which BLAS
    # starts threads, which wait for each other on a busy machine (five times slower there).
    for rows, one in zip(windows, result, strict=True):
        np.matmul(rows.reshape(*one.shape[:2], -1), table, out=one)
    result += bias.astype(dtype, copy=False)
    return result if pictures.ndim == 4 else result[0]


def max_pool(
    x: ArrayLike, *, size: int = 2, stride: int | None = None, padding: Padding = "valid"
) -> NDArray[np.floating]:
    """Keep the largest number of every window, as `keras.layers.MaxPooling2D` does.

    Parameters
    ----------
    x : (rows, columns), (rows, columns, C) or (N, rows, columns, C) array
    size : int
        Rows and columns of a window.
    stride : int, optional
        Pixels from one window to the next; `size` if not given.
    padding : "valid", "same" or int
        As in `correlate2d`; a padded place never wins.

    Returns
    -------
    float array of as many dimensions as `x`

    Raises
    ------
    ValueError
        If a shape, the size, the stride or the padding does not fit.
    """
    x, stride, axes = _pool_input(x, size, stride, padding)
    padded = _pad(x, (size, size), stride, padding, axes=axes, fill=-np.inf)
    views = _shifted(padded, (size, size), stride, axis=axes[0])
    largest = next(views).copy()
    for view in views:
        np.maximum(largest, view, out=largest)
    return largest


def average_pool(
    x: ArrayLike, *, size: int = 2, stride: int | None = None, padding: Padding = "valid"
) -> NDArray[np.floating]:
    """Take the mean of every window, as `keras.layers.AveragePooling2D` does.

    Padded places do not count: a window over the border averages the pixels that it does cover.
    Parameters, result and errors are those of `max_pool`.
    """
    x, stride, axes = _pool_input(x, size, stride, padding)
    total = _window_sum(_pad(x, (size, size), stride, padding, axes=axes), size, stride, axes[0])
    ones = np.ones([n if axis in axes else 1 for axis, n in enumerate(x.shape)], x.dtype)
    covered = _pad(ones, (size, size), stride, padding, axes=axes)
    return total / _window_sum(covered, size, stride, axes[0])


def output_size(n: int, *, kernel: int, stride: int = 1, padding: Padding = "valid") -> int:
    """Return how many windows fit along an axis of `n` pixels.

    valid: floor((n − kernel) / stride) + 1 · same: ceil(n / stride) · p zeros on both sides:
    floor((n + 2p − kernel) / stride) + 1. Lesson 2 derives it.

    Raises
    ------
    ValueError
        If not even one window fits, or an argument is not a whole number in its range.
    """
    before, after = pad_amounts(n, kernel=kernel, stride=stride, padding=padding)
    if n + before + after < kernel:
        raise ValueError(
            f"A window of {kernel} does not fit into {_count(n, 'pixel')} with padding "
            f"{padding!r}; take a smaller window, a larger picture or more padding."
        )
    return (n + before + after - kernel) // stride + 1


def pad_amounts(
    n: int, *, kernel: int, stride: int = 1, padding: Padding = "valid"
) -> tuple[int, int]:
    """Return how many zeros go before and after an axis of `n` pixels.

    "same" adds what ceil(n / stride) windows need; an odd zero goes after, as in TensorFlow.

    Raises
    ------
    ValueError
        If an argument is not a whole number in its range.
    """
    for name, value in {"picture size": n, "kernel": kernel, "stride": stride}.items():
        if not _is_whole(value) or value < 1:
            raise ValueError(f"The {name} is {value!r}; give a whole number of at least 1.")
    if padding == "valid":
        return 0, 0
    if padding == "same":
        missing = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        return missing // 2, missing - missing // 2
    if not _is_whole(padding) or padding < 0:
        raise ValueError(
            f'The padding is {padding!r}; give "valid", "same" or a whole number of zeros.'
        )
    return int(padding), int(padding)


class ReceptiveField(NamedTuple):
    """What one number of an output sees of the picture, in pixels."""

    size: int
    """Rows (and columns) of the picture that reach the number."""
    jump: int
    """Pixels of the picture from one number to its neighbour."""


def receptive_field(layers: Sequence[tuple[int, int]]) -> ReceptiveField:
    """Return the receptive field behind layers given as (kernel, stride), first layer first.

    A layer of kernel k and stride s grows the size by (k − 1) · jump, then multiplies the jump
    by s. No layers: one pixel sees itself. Source: Dumoulin and Visin, "A guide to convolution
    arithmetic for deep learning" (2016) for the sizes; lesson 2 grows it layer by layer.

    Raises
    ------
    ValueError
        If a kernel or a stride is not a whole number of at least 1.
    """
    size, jump = 1, 1
    for kernel, stride in layers:
        pad_amounts(1, kernel=kernel, stride=stride)  # refuses what is not a whole number
        size, jump = size + (kernel - 1) * jump, jump * stride
    return ReceptiveField(size, jump)


def _pool_input(
    x: ArrayLike, size: int, stride: int | None, padding: Padding
) -> tuple[NDArray, int, tuple]:
    """Return floats, the stride in use and the axes of rows and columns."""
    x = _numbers("array", x, (2, 3, 4))
    axes = (1, 2) if x.ndim == 4 else (0, 1)
    if _is_whole(padding) and _is_whole(size) and padding >= size > 0:
        raise ValueError(
            f"With padding {padding}, a pooling window of {size} could miss the picture; give a "
            "padding smaller than the window."
        )
    return x.astype(_float_type(x), copy=False), size if stride is None else stride, axes


def _pad(
    x: NDArray, size: tuple, stride: int, padding: Padding, *, axes: tuple, fill: float = 0.0
) -> NDArray:
    """Put `fill` around two axes of an array, and refuse windows that do not fit."""
    widths = [(0, 0)] * x.ndim
    for axis, kernel in zip(axes, size, strict=True):
        output_size(x.shape[axis], kernel=kernel, stride=stride, padding=padding)
        widths[axis] = pad_amounts(x.shape[axis], kernel=kernel, stride=stride, padding=padding)
    return np.pad(x, widths, constant_values=fill) if np.any(widths) else x


def _shifted(x: NDArray, size: tuple, stride: int, axis: int = 0) -> Iterator[NDArray]:
    """Yield, for each place in the window, the pixels that all windows have there (views)."""
    rows, columns = (
        n - k + 1 for n, k in zip(x.shape[axis : axis + 2], size, strict=True)
    )  # windows start at 0, stride, 2 stride, ... below these
    for i, j in np.ndindex(*size):
        window = (slice(i, i + rows, stride), slice(j, j + columns, stride))
        yield x[(slice(None),) * axis + window]


def _window_sum(x: NDArray, size: int, stride: int, axis: int) -> NDArray:
    views = _shifted(x, (size, size), stride, axis=axis)
    total = next(views).copy()
    for view in views:
        total += view
    return total


def _float_type(*arrays: NDArray) -> np.dtype:
    """Return the float type that holds all arrays: float32 stays, integers become float64."""
    floats = [a.dtype for a in arrays if a.dtype.kind == "f"]
    return np.result_type(np.float32, *floats) if floats else np.dtype(np.float64)


def _numbers(
    name: str, value: ArrayLike, dimensions: tuple, shapes: dict[int, str] | None = None
) -> NDArray:
    """Return an array of numbers with one of the wanted numbers of dimensions, or say why not."""
    wanted = " or ".join((shapes or SHAPES)[n] for n in dimensions)
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise ValueError(f"The {name} is no regular array; give one of shape {wanted}.") from None
    if array.dtype.kind not in "buif":
        raise ValueError(f"The {name} holds {array.dtype}; give an array of real numbers.")
    if array.ndim not in dimensions or 0 in array.shape:
        raise ValueError(
            f"The shape of the {name} is {array.shape}; give {wanted}, none of them 0."
        )
    return array


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
