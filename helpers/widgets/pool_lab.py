"""The pooling lab of lesson 2: maximum and average of a patch of numbers."""

from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from helpers import convolution, images
from helpers.errors import LearnerError
from helpers.widgets.lab import Lab, Number, rows_of_numbers

_LARGEST = 12  # rows or columns of a patch; also of the window, and its step
_MOST = 9999  # its numbers lie between −9999 and 9999


class PoolLab(Lab):
    """A patch of numbers that one can edit, its maxima and its averages side by side.

    Parameters
    ----------
    patch : array of shape (H, W), optional
        2 to 12 rows and columns of numbers; by default 6 by 6 of the vertical edges of ascent.

    Attributes
    ----------
    patch : list of rows
    size, stride : int
        The window's rows and columns, and its step, 1 to 12.
    position : int
        The window that is explained, counted row by row from 0. All can be given, and set.
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

    def __init__(self, patch: ArrayLike | None = None, **traits: Any) -> None:
        super().__init__(patch=_edges() if patch is None else patch, **traits)

    @traitlets.validate("patch")
    def _numbers(self, proposal: dict) -> list[list[float]]:
        array = rows_of_numbers(proposal["value"], limit=_MOST)
        if array.ndim != 2 or not all(2 <= n <= _LARGEST for n in array.shape):
            raise LearnerError(
                f"A patch has 2 to {_LARGEST} rows, each of 2 to {_LARGEST} numbers between "
                f"−{_MOST} and {_MOST}, and this has not (its shape is "
                f"{np.shape(np.array(proposal['value'], object))}): cut one out, for example "
                "edges[100:106, 50:56]."
            )
        return array.tolist()


def _edges() -> np.ndarray:
    """Return the patch of edges that lesson 2 pools, and two more rows and columns, (6, 6)."""
    around = images.ascent()[424:432, 344:352]
    return convolution.correlate2d(around, convolution.KERNELS["Sobel (vertical edges)"])
