"""One picture of an array, on which the labs are built."""

from collections.abc import Sequence

import anywidget
import numpy as np
import traitlets

from helpers.widgets.modules import module_source, style_source

Limits = tuple[float, float]


class Place(traitlets.List):
    """A trait that holds [row, column], or None."""

    def __init__(self) -> None:
        super().__init__(traitlets.Int(), minlen=2, maxlen=2, allow_none=True, default_value=None)


class Picture(anywidget.AnyWidget):
    """Show an array as a picture with crisp pixels, one of which can be chosen.

    The mouse, a finger or the arrow keys choose a pixel. The pixels themselves travel in messages
    of their own and are no part of the widget's state, so they are never saved with a notebook.

    Parameters
    ----------
    array : array of shape (H, W) or (H, W, 3)
        uint8 (0..255), or float: grey and with a colour map between `limits`, RGB in 0..1.
    alt : str
        What the picture shows, in a sentence, for those who cannot see it. Not empty.
    cmap : str, optional
        A colour map of Matplotlib for an (H, W) array; its limits stand on a colour bar.
    limits : (float, float), optional
        The values that the first and last colour stand for. Default: 0 and 255 for uint8 without
        a colour map, else the smallest and largest value; with one of the diverging maps, the
        same distance from zero on both sides.
    boxes : sequence of (top, left, bottom, right)
        Boxes over the picture, in pixels; bottom and right are not included.
    title : str
        A heading above the picture.
    width : int, optional
        Width on the screen, in CSS pixels; by default 320.

    Attributes
    ----------
    hovered, chosen : [row, column] or None
        The pixel under the pointer, and the chosen one. Observe them, or set `chosen`.
    """

    _esm = module_source("picture.js")
    _css = style_source("picture.css")

    hovered = Place().tag(sync=True)
    chosen = Place().tag(sync=True)
    boxes = traitlets.List().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int(320, allow_none=True).tag(sync=True)

    def __init__(
        self,
        array: np.ndarray,
        *,
        alt: str,
        cmap: str | None = None,
        limits: Limits | None = None,
        boxes: Sequence[Sequence[float]] = (),
        title: str = "",
        width: int | None = 320,
    ) -> None:
        if not isinstance(alt, str) or not alt.strip():
            raise ValueError("A picture needs an alt text: say in a sentence what it shows.")
        self._pixels = pixels_message(array, cmap=cmap, limits=limits)
        super().__init__(alt=alt, boxes=_boxes(boxes), title=title, width=width)
        self.on_msg(self._answer)

    @traitlets.validate("boxes")
    def _check(self, proposal: dict) -> list[list[float]]:
        return _boxes(proposal["value"])

    def show(
        self, array: np.ndarray, *, cmap: str | None = None, limits: Limits | None = None
    ) -> None:
        """Show another array in the same place; a wrong one raises and leaves the picture."""
        self._pixels = pixels_message(array, cmap=cmap, limits=limits)
        self.send(*self._pixels)

    def _answer(self, _widget: object, content: dict, _buffers: list) -> None:
        if content.get("kind") == "ready":
            self.send(*self._pixels)

    def __repr__(self) -> str:
        """Return the same text on every run."""
        return f"Picture({'×'.join(map(str, self._pixels[0]['shape']))})"


def pixels_message(
    array: np.ndarray,
    *,
    cmap: str | None = None,
    limits: Limits | None = None,
    scale: Limits | None = None,
    digits: int | None = None,
    kind: str = "pixels",
) -> tuple[dict, list[bytes]]:
    """Return the message and the buffers that carry an array to the page (see canvas.js).

    Parameters
    ----------
    array : array of shape (H, W) or (H, W, 3)
        uint8 travels as it is, everything else as float32.
    cmap, limits
        As in `Picture`.
    scale : (float, float), optional
        For uint8: the true values that 0 and 255 stand for.
    digits : int, optional
        Decimals that a value is written with; automatic by default.
    kind : str
        The message's name.

    Raises
    ------
    ValueError
        If the shape is neither (H, W) nor (H, W, 3), the array is empty or holds no numbers, or
        the limits are not two numbers.
    """
    array = _array(array)
    if array is None or array.dtype.kind not in "biuf":
        raise ValueError(
            "A picture is an array of numbers, uint8 or float, and this one holds something else; "
            "open a file with helpers.images.open_image."
        )
    if array.ndim not in (2, 3) or array.size == 0 or (array.ndim == 3 and array.shape[2] != 3):
        raise ValueError(
            f"A picture is an array of shape (height, width) or (height, width, 3), but this one "
            f"is {array.shape}; choose one channel, for example array[..., 0]."
        )
    if array.dtype != np.uint8:
        array = array.astype(np.float32)
    if limits is None:
        limits = _limits(array, cmap, scale)
    elif (pair := _array(limits)) is None or pair.shape != (2,) or pair.dtype.kind not in "iuf":
        raise ValueError(
            f"The limits are {limits!r}; give two numbers, the values of the first and last colour."
        )
    header = {
        "kind": kind,
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "limits": [float(v) for v in limits],
        "scale": scale and [float(v) for v in scale],
        "digits": digits,
    }
    return header, [array.tobytes(), *([color_table(cmap)] if cmap else [])]


def _array(value: object) -> np.ndarray | None:
    """Return anything as an array, or None where its rows have different lengths."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError):
        return None


def _boxes(boxes: Sequence[Sequence[float]]) -> list[list[float]]:
    array = _array(boxes)
    fours = array is not None and array.dtype.kind in "iuf" and array.shape[1:] == (4,)
    if not fours and (array is None or array.shape != (0,)):
        raise ValueError(
            f"The boxes are {boxes!r}; give a list of (top, left, bottom, right), four numbers "
            "for each box."
        )
    return array.tolist() if fours else []


_DIVERGING = ("RdBu", "RdBu_r", "PuOr", "PuOr_r", "coolwarm", "bwr", "seismic", "BrBG", "PRGn")


def _limits(array: np.ndarray, cmap: str | None, scale: Limits | None) -> Limits:
    if array.ndim == 3:
        return (0, 255) if array.dtype == np.uint8 else (0, 1)
    if scale is not None:
        low, high = scale
    elif array.dtype == np.uint8 and cmap is None:
        return 0, 255
    else:
        finite = array[np.isfinite(array)]
        low, high = (finite.min(), finite.max()) if finite.size else (0, 1)
    if cmap in _DIVERGING:
        high = max(abs(float(low)), abs(float(high))) or 1
        low = -high
    return low, high


def color_table(name: str) -> bytes:
    """Return the 256 colours of one of Matplotlib's maps as 768 bytes, red, green, blue."""
    import matplotlib

    if name not in matplotlib.colormaps:
        raise ValueError(
            f'There is no colour map called "{name}"; try "gray", "viridis" or "RdBu_r".'
        )
    table = matplotlib.colormaps[name].resampled(256)(np.arange(256), bytes=True)
    return table[:, :3].tobytes()
