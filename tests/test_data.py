"""Every file in data/ is listed in data/README.md with its licence and its right SHA-256."""

import hashlib
import re

from helpers.images import data_folder

ROW = re.compile(r"\| \[([^]]+)\]\(\1\) \|(.+)\| `([0-9a-f]{64})` \|")


def listed():
    text = (data_folder() / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    matches = [ROW.fullmatch(row) for row in rows]
    assert all(matches), "a row of data/README.md has not the form of the others"
    return {match[1]: (match[2].split("|"), match[3]) for match in matches}


def test_every_file_is_listed_and_every_listed_file_is_there():
    found = {
        str(path.relative_to(data_folder()).as_posix())
        for path in data_folder().rglob("*")
        if path.is_file() and "cache" not in path.parts and path.suffix != ".part"
    }
    assert found - {"README.md"} == set(listed())


def test_every_hash_is_right():
    for name, (_, digest) in listed().items():
        assert hashlib.sha256((data_folder() / name).read_bytes()).hexdigest() == digest, name


def test_every_file_has_what_author_licence_and_source():
    for name, (cells, _) in listed().items():
        assert len(cells) == 4 and all(cell.strip() for cell in cells), name
