"""Poses and bodies: torso, legs, tail, and what the animal wears.

One unit is a head radius; the ground is y = 0, and up is negative.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .breeds import Look, chance, pick
from .canvas import Canvas, blob, ellipse, fluffy, mix, ribbon
from .coat import FAR, HEAD, NEAR, TOP, TORSO, WORN, color_chest, color_torso
from .head import Turn, draw_head
from .scene import draw_ledge


@dataclass(frozen=True)
class Pose:
    """How an animal holds itself, and where in the picture it is."""

    name: str  # a key of _POSES
    x: float  # of the origin, as a share of the picture
    y: float
    scale: float  # head radius, as a share of the picture
    angle: float
    flip: bool
    turn: Turn
    tilt: float  # of the head


_POSES = {  # share of the pictures, and the range of head radii
    "face": (0.44, 0.25, 0.38),
    "peek": (0.14, 0.23, 0.31),
    "sit": (0.2, 0.15, 0.21),
    "stand": (0.1, 0.125, 0.17),
    "lie": (0.07, 0.14, 0.19),
    "curl": (0.05, 0.16, 0.21),
}


def choose_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose: nearly half are faces, close up; some leave the frame."""
    last = np.cumsum([share for share, *_ in _POSES.values()])
    name = list(_POSES)[min(int((rng.random() > last).sum()), len(last) - 1)]
    _, low, high = _POSES[name]
    side = rng.uniform(-1, 1)
    out = chance(rng, 0.1)
    x = 0.5 + rng.uniform(-0.08, 0.08) + (rng.uniform(-0.2, 0.2) if out else 0)
    y = rng.uniform(0.45, 0.6) if name in ("face", "peek") else rng.uniform(0.84, 0.96)
    return Pose(
        name=name,
        x=x,
        y=y + (rng.uniform(0, 0.12) if out else 0),
        scale=rng.uniform(low, high),
        angle=rng.uniform(-0.1, 0.1),
        flip=chance(rng, 0.5),
        turn=Turn(0.9 * side * abs(side), rng.uniform(-0.6, 0.6)),
        tilt=rng.uniform(-0.33, 0.33) * (0.6 if name in ("curl", "peek") else 1),
    )


def draw_animal(canvas: Canvas, look: Look, pose: Pose, rng: np.random.Generator) -> None:
    """Draw the whole animal in its pose."""
    with canvas.at(pose.x, pose.y, scale=pose.scale, angle=pose.angle, flip=pose.flip):
        x, y = _BODIES[pose.name](canvas, look, rng)
        with canvas.at(x, y, angle=pose.tilt):
            draw_head(canvas, look, pose.turn, rng)
            if look.neck == "bow" and pose.name != "stand":
                _bow(canvas, look, rng)
        if pose.name == "peek":
            draw_ledge(canvas, rng)
            for side in (-1, 1):
                _big_paw(canvas, look, side * rng.uniform(0.85, 1.0), 0.82)


# --- the bodies: each draws all but the head, and returns where the head sits -------------------


def _face(canvas: Canvas, look: Look, rng: np.random.Generator) -> tuple[float, float]:
    wide = rng.uniform(0.95, 1.35)
    chest = blob(
        [(-0.5, 0.3), (0.5, 0.3), (wide, 1.3), (1.2 * wide, 3.2), (-1.2 * wide, 3.2), (-wide, 1.3)]
    )
    _torso(canvas, look, chest, rng)
    color_chest(canvas, look, (0, 1.4), (0.5, 0.8))
    color_torso(canvas, look, (-wide, 0.9, wide, 3), rng)
    _neck(canvas, look, (-0.72, 0.8), (0.72, 0.8), 0.28)
    return 0, 0


def _sit(canvas: Canvas, look: Look, rng: np.random.Generator) -> tuple[float, float]:
    legs = 0.6 + 0.4 * look.breed.legs
    top = -1.0 - 1.1 * legs
    canvas.shadow(ellipse(0, 0, 1.8, 0.22), 0.45, 4)
    _tail(canvas, look, (0.8, -0.35), pick(rng, (-1, 1)), rng)
    torso = blob(
        [
            (-0.45, top),
            (0.45, top),
            (0.78, 0.5 * top),
            (1.0, -0.3),
            (0.6, -0.02),
            (-0.6, -0.02),
            (-1.0, -0.3),
            (-0.78, 0.5 * top),
        ]
    )
    _torso(canvas, look, torso, rng)
    color_chest(canvas, look, (0, top + 0.7), (0.42, 0.75))
    for side in (-1, 1):
        canvas.shape(ellipse(side * 0.82, -0.45, 0.4, 0.44), look.main, "body", TORSO + 1)
    color_torso(canvas, look, (-1.1, top + 0.4, 1.1, -0.1), rng)
    for side in (-1, 1):
        _paw(canvas, look, side * 0.95, -0.12, NEAR - 1)
        _leg(canvas, look, (side * 0.36, 0.5 * top), (side * 0.36, -0.15), NEAR)
    _neck(canvas, look, (-0.52, top + 0.12), (0.52, top + 0.12), 0.22)
    return 0, top - 0.62


