"""From flat colors to something like a photo: relief, fur, light, and the camera's faults."""

import io
import math

import numpy as np
from PIL import Image, ImageFilter

from .canvas import CODES

# How hairy each part is, by its code; what is not the animal is not.
_HAIR = np.zeros(8, np.float32)
for _part, _share in {"body": 1.0, "ears": 0.7, "snout": 0.4}.items():
    _HAIR[CODES[_part]] = _share


def develop(
    colors: np.ndarray,
    codes: np.ndarray,
    heights: np.ndarray,
    *,
    fluff: float,
    curly: bool,
    rng: np.random.Generator,
    grain: np.random.Generator,
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
    rng, grain : numpy.random.Generator
        What the light is like, and the noise of each pixel: the first is asked the same
        questions at any size, so that a pet is lit the same way at all of them.
    """
    light = _relief(heights, rng.uniform(0, 2 * np.pi))
    light += _fur(codes, fluff, curly, rng.uniform(-1, 1), grain)
    return _camera(_expose(colors, light, rng), rng, grain)


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
    sideways, downwards = 0.8 * math.cos(angle), 0.55 + 0.3 * math.sin(angle)
    slope = (sideways * right + downwards * down) * (size / 150)
    shadow = np.clip(smooth - plane, 0, 60)
    shade = np.where(plane > 0, 0.022 * slope, 0.004 * np.minimum(slope, 0))
    return np.clip(shade, -0.35, 0.35) - 0.005 * shadow


def _fur(codes: np.ndarray, fluff: float, curly: bool, lean: float, grain) -> np.ndarray:
    """Return fine streaks of light and dark along one direction, on the animal's coat."""
    noise = grain.standard_normal(codes.shape, np.float32)
    if curly:
        streaks = 1.3 * _smooth_noise(codes.shape, 44, grain) + 0.4 * noise
    else:
        steps = 3 + round(3 * fluff)
        rolled = (np.roll(noise, (k, round(k * lean)), (0, 1)) for k in range(steps))
        streaks = sum(rolled) / steps**0.5
    return (0.05 + 0.05 * fluff) * streaks * _HAIR[codes]


def _smooth_noise(shape: tuple[int, int], grid: int, grain: np.random.Generator) -> np.ndarray:
    """Return noise that varies over about size/grid pixels."""
    coarse = Image.fromarray(grain.standard_normal((grid, grid), np.float32))
    return np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))


def _expose(colors: np.ndarray, light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the colors under a light that has a color and a strength, and falls off sideways."""
    cast = 1 + 0.12 * (2 * rng.random(3) - 1)
    exposure, contrast = rng.uniform(0.72, 1.22), rng.uniform(0.78, 1.2)
    angle, falloff = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.35)
    ramp = np.linspace(-falloff, falloff, len(colors), dtype=np.float32)
    light = (1 + light) * (1 + ramp * math.cos(angle) + ramp[:, None] * math.sin(angle))
    picture = light[..., None] * (cast * exposure * contrast).astype(np.float32)
    picture *= colors
    picture += 118 * (1 - contrast)
    return picture


def _camera(picture: np.ndarray, rng: np.random.Generator, grain: np.random.Generator):
    """Return what a camera makes of it: some blur, some noise, sometimes a strong JPEG."""
    blurred, radius, noise, packed, quality = rng.random(5).tolist()
    picture = np.clip(picture, 0, 255, out=picture).astype(np.uint8)
    if blurred < 0.2:
        blur = ImageFilter.BoxBlur((0.3 + 0.6 * radius) * len(picture) / 150)
        picture = np.asarray(Image.fromarray(picture).filter(blur))
    noisy = grain.standard_normal(picture.shape, np.float32)
    noisy *= 1 + 5 * noise
    noisy += picture
    picture = np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
    if packed < 0.3:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=round(40 + 40 * quality))
        picture = np.array(Image.open(buffer))
    return picture
