"""Open any picture as one kind of array, and find the pictures that ship with the lessons."""

import io
import os
import re
import sys
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from helpers.errors import LearnerError

SAMPLES: tuple[str, ...] = ("dog", "cat", "chelsea", "raccoon", "owl")

_SAMPLE_FILES = {
    "dog": "dog.jpg",
    "cat": "cat.jpg",
    "chelsea": "chelsea.png",
    "raccoon": "raccoon.jpg",
    "owl": "owl.jpg",
}
# Pillow knows more, but some it hands to other programs (EPS goes to Ghostscript). The photos
# of phones that are MPO files open as JPEG; AVIF is in Pillow from 11.3 on.
_AVIF = ("AVIF",) if find_spec("PIL.AvifImagePlugin") else ()
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "WEBP", "TIFF", *_AVIF)
_ADDRESS = re.compile(r"(https?|ftp|file):/|data:image/", re.IGNORECASE)
_LARGEST_SIDE = 10_000  # pixels; a slip of the finger should not fill the memory
_WHAT_TO_DO = "open it in a picture viewer, save it again as PNG or JPEG, and use that file"
# warnings.catch_warnings is not safe in threads, and photos are decoded in threads.
_CATCHING_WARNINGS = threading.Lock()


class ImageError(LearnerError):
    """A picture that cannot be used: one sentence with what was given and what to do next."""


def open_image(source: Any, *, name: str | None = None) -> np.ndarray:
    """Return any picture as red, green and blue numbers from 0 to 255.

    The EXIF rotation of a photo is applied, transparent parts are put on white, and of an
    animation the first frame is taken.

    Parameters
    ----------
    source : path, bytes, file object open for reading bytes, PIL image, or array
        A file is a PNG, JPEG, GIF, WebP, BMP, PPM, TIFF or, where Pillow can, AVIF; ``~`` in a
        path is the home folder.
        An array is (H, W) or (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) colours or
        (H, W, 4) colours and alpha. Its numbers mean, by their type:

        - bool: black and white;
        - uint8 and other integers: 0 to 255;
        - uint16: 0 to 65,535, as in 16-bit pictures (refused if all are below 256);
        - float: 0 to 1 if none is above 1, else 0 to 255 (refused if the largest lies
          between 1 and 2, where nobody can tell).

        PIL images of mode F follow the rule for floats, those of mode I;16 the one for 16
        bits; those of mode I mean 0 to 255 if none is above 255, else 0 to 65,535.
    name : str, optional
        What to call the picture in an error, where the source does not say it itself.

    Returns
    -------
    numpy.ndarray
        (H, W, 3) uint8, an array of its own.

    Raises
    ------
    ImageError
        If the source is not a picture, is damaged, is larger than Pillow's limit against
        decompression bombs, or if its numbers can mean more than one thing.
    """
    name = name or _name(source)
    if isinstance(source, Image.Image):
        return _from_image(source, name)
    if isinstance(source, str | os.PathLike):
        return _from_bytes(_read_file(os.fspath(source), name), name)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), name)
    if hasattr(source, "read"):
        return _from_bytes(_read_stream(source, name), name)
    if hasattr(source, "__array__"):
        return _from_array(np.asarray(source), name)
    raise ImageError(
        f"A picture can be a path, bytes, an open file, an array or a PIL image, and this is "
        f"{_a(type(source).__name__)}: give one of those."
    )


def resize(picture: Any, size: int | tuple[int, int] = 150) -> np.ndarray:
    """Return a picture squeezed or stretched to a size, as the network wants it.

    Parameters
    ----------
    picture : array (H, W, 3) uint8, or whatever `open_image` takes
    size : int or (int, int)
        The side of the square, or (height, width), in pixels, from 1 to 10,000.

    Returns
    -------
    numpy.ndarray
        (size, size, 3) or (height, width, 3) uint8. Each pixel is a weighted mean of all the
        pixels it covers (Pillow's bilinear filter), so small pictures do not flicker.

    Raises
    ------
    ImageError
        If the size is not one or two such whole numbers, or the picture cannot be opened.
    """
    height, width = _sides(size)
    image = Image.fromarray(open_image(picture))
    return np.array(image.resize((width, height), Image.Resampling.BILINEAR))


