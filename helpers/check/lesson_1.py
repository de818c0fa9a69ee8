"""The exercises of lesson 1, Detect edges."""

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.check.exercise import Answers, exercise
from helpers.convolution import conv2d, correlate2d
from helpers.errors import LearnerError


def _images_and_kernels(rng: np.random.Generator) -> list[tuple]:
    shapes = [((7, 9), (3, 3)), ((6, 6), (3, 3)), ((6, 8), (2, 4)), ((9, 5), (5, 1))]
    cases = [(rng.integers(0, 256, a, np.uint8), rng.integers(-9, 10, b)) for a, b in shapes]
    return [*cases, (rng.normal(size=(5, 8)), rng.normal(size=(3, 2)))]


def _filtered(image: np.ndarray, kernels: np.ndarray, **options: str) -> np.ndarray:
    return conv2d(image, kernels[..., None], **options)[..., 0]


def _misused(image: np.ndarray, kernel: np.ndarray, correlated: Callable) -> dict[str, np.ndarray]:
    """Return what comes of a kernel that is turned, or laid on beyond the borders."""
    turned = {
        "The kernel is flipped, as in mathematics: lay it on as it stands.": kernel[::-1, ::-1],
        "The kernel is transposed: its rows and columns are exchanged.": kernel.swapaxes(0, 1),
        "The rows of the kernel are upside down.": kernel[::-1],
        "The columns of the kernel are mirrored.": kernel[:, ::-1],
    }
    return {hint: correlated(image, wrong) for hint, wrong in turned.items()} | {
        "The result is as large as the image, as with zeros around it; here only places where the "
        "whole kernel lies on the image count.": correlated(image, kernel, padding="same")
    }


@exercise(_images_and_kernels)
def correlate(image: np.ndarray, kernel: np.ndarray) -> Answers:
    """Correlate an image with a kernel of any size.

    Hint: Find every 3 and every 2 in this lesson's loop: what do they become for another size?
    Hint: kernel.shape tells its rows and columns. The number of places down is the image's rows
    less the kernel's rows, and one more.
    Right: Your loop now takes a kernel of any size.
    """
    right = correlate2d(image, kernel)
    rows, columns = kernel.shape
    enlarged = np.pad(right, ((0, rows - 1), (0, columns - 1)))
    inside = np.pad(right[:-1, :-1], ((0, 1), (0, 1)))
    last_product = kernel[-1, -1] * image[rows - 1 :, columns - 1 :].astype(float)
    return right, _misused(image, kernel, correlate2d) | {
        "The last rows and columns stay 0: on how many places does the kernel fit?": enlarged,
        "The last row and column are missing: how often does a 3 fit into 5?": right[:-1, :-1],
        "Off by one: the last row and column stay 0. Where does the loop end?": inside,
        "That is the mean of the products; their sum is wanted.": right / kernel.size,
        "The pixels are summed as they are: multiply first.": correlate2d(image, kernel**0),
        "Only the last product is left: add each to those before it.": last_product,
    }


@exercise()
def move_right(kernel: Any) -> dict[str, bool]:
    """Find the kernel that moves an image one pixel to the right.

    Hint: Only one of the nine pixels is wanted: what must the other eight numbers be?
    Hint: After a move to the right, a pixel of the result shows what stood one column before it.
    Where in the window is that pixel?
    Right: A kernel can move an image, and which way it goes shows that nothing is flipped.
    """
    try:
        kernel = np.asarray(kernel, dtype=float)
    except Exception:
        raise LearnerError("A kernel of 3 by 3 numbers is wanted.") from None
    if kernel.shape != (3, 3):
        raise LearnerError(f"A kernel of 3 by 3 numbers is wanted, not of shape {kernel.shape}.")
    (_, up, _), (right, stays, left), (_, down, _) = np.eye(9).reshape(3, 3, 3, 3)
    faults = {
        "It moves the image to the left: no kernel is flipped. Which pixel is to be copied?": left,
        "It leaves the image where it is.": stays,
        "It moves the image down: rows and columns are exchanged.": up,
        "It moves the image up: rows and columns are exchanged.": down,
        "It turns everything to 0: one number must not be 0.": np.zeros((3, 3)),
        "Every number has the wrong sign.": -right,
    }
    corner = np.count_nonzero(kernel) == 1 and kernel[::2, ::2].any()
    return {hint: np.array_equal(kernel, wrong) for hint, wrong in faults.items()} | {
        "It moves the image up or down, too: the 1 stands in a corner.": corner,
        "Each pixel of the result is to be a copy of one pixel: one 1, and zeros.": (
            kernel != right
        ).any(),
    }


@exercise(
    lambda rng: [
        (rng.integers(0, 256, (*size, 3), dtype=np.uint8), rng.integers(-4, 5, (3, 3, 3)))
        for size in ((6, 8), (9, 5), (5, 5))
    ]
)
def correlate_color(image: np.ndarray, kernels: np.ndarray) -> Answers:
    """Correlate each of the three channels with its kernel, and sum.

    Hint: image[..., 0] is the red channel, a grey image. What do you do with it and one kernel?
    Hint: correlate2d gives one array per channel, all of one shape: make one array of the three.
    Right: This is what one filter of a convolution layer does to a colour image.
    """
    red, green, blue = maps = [correlate2d(image[..., c], kernels[..., c]) for c in range(3)]
    red_alone, backwards = kernels[..., [0, 0, 0]], kernels[..., ::-1]
    row_kernels = _filtered(image, np.moveaxis(kernels, 0, -1))
    of_rows = sum(correlate2d(image[c], kernels[c]) for c in range(3))
    grey = correlate2d(image.sum(axis=-1), kernels.sum(axis=-1))
    return _filtered(image, kernels), _misused(image, kernels, _filtered) | {
        "Three arrays come back, one per channel: a filter gives one map.": np.stack(maps),
        "Three arrays come back, stacked last: a filter gives one map.": np.stack(maps, axis=-1),
        "np.sum without an axis adds up all numbers: add the three arrays.": np.sum(maps),
        "The three results are averaged; a convolution layer sums them.": sum(maps) / 3,
        "The largest of the three is kept; a convolution layer sums them.": np.max(maps, axis=0),
        "Only red counts: all channels have a say. Does `return` stand inside the loop?": red,
        "Only the green channel is used: all three have a say.": green,
        "Only blue counts: all channels have a say. Does each round replace what was there?": blue,
        "All channels get red's kernel: each has its own.": _filtered(image, red_alone),
        "The channels are summed before the kernels are laid on: each has its own.": grey,
        "Channels and kernels are averaged first: lay each kernel on its channel.": grey / 9,
        "kernels[c] is row c of all kernels: the channels stand on the last axis.": row_kernels,
        "image[c] is row c of the image: the channels stand on the last axis.": of_rows,
        "The channels are in the wrong order.": _filtered(image, backwards),
    }
