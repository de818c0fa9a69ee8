"""Drawn cats and dogs, with a mask of each part: no photo, no download, every time the same.

`draw_pet` is the whole of it. `breeds` says what animals there are, `canvas` draws shapes and
part masks at once, `body` and `head` draw the animal in its pose, `scene` what is behind and in
front of it, `light` makes a picture of it.
"""

import operator
from typing import NamedTuple

import numpy as np

from .body import choose_pose, draw_animal
from .breeds import choose_look
from .canvas import PARTS, Canvas, masks_of
from .light import develop
from .scene import draw_background, draw_foreground

__all__ = ["KINDS", "PARTS", "VERSION", "Drawing", "draw_pet"]

VERSION = 3
"""Goes up whenever the pictures change: caches of drawings carry it in their key."""

KINDS = ("cat", "dog")


class Drawing(NamedTuple):
    """A drawn pet.

    Attributes
    ----------
    picture : (size, size, 3) uint8 array, RGB
    masks : dict from part to (size, size) bool array
        For each of `PARTS` (ears, eyes, snout, whiskers, tongue, body) the pixels in which that
        part is seen. No pixel is in two masks; "body" is the rest of the animal, head and tail
        included; a part that is absent, hidden or out of the frame has no pixels.
    """

    picture: np.ndarray
    masks: dict[str, np.ndarray]


def draw_pet(kind: str, *, seed: int, size: int = 150) -> Drawing:
    """Draw a cat or a dog.

    Parameters
    ----------
    kind : str
        "cat" or "dog".
    seed : int
        Not negative. The same seed draws the same pet, at any size.
    size : int
        Height and width in pixels, 32 to 1024.

    Returns
    -------
    Drawing
        The picture, and a mask of each part.

    Raises
    ------
    ValueError
        If the kind, the seed or the size is none of these.

    Notes
    -----
    The same on every machine but for rounding: other versions of Pillow, NumPy and the JPEG library
    move the mean color of a block of 25 by 25 pixels by less than 4 of 255, and each mask by less
    than 0.5% of the pixels (tests/test_drawing.py holds both against stored fingerprints). Seen
    over 200 drawings, Pillow 11.1 against 13.0: 2.4 of 255 at most, 0.2 in the median; 12 pixels.
    """
    if kind not in KINDS:
        raise ValueError(f'draw_pet draws "cat" or "dog", not {kind!r}: give one of these two.')
    seed = _whole_number("seed", seed, 0, 2**63 - 1)
    size = _whole_number("size", size, 32, 1024)
    rng = np.random.default_rng([KINDS.index(kind), seed])
    grain = np.random.default_rng([KINDS.index(kind), seed, 1])
    look = choose_look(kind, rng)
    pose = choose_pose(rng)
    canvas = Canvas(size)
    draw_background(canvas, rng)
    draw_animal(canvas, look, pose, rng)
    draw_foreground(canvas, 0.95 if pose.name in ("face", "peek") else pose.y, rng)
    colors, codes, heights = canvas.finish()
    picture = develop(
        colors, codes, heights, fluff=look.fluff, curly=look.breed.curly, rng=rng, grain=grain
    )
    return Drawing(picture, masks_of(codes))


def _whole_number(name: str, value, low: int, high: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        raise ValueError(f"The {name} is a whole number from {low} to {high}, not {value!r}.")
    return number
