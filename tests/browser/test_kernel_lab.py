"""The kernel lab, driven with mouse and keys; what it shows is compared with NumPy."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page
from scipy.signal import correlate2d

from helpers import images
from helpers.convolution import KERNELS

from . import pages

CELL = """
from helpers.widgets import KernelLab
lab = KernelLab()
lab
"""
# An ipywidgets picture keeps its bytes in its state: the search of the last test must find it.
CONTROL = """
import ipywidgets
from helpers import images
ipywidgets.Image(value=(images.data_folder() / "cat.jpg").read_bytes(), format="jpg", width=50)
"""
SOBEL = KERNELS["Sobel (vertical edges)"]
ARTICLE = "Sobel (vertical edges), the article's"  # its name in the list
CUT = "cut off at 0 and 255, as in the article"


@pytest.fixture(scope="module")
def lab(lab_page: Callable, server: pages.Server) -> Page:
    """A notebook with a kernel lab in JupyterLab; each test leaves it usable for the next."""
    page = lab_page(pages.write_notebook(server.root / "kernel_lab.ipynb", CELL, CONTROL))
    pages.run_all(page)
    page.wait_for_function("document.querySelectorAll('.cnn-picture canvas[role]').length > 1")
    page.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[1].width === 510")
    page.locator(".cnn-kernel-lab").scroll_into_view_if_needed()
    return page


@pytest.fixture(autouse=True)
def start(lab: Page) -> None:
    """Set the lab back to where it started."""
    pages.tell(
        lab,
        "lab.kernel = 'Sobel (vertical edges)'; lab.view.view = 'signed'; "
        "lab.chooser.choice.value = 'ascent'; lab.chosen = [200, 100]",
    )
    lab.locator(".cnn-where", has_text="Row 200, column 100").wait_for()


def read(text: str) -> float:
    """Return the number that a text of the lab shows."""
    text = text.replace("−", "-").removeprefix("≤ ").removeprefix("≥ ")
    if "/" in text:
        over, under = text.split("/")
        return float(over) / float(under)
    return float(text)


def grid(lab: Page, name: str) -> np.ndarray:
    """Return the numbers of one of the three grids."""
    cells = lab.get_by_role("table", name=name, exact=True).locator("td").all_inner_texts()
    return np.reshape([read(text) for text in cells], (3, 3))


def inputs(lab: Page) -> Locator:
    """Return the nine numbers that one edits."""
    return lab.get_by_role("group", name="kernel", exact=True).locator("input")


def place(lab: Page) -> list[int]:
    """Return row and column of the result that the lab explains."""
    words = lab.locator(".cnn-where").inner_text().replace(",", "").split()
    return [int(words[1]), int(words[3])]


def check(lab: Page, picture: np.ndarray, kernel: np.ndarray) -> None:
    """Compare all that the lab says about one pixel with NumPy."""
    row, column = place(lab)
    patch = picture[row : row + 3, column : column + 3].astype(float)
    total = (patch * kernel).sum()
    near = {"rtol": 1e-3, "atol": 1e-3}  # shown with four figures
    np.testing.assert_array_equal(grid(lab, "patch of the picture"), patch)
    np.testing.assert_allclose(grid(lab, "kernel"), kernel, **near)
    np.testing.assert_allclose(grid(lab, "nine products"), patch * kernel, **near)
    expected = correlate2d(picture.astype(float), kernel, mode="valid")[row, column]
    for shown in lab.locator(".cnn-sum").all_inner_texts():  # their sum; read from the result
        np.testing.assert_allclose(read(shown), total, **near)
        np.testing.assert_allclose(read(shown), expected, **near)


def result_canvas(lab: Page) -> Locator:
    """Return the canvas of the result."""
    return lab.locator(".cnn-kernel-right .cnn-picture-canvas")


def bar_labels(lab: Page) -> list[str]:
    """Return what stands at the colour bar of the result."""
    return lab.locator(".cnn-kernel-right .cnn-picture-bar-labels span").all_inner_texts()


def signed_colors(result: np.ndarray, limit: float) -> np.ndarray:
    """Return the result as Matplotlib colours it, zero in the middle."""
    share = np.clip(result / limit, -1, 1)
    code = np.floor((share + 1) / 2 * 255 + 0.5).astype(int)
    return (matplotlib.colormaps["RdBu_r"](np.arange(256))[:, :3] * 255).round()[code]


def test_the_result_is_the_correlation(lab: Page) -> None:
    expected = correlate2d(images.ascent().astype(float), SOBEL, mode="valid")
    shown = pages.canvas_pixels(result_canvas(lab))[..., :3].astype(int)
    assert shown.shape == (510, 510, 3)
    labels = bar_labels(lab)
    low, zero, limit = (read(text) for text in labels)
    assert (low, zero) == (-limit, 0)
    # The scale ends where 99 of 100 numbers do, and says that some go on.
    strength = np.abs(expected)
    assert np.quantile(strength, 0.99) <= limit <= 1.11 * np.quantile(strength, 0.99)
    assert limit < strength.max()
    assert labels[0].startswith("≤ −")
    assert labels[2].startswith("≥ ")
    # A value that lies between two colours may get either.
    assert (np.abs(shown - signed_colors(expected, limit)).max(axis=2) <= 1).mean() > 0.999

    words = lab.locator(".cnn-kernel-right .cnn-picture-words")
    height = words.bounding_box()["y"]
    lab.get_by_role("radio", name=CUT).check()
    lab.get_by_text("Result, cut off at 0 and 255").wait_for()
    assert words.bounding_box()["y"] == height  # nothing has moved
    assert not lab.locator(".cnn-kernel-right .cnn-picture-bar").is_visible()
    article = pages.canvas_pixels(result_canvas(lab))[..., :3]
    assert (article == np.clip(expected, 0, 255)[..., None]).all()
    check(lab, images.ascent(), SOBEL)
    pages.screenshot(lab, "kernel_lab_article")


def test_a_result_without_negative_numbers_gets_a_hint(lab: Page) -> None:
    hint = lab.get_by_text("No number is below 0")
    assert hint.count() == 0
    lab.get_by_role("combobox", name="Kernel").select_option("box blur")
    assert hint.inner_text() == (f"No number is below 0: switch to “{CUT}” to see it as a picture.")
    lab.get_by_role("radio", name=CUT).check()
    assert hint.count() == 0


def test_a_move_by_one_pixel_is_seen_on_the_small_cross(lab: Page) -> None:
    lab.get_by_role("combobox", name="Picture").select_option("small cross")
    lab.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[1].width === 14")
    lab.get_by_role("radio", name=CUT).check()
    cross = np.array(pages.ask(lab, "lab.picture.tolist()"))
    for row, column in [(1, 1), (0, 0), (2, 1)]:
        kernel = np.zeros((3, 3))
        kernel[row, column] = 1
        pages.tell(lab, f"lab.kernel = {kernel.tolist()}")
        one = inputs(lab).nth(3 * row + column)
        lab.wait_for_function("one => one.value === '1'", arg=one.element_handle())
        shown = pages.canvas_pixels(result_canvas(lab))[..., 0]
        np.testing.assert_array_equal(shown, cross[row : row + 14, column : column + 14])
    assert result_canvas(lab).bounding_box()["width"] > 200  # drawn large
    pages.screenshot(lab, "kernel_lab_cross")


def test_the_mouse_points_at_a_sum(lab: Page) -> None:
    picture = images.ascent()
    area = result_canvas(lab).bounding_box()
    for x, y in [(0.301, 0.401), (0.001, 0.001), (0.999, 0.999), (0.61, 0.22)]:
        lab.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"])
        assert place(lab) == [int(y * 510), int(x * 510)]
        check(lab, picture, SOBEL)
    lab.mouse.click(area["x"] + 0.501 * area["width"], area["y"] + 0.25 * area["height"])
    pages.settle(lab)
    assert pages.ask(lab, "lab.chosen") == [127, 255]
    lab.mouse.move(5, 5)  # away: the chosen pixel is explained again
    assert place(lab) == [127, 255]
    # A pixel of the picture is the middle of its patch; at the border, the nearest there is.
    area = lab.locator(".cnn-kernel-left .cnn-picture-canvas").bounding_box()
    lab.mouse.move(area["x"] + 0.501 * area["width"], area["y"] + 1)
    assert place(lab) == [0, 255]
    check(lab, picture, SOBEL)
    lab.mouse.move(5, 5)


def test_the_keys_walk_from_sum_to_sum(lab: Page) -> None:
    stage = lab.locator(".cnn-kernel-right .cnn-picture-stage")
    stage.focus()
    for key, expected in [
        ("ArrowRight", [200, 101]),
        ("ArrowDown", [201, 101]),
        ("PageDown", [211, 101]),
        ("Home", [211, 0]),
        ("ArrowLeft", [211, 0]),
        ("End", [211, 509]),
    ]:
        lab.keyboard.press(key)
        assert place(lab) == expected
        check(lab, images.ascent(), SOBEL)
    said = lab.locator(".cnn-kernel-detail .cnn-spoken").inner_text()
    assert said.startswith("Row 211, column 509 of the result")
    assert said.endswith(f"products: {lab.locator('.cnn-sum').first.inner_text()}")


def test_typed_numbers_and_presets(lab: Page) -> None:
    picture = images.ascent()
    kernel = SOBEL.copy()
    for index, text, value in [(0, "0.5", 0.5), (4, "1/9", 1 / 9), (8, "-3,25", -3.25)]:
        inputs(lab).nth(index).fill(text)
        kernel.flat[index] = value
        check(lab, picture, kernel)
    pages.settle(lab)
    np.testing.assert_allclose(pages.ask(lab, "lab.kernel.tolist()"), kernel)
    np.testing.assert_allclose(
        pages.ask(lab, "lab.result[200, 100].item()"), correlate2d(picture, kernel)[202, 102]
    )
    preset = lab.get_by_role("combobox", name="Kernel")
    assert preset.input_value() == "your own"
    names = preset.locator("option").all_inner_texts()
    listed = {ARTICLE if values is SOBEL else name: values for name, values in KERNELS.items()}
    assert names[0] == ARTICLE
    assert sorted(names) == sorted([*listed, "your own"])
    for name, values in listed.items():
        preset.select_option(name)
        check(lab, picture, values)
        shown = [read(value) for value in inputs(lab).evaluate_all("all => all.map(i => i.value)")]
        np.testing.assert_array_equal(np.reshape(shown, (3, 3)), values)
    preset.select_option(ARTICLE)
    check(lab, picture, SOBEL)
    pages.tell(lab, "lab.kernel = [[0, 0, 0], [0, 0, 1], [0, 0, 0]]")
    lab.wait_for_function("document.querySelector('.cnn-kernel-panel select').value === 'your own'")
    check(lab, picture, np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]]))


def test_a_bad_number_gets_a_sentence_and_the_picture_stays(lab: Page) -> None:
    before = pages.canvas_pixels(result_canvas(lab)).tobytes()
    note = lab.locator(".cnn-kernel-panel .cnn-note")
    first = inputs(lab).first
    for text, sentence in [
        ("abc", "“abc” is not a number"),
        ("1000", "1000 is out of range: give a number between −100 and 100"),
        ("1/0", "“1/0” is not a number"),
    ]:
        first.fill(text)
        assert sentence in note.inner_text()
        assert "The last good picture stays." in note.inner_text()
        assert first.get_attribute("aria-invalid") == "true"
        assert pages.canvas_pixels(result_canvas(lab)).tobytes() == before
        check(lab, images.ascent(), SOBEL)
    pages.screenshot(lab, "kernel_lab_bad_number")
    first.fill("-")  # the beginning of a number: nothing is said before it is finished
    first.fill("")
    first.press("Tab")
    assert "An empty field is not a number" in note.inner_text()
    assert pages.canvas_pixels(result_canvas(lab)).tobytes() == before
    first.fill("-1")
    assert not note.is_visible()
    with pytest.raises(AssertionError, match="three rows of three numbers"):
        pages.tell(lab, "lab.kernel = [[1, 2], [3, 4]]")
    assert pages.ask(lab, "lab.kernel.tolist()") == SOBEL.tolist()


def test_from_a_number_to_the_picture_in_100_ms(lab: Page) -> None:
    inputs(lab).nth(4).focus()
    keys = ["ArrowUp"] * 15 + ["ArrowDown"] * 15
    assert pages.key_to_picture(lab, keys, bound=100, width=500) < 100


def test_pictures_and_uploads(lab: Page, tmp_path: Path) -> None:
    choice = lab.get_by_role("combobox", name="Picture")
    names = [
        text.replace("\N{NO-BREAK SPACE}", " ")
        for text in choice.locator("option").all_inner_texts()
    ]
    assert names[:3] == ["ascent", "small cross", "dog"]
    choice.select_option("raccoon")
    lab.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[0].height === 384")
    raccoon = pages.ask(lab, "lab.picture.tolist()")
    assert np.shape(raccoon) == (384, 512)  # made smaller, its shape kept
    check(lab, np.array(raccoon), SOBEL)

    phone = tmp_path / "phone.jpg"
    photo = Image.fromarray(images.sample("dog")).resize((300, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: to be turned by a quarter
    photo.save(phone, exif=exif)
    upload = lab.get_by_label("Upload a picture")
    upload.set_input_files(phone)
    lab.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[0].height === 300")
    assert choice.input_value() == "your picture"
    check(lab, np.array(pages.ask(lab, "lab.picture.tolist()")), SOBEL)

    heavy = tmp_path / "heavy.bmp"  # more than the 10 MB that a Jupyter server takes at once
    photo.resize((2100, 1800)).save(heavy)
    assert heavy.stat().st_size > 11_000_000
    upload.set_input_files(heavy)
    lab.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[0].height === 439")
    upload.set_input_files(phone)
    lab.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[0].height === 300")

    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    upload.set_input_files(broken)
    note = lab.locator(".cnn-upload .cnn-note")
    note.wait_for()
    assert "broken.png" in note.inner_text()
    assert "The last picture stays." in note.inner_text()
    tiny = tmp_path / "tiny.png"
    Image.new("L", (2, 2)).save(tiny)
    upload.set_input_files(tiny)
    lab.get_by_text("fewer than the 3 by 3 of the kernel").wait_for()
    assert pages.ask(lab, "lab.picture.shape") == (300, 200)
    choice.select_option("ascent")
    lab.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[0].height === 512")
    assert not note.is_visible()
    choice.select_option("your picture")  # the upload is still there
    lab.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[0].height === 300")
    # A picture of the list that cannot be had: the list names the one that is shown.
    pages.tell(
        lab,
        "from helpers.images import ImageError\n"
        "def missing(): raise ImageError('The owl has flown.')\n"
        "lab.chooser._pictures['owl'], owl = missing, lab.chooser._pictures['owl']",
    )
    choice.select_option("owl")
    lab.get_by_text("The owl has flown. The last picture stays.").wait_for()
    pages.settle(lab)
    assert choice.input_value() == "your picture"
    assert pages.ask(lab, "lab.chooser.name, lab.picture.shape") == ("your picture", (300, 200))
    pages.tell(lab, "lab.chooser._pictures['owl'] = owl")
    choice.select_option("owl")
    note.wait_for(state="hidden")
    assert pages.ask(lab, "lab.chooser.name") == "owl"
    # A pixel that a picture does not have: the nearest one.
    pages.tell(lab, "lab.view.chosen = [9999, 3]")
    rows = pages.ask(lab, "lab.result.shape[0]")
    lab.locator(".cnn-where", has_text=f"Row {rows - 1}, column 3").wait_for()


def test_an_upload_is_not_saved(lab: Page, server: pages.Server, tmp_path: Path) -> None:
    photo = images.data_folder() / "dog.jpg"
    lab.get_by_label("Upload a picture").set_input_files(photo)
    lab.wait_for_function("document.querySelectorAll('.cnn-picture-canvas')[0].height !== 512")
    pages.settle(lab)
    seen = np.array(pages.ask(lab, "lab.picture.tolist()"), np.uint8)
    pages.command(lab, "docmanager:save")
    saved = (server.root / "kernel_lab.ipynb").read_text(encoding="utf-8")
    state = json.loads(saved)["metadata"]["widgets"]
    assert len(state["application/vnd.jupyter.widget-state+json"]["state"]) > 5

    def pieces(data: bytes) -> list[str]:
        """Return 30 bytes from several places as base64, at each of its three alignments."""
        # Not from the beginning: the headers of two JPEG files are alike.
        places = range(len(data) // 5, len(data) - 200, len(data) // 9)
        starts = [at + shift for at in places for shift in (0, 1, 2)]
        return [base64.b64encode(data[start : start + 30]).decode() for start in starts]

    def holds(data: bytes) -> bool:
        return any(piece in saved for piece in pieces(data))

    assert holds((images.data_folder() / "cat.jpg").read_bytes())  # the search does find a photo
    assert not holds(photo.read_bytes())
    assert not holds(seen.tobytes())
    assert "dog.jpg" not in saved


def test_names_and_keys(lab: Page) -> None:
    found = pages.controls(lab)
    assert len(found) > 14
    assert [control for control in found if not control["name"]] == []
    assert [control for control in found if not control["own keys"]] == []


def test_light_and_dark(lab: Page) -> None:
    ink = "getComputedStyle(document.querySelector('.cnn-kernel-lab')).color"
    for theme in ("dark", "light"):
        pages.set_theme(lab, theme)
        red = int(lab.evaluate(ink).split("(")[1].split(",")[0])
        assert (red > 128) == (theme == "dark")
        # The arrow of the list of pictures: bright in a dark theme, ipywidgets' own in a light one.
        arrow = "getComputedStyle(document.querySelector('.cnn-lab select')).backgroundImage"
        assert ("%23ddd" in lab.evaluate(arrow)) == (theme == "dark")
        pages.screenshot(lab, f"kernel_lab_{theme}")
    lab.set_viewport_size({"width": 480, "height": 1600})
    lab.wait_for_function(  # nothing sticks out of a narrow window
        "() => { const l = document.querySelector('.cnn-kernel-lab');"
        " const end = l.getBoundingClientRect().right + 1;"
        " return end < 490 &&"
        " [...l.querySelectorAll('*')].every(e => e.getBoundingClientRect().right <= end); }"
    )
    pages.screenshot(lab, "kernel_lab_narrow")
    lab.set_viewport_size({"width": 1280, "height": 900})
