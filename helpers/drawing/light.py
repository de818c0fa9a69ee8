"""From flat colors to something like a photo: relief, fur, light, and the camera's faults."""

import io

import numpy as np
from PIL import Image, ImageFilter


def develop(
    colors: np.ndarray,
    codes: np.ndarray,
    heights: np.ndarray,
    *,
    fluff: float,
    curly: bool,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the finished (size, size, 3) uint8 picture.

    Parameters
    ----------
    colors : (size, size, 3) uint8
    codes, heights : (size, size) uint8
        Part and height of each pixel, as `Canvas.finish` returns them.
    fluff : float
        How long the fur is, 0 to 1.
    curly : bool
    rng : numpy.random.Generator
        For light and noise alone: what is drawn does not depend on it.
    """
    light = _relief(heights, rng.uniform(0, 2 * np.pi))
    light += _fur(codes, fluff, curly, rng)
    picture = colors * (1 + light)[..., None]
    picture = _expose(picture, rng)
    picture = _camera(picture, rng)
    return picture


def _blur(plane: np.ndarray, radius: float) -> np.ndarray:
    """Return a uint8 plane, blurred, as float32."""
    return np.asarray(
        Image.fromarray(plane)
        .filter(ImageFilter.BoxBlur(radius))
        .filter(ImageFilter.BoxBlur(radius)),
        np.float32,
    )


def _relief(heights: np.ndarray, angle: float) -> np.ndarray:
    """Return the light on a bas-relief: bright towards the light, dark beside what is higher."""
    size = len(heights)
    plane = (heights * 8).astype(np.uint8)
    smooth = _blur(plane, 0.022 * size)
    down, right = np.gradient(smooth)
    # Light comes from above, more or less from one side.
    slope = (0.8 * np.cos(angle) * right + (0.55 + 0.3 * np.sin(angle)) * down) * size / 150
    shadow = np.clip(smooth - plane, 0, 60)
    shade = np.where(plane > 0, 0.022 * slope, 0.004 * np.minimum(slope, 0))
    return np.clip(shade, -0.35, 0.35) - 0.005 * shadow


def _fur(codes: np.ndarray, fluff: float, curly: bool, rng: np.random.Generator) -> np.ndarray:
    """Return fine streaks of light and dark along one direction, on the animal's coat."""
    noise = rng.standard_normal(codes.shape, np.float32)
    steps = 1 + round(2 + 3 * fluff)
    dx, dy = (rng.uniform(-1, 1), 1.0)
    streaks = (
        sum(np.roll(noise, (round(k * dy), round(k * dx)), (0, 1)) for k in range(steps))
        / steps**0.5
    )
    if curly:
        streaks = _smooth_noise(codes.shape, 30, rng) * 1.6
    coat = (codes == 6) + 0.7 * (codes == 1) + 0.4 * (codes == 3)
    return (0.05 + 0.05 * fluff) * streaks * coat


def _smooth_noise(shape: tuple[int, int], grid: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise that varies over about size/grid pixels."""
    coarse = Image.fromarray(rng.standard_normal((grid, grid), np.float32))
    return np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))


def _expose(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the picture under a light that has a color, a strength, and falls off to one side."""
    size = len(picture)
    cast = 1 + 0.12 * (2 * rng.random(3) - 1)
    exposure = rng.uniform(0.62, 1.22)
    contrast = rng.uniform(0.7, 1.15)
    angle = rng.uniform(0, 2 * np.pi)
    across = np.linspace(-1, 1, size, dtype=np.float32) * np.float32(rng.uniform(0, 0.35))
    falloff = 1 + across * np.float32(np.cos(angle)) + across[:, None] * np.float32(np.sin(angle))
    gain = (cast * exposure * contrast).astype(np.float32)
    return picture * falloff[..., None] * gain + np.float32(118 * (1 - contrast))


def _camera(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what a camera makes of it: some blur, some noise, sometimes a strong JPEG."""
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    size = len(picture)
    if rng.random() < 0.3:
        blurred = Image.fromarray(picture).filter(
            ImageFilter.BoxBlur(rng.uniform(0.3, 1.1) * size / 150)
        )
        picture = np.asarray(blurred)
    noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(1.5, 9)
    picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=round(rng.uniform(30, 80)))
        picture = np.array(Image.open(buffer))
    return picture
