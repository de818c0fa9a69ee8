"""The package as a wheel, away from its clone: a lab's page is whole, and stills come along."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from playwright.sync_api import Page

REPOSITORY = Path(__file__).parents[2]
# The wheel has no data/, so the lab brings its own numbers.
CODE = """
import helpers
from helpers.widgets import PoolLab
assert helpers.__file__.startswith({site!r}), helpers.__file__
lab = PoolLab([[1, 2], [3, 4]])
assert "data:image/webp" in str(lab._repr_mimebundle_())
lab.save_html("lab.html")
"""


def test_a_lab_of_the_wheel_opens(page: Page, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)  # without network
    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl")))
    names = set(wheel.namelist())
    folder = REPOSITORY / "helpers" / "widgets"
    files = [p for p in folder.rglob("*") if p.suffix in {".js", ".css", ".html", ".webp", ".py"}]
    assert len(files) > 20
    assert {path.relative_to(REPOSITORY).as_posix() for path in files} <= names
    assert all(name.startswith(("helpers/", "cnn_notebooks-")) for name in names)

    wheel.extractall(tmp_path / "site")  # what installing a wheel without scripts does
    subprocess.run(
        [sys.executable, "-c", CODE.format(site=str(tmp_path / "site"))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        check=True,
    )
    page.goto((tmp_path / "lab.html").as_uri())
    page.get_by_text("Window 1 sees 1, 2, 3, 4: maximum 4, average 2.5.").wait_for()
    row = page.locator(".cnn-pool-row")  # the style sheet, too
    assert row.evaluate("row => getComputedStyle(row).display") == "flex"
