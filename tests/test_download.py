"""Downloading the photos, from a server on loopback and from files, whole and broken.

Most tests ask for 30 photos instead of 3,000, all of them one tiny picture; two ask for all.
"""

import io
import os
import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from helpers.pets import PetsError, __main__, download, load
from helpers.pets.photos import COUNTS, NAME


def tiny_jpeg():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 120, 60)).save(buffer, "JPEG")
    return buffer.getvalue()


def members():
    """Return the names of the 3,000 photos as they stand in the zip."""
    return [
        f"{NAME}/{where}/{where.split('/')[1][:3]}.{number}.jpg"
        for where, count in COUNTS.items()
        for number in range(count)
    ]


def make_zip(names, *, more=(), compression=zipfile.ZIP_STORED):
    """Return the bytes of a zip with the same tiny photo under each name, and what is added."""
    buffer, photo = io.BytesIO(), tiny_jpeg()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name in names:
            archive.writestr(name, photo)
        for name, data in more:
            archive.writestr(name, data)
    return buffer.getvalue()


REAL_COUNTS = dict(COUNTS)


@pytest.fixture(autouse=True)
def counts(request, monkeypatch):
    """Ask for a hundredth of the photos, except where a test is marked to want them all."""
    for where, count in REAL_COUNTS.items() if "all_photos" not in request.fixturenames else ():
        monkeypatch.setitem(COUNTS, where, count // 100)


@pytest.fixture
def all_photos():
    """Mark a test that wants 2 x 1,000 and 2 x 500 photos."""


@pytest.fixture
def whole():
    """Return a zip as it should be: the photos, and as in the public file something else."""
    return make_zip(members(), more=[(f"{NAME}/vectorize.py", b"print()"), (f"{NAME}/train/", b"")])


@pytest.fixture
def saved(whole, tmp_path):
    path = tmp_path / "photos.zip"
    path.write_bytes(whole)
    return path


@pytest.fixture
def serve(monkeypatch):
    """Return a function that serves bytes on loopback, well or badly, and gives the address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers = []

    def start(body, *, announced=None, status=200, length=True):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                self.send_response(status)
                if length:
                    self.send_header("Content-Length", str(announced or len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.asked = 0
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{server.server_port}/{NAME}.zip"
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
    """Assert that a download ends in one sentence and leaves nothing."""
    with pytest.raises(PetsError) as error:
        download.download(str(source))
    text = str(error.value)
    assert "\n" not in text and text.endswith("."), text
    for part in parts:
        assert part in text, text
    assert left(elsewhere) == []


def assert_whole(folder):
    """Assert that a folder holds the photos and nothing else."""
    found = {path.relative_to(folder.parent).as_posix() for path in folder.rglob("*.*")}
    assert found == set(members())
    assert {(folder.parent / name).read_bytes() for name in found} == {tiny_jpeg()}


# From a server


def test_a_full_answer(serve, whole, elsewhere, capsys):
    server = serve(whole)
    folder = download.download(server.url)
    assert folder == elsewhere / "data" / "cache" / NAME
    assert_whole(folder)
    assert left(elsewhere) == [NAME], "the zip and what was beside are gone"
    assert f"All 30 photos are here.\nThey are in {folder}.\n" in capsys.readouterr().out


def test_a_second_run_does_nothing(serve, whole, elsewhere, capsys):
    server = serve(whole)
    folder = download.download(server.url)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    capsys.readouterr()
    assert download.download(server.url) == folder
    assert server.asked == 1
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times
    assert capsys.readouterr().out == f"The photos are already here.\nThey are in {folder}.\n"


def test_a_full_answer_without_a_length(serve, whole, elsewhere):
    assert_whole(download.download(serve(whole, length=False).url))


@pytest.mark.parametrize("kept", [0.5, 0.01, 0.999])
def test_an_answer_cut_off_is_refused(serve, whole, elsewhere, kept):
    body = whole[: int(len(whole) * kept)]
    assert_refused(elsewhere, serve(body, announced=len(whole)).url, "cut off", "again")


@pytest.mark.parametrize("kept", [0.5, 0.01, 0.999, 0])
def test_an_answer_cut_off_is_refused_without_a_length_too(serve, whole, elsewhere, kept):
    body = whole[: int(len(whole) * kept)]
    assert_refused(elsewhere, serve(body, length=False).url, "damaged", "--from")


def test_a_length_too_small(serve, whole, elsewhere):
    assert_refused(elsewhere, serve(whole, announced=len(whole) - 9).url, "damaged")


def test_a_length_that_is_no_number(serve, whole, elsewhere):
    assert_refused(elsewhere, serve(whole, announced="many").url, "how long it is", "--from")
    assert_refused(elsewhere, serve(whole, announced="12, 13").url, "--from")


def test_a_length_that_the_client_library_lets_pass(serve, whole, elsewhere, monkeypatch):
    def fetch(url, path, received):  # as an old urllib3 does, which compares nothing
        Path(path).write_bytes(whole)
        received.total = len(whole) + 1

    monkeypatch.setattr(download, "_request", fetch)
    wanted = f"sent {len(whole):,} bytes where {len(whole) + 1:,} are expected"
    assert_refused(elsewhere, "http://127.0.0.1/photos.zip", wanted)


@pytest.mark.parametrize("length", [True, False])
def test_the_default_address_must_send_its_known_length(
    serve, whole, elsewhere, monkeypatch, length
):
    assert download.LENGTH == 68_606_236
    assert download.URL == (
        "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip"
    )
    server = serve(whole, length=length)
    monkeypatch.setattr(download, "URL", server.url)
    assert_refused(elsewhere, server.url, "68,606,236", f"{len(whole):,}")
    monkeypatch.setattr(download, "LENGTH", len(whole))
    assert_whole(download.download(server.url))


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_refuses(serve, elsewhere, status):
    assert_refused(elsewhere, serve(b"no", status=status).url, str(status), "--from")


def test_a_page_instead_of_the_zip(serve, elsewhere):
    page = b"<html>Please accept the terms of this network</html>"
    assert_refused(elsewhere, serve(page).url, "no zip")


def test_no_network(elsewhere, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/photos.zip"
        assert_refused(elsewhere, url, "cannot be reached", "drawn")


def test_a_server_that_says_nothing(elsewhere, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/photos.zip"
        assert_refused(elsewhere, url, "cannot be reached", "ReadTimeout")


@pytest.mark.parametrize("source", ["ftp://127.0.0.1/photos.zip", "file:///photos.zip"])
def test_an_address_of_another_kind(elsewhere, source):
    assert_refused(elsewhere, source, source, "http")


# From a file


def test_all_photos(all_photos, saved, elsewhere):
    assert list(COUNTS.values()) == [1_000, 1_000, 500, 500]
    assert_whole(download.download(str(saved)))


def test_a_zip_of_fewer_photos_is_not_the_right_one(all_photos, elsewhere, tmp_path):
    path = tmp_path / "fewer.zip"
    path.write_bytes(make_zip(name for name in members() if not name.endswith("/dog.499.jpg")))
    assert_refused(elsewhere, path, "999 photos in train/dogs where 1,000 are expected")


def test_a_path(saved, elsewhere):
    assert_whole(download.download(str(saved)))
    assert saved.is_file()


def test_a_compressed_zip(elsewhere, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(make_zip(members(), compression=zipfile.ZIP_DEFLATED))
    assert_whole(download.download(str(path)))


def test_a_path_that_is_not_there_or_a_folder(elsewhere, tmp_path):
    assert_refused(elsewhere, tmp_path / "none.zip", "none.zip", "check the path")
    assert_refused(elsewhere, tmp_path, "check the path")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("number", [0, 13, 29])
def test_a_corrupt_member(elsewhere, tmp_path, number, compression):
    data = bytearray(make_zip(members(), compression=compression))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.infolist()[number]
    data[member.header_offset + 30 + len(member.filename) + member.compress_size // 2] ^= 0xFF
    path = tmp_path / "corrupt.zip"
    path.write_bytes(data)
    assert_refused(elsewhere, path, "corrupt.zip", "damaged")


@pytest.mark.parametrize("offset,value", [(6, 1), (8, 99)], ids=["password", "unknown method"])
def test_a_member_that_cannot_be_unpacked(elsewhere, tmp_path, whole, offset, value):
    data = bytearray(whole)
    data[offset] = value  # in the local header of the first member ...
    data[data.index(b"PK\1\2") + offset + 2] = value  # ... and in the directory
    (tmp_path / "odd.zip").write_bytes(data)
    assert_refused(elsewhere, tmp_path / "odd.zip", "damaged")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.jpg",
        f"{NAME}/../../evil.jpg",
        f"{NAME}/train/cats/../../../../evil.jpg",
        "/tmp/evil.jpg",
        "//server/share/evil.jpg",
        "C:/evil.jpg",
        "C:evil.jpg",
        "..\\evil.jpg",
        f"{NAME}\\train\\cats\\cat.1.jpg",
        "\\evil.jpg",
    ],
)
def test_a_hostile_name(elsewhere, tmp_path, name):
    stand_in = "~" * len(name)  # zipfile itself writes no backslash on Windows
    data = make_zip(members(), more=[(stand_in, b"evil")])
    assert data.count(stand_in.encode()) == 2, "before the member, and in the directory"
    path = tmp_path / "hostile.zip"
    path.write_bytes(data.replace(stand_in.encode(), name.encode()))
    assert_refused(elsewhere, path, "do not trust")
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_in_the_zip(elsewhere, tmp_path):
    link = zipfile.ZipInfo(f"{NAME}/train/link")
    link.external_attr = 0o120777 << 16
    path = tmp_path / "link.zip"
    path.write_bytes(make_zip(members(), more=[(link, b"/etc")]))
    assert_refused(elsewhere, path, "do not trust")


@pytest.mark.parametrize("where", COUNTS)
def test_wrong_counts(elsewhere, tmp_path, where):
    kind = where.split("/")[1][:3]
    path = tmp_path / "counts.zip"
    lacking = [name for name in members() if name != f"{NAME}/{where}/{kind}.3.jpg"]
    path.write_bytes(make_zip(lacking))
    assert_refused(elsewhere, path, f"{COUNTS[where] - 1:,} photos in {where}", "--from")
    path.write_bytes(make_zip([*members(), f"{NAME}/{where}/{kind}.7000.jpg"]))
    assert_refused(elsewhere, path, f"{COUNTS[where] + 1:,} photos in {where}")
    path.write_bytes(make_zip([*lacking, f"{NAME}/{where}/{kind}.4.JPG"]))
    assert_refused(elsewhere, path, "not the right zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_given_twice_counts_once(elsewhere, tmp_path):
    names = members()
    path = tmp_path / "twice.zip"
    path.write_bytes(make_zip([*names[1:], names[1]]))
    assert_refused(elsewhere, path, "9 photos in train/cats")


def test_a_zip_that_would_fill_the_disk(elsewhere, saved, monkeypatch):
    monkeypatch.setattr(download, "MOST", 30 * len(tiny_jpeg()) - 1)
    assert_refused(elsewhere, saved, "would fill")


# The disk


def test_where_data_is_read_only_the_users_cache_takes_them(saved, elsewhere, read_only, capsys):
    with read_only(elsewhere / "data"):
        folder = download.download(str(saved))
    assert folder == elsewhere / "user" / "cnn-notebooks" / NAME
    assert_whole(folder)
    assert str(folder) in capsys.readouterr().out


def test_a_class_reads_what_the_teacher_put_into_a_read_only_checkout(
    saved, elsewhere, read_only, capsys
):
    folder = download.download(str(saved))
    with read_only(elsewhere / "data" / "cache"):
        assert download.download(str(saved)) == folder
        pets = load.load_pets("photos", size=32)
    assert pets.source == "photos"
    assert pets.folder.parent == elsewhere / "user" / "cnn-notebooks"
    assert f"They are kept in {pets.folder.parent}" in capsys.readouterr().out


def test_a_disk_that_may_not_be_written(saved, elsewhere):
    (elsewhere / "data" / "cache").touch()
    (elsewhere / "user").touch()
    assert_refused(elsewhere, saved, "cannot be written", "again")


@pytest.mark.parametrize("before", [False, True], ids=["fresh", "over an old one"])
@pytest.mark.parametrize("step", ["write", "rename"])
def test_a_disk_that_fails_on_the_way(saved, elsewhere, monkeypatch, step, before):
    old = elsewhere / "data" / "cache" / NAME
    if before:
        (old / "train").mkdir(parents=True)
        (old / "train" / "mine.txt").write_text("mine")
    write, rename = Path.write_bytes, Path.rename

    def full(path, data):
        if path.name == "dog.5.jpg":
            raise OSError(28, "No space left on device")
        return write(path, data)

    def stuck(path, target):
        if path.name == "new":
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "write_bytes", full if step == "write" else write)
    monkeypatch.setattr(Path, "rename", stuck if step == "rename" else rename)
    with pytest.raises(PetsError, match=r"No space left|Permission denied"):
        download.download(str(saved))
    assert left(elsewhere) == ([NAME] if before else [])
    if before:
        assert (old / "train" / "mine.txt").read_text() == "mine"


def test_photos_that_lack_some_are_fetched_anew(saved, elsewhere):
    folder = download.download(str(saved))
    (folder / "train" / "cats" / "cat.7.jpg").unlink()
    assert download.download(str(saved)) == folder
    assert_whole(folder)
    assert left(elsewhere) == [NAME]


# Interruptions


def test_a_learner_who_stops_it(saved, elsewhere, monkeypatch):
    def stop(bar, done, *, total=None):
        if done == 15:
            raise KeyboardInterrupt

    monkeypatch.setattr("helpers.pets.progress.Bar.move", stop)
    with pytest.raises(KeyboardInterrupt):
        download.download(str(saved))
    assert left(elsewhere) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_learner_who_stops_it_while_it_renames(saved, elsewhere, monkeypatch, when):
    old = elsewhere / "data" / "cache" / NAME
    (old / "train").mkdir(parents=True)
    (old / "train" / "mine.txt").write_text("mine")
    rename = Path.rename

    def stop(path, target):
        if path.name == "new" and when == "before":
            raise KeyboardInterrupt
        rename(path, target)
        if path.name == "new":
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt):
        download.download(str(saved))
    assert left(elsewhere) == [NAME]
    if when == "before":
        assert (old / "train" / "mine.txt").read_text() == "mine"
    else:
        assert_whole(old)


def test_what_another_process_sweeps_away_at_the_same_time(saved, elsewhere, monkeypatch):
    gone = elsewhere / "data" / "cache" / f"{NAME}.00000000.part"
    gone.mkdir(parents=True)
    stat = Path.stat

    def swept(path, **options):
        if path == gone:
            raise FileNotFoundError(2, "No such file or directory")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", swept)
    assert_whole(download.download(str(saved)))


@pytest.mark.parametrize("where", ["unpacking", "renaming"])
def test_a_process_that_dies(saved, elsewhere, where):
    program = f"""
        import os, pathlib, pooch
        from helpers import images
        from helpers.pets import download, photos, progress

        photos.COUNTS.update({COUNTS!r})

        def die(bar, done, *, total=None):
            if done == 15:
                os._exit(9)  # nothing is cleaned up

        images.data_folder = lambda: pathlib.Path({str(elsewhere / "data")!r})
        if {where!r} == "unpacking":
            progress.Bar.move = die
        else:
            pathlib.Path.rename = lambda path, target: os._exit(9)
        download.download({str(saved)!r})
        """
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], timeout=120)
    assert process.returncode == 9
    [part] = left(elsewhere)
    assert re.fullmatch(rf"{NAME}\.[0-9a-f]{{8}}\.part", part), "nothing under the final name"

    folder = download.download(str(saved))
    assert_whole(folder)
    long_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(folder.parent / part, (long_ago, long_ago))
    (folder / "train" / "cats" / "cat.7.jpg").unlink()
    download.download(str(saved))
    assert left(elsewhere) == [NAME], "what the dead process left is swept away after a day"


# The command


def test_the_command(saved, elsewhere, capsys):
    assert __main__.main(["download", "--from", str(saved)]) == 0
    assert_whole(elsewhere / "data" / "cache" / NAME)
    assert __main__.main(["status"]) == 0
    assert f"Photos: {elsewhere / 'data' / 'cache' / NAME}" in capsys.readouterr().out


def test_the_command_says_a_sentence_and_fails(elsewhere, capsys):
    assert __main__.main(["download", "--from", "none.zip"]) == 1
    output = capsys.readouterr()
    assert "none.zip cannot be read" in output.err and "Traceback" not in output.err


def test_the_command_stopped(saved, elsewhere, monkeypatch, capsys):
    def stop(source):
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "download", stop)
    assert __main__.main(["download"]) == 130
    assert "Stopped" in capsys.readouterr().err


def test_the_command_takes_the_public_address_by_default(monkeypatch):
    asked = []
    monkeypatch.setattr(__main__, "download", asked.append)
    assert __main__.main(["download"]) == 0
    assert asked == [download.URL]


def test_the_bar_in_a_terminal(serve, whole, elsewhere, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    download.download(serve(whole).url)
    err = capsys.readouterr().err
    assert "Downloading:" in err and "100%" in err and "30/30" in err
