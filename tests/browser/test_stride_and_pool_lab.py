"""The stride and the pooling lab, driven with mouse and keys; compared with helpers and Pillow."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

from helpers import convolution, images
from helpers.widgets import PoolLab, StrideLab

from . import pages
from .test_kernel_lab import read
from .test_modules import spans


def slider(page: Page, name: str) -> Locator:
    """Return a slider by its accessible name."""
    return page.get_by_role("slider", name=name, exact=True)


def boxes(page: Page, selector: str) -> list[list[int]]:
    """Return x, y, width and height of SVG rectangles."""
    return page.locator(selector).evaluate_all(
        """all => all.map((rect) =>
          ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name))))"""
    )


def test_the_arithmetic_of_strides(saved_page: Callable) -> None:
    page = saved_page(StrideLab())
    title = page.locator(".cnn-image-title")
    cases = itertools.product(
        [(12, 3, 2), (7, 2, 3), (11, 4, 4), (4, 5, 1)], ["valid", "same", "2"]
    )
    for (n, kernel, stride), padding in cases:
        for name, value in {"image (n)": n, "window": kernel, "stride": stride}.items():
            slider(page, name).fill(str(value))
        page.get_by_role("combobox", name="padding").select_option(padding)
        options = {"kernel": kernel, "stride": stride}
        options["padding"] = int(padding) if padding.isdigit() else padding
        seen = spans(n, **options)
        formula = page.locator(".cnn-formula").inner_text()
        if not seen:
            said = page.locator(".cnn-note").inner_text()
            assert said.startswith("No window of 5 fits into 4 pixels: take a smaller window")
            assert slider(page, "window number").is_disabled()
            page.locator(".cnn-image-canvas").first.click()  # moves nothing
            continue
        assert title.nth(1).inner_text() == f"Output {len(seen)} × {len(seen)}"
        assert f"= {len(seen)}" in formula
        same = max(0, (len(seen) - 1) * stride + kernel - n)
        zeros = {"valid": 0, "same": same, "2": 4}[padding]
        before = zeros // 2
        grey = pages.canvas_pixels(page.locator(".cnn-image-canvas").first)[..., 0]
        assert grey.shape == (n + zeros, n + zeros)
        assert not grey[:before].any() and not grey[:, n + before :].any()  # black
        lost = sorted(set(range(n)).difference(*seen))
        hatched = boxes(page, "rect[fill*=missed][width='1']")
        assert [x - before for x, *_ in hatched] == lost
        words = page.locator(".cnn-lost").inner_text()
        assert words.startswith("No window reaches" if lost else "Every row and column")


def test_a_window_walks(saved_page: Callable) -> None:
    lab = StrideLab(size=16, kernel=4, stride=3)
    page, (header, [grey]) = saved_page(lab), lab.answer({"kind": "image"}, [])
    drawing = Image.frombytes("L", header["shape"], grey)
    cells = np.asarray(drawing.resize((16, 16), Image.Resampling.BOX))
    shown = pages.canvas_pixels(page.locator(".cnn-image-canvas").first)[..., 0]
    np.testing.assert_allclose(shown.astype(int), cells, atol=1)
    walk = slider(page, "window number")
    walk.focus()
    for position in range(25):
        row, column = divmod(position, 5)
        assert walk.get_attribute("aria-valuetext") == f"{position + 1} of 25"
        assert boxes(page, "rect.cnn-box-line.cnn-box-0") == [[3 * column, 3 * row, 4, 4]]
        mean = shown[3 * row : 3 * row + 4, 3 * column : 3 * column + 4].mean()
        words = page.locator(".cnn-image-words:visible").inner_text()
        assert words.startswith(f"row {row}, column {column}: ")
        assert read(words.split(": ")[1]) == pytest.approx(mean, abs=0.051)
        page.keyboard.press("ArrowRight")
    # A click in the output moves the window, too.
    area = page.locator(".cnn-image-canvas").nth(1).bounding_box()
    page.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] / 10)
    assert walk.input_value() == "3"
    # A click on the image takes it to the nearest place; so does dragging it.
    area = page.locator(".cnn-image-canvas").first.bounding_box()
    seen = []
    for row, column in [(2, 2), (2, 3.3), (2, 3.7), (8.2, 3.7), (15.9, 15.9), (-3, 30)]:
        x, y = (
            area[a] + at * area["width"] / 16 for a, at in zip("xy", (column, row), strict=True)
        )
        page.mouse.move(x, y)
        page.mouse.down()
        seen.append(walk.input_value())
    page.mouse.up()
    assert seen == ["1", "1", "2", "12", "25", "5"]
    page.mouse.move(area["x"], area["y"])  # let go: it stays
    assert walk.input_value() == "5"
    slider(page, "image (n)").focus()
    keys = ["ArrowRight"] * 15 + ["ArrowLeft"] * 15
    assert pages.key_to_image(page, keys) < 30


def patch(page: Page) -> Locator:
    """Return the numbers that one edits."""
    return page.get_by_role("group", name="patch").locator("input")


def values(cells: Locator) -> np.ndarray:
    """Return the numbers of inputs or of table cells."""
    texts = cells.evaluate_all("all => all.map((cell) => cell.value ?? cell.textContent)")
    return np.array([read(text) for text in texts])


def test_pooling_of_edited_numbers(saved_page: Callable) -> None:
    page = saved_page(PoolLab())
    edges = convolution.correlate2d(images.ascent(), convolution.KERNELS["Sobel (vertical edges)"])
    np.testing.assert_array_equal(values(patch(page)), edges[424:430, 344:350].ravel())
    numbers, walk = patch(page), slider(page, "window number")

    def check(size: int, stride: int) -> None:
        square = values(numbers).reshape(6, 6)
        for name, pool in [
            ("maximum", convolution.max_pool),
            ("average", convolution.average_pool),
        ]:
            shown = values(page.get_by_role("table", name=name).locator("td"))
            expected = pool(square, size=size, stride=stride).ravel()
            np.testing.assert_allclose(shown, expected, rtol=1e-3, atol=1e-3)

    check(2, 2)
    numbers.nth(0).fill("-40")
    numbers.nth(1).fill("33.5")
    check(2, 2)
    slider(page, "window").press("ArrowRight")
    slider(page, "stride").press("ArrowLeft")
    check(3, 1)
    walk.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert walk.get_attribute("aria-valuetext") == "6 of 16"
    window = values(numbers).reshape(6, 6)[1:4, 1:4]
    np.testing.assert_array_equal(values(page.locator("input.cnn-in-window")), window.ravel())
    words = page.locator(".cnn-pool-words")
    assert f"maximum {window.max():g}, average {window.mean():.4g}".replace("-", "−") in (
        words.inner_text()
    )
    # The frame and the sentence go where one types; they stay where the number is inside already.
    for index, number in [(8, 6), (23, 8), (22, 8)]:  # of 16 windows, four in a row
        numbers.nth(index).fill("77.5")
        assert walk.get_attribute("aria-valuetext") == f"{number} of 16"
        assert "77.5" in words.inner_text()
    # A bad number: a sentence, the last number counts, and nothing moves.
    tables = page.locator("table")
    before = [table.bounding_box() for table in tables.all()], tables.all_inner_texts()
    numbers.nth(0).fill("99999")
    note = page.locator(".cnn-note")
    assert note.inner_text().startswith("“99999” is out of range: give a number between −9999 and")
    assert note.inner_text().endswith("The last number counts.")
    assert before == ([table.bounding_box() for table in tables.all()], tables.all_inner_texts())


def test_positive_is_red_and_negative_blue(saved_page: Callable) -> None:
    page = saved_page(PoolLab(np.arange(36).reshape(6, 6)))

    def colors() -> np.ndarray:
        found = patch(page).evaluate_all(
            "all => all.map((i) => getComputedStyle(i).backgroundColor)"
        )
        return np.array([[int(c) for c in text[4:-1].split(",")] for text in found])

    plain = colors()
    assert plain[0].min() > 240  # zero: neither
    assert plain[20][0] > plain[20][2] + 50
    # One huge number leaves the others their colours; a negative one is blue.
    patch(page).last.fill("9999")
    np.testing.assert_array_equal(colors()[:30], plain[:30])
    patch(page).first.fill("-30")
    assert colors()[0][2] > colors()[0][0] + 50
    np.testing.assert_array_equal(colors()[1:30], plain[1:30])
