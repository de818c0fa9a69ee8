"""Open any image as one kind of array, and find the images that ship with the lessons."""

import io
import math
import os
import re
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from helpers.errors import LearnerError

SAMPLES: tuple[str, ...] = ("dog", "cat", "chelsea", "raccoon", "owl")

# Pillow knows more formats, but some it hands to other programs (EPS goes to Ghostscript). The
# photos of phones that are MPO files open as JPEG.
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "WEBP", "TIFF", "AVIF")
_HEIC = re.compile(rb".{4}ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)
_ADDRESS = re.compile(r"(https?|ftp|file):/|data:image/", re.IGNORECASE)
_LARGEST_SIDE = 10_000  # pixels; a slip of the finger should not fill the memory

# What is odd about a file, but does not keep it from opening, is not the learner's business.
warnings.filterwarnings("ignore", module=r"PIL\.")


class ImageError(LearnerError):
    """An image that cannot be used: one sentence with what was given and what to do next."""


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
        (H, W, 4) colours and alpha. Its numbers mean, by their type:

        - bool: black and white;
        - uint8 and other integers: 0 to 255;
        - uint16: 0 to 65,535, as in 16-bit images (refused if all are below 256);
        - float: 0 to 1 if none is above 1, else 0 to 255 (refused if the largest lies
          between 1 and 2, where nobody can tell).

        PIL images of mode F follow the rule for floats, those of mode I;16 the one for 16
        bits; those of mode I mean 0 to 255 if none is above 255, else 0 to 65,535.
    name : str, optional
        What to call the image in an error, where the source does not say it itself.

    Returns
    -------
    numpy.ndarray
        (H, W, 3) uint8, an array of its own.

    Raises
    ------
    ImageError
        If the source is not an image, is damaged, is larger than Pillow's limit against
        decompression bombs, or if its numbers can mean more than one thing.
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
    raise ImageError(
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
    ImageError
        If the size is not one or two such whole numbers, or the image cannot be opened.
    """
    sides = tuple(size) if isinstance(size, tuple | list | np.ndarray) else (size, size)
    whole = (isinstance(side, int | np.integer) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not all(whole) or not all(1 <= side <= _LARGEST_SIDE for side in sides):
        raise ImageError(
            f"An image cannot have the size {size!r}: give a whole number of pixels from 1 to "
            f"{_LARGEST_SIDE:,}, or two of them, (height, width)."
        )
    height, width = map(int, sides)
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
    if name not in SAMPLES:
        raise ImageError(f"There is no sample {name!r}: choose one of {', '.join(SAMPLES)}.")
    return open_image(data_folder() / f"{name}.{'png' if name == 'chelsea' else 'jpg'}")


def data_folder() -> Path:
    """Return the folder data/ of the clone.

    Raises
    ------
    ImageError
        If the package was installed without its repository.
    """
    folder = Path(__file__).resolve().parent.parent / "data"
    if not (folder / "ascent.png").is_file():
        raise ImageError(
            "The folder data/ with the lessons' images is not beside the package: clone the "
            'repository and install it there with "python -m pip install -e .".'
        )
    return folder


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
    raise OSError(
        f"None of these folders can be written: {', '.join(map(str, cache_folders()))}; make room "
        f"there or, on Linux, let the environment variable XDG_CACHE_HOME name a folder of yours."
    )


def _read(source: Any, name: str) -> bytes:
    """Return what stands in a file: a path, or a file object open for reading bytes."""
    if _ADDRESS.match(str(source)):
        raise ImageError(f"{name[:60]} is an address: save the image as a file, and give its path.")
    try:
        data = source.read() if hasattr(source, "read") else Path(source).expanduser().read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {name}: check its name and its folder.") from error
    except IsADirectoryError as error:  # so is the empty path
        raise ImageError(f"The path {source!r} is a folder: give the path of an image.") from error
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: ~ with the name of nobody
        raise ImageError(
            f"{name} cannot be read ({error}): check that you may open it, or open it again."
        ) from error
    if not isinstance(data, bytes):
        raise ImageError(f'{name} is open as text: open it with open(path, "rb").')
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
        values = np.asarray(image)
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is {_unknown(source)}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{name} has more than {Image.MAX_IMAGE_PIXELS // 1_000_000} million pixels, the limit "
            f"against images made to fill the memory: make it smaller in an image editor first."
        ) from error
    except Exception as error:
        raise ImageError(
            f"{name} is damaged or cut off ({error}): open it in an image viewer, save it again "
            f"as PNG or JPEG, and use that file."
        ) from error
    if image.mode.startswith("I;16") or (
        image.mode == "I" and 255 < values.max(initial=0) <= 65_535
    ):
        values = values / 65_535
    return _from_array(values, name)


def _unknown(data: Any) -> str:
    """Return what a file is that Pillow does not open, and what to do about it."""
    if not data:
        return "empty (0 bytes): get the image again."
    if _HEIC.match(data):
        return (
            "a HEIC photo, as many phones take them, which Pillow cannot read: save it as JPEG (on "
            "a Mac: Preview, File, Export; on Windows: Photos, Save as; an iPhone takes JPEG after "
            "Settings, Camera, Formats, Most Compatible) and use that file."
        )
    return "not an image that Pillow can read: give a PNG, JPEG, GIF, WebP, BMP or TIFF file."


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
        raise ImageError(
            f"{name} has the shape {values.shape}: give (height, width) for grey, or (height, "
            f"width, 3) for colours; images[0] takes the first of several, and np.moveaxis(image, "
            f"0, -1) puts the channels last."
        )
    kind, sixteen = values.dtype.kind, values.dtype == np.uint16
    if kind not in "biuf":
        raise ImageError(
            f"{name} holds {values.dtype}, not numbers: give integers from 0 to 255 or floats "
            f"from 0 to 1."
        )
    low, high = values.min(), values.max()
    white = 65_535 if sixteen else 1 if kind == "b" or (kind == "f" and high <= 1) else 255
    unclear = (sixteen and high <= 255) or (kind == "f" and 1 < high <= 2)
    if unclear or not 0 <= low <= high <= white:  # NaN ends here too
        raise ImageError(
            f"{name} holds {values.dtype} numbers from {low:g} to {high:g}, and it is not clear "
            f"which is white: scale them to 0 to 1, or to 0 to 255 as uint8."
        )
    if values.dtype != np.uint8:
        values = np.rint(values.astype(np.float64) * (255 / white)).astype(np.uint8)
    return _on_white(Image.fromarray(values.squeeze(2) if values.shape[2:] == (1,) else values))
