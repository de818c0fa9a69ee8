"""The kernel lab of lesson 1: nine numbers, and what they make of a picture."""

import functools
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike
from PIL import Image

from helpers import images
from helpers.convolution import KERNELS, correlate2d
from helpers.widgets.lab import Lab, PictureChooser
from helpers.widgets.modules import module_source, style_source
from helpers.widgets.picture import Place, pixels_message

_LARGEST = 512  # pixels: a larger picture is made smaller, so that every change is instant
_LIMIT = 100  # the numbers of a kernel lie between −100 and 100
_SOBEL = "Sobel (vertical edges)"
_ARTICLE = "the article's"
# As the list in the page has them: the article's kernel is Sobel's, so it is there once.
_PRESETS = {
    f"{_SOBEL}, {_ARTICLE}" if name == _SOBEL else name: KERNELS[name]
    for name in [_SOBEL, *KERNELS]
}
_NAMES = {_ARTICLE: KERNELS[_SOBEL], **KERNELS, **_PRESETS}


class KernelView(anywidget.AnyWidget):
    """What the page shows of a `KernelLab`; the result is computed in the page."""

    _esm = module_source("kernel_lab.js")
    _css = style_source("picture.css", "labs.css")

    kernel = traitlets.List().tag(sync=True)
    presets = traitlets.Dict().tag(sync=True)
    chosen = Place().tag(sync=True)
    view = traitlets.Enum(["signed", "article"], "signed").tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._message: tuple[dict, list[bytes]] | None = None
        super().__init__(**traits)
        self.on_msg(self._answer)

    def show(self, picture: np.ndarray) -> None:
        """Send a grey picture to the page."""
        self._message = pixels_message(picture, cmap="RdBu_r", limits=(0, 255))
        self.send(*self._message)

    def _answer(self, _widget: object, content: dict, _buffers: list) -> None:
        if content.get("kind") == "ready" and self._message:
            self.send(*self._message)

    @traitlets.validate("kernel")
    def _check(self, proposal: dict) -> list[list[float]]:
        return _nine_numbers(proposal["value"])


class KernelLab(Lab):
    """Nine numbers that one can edit, and what they make of a picture.

    Beside the numbers stand the picture and the result, signed (zero in the middle of the
    colours, which end at a number that only 1 in 100 exceeds) or cut off at 0 and 255, as in the
    article. Point at a pixel, or choose one with a click or the arrow keys, to see the nine
    products that it is the sum of.

    Parameters
    ----------
    picture : optional
        Anything that `helpers.images.open_image` takes; by default ascent. Colours become grey,
        and a picture of more than 512 pixels on a side smaller.
    kernel : str or array of shape (3, 3)
        The name of one of `helpers.convolution.KERNELS`, "the article's", or nine numbers.

    Attributes
    ----------
    kernel : (3, 3) array
        The numbers as they are now; can be set, to an array or a name.
    picture : (H, W) uint8 array
    result : (H − 2, W − 2) float array
        What `helpers.convolution.correlate2d` makes of them.
    chosen : [row, column] or None
        The chosen pixel of the result; can be set. Where a smaller picture has no such pixel, it
        moves to the nearest one.
    """

    title = "Kernel lab"
    still = "kernel_lab"
    still_alt = (
        "The kernel lab: the picture of a staircase, a 3 by 3 kernel of editable numbers and its "
        "result in blue and red; below, the nine products for one pixel and their sum."
    )

    def __init__(self, picture: Any = None, *, kernel: str | ArrayLike = _ARTICLE) -> None:
        presets = {name: values.tolist() for name, values in _PRESETS.items()}
        self.view = KernelView(presets=presets, kernel=_kernel(kernel))
        pictures = {"ascent": images.ascent, "small cross": _small_cross}
        if picture is not None:
            given = images.open_image(picture)
            pictures = {"the given picture": lambda: given, **pictures}
        for name in images.SAMPLES:
            pictures[name] = functools.partial(images.sample, name)
        self.chooser = PictureChooser(pictures, self._show)
        self._show(pictures[self.chooser.name](), self.chooser.name)
        strength = np.abs(self.result)
        self.view.chosen = [int(v) for v in np.unravel_index(strength.argmax(), strength.shape)]
        super().__init__([self.chooser, self.view])

    def _show(self, picture: np.ndarray, name: str) -> None:
        self.picture = _grey(picture)
        self.view.name = name
        if self.chosen is not None:
            last = np.array(self.picture.shape) - 3  # row and column of the result
            self.view.chosen = np.minimum(self.chosen, last).tolist()
        self.view.show(self.picture)

    @property
    def kernel(self) -> np.ndarray:
        """The numbers as they are now, (3, 3)."""
        return np.array(self.view.kernel)

    @kernel.setter
    def kernel(self, value: str | ArrayLike) -> None:
        self.view.kernel = _kernel(value)

    @property
    def result(self) -> np.ndarray:
        """The picture after the kernel, signed, (H − 2, W − 2)."""
        return correlate2d(self.picture, self.kernel)

    @property
    def chosen(self) -> list[int] | None:
        """The chosen pixel of the result, [row, column]."""
        return self.view.chosen

    @chosen.setter
    def chosen(self, place: list[int] | None) -> None:
        self.view.chosen = None if place is None else self._place(place)

    def _place(self, place: ArrayLike) -> list[int]:
        last = np.array(self.picture.shape) - 3
        try:
            numbers = np.asarray(place)
        except ValueError:  # lists of different lengths
            numbers = np.array(None)
        whole = numbers.shape == (2,) and numbers.dtype.kind in "iu"
        if not whole or (numbers < 0).any() or (numbers > last).any():
            raise ValueError(
                f"A pixel of this result is [row, column], whole numbers from [0, 0] to "
                f"{last.tolist()}, and this is {place!r}; the last one stays chosen."
            )
        return numbers.tolist()


def _kernel(value: str | ArrayLike) -> list[list[float]]:
    if isinstance(value, str):
        if value not in _NAMES:
            raise ValueError(
                f'There is no kernel called "{value}"; choose one of {", ".join(_NAMES)}.'
            )
        value = _NAMES[value]
    return _nine_numbers(value)


def _nine_numbers(value: ArrayLike) -> list[list[float]]:
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.shape != (3, 3) or not (np.abs(array) <= _LIMIT).all():
        raise traitlets.TraitError(
            f"A kernel here is three rows of three numbers between −{_LIMIT} and {_LIMIT}, for "
            "example [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]; the last one stays."
        )
    return array.tolist()


def _small_cross() -> np.ndarray:
    """Return a bright cross on dark, (16, 16) uint8: a move by one pixel can be seen on it."""
    cross = np.full((16, 16), 30, np.uint8)
    cross[7, 4:11] = cross[4:11, 7] = 230
    return cross


def _grey(picture: np.ndarray) -> np.ndarray:
    """Return a picture as (H, W) uint8, at most 512 pixels on a side."""
    image = Image.fromarray(picture).convert("L")
    if max(image.size) > _LARGEST:
        image.thumbnail((_LARGEST, _LARGEST), Image.Resampling.LANCZOS)
    if min(image.size) < 3:
        raise images.ImageError(
            f"The picture has {image.height} by {image.width} pixels, fewer than the 3 by 3 of "
            "the kernel: choose a larger one."
        )
    return np.asarray(image)
