"""The head: ears, coat, snout, eyes, mouth, tongue, whiskers. One unit is about its radius.

A head that turns to a side moves each feature by its depth, so that a snout leads and the ears
follow; that is all the perspective there is.
"""

from dataclasses import dataclass

import numpy as np

from .breeds import DARK, PINK, Look
from .canvas import Canvas, blob, curve, ellipse, fluffy, mix, ribbon
from .coat import EAR_BACK, HEAD, SNOUT, TOP, color_head


@dataclass(frozen=True)
class Turn:
    """Where the head looks: sideways and up or down, each from -1 to 1."""

    side: float
    up: float

    def at(self, x: float, y: float, depth: float) -> tuple[float, float]:
        """Return where a feature of that depth is seen."""
        return x * (1 - 0.12 * abs(self.side)) + 0.42 * self.side * depth, y - 0.3 * self.up * depth


def draw_head(canvas: Canvas, look: Look, turn: Turn, rng: np.random.Generator) -> None:
    """Draw a head around the origin."""
    behind = look.ears != "floppy"
    if behind:
        _ears(canvas, look, turn, rng)
    _skull(canvas, look, rng)
    with canvas.at(*turn.at(0, 0, 0.5)):
        color_head(canvas, look, rng)
    if not behind:
        _ears(canvas, look, turn, rng)
    if look.breed.curly:
        _topknot(canvas, look, rng)
    (_cat_snout if look.kind == "cat" else _dog_snout)(canvas, look, turn)
    _eyes(canvas, look, turn)
    _whiskers(canvas, look, turn, rng)


