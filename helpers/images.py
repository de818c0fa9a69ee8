"""Open any image as one kind of array, and find the images that ship with the lessons."""

import io
import math
import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from helpers.errors import LearnerError, number, one_of

SAMPLES: tuple[str, ...] = ("dog", "cat", "chelsea", "raccoon", "owl")

# Pillow knows more formats, but some it hands to other programs (EPS goes to Ghostscript). The
# photos of phones that are MPO files open as JPEG.
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "WEBP", "TIFF", "AVIF")
_LARGEST_SIDE = 10_000  # pixels; a slip of the finger should not fill the memory

# What is odd about a file, but does not keep it from opening, is not the learner's business.
warnings.filterwarnings("ignore", module=r"PIL\.")


def open_image(source: Any, *, name: str | None = None) -> np.ndarray:
    """Return any image as red, green and blue numbers from 0 to 255.

    The EXIF rotation of a photo is applied, transparent parts are put on white, and of an
    animation the first frame is taken.

    Parameters
    ----------
    source : path, bytes, file object open for reading bytes, PIL image, or array
        A file is a PNG, JPEG, GIF, WebP, BMP, PPM, TIFF or AVIF; ``~`` in a path is the home
        folder.
        An array is (H, W) or (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) colours or
        (H, W, 4) colours and alpha. Floats mean 0 to 1 if none is above 1, uint16 means 0 to
        65,535 as in 16-bit images, and all other numbers 0 to 255. The same holds for the
        numbers of PIL images of the modes F, I;16 and I.
    name : str, optional
        What to call the image in an error, where the source does not say it itself.

    Returns
    -------
    numpy.ndarray
        (H, W, 3) uint8, an array of its own.

    Raises
    ------
    LearnerError
        If the source is not an image, is damaged, is larger than Pillow's limit against
        decompression bombs, or if its numbers are out of range, or floats of which the largest
        lies between 1 and 2, where nobody can tell what is white.
    """
    is_path = isinstance(source, str | os.PathLike)
    own = getattr(source, "filename", "") or getattr(source, "name", "")  # an image's, a file's
    name = name or str(source if is_path else own or "This image")
    if is_path or hasattr(source, "read"):
        source = _read(source, name)
    if isinstance(source, bytes | bytearray | memoryview | Image.Image):
        return _decode(source, name)
    if hasattr(source, "__array__"):
        return _from_array(np.asarray(source), name)
    raise LearnerError(
        f"An image can be a path, bytes, an open file, an array or a PIL image, and this is of "
        f"the type {type(source).__name__}: give one of those."
    )


def resize(image: Any, size: int | tuple[int, int] = 150) -> np.ndarray:
    """Return an image squeezed or stretched to a size, as the network wants it.

    Parameters
    ----------
    image : array (H, W, 3) uint8, or whatever `open_image` takes
    size : int or (int, int)
        The side of the square, or (height, width), in pixels, from 1 to 10,000.

    Returns
    -------
    numpy.ndarray
        (size, size, 3) or (height, width, 3) uint8. Each pixel is a weighted mean of all the
        pixels it covers (Pillow's bilinear filter), so small images do not flicker.

    Raises
    ------
    LearnerError
        If the size is not one or two such whole numbers, or the image cannot be opened.
    """
    sides = size if isinstance(size, tuple) and len(size) == 2 else (size, size)
    height, width = (
        number("size of an image", side, 1, _LARGEST_SIDE, other="(height, width) or ")
        for side in sides
    )
    opened = Image.fromarray(open_image(image))
    return np.array(opened.resize((width, height), Image.Resampling.BILINEAR))


def ascent() -> np.ndarray:
    """Return the grey image of a staircase, (512, 512) uint8.

    It is `scipy.datasets.ascent`, pixel for pixel, without the download; public domain.
    """
    return open_image(data_folder() / "ascent.png")[..., 0].copy()


def sample(name: str) -> np.ndarray:
    """Return one of the photos in data/ as an (H, W, 3) uint8 array.

    Parameters
    ----------
    name : str
        One of `SAMPLES`; data/README.md says who took the photos.
    """
    end = "png" if one_of("sample", name, SAMPLES) == "chelsea" else "jpg"
    return open_image(data_folder() / f"{name}.{end}")


def data_folder() -> Path:
    """Return the folder data/ of the clone."""
    return Path(__file__).resolve().parent.parent / "data"


