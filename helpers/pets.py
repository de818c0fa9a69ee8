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
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import LearnerError
from helpers.images import (
    ImageError,
    cache_folder,
    cache_folders,
    data_folder,
    open_image,
    resize,
)

if TYPE_CHECKING:
    import tensorflow as tf

CLASS_NAMES: tuple[str, str] = ("cat", "dog")
URL = "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip"

_TITLES = {"photos": "Photos", "drawn": "Drawn pets"}
_FOLDERS = {"photos": "cats_and_dogs_filtered", "drawn": "drawn_pets"}  # in `cache_folders`
_COUNTS = {"train/cats": 1_000, "train/dogs": 1_000, "validation/cats": 500, "validation/dogs": 500}
_IMAGE = r"(?:train|validation)/(?:cats/cat|dogs/dog)\.\d{1,9}\.jpg"
_MEMBER = re.compile(rf"cats_and_dogs_filtered/({_IMAGE}|parts/(?:cat|dog)\.\d{{1,9}}\.png)")
_HOSTILE = re.compile(r"^/|(^|/)\.\.(/|$)|[\\:\0]")  # leaves its folder, on one system or another
_MOST = 500_000_000  # bytes that a zip may unpack to; the photos have 68 million
_TIMEOUT = 30  # seconds without a word from the server
_A_DAY = 24 * 60 * 60  # seconds
_AGAIN = 'run "python -m helpers.pets download" again'
_ANOTHER = '"python -m helpers.pets download --from PATH-OR-URL" takes another copy'
_DISTRUST = f"do not trust this copy; {_ANOTHER}"


class PetsError(LearnerError):
    """Pets that cannot be had: one sentence with what happened and what to do next."""


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """The images that train the network, or those that check it.

    images is (n, size, size, 3) uint8, labels is (n,) uint8 (0 = cat, 1 = dog), and names holds
    the n file names, such as "train/cats/cat.0.jpg".
    """

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]

    def __repr__(self) -> str:
        """Return a line, not the pixels: a lesson may show it."""
        return f"Split({len(self.labels):,} images, {int(self.labels.sum()):,} of them dogs)"

    def _part(self, rows: slice | np.ndarray) -> "Split":
        names = np.array(self.names, object)[rows]
        return Split(self.images[rows], self.labels[rows], tuple(names))


