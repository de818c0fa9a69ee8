"""The pooling lab of lesson 2: maximum and average of a patch of numbers."""

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from helpers.convolution import average_pool, max_pool
from helpers.widgets.lab import Lab
from helpers.widgets.modules import module_source, style_source

_LARGEST = 12  # rows or columns of a patch
_PATCH = (
    (12, 20, 30, 0, 4, 2),
    (8, 12, 2, 0, 1, 3),
    (34, 70, 37, 4, 9, 5),
    (112, 100, 25, 12, 6, 8),
    (5, 3, 0, 90, 88, 7),
    (1, 2, 6, 95, 60, 11),
)


class PoolView(anywidget.AnyWidget):
    """What the page shows of a `PoolLab`; everything is computed there."""

    _esm = module_source("pool_lab.js")
    _css = style_source("picture.css", "labs.css")

    patch = traitlets.List().tag(sync=True)
    size = traitlets.Int(2, min=1).tag(sync=True)
    stride = traitlets.Int(2, min=1).tag(sync=True)


class PoolLab(Lab):
    """A patch of numbers that one can edit, its maxima and its averages side by side.

    Parameters
    ----------
    patch : array of shape (H, W)
        2 to 12 rows and columns of numbers.
    size, stride : int
        The window's rows and columns, and its step.

    Attributes
    ----------
    patch : (H, W) array
        The numbers as they are now.
    maximum, average : arrays
        What `helpers.convolution.max_pool` and `average_pool` make of them.
    """

    title = "Pooling lab"
    still = "pool_lab"
    still_alt = (
        "The pooling lab: a patch of six by six numbers, and beside it the maximum and the "
        "average of every window of two by two."
    )

    def __init__(self, patch: ArrayLike = _PATCH, *, size: int = 2, stride: int = 2) -> None:
        numbers = _numbers(patch)
        if numbers.ndim != 2 or not all(2 <= n <= _LARGEST for n in numbers.shape):
            raise ValueError(
                f"A patch has 2 to {_LARGEST} rows and columns of numbers, and this one has the "
                f"shape {numbers.shape}; cut one out, for example edges[100:106, 50:56]."
            )
        if not (np.abs(numbers) < 10_000).all():
            raise ValueError("The numbers of a patch lie between −9999 and 9999.")
        top = min(numbers.shape)
        for name, value in {"size": size, "stride": stride}.items():
            if not isinstance(value, int | np.integer) or not 1 <= value <= top:
                raise ValueError(
                    f"The {name} is {value!r}; for this patch, give a whole number from 1 to {top}."
                )
        self.view = PoolView(patch=numbers.tolist(), size=int(size), stride=int(stride))
        super().__init__([self.view])

    @property
    def patch(self) -> np.ndarray:
        """The numbers as they are now, (H, W)."""
        return np.array(self.view.patch)

    @property
    def maximum(self) -> np.ndarray:
        """The largest number of every window."""
        return max_pool(self.patch, size=self.view.size, stride=self.view.stride)

    @property
    def average(self) -> np.ndarray:
        """The mean of every window."""
        return average_pool(self.patch, size=self.view.size, stride=self.view.stride)


def _numbers(patch: ArrayLike) -> np.ndarray:
    try:
        array = np.asarray(patch)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            "A patch is rows of equally many numbers, and this one is not; "
            "give for example [[1, 2], [3, 4]]."
        )
    return array.astype(float)
