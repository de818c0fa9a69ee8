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
from helpers.pets import PetsError, download

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
def saved(whole, tmp_path):
    path = tmp_path / "photos.zip"
    path.write_bytes(whole)
    return path


@pytest.fixture
def serve(monkeypatch):
    """Return a function that serves bytes on loopback, well or badly, and gives the server."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers = []

    def start(body, *, announced=None, status=200, length=True, hang=None):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                self.send_response(status)
                if length:
                    self.send_header("Content-Length", str(announced or len(body)))
                self.end_headers()
                self.wfile.write(body)
                if hang:
                    hang.wait(60)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.asked = 0
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{server.server_port}/{TOP}.zip"
        return server

    yield start
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
    with pytest.raises(PetsError) as error:
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


# Whole


@pytest.mark.parametrize("length", [True, False])
def test_from_a_server_once(serve, whole, elsewhere, capsys, length):
    server = serve(whole, length=length)
    folder = download(server.url)
    assert folder == elsewhere / "data" / "cache" / TOP
    assert_whole(folder)
    assert left(elsewhere) == [TOP], "the zip and what was beside are gone"
    assert f"All 3,000 photos are here, in {folder}.\n" in capsys.readouterr().out
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert download(server.url) == folder
    assert server.asked == 1, "a second run does nothing"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times
    assert capsys.readouterr().out == f"The photos are already here, in {folder}.\n"


def test_from_a_file(elsewhere, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(make_zip(compression=zipfile.ZIP_DEFLATED))
    assert_whole(download(str(path)))
    assert path.is_file()


# From a server, badly


@pytest.mark.parametrize("kept", [0.5, 0.01, 0.999, 0])
def test_an_answer_cut_off_is_refused(serve, whole, elsewhere, kept):
    body = whole[: int(len(whole) * kept)]
    assert_refused(elsewhere, serve(body, announced=len(whole)).url, "was cut off", "again")
    assert_refused(elsewhere, serve(body, length=False).url, "is damaged", "--from")


def test_a_length_that_is_wrong_or_not_a_number(serve, whole, elsewhere):
    assert_refused(elsewhere, serve(whole, announced=len(whole) - 9).url, "is damaged")
    assert_refused(elsewhere, serve(whole, announced="many").url, "cannot be fetched", "--from")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_refuses(serve, elsewhere, status):
    assert_refused(elsewhere, serve(b"no", status=status).url, str(status), "check the address")


def test_a_page_or_nothing_instead_of_the_zip_and_drawn_pets_still_load(serve, elsewhere):
    page = b"<html>Please accept the terms of this network</html>"
    for body in (page, b""):
        assert_refused(elsewhere, serve(body).url, "not a zip at all")
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


# From a file, badly


@pytest.mark.parametrize("source", ["none.zip", "."])
def test_a_path_that_is_not_there_or_a_folder(elsewhere, source):
    assert_refused(elsewhere, source, f"'{source}'", "check the path")


@pytest.mark.parametrize(
    "number,compression", [(0, zipfile.ZIP_STORED), (0, zipfile.ZIP_DEFLATED), (2_999, 0)]
)
def test_a_corrupt_member(elsewhere, number, compression):
    data = bytearray(make_zip(compression=compression))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.infolist()[number]
    data[member.header_offset + 30 + len(member.filename) + member.compress_size // 2] ^= 0xFF
    assert_refused(elsewhere, data, "bad.zip", "damaged")


@pytest.mark.parametrize("offset,value", [(6, 1), (8, 99)], ids=["password", "unknown method"])
def test_a_member_that_cannot_be_unpacked(elsewhere, whole, offset, value):
    data = bytearray(whole)
    data[offset] = value  # in the local header of the first member ...
    data[data.index(b"PK\1\2") + offset + 2] = value  # ... and in the directory
    assert_refused(elsewhere, data, "damaged")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.jpg",
        f"{TOP}/train/cats/../../../../evil.jpg",
        "/tmp/evil.jpg",
        "//server/share/evil.jpg",
        "C:/evil.jpg",
        "C:evil.jpg",
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


def test_a_zip_that_would_fill_the_disk(elsewhere, whole):
    data = bytearray(whole)
    size = data.index(b"PK\1\2") + 24  # of the first member, unpacked, in the directory
    data[size : size + 4] = (2**31).to_bytes(4, "little")
    assert_refused(elsewhere, data, "would fill", "do not trust")


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


# The disk


def test_a_class_reads_what_the_teacher_put_into_a_read_only_checkout(saved, elsewhere, read_only):
    folder = download(str(saved))
    (folder / "train" / "cats" / "cat.7.jpg").unlink()
    assert download(str(saved)) == folder, "a set that lacks some is fetched anew"
    assert_whole(folder)
    assert left(elsewhere) == [TOP]
    with read_only(elsewhere / "data" / "cache"):
        assert download(str(saved)) == pets.folder("photos") == folder


def test_a_disk_that_may_not_be_written(saved, elsewhere):
    (elsewhere / "data" / "cache").touch()
    (elsewhere / "user").touch()
    assert_refused(elsewhere, saved, "cannot be read or written", "again")
    with pytest.raises(PetsError, match="None of these folders can be written"):
        pets.folder("drawn")


# The command, in a clone of its own


@pytest.fixture
def clone(tmp_path):
    """Return a function that starts Python in a small clone, and the clone's data/cache."""
    source = Path(pets.__file__).parents[1]
    (tmp_path / "data").mkdir()
    for name in ("ascent.png", "drawn_pets.zip"):
        shutil.copy(source / "data" / name, tmp_path / "data")
    (tmp_path / "helpers").mkdir()
    for name in ("__init__.py", "errors.py", "images.py", "pets.py"):
        shutil.copy(source / "helpers" / name, tmp_path / "helpers")
    added = {"PYTHONPATH": str(tmp_path), "NO_PROXY": "127.0.0.1", "CNN_PETS": ""}

    def start(*words, **options):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        command = [sys.executable, *map(str, words)]
        return subprocess.Popen(command, cwd=tmp_path, env=os.environ | added, **pipes)

    return start, tmp_path / "data" / "cache"