@dataclass(frozen=True, eq=False)
class Pets:
    """Training and validation images of cats and dogs, and where they came from.

    source is "photos" or "drawn", origin says it in a sentence, digest is the SHA-256 of all
    images and labels, skipped names the images that could not be decoded, and folder holds the
    files. held_out counts the training images that `hold_out` put in the place of the validation
    images.
    """

    train: Split
    validation: Split
    source: str
    origin: str
    digest: str = field(repr=False)
    skipped: tuple[str, ...] = ()
    folder: Path | None = field(default=None, repr=False)
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
    PetsError
        If the source has another name, if the photos are asked for and are not there, or if the
        drawn pets cannot be unpacked.
    """
    return _in_use(source)[1]


def load_pets(source: str | None = None, *, size: int = 150, quiet: bool = False) -> Pets:
    """Return the training and the validation images as arrays, and print which they are.

    They are decoded each time, by Pillow on all processor cores: on two cores 2 s for the drawn
    pets and 4 s for the photos.

    Parameters
    ----------
    source : "photos", "drawn" or None
        As in `folder`.
    size : int
        Side of the square images in pixels, from 32 to 1,024.
    quiet : bool
        Leave out the progress bar, which the photos have; the choice is printed all the same.

    Returns
    -------
    Pets
        train and validation, each with images (n, size, size, 3) uint8 and labels (n,) uint8, 0
        for a cat and 1 for a dog, cats first. A damaged image is skipped, and named.

    Raises
    ------
    PetsError
        As in `folder`, or if the size is not from 32 to 1,024.
    """
    from tqdm.auto import tqdm

    if not isinstance(size, int) or isinstance(size, bool) or not 32 <= size <= 1_024:
        raise PetsError(f"The size is a whole number from 32 to 1,024, not {size!r}.")
    source, place = _in_use(source)
    names = _image_names(place)
    images = np.empty((len(names), size, size, 3), np.uint8)

    def decode(row: int) -> bool:
        try:
            images[row] = resize(open_image(place / names[row]), size)
        except ImageError:
            return False
        return True

    hidden = True if quiet or source == "drawn" else None  # None: shown if there is a terminal
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(decode, range(len(names)))
        decoded = list(tqdm(rows, "Decoding", len(names), leave=False, delay=2, disable=hidden))
    labels = np.array(["/dogs/" in name for name in names], np.uint8)
    whole = Split(images, labels, tuple(names))
    skipped = whole._part(~np.array(decoded)).names
    if skipped:
        print(f"Skipped, because they cannot be decoded: {', '.join(skipped)}.")
        whole = whole._part(np.array(decoded))
    cut = sum(name.startswith("train/") for name in whole.names)
    train, validation = whole._part(slice(cut)), whole._part(slice(cut, None))
    origin = (
        f"{_TITLES[source]}: {cut:,} for training and {len(validation.labels):,} for validation."
    )
    digest = hashlib.sha256(f"{whole.images.shape} {cut}".encode())
    digest.update(whole.images)
    digest.update(whole.labels)
    return Pets(train, validation, source, origin, digest.hexdigest(), skipped, place)


def hold_out(pets: Pets, *, count: int) -> Pets:
    """Put some training images in the place of the validation images, to choose a recipe by.

    Half of the `count` are cats and half are dogs, always the same ones; the rest is learnt from.
    The validation images proper are not in what is returned, so nothing can be chosen by them.
    A count of 0 returns `pets`.

    Raises
    ------
    PetsError
        The count is odd, or leaves nothing to learn from.
    """
    if not count:
        return pets
    random, train = np.random.default_rng(0), pets.train
    each = [random.permutation(np.flatnonzero(train.labels == label)) for label in (0, 1)]
    most = 2 * min(map(len, each)) - 2
    if count % 2 or not 0 < count <= most:
        raise PetsError(
            f"{count} training images cannot be held out, half of them cats and half dogs: "
            f"choose an even number from 2 to {most}."
        )
    held = np.concatenate([rows[: count // 2] for rows in each])
    return replace(
        pets,
        train=train._part(np.setdiff1d(np.arange(len(train.labels)), held)),
        validation=train._part(held),
        held_out=len(held),
        digest=hashlib.sha256(f"{pets.digest} {count}".encode()).hexdigest(),
    )


def as_dataset(
    split: Split, *, batch_size: int, shuffle_seed: int | None = None, repeat: bool = False
) -> "tf.data.Dataset":
    """Return images and labels as a tf.data pipeline of batches.

    Parameters
    ----------
    split : Split
    batch_size : int
        The last batch of a pass is smaller if the images do not divide evenly.
    shuffle_seed : int, optional
        Shuffle all the images, anew in each pass, in an order that this seed fixes.
    repeat : bool
        Start over after the last image, without end.

    Returns
    -------
    tf.data.Dataset
        Batches of (n, size, size, 3) uint8 images and (n, 1) float32 labels, the shape of the
        network's answer. TensorFlow keeps one copy of the images; the pipeline shuffles their
        numbers and picks the images from that copy, batch by batch.
    """
    import tensorflow as tf

    order = tf.data.Dataset.range(len(split.labels))
    if shuffle_seed is not None:
        order = order.shuffle(len(split.labels), seed=shuffle_seed)
    if repeat:
        order = order.repeat()
    with tf.device("CPU"):
        images = tf.constant(split.images)
        labels = tf.constant(split.labels, tf.float32)[:, None]

    def pick(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.gather(images, rows), tf.gather(labels, rows)

    return order.batch(batch_size).map(pick).prefetch(tf.data.AUTOTUNE)


def download(source: str = URL) -> Path:
    """Put the photos where `folder` and `load_pets` find them, and return their folder.

    An interrupted run leaves nothing, and a second run does nothing.

    Parameters
    ----------
    source : str
        The path or the http(s) address of the zip.

    Raises
    ------
    PetsError
        If the photos cannot be had: a sentence says why, and what to do.
    """
    if found := _find("photos")[0]:
        print(f"The photos are already here, in {found}.")
        return found
    print(f"Getting the photos from {source}")
    try:
        with _beside("photos") as new:
            path = Path(source).expanduser()
            if "://" in source:
                path = new.with_name("photos.zip")
                _fetch(source, path)
            _unpack(path, new)
    except OSError as error:
        raise PetsError(
            f"The photos cannot be read or written ({error}): check the path and the room on the "
            f"disk, and {_AGAIN}."
        ) from error
    found, _ = _find("photos")
    print(f"All {sum(_COUNTS.values()):,} photos are here, in {found}.")
    return found


def _in_use(source: str | None) -> tuple[str, Path]:
    """Return which pets are in use and their folder, and print which they are."""
    asked = source or os.environ.get("CNN_PETS") or None
    if asked not in (None, *_FOLDERS):
        where = "The argument" if source else "The environment variable CNN_PETS"
        raise PetsError(f'{where} names the pets {asked!r}: take "photos" or "drawn".')
    photos, problem = (None, "") if asked == "drawn" else _find("photos")
    if asked == "photos" and not photos:
        missing = 'The photos are not here: run "python -m helpers.pets download", or take "drawn".'
        raise PetsError(problem or missing)
    used = "photos" if photos else "drawn"
    print(f"Pets: {used}, 2,000 for training and 1,000 for validation.")
    if problem:
        print(problem)
    return used, photos or _drawn()


def _drawn() -> Path:
    """Return the folder of the drawn pets, unpacked if need be."""
    if not _find("drawn")[0]:
        try:
            with _beside("drawn") as new:
                _unpack(data_folder() / "drawn_pets.zip", new)
        except OSError as error:
            raise PetsError(f"The drawn pets cannot be unpacked ({error}).") from error
    return _find("drawn")[0]


def _find(source: str) -> tuple[Path | None, str]:
    """Return the first folder that holds a whole set, or None and what is missing if anything."""
    problem = ""
    for place in (parent / _FOLDERS[source] for parent in cache_folders()):
        try:
            if place.is_dir():
                _image_names(place)
                return place, ""
        except PetsError as error:
            problem = problem or str(error)
        except OSError:  # the folder of somebody else, which may not be read
            continue
    return None, problem


def _image_names(place: Path) -> list[str]:
    """Return the names of the images in a folder, in order; see `_in_order`."""
    return _in_order(file.relative_to(place).as_posix() for file in place.glob("*/*/*.jpg"))


def _in_order(files: Iterable[str]) -> list[str]:
    """Return those files that are images: training first, cats before dogs, by number.

    Raises
    ------
    PetsError
        If there are not 2 x 1,000 for training and 2 x 500 for validation. It does not name the
        folder, because a notebook may store it.
    """
    names, ordered = set(files), []
    for where, count in _COUNTS.items():
        inside = [name for name in names if name.startswith(where) and re.fullmatch(_IMAGE, name)]
        if len(inside) != count:
            raise PetsError(
                f"There are {len(inside):,} photos in {where} where {count:,} are expected: "
                f"{_AGAIN}; {_ANOTHER}."
            )
        ordered += sorted(inside, key=lambda name: int(name.split(".")[1]))
    return ordered


def _fetch(url: str, path: Path) -> None:
    """Download to a path; every failure of the network becomes a sentence."""
    import pooch
    import requests

    options = {"timeout": _TIMEOUT, "headers": {"Accept-Encoding": "identity"}}
    try:
        pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), **options)(url, str(path), None)
    except (requests.RequestException, ValueError) as error:  # a length that is not a number
        why = error if isinstance(error, requests.HTTPError) else type(error).__name__
        raise PetsError(
            f"{url} cannot be fetched, or was cut off ({why}): check the address and your "
            f"connection, and {_AGAIN}; {_ANOTHER}; without photos the lessons use drawn pets."
        ) from error


def _unpack(path: Path, new: Path) -> None:
    """Write the images of a zip into a folder, each one checked by its CRC."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if any(_HOSTILE.search(member.orig_filename) for member in members):
                raise PetsError(f"{path.name} holds a name that leaves its folder: {_DISTRUST}.")
            if sum(member.file_size for member in members) > _MOST:
                raise PetsError(f"{path.name} would fill more than {_MOST:,} bytes: {_DISTRUST}.")
            found = ((_MEMBER.fullmatch(member.filename), member) for member in members)
            images = {match[1]: member for match, member in found if match}
            _in_order(images)
            for name, member in images.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(archive.read(member))
    except (PetsError, OSError):
        raise
    except Exception as error:  # zipfile raises many kinds
        raise PetsError(
            f"{path.name} is damaged, or not a zip at all ({error}): {_AGAIN}; {_ANOTHER}."
        ) from error


