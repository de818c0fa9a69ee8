"""The pooling lab of lesson 2: maximum and average of a patch of numbers."""

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from helpers import convolution, images
from helpers.errors import LearnerError
from helpers.widgets.lab import Lab, Number

_LARGEST = 12  # rows or columns of a patch; also of the window, and its step
_MOST = 9999  # its numbers lie between −9999 and 9999


class PoolLab(Lab):
    """A patch of numbers that one can edit, its maxima and its averages side by side.

    Parameters
    ----------
    patch : array of shape (H, W), optional
        2 to 12 rows and columns of numbers; by default 6 by 6 of the vertical edges of ascent.
    size, stride : int
        The window's rows and columns, and its step, 1 to 12.

    Attributes
    ----------
    patch, size, stride
        As they are now; can be set. The patch is a list of rows.
    position : int
        The window that is explained, counted row by row from 0; can be set.
    """

    module = "pool_lab.js"
    title = "Pooling lab"
    still = "pool_lab"
    still_alt = (
        "The pooling lab: a patch of six by six numbers, and beside it the maximum and the "
        "average of every window of two by two."
    )

    patch = traitlets.Any().tag(sync=True)
    size = Number(1, _LARGEST, 2)
    stride = Number(1, _LARGEST, 2)
    position = Number(0, _LARGEST**2 - 1, 0)

    def __init__(self, patch: ArrayLike | None = None, *, size: int = 2, stride: int = 2) -> None:
        patch = _edges() if patch is None else patch
        super().__init__(patch=patch, size=size, stride=stride)

    @traitlets.validate("patch")
    def _numbers(self, proposal: dict) -> list[list[float]]:
        try:
            array = np.asarray(proposal["value"])
        except ValueError:  # rows of different lengths
            array = np.array(None)
        if array.dtype.kind not in "biuf":
            raise LearnerError(
                "A patch is rows of equally many numbers, and this one is not: "
                "give for example [[1, 2], [3, 4]]."
            )
        if array.ndim != 2 or not all(2 <= n <= _LARGEST for n in array.shape):
            raise LearnerError(
                f"A patch has 2 to {_LARGEST} rows and columns of numbers, and this one has the "
                f"shape {array.shape}: cut one out, for example edges[100:106, 50:56]."
            )
        if not (np.abs(array) <= _MOST).all():
            raise LearnerError(f"The numbers of a patch lie between −{_MOST} and {_MOST}.")
        return array.astype(float).tolist()


def _edges() -> np.ndarray:
    """Return the patch of edges that lesson 2 pools, and two more rows and columns, (6, 6)."""
    around = images.ascent()[424:432, 344:352]
    return convolution.correlate2d(around, convolution.KERNELS["Sobel (vertical edges)"])
