"""The stride lab of lesson 2: a window walks over a picture."""

from typing import Any

import anywidget
import numpy as np
import traitlets
from PIL import Image

from helpers import convolution, images
from helpers.widgets.lab import Lab
from helpers.widgets.modules import module_source, style_source
from helpers.widgets.picture import pixels_message

_LARGEST = 256  # rows and columns; also of the window and its step


class StrideView(anywidget.AnyWidget):
    """What the page shows of a `StrideLab`; everything is computed there."""

    _esm = module_source("stride_lab.js")
    _css = style_source("picture.css", "labs.css")

    size = traitlets.Int(7, min=1, max=_LARGEST).tag(sync=True)
    kernel = traitlets.Int(3, min=1, max=_LARGEST).tag(sync=True)
    stride = traitlets.Int(2, min=1, max=_LARGEST).tag(sync=True)
    padding = traitlets.Enum(["valid", "same", *"12345"], "valid").tag(sync=True)
    position = traitlets.Int(0, min=0).tag(sync=True)

    def __init__(self, picture: np.ndarray, **traits: Any) -> None:
        self._message = pixels_message(picture)
        super().__init__(**traits)
        self.on_msg(self._answer)

    def _answer(self, _widget: object, content: dict, _buffers: list) -> None:
        if content.get("kind") == "ready":
            self.send(*self._message)


class StrideLab(Lab):
    """A window that walks over a picture as a slider moves, or as one drags it.

    Rows and columns that no window reaches are hatched; beside the picture stands the output, the
    mean of what each window sees, and the formula of its size.

    Parameters
    ----------
    size : int
        The picture has this many rows and columns, 1 to 256.
    kernel, stride : int
        The window's rows and columns, and its step.
    padding : "valid", "same", or an int from 0 to 5
        Zeros around the picture, as in `helpers.convolution.output_size`.
    picture : optional
        Anything that `helpers.images.open_image` takes; by default ascent. It is shown in grey,
        shrunk to `size`.

    Raises
    ------
    ValueError
        If a number or the padding is none of these.

    Attributes
    ----------
    size, kernel, stride, padding
        As they are now.
    output_size : int
        Windows along each side; 0 if none fits.
    """

    title = "Stride lab"
    still = "stride_lab"
    still_alt = (
        "The stride lab: sliders for picture size, window, stride and padding; a window on a "
        "picture of few pixels, whose last row and column no window reaches, and the output."
    )

    def __init__(
        self,
        size: int = 12,
        *,
        kernel: int = 3,
        stride: int = 2,
        padding: convolution.Padding = "valid",
        picture: Any = None,
    ) -> None:
        for name, value in {"size": size, "kernel": kernel, "stride": stride}.items():
            if not _is_whole(value) or not 1 <= value <= _LARGEST:
                raise ValueError(
                    f"The {name} is {value!r}; give a whole number from 1 to {_LARGEST}."
                )
        if padding not in ("valid", "same") and not (_is_whole(padding) and 0 <= padding <= 5):
            raise ValueError(
                f'The padding is {padding!r}; give "valid", "same" or a whole number from 0 to 5.'
            )
        grey = images.ascent() if picture is None else images.open_image(picture)
        small = Image.fromarray(grey).convert("L").resize((256, 256), Image.Resampling.BOX)
        padding = "valid" if padding == 0 else str(padding)  # as the page's list has it
        numbers = {"size": int(size), "kernel": int(kernel), "stride": int(stride)}
        self.view = StrideView(np.asarray(small), padding=padding, **numbers)
        super().__init__([self.view])

    @property
    def size(self) -> int:
        """Rows (and columns) of the picture."""
        return self.view.size

    @property
    def kernel(self) -> int:
        """Rows (and columns) of the window."""
        return self.view.kernel

    @property
    def stride(self) -> int:
        """Pixels from one window to the next."""
        return self.view.stride

    @property
    def padding(self) -> convolution.Padding:
        """The padding: "valid", "same" or a number of zeros on every side."""
        text = self.view.padding
        return int(text) if text.isdigit() else text

    @property
    def output_size(self) -> int:
        """Windows along each side, as `helpers.convolution.output_size` says; 0 if none fits."""
        try:
            return convolution.output_size(
                self.size, kernel=self.kernel, stride=self.stride, padding=self.padding
            )
        except ValueError:
            return 0


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
