"""The teacher's page agrees with the lessons, and its table is measured as it says."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests import measure_lessons

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TEACHING = (ROOT / "TEACHING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_its_estimate_and_the_teachers_page_agree_on_the_minutes(path):
    book = nbformat.read(path, as_version=4)
    title = book.cells[0].source.splitlines()[0].removeprefix("# ")
    row = re.search(rf"^\| \[{title}\]\(notebooks/{path.name}\) \| (\d+) \|", TEACHING, re.M)
    assert row, f"TEACHING.md has no row for {title}"
    said = re.search(r"About (\d+) minutes", "\n".join(cell.source for cell in book.cells))
    figures = [int(row[1]), int(said[1]), measure_lessons.minutes(book)]
    assert max(figures) - min(figures) <= 5, f"{figures}: python -m tests.measure_lessons"


def test_minutes_count_words_cells_labs_and_exercises():
    cell = nbformat.v4.new_code_cell
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("word " * 1_800 + "[word](a-long-address) <b>"),  # 10
            *[cell("1 + 1") for _ in range(12)],  # 8, of which the exercise takes 2 away
            cell("widgets.KernelLab()\nlab = PoolLab(edges)"),  # 2/3 and 8
            cell("answer", metadata={"tags": ["solution"]}),  # 4
        ]
    )
    assert measure_lessons.minutes(book) == 30  # 10 + (14 - 3) * 2/3 + 8 + 4 = 29.3


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc is Linux's")
def test_watched_counts_children_and_grandchildren_at_their_peaks():
    inner = "x = bytearray(200_000_000); del x; import time; time.sleep(1)"
    outer = (
        "import subprocess, sys; x = bytearray(100_000_000); del x;"
        f"subprocess.run([sys.executable, '-c', {inner!r}])"
    )
    with measure_lessons.watched() as found:
        subprocess.run([sys.executable, "-c", outer], check=True)
    assert 0.3 < found["memory"] < 0.4
    assert found["seconds"] > 1


def test_readme_and_contributing_lead_to_the_teachers_page():
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "(TEACHING.md" in (ROOT / page).read_text(encoding="utf-8"), page
