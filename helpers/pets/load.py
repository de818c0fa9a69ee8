"""`load_pets`: choose between photos and drawn pets, and keep them for next time."""

import os
import shutil
from pathlib import Path

from helpers.drawing import VERSION
from helpers.images import cache_folder, cache_folders
from helpers.pets import drawn, photos
from helpers.pets.progress import Line
from helpers.pets.sets import Pets, PetsError, Stored, read, save, sealed

SOURCES = {"photos": "Photos", "drawn": "Drawn pets"}


def load_pets(source: str | None = None, *, size: int = 150, quiet: bool = False) -> Pets:
    """Return the training and the validation pets, and print which ones they are.

    The first time takes a while, for the photos are decoded or the pets drawn. They are then
    kept in data/cache, or in the user's cache folder where data/ cannot be written.

    Parameters
    ----------
    source : "photos", "drawn" or None
        None asks the environment variable CNN_PETS, and where that is not set takes the
        photos if they are there.
    size : int
        Side of the square pictures in pixels.
    quiet : bool
        Leave out the progress bar; the choice is printed all the same.

    Returns
    -------
    Pets
        train and validation, each with pictures (n, size, size, 3) uint8 and labels (n,)
        uint8, 0 for a cat and 1 for a dog, cats first.

    Raises
    ------
    PetsError
        If the photos are asked for and are not there, or the size is not from 32 to 1,024.
    """
    if not isinstance(size, int) or isinstance(size, bool) or not 32 <= size <= 1_024:
        raise PetsError(f"The size is a whole number from 32 to 1,024, not {size!r}.")
    source, files, note = _choose(source)
    line = Line(f"Pets: {source}, 2,000 for training and 1,000 for validation.", quiet=quiet)
    if note:
        line.add(note)
    version = photos.fingerprint(files) if files else f"v{VERSION}"
    key = f"{source}-{size}-{version}"
    stored, folder = _find(key, line)
    if stored is None:
        stored = sealed(_make(files, size=size, line=line))
        folder = _keep(stored, key, line)
    if stored.skipped:
        line.add(f"Left out, for they cannot be decoded: {', '.join(stored.skipped)}.")
    train, validation = stored.train, stored.validation
    origin = (
        f"{SOURCES[source]}: {len(train.labels):,} for training and {len(validation.labels):,} "
        f"for validation."
    )
    return Pets(train, validation, source, origin, stored.digest, stored.skipped, folder)


def _choose(source: str | None) -> tuple[str, list[Path], str]:
    """Return the source, the files of the photos, and a sentence if they cannot be used."""
    asked = source or os.environ.get("CNN_PETS") or None
    if asked not in (None, *SOURCES):
        where = "The argument" if source else "The environment variable CNN_PETS"
        raise PetsError(f'{where} names the pets {asked!r}: take "photos" or "drawn".')
    try:
        files = [] if asked == "drawn" else photos.find_photos()
    except PetsError as error:
        if asked == "photos":
            raise
        return "drawn", [], str(error)
    if asked == "photos" and not files:
        raise PetsError(
            'The photos are not here: get them with "python -m helpers.pets download", or take '
            'load_pets("drawn").'
        )
    return ("photos" if files else "drawn"), files, ""


def _find(key: str, line: Line) -> tuple[Stored | None, Path | None]:
    """Return pictures kept earlier, and where; damaged ones are said, and passed over."""
    for folder in (parent / key for parent in cache_folders()):
        try:
            if folder.exists():
                return read(folder), folder
        except PetsError as error:
            line.aside(f"{error} They are made anew.")
        except OSError:  # somebody else's, where one may not look
            continue
    return None, None


def _make(files: list[Path], *, size: int, line: Line) -> Stored:
    if files:
        return photos.decode(files, size=size, line=line)
    return drawn.draw_all(size=size, line=line)


def _keep(stored: Stored, key: str, line: Line) -> Path | None:
    """Write pictures where one can; a terminal is told where if that is not in the clone."""
    try:
        parent = cache_folder()
        save(stored, parent / key)
    except OSError as error:
        line.add(f"They cannot be kept for next time ({error.strerror or 'no folder is open'}).")
        line.aside(str(error))
        return None
    if parent != cache_folders()[0]:
        line.aside(f"They are kept in {parent}, for the lessons' own folder cannot be written.")
    for old in parent.glob(f"{key.rpartition('-')[0]}-*"):
        if old.name != key and not old.name.endswith(".part"):
            shutil.rmtree(old, ignore_errors=True)
    return parent / key
