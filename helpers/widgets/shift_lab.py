"""The shift-and-turn lab of lesson 2: what a pool forgives when an image moves."""

from typing import Any

import numpy as np
import traitlets
from PIL import Image, ImageOps

from helpers import images
from helpers.widgets.lab import SAMPLES, ImageLab, Message, Number

_SCENE = 384  # rows and columns: the middle 258 are seen, so no move brings its border into view
_FURTHEST, _MOST_TURNED = 8, 30  # pixels and degrees


class ShiftLab(ImageLab):
    """An image that one slides and turns; its vertical edges and their pooled map follow.

    Below both maps stands which share of the strongest tenth of their numbers, as they were
    before the move, has changed by more than half.

    Parameters
    ----------
    image : optional
        The name of one of the lab's images, or anything that `helpers.images.open_image` takes;
        by default ascent. Its middle is shown, in grey.

    Attributes
    ----------
    rows, columns : int
        The shift in pixels, −8 to 8: down and to the right; can be set.
    turn : int
        Degrees about the middle, −30 to 30, clockwise; can be set.
    size : 1, 2, 4 or 8
        Rows and columns of a pool's window; 1 does not pool.
    pooling : "maximum" or "average"
    """

    module = "shift_lab.js"
    title = "Shift-and-turn lab"
    still = "shift_lab"
    still_alt = (
        "The shift-and-turn lab: sliders move and turn the image of a staircase; beside it stand "
        "its edges and their pooled map, with the share of the strongest numbers that changed."
    )

    rows = Number(-_FURTHEST, _FURTHEST, 0)
    columns = Number(-_FURTHEST, _FURTHEST, 0)
    turn = Number(-_MOST_TURNED, _MOST_TURNED, 0)
    size = traitlets.Enum([1, 2, 4, 8], 2).tag(sync=True)
    pooling = traitlets.Enum(["maximum", "average"], "maximum").tag(sync=True)

    def __init__(self, image: Any = None) -> None:
        super().__init__(image, {"ascent": images.ascent, "bright bar": _bar, **SAMPLES})

    def message(self, image: np.ndarray, request: dict[str, Any]) -> Message:
        """Return the middle of the image, (384, 384), which the page moves and reads."""
        grey = Image.fromarray(image).convert("L")
        side = min(max(min(grey.size), _SCENE), 512)
        edge = (side - _SCENE) // 2
        whole = np.asarray(ImageOps.fit(grey, (side, side)))
        scene = whole[edge : edge + _SCENE, edge : edge + _SCENE]
        return {"shape": scene.shape}, [scene.tobytes()]


def _bar() -> np.ndarray:
    """Return a bright bar on dark, (384, 384) uint8: two edges, and nothing else."""
    bar = np.full((_SCENE, _SCENE), 30, np.uint8)
    bar[112:272, 180:204] = 230
    return bar
