"""`Picture`: in a page without Jupyter, and in JupyterLab and Notebook 7."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from helpers.widgets import style_source

from . import pages

CELL = """
import numpy as np
from helpers.widgets import Picture
picture = Picture(np.arange(30.0).reshape(5, 6) - 10, alt="a ramp", cmap="RdBu_r", width=240)
picture
"""


def make(page: Page, data: list[int], shape: list[int], **options: object) -> None:
    """Put a picture of uint8 numbers into an empty page."""
    page.set_content(f"<style>{style_source('picture.css')}</style><main></main>")
    pages.load_module(page, "picture.js")
    page.evaluate(
        """([data, shape, options]) => {
          window.calls = [];
          window.picture = window.module.createPicture(document.querySelector("main"), {
            ...options, onChoose: (p) => window.calls.push(p), onHover: () => {},
          });
          window.picture.setPixels({
            data: Uint8Array.from(data), shape, colors: null, limits: [0, 255],
            scale: null, digits: null,
          });
        }""",
        [data, shape, options],
    )


@pytest.mark.parametrize("zoom", [1, 1.5, 2])
def test_pixels_are_crisp(browser: Browser, zoom: float) -> None:
    context = browser.new_context(device_scale_factor=zoom)
    page = context.new_page()
    make(page, [0, 255, 255, 0, 60, 120], [2, 3], width=231, interactive=False, readout=False)
    shot = Image.open(io.BytesIO(page.locator(".cnn-picture-stage").screenshot())).convert("L")
    context.close()
    assert shot.width == pytest.approx(231 * zoom, abs=2)
    grey = np.asarray(shot)[2:-2, 2:-2]  # the frame may lie between two screen pixels
    assert set(np.unique(grey)) == {0, 255, 60, 120}  # nearest neighbour: nothing in between
    centres = [round(c * 77 * zoom) for c in (0.5, 1.5, 2.5)]
    assert np.asarray(shot)[centres[0], centres].tolist() == [0, 255, 255]
    assert np.asarray(shot)[centres[1], centres].tolist() == [0, 60, 120]


def test_arrow_keys_choose(page: Page) -> None:
    make(page, list(range(60)), [5, 12], width=240, alt="sixty numbers")
    stage = page.get_by_role("application", name="sixty numbers")
    stage.focus()
    for key in ["ArrowUp", "ArrowRight", "ArrowDown", "End", "PageDown", "Home", "Escape"]:
        page.keyboard.press(key)
    # The first key chooses the middle; then one step each; End, ten rows down, Home, nothing.
    expected = [[2, 6], [2, 7], [3, 7], [3, 11], [4, 11], [4, 0], None]
    assert page.evaluate("window.calls") == expected
    page.evaluate("window.picture.setChosen([1, 2])")
    assert page.locator(".cnn-spoken").inner_text() == "row 1, column 2: 14"
    assert page.get_by_role("img", name="sixty numbers").count() == 1


def test_the_mouse_chooses(page: Page) -> None:
    make(page, list(range(60)), [5, 12], width=240, alt="sixty numbers")
    area = page.locator("canvas").first.bounding_box()
    page.mouse.click(area["x"] + 50, area["y"] + 30)
    assert page.evaluate("window.calls") == [[1, 2]]
    page.mouse.move(area["x"] + 110, area["y"] + 5)
    assert page.locator(".cnn-picture-words").inner_text() == "row 0, column 5: 5"


def test_a_finger_chooses(browser: Browser) -> None:
    context = browser.new_context(has_touch=True)
    page = context.new_page()
    make(page, list(range(60)), [5, 12], width=240, alt="sixty numbers")
    area = page.locator("canvas").first.bounding_box()
    page.touchscreen.tap(area["x"] + 239, area["y"] + 99)
    assert page.evaluate("window.calls") == [[4, 11]]
    # A finger that is gone hovers over nothing.
    assert page.locator("rect.cnn-box-hovered").count() == 0
    context.close()


def test_in_jupyterlab(lab_page: Callable, server: pages.Server) -> None:
    page = lab_page(pages.write_notebook(server.root / "picture.ipynb", CELL))
    pages.run_all(page)
    canvas = page.locator(".cnn-picture-canvas")
    canvas.wait_for()
    page.wait_for_function("document.querySelector('.cnn-picture-canvas').width === 6")
    area = canvas.bounding_box()
    assert round(area["width"]) == 240
    page.mouse.click(area["x"] + 4.5 * 40, area["y"] + 1.5 * 40)
    page.keyboard.press("ArrowDown")
    pages.settle(page)
    assert pages.ask(page, "picture.chosen") == [2, 4]
    assert page.locator(".cnn-picture-words").inner_text() == "row 2, column 4: 6"
    labels = page.locator(".cnn-picture-bar-labels span").all_inner_texts()
    assert labels == ["−19", "0", "19"]  # zero in the middle of a diverging map
    # From Python to the page.
    pages.tell(page, "picture.boxes = [[0, 1, 3, 4]]; picture.chosen = [0, 0]")
    pages.tell(page, "picture.show(np.ones((4, 4), np.uint8) * 7)")
    page.wait_for_function("document.querySelector('.cnn-picture-canvas').width === 4")
    assert (pages.canvas_pixels(canvas)[..., 0] == 7).all()
    box = page.locator("rect.cnn-box-line.cnn-box-0")
    assert [box.get_attribute(a) for a in ("x", "y", "width", "height")] == ["1", "0", "3", "3"]
    assert page.locator(".cnn-picture-words").inner_text() == "row 0, column 0: 7"
