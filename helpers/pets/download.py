"""Get the photos: fetch the zip, check it, unpack it beside its place, rename in one step."""

import stat
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath

from helpers.images import cache_folder
from helpers.pets.photos import COUNTS, NAME, find_photos, photo_name
from helpers.pets.progress import Bar, Line
from helpers.pets.sets import PetsError, beside

URL = "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip"
LENGTH = 68_606_236  # bytes of the public file; no hash of it is published
MOST = 500_000_000  # bytes of photos that the zip may unpack to; the public file has 68 million
TIMEOUT = 30  # seconds without a word from the server
AGAIN = 'run "python -m helpers.pets download" again'
ANOTHER = '"python -m helpers.pets download --from PATH-OR-URL" takes another copy'
BAD_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,  # a compression or encryption that Python does not know
    RuntimeError,  # a password
    ValueError,
)


def download(source: str = URL, *, quiet: bool = False) -> Path:
    """Put the photos where `load_pets` finds them, and return their folder.

    An interrupted run leaves what was there before (see `beside`); a second run does nothing.

    Parameters
    ----------
    source : str
        The path or the http(s) address of the zip. Its length is checked against what the
        server said (and the public file against its known length), each photo against its
        CRC, and all of them are counted.
    quiet : bool
        Leave out the progress bars.

    Raises
    ------
    PetsError
        If the photos cannot be had: a sentence says why, and what to do.
    """
    folder = _there()
    if folder:
        Line("The photos are already here.", quiet=quiet).aside(f"They are in {folder}.")
        return folder
    line = Line(f"Getting the photos from {source}", quiet=quiet)
    try:
        folder = cache_folder() / NAME
        with beside(folder) as part:
            _unpack(_fetch(source, part.with_name("photos.zip"), line), part, line)
    except OSError as error:
        raise PetsError(
            f"The photos cannot be written ({error}): make room, or free the way to that folder, "
            f"and {AGAIN}."
        ) from error
    line.add(f"All {sum(COUNTS.values()):,} photos are here.")
    line.aside(f"They are in {folder}.")
    return folder


def _there() -> Path | None:
    """Return the folder of the photos if they are all there."""
    try:
        files = find_photos()
    except PetsError:
        return None
    return files[0].parents[2] if files else None


def _fetch(source: str, path: Path, line: Line) -> Path:
    """Return the path of the zip, downloaded if the source is an address."""
    if "://" not in source:
        return _readable(Path(source).expanduser())
    if not source.lower().startswith(("http://", "https://")):
        raise PetsError(f"{source} is not an address that starts with http: give one, or a path.")
    with line.bar(0, "Downloading:", unit="B") as bar:
        received = _Received(bar)
        _request(source, path, received)
    length = path.stat().st_size
    expected = LENGTH if source == URL else received.total or length
    if length != expected:
        raise PetsError(
            f"{source} sent {length:,} bytes where {expected:,} are expected: {AGAIN}; {ANOTHER}."
        )
    return path


def _readable(path: Path) -> Path:
    """Return the path of a file that can be read, or raise PetsError."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise PetsError(f"{path} cannot be read ({error.strerror}): check the path.") from error
    return path


class _Received:
    """What pooch reports of a download, in the manner of tqdm, passed on to a bar."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar
        self.done = 0
        self.total = 0  # pooch puts the Content-Length here, if there is one

    def update(self, count: int) -> None:
        self.done += count
        self.bar.move(self.done, total=self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Leave the bar to whoever made it."""


def _request(url: str, path: Path, received: _Received) -> None:
    """Download to a path by pooch; every failure of the network becomes a sentence."""
    import pooch
    import requests

    fetch = pooch.HTTPDownloader(
        progressbar=received,
        chunk_size=2**16,
        timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity"},  # so that lengths are those of the file
    )
    try:
        fetch(url, str(path), None)
    except requests.HTTPError as error:
        raise PetsError(f"The server refused ({error}): check the address; {ANOTHER}.") from error
    except (
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    ) as e:
        raise PetsError(f"{url} was cut off on the way ({e}): {AGAIN}.") from e
    except requests.RequestException as error:
        raise PetsError(
            f"{url} cannot be reached ({type(error).__name__}): check your connection and {AGAIN}; "
            f"{ANOTHER}, and without the photos the lessons use drawn pets."
        ) from error
    except ValueError as error:  # pooch reads the Content-Length as it comes
        raise PetsError(
            f"{url} does not say rightly how long it is ({error}): check the address; {ANOTHER}."
        ) from error


def _unpack(path: Path, folder: Path, line: Line) -> None:
    """Write the photos in a zip into a folder, each one checked by its CRC."""
    try:
        with zipfile.ZipFile(path) as archive, line.bar(0, "Unpacking:") as bar:
            members = _photos(archive, path)
            for where in COUNTS:
                (folder / where).mkdir(parents=True)
            for done, member in enumerate(members, 1):
                (folder / photo_name(member.filename)).write_bytes(archive.read(member))
                bar.move(done, total=len(members))
    except PetsError:  # a ValueError, as some of those below
        raise
    except BAD_ZIP as error:
        raise PetsError(
            f"{path.name} is damaged or no zip at all ({error}): {AGAIN}; {ANOTHER}."
        ) from error


def _photos(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """Return the members that are photos, or raise PetsError if they are not as they should be."""
    for member in archive.infolist():
        if _leaves(member):
            raise PetsError(
                f"{path.name} holds {member.filename!r}, which would be written outside its "
                f"folder: do not trust this copy; {ANOTHER}."
            )
    members = {m.filename: m for m in archive.infolist() if photo_name(m.filename)}
    found = Counter(photo_name(name).rpartition("/")[0] for name in members)
    for where, count in COUNTS.items():
        if found[where] != count:
            raise PetsError(
                f"{path.name} holds {found[where]:,} photos in {where} where {count:,} are "
                f"expected: it is not the right zip; {ANOTHER}."
            )
    size = sum(member.file_size for member in members.values())
    if size > MOST:
        raise PetsError(f"{path.name} would fill {size:,} bytes: do not trust it; {ANOTHER}.")
    return list(members.values())


def _leaves(member: zipfile.ZipInfo) -> bool:
    """Return whether a member's name or kind could lead out of the folder, on any system."""
    name = member.orig_filename
    return (
        "\\" in name
        or "\0" in name
        or ".." in PurePosixPath(name).parts
        or PurePosixPath(name).is_absolute()
        or bool(PureWindowsPath(name).drive)
        or stat.S_ISLNK(member.external_attr >> 16)
    )
