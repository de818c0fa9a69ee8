"""The photos: found in a folder, and decoded once.

They are the 2,000 + 1,000 photos that Google's machine-learning course uses, chosen from the
25,000 of Kaggle's "Dogs vs. Cats" competition of 2013.
"""

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from helpers.images import ImageError, cache_folders, open_image, resize
from helpers.pets.progress import Line
from helpers.pets.sets import CLASS_NAMES, PetsError, Stored

NAME = "cats_and_dogs_filtered"
DECODING = 1  # to be raised when `open_image` or `resize` make other pixels of a photo
TRAINING, VALIDATION = 1_000, 500  # photos of each kind
COUNTS = {
    f"{split}/{kind}s": count
    for split, count in (("train", TRAINING), ("validation", VALIDATION))
    for kind in CLASS_NAMES
}


def photo_name(member: str) -> str | None:
    """Return train/cats/cat.0.jpg for cats_and_dogs_filtered/train/cats/cat.0.jpg.

    None for anything in the zip that is not one of the photos.
    """
    match = re.fullmatch(
        rf"{NAME}/((?:train|validation)/(?:cats/cat|dogs/dog)\.\d{{1,9}}\.jpg)", member
    )
    return match and match[1]


def find_photos() -> list[Path]:
    """Return the photos from the first folder that holds them all; none if there is no folder.

    Raises
    ------
    PetsError
        If there are folders, but some photos have gone from each of them.
    """
    lacking = None
    for folder in (parent / NAME for parent in cache_folders()):
        try:
            if folder.is_dir():
                return photo_files(folder)
        except PetsError as error:
            lacking = lacking or error
        except OSError:  # somebody else's, where one may not look
            continue
    if lacking:
        raise lacking
    return []


def photo_files(folder: Path) -> list[Path]:
    """Return all photos in a folder: training first, cats before dogs, by number.

    Raises
    ------
    PetsError
        If there are not 2 x 1,000 for training and 2 x 500 for validation.
    """
    files: list[Path] = []
    for where, count in COUNTS.items():
        inside = folder / where
        found = inside.iterdir() if inside.is_dir() else ()
        names = [at.name for at in found if photo_name(f"{NAME}/{where}/{at.name}")]
        if len(names) != count:
            raise PetsError(  # without the folder: a notebook may store this sentence
                f"Of the photos, {len(names):,} are in {where} where {count:,} are expected: run "
                f'"python -m helpers.pets download" to get them all again.'
            )
        files += [inside / name for name in sorted(names, key=lambda name: int(name.split(".")[1]))]
    return files


def fingerprint(files: list[Path]) -> str:
    """Return 12 hexadecimal digits that change when a photo is replaced by another one.

    They are made of the photos' names, sizes and times of writing, and of `DECODING`; the
    photos are not read for it. Copied photos, with new times, are thus decoded once more.
    """
    total = hashlib.sha256(str(DECODING).encode())
    for file in files:
        found = file.stat()
        name = "/".join(file.parts[-3:])
        total.update(f"\n{name} {found.st_size} {found.st_mtime_ns}".encode())
    return total.hexdigest()[:12]


def decode(files: list[Path], *, size: int, line: Line) -> Stored:
    """Return the photos as arrays; one that cannot be decoded is left out and named."""

    def one(file: Path) -> np.ndarray | None:
        try:
            return resize(open_image(file), size)
        except ImageError:
            return None

    pictures = np.empty((len(files), size, size, 3), np.uint8)
    names, skipped, labels = [], [], []
    with (
        line.bar(len(files), "Decoding the photos, once:") as bar,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for done, (file, picture) in enumerate(zip(files, pool.map(one, files), strict=True), 1):
            name = "/".join(file.parts[-3:])
            bar.move(done)
            if picture is None:
                skipped.append(name)
                continue
            pictures[len(names)] = picture
            names.append(name)
            labels.append(CLASS_NAMES.index(file.name.split(".")[0]))
    training = sum(name.startswith("train/") for name in names)
    pictures = pictures[: len(names)]
    return Stored(pictures, np.array(labels, np.uint8), tuple(names), training, tuple(skipped))
