"""What stands behind the animal, and what stands in front of it."""

import numpy as np

from .breeds import ACCENTS, PALETTE, chance, jitter, pick
from .canvas import FRONT, Canvas, Color, blob, ellipse, mix, ribbon

_WALLS: tuple[Color, ...] = (
    (216, 204, 182),
    (178, 196, 204),
    (206, 182, 176),
    (176, 190, 164),
    (140, 132, 150),
    (228, 224, 214),
    (110, 122, 130),
    (190, 160, 130),
)
_GREENS: tuple[Color, ...] = ((112, 152, 74), (86, 128, 66), (148, 166, 86), (96, 116, 60))


def draw_background(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw one of six kinds of background over the whole canvas."""
    pick(rng, (_gradient, _room, _room, _meadow, _meadow, _sofa, _sky, _pattern))(canvas, rng)
    out_of_focus, radius = rng.random(2).tolist()
    if out_of_focus < 0.7:
        canvas.defocus(1 + 3 * radius)


def draw_foreground(canvas: Canvas, ground: float, rng: np.random.Generator) -> None:
    """Now and then, hide a part of the animal behind something."""
    if chance(rng, 0.28):
        pick(rng, (_cushion, _leaves, _leaves, _ball, _ball, _bars, _grass))(canvas, ground, rng)


def _gradient(canvas: Canvas, rng: np.random.Generator) -> None:
    """Fill the canvas with four corner colors, as out-of-focus light does."""
    a, b = jitter(rng, pick(rng, _background_colors()), 0.2), jitter(rng, pick(rng, _WALLS), 0.2)
    t = rng.random((3, 3, 1))
    canvas.backdrop((1 - t) * a + t * b)


def _background_colors() -> tuple[Color, ...]:
    """Return colors that are coats, too: color alone shall not cut out the animal."""
    return _WALLS + _GREENS + tuple(PALETTE.values())


def _vertical(canvas: Canvas, top: Color, bottom: Color) -> None:
    canvas.backdrop(np.array([[top, top], [bottom, bottom]]))


def _box(left: float, top: float, right: float, bottom: float):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _room(canvas: Canvas, rng: np.random.Generator) -> None:
    wall = jitter(rng, pick(rng, _WALLS), 0.15)
    floor = jitter(rng, pick(rng, list(PALETTE.values())[4:]), 0.15)
    _vertical(canvas, mix(wall, (255, 250, 240), 0.15), mix(wall, (40, 36, 40), 0.1))
    y = rng.uniform(0.6, 0.8)
    for _ in range(int(rng.random() * 3)):
        _wall_thing(canvas, y, rng)
    canvas.shape(_box(0, y, 1, 1), floor)
    for k in range(1, 5):
        canvas.shape(_box(0, y + 0.09 * k, 1, y + 0.09 * k + 0.006), mix(floor, (40, 30, 25), 0.3))
    canvas.shape(_box(0, y - 0.025, 1, y), mix(wall, (255, 255, 255), 0.4))
    if chance(rng, 0.4):
        canvas.shape(
            ellipse(rng.uniform(0.3, 0.7), 0.93, 0.42, 0.1), jitter(rng, pick(rng, ACCENTS))
        )


def _wall_thing(canvas: Canvas, floor: float, rng: np.random.Generator) -> None:
    """Draw a window, a picture or a plant."""
    x, w = rng.uniform(0, 0.8), rng.uniform(0.15, 0.32)
    thing = rng.random()
    if thing < 0.35:
        canvas.shape(_box(x - 0.02, 0.06, x + w + 0.02, 0.48), (240, 238, 232))
        canvas.shape(_box(x, 0.08, x + w, 0.46), jitter(rng, (160, 200, 230)))
        canvas.shape(_box(x + w / 2 - 0.01, 0.08, x + w / 2 + 0.01, 0.46), (240, 238, 232))
    elif thing < 0.65:
        color = jitter(rng, pick(rng, ACCENTS))
        canvas.shape(_box(x, 0.12, x + w, 0.36), mix(color, (40, 30, 25), 0.6))
        canvas.shape(_box(x + 0.02, 0.14, x + w - 0.02, 0.34), mix(color, (255, 255, 255), 0.5))
    else:
        for _ in range(6):
            tip = (x + w / 2 + rng.uniform(-0.2, 0.2), floor - rng.uniform(0.25, 0.5))
            leaf = ribbon([(x + w / 2, floor - 0.12), tip], [0.02, 0.07, 0.01], 4)
            canvas.shape(leaf, jitter(rng, pick(rng, _GREENS), 0.15))
        canvas.shape(
            _box(x + w / 2 - 0.06, floor - 0.13, x + w / 2 + 0.06, floor + 0.02), (176, 102, 70)
        )


def _meadow(canvas: Canvas, rng: np.random.Generator) -> None:
    sky = jitter(rng, pick(rng, ((150, 196, 232), (196, 214, 226), (240, 206, 176))), 0.1)
    _vertical(canvas, sky, mix(sky, (255, 255, 255), 0.5))
    green = jitter(rng, pick(rng, _GREENS), 0.15)
    y = rng.uniform(0.2, 0.65)
    canvas.shape(
        blob([(-0.3, y), (0.3, y - rng.uniform(0, 0.15)), (1.3, y), (1.3, 1.4), (-0.3, 1.4)]),
        mix(green, sky, 0.35),
    )
    canvas.shape(
        blob(
            [
                (-0.3, y + 0.15),
                (0.7, y + rng.uniform(0, 0.12)),
                (1.3, y + 0.2),
                (1.3, 1.4),
                (-0.3, 1.4),
            ]
        ),
        green,
    )
    for x, y0, h in rng.random((45, 3)):
        y1 = y + 0.15 + (1 - y) * y0
        canvas.line(
            [(x, y1), (x + 0.06 * (h - 0.5), y1 - 0.03 - 0.05 * h)],
            mix(green, (30, 60, 20) if h < 0.5 else (220, 230, 140), 0.3),
            0.006,
            "behind",
            0,
        )
    flower = jitter(rng, pick(rng, (*ACCENTS, (250, 250, 240))))
    for x, y0 in rng.random((int(rng.random() * 12), 2)):
        canvas.shape(ellipse(x, y + 0.2 + (1 - y) * y0, 0.016, 0.014, n=8), flower)


def _sofa(canvas: Canvas, rng: np.random.Generator) -> None:
    wall = jitter(rng, pick(rng, _WALLS), 0.15)
    cloth = jitter(rng, pick(rng, _background_colors()), 0.2)
    _vertical(canvas, wall, wall)
    dark = mix(cloth, (20, 18, 24), 0.25)
    top, seam = rng.uniform(0.15, 0.4), rng.uniform(0.3, 0.7)
    for left, right in ((seam - 0.75, seam), (seam, seam + 0.75)):
        back = [(left, top + 0.05), (left + 0.06, top), (right - 0.06, top), (right, top + 0.05)]
        canvas.shape([*back, (right, 0.9), (left, 0.9)], cloth)
        canvas.line([(right, top + 0.05), (right, 0.8)], dark, 0.012, "behind", 0)
    canvas.shape(_box(-0.1, 0.74, 1.1, 1.1), mix(cloth, (255, 250, 240), 0.12))
    canvas.line([(-0.1, 0.745), (1.1, 0.745)], dark, 0.02, "behind", 0)
    if chance(rng, 0.6):
        with canvas.at(rng.uniform(0.05, 0.95), 0.62, angle=rng.uniform(-0.5, 0.5)):
            canvas.shape(
                blob([(-0.18, -0.16), (0.18, -0.16), (0.18, 0.16), (-0.18, 0.16)]),
                jitter(rng, pick(rng, ACCENTS)),
            )


def _sky(canvas: Canvas, rng: np.random.Generator) -> None:
    blue = jitter(rng, pick(rng, ((120, 170, 220), (90, 130, 190), (236, 180, 150))), 0.15)
    _vertical(canvas, blue, mix(blue, (255, 255, 255), 0.6))
    for _ in range(1 + int(rng.random() * 4)):
        with canvas.at(rng.random(), 0.7 * rng.random(), scale=rng.uniform(0.06, 0.14)):
            for x, y, r in ((-0.8, 0.1, 0.7), (0, -0.2, 1.0), (0.9, 0.1, 0.7), (0.2, 0.3, 0.9)):
                canvas.shape(
                    ellipse(x, y, 1.3 * r, 0.7 * r, n=20), mix(blue, (255, 255, 255), 0.75)
                )
    ground = jitter(rng, pick(rng, (*_GREENS, (210, 190, 150), (236, 238, 244))))
    canvas.shape(
        blob([(-0.4, 0.85), (0.4, rng.uniform(0.74, 0.88)), (1.4, 0.82), (1.4, 1.5), (-0.4, 1.5)]),
        ground,
    )


def _pattern(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw wallpaper: stripes, dots or checks, at any angle."""
    a = jitter(rng, pick(rng, _WALLS), 0.2)
    b = mix(a, jitter(rng, pick(rng, ACCENTS + _WALLS)), rng.uniform(0.25, 0.8))
    _vertical(canvas, a, a)
    step, kind = rng.uniform(0.1, 0.22), int(rng.random() * 3)
    with canvas.at(0.5, 0.5, angle=rng.uniform(0, np.pi)):
        for i, x in enumerate(np.arange(-0.75, 0.75, step)):
            if kind == 0:
                canvas.shape(_box(x, -0.8, x + step / 2, 0.8), b)
                continue
            for j, y in enumerate(np.arange(-0.75, 0.75, step)):
                if kind == 1:
                    canvas.shape(ellipse(x, y + step / 2 * (i % 2), step / 4, step / 4, n=10), b)
                elif (i + j) % 2:
                    canvas.shape(_box(x, y, x + step, y + step), b)


# --- in front -----------------------------------------------------------------------------------


def draw_ledge(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw what an animal looks over, in head units: a wall, or the rim of a box."""
    box = chance(rng, 0.45)
    color = jitter(rng, pick(rng, ((178, 136, 92), *_WALLS)), 0.15) if not box else (184, 144, 98)
    half = 1.75 if box else 12
    front = [(-half, 0.78), (half, 0.78), (0.92 * half, 12), (-0.92 * half, 12)]
    canvas.shape(front, color, FRONT, 27)
    rim = mix(color, (255, 250, 240), 0.3)
    canvas.shape(_box(-half, 0.78, half, 0.92), rim, FRONT, 28)
    if box:
        for side in (-1, 1):
            flap = [(1.75, 0.8), (2.5, 1.25), (2.4, 1.6), (1.7, 1.15)]
            canvas.shape([(side * x, y) for x, y in flap], rim, FRONT, 28)


def _cushion(canvas: Canvas, ground: float, rng: np.random.Generator) -> None:
    color = jitter(rng, pick(rng, ACCENTS), 0.15)
    with canvas.at(
        rng.uniform(0.1, 0.9), 1.0, angle=rng.uniform(-0.4, 0.4), scale=rng.uniform(0.8, 1.3)
    ):
        canvas.shape(
            blob([(-0.22, -0.2), (0, -0.17), (0.22, -0.2), (0.2, 0), (0.22, 0.2), (-0.22, 0.2)]),
            color,
            FRONT,
            30,
        )
        for x in (-0.1, 0, 0.1):
            canvas.shape(
                _box(x - 0.012, -0.17, x + 0.012, 0.2), mix(color, (255, 255, 255), 0.45), FRONT, 30
            )


def _leaves(canvas: Canvas, ground: float, rng: np.random.Generator) -> None:
    x, y = pick(rng, ((0, 0), (1, 0), (0, 1), (1, 1)))
    green = pick(rng, _GREENS)
    for _ in range(4 + int(rng.random() * 5)):
        angle = np.arctan2(0.5 - y, 0.5 - x) + rng.uniform(-0.9, 0.9)
        reach = rng.uniform(0.25, 0.5)
        root = (x + rng.uniform(-0.15, 0.15), y + rng.uniform(-0.15, 0.15))
        tip = (root[0] + reach * np.cos(angle), root[1] + reach * np.sin(angle))
        color = jitter(rng, green, 0.25)
        canvas.shape(ribbon([root, tip], [0.02, 0.1, 0.0], 5), color, FRONT, 30)
        canvas.line([root, tip], mix(color, (230, 240, 190), 0.3), 0.006, FRONT, 30)


def _ball(canvas: Canvas, ground: float, rng: np.random.Generator) -> None:
    r, color = rng.uniform(0.06, 0.14), jitter(rng, pick(rng, ACCENTS))
    with canvas.at(
        rng.uniform(0.15, 0.85),
        min(0.98, ground + 0.02) - r * 0.8,
        scale=r,
        angle=rng.uniform(0, 6),
    ):
        canvas.shape(ellipse(0, 0, 1, 1), color, FRONT, 26)
        if chance(rng, 0.5):
            canvas.shape(
                ribbon([(-0.95, 0), (0, 0.2), (0.95, 0)], [0.3]), (244, 242, 236), FRONT, 26
            )
        else:
            for k in range(-2, 3):
                wool = ribbon([(-0.8, 0.3 * k), (0, 0.35 * k - 0.2), (0.8, 0.3 * k)], [0.05])
                canvas.shape(wool, mix(color, (30, 20, 30), 0.35), FRONT, 26)


def _bars(canvas: Canvas, ground: float, rng: np.random.Generator) -> None:
    color = jitter(rng, pick(rng, ((242, 240, 236), (70, 60, 56), (150, 110, 76))))
    width, x = rng.uniform(0.025, 0.05), rng.uniform(0.05, 0.45)
    for k in range(3):
        canvas.shape(_box(x + 0.42 * k, -0.1, x + 0.42 * k + width, 1.1), color, FRONT, 30)
    if chance(rng, 0.5):
        y = rng.uniform(0.1, 0.9)
        canvas.shape(_box(-0.1, y, 1.1, y + width), color, FRONT, 30)


def _grass(canvas: Canvas, ground: float, rng: np.random.Generator) -> None:
    green = pick(rng, _GREENS)
    for x, lean, h in rng.random((34, 3)):
        tip = (x + 0.15 * (lean - 0.5), 1 - 0.1 - 0.22 * h)
        canvas.shape(
            ribbon([(x, 1.05), tip], [0.03, 0.02, 0.0], 3), jitter(rng, green, 0.25), FRONT, 30
        )