def _sides(size: Any) -> tuple[int, int]:
    """Return (height, width) of a size that is one whole number or two."""
    sides = tuple(size) if isinstance(size, tuple | list | np.ndarray) else (size, size)
    whole = [isinstance(side, int | np.integer) and not isinstance(side, bool) for side in sides]
    if len(sides) != 2 or not all(whole) or not all(1 <= side <= _LARGEST_SIDE for side in sides):
        raise ImageError(
            f"A picture cannot have the size {size!r}: give a whole number of pixels from 1 to "
            f"{_LARGEST_SIDE:,}, or two of them, (height, width)."
        )
    return int(sides[0]), int(sides[1])


def ascent() -> np.ndarray:
    """Return the grey picture of a staircase, (512, 512) uint8.

    It is `scipy.datasets.ascent`, pixel for pixel, without the download; public domain.
    """
    with Image.open(data_folder() / "ascent.png") as image:
        return np.array(image.convert("L"))


def sample(name: str) -> np.ndarray:
    """Return one of the photos in data/ as an (H, W, 3) uint8 array.

    Parameters
    ----------
    name : str
        One of `SAMPLES`; data/README.md says who took the photos.
    """
    if name not in _SAMPLE_FILES:
        raise ImageError(f"There is no sample {name!r}: choose one of {', '.join(SAMPLES)}.")
    return open_image(data_folder() / _SAMPLE_FILES[name])


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
            "The folder data/ with the lessons' pictures is not beside the package: clone the "
            'repository and install it there with "python -m pip install -e .".'
        )
    return folder


def cache_folders() -> list[Path]:
    """Return where downloaded and drawn pictures may lie, the first choice first.

    data/cache in the clone, so that a teacher can fill it for a whole class that may only read
    it, then a folder in the user's own cache.
    """
    import pooch

    try:
        own = [data_folder() / "cache"]
    except ImageError:
        own = []
    return [*own, Path(pooch.os_cache("cnn-notebooks")).expanduser()]


def cache_folder() -> Path:
    """Return the first of `cache_folders` in which one can write, created if need be.

    Raises
    ------
    OSError
        If one can write in none of them; the sentence names them.
    """
    folders = cache_folders()
    for folder in folders:
        if _writable(folder):
            return folder
    other = ""
    if sys.platform == "linux":  # elsewhere it is not looked at
        other = ", or set the environment variable XDG_CACHE_HOME to a folder of yours"
    raise OSError(
        f"None of these folders can be written: {', '.join(map(str, folders))}; make room there"
        f"{other}."
    )


