"""The shift-and-turn lab, driven with mouse and keys; what it shows is compared with SciPy."""

from collections.abc import Callable

import matplotlib
import numpy as np
from playwright.sync_api import Page
from scipy import ndimage
from scipy.signal import correlate2d

from helpers import convolution, images
from helpers.widgets import ShiftLab

from . import pages
from .test_stride_and_pool_lab import slider


def seen(image: np.ndarray, rows: int, columns: int, turn: int) -> np.ndarray:
    """Return what SciPy makes of a move: the middle of ascent, (258, 258) float."""
    turned = ndimage.rotate(image[64:448, 64:448].astype(float), -turn, reshape=False, order=1)
    return ndimage.shift(turned, (rows, columns), order=1)[63:321, 63:321]


def maps(image: np.ndarray, size: int, pooling: str) -> list[np.ndarray]:
    """Return the edges of an image and their pooled map."""
    edges = correlate2d(image, convolution.KERNELS["Sobel (vertical edges)"], mode="valid")
    return [edges, getattr(convolution, f"{pooling}_pool")(edges, size=size)]


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """Return which share of the strongest tenth has changed by more than half."""
    sizes = np.abs(before)
    strong = sizes >= np.quantile(sizes, 0.9, method="higher")
    return np.mean(np.abs(after - before)[strong] > sizes[strong] / 2)


def shares(page: Page) -> list[float]:
    """Return the two shares that the lab shows."""
    texts = page.locator(".cnn-shift-lab .cnn-sum").all_inner_texts()
    return [float(text.removesuffix("%")) / 100 for text in texts]


def test_it_shows_what_scipy_computes(saved_page: Callable) -> None:
    page, ascent = saved_page(ShiftLab()), images.ascent()
    canvases = page.locator(".cnn-image-canvas").all()
    limit = float(page.locator(".cnn-image-bar-labels span").last.inner_text().split()[-1])
    moves = [(0, 1, 0), (-3, 8, 0), (0, 0, 5), (2, -8, -30), (-8, 8, 30)]
    sizes, kinds = [2, 4, 8, 1, 8], ["max", "average", "max", "max", "average"]
    for move, size, pooling in zip(moves, sizes, kinds, strict=True):
        for name, value in zip(["up or down", "left or right", "turn"], move, strict=True):
            slider(page, name).fill(str(value))
        page.get_by_role("radio", name=pooling).check()
        page.get_by_role("radio", name="none" if size == 1 else f"{size} × {size}").check()
        moved = seen(ascent, *move)
        np.testing.assert_allclose(pages.canvas_pixels(canvases[0])[..., 0], moved, atol=0.51)
        before, after = (maps(x, size, pooling) for x in (seen(ascent, 0, 0, 0), moved))
        np.testing.assert_allclose(shares(page), list(map(changed, before, after)), atol=0.006)
        for canvas, numbers in zip(canvases[1:], after, strict=True):
            codes = np.rint(255 * (np.clip(numbers / limit, -1, 1) / 2 + 0.5)).astype(int)
            colors = matplotlib.colormaps["RdBu_r"](codes, bytes=True)[..., :3]
            drawn = pages.canvas_pixels(canvas)[..., :3].astype(int)
            assert (np.abs(drawn - colors) <= 8).all()  # half-way between two of the colours


def test_a_pool_forgives_a_step_inside_its_window(saved_page: Callable) -> None:
    page = saved_page(ShiftLab("bright bar"))
    page.get_by_role("radio", name="8 × 8").check()
    right = slider(page, "left or right")
    right.focus()
    found, drawn = [], []
    for _ in range(5):
        drawn.append(pages.canvas_pixels(page.locator(".cnn-image-canvas").last))
        page.keyboard.press("ArrowRight")
        found.append(shares(page))
    assert right.get_attribute("aria-valuetext") == "5 px right"
    assert [pooled > 0 for _, pooled in found] == [False] * 4 + [True]
    assert (drawn[3] == drawn[0]).all() and (drawn[4] != drawn[0]).any()
    assert all(edges > 0.4 for edges, _ in found)
    page.get_by_role("button", name="Back to the start").click()
    assert shares(page) == [0, 0] and right.input_value() == "0"
    right.focus()
    assert pages.key_to_image(page, ["ArrowRight"] * 8 + ["ArrowLeft"] * 8) < 60


def test_any_image_can_be_moved(saved_page: Callable) -> None:
    for shape in [(5, 900), (384, 300), (2000, 1000, 3)]:
        lab = ShiftLab(np.full(shape, 90, np.uint8))
        assert lab.message(lab.pixels(), {})[0] == {"shape": (384, 384)}
    page = saved_page(ShiftLab(np.full((20, 20), 90, np.uint8)))
    slider(page, "turn").fill("20")
    assert shares(page) == [0, 0]  # there is no edge that could change
