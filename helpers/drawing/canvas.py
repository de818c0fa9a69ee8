"""A canvas that draws each shape twice at once: its color, and which part it belongs to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Color = tuple[float, float, float]
Points = np.ndarray | Sequence[tuple[float, float]]

PARTS = ("ears", "eyes", "snout", "whiskers", "tongue", "body")
BEHIND, FRONT = "behind", "front"  # what is no part of the animal
CODES = {BEHIND: 0, **{part: i for i, part in enumerate(PARTS, start=1)}, FRONT: 7}
OVERSAMPLING = 2


def mix(a: Color, b: Color, t: float) -> Color:
    """Return the color that lies the share `t` of the way from `a` to `b`."""
    return tuple((1 - t) * x + t * y for x, y in zip(a, b, strict=True))


@lru_cache(64)
def _circle(n: int) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def ellipse(cx: float, cy: float, rx: float, ry: float, angle: float = 0, n: int = 32):
    """Return the (n, 2) outline of an ellipse turned by `angle` radians."""
    c, s = np.cos(angle), np.sin(angle)
    return _circle(n) @ ((rx * c, rx * s), (-ry * s, ry * c)) + (cx, cy)


@lru_cache(64)
def _spline_weights(n: int) -> np.ndarray:
    """Return the weights of four points at n places along a Catmull-Rom spline."""
    t = np.arange(n)[:, None] / n
    basis = ((0, 2, 0, 0), (-1, 0, 1, 0), (2, -5, 4, -1), (-1, 3, -3, 1))
    return 0.5 * (t ** np.arange(4)) @ basis


def blob(points: Points, n: int = 6) -> np.ndarray:
    """Return a smooth closed outline through `points` (a Catmull-Rom spline)."""
    p = np.asarray(points, float)
    return _spline(np.concatenate([p[-1:], p, p[:2]]), n)


def curve(points: Points, n: int = 6) -> np.ndarray:
    """Return a smooth open line through `points`, both ends included."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    return np.concatenate([_spline(p, n), p[-2:-1]])


def _spline(p: np.ndarray, n: int) -> np.ndarray:
    """Return n points on each piece between the second and the last but one of `p`."""
    pieces = np.stack([p[:-3], p[1:-2], p[2:-1], p[3:]], axis=1)
    return (_spline_weights(n) @ pieces).reshape(-1, 2)


def ribbon(points: Points, widths: Sequence[float], n: int = 6) -> np.ndarray:
    """Return the outline of a smooth line whose width changes along it, with round ends."""
    line = curve(points, n)
    ends = np.linspace(0, len(line) - 1, len(widths))
    w = np.interp(np.arange(len(line)), ends, widths)[:, None] / 2
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    along /= np.sqrt((along**2).sum(axis=1, keepdims=True)) + 1e-9
    across = along[:, ::-1] * (-1, 1)
    cos, sin = _half_circle()
    end = line[-1] + w[-1] * (cos * along[-1] - sin * across[-1])
    start = line[0] - w[0] * (cos * along[0] - sin * across[0])
    return np.concatenate([line + across * w, end, (line - across * w)[::-1], start])


@lru_cache(1)
def _half_circle() -> tuple[np.ndarray, np.ndarray]:
    t = np.linspace(-np.pi / 2, np.pi / 2, 7)[1:-1, None]
    return np.cos(t), np.sin(t)