COMMAND = ("-m", "helpers.pets")


def test_the_command(saved, clone):
    start, cache = clone
    out, err = start(*COMMAND, "download", "--from", saved).communicate()
    assert f"All 3,000 photos are here, in {cache / TOP}.\n" in out and err == ""
    assert_whole(cache / TOP)
    out, err = start(*COMMAND, "status").communicate()
    assert f"photos: {cache / TOP}\n" in out and "drawn: not here" in out and err == ""
    out, _ = start(*COMMAND, "--help").communicate()
    address = "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip"
    assert address in "".join(out.split())


def test_the_command_says_a_sentence_and_fails(serve, clone):
    start, cache = clone
    for source in ("none.zip", serve(b"no", status=404).url, serve(b"<html>").url):
        process = start(*COMMAND, "download", "--from", source)
        _, err = process.communicate()
        assert process.returncode == 1 and err.count("\n") == 1 and "Traceback" not in err
    assert list(cache.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_the_command_stopped_with_the_keyboard(serve, whole, clone):
    start, cache = clone
    hang = threading.Event()
    server = serve(whole[: len(whole) // 2], announced=len(whole), hang=hang)
    process = start(*COMMAND, "download", "--from", server.url)
    wait_for(lambda: list(cache.glob("*.part/photos.zip")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    hang.set()
    assert process.returncode == 130 and err.startswith("Stopped;") and err.count("\n") == 1
    assert list(cache.iterdir()) == []


def wait_for(something):
    end = time.monotonic() + 30
    while not something():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)


@pytest.mark.parametrize("where", ["downloading", "unpacking"])
def test_a_process_that_is_killed_leaves_nothing_half(serve, whole, saved, clone, where):
    start, cache = clone
    hang = threading.Event()
    server = serve(whole[: len(whole) // 2], announced=len(whole), hang=hang)
    source = server.url if where == "downloading" else saved
    process = start(*COMMAND, "download", "--from", source)
    signs = {"downloading": "*.part/photos.zip", "unpacking": f"*.part/{TOP}/train/cats/cat.9.jpg"}
    wait_for(lambda: list(cache.glob(signs[where])))
    process.kill()
    process.communicate()
    hang.set()
    [part] = cache.iterdir()
    assert part.name.startswith(f"{TOP}.") and part.suffix == ".part", "not under the final name"
    if where == "unpacking":
        long_ago = time.time() - 2 * 24 * 60 * 60
        os.utime(part, (long_ago, long_ago))
    assert start(*COMMAND, "download", "--from", saved).wait(timeout=60) == 0
    assert_whole(cache / TOP)
    expected = {TOP} if where == "unpacking" else {TOP, part.name}
    assert {path.name for path in cache.iterdir()} == expected, "swept away after a day"


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
import resource, sys
from helpers import pets
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
sys.exit(pets.main(["download", "--from", {serve(whole).url!r}]))
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
    process = start(*COMMAND, "download", "--from", serve(bytes(200_000)).url, stderr=end)
    os.close(end)
    shown = b""
    with suppress(OSError):  # the end of it
        while more := os.read(terminal, 10_000):
            shown += more
    os.close(terminal)
    assert process.wait(timeout=60) == 1 and b"100%" in shown and b"not a zip" in shown
