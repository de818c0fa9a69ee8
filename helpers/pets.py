"""The cats and dogs: a folder of photos where they have been downloaded, else of drawn pets.

``python -m helpers.pets download`` gets the photos, 2,000 + 1,000 that Google's machine-learning
course chose from Kaggle's "Dogs vs. Cats" of 2013; ``python -m helpers.pets status`` says what is
there. The environment variable CNN_PETS (photos or drawn) chooses where no argument does. Both
sets have the same folders and names: train/cats/cat.0.jpg, ..., validation/dogs/dog.2499.jpg. The
drawn ones also have parts/cat.2000.png, ..., the parts of each validation pet (data/README.md).
"""

import argparse
import hashlib
import os
import re
import shutil
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from helpers.errors import LearnerError, number
from helpers.images import cache_folder, cache_folders, data_folder, resize

CLASS_NAMES: tuple[str, str] = ("cat", "dog")
URL = "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip"

_TOP = "cats_and_dogs_filtered"  # the one folder in both zips
_FOLDERS = {"photos": _TOP, "drawn": "drawn_pets"}  # in `cache_folders`
_COUNTS = {"train/cats": 1_000, "train/dogs": 1_000, "validation/cats": 500, "validation/dogs": 500}
_IMAGE = r"(?:train|validation)/(?:cats/cat|dogs/dog)\.\d{1,9}\.jpg"
_MEMBER = re.compile(rf"{_TOP}/(?:{_IMAGE}|parts/(?:cat|dog)\.\d{{1,9}}\.png)")
_HOSTILE = re.compile(r"^/|(^|/)\.\.(/|$)|[\\:\0]")  # leaves its folder, on one system or another
_TIMEOUT = 30  # seconds without a word from the server
_AGAIN = 'run "python -m helpers.pets download" again, with --from PATH-OR-URL for another copy'


@dataclass(frozen=True, eq=False)
class Split:
    """The images that train the network, or those that check it.

    images is (n, 150, 150, 3) uint8, labels is (n,) uint8 (0 = cat, 1 = dog), and names holds
    the n file names, such as "train/cats/cat.0.jpg".
    """

    images: np.ndarray = field(repr=False)
    labels: np.ndarray
    names: np.ndarray = field(repr=False)

    def _part(self, rows: slice | np.ndarray) -> "Split":
        return Split(self.images[rows], self.labels[rows], self.names[rows])


@dataclass(frozen=True, eq=False)
class Pets:
    """Training and validation images of cats and dogs, and where they came from.

    source is "photos" or "drawn", and digest is the SHA-256 of all images and labels. held_out
    counts the training images that `hold_out` put in the place of the validation images.
    """

    train: Split = field(repr=False)
    validation: Split = field(repr=False)
    source: str
    digest: str = field(repr=False)
    held_out: int = 0


def folder(source: str | None = None) -> Path:
    """Return the folder of the images in use, and print which they are.

    Its folders train and validation each hold the folders cats and dogs, as
    `keras.utils.image_dataset_from_directory` reads them. The drawn pets are unpacked the first
    time, into `helpers.images.cache_folder` (about a second).

    Parameters
    ----------
    source : "photos", "drawn" or None
        None asks the environment variable CNN_PETS, and where that is not set takes the photos
        if they are there.

    Raises
    ------
    LearnerError
        If the source has another name, if the photos are asked for and are not there, or if the
        drawn pets cannot be unpacked.
    """
    asked = source or os.environ.get("CNN_PETS") or None
    if asked not in (None, *_FOLDERS):
        raise LearnerError(
            f'There are no pets {asked!r}: take "photos" or "drawn", as the argument or in the '
            f"environment variable CNN_PETS."
        )
    photos = None if asked == "drawn" else _find("photos")
    if asked == "photos" and not photos:
        raise LearnerError(
            'The photos are not here, or not all of them: run "python -m helpers.pets download", '
            'or take "drawn".'
        )
    print(f"Pets: {'photos' if photos else 'drawn'}, 2,000 for training and 1,000 for validation.")
    return photos or _find("drawn") or _install("drawn", str(data_folder() / "drawn_pets.zip"))


def load_pets(source: str | None = None) -> Pets:
    """Return the training and the validation images as arrays, and print which they are.

    They are decoded each time, by Pillow on all processor cores: on two cores 2 s for the drawn
    pets and 4 s for the photos. What `source` may be, and what is refused, is as in `folder`.

    Returns
    -------
    Pets
        train and validation, each with images (n, 150, 150, 3) uint8 and labels (n,) uint8, 0
        for a cat and 1 for a dog, cats first.
    """
    place = folder(source)
    used = "drawn" if place.name == _FOLDERS["drawn"] else "photos"
    names = np.array(_image_names(place))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        decoded = pool.map(resize, (place / name for name in names))
        images = np.fromiter(decoded, np.dtype((np.uint8, (150, 150, 3))), len(names))
    labels = np.array(["/dogs/" in name for name in names], np.uint8)
    whole, cut = Split(images, labels, names), _COUNTS["train/cats"] + _COUNTS["train/dogs"]
    digest = hashlib.sha256(f"{images.shape} {cut}".encode())
    digest.update(images)
    digest.update(labels)
    train, validation = whole._part(slice(cut)), whole._part(slice(cut, None))
    return Pets(train, validation, used, digest.hexdigest())


