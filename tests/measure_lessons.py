"""What a learner's machine needs, measured: ``python -m tests.measure_lessons [LESSON...]``.

Prints the table of TEACHING.md. Each lesson runs as *Run All* does, in a fresh kernel, on drawn
pets (``CNN_PETS=photos`` takes the photos). Memory is the most that the kernel and the processes
it starts have held together, each counted at its own peak (VmHWM in /proc/PID/status, so this is
for Linux). JupyterLab itself stands below. Minutes are an estimate: 180 words of prose a minute,
40 seconds for each code cell and what it shows, four minutes for each lab and each exercise;
rounded to five.
"""

import argparse
import os
import re
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from tests.browser.pages import serve
from tests.refresh import LESSONS, run

LAB = re.compile(r"^(?:\w+ = )?(?:widgets\.)?[A-Z]\w*(?:Lab|Browser)\(", re.MULTILINE)


def minutes(book: nbformat.NotebookNode) -> int:
    """Return how long a learner is thought to take."""
    prose = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    words = len(re.findall(r"[\w'’-]+", re.sub(r"\]\(.*?\)|<.*?>", "", prose)))
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    labs = sum(len(LAB.findall(cell.source)) for cell in code)
    exercises = sum("solution" in cell.metadata.get("tags", []) for cell in code)
    cells = len(code) - 3 * exercises  # an exercise has a cell to write in, a check, a solution
    return 5 * round((words / 180 + cells * 40 / 60 + 4 * labs + 4 * exercises) / 5)


def held(ancestor: int) -> float:
    """Return the gigabytes that all living descendants of a process have held at most, in sum."""
    parents, peaks = {}, {}
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
        except OSError:  # it has just ended
            continue
        parents[int(lines["Pid"])] = int(lines["PPid"])
        peaks[int(lines["Pid"])] = int(lines.get("VmHWM", "0 kB").split()[0]) * 1024 / 1e9
    family = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(peaks[pid] for pid in family - {ancestor})


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Give a dict in which seconds and peak gigabytes stand once the block is left."""
    found, over = {"memory": 0.0}, threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            found["memory"] = max(found["memory"], held(os.getpid()))

    watcher, begun = threading.Thread(target=look), time.perf_counter()
    watcher.start()
    try:
        yield found
    finally:
        found["seconds"] = time.perf_counter() - begun
        over.set()
        watcher.join()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", type=Path, help="notebooks (default: all)")
    lessons = parser.parse_args().lessons or sorted(LESSONS.glob("[0-9][0-9]_*.ipynb"))
    if not Path("/proc/self/status").exists():
        raise SystemExit("Memory is read from /proc, which only Linux has: run this there.")
    os.environ.setdefault("CNN_PETS", "drawn")
    print("| | minutes, estimated | Run All | memory |\n|---|---|---|---|", flush=True)
    for path in lessons:
        with watched() as found:
            book = run(path.resolve())
        link = f"[{book.cells[0].source.splitlines()[0].lstrip('# ')}](notebooks/{path.name})"
        print(f"| {link} | {minutes(book)} | {needs(found)} |", flush=True)
    with (
        tempfile.TemporaryDirectory() as home,
        watched() as found,
        serve(LESSONS, Path(home)) as server,
    ):
        for page in ("lab", *(f"api/contents/{path.name}" for path in lessons)):
            urllib.request.urlopen(f"{server.url}/{page}?token={server.token}").read()
    print(f"| JupyterLab itself | | | {needs(found).split('| ')[1]} |")


def needs(found: dict[str, float]) -> str:
    """Return two cells of the table."""
    return f"{found['seconds']:.0f} s | {found['memory']:.1f} GB"


if __name__ == "__main__":
    main()
