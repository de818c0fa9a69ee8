"""The stride lab of lesson 2: a window walks over an image."""

from typing import Any

import numpy as np
import traitlets
from PIL import Image, ImageDraw

from helpers.convolution import Padding
from helpers.errors import number
from helpers.widgets.lab import Lab, Message, Number

_LARGEST = 256  # rows and columns of the image; also of the window, and its step
_MOST_ZEROS = 5  # on every side


class StrideLab(Lab):
    """A window that walks over an image as a slider moves, or as one drags it.

    Rows and columns that no window reaches are hatched; beside the image stands the output, the
    mean of what each window sees, and the formula of its size.

    Attributes
    ----------
    size : int
        The image has this many rows and columns, 1 to 256. It is a drawing of a cat's face.
    kernel, stride : int
        The window's rows and columns, and its step, 1 to 256.
    padding : "valid", "same", or an int from 0 to 5
        Zeros around the image, as in `helpers.convolution.output_size`.
    position : int
        The window that is shown, counted row by row from 0. All can be given, and set.
    """

    module = "stride_lab.js"
    title = "Stride lab"
    still = "stride_lab"
    still_alt = (
        "The stride lab: sliders for image size, window, stride and padding; a window on the "
        "image of a cat's face with few pixels, whose last row and column no window reaches, and "
        "the output."
    )

    size = Number(1, _LARGEST, 12)
    kernel = Number(1, _LARGEST, 3)
    stride = Number(1, _LARGEST, 2)
    padding = traitlets.Any("valid").tag(sync=True)
    position = Number(0, _LARGEST**2 - 1, 0)

    @traitlets.validate("padding")
    def _zeros(self, proposal: dict) -> Padding:
        value = proposal["value"]
        if isinstance(value, str) and value in ("valid", "same"):
            return value
        other = '"valid", "same" or '
        return number("padding", value, 0, _MOST_ZEROS, other=other) or "valid"

    def answer(self, request: dict[str, Any], buffers: list) -> Message:
        """Return the image in grey; the page shrinks it."""
        cat = _cat()
        return {"kind": "image", "shape": cat.shape}, [cat.tobytes()]

    def stored_requests(self) -> list[dict[str, Any]]:
        """Return the request for the image."""
        return [{"kind": "image"}]


def _cat() -> np.ndarray:
    """Return the drawing of a cat's face, (384, 384) uint8: 12 by 12 pixels show what it is."""
    drawing = Image.new("L", (384, 384), 80)
    pen = ImageDraw.Draw(drawing)
    pen.polygon([(32, 32), (32, 224), (160, 128)], fill=235)
    pen.polygon([(352, 32), (352, 224), (224, 128)], fill=235)
    pen.ellipse((32, 96, 352, 352), fill=235)
    pen.ellipse((93, 160, 131, 224), fill=15)
    pen.ellipse((253, 160, 291, 224), fill=15)
    pen.polygon([(160, 256), (224, 256), (192, 294)], fill=15)
    return np.asarray(drawing)
