"""The package as a wheel, away from its clone: scripts, style sheets and stills come along."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from . import pages

REPOSITORY = Path(__file__).parents[2]
# The wheel instead of the clone; it has no data/, so these widgets bring their own numbers.
CELL = """
import helpers
import numpy as np
from helpers.widgets import Picture, PoolLab
assert helpers.__file__.startswith({site!r}), helpers.__file__
picture = Picture(np.arange(12, dtype=np.uint8).reshape(3, 4), alt="twelve greys")
picture
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def test_every_file_of_the_widgets_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    folder = REPOSITORY / "helpers" / "widgets"
    files = [p for p in folder.rglob("*") if p.suffix in {".js", ".css", ".html", ".webp", ".py"}]
    assert len(files) > 20
    missing = {path.relative_to(REPOSITORY).as_posix() for path in files} - names
    assert not missing
    outside = [name for name in names if not name.startswith(("helpers/", "cnn_notebooks-"))]
    assert not outside


def test_a_widget_of_the_wheel_opens(
    wheel: Path, tmp_path: Path, server: pages.Server, lab_page: Callable
) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)  # what installing a wheel without scripts does
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "wheel",
        "language": "python",
        "env": {"PYTHONPATH": str(site)},
    }
    (server.kernels / "wheel").mkdir(parents=True)
    (server.kernels / "wheel" / "kernel.json").write_text(json.dumps(spec))
    cells = CELL.format(site=str(site)), "PoolLab()"
    page = lab_page(pages.write_notebook(server.root / "wheel.ipynb", *cells, kernel="wheel"))
    pages.run_all(page)
    page.get_by_text("Window 1 sees 12, 20, 8, 12: maximum 20, average 13.").wait_for()
    page.wait_for_function("document.querySelector('.cnn-picture-canvas').width === 4")
    pixels = pages.canvas_pixels(page.locator(".cnn-picture-canvas"))
    assert pixels[..., 0].ravel().tolist() == list(range(12))
    # The style sheets, too.
    style = "e => getComputedStyle(e).imageRendering"
    assert page.locator(".cnn-picture-canvas").evaluate(style) == "pixelated"
    assert page.locator(".cnn-pool-row").evaluate("e => getComputedStyle(e).display") == "flex"
