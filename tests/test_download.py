"""Downloading the photos, from a server on loopback and from files, whole and broken.

The zips hold 3,000 photos under the names of the public file, all of them one tiny image.
"""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from helpers import pets
from helpers.errors import LearnerError
from helpers.pets import download

TOP = "cats_and_dogs_filtered"
NAMES = [
    f"{TOP}/{split}/{kind}s/{kind}.{number}.jpg"
    for split, count in (("train", 1_000), ("validation", 500))
    for kind in ("cat", "dog")
    for number in range(count)
]
buffer = io.BytesIO()
Image.new("RGB", (8, 8), (200, 120, 60)).save(buffer, "JPEG")
PHOTO = buffer.getvalue()


def make_zip(names=NAMES, *, more=(), compression=zipfile.ZIP_STORED):
    """Return the bytes of a zip with the same tiny photo under each name, and what is added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in [*((name, PHOTO) for name in names), *more]:
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def whole():
    """Return a zip as it should be: the photos and, as in zips from elsewhere, something else."""
    link = zipfile.ZipInfo(f"{TOP}/train/link")
    link.external_attr = 0o120777 << 16
    others = [f"{TOP}/vectorize.py", f"__MACOSX/{TOP}/train/cats/._cat.0.jpg", f"{TOP}/.DS_Store"]
    more = [(f"{TOP}/train/", b""), (link, b"/etc"), *((name, b"other") for name in others)]
    return make_zip(more=more)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "photos.zip"
    path.write_bytes(make_zip(compression=zipfile.ZIP_DEFLATED))
    return path


@pytest.fixture
def serve(monkeypatch):
    """Return a function that serves bytes on loopback, well or badly, and gives the address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers, over = [], threading.Event()

    def start(body, *, announced=None, status=200, length=True, hang=False):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                if length:
                    self.send_header("Content-Length", str(announced or len(body)))
                self.end_headers()
                self.wfile.write(body)
                if hang:
                    over.wait(60)

            def log_message(self, *_):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/{TOP}.zip"

    yield start
    over.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def left(elsewhere):
    """Return what lies in both cache folders."""
    caches = (elsewhere / "data" / "cache", elsewhere / "user" / "cnn-notebooks")
    return [path.name for cache in caches if cache.is_dir() for path in cache.iterdir()]


def assert_refused(elsewhere, source, *parts):
    """Assert that a download, from an address, a path or bytes, ends in one sentence alone."""
    if isinstance(source, bytes | bytearray):
        (elsewhere / "bad.zip").write_bytes(source)
        source = elsewhere / "bad.zip"
    with pytest.raises(LearnerError) as error:
        download(str(source))
    text = str(error.value)
    assert "\n" not in text and text.endswith("."), text
    for part in parts:
        assert part in text, text
    assert left(elsewhere) == []


def assert_whole(folder):
    """Assert that a folder holds the photos and nothing else."""
    found = {f"{TOP}/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.*")}
    assert found == set(NAMES)
    assert {(folder.parent / name).read_bytes() for name in NAMES[::50]} == {PHOTO}


@pytest.mark.parametrize("length", [True, False])
def test_from_a_server_once(serve, whole, elsewhere, capsys, length):
    folder = download(serve(whole, length=length))
    assert folder == elsewhere / "data" / "cache" / TOP
    assert_whole(folder)
    assert left(elsewhere) == [TOP], "the zip and what was beside are gone"
    assert f"All 3,000 photos are here, in {folder}.\n" in capsys.readouterr().out
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert download("none.zip") == folder, "a second run does nothing"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times
    assert capsys.readouterr().out == f"The photos are already here, in {folder}.\n"


@pytest.mark.parametrize("kept", [0.5, 0.01, 0.999, 0])
def test_an_answer_cut_off_is_refused(serve, whole, elsewhere, kept):
    body = whole[: int(len(whole) * kept)]
    assert_refused(elsewhere, serve(body, announced=len(whole)), "was cut off", "again")
    assert_refused(elsewhere, serve(body, length=False), "is damaged", "--from")
    assert_refused(elsewhere, serve(whole, announced=len(whole) - 9), "is damaged")


