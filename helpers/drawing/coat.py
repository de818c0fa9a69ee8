"""Coats: the pattern of a breed on a head and on a torso. Edges are soft, as hair is."""

import numpy as np

from .breeds import Look, chance, pick
from .canvas import Canvas, blob, ellipse, mix, ribbon

FAR, TORSO, NEAR, WORN, EAR_BACK, HEAD, SNOUT, TOP = 6, 10, 13, 15, 17, 20, 24, 28
"""Heights of what is drawn, from far to near: they decide who casts a shadow on whom."""

_UPPER_ARM = TORSO + 1


def color_head(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    """Draw the breed's pattern on a head around the origin."""
    if look.breed.pattern in _ON_HEAD:
        _ON_HEAD[look.breed.pattern](canvas, look, rng)


def color_torso(canvas: Canvas, look: Look, box, rng: np.random.Generator) -> None:
    """Draw the breed's pattern on a torso that fills the box (left, top, right, bottom)."""
    if look.breed.pattern in _ON_TORSO:
        _ON_TORSO[look.breed.pattern](canvas, look, box, rng)


def color_chest(canvas: Canvas, look: Look, center, radii) -> None:
    """Draw the light chest that many patterns have."""
    if look.breed.pattern in ("bicolor", "saddle", "mask"):
        canvas.markings([ellipse(*center, *radii)], look.second, on=(TORSO,), soft=2)


# --- on the head --------------------------------------------------------------------------------


def _mark(canvas: Canvas, outlines, color, soft: float = 1.0) -> None:
    canvas.markings(outlines, color, on=(HEAD,), soft=soft)


def _stripes(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    bars = [
        ribbon([(x, -0.95), (0.8 * x, -0.5)], [0.12, 0.03], 3) for x in (-0.4, -0.14, 0.14, 0.4)
    ]
    for side in (-1, 1):
        for y in (0.05, 0.28, 0.5) if look.kind == "cat" else ():
            bars.append(ribbon([(side * 1.1, y - 0.08), (side * 0.6, y)], [0.12, 0.02], 3))
    _mark(canvas, bars, look.second, 0.7)


def _spots(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    spots = [
        ellipse(rng.uniform(-0.9, 0.9), rng.uniform(-0.9, 0.2), *rng.uniform(0.05, 0.12, 2), n=10)
        for _ in range(11)
    ]
    _mark(canvas, spots, look.second, 0.5)


def _points(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    _mark(canvas, [ellipse(0, 0.25, 0.62, 0.55)], mix(look.main, look.second, 0.5), 6)
    _mark(canvas, [ellipse(0, 0.35, 0.46, 0.45)], look.second, 4)


def _bicolor(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    top = rng.uniform(-0.9, -0.1)
    blaze = [(0, top), (0.1, 0.0), (0.42, 0.3), (0.5, 0.9), (-0.5, 0.9), (-0.42, 0.3), (-0.1, 0)]
    _mark(canvas, [blob(blaze)], look.second)


def _patches(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    side = pick(rng, (-1, 1))
    patch = [(0.1, -1), (0.9, -0.9), (1.1, 0.1), (0.55, 0.25), (0.15, -0.1)]
    _mark(canvas, [blob([(side * x, y) for x, y in patch])], look.second)
    if chance(rng, 0.6):
        patch = [(-0.25, -1), (-0.9, -0.9), (-1.1, -0.1), (-0.5, 0.15), (-0.3, -0.3)]
        _mark(canvas, [blob([(side * x, y) for x, y in patch])], look.dark)


def _saddle(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    _mark(
        canvas,
        [blob([(-1.1, -1), (1.1, -1), (0.8, -0.4), (0, -0.55), (-0.8, -0.4)])],
        mix(look.dark, look.main, 0.35),
        3,
    )
    _mark(
        canvas,
        [blob([(0, -0.7), (0.1, 0), (0.4, 0.35), (0.4, 1), (-0.4, 1), (-0.4, 0.35), (-0.1, 0)])],
        look.second,
    )


def _mask(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    face = [(0, -0.1), (0.3, -0.62), (0.72, -0.4), (0.85, 0.4), (0.4, 1.0)]
    face += [(0, 1.0)] + [(-x, y) for x, y in reversed(face[1:])]
    color = look.second if look.kind == "dog" else mix(look.second, look.main, 0.25)
    _mark(canvas, [blob(face)], color, 1.5)


_ON_HEAD = {
    "stripes": _stripes,
    "spots": _spots,
    "points": _points,
    "bicolor": _bicolor,
    "patches": _patches,
    "saddle": _saddle,
    "mask": _mask,
}


# --- on the torso -------------------------------------------------------------------------------


def _mark_torso(canvas: Canvas, outlines, color, soft: float) -> None:
    canvas.markings(outlines, color, on=(TORSO, _UPPER_ARM), soft=soft)


def _torso_stripes(canvas: Canvas, look: Look, box, rng: np.random.Generator) -> None:
    left, top, right, bottom = box
    bars = []
    for x in np.arange(left, right, 0.36):
        end = (x + rng.uniform(-0.15, 0.15), top + (bottom - top) * rng.uniform(0.4, 0.7))
        bars.append(ribbon([(x, top - 0.2), end], [0.17, 0.04], 3))
    _mark_torso(canvas, bars, look.second, 0.8)


def _scatter(box, n: int, small: float, large: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Return n ellipses of many sizes and directions in a box."""
    left, top, right, bottom = box
    u = rng.random((n, 5))
    x, y = left + (right - left) * u[:, 0], top + (bottom - top) * u[:, 1]
    radii = small + (large - small) * u[:, 2:4]
    return [ellipse(x[i], y[i], *radii[i], 3 * u[i, 4], n=14) for i in range(n)]


def _torso_spots(canvas: Canvas, look: Look, box, rng: np.random.Generator) -> None:
    left, top, right, bottom = box
    n = min(40, int(5 * (right - left) * (bottom - top)))
    _mark_torso(canvas, _scatter(box, n, 0.07, 0.19, rng), look.second, 0.5)


def _torso_patches(canvas: Canvas, look: Look, box, rng: np.random.Generator) -> None:
    for color in (look.second, look.dark):
        _mark_torso(canvas, _scatter(box, 2, 0.3, 0.6, rng), color, 1)


def _torso_saddle(canvas: Canvas, look: Look, box, rng: np.random.Generator) -> None:
    left, top, right, bottom = box
    from_the_front = right - left < 1.35 * (bottom - top)
    for x in (left, right) if from_the_front else ((left + right) / 2,):
        saddle = ellipse(x, top, 0.42 * (right - left), 0.55 * (bottom - top))
        _mark_torso(canvas, [saddle], look.dark, 2.5)


_ON_TORSO = {
    "stripes": _torso_stripes,
    "spots": _torso_spots,
    "patches": _torso_patches,
    "saddle": _torso_saddle,
}