def cache_folders() -> list[Path]:
    """Return where the images of pets may lie, the first choice first.

    data/cache in the clone, so that a teacher can fill it for a whole class that may only read
    it, then a folder in the user's own cache.
    """
    import pooch

    return [data_folder() / "cache", Path(pooch.os_cache("cnn-notebooks")).expanduser()]


def cache_folder() -> Path:
    """Return the first of `cache_folders` in which one can write, created if need be.

    Raises
    ------
    OSError
        If one can write in none of them; the sentence names them.
    """
    for folder in cache_folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f"{os.getpid()}.part"  # tempfile hangs here on Windows
            probe.touch()
            probe.unlink()
            return folder
    raise OSError(f"None of these folders can be written: {', '.join(map(str, cache_folders()))}")


def _read(source: Any, name: str) -> bytes:
    """Return what stands in a file: a path, or a file object open for reading bytes."""
    try:
        data = source.read() if hasattr(source, "read") else Path(source).expanduser().read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: ~ with the name of nobody
        raise LearnerError(
            f"The file {name[:100]!r} cannot be read ({error!s:.200}): check its name and its "
            f"folder; an image of the web has to be saved as a file first."
        ) from error
    if not isinstance(data, bytes):
        raise LearnerError(f'{name} is open as text: open it with open(path, "rb").')
    return data


def _decode(source: Any, name: str) -> np.ndarray:
    """Return the bytes of a file or a PIL image as an array."""
    try:
        image = source
        if not isinstance(source, Image.Image):
            image = Image.open(io.BytesIO(source), formats=_FORMATS)
            if math.prod(image.size) > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise Image.DecompressionBombError
        image.load()
        with suppress(Exception):  # a broken EXIF block turns nothing
            image = ImageOps.exif_transpose(image)
        if not image.mode.startswith(("I", "F")):
            return _on_white(image)
    except UnidentifiedImageError as error:
        raise LearnerError(
            f"{name} ({len(source):,} bytes) is not an image that Pillow can read: give a PNG, "
            f"JPEG, GIF, WebP, BMP or TIFF file. Save a HEIC photo, as many phones take them, as "
            f"JPEG first (on a Mac: Preview, File, Export; on Windows: Photos, Save as; an iPhone "
            f"takes JPEG after Settings, Camera, Formats, Most Compatible)."
        ) from error
    except Image.DecompressionBombError as error:
        raise LearnerError(
            f"{name} has more than {Image.MAX_IMAGE_PIXELS // 1_000_000} million pixels, the limit "
            f"against images made to fill the memory: make it smaller in an image editor first."
        ) from error
    except Exception as error:
        raise LearnerError(
            f"{name} is damaged or cut off ({error}): open it in an image viewer, save it again "
            f"as PNG or JPEG, and use that file."
        ) from error
    return _from_array(np.asarray(image), name)


def _on_white(image: Image.Image) -> np.ndarray:
    """Return an image in red, green and blue, its transparent parts on white."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def _from_array(values: np.ndarray, name: str) -> np.ndarray:
    """Return an array of numbers as an image; `open_image` says what they mean."""
    channels = values.shape[2:] or (1,)
    if values.ndim < 2 or channels not in [(1,), (2,), (3,), (4,)] or values.size == 0:
        raise LearnerError(
            f"{name} has the shape {values.shape}: give (height, width) for grey, or (height, "
            f"width, 3) for colours; images[0] takes the first of several, and np.moveaxis(image, "
            f"0, -1) puts the channels last."
        )
    kind = values.dtype.kind
    if kind not in "biuf":
        raise LearnerError(
            f"{name} holds {values.dtype}, not numbers: give integers from 0 to 255 or floats "
            f"from 0 to 1."
        )
    low, high = values.min(), values.max()
    white = 1 if kind == "b" or (kind == "f" and high <= 1) else 255
    if values.dtype.name == "uint16":
        white = 65_535
    if not 0 <= low <= high <= white or (kind == "f" and 1 < high <= 2):  # NaN ends here too
        raise LearnerError(
            f"{name} holds {values.dtype} numbers from {low:g} to {high:g}, and it is not clear "
            f"which is white: scale them to 0 to 1, or to 0 to 255 as uint8."
        )
    if values.dtype != np.uint8:
        values = np.rint(values.astype(np.float64) * (255 / white)).astype(np.uint8)
    return _on_white(Image.fromarray(values.squeeze(2) if values.shape[2:] == (1,) else values))