def fluffy(outline: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Return an outline with tufts: every other point is pushed out, by up to `amount`."""
    if amount <= 0:
        return outline
    center = outline.mean(axis=0)
    push = amount * (np.arange(len(outline)) % 2) * rng.random(len(outline))
    return outline + (outline - center) * push[:, None]


class Canvas:
    """Colors and part codes of one picture, drawn at twice its size.

    Coordinates are local: `at` moves, turns, scales and flips all that is drawn inside it.
    The canvas itself reaches from (0, 0) at the top left to (1, 1).
    """

    def __init__(self, size: int):
        self.size = size
        self._side = size * OVERSAMPLING
        # The fourth channel holds `height * 8 + part`: what lies higher casts soft shadows.
        self._image = Image.new("RGBA", (self._side, self._side))
        self._draw = ImageDraw.Draw(self._image)
        self._matrix = np.array([[self._side, 0, 0], [0, self._side, 0]], float)

    @contextmanager
    def at(self, x=0.0, y=0.0, *, scale=1.0, angle=0.0, flip=False) -> Iterator[None]:
        """Draw around (x, y), `scale` times as large, turned by `angle`, maybe mirrored."""
        before = self._matrix
        c, s = np.cos(angle), np.sin(angle)
        turn = np.array([[c, -s], [s, c]]) * scale
        if flip:
            turn[:, 0] *= -1
        linear = before[:, :2] @ turn
        offset = before[:, :2] @ (x, y) + before[:, 2]
        self._matrix = np.column_stack([linear, offset])
        yield
        self._matrix = before

    def _pixels(self, points: Points) -> np.ndarray:
        return np.asarray(points, float) @ self._matrix[:, :2].T + self._matrix[:, 2]

    def shape(self, points: Points, color: Color, part: str = BEHIND, height: int = 0) -> None:
        """Fill a closed outline."""
        self._draw.polygon(self._pixels(points).ravel().tolist(), fill=_fill(color, part, height))

    def line(self, points: Points, color: Color, width: float, part: str, height: int) -> None:
        """Draw a line; its width is in local units, and at least one pixel of the picture."""
        (a, b, _), (c, d, _) = self._matrix.tolist()
        pixels = max(OVERSAMPLING, round(width * abs(a * d - b * c) ** 0.5))
        outline = self._pixels(points).ravel().tolist()
        self._draw.line(outline, _fill(color, part, height), pixels, joint="curve")

    def markings(
        self, outlines: Sequence[Points], color: Color, *, on: Sequence[int], soft: float = 1.0
    ) -> None:
        """Color what lies inside `outlines`, but only on the body at the heights `on`.

        Edges are blurred over `soft` pixels, as hair does; parts and heights stay.
        """
        allowed = {h * 8 + CODES["body"] for h in on}
        self._tint(outlines, color, soft=soft, where=[255 * (c in allowed) for c in range(256)])

    def shadow(self, outline: Points, darkness: float, soft: float) -> None:
        """Darken what has been drawn so far inside an outline, softly."""
        self._tint([outline], (20, 20, 30), soft=soft, share=darkness)

    def _tint(self, outlines, color: Color, *, soft: float, share=1.0, where=None) -> None:
        """Blend a color over soft outlines, in the pixels whose code the table `where` allows."""
        pixels = [self._pixels(outline) for outline in outlines]
        radius = soft * OVERSAMPLING * self.size / 150
        box = _bounds(pixels, 2 * radius + 2, self._side)
        if box is None:
            return
        left, top, right, bottom = box
        stencil = Image.new("L", (right - left, bottom - top))
        draw = ImageDraw.Draw(stencil)
        for points in pixels:
            draw.polygon((points - (left, top)).ravel().tolist(), fill=round(255 * share))
        if soft:
            stencil = stencil.filter(ImageFilter.BoxBlur(radius))
        below = self._image.crop(box)
        codes = below.getchannel("A")
        if where is not None:
            stencil = ImageChops.multiply(stencil, codes.point(where))
        below.putalpha(255)  # Pillow does not blend over transparent pixels.
        below.paste(_fill(color, BEHIND, 31), mask=stencil)
        below.putalpha(codes)
        self._image.paste(below, box)

    def backdrop(self, colors: np.ndarray) -> None:
        """Fill the canvas with a coarse (h, w, 3) array of colors, smoothly enlarged."""
        picture = Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8))
        picture = picture.resize((self._side, self._side), Image.Resampling.BILINEAR)
        self._image.paste(picture)
        self._image.putalpha(0)

    def defocus(self, radius: float) -> None:
        """Blur what has been drawn so far over `radius` pixels of 150, as a camera does."""
        blur = ImageFilter.BoxBlur(radius * self.size / 150)
        small = self._image.convert("RGB").reduce(OVERSAMPLING).filter(blur)
        self._image.paste(small.resize(self._image.size, Image.Resampling.BILINEAR))
        self._image.putalpha(0)

    def finish(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the (size, size, 3) colors, and the part codes and heights of each pixel."""
        colors = np.asarray(self._image.convert("RGB").reduce(OVERSAMPLING))
        codes = np.asarray(self._image.getchannel("A"))[::OVERSAMPLING, ::OVERSAMPLING]
        return colors, codes & 7, codes >> 3


def masks_of(codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return a boolean mask of each part from the part code of each pixel."""
    return {part: codes == CODES[part] for part in PARTS}


def _bounds(pixels: list[np.ndarray], margin: float, side: int):
    """Return the box (left, top, right, bottom) around outlines, or None if outside."""
    if not pixels:
        return None
    points = np.concatenate(pixels)
    left, top = (max(0, int(v - margin)) for v in points.min(axis=0))
    right, bottom = (min(side, int(v + margin) + 1) for v in points.max(axis=0))
    return (left, top, right, bottom) if left < right and top < bottom else None


def _fill(color: Color, part: str, height: int) -> tuple[int, int, int, int]:
    r, g, b = (min(255, max(0, round(c))) for c in color)
    return r, g, b, height * 8 + CODES[part]