def _stand(canvas: Canvas, look: Look, rng: np.random.Generator) -> tuple[float, float]:
    leg, long = 1.25 * look.breed.legs, 1.45 * look.breed.length
    back = -leg - 1.15
    canvas.shadow(ellipse(0, 0, long + 0.9, 0.2), 0.45, 4)
    _tail(canvas, look, (-long, back + 0.35), -1, rng)
    stride = rng.uniform(-0.3, 0.3)
    for x in (-long + 0.5, long - 0.15):
        _leg(canvas, look, (x, -leg - 0.3), (x - stride, -0.12), FAR, far=True)
    torso = blob(
        [
            (-long - 0.1, back + 0.2),
            (0, back + 0.08),
            (long, back - 0.1),
            (long + 0.35, back + 0.55),
            (long * 0.6, -leg + 0.12),
            (-0.3, -leg - 0.1),
            (-long, -leg + 0.1),
            (-long - 0.3, back + 0.6),
        ]
    )
    _torso(canvas, look, torso, rng)
    neck = ribbon([(long - 0.2, back + 0.6), (long + 0.35, back - 0.5)], [1.1, 0.85])
    canvas.shape(neck, look.main, "body", TORSO)
    color_chest(canvas, look, (long + 0.2, back + 0.75), (0.35, 0.5))
    color_torso(canvas, look, (-long - 0.3, back, long + 0.2, -leg), rng)
    for x in (-long + 0.15, long - 0.4):
        canvas.shape(ellipse(x, -leg - 0.35, 0.42, 0.5), look.main, "body", TORSO + 1)
        _leg(canvas, look, (x, -leg - 0.3), (x + stride, -0.1), NEAR)
    _neck(canvas, look, (long - 0.1, back - 0.1), (long + 0.75, back + 0.2), 0.22)
    return long + 0.45, back - 0.75


def _lie(canvas: Canvas, look: Look, rng: np.random.Generator) -> tuple[float, float]:
    long = 1.6 * look.breed.length
    canvas.shadow(ellipse(0.2, 0, long + 1.1, 0.25), 0.45, 4)
    _tail(canvas, look, (-long, -0.4), -1, rng)
    torso = blob(
        [
            (-long - 0.25, -0.5),
            (-long + 0.4, -1.25),
            (0, -1.2),
            (long - 0.4, -1.5),
            (long + 0.2, -0.9),
            (long, -0.05),
            (-long, -0.02),
        ]
    )
    _torso(canvas, look, torso, rng)
    color_chest(canvas, look, (long - 0.05, -0.75), (0.3, 0.6))
    color_torso(canvas, look, (-long - 0.2, -1.3, long, -0.2), rng)
    canvas.shape(ellipse(-long + 0.45, -0.52, 0.68, 0.55), look.main, "body", TORSO + 1)
    _leg(canvas, look, (-long + 0.6, -0.16), (-long + 1.3, -0.14), NEAR)
    for y in (-0.28, -0.14):
        _leg(canvas, look, (long - 0.5, y), (long + 0.95, y), NEAR)
    _neck(canvas, look, (long - 0.65, -1.2), (long + 0.25, -1.0), 0.22)
    return long - 0.1, -2.0


def _curl(canvas: Canvas, look: Look, rng: np.random.Generator) -> tuple[float, float]:
    canvas.shadow(ellipse(0, 0, 2.4, 0.3), 0.45, 4)
    body = blob(
        [
            (-1.95, -0.7),
            (-1.2, -1.55),
            (0, -1.75),
            (1.2, -1.5),
            (1.9, -0.7),
            (1.3, -0.05),
            (-1.3, -0.05),
        ]
    )
    _torso(canvas, look, body, rng)
    color_torso(canvas, look, (-1.9, -1.7, 1.7, -0.5), rng)
    canvas.shape(ellipse(-1.0, -0.62, 0.8, 0.6), look.main, "body", TORSO + 1)
    tail = ribbon([(-1.7, -0.5), (-1.1, -0.12), (-0.2, -0.12), (0.6, -0.2)], [0.4, 0.36, 0.24])
    canvas.shape(tail, _limb_color(look, mix(look.main, look.dark, 0.1)), "body", NEAR)
    _leg(canvas, look, (0.2, -0.2), (1.9, -0.14), NEAR)
    return 0.95, -0.85


_BODIES: dict[str, Callable] = {
    "face": _face,
    "peek": _face,
    "sit": _sit,
    "stand": _stand,
    "lie": _lie,
    "curl": _curl,
}


# --- pieces -------------------------------------------------------------------------------------


def _torso(canvas: Canvas, look: Look, outline: np.ndarray, rng: np.random.Generator) -> None:
    canvas.shape(fluffy(outline, 0.02 + 0.12 * look.fluff, rng), look.main, "body", TORSO)


