"""The kernel lab of lesson 1: nine numbers, and what they make of an image."""

from typing import Any

import numpy as np
import traitlets
from PIL import Image

from helpers import images
from helpers.convolution import KERNELS, correlate2d
from helpers.errors import LearnerError, one_of
from helpers.widgets.lab import SAMPLES, ImageLab, Message, rows_of_numbers

_LARGEST = 512  # pixels: a larger image is made smaller, so that every change is instant
_LIMIT = 100  # the numbers of a kernel lie between −100 and 100
_FIRST = "Sobel (vertical edges)"


class KernelLab(ImageLab):
    """Nine numbers that one can edit, and what they make of an image.

    Beside the numbers stand the image and the result: signed (zero in the middle of the colours,
    which end at a number that only 1 in 100 exceeds), or cut off at 0 and 255 in grey. Point at a
    pixel, or choose one with a click or the arrow keys, to see the nine products that it sums.

    Parameters
    ----------
    image : optional
        The name of one of the lab's images, or anything that `helpers.images.open_image` takes;
        by default ascent. Colours become grey, and an image of more than 512 pixels on a side
        smaller.

    Attributes
    ----------
    kernel : three lists of three numbers
        Can be given and set: to an array of shape (3, 3), or to the name of one of
        `helpers.convolution.KERNELS`.
    chosen : [row, column] or None
        The chosen pixel of the result; can be set.
    view : "signed" or "clipped"
    """

    module = "kernel_lab.js"
    title = "Kernel lab"
    still = "kernel_lab"
    still_alt = (
        "The kernel lab: the image of a staircase, a 3 by 3 kernel of editable numbers and its "
        "result in blue and red; below, the nine products for one pixel and their sum."
    )

    kernel = traitlets.Any().tag(sync=True)
    presets = traitlets.Dict({name: k.tolist() for name, k in KERNELS.items()}).tag(sync=True)
    chosen = traitlets.List(traitlets.Int(min=0), None, minlen=2, maxlen=2, allow_none=True)
    chosen.tag(sync=True)
    view = traitlets.Enum(["signed", "clipped"], "signed").tag(sync=True)

    def __init__(self, image: Any = None, **traits: Any) -> None:
        sources = {"ascent": images.ascent, "small cross": _small_cross, **SAMPLES}
        super().__init__(image, sources, **{"kernel": _FIRST} | traits)
        strength = np.abs(self.result)
        self.chosen = [int(i) for i in np.unravel_index(strength.argmax(), strength.shape)]

    @traitlets.validate("kernel")
    def _nine_numbers(self, proposal: dict) -> list[list[float]]:
        value = proposal["value"]
        if isinstance(value, str):
            value = KERNELS[one_of("kernel", value, KERNELS)]
        array = rows_of_numbers(value, limit=_LIMIT)
        if array.shape != (3, 3):
            raise LearnerError(
                f"A kernel here is three rows of three numbers between −{_LIMIT} and {_LIMIT}, "
                "for example [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]; the last one stays."
            )
        return array.tolist()

    @traitlets.validate("chosen")
    def _inside(self, proposal: dict) -> list[int] | None:
        place, last = proposal["value"], np.array(self.pixels().shape) - 3
        if place is not None and (np.array(place) > last).any():
            raise LearnerError(
                f"A pixel of this result is [row, column], from [0, 0] to {last.tolist()}, and "
                f"this is {place}; the last one stays chosen."
            )
        return place

    @property
    def result(self) -> np.ndarray:
        """What `helpers.convolution.correlate2d` makes of the image, (H − 2, W − 2) float."""
        return correlate2d(self.pixels(), self.kernel)

    def pixels(self, name: str | None = None) -> np.ndarray:
        """Return an image in grey, (H, W) uint8, by default the one that is shown."""
        return _grey(super().pixels(name))

    def message(self, image: np.ndarray, request: dict[str, Any]) -> Message:
        """Return the image in grey for the page, which computes the result."""
        grey = _grey(image)
        return {"shape": grey.shape}, [grey.tobytes()]

    def stored_requests(self) -> list[dict[str, Any]]:
        """Return the requests for the image that is shown and for the small cross."""
        names = dict.fromkeys([self.image, "small cross"])
        return [{"kind": "image", "name": name} for name in names]


def _small_cross() -> np.ndarray:
    """Return a bright cross on dark, (16, 16) uint8: a move by one pixel can be seen on it."""
    cross = np.full((16, 16), 30, np.uint8)
    cross[7, 4:11] = cross[4:11, 7] = 230
    return cross


def _grey(image: np.ndarray) -> np.ndarray:
    """Return an image as (H, W) uint8, at most 512 pixels on a side."""
    grey = Image.fromarray(image).convert("L")
    if max(grey.size) > _LARGEST:
        grey.thumbnail((_LARGEST, _LARGEST), Image.Resampling.LANCZOS)
    if min(grey.size) < 3:
        raise LearnerError(
            f"The image has {grey.height} by {grey.width} pixels, fewer than the 3 by 3 of the "
            "kernel: choose a larger one."
        )
    return np.asarray(grey)