def _writable(folder: Path) -> bool:
    """Return whether a file can be made in a folder, by making one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"{uuid.uuid4().hex}.part"  # tempfile hangs here on Windows
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError:
        return False
    return True


def _name(source: Any) -> str:
    """Return what to call a source in an error."""
    if isinstance(source, str | os.PathLike):
        return str(source)
    given = getattr(source, "filename", None) or getattr(source, "name", None)
    if isinstance(given, str | os.PathLike) and str(given):
        return str(given)
    return "this array" if hasattr(source, "__array__") else "this picture"


def _a(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"


def _read_file(given: str, name: str) -> bytes:
    if not given:
        raise ImageError("The path of the picture is empty: give the path of a file.")
    if _ADDRESS.match(given):
        raise ImageError(
            f"{_short(given)} is an address, not a file: save the picture on this computer, then "
            f"give its path."
        )
    path = _at_home(given)
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {name}: check its name and its folder.") from error
    except IsADirectoryError as error:
        raise ImageError(f"{name} is a folder: give the path of a picture in it.") from error
    except (OSError, ValueError) as error:
        if path.is_dir():  # Windows says "permission denied"
            raise ImageError(f"{name} is a folder: give the path of a picture in it.") from error
        raise ImageError(
            f"{name} cannot be read ({error}): check that you may open it, or copy it elsewhere."
        ) from error


def _at_home(given: str) -> Path:
    """Return a path with ~ as the home folder."""
    try:
        return Path(given).expanduser()
    except RuntimeError:  # no user of that name: a file's name may begin so
        return Path(given)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _read_stream(stream: Any, name: str) -> bytes:
    try:
        data = stream.read()
    except UnicodeDecodeError:
        data = ""
    except (OSError, ValueError) as error:
        raise ImageError(f"{name} cannot be read ({error}): open it again.") from error
    if not isinstance(data, bytes):
        raise ImageError(f'{name} is open as text: open it with open(path, "rb").')
    return data


def _from_bytes(data: bytes, name: str) -> np.ndarray:
    """Return the picture in the bytes of a file."""
    if not data:
        raise ImageError(f"{name} is empty (0 bytes): get the picture again.")
    try:
        with _without_warnings():
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large(name)) from error
    except Exception as error:
        raise ImageError(
            f"{name} is not a picture that Pillow can read: give a PNG, JPEG, GIF, WebP, BMP or "
            f"TIFF file."
        ) from error
    with image:
        return _from_image(image, name)


def _too_large(name: str) -> str:
    limit = (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
    return (
        f"{name} has more than {limit} million pixels, the limit against pictures made to fill "
        f"the memory: make it smaller in a picture editor first."
    )


def _from_image(image: Image.Image, name: str) -> np.ndarray:
    """Return a PIL image as an array; Pillow may decode it only now."""
    try:
        image.load()
        image = _upright(image)
        if image.mode.startswith("I;16"):
            return _grey(_to_bytes(np.asarray(image), 65_535))
        if image.mode == "I":
            values = np.asarray(image)
            kind = np.uint16 if 255 < values.max() <= 65_535 and values.min() >= 0 else np.int64
            return _from_array(values.astype(kind), name)
        if image.mode == "F":
            return _from_array(np.asarray(image), name)
        return np.array(_on_white(image))
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(name)) from error
    except Exception as error:
        raise ImageError(f"{name} is damaged or cut off ({error}): {_WHAT_TO_DO}.") from error


def _upright(image: Image.Image) -> Image.Image:
    """Return a photo turned as its EXIF orientation says; a broken EXIF block turns nothing."""
    try:
        with _without_warnings():
            return ImageOps.exif_transpose(image)
    except Exception:
        return image


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep Pillow's warnings off the learner's screen; that of a bomb is an error."""
    with _CATCHING_WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image in mode RGB, its transparent parts on white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("LA") if image.mode == "La" else image
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _from_array(values: np.ndarray, name: str) -> np.ndarray:
    """Return an array of numbers as a picture; `open_image` says what they mean."""
    if values.ndim == 4:
        raise ImageError(
            f"{name} holds several pictures, shape {values.shape}: take one, as in pictures[0]."
        )
    channels = values.shape[2] if values.ndim == 3 else 1
    if values.ndim not in (2, 3) or not 1 <= channels <= 4 or values.size == 0:
        raise ImageError(
            f"{name} has the shape {values.shape}: give (height, width) for grey, or (height, "
            f"width, 3) for colours; np.moveaxis(picture, 0, -1) puts the channels last."
        )
    numbers = _to_bytes(values, _white(values, name))
    if channels == 1:
        return _grey(numbers.reshape(numbers.shape[:2]))
    mode = {2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    height, width = numbers.shape[:2]
    return np.array(_on_white(Image.frombytes(mode, (width, height), numbers.tobytes())))


def _white(values: np.ndarray, name: str) -> int:
    """Return the number that means white in an array, or raise ImageError."""
    if values.dtype == bool:
        return 1
    if values.dtype.kind not in "iuf":
        raise ImageError(
            f"{name} holds {values.dtype}, not numbers: give integers from 0 to 255 or floats "
            f"from 0 to 1."
        )
    low, high = values.min(), values.max()
    if values.dtype == np.uint16 and high > 255:
        return 65_535
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        return 1
    unclear = values.dtype == np.uint16 or (values.dtype.kind == "f" and high <= 2)
    if not (low >= 0 and high <= 255) or unclear:  # NaN ends here too
        raise ImageError(
            f"{name} holds {values.dtype} numbers from {low:g} to {high:g}, and it is not clear "
            f"which is white: scale them to 0 to 1, or to 0 to 255 as uint8."
        )
    return 255


def _to_bytes(values: np.ndarray, white: int) -> np.ndarray:
    """Return numbers from 0 to white as uint8 from 0 to 255, rounded to the nearest."""
    if values.dtype == np.uint8:
        return values
    return np.rint(values.astype(np.float64) * (255 / white)).astype(np.uint8)


def _grey(values: np.ndarray) -> np.ndarray:
    """Return a (H, W) uint8 array three times, as red, green and blue."""
    return np.stack([values] * 3, axis=-1)