@contextmanager
def _beside(source: str) -> Iterator[Path]:
    """Give an empty folder beside the place of a set, and put it there once all went well.

    What an interruption leaves is deleted at once, what a killed process leaves a day later.
    """
    place = cache_folder() / _FOLDERS[source]
    for left in place.parent.glob(f"{place.name}.*.part"):
        with suppress(OSError):  # another process may just have deleted it
            if time.time() - left.stat().st_mtime > _A_DAY:
                shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(".part", f"{place.name}.", place.parent, True) as work:
        new = Path(work) / "new"
        new.mkdir()
        yield new
        if _find(source)[0]:  # another process was quicker, and may be reading it
            return
        if place.exists():  # a set that is not whole
            place.rename(Path(work) / "old")
        new.rename(place)


def main(arguments: list[str] | None = None) -> int:
    """Run ``python -m helpers.pets``; return 0, or 1 after a sentence on what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m helpers.pets", description=__doc__)
    parser.add_argument("command", choices=["download", "status"])
    text = "another copy of cats_and_dogs_filtered.zip (default: %(default)s)"
    parser.add_argument("--from", dest="source", metavar="PATH-OR-URL", default=URL, help=text)
    options = parser.parse_args(arguments)
    try:
        if options.command == "download":
            download(options.source)
        else:
            _status()
    except LearnerError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; what was there before is still there.", file=sys.stderr)
        return 130
    return 0


def _status() -> None:
    for source in _FOLDERS:
        found, problem = _find(source)
        print(f"{_TITLES[source]}: {found or problem or 'not here'}")
    for parent in cache_folders():
        print(f"Looked in: {parent}")
    print(f"CNN_PETS: {os.environ.get('CNN_PETS', 'not set: photos if they are there')}")


if __name__ == "__main__":
    sys.exit(main())