def hold_out(pets: Pets, *, count: int) -> Pets:
    """Put some training images in the place of the validation images, to choose a recipe by.

    They are spread evenly over the training images, so that half of them are cats; the rest is
    learnt from. A count of 0 returns `pets`; one that leaves nothing to learn from is an error.
    """
    if not count:
        return pets
    total = len(pets.train.labels)
    number("number of images held out", count, 0, total - 1)
    held = np.isin(np.arange(total), np.arange(count) * total // count)
    return replace(
        pets,
        train=pets.train._part(~held),
        validation=pets.train._part(held),
        held_out=count,
        digest=hashlib.sha256(f"{pets.digest} {count}".encode()).hexdigest(),
    )


def download(source: str = URL) -> Path:
    """Put the photos where `folder` and `load_pets` find them, and return their folder.

    An interrupted run leaves nothing, and a second run does nothing.

    Parameters
    ----------
    source : str
        The path or the http(s) address of the zip; if it cannot be had, a LearnerError says why.
    """
    if found := _find("photos"):
        print(f"The photos are already here, in {found}.")
        return found
    print(f"Getting the photos from {source}")
    found = _install("photos", source)
    print(f"All {sum(_COUNTS.values()):,} photos are here, in {found}.")
    return found


def _find(source: str) -> Path | None:
    """Return the first folder that holds a whole set."""
    for place in (parent / _FOLDERS[source] for parent in cache_folders()):
        with suppress(LearnerError, OSError):  # OSError: a folder that one may not read
            _image_names(place)
            return place
    return None


def _image_names(place: Path) -> list[str]:
    """Return the names of a whole set: training first, cats before dogs, by number."""
    names = [file.relative_to(place).as_posix() for file in place.glob("*/*/*.jpg")]
    ordered = []
    for part, count in _COUNTS.items():
        inside = [name for name in names if name.startswith(part) and re.fullmatch(_IMAGE, name)]
        if len(inside) != count:
            found = f"There are {len(inside):,} photos in {part}, not {count:,}"
            raise LearnerError(f"{found}: {_AGAIN}.")
        ordered += sorted(inside, key=lambda name: int(name.split(".")[1]))
    return ordered


def _install(source: str, origin: str) -> Path:
    """Unpack a zip, from a path or an address, beside its place; move it there once it is whole.

    What an interruption leaves is deleted at once, what a killed process leaves a day later.
    """
    try:
        place = cache_folder() / _FOLDERS[source]
        for left in place.parent.glob(f"{place.name}.*.part"):
            if time.time() - left.stat().st_mtime > 24 * 60 * 60:
                shutil.rmtree(left, ignore_errors=True)
        with TemporaryDirectory(".part", f"{place.name}.", place.parent, True) as work:
            path = Path(origin).expanduser()
            if "://" in origin:
                path = Path(work) / "photos.zip"
                _fetch(origin, path)
            _unpack(path, Path(work))
            if not _find(source):  # else another process was quicker, and may be reading it
                if place.exists():  # a set that is not whole
                    place.rename(Path(work) / "old")
                (Path(work) / _TOP).rename(place)
    except OSError as error:
        raise LearnerError(
            f"The {source} pets cannot be read or written ({error}): check the path and the room "
            f"on the disk, and try again."
        ) from error
    return _find(source)


def _fetch(url: str, path: Path) -> None:
    """Download to a path; every failure of the network becomes a sentence."""
    import pooch
    import requests

    options = {"timeout": _TIMEOUT, "headers": {"Accept-Encoding": "identity"}}
    try:
        pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), **options)(url, str(path), None)
    except (requests.RequestException, ValueError) as error:  # a length that is not a number
        why = error if isinstance(error, requests.HTTPError) else type(error).__name__
        raise LearnerError(
            f"{url} cannot be fetched, or was cut off ({why}): check the address and your "
            f"connection, and {_AGAIN}; without photos the lessons use drawn pets."
        ) from error


def _unpack(path: Path, work: Path) -> None:
    """Write the images of a zip into a folder, each one checked by its CRC, and count them."""
    try:
        with zipfile.ZipFile(path) as archive:
            if any(_HOSTILE.search(member.orig_filename) for member in archive.infolist()):
                raise LearnerError(
                    f"{path.name} holds a name that leaves its folder: do not trust this copy; "
                    f"{_AGAIN}."
                )
            archive.extractall(work, filter(_MEMBER.fullmatch, archive.namelist()))
        _image_names(work / _TOP)
    except (LearnerError, OSError):
        raise
    except Exception as error:  # zipfile raises many kinds
        raise LearnerError(
            f"{path.name} is damaged, or not a zip at all ({error}): {_AGAIN}."
        ) from error


def main(arguments: list[str] | None = None) -> None:
    """Run ``python -m helpers.pets``; exit with 1 after a sentence on what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m helpers.pets", description=__doc__)
    parser.add_argument("command", choices=["download", "status"])
    text = "another copy of cats_and_dogs_filtered.zip (default: %(default)s)"
    parser.add_argument("--from", dest="source", metavar="PATH-OR-URL", default=URL, help=text)
    options = parser.parse_args(arguments)
    try:
        if options.command == "download":
            download(options.source)
            return
        for source in _FOLDERS:
            print(f"{source}: {_find(source) or 'not here, or not all of them'}")
        for parent in cache_folders():
            print(f"Looked in: {parent}")
        print(f"CNN_PETS: {os.environ.get('CNN_PETS', 'not set: photos if they are there')}")
    except LearnerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print("Stopped; what was there before is still there.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
