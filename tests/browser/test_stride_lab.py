"""The stride and the pooling lab, driven with mouse and keys; compared with helpers and NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

from helpers import convolution, images

from . import pages
from .test_kernel_lab import read

CELLS = (
    "from helpers.widgets import PoolLab, StrideLab\nstride = StrideLab(12)\nstride",
    "pool = PoolLab()\npool",
)


@pytest.fixture(scope="module")
def labs(lab_page: Callable, server: pages.Server) -> Page:
    """A notebook with both labs in JupyterLab."""
    page = lab_page(pages.write_notebook(server.root / "stride.ipynb", *CELLS))
    pages.run_all(page)
    page.get_by_text("Output 5 × 5").wait_for()
    page.get_by_text("Window 1 sees").wait_for()
    return page


def slider(page: Page, name: str, lab: str = ".cnn-stride-lab") -> Locator:
    """Return a slider by its accessible name."""
    return page.locator(lab).get_by_role("slider", name=name, exact=True)


def press(page: Page, control: Locator, key: str, times: int = 1) -> None:
    """Press a key a few times on a control."""
    control.focus()
    for _ in range(times):
        page.keyboard.press(key)


def shown_size(page: Page) -> int:
    """Return the size of the output as its heading states it."""
    heading = page.locator(".cnn-stride-pictures .cnn-picture-title").nth(1)
    return int(heading.inner_text().split()[1]) if heading.is_visible() else 0


def test_keys_change_the_arithmetic(labs: Page) -> None:
    seen = set()
    for name, key in [
        ("stride", "ArrowRight"), ("window", "ArrowRight"), ("picture (n)", "ArrowLeft"),
        ("stride", "ArrowRight"), ("window", "ArrowLeft"), ("window", "ArrowLeft"),
        ("window", "ArrowLeft"), ("picture (n)", "ArrowRight"),
    ]:  # fmt: skip
        press(labs, slider(labs, name), key)
        for padding in ("valid", "same", "2"):
            labs.get_by_role("combobox", name="padding").select_option(padding)
            pages.settle(labs)
            n, kernel, stride, size = pages.ask(
                labs, "stride.size, stride.kernel, stride.stride, stride.output_size"
            )
            options = {
                "kernel": kernel,
                "stride": stride,
                "padding": int(padding) if padding == "2" else padding,
            }
            assert size == shown_size(labs) == convolution.output_size(n, **options)
            assert labs.locator(".cnn-formula").inner_text().split("=")[-1].split(",")[
                0
            ].strip() == (str(size))
            before, _ = convolution.pad_amounts(n, **options)
            reached = {w * stride - before + i for w in range(size) for i in range(kernel)}
            lost = sorted(set(range(n)) - reached)
            hatched = labs.locator(".cnn-stride-lab rect[fill*='lost'][width='1']")
            places = hatched.evaluate_all("all => all.map((r) => Number(r.getAttribute('x')))")
            assert [place - before for place in places] == lost
            words = labs.locator(".cnn-lost").inner_text()
            assert words.startswith("No window reaches" if lost else "Every row and column")
            seen.add((n, kernel, stride, padding, bool(lost)))
    assert len(seen) == 24
    assert {case[-1] for case in seen} == {True, False}


def test_the_window_walks(labs: Page) -> None:
    lab = "stride.view.size, stride.view.kernel, stride.view.stride, stride.view.padding"
    pages.tell(labs, f"{lab}, stride.view.position = 10, 4, 3, '1', 0")
    labs.get_by_text("Output 3 × 3").wait_for()
    small = Image.fromarray(images.ascent()).resize((256, 256), Image.Resampling.BOX)
    edges = np.arange(11) * 256 // 10
    cells = np.zeros((12, 12))
    for r in range(10):
        for c in range(10):
            block = np.asarray(small)[edges[r] : edges[r + 1], edges[c] : edges[c + 1]]
            cells[r + 1, c + 1] = np.floor(block.mean() + 0.5)
    canvases = labs.locator(".cnn-stride-pictures .cnn-picture-canvas")
    np.testing.assert_array_equal(pages.canvas_pixels(canvases.nth(0))[..., 0], cells)

    walk = slider(labs, "window number")
    for position in range(9):
        if position:
            press(labs, walk, "ArrowRight")
        assert walk.get_attribute("aria-valuetext") == f"{position + 1} of 9"
        row, column = divmod(position, 3)
        box = labs.locator(".cnn-stride-lab rect.cnn-box-line.cnn-box-0")
        place = [int(box.get_attribute(name)) for name in ("x", "y", "width", "height")]
        assert place == [3 * column, 3 * row, 4, 4]
        mean = cells[3 * row : 3 * row + 4, 3 * column : 3 * column + 4].mean()
        words = labs.locator(".cnn-stride-pictures .cnn-picture-words:visible").inner_text()
        assert words.startswith(f"row {row}, column {column}: ")
        assert abs(read(words.split(": ")[1]) - mean) <= 0.051
    pages.settle(labs)
    assert pages.ask(labs, "stride.view.position") == 8
    # A click in the output moves the window, too.
    area = canvases.nth(1).bounding_box()
    labs.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] / 6)
    assert walk.input_value() == "2"
    # And the slider follows the mouse.
    area = walk.bounding_box()
    labs.mouse.click(area["x"] + area["width"] - 4, area["y"] + area["height"] / 2)
    assert walk.input_value() == "9"
    # A click on the picture takes the window to the nearest place; so does dragging it.
    area = canvases.nth(0).bounding_box()
    cell = area["width"] / 12

    def at(row: float, column: float) -> tuple[float, float]:
        return area["x"] + column * cell, area["y"] + row * cell

    labs.mouse.click(*at(5.3, 8.2))  # the middles of the windows: 2, 5, 8
    assert walk.get_attribute("aria-valuetext") == "6 of 9"
    labs.mouse.move(*at(2, 2))
    labs.mouse.down()
    seen = []
    for place in [(2, 2), (2, 3.4), (2, 3.6), (6.6, 3.6), (11.9, 11.9), (-3, 40)]:
        labs.mouse.move(*at(*place))
        seen.append(walk.input_value())
    labs.mouse.up()
    assert seen == ["1", "1", "2", "8", "9", "3"]
    labs.mouse.move(*at(11, 2))  # let go: it stays
    pages.settle(labs)
    assert pages.ask(labs, "stride.view.position") == 2


def test_a_window_that_does_not_fit(labs: Page) -> None:
    pages.tell(labs, "stride.view.size, stride.view.kernel, stride.view.padding = 3, 5, 'valid'")
    note = labs.locator(".cnn-stride-lab .cnn-note")
    note.wait_for()
    assert note.inner_text() == "Take a smaller window, a larger picture or more padding."
    formula = labs.locator(".cnn-formula")
    assert formula.inner_text() == "No window of 5 fits into 3 pixels: the output is empty."
    walk = slider(labs, "window number")
    assert walk.get_attribute("aria-valuetext") == "0 of 0"
    assert pages.ask(labs, "stride.output_size") == 0
    assert walk.is_disabled()
    labs.locator(".cnn-stride-pictures .cnn-picture-canvas").first.click()  # moves nothing
    press(labs, slider(labs, "picture (n)"), "ArrowRight", 2)
    assert not note.is_visible()
    assert shown_size(labs) == 1
    assert walk.get_attribute("aria-valuetext") == "1 of 1"
    assert formula.inner_text().endswith("= 1")


def test_from_key_to_picture_in_100_ms(labs: Page) -> None:
    pages.tell(labs, "stride.view.size, stride.view.kernel, stride.view.stride = 16, 3, 1")
    labs.get_by_text("Picture 16 × 16").wait_for()
    slider(labs, "picture (n)").focus()
    keys = ["ArrowRight"] * 15 + ["ArrowLeft"] * 15
    assert pages.key_to_picture(labs, keys, bound=100) < 100


def table(page: Page, name: str) -> np.ndarray:
    """Return the numbers of one of the two pooled grids."""
    rows = page.get_by_role("table", name=name).locator("tr").all()
    return np.array([[read(t) for t in row.locator("td").all_inner_texts()] for row in rows])


def test_pooling_of_edited_numbers(labs: Page) -> None:
    lab = labs.locator(".cnn-pool-lab")
    numbers = lab.get_by_role("group", name="patch").locator("input")

    def check(size: int, stride: int) -> None:
        texts = numbers.evaluate_all("all => all.map(i => i.value)")
        patch = np.reshape([read(text) for text in texts], (6, 6))
        options = {"size": size, "stride": stride}
        np.testing.assert_allclose(table(labs, "maximum"), convolution.max_pool(patch, **options))
        average = convolution.average_pool(patch, **options)
        np.testing.assert_allclose(table(labs, "average"), average, rtol=1e-3, atol=1e-3)
        pages.settle(labs)
        np.testing.assert_array_equal(pages.ask(labs, "pool.patch.tolist()"), patch)
        np.testing.assert_array_equal(pages.ask(labs, "pool.average.tolist()"), average)

    check(2, 2)
    numbers.nth(0).fill("-40")
    numbers.nth(1).fill("33.5")
    check(2, 2)
    press(labs, slider(labs, "window", ".cnn-pool-lab"), "ArrowRight")
    check(3, 2)
    press(labs, slider(labs, "stride", ".cnn-pool-lab"), "ArrowLeft")
    check(3, 1)
    walk = slider(labs, "window number", ".cnn-pool-lab")
    press(labs, walk, "ArrowRight", 5)
    assert walk.get_attribute("aria-valuetext") == "6 of 16"
    framed = numbers.evaluate_all(
        "all => all.map((e, i) => [i, e.classList.contains('cnn-in-window')])"
        ".filter(p => p[1]).map(p => p[0])"
    )
    assert framed == [7, 8, 9, 13, 14, 15, 19, 20, 21]  # row 1, column 1 of the patch
    patch = np.array(pages.ask(labs, "pool.patch.tolist()"))
    words = lab.locator(".cnn-pool-words").inner_text()
    largest, mean = patch[1:4, 1:4].max(), patch[1:4, 1:4].mean()
    assert words.endswith(f"maximum {largest:g}, average {mean:.4g}.")
    # A bad number: a sentence, and everything stays.
    before = table(labs, "maximum")
    numbers.nth(0).fill("many")
    assert "“many” is not a number" in lab.locator(".cnn-note").inner_text()
    np.testing.assert_array_equal(table(labs, "maximum"), before)
    numbers.nth(0).fill("0")
    check(3, 1)
    # The frame and the sentence go where one types; they stay where the number is inside already.
    for index, window in [(8, 1), (23, 8), (22, 8)]:  # of 16 windows, four in a row
        numbers.nth(index).fill("77.5")
        assert walk.get_attribute("aria-valuetext") == f"{window} of 16"
        assert "77.5" in lab.locator(".cnn-pool-words").inner_text()
        assert "cnn-in-window" in numbers.nth(index).get_attribute("class")


def test_tints_of_pooled_numbers(labs: Page) -> None:
    numbers = labs.locator(".cnn-pool-lab").get_by_role("group", name="patch").locator("input")
    caption = labs.locator(".cnn-pool-caption")

    def tints() -> list[list[int]]:
        found = numbers.evaluate_all(
            """all => all.map((input) => {
              const canvas = new OffscreenCanvas(1, 1).getContext("2d");
              canvas.fillStyle = getComputedStyle(input).backgroundColor;
              canvas.fillRect(0, 0, 1, 1);
              return [...canvas.getImageData(0, 0, 1, 1).data];
            })"""
        )
        return [color[:3] for color in found]

    pages.set_theme(labs, "light")
    patch = np.arange(36).reshape(6, 6)
    pages.tell(labs, f"pool.view.patch = {patch.tolist()}")
    labs.wait_for_function("i => i.value === '35'", arg=numbers.last.element_handle())
    assert caption.inner_text() == "patch, 6 × 6"
    plain = tints()
    assert plain[0] == [255, 255, 255]
    # One huge number leaves the others their colours.
    numbers.last.fill("9999")
    assert np.abs(np.subtract(tints(), plain)).max() <= 1
    # Below zero blue, above red, zero neither.
    numbers.first.fill("-30")
    assert caption.inner_text() == "patch, 6 × 6; blue is below 0, red above"
    signed = tints()
    assert signed[0][2] > signed[0][0] + 50
    assert signed[30][0] > signed[30][2] + 50
    numbers.nth(1).fill("0")
    assert tints()[1] == [255, 255, 255]
    pages.screenshot(labs, "pool_lab_signed")


def test_names_keys_and_themes(labs: Page) -> None:
    pages.tell(labs, "stride.view.size, stride.view.kernel, stride.view.stride = 12, 3, 2")
    pages.tell(labs, "stride.view.padding = '1'; pool.view.size = pool.view.stride = 2")
    for lab in (".cnn-lab >> nth=0", ".cnn-lab >> nth=1"):
        found = pages.controls(labs, lab)
        assert len(found) >= 6
        assert [control for control in found if not control["name"]] == []
        assert [control for control in found if not control["own keys"]] == []
    for theme in ("dark", "light"):
        pages.set_theme(labs, theme)
        pages.screenshot(labs, f"stride_and_pool_{theme}")
    labs.set_viewport_size({"width": 480, "height": 1600})
    for lab in (".cnn-stride-lab", ".cnn-pool-lab"):
        labs.wait_for_function(
            "name => { const lab = document.querySelector(name);"
            " const end = lab.getBoundingClientRect().right + 1;"
            " return end < 490 &&"
            " [...lab.querySelectorAll('*')].every(e => e.getBoundingClientRect().right <= end); }",
            arg=lab,
        )
    pages.screenshot(labs, "stride_and_pool_narrow")