def test_a_server_that_refuses_or_sends_something_else(serve, elsewhere):
    assert_refused(elsewhere, serve(b"", announced="many"), "cannot be fetched", "--from")
    for status in (403, 404, 500):
        assert_refused(elsewhere, serve(b"", status=status), str(status), "check the address")
    for body in (b"<html>Please accept the terms of this network</html>", b""):
        assert_refused(elsewhere, serve(body), "not a zip at all")
    assert pets.folder("drawn") == elsewhere / "data" / "cache" / "drawn_pets"


def test_nobody_answers(elsewhere, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/photos.zip"
        assert_refused(elsewhere, url, "cannot be fetched", "your connection", "drawn")
    monkeypatch.setattr(pets, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/photos.zip"
        assert_refused(elsewhere, url, "cannot be fetched", "Timeout")
    assert_refused(elsewhere, "ftp://127.0.0.1/photos.zip", "ftp://", "check the address")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("number", [0, 2_999])
def test_a_corrupt_member(elsewhere, number, compression):
    data = bytearray(make_zip(compression=compression))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.infolist()[number]
    data[member.header_offset + 30 + len(member.filename) + member.compress_size // 2] ^= 0xFF
    assert_refused(elsewhere, data, "bad.zip", "damaged")


@pytest.mark.parametrize(
    "offset,value,part",
    [
        (6, (1).to_bytes(), "damaged"),  # a password
        (8, (99).to_bytes(), "damaged"),  # an unknown method
    ],
)
def test_a_member_that_cannot_be_unpacked(elsewhere, whole, offset, value, part):
    data = bytearray(whole)
    for header in (0, data.index(b"PK\1\2") + 2):  # before the first member, and in the directory
        data[header + offset : header + offset + len(value)] = value
    assert_refused(elsewhere, data, part, "--from")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.jpg",
        f"{TOP}/train/cats/../../../../evil.jpg",
        "/tmp/evil.jpg",
        "C:/evil.jpg",
        "..\\evil.jpg",
        f"{TOP}\\train\\cats\\cat.1.jpg",
    ],
)
def test_a_name_that_leaves_the_folder(elsewhere, name):
    stand_in = "~" * len(name)  # zipfile itself writes no backslash on Windows
    data = make_zip(more=[(stand_in, b"evil")])
    assert data.count(stand_in.encode()) == 2, "before the member, and in the directory"
    data = data.replace(stand_in.encode(), name.encode())
    assert_refused(elsewhere, data, "leaves its folder", "do not trust")
    assert not list(elsewhere.rglob("*evil*"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names,part",
    [
        ([n for n in NAMES if not n.endswith("/dog.3.jpg")], "999 photos in train/dogs"),
        ([*NAMES, f"{TOP}/validation/cats/cat.7000.jpg"], "501 photos in validation/cats"),
        ([*NAMES[1:], f"{TOP}/train/cats/cat.0.JPG"], "999 photos in train/cats"),
        ([*NAMES[1:], NAMES[1]], "999 photos in train/cats"),
        ([name.removeprefix(f"{TOP}/") for name in NAMES], "0 photos in train/cats"),
    ],
)
def test_too_few_photos_or_too_many(elsewhere, names, part):
    assert_refused(elsewhere, make_zip(names), part, "--from")


def test_a_class_reads_what_the_teacher_put_into_a_read_only_checkout(saved, elsewhere, read_only):
    folder = download(str(saved))
    (folder / "train" / "cats" / "cat.7.jpg").unlink()
    assert download(str(saved)) == folder, "a set that lacks some is fetched anew"
    assert_whole(folder)
    assert left(elsewhere) == [TOP] and saved.is_file()
    with read_only(elsewhere / "data" / "cache"):
        assert download(str(saved)) == pets.folder("photos") == folder


def test_a_path_that_cannot_be_read_and_a_disk_that_may_not_be_written(saved, elsewhere):
    for source in ("none.zip", "."):
        assert_refused(elsewhere, source, f"'{source}'", "check the path")
    (elsewhere / "data" / "cache").rmdir()
    (elsewhere / "data" / "cache").touch()
    (elsewhere / "user").touch()
    both = [str(elsewhere / "data" / "cache"), str(elsewhere / "user" / "cnn-notebooks")]
    assert_refused(elsewhere, saved, "cannot be read or written", "again", *both)
    with pytest.raises(LearnerError, match="None of these folders can be written"):
        pets.folder("drawn")


# The command, in a clone of its own

COMMAND = ("-m", "helpers.pets")
MODULES = ("__init__", "errors", "images", "pets")


@pytest.fixture
def clone(tmp_path):
    """Return a function that starts Python in a small clone, and the clone's data/cache."""
    source = Path(pets.__file__).parents[1]
    for name in ("data/ascent.png", "data/drawn_pets.zip", *map("helpers/{}.py".format, MODULES)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(source / name, tmp_path / name)
    added = {"PYTHONPATH": str(tmp_path), "NO_PROXY": "127.0.0.1", "CNN_PETS": ""}

    def start(*words, **options):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        command = [sys.executable, *map(str, words)]
        return subprocess.Popen(command, cwd=tmp_path, env=os.environ | added, **pipes)

    return start, tmp_path / "data" / "cache"


def test_the_command(saved, serve, clone):
    start, cache = clone
    for source in ("none.zip", serve(b"no", status=404), serve(b"<html>")):
        process = start(*COMMAND, "download", "--from", source)
        _, err = process.communicate()
        assert process.returncode == 1 and err.count("\n") == 1 and "Traceback" not in err
    assert list(cache.iterdir()) == []
    out, err = start(*COMMAND, "download", "--from", saved).communicate()
    assert f"All 3,000 photos are here, in {cache / TOP}.\n" in out and err == ""
    assert_whole(cache / TOP)
    out, err = start(*COMMAND, "status").communicate()
    assert f"photos: {cache / TOP}\n" in out and "drawn: not here" in out and err == ""
    out, _ = start(*COMMAND, "--help").communicate()
    assert f"https://storage.googleapis.com/mledu-datasets/{TOP}.zip" in "".join(out.split())


def begun(start, cache, source, sign):
    """Return a process that downloads, once a file that matches the sign is in the cache."""
    process, end = start(*COMMAND, "download", "--from", source), time.monotonic() + 30
    while not list(cache.glob(sign)):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_the_command_stopped_with_the_keyboard(serve, whole, clone):
    start, cache = clone
    url = serve(whole[: len(whole) // 2], announced=len(whole), hang=True)
    process = begun(start, cache, url, "*.part/photos.zip")
    time.sleep(0.5)  # it waits for the rest: Python sees a signal just before a read only after it
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and err.startswith("Stopped;") and err.count("\n") == 1
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("sign", ["*.part/photos.zip", f"*.part/{TOP}/train/cats/cat.9.jpg"])
def test_a_process_that_is_killed_leaves_nothing_half(serve, whole, saved, clone, sign):
    start, cache = clone
    unpacking = TOP in sign
    url = serve(whole[: len(whole) // 2], announced=len(whole), hang=True)
    process = begun(start, cache, saved if unpacking else url, sign)
    process.kill()
    process.communicate()
    [part] = cache.iterdir()
    assert part.name.startswith(f"{TOP}.") and part.suffix == ".part", "not under the final name"
    if unpacking:
        long_ago = time.time() - 2 * 24 * 60 * 60
        os.utime(part, (long_ago, long_ago))
    assert start(*COMMAND, "download", "--from", saved).wait(timeout=60) == 0
    assert_whole(cache / TOP)
    assert part.exists() != unpacking, "swept away after a day"
    assert len(list(cache.iterdir())) == 1 + part.exists()


def test_two_kernels_may_unpack_the_drawn_pets_at_once(clone):
    start, cache = clone
    code = "from helpers import pets; print(len([*pets.folder().glob('*/*/*.jpg')]))"
    for process in [start("-c", code) for _ in range(2)]:
        out, err = process.communicate(timeout=120)
        assert out.endswith("\n3000\n") and err == ""
    assert [path.name for path in cache.iterdir()] == ["drawn_pets"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_disk_that_is_full(serve, whole, clone):
    start, cache = clone
    program = f"""
import resource
from helpers import pets
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
pets.main(["download", "--from", {serve(whole)!r}])
"""
    process = start("-c", program)
    _, err = process.communicate()
    assert process.returncode == 1 and "cannot be read or written" in err and err.count("\n") == 1
    assert list(cache.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_the_bar_in_a_terminal(serve, clone):
    import pty
    import termios

    start, _ = clone
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    process = start(*COMMAND, "download", "--from", serve(bytes(200_000)), stderr=end)
    os.close(end)
    shown = b""
    with suppress(OSError):  # the end of it
        while more := os.read(terminal, 10_000):
            shown += more
    os.close(terminal)
    assert process.wait(timeout=60) == 1 and b"100%" in shown and b"not a zip" in shown