def _limb_color(look: Look, otherwise):
    """Return the color of paws and tail tips: many patterns set them off."""
    return (
        look.second if look.breed.pattern in ("points", "bicolor", "saddle", "mask") else otherwise
    )


def _leg(canvas: Canvas, look: Look, hip, foot, height: int, *, far: bool = False) -> None:
    color = mix(look.main, look.dark, 0.3) if far else look.main
    width = 0.42 + 0.12 * look.fluff
    middle = ((hip[0] + foot[0]) / 2, (hip[1] + foot[1]) / 2)
    canvas.shape(
        ribbon([hip, middle, foot], [1.25 * width, width, 0.9 * width]), color, "body", height
    )
    _paw(canvas, look, foot[0] + 0.06, foot[1] - 0.02, height, far=far)


def _paw(canvas: Canvas, look: Look, x: float, y: float, height: int, *, far: bool = False) -> None:
    color = _limb_color(look, mix(look.main, look.second, 0.15))
    color = mix(color, look.dark, 0.3) if far else color
    canvas.shape(ellipse(x, y, 0.3, 0.19), color, "body", height)
    for toe in (-0.09, 0.09):
        canvas.line(
            [(x + toe, y + 0.05), (x + toe, y + 0.16)],
            mix(color, (30, 26, 28), 0.5),
            0.03,
            "body",
            height,
        )


def _big_paw(canvas: Canvas, look: Look, x: float, y: float) -> None:
    """Draw a paw laid over a ledge."""
    color = _limb_color(look, mix(look.main, look.second, 0.15))
    canvas.shape(ellipse(x, y, 0.34, 0.27), color, "body", TOP + 1)
    for toe in (-0.12, 0.0, 0.12):
        line = [(x + toe, y + 0.08), (x + 1.15 * toe, y + 0.22)]
        canvas.line(line, mix(color, (30, 26, 28), 0.5), 0.035, "body", TOP + 1)


def _tail(canvas: Canvas, look: Look, root, side: int, rng: np.random.Generator) -> None:
    """Draw the tail of the breed, from its root, towards one side."""
    x, y = abs(root[0]) * side, root[1]
    lift = rng.uniform(0.2, 1.0)
    kind = look.breed.tail
    color = _limb_color(look, mix(look.main, look.dark, 0.1))
    if look.breed.pattern in ("bicolor", "saddle", "mask"):
        color = mix(look.main, look.dark, 0.3)
    if kind == "short":
        points, widths = [(x, y), (x + side * 0.35, y - 0.35)], [0.35, 0.25]
    elif kind == "curled":
        points = [
            (x, y),
            (x + side * 0.35, y - 0.7),
            (x - side * 0.2, y - 1.0),
            (x - side * 0.3, y - 0.6),
        ]
        widths = [0.4, 0.5, 0.4]
    else:
        points = [
            (x, y),
            (x + side * 0.7, y - 0.2 * lift),
            (x + side * 0.85, y - 1.2 * lift),
            (x + side * (1.2 - lift), y - 1.9 * lift),
        ]
        widths = {"bushy": [0.5, 0.8, 0.5], "pompon": [0.22, 0.2, 0.2]}.get(
            kind, [0.34, 0.28, 0.18]
        )
    outline = ribbon(points, widths)
    canvas.shape(fluffy(outline, 0.08 * look.fluff, rng), color, "body", FAR)
    if kind == "pompon":
        canvas.shape(fluffy(ellipse(*points[-1], 0.36, 0.36), 0.25, rng), color, "body", FAR)


def _neck(canvas: Canvas, look: Look, left, right, width: float) -> None:
    """Draw a collar or a scarf between two points."""
    if look.neck not in ("collar", "scarf"):
        return
    middle = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2 + 0.16)
    if look.neck == "scarf":
        width *= 1.5
        end = (middle[0] + 0.1, middle[1] + 0.85)
        canvas.shape(
            blob([(middle[0] - 0.35, middle[1]), (middle[0] + 0.35, middle[1]), end], 4),
            mix(look.neck_color, (20, 20, 30), 0.15),
            "front",
            WORN,
        )
    canvas.shape(ribbon([left, middle, right], [width]), look.neck_color, "front", WORN)
    if look.neck == "collar":
        canvas.shape(
            ellipse(middle[0], middle[1] + 0.2, 0.14, 0.14, n=14), (232, 196, 84), "front", WORN + 1
        )


def _bow(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    """Draw a bow on the head or under the chin."""
    x, y = pick(rng, ((0.5, -0.82), (0, 0.98)))
    with canvas.at(x, y, scale=rng.uniform(0.8, 1.2), angle=rng.uniform(-0.3, 0.3)):
        for side in (-1, 1):
            wing = blob([(0, 0), (side * 0.42, -0.24), (side * 0.46, 0.22)], 5)
            canvas.shape(wing, look.neck_color, "front", HEAD + 8)
        canvas.shape(
            ellipse(0, 0, 0.11, 0.11, n=12),
            mix(look.neck_color, (0, 0, 0), 0.25),
            "front",
            HEAD + 8,
        )
