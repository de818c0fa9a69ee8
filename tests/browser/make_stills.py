"""Make the still pictures of the labs: ``python -m tests.browser.make_stills [NAME...]``.

A still is what GitHub, and a notebook that has not run, shows in place of a lab. Each is a
screenshot of the lab in JupyterLab's light theme in Chromium, saved as
``helpers/widgets/stills/NAME.webp``, at most 60 KB. Run this after a lab's looks have changed, from
the repository's root, look at the pictures, and commit them.
"""

import argparse
import io
import itertools
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageChops
from playwright.sync_api import Page, sync_playwright

from . import pages

FOLDER = Path(__file__).parents[2] / "helpers" / "widgets" / "stills"
LARGEST = 60_000  # bytes


class Still(NamedTuple):
    """How a still comes about."""

    code: str
    """The cell that shows the lab."""
    ready: str
    """A selector that is there once the lab is drawn."""


STILLS = {
    "kernel_lab": Still(
        "from helpers.widgets import KernelLab\nlab = KernelLab()\nlab.chosen = [200, 100]\nlab",
        ".cnn-kernel-detail td",
    ),
    "stride_lab": Still(
        "from helpers.widgets import StrideLab\nlab = StrideLab()\nlab.view.position = 12\nlab",
        ".cnn-stride-lab .cnn-box-chosen",
    ),
    "pool_lab": Still(
        "from helpers.widgets import PoolLab\nlab = PoolLab()\nlab",
        ".cnn-pool-lab td.cnn-in-window",
    ),
    "activation_browser": Still(
        "from helpers.model import load_trained\n"
        "from helpers.widgets import ActivationBrowser\n"
        "lab = ActivationBrowser(load_trained())\nlab.layer = 'pool1'\nlab",
        ".cnn-lab canvas >> nth=3",
    ),
    "progress": Still(
        "import json\nfrom helpers.images import data_folder\n"
        "from helpers.widgets.progress import TrainingProgress\n"
        "record = json.loads((data_folder() / 'regularised.json').read_text())\n"
        "rows = record['history'][:60]\n"
        "state = dict(epochs=60, epoch=60, steps=40, step=40, rows=rows, state='done')\n"
        "TrainingProgress(accuracy=rows[-1]['accuracy'], **state)",
        ".cnn-progress",
    ),
    "function_lab": Still(
        "from helpers.widgets import FunctionLab\nFunctionLab()", ".cnn-function-lab circle"
    ),
    "threshold_lab": Still(
        "from helpers.model import load_record\nfrom helpers.widgets import ThresholdLab\n"
        "answers = load_record()['validation']\n"
        "ThresholdLab([int(n) for n in answers['labels']], answers['probabilities'])",
        ".cnn-threshold-lab table",
    ),
}


def encode(png: bytes) -> bytes:
    """Return a screenshot as the best WebP that is small enough."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    # Without the empty paper at the right and below.
    paper = Image.new("RGB", picture.size, picture.getpixel((picture.width - 1, 0)))
    _, _, right, bottom = ImageChops.difference(picture, paper).getbbox()
    picture = picture.crop((0, 0, min(right + 4, picture.width), min(bottom + 4, picture.height)))
    for share, quality in itertools.product((1, 0.8, 0.65), (90, 80, 70, 60)):
        buffer = io.BytesIO()
        size = round(share * picture.width), round(share * picture.height)
        smaller = picture.resize(size, Image.Resampling.LANCZOS)
        smaller.save(buffer, format="webp", quality=quality, method=6)
        if buffer.tell() <= LARGEST:
            return buffer.getvalue()
    raise ValueError(f"The still would be larger than {LARGEST} bytes: show less in it.")


# How far the lab lies from the upper and lower edge of the part of the window that scrolls.
_ROOM = """(lab) => {
  const [inner, outer] = [lab, lab.closest(".jp-WindowedPanel-outer")]
    .map((node) => node.getBoundingClientRect());
  return [inner.top - outer.top, outer.bottom - inner.bottom];
}"""


def make(page: Page, server: pages.Server, name: str) -> bytes:
    """Return the still of one lab."""
    still = STILLS[name]
    path = pages.write_notebook(server.root / f"{name}.ipynb", still.code)
    pages.open_notebook(page, server, path)
    pages.run_all(page)
    page.locator(still.ready).first.wait_for(timeout=120_000)
    page.mouse.move(5, 5)
    page.wait_for_timeout(1500)
    lab = page.locator(".cnn-lab")
    lab.evaluate("lab => { lab.style.maxWidth = '1010px'; }")
    page.wait_for_timeout(300)
    # The notebook scrolls in a part of the window: what is outside of it is not in the picture.
    height = round(lab.bounding_box()["height"])
    page.set_viewport_size({"width": 1280, "height": height + 600})
    page.wait_for_timeout(300)
    lab.evaluate("lab => lab.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(300)
    top, bottom = lab.evaluate(_ROOM)
    if top < 0 or bottom < 0:
        raise ValueError(f"The still of {name} would be cut off: {top}, {bottom}.")
    return encode(lab.screenshot())


def main() -> None:
    """Make the stills named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *STILLS], metavar="NAME")
    names = parser.parse_args().names or list(STILLS)
    FOLDER.mkdir(exist_ok=True)
    os.environ["CNN_PETS"] = "drawn"  # no photo of the photo set goes into the repository
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        root = Path(home) / "notebooks"
        root.mkdir()
        browser = pages.launch(playwright)
        with pages.serve(root, Path(home)) as server:
            for name in names:
                with pages.new_page(browser, height=1800) as page:
                    still = make(page, server, name)
                (FOLDER / f"{name}.webp").write_bytes(still)
                print(f"{name}.webp: {len(still) / 1000:.0f} KB")
        browser.close()


if __name__ == "__main__":
    main()
