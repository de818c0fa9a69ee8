"""Every file in data/ is listed in data/README.md with its licence and its right SHA-256."""

import hashlib
import re
import subprocess

from helpers.images import data_folder

ROW = re.compile(r"\| \[([^]]+)\]\(\1\) \|(.+)\| `([0-9a-f]{64})` \|")


def listed():
    text = (data_folder() / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    matches = [ROW.fullmatch(row) for row in rows]
    assert all(matches), "a row of data/README.md has not the form of the others"
    return {match[1]: (match[2].split("|"), match[3]) for match in matches}


def tracked():
    """Return the files that the repository holds; without git, all but those in cache/."""
    try:
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
        found = subprocess.run(command, cwd=data_folder(), capture_output=True, check=True).stdout
        names = found.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        paths = (path for path in data_folder().rglob("*") if path.is_file())
        names = [path.relative_to(data_folder()).as_posix() for path in paths]
        names = [name for name in names if not name.startswith("cache/")]
    return {name for name in names if name} - {"README.md"}


def digest(name):
    return hashlib.sha256((data_folder() / name).read_bytes()).hexdigest()


def test_every_file_is_listed():
    missing = [
        f"| [{name}]({name}) | what | author | licence | source | `{digest(name)}` |"
        for name in sorted(tracked() - set(listed()))
    ]
    assert not missing, "add to data/README.md:\n" + "\n".join(missing)


def test_every_listed_file_is_there():
    assert set(listed()) <= tracked()
    assert {"ascent.png", "dog.jpg", "cat.jpg", "raccoon.jpg"} <= set(listed())


def test_every_hash_is_right():
    wrong = {name: digest(name) for name, (_, stated) in listed().items() if digest(name) != stated}
    assert wrong == {}, "the hashes as they are now"


def test_every_file_has_what_author_licence_and_source():
    for name, (cells, _) in listed().items():
        assert len(cells) == 4 and all(cell.strip() for cell in cells), name
