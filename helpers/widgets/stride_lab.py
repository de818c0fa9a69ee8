"""The stride lab of lesson 2: a window walks over an image."""

from typing import Any

import numpy as np
import traitlets
from PIL import Image, ImageDraw

from helpers import convolution, images
from helpers.errors import number
from helpers.widgets.lab import Lab, Message, Number

_LARGEST = 256  # rows and columns of the image; also of the window, and its step
_MOST_ZEROS = 5  # on every side


class StrideLab(Lab):
    """A window that walks over an image as a slider moves, or as one drags it.

    Rows and columns that no window reaches are hatched; beside the image stands the output, the
    mean of what each window sees, and the formula of its size.

    Parameters
    ----------
    size : int
        The image has this many rows and columns, 1 to 256.
    kernel, stride : int
        The window's rows and columns, and its step, 1 to 256.
    padding : "valid", "same", or an int from 0 to 5
        Zeros around the image, as in `helpers.convolution.output_size`.
    image : optional
        Anything that `helpers.images.open_image` takes; by default the drawing of a cat's face.
        It is shown in grey, shrunk to `size`.

    Attributes
    ----------
    size, kernel, stride, padding
        As they are now; can be set.
    position : int
        The window that is shown, counted row by row from 0; can be set.
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
    padding = traitlets.Any().tag(sync=True)
    position = Number(0, _LARGEST**2 - 1, 0)

    def __init__(
        self,
        size: int = 12,
        *,
        kernel: int = 3,
        stride: int = 2,
        padding: convolution.Padding = "valid",
        image: Any = None,
    ) -> None:
        grey = Image.fromarray(_cat() if image is None else images.open_image(image)).convert("L")
        self._pixels = np.asarray(grey.resize((_LARGEST, _LARGEST), Image.Resampling.BOX))
        super().__init__(size=size, kernel=kernel, stride=stride, padding=padding)

    @traitlets.validate("padding")
    def _zeros(self, proposal: dict) -> convolution.Padding:
        value = proposal["value"]
        if isinstance(value, str) and value in ("valid", "same"):
            return value
        other = '"valid", "same" or '
        return number("padding", value, 0, _MOST_ZEROS, other=other) or "valid"

    @property
    def output_size(self) -> int:
        """Windows along each side, as `helpers.convolution.output_size` says; 0 if none fits."""
        try:
            return convolution.output_size(
                self.size, kernel=self.kernel, stride=self.stride, padding=self.padding
            )
        except ValueError:
            return 0

    def answer(self, request: dict[str, Any], buffers: list) -> Message:
        """Return the image in grey; the page shrinks it."""
        return {"kind": "image", "shape": self._pixels.shape}, [self._pixels.tobytes()]

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