def _skull(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    if look.kind == "cat":
        half = [(0.45, -0.76), (0.84, -0.36), (0.98, 0.14), (0.78, 0.56), (0.36, 0.8)]
    else:
        half = [(0.46, -0.86), (0.78, -0.48), (0.84, 0.02), (0.74, 0.44), (0.42, 0.8)]
    points = [(0, half[0][1] - 0.04), *half, (0, half[-1][1] + 0.06)]
    points += [(-x, y) for x, y in reversed(half)]
    outline = blob(points, 8) * (look.width, 1)
    outline = fluffy(outline, 0.03 + 0.22 * look.fluff, rng)
    canvas.shape(outline, look.main, "body", HEAD)


def _topknot(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    for x, y, r in ((-0.4, -0.78, 0.34), (0.4, -0.78, 0.34), (0, -0.98, 0.42)):
        outline = fluffy(ellipse(x, y, r, r), 0.2, rng)
        canvas.shape(outline, mix(look.main, look.second, 0.25), "body", HEAD + 1)


# --- ears -------------------------------------------------------------------------------------


def _ears(canvas: Canvas, look: Look, turn: Turn, rng: np.random.Generator) -> None:
    """Draw both ears; a pointed ear now and then turns outwards by itself."""
    color = _ear_color(look)
    size = rng.uniform(0.88, 1.14)
    tilt = rng.uniform(-0.1, 0.15)
    for side in (-1, 1):
        x, y = turn.at(0, 0, -0.3)
        with canvas.at(x, y, flip=side < 0):
            EARS[look.ears](canvas, look, color, size, tilt + 0.1 * (rng.random() - 0.5))


def _ear_color(look: Look):
    if look.breed.pattern in ("points", "saddle"):
        return look.second if look.breed.pattern == "points" else mix(look.dark, look.main, 0.3)
    return {"patches": look.second, "mask": mix(look.main, look.dark, 0.3)}.get(
        look.breed.pattern, mix(look.main, look.dark, 0.08)
    )


def _triangle(base_in, tip, base_out, bulge: float = 0.12) -> np.ndarray:
    """Return an ear with a pointed tip and slightly round sides."""
    base_in, tip, base_out = (np.asarray(p, float) for p in (base_in, tip, base_out))
    center = (base_in + tip + base_out) / 3
    sides = []
    for a, b in ((base_in, tip), (tip, base_out)):
        middle = (a + b) / 2
        middle = middle + bulge * (middle - center)
        t = np.linspace(0, 1, 7)[:, None]
        sides.append((1 - t) ** 2 * a + 2 * t * (1 - t) * (2 * middle - (a + b) / 2) + t**2 * b)
    return np.concatenate(sides)


def _pointed(canvas: Canvas, look: Look, color, size: float, tilt: float) -> None:
    w = look.width
    tip = (w * (0.72 + tilt), -0.35 - 0.92 * size)
    outer = _triangle((0.14 * w, -0.6), tip, (0.92 * w, -0.1))
    canvas.shape(outer, color, "ears", EAR_BACK)
    center = np.array([0.6 * w, -0.55])
    inner = center + (outer - center) * (0.58, 0.68) + (0.02, -0.03)
    canvas.shape(inner, mix(mix(PINK, color, 0.35), look.dark, 0.1), "ears", EAR_BACK)


def _folded(canvas: Canvas, look: Look, color, size: float, tilt: float) -> None:
    w = look.width
    base = blob([(0.2 * w, -0.66), (0.5 * w, -0.98 * size), (0.84 * w, -0.74), (0.9 * w, -0.4)])
    canvas.shape(base, color, "ears", EAR_BACK)
    flap = blob(
        [
            (0.28 * w, -0.82),
            (0.62 * w, -0.96 * size),
            (0.9 * w, -0.62),
            (0.72 * w, -0.44 + tilt),
            (0.42 * w, -0.56),
        ]
    )
    canvas.shape(flap, mix(color, look.dark, 0.18), "ears", HEAD + 2)


def _pricked(canvas: Canvas, look: Look, color, size: float, tilt: float) -> None:
    w = look.width
    tip = (w * (0.62 + tilt), -0.5 - 0.9 * size)
    outer = _triangle((0.1 * w, -0.66), tip, (0.84 * w, -0.3), 0.3)
    canvas.shape(outer, color, "ears", EAR_BACK)
    center = np.array([0.54 * w, -0.65])
    inner = center + (outer - center) * (0.55, 0.68)
    canvas.shape(inner, mix(mix(PINK, color, 0.5), look.dark, 0.2), "ears", EAR_BACK)


def _semi(canvas: Canvas, look: Look, color, size: float, tilt: float) -> None:
    w = look.width
    base = blob(
        [(0.22 * w, -0.66), (0.42 * w, -1.16 * size), (0.86 * w, -1.1 * size), (0.86 * w, -0.4)]
    )
    canvas.shape(base, color, "ears", EAR_BACK)
    flap = blob(
        [
            (0.4 * w, -1.16 * size),
            (0.84 * w, -1.14 * size),
            (1.08 * w, -0.8),
            (w * (0.92 + tilt), -0.52),
            (0.66 * w, -0.8),
        ]
    )
    canvas.shape(flap, mix(color, look.dark, 0.22), "ears", HEAD + 2)


def _floppy(canvas: Canvas, look: Look, color, size: float, tilt: float) -> None:
    w, drop = look.width, 0.55 * size + 0.25 * look.breed.fluff + tilt
    flap = blob(
        [
            (0.42 * w, -0.78),
            (0.8 * w, -0.72),
            (1.12 * w, -0.2),
            (1.16 * w, 0.25 + drop / 2),
            (0.95 * w, 0.2 + drop),
            (0.72 * w, 0.1 + drop / 2),
            (0.68 * w, -0.2),
        ]
    )
    canvas.shape(flap, mix(color, look.dark, 0.15), "ears", HEAD + 3)


EARS = {
    "pointed": _pointed,
    "folded": _folded,
    "pricked": _pricked,
    "semi": _semi,
    "floppy": _floppy,
}


# --- snout, mouth, tongue -----------------------------------------------------------------------


def _snout_color(look: Look):
    if look.breed.pattern in ("bicolor", "saddle", "mask", "points"):
        return look.second
    if look.breed.pattern == "patches":
        return look.main
    return mix(look.main, (250, 246, 238), 0.22)


def _cat_snout(canvas: Canvas, look: Look, turn: Turn) -> None:
    m = look.muzzle
    color = _snout_color(look)
    ink = mix(DARK, color, 0.15)
    x, y = turn.at(0, 0.36, 0.42)
    with canvas.at(x, y, scale=0.8 + 0.2 * m):
        canvas.shape(ellipse(0, 0.2, 0.2, 0.17), mix(color, look.dark, 0.06), "snout", SNOUT - 2)
        _open_mouth(canvas, look, 0.13, 0.14)
        for side in (-1, 1):
            canvas.shape(ellipse(side * 0.18, 0.04, 0.24, 0.19), color, "snout", SNOUT)
        for side in (-1, 1):
            smile = curve([(0, 0.08), (side * 0.12, 0.19), (side * 0.28, 0.14)], 5)
            canvas.line(smile, ink, 0.035, "snout", SNOUT)
        canvas.line([(0, -0.1), (0, 0.1)], ink, 0.035, "snout", SNOUT)
        nose = [
            (-0.13, -0.16),
            (0, -0.19),
            (0.13, -0.16),
            (0.05, -0.05),
            (0, -0.03),
            (-0.05, -0.05),
        ]
        canvas.shape(blob(nose, 4), look.nose, "snout", SNOUT + 1)
        canvas.shape(
            ellipse(-0.03, -0.15, 0.035, 0.015, n=8),
            mix(look.nose, (255,) * 3, 0.5),
            "snout",
            SNOUT + 1,
        )


def _dog_snout(canvas: Canvas, look: Look, turn: Turn) -> None:
    m = look.muzzle
    color = _snout_color(look)
    ink = mix(DARK, color, 0.1)
    x, y = turn.at(0, 0.34, 0.55 * m)
    bridge = blob([(-0.22, -0.3), (0.22, -0.3), (x + 0.38, y), (x - 0.38, y)])
    canvas.shape(bridge, color, "snout", HEAD + 1)
    with canvas.at(x, y, scale=0.62 + 0.38 * m):
        canvas.shape(ellipse(0, 0.34, 0.26, 0.2), mix(color, look.dark, 0.1), "snout", SNOUT - 2)
        _open_mouth(canvas, look, 0.24, 0.3)
        jowls = [
            (0, -0.26),
            (0.32, -0.16),
            (0.46, 0.14),
            (0.36, 0.36),
            (0.12, 0.34),
            (0, 0.26),
            (-0.12, 0.34),
            (-0.36, 0.36),
            (-0.46, 0.14),
            (-0.32, -0.16),
        ]
        canvas.shape(blob(jowls), color, "snout", SNOUT)
        for side in (-1, 1):
            smile = curve([(0, 0.26), (side * 0.14, 0.34), (side * 0.36, 0.28)], 5)
            canvas.line(smile, ink, 0.035, "snout", SNOUT)
        canvas.line([(0, 0.05), (0, 0.27)], ink, 0.03, "snout", SNOUT)
        nose = [(-0.2, -0.2), (0, -0.26), (0.2, -0.2), (0.15, -0.02), (0, 0.07), (-0.15, -0.02)]
        canvas.shape(blob(nose, 5), look.nose, "snout", SNOUT + 2)
        canvas.shape(
            ellipse(-0.06, -0.17, 0.07, 0.03, n=10),
            mix(look.nose, (255,) * 3, 0.55),
            "snout",
            SNOUT + 2,
        )


def _open_mouth(canvas: Canvas, look: Look, y: float, size: float) -> None:
    """Draw what an open mouth shows, to be drawn before the lips."""
    if look.mouth == "closed":
        return
    canvas.shape(ellipse(0, y + 0.1, 0.7 * size, size), (98, 42, 48), "snout", SNOUT - 1)
    if look.mouth == "tongue":
        tongue = ribbon(
            [(0, y), (0.02, y + 0.8 * size), (0.05, y + 1.4 * size)],
            [0.8 * size, 0.9 * size, 0.7 * size],
        )
        canvas.shape(tongue, (228, 122, 134), "tongue", SNOUT - 1)
        canvas.line([(0, y), (0.03, y + 1.1 * size)], (190, 84, 100), 0.03, "tongue", SNOUT - 1)


# --- eyes and whiskers --------------------------------------------------------------------------


def _eyes(canvas: Canvas, look: Look, turn: Turn) -> None:
    cat = look.kind == "cat"
    x, y = (0.41, -0.06) if cat else (0.37, -0.16)
    for side in (-1, 1):
        # The eye on the far side of a turned head looks narrower.
        narrow = 1 - 0.3 * max(0, side * turn.side)
        with canvas.at(*turn.at(side * x * look.width, y, 0.25)):
            if look.eyes == "closed":
                _closed_eye(canvas, look, 0.2 if cat else 0.17)
            else:
                _open_eye(canvas, look, side, narrow)


def _closed_eye(canvas: Canvas, look: Look, r: float) -> None:
    lid = curve([(-r, -0.02), (0, 0.1), (r, -0.02)], 5)
    dark = sum(look.main) < 250
    canvas.line(lid, mix(look.main, (225, 220, 215), 0.55) if dark else DARK, 0.06, "eyes", TOP)


def _open_eye(canvas: Canvas, look: Look, side: int, narrow: float) -> None:
    cat = look.kind == "cat"
    rx, ry = (0.23 * narrow, 0.2) if cat else (0.165 * narrow, 0.165)
    tilt = -0.25 * side if cat else 0.12 * side
    canvas.shape(ellipse(0, 0, rx + 0.04, ry + 0.04, -tilt), mix(DARK, look.main, 0.1), "eyes", TOP)
    canvas.shape(ellipse(0, 0, rx, ry, -tilt), look.iris, "eyes", TOP)
    gaze = look.gaze if look.eyes == "side" else (0.25 * look.gaze[0], 0.0)
    px, py = 0.45 * rx * gaze[0], 0.35 * ry * gaze[1]
    pupil = (0.3 * rx, 0.85 * ry) if look.slit else (0.62 * rx, 0.66 * ry)
    canvas.shape(ellipse(px, py, *pupil, n=16), (18, 15, 18), "eyes", TOP)
    canvas.shape(
        ellipse(px - 0.3 * rx, py - 0.38 * ry, 0.055, 0.055, n=10), (252, 252, 250), "eyes", TOP
    )


def _whiskers(canvas: Canvas, look: Look, turn: Turn, rng: np.random.Generator) -> None:
    if not look.whiskers:
        return
    color = mix(look.main, (252, 250, 246), 0.75) if sum(look.main) < 420 else (96, 88, 84)
    depth = 0.42 if look.kind == "cat" else 0.55
    for side in (-1, 1):
        for k in (-1, 0, 1):
            droop = rng.uniform(-0.04, 0.1)
            start = turn.at(side * 0.26, 0.42 + 0.05 * k, depth)
            reach = side * (0.3 + 0.7 * look.whiskers)
            end = (start[0] + reach, start[1] + 0.2 * k + droop)
            middle = (start[0] + 0.5 * reach, start[1] + 0.08 * k - 0.03)
            canvas.line(curve([start, middle, end], 4), color, 0.022, "whiskers", TOP)
