"""Make the stills of the labs: ``python -m tests.browser.make_stills [NAME...]``.

A still is what GitHub, and a notebook that has not run, shows in place of a lab. Each is a
screenshot of the lab's saved page in Chromium, saved as ``helpers/widgets/stills/NAME.webp``, at
most 60 KB. Run this after a lab's looks have changed, from the repository's root, look at the
images, and commit them.
"""

import argparse
import io
import itertools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Page, sync_playwright

from helpers.images import data_folder
from helpers.model import load_trained
from helpers.training import load_runs
from helpers.widgets import (
    ActivationBrowser,
    FunctionLab,
    KernelLab,
    LearnLab,
    OcclusionLab,
    PoolLab,
    ShiftLab,
    StrideLab,
    ThresholdLab,
)
from helpers.widgets.lab import Lab
from helpers.widgets.progress import TrainingProgress

from . import pages

FOLDER = Path(__file__).parents[2] / "helpers" / "widgets" / "stills"
LARGEST = 60_000  # bytes


def with_traits(lab: Lab, **traits: object) -> Lab:
    """Return a lab as a person has set it."""
    for name, value in traits.items():
        setattr(lab, name, value)
    return lab


def training() -> Lab:
    """Return the progress of a run on record."""
    rows = json.loads((data_folder() / "regularised.json").read_text())["history"][:60]
    end = {"epochs": 60, "epoch": 60, "steps": 40, "step": 40, "state": "done"}
    return TrainingProgress(rows=rows, accuracy=rows[-1]["accuracy"], **end)


def threshold() -> Lab:
    """Return the answers on record to the validation photos."""
    answers = load_runs("regularised")[0]["validation"]
    return ThresholdLab([int(label) for label in answers["labels"]], answers["probabilities"])


LABS: dict[str, Callable[[], Lab]] = {
    "kernel_lab": lambda: with_traits(KernelLab(), chosen=[200, 100]),
    "learn_lab": lambda: with_traits(LearnLab(), steps=60),
    "stride_lab": lambda: with_traits(StrideLab(), position=12),
    "pool_lab": lambda: with_traits(PoolLab(), position=1),
    "shift_lab": lambda: with_traits(ShiftLab(), turn=12, size=4),
    "occlusion_lab": lambda: OcclusionLab(load_trained()),
    "function_lab": FunctionLab,
    "threshold_lab": threshold,
    "progress": training,
    "activation_browser": lambda: with_traits(ActivationBrowser(load_trained()), layer="pool1"),
}


def encode(png: bytes) -> bytes:
    """Return a screenshot as the best WebP that is small enough."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    # Without the empty paper at the right and below.
    paper = Image.new("RGB", image.size, image.getpixel((image.width - 1, 0)))
    _, _, right, bottom = ImageChops.difference(image, paper).getbbox()
    image = image.crop((0, 0, min(right + 4, image.width), min(bottom + 4, image.height)))
    for share, quality in itertools.product((1, 0.8, 0.65), (90, 80, 70, 60)):
        size = round(share * image.width), round(share * image.height)
        buffer = io.BytesIO()
        smaller = image.resize(size, Image.Resampling.LANCZOS)
        smaller.save(buffer, format="webp", quality=quality, method=6)
        if buffer.tell() <= LARGEST:
            return buffer.getvalue()
    raise ValueError(f"The still would be larger than {LARGEST} bytes: show less in it.")


def make(page: Page, lab: Lab, path: Path) -> bytes:
    """Return the still of a lab, by way of its saved page."""
    html = lab.save_html(path).read_text(encoding="utf-8")
    # With all that needs Python, which a saved page hides, and without what it does instead.
    html = html.replace('"upload": false', '"upload": true').replace('"kind": "network"', '""')
    path.write_text(html, encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_timeout(500)
    return encode(page.locator(".cnn-lab").screenshot())


def main() -> None:
    """Make the stills named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *LABS], metavar="NAME")
    names = parser.parse_args().names or list(LABS)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = pages.launch(playwright)
        with pages.new_page(browser, width=1040) as page:
            for name in names:
                still = make(page, LABS[name](), Path(folder) / "page.html")
                (FOLDER / f"{name}.webp").write_bytes(still)
                print(f"{name}.webp: {len(still) / 1000:.0f} KB")
        browser.close()


if __name__ == "__main__":
    main()
