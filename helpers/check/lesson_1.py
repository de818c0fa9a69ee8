"""The exercises of lesson 1, Detect edges."""

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.check.exercise import Exercise, Mistake
from helpers.convolution import conv2d, correlate2d


def _pictures_and_kernels(rng: np.random.Generator) -> list[tuple]:
    shapes = [((7, 9), (3, 3)), ((6, 6), (3, 3)), ((6, 8), (2, 4)), ((9, 5), (5, 1))]
    whole = [
        (rng.integers(0, 256, picture, dtype=np.uint8), rng.integers(-9, 10, kernel))
        for picture, kernel in shapes
    ]
    return [*whole, (rng.normal(size=(5, 8)), rng.normal(size=(3, 2)))]


def _last_row_and_column_missed(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    result = correlate2d(picture, kernel)
    result[-1] = result[:, -1] = 0
    return result


correlate = Exercise(
    name="correlate",
    right=correlate2d,
    cases=_pictures_and_kernels,
    mistakes=(
        Mistake(
            lambda picture, kernel: correlate2d(picture, kernel[::-1, ::-1]),
            "The kernel is flipped: that is convolution as mathematicians write it. Lay the "
            "kernel over the picture as it stands.",
        ),
        Mistake(
            lambda picture, kernel: correlate2d(picture, kernel.T),
            "Rows and columns of the kernel are exchanged: it is used transposed.",
        ),
        Mistake(
            lambda picture, kernel: correlate2d(picture, kernel[::-1]),
            "The rows of the kernel are upside down.",
        ),
        Mistake(
            lambda picture, kernel: correlate2d(picture, kernel[:, ::-1]),
            "The columns of the kernel are mirrored.",
        ),
        Mistake(
            lambda picture, kernel: correlate2d(picture, kernel, padding="same"),
            "The result is as large as the picture, as with zeros around it; here only places "
            "where the whole kernel lies on the picture count.",
        ),
        Mistake(
            lambda picture, kernel: correlate2d(picture, kernel)[:-1, :-1],
            "Off by one: the last row and the last column of places are missing. On how many "
            "places does a kernel of 3 fit into 5 pixels? Count on paper.",
        ),
        Mistake(
            _last_row_and_column_missed,
            "Off by one: the last row and the last column stay 0. Where does the loop end?",
        ),
        Mistake(
            lambda picture, kernel: correlate2d(picture, kernel) / kernel.size,
            "That is the mean of the products; their sum is wanted.",
        ),
        Mistake(
            lambda picture, kernel: correlate2d(picture, np.ones_like(kernel)),
            "The window's pixels are summed without the kernel: multiply first.",
        ),
    ),
    hints=(
        "Begin with the loop of this lesson, and find every 3 and every 2 in it: what do they "
        "become for a kernel of another size?",
        "kernel.shape tells its rows and columns. The number of places down is the picture's rows "
        "less the kernel's rows, and one more.",
    ),
    praise="Your loop now takes a kernel of any size.",
)


def _as_kernel(answer: Any) -> Callable:
    try:
        kernel = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("A kernel of 3 by 3 numbers is wanted.") from None
    if kernel.shape != (3, 3):
        raise ValueError(
            f"A kernel of 3 by 3 numbers is wanted, and this has the shape {kernel.shape}."
        )
    return lambda picture: correlate2d(picture, kernel, padding="same")


def _moved(rows: int, columns: int) -> Callable:
    """Return a function that moves a picture down and right, zeros coming in."""

    def move(picture: np.ndarray) -> np.ndarray:
        padded = np.pad(picture.astype(float), 1)
        height, width = picture.shape
        return padded[1 - rows :, 1 - columns :][:height, :width]

    return move


def _right_moved(picture: np.ndarray) -> np.ndarray:
    return _moved(0, 1)(picture)


move_right = Exercise(
    name="move_right",
    right=_right_moved,
    cases=lambda rng: [(rng.integers(1, 256, (6, 8), dtype=np.uint8),) for _ in range(3)],
    use=_as_kernel,
    mistakes=(
        Mistake(
            _moved(0, -1),
            "It moves the picture to the left: the kernel is not flipped, so ask which neighbour "
            "each pixel of the result has to copy.",
        ),
        Mistake(_moved(0, 0), "It leaves the picture where it is."),
        Mistake(_moved(1, 0), "It moves the picture down: rows and columns are exchanged."),
        Mistake(_moved(-1, 0), "It moves the picture up: rows and columns are exchanged."),
        Mistake(lambda picture: 0 * picture, "It turns everything to 0: one number must not be 0."),
    ),
    hints=(
        "Nine products are summed, and only one of the nine pixels is wanted: what do the other "
        "eight numbers of the kernel have to be?",
        "After a move to the right, a pixel of the result shows what stood one column before it. "
        "Where in the window is that pixel?",
    ),
    praise="A kernel can move a picture, and which way it goes shows that nothing is flipped.",
)


def _color_cases(rng: np.random.Generator) -> list[tuple]:
    return [
        (rng.integers(0, 256, (*size, 3), dtype=np.uint8), rng.integers(-4, 5, (3, 3, 3)))
        for size in ((6, 8), (9, 5), (5, 5))
    ]


def _per_channel(picture: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Return the three correlations, (rows, columns, 3), not summed."""
    pairs = zip(np.moveaxis(picture, -1, 0), np.moveaxis(kernels, -1, 0), strict=True)
    return np.stack([correlate2d(channel, kernel) for channel, kernel in pairs], axis=-1)


def _color_right(picture: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    return conv2d(picture, kernels[..., None])[..., 0]


correlate_color = Exercise(
    name="correlate_color",
    right=_color_right,
    cases=_color_cases,
    mistakes=(
        Mistake(
            _per_channel,
            "Three pictures come back, one per channel: one filter makes one picture of the three.",
        ),
        Mistake(
            lambda picture, kernels: _color_right(picture, kernels) / 3,
            "The three results are averaged; a convolution layer sums them.",
        ),
        Mistake(
            lambda picture, kernels: _per_channel(picture, kernels).max(axis=-1),
            "The largest of the three results is kept; a convolution layer sums them.",
        ),
        *(
            Mistake(
                lambda picture, kernels, c=c: _per_channel(picture, kernels)[..., c],
                f"Only the {name} channel is used: all three have a say.",
            )
            for c, name in enumerate(("red", "green", "blue"))
        ),
        Mistake(
            lambda picture, kernels: _color_right(picture, kernels[..., :1].repeat(3, axis=-1)),
            "All channels get the first channel's kernel: each has one of its own.",
        ),
        Mistake(
            lambda picture, kernels: _color_right(picture, np.moveaxis(kernels, 0, -1)),
            "kernels[c] is row c of all kernels: the channels stand on the last axis.",
        ),
        Mistake(
            lambda picture, kernels: _color_right(picture, kernels[..., ::-1]),
            "The channels are in the wrong order: red belongs to red.",
        ),
        Mistake(
            lambda picture, kernels: _color_right(picture, kernels[::-1, ::-1]),
            "The kernels are flipped: lay them over the picture as they stand.",
        ),
        Mistake(
            lambda picture, kernels: _color_right(picture, kernels.transpose(1, 0, 2)),
            "Rows and columns of the kernels are exchanged: they are used transposed.",
        ),
    ),
    hints=(
        "picture[..., 0] is the red channel, a grey picture of its own. What do you do with one "
        "channel and one kernel?",
        "correlate2d gives one array per channel, all of the same shape: put the three together "
        "so that one array is left.",
    ),
    praise="This is what one filter of a convolution layer does to a colour picture.",
)
