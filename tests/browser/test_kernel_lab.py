"""The kernel lab, driven with mouse and keys; what it shows is compared with SciPy."""

import base64
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
from helpers.widgets import KernelLab

from . import pages

CELL = "from helpers.widgets import KernelLab\nlab = KernelLab()\nlab"
# An ipywidgets image keeps its bytes in its state: the search of the last test must find it.
CONTROL = """
import ipywidgets
from helpers import images
ipywidgets.Image(value=(images.data_folder() / "cat.jpg").read_bytes(), format="jpg", width=50)
"""
SOBEL = KERNELS["Sobel (vertical edges)"]
CUT = "cut off at 0 and 255"


@pytest.fixture
def lab(saved_page: Callable) -> Page:
    """The saved page of a kernel lab: what it does there, it does in a notebook."""
    return saved_page(KernelLab())


@pytest.fixture(scope="module")
def notebook(lab_page: Callable, server: pages.Server) -> Page:
    """A notebook with a kernel lab in JupyterLab."""
    page = lab_page(pages.write_notebook(server.root / "kernel_lab.ipynb", CELL, CONTROL))
    pages.run_all(page)
    return page


def wait_for_image(lab: Page, rows: int) -> None:
    """Wait until an image of so many rows is shown."""
    lab.wait_for_function("n => document.querySelector('.cnn-lab canvas').height === n", arg=rows)


def canvas(lab: Page, which: str) -> Locator:
    """Return the canvas of the "Image" or of the "Result"."""
    image = lab.locator(".cnn-image", has=lab.locator(".cnn-image-title", has_text=which))
    return image.locator(".cnn-image-canvas")


def inputs(lab: Page) -> Locator:
    """Return the nine numbers that one edits."""
    return lab.get_by_role("group", name="kernel", exact=True).locator("input")


def read(text: str) -> float:
    """Return the number that a text of a lab shows."""
    over, _, under = text.replace("−", "-").removeprefix("≤ ").removeprefix("≥ ").partition("/")
    return float(over) / float(under or 1)


def place(lab: Page) -> list[int]:
    """Return row and column of the result that the lab explains."""
    words = lab.locator(".cnn-where").inner_text().replace(",", "").split()
    return [int(words[1]), int(words[3])]


def check(lab: Page, image: np.ndarray, kernel: np.ndarray) -> None:
    """Compare all that the lab says about one pixel with SciPy."""
    row, column = place(lab)
    patch = image[row : row + 3, column : column + 3].astype(float)
    total = correlate2d(image.astype(float), kernel, mode="valid")[row, column]
    names = ["patch of the image", "kernel", "nine products"]
    cells = [lab.get_by_role("table", name=n, exact=True).locator("td") for n in names]
    shown = [[read(text) for text in table.all_inner_texts()] for table in cells]
    expected = [patch.ravel(), kernel.ravel(), (patch * kernel).ravel()]
    near = {"rtol": 1e-3, "atol": 1e-3}  # shown with four figures
    np.testing.assert_allclose(shown, expected, **near)
    sums = [read(text) for text in lab.locator(".cnn-sum").all_inner_texts()]
    np.testing.assert_allclose(sums, [total, total], **near)  # of the products; from the result


def test_the_result_is_the_correlation(lab: Page) -> None:
    expected = correlate2d(images.ascent().astype(float), SOBEL, mode="valid")
    shown = pages.canvas_pixels(canvas(lab, "Result"))[..., :3].astype(int)
    labels = lab.locator(".cnn-kernel-result .cnn-image-bar-labels span").all_inner_texts()
    low, zero, limit = (read(text) for text in labels)
    assert (low, zero) == (-limit, 0)
    # The scale ends where 99 of 100 numbers do, and says that some go on.
    strength = np.abs(expected)
    assert np.quantile(strength, 0.99) <= limit <= 1.11 * np.quantile(strength, 0.99)
    assert limit < strength.max()
    assert (labels[0][:2], labels[2][:2]) == ("≤ ", "≥ ")
    code = np.floor((np.clip(expected / limit, -1, 1) + 1) / 2 * 255 + 0.5).astype(int)
    colors = (matplotlib.colormaps["RdBu_r"](np.arange(256))[:, :3] * 255).round()[code]
    # A value that lies between two colours may get either.
    assert (np.abs(shown - colors).max(axis=2) <= 1).mean() > 0.999

    words = lab.locator(".cnn-kernel-result .cnn-image-words")
    height = words.bounding_box()["y"]
    lab.get_by_role("radio", name=CUT).check()
    assert lab.get_by_text(f"Result, {CUT}").is_visible()
    assert words.bounding_box()["y"] == height  # nothing has moved
    clipped = pages.canvas_pixels(canvas(lab, "Result"))[..., :3]
    assert (clipped == np.clip(expected, 0, 255)[..., None]).all()
    check(lab, images.ascent(), SOBEL)
    # Without negative numbers: a hint, until it is followed.
    lab.get_by_role("combobox", name="Kernel").select_option("box blur")
    lab.get_by_role("radio", name="signed").check()
    hint = lab.get_by_text(f"No number is below 0: switch to “{CUT}” to see it as an image.")
    assert hint.is_visible()
    lab.get_by_role("radio", name=CUT).check()
    assert hint.count() == 0


def test_a_move_by_one_pixel_looks_like_one(lab: Page) -> None:
    lab.get_by_role("combobox", name="Image").select_option("small cross")
    wait_for_image(lab, 16)
    lab.get_by_role("radio", name=CUT).check()
    frames = [canvas(lab, which).bounding_box() for which in ("Image", "Result")]
    pixel = frames[0]["width"] / 16  # on the screen
    assert pixel > 15
    assert frames[1]["width"] / 14 == pytest.approx(pixel, abs=0.1)

    def top_left(which: str) -> np.ndarray:
        """Return where the cross begins, in CSS pixels from the top left of the whole view."""
        cross = pages.canvas_pixels(canvas(lab, which))[..., 0] == 230
        frame = canvas(lab, which).bounding_box()
        view = canvas(lab, which).locator("xpath=../..").bounding_box()
        corner = [frame["y"] - view["y"], frame["x"] - view["x"]]
        return corner + pixel * np.argwhere(cross).min(axis=0)

    for row, column in [(1, 1), (0, 0), (2, 1)]:
        for index in range(9):
            inputs(lab).nth(index).fill(str(int(index == 3 * row + column)))
        moved = (top_left("Result") - top_left("Image")) / pixel
        np.testing.assert_allclose(moved, [1 - row, 1 - column], atol=0.1)
    # The mark of a chosen pixel stays in the frame.
    canvas(lab, "Result").click(position={"x": 2, "y": frames[1]["height"] - 2})
    assert place(lab) == [13, 0]
    mark = lab.locator(".cnn-kernel-result rect.cnn-box-line.cnn-box-chosen").bounding_box()
    assert mark["y"] + mark["height"] <= frames[1]["y"] + frames[1]["height"] + 2
    assert mark["x"] >= frames[1]["x"] - 2


def test_mouse_and_keys_walk_from_sum_to_sum(lab: Page) -> None:
    area = canvas(lab, "Result").bounding_box()
    for down, right in [(0.3, 0.4), (0.002, 0.002), (0.997, 0.997), (0.5, 0.25)]:
        y, x = round(area["y"] + down * area["height"]), round(area["x"] + right * area["width"])
        lab.mouse.move(x, y)
        chosen = [int(510 * (y - area["y"]) / area["height"])]
        chosen += [int(510 * (x - area["x"]) / area["width"])]
        assert place(lab) == chosen
        check(lab, images.ascent(), SOBEL)
    lab.mouse.click(x, y)
    # A pixel of the image is the middle of its patch; at the border, the nearest there is.
    canvas(lab, "Image").hover(position={"x": 178, "y": 1})
    assert place(lab)[0] == 0
    check(lab, images.ascent(), SOBEL)
    lab.mouse.move(5, 5)  # away: the chosen pixel is explained again
    for key, step in [
        ("", (0, 0)),
        ("ArrowRight", (0, 1)),
        ("PageDown", (10, 0)),
        ("Home", (0, -510)),
        ("ArrowLeft", (0, 0)),
        ("End", (0, 509)),
    ]:
        chosen = [max(0, at + by) for at, by in zip(chosen, step, strict=True)]
        if key:
            lab.keyboard.press(key)
        assert place(lab) == chosen
    check(lab, images.ascent(), SOBEL)
    said = lab.locator(".cnn-kernel-detail .cnn-spoken").inner_text()
    assert said.startswith(f"Row {chosen[0]}, column 509 of the result")
    assert said.endswith(f"products: {lab.locator('.cnn-sum').first.inner_text()}")


def test_typed_numbers_and_presets(lab: Page) -> None:
    kernel = SOBEL.copy()
    for index, text, value in [(0, "0.5", 0.5), (4, "1/9", 1 / 9), (8, "-3,25", -3.25)]:
        inputs(lab).nth(index).fill(text)
        kernel.flat[index] = value
        check(lab, images.ascent(), kernel)
    inputs(lab).nth(7).click()
    lab.keyboard.type("5")  # over a 0
    kernel[2, 1] = 5
    check(lab, images.ascent(), kernel)
    preset = lab.get_by_role("combobox", name="Kernel")
    assert preset.input_value() == "your own"
    assert preset.locator("option").all_inner_texts() == [*KERNELS, "your own"]
    for name, values in KERNELS.items():
        preset.select_option(name)
        check(lab, images.ascent(), values)
        shown = [read(value) for value in inputs(lab).evaluate_all("all => all.map(i => i.value)")]
        np.testing.assert_array_equal(np.reshape(shown, (3, 3)), values)


def test_a_bad_number_gets_a_sentence_and_the_result_stays(lab: Page) -> None:
    before = pages.canvas_pixels(canvas(lab, "Result")).tobytes()
    note = lab.locator(".cnn-kernel-panel .cnn-note")
    first = inputs(lab).first
    for text, sentence in [
        ("abc", "“abc” is not a number"),
        ("1000", "“1000” is out of range: give a number between −100 and 100"),
        ("1/0", "“1/0” is not a number"),
    ]:
        first.fill(text)
        assert sentence in note.inner_text()
        assert first.get_attribute("aria-invalid") == "true"
        assert pages.canvas_pixels(canvas(lab, "Result")).tobytes() == before
        check(lab, images.ascent(), SOBEL)
    first.fill("-1")
    assert not note.is_visible()
    first.fill("-")  # the beginning of a number: nothing is said before it is finished
    assert not note.is_visible()
    first.fill("")
    first.press("Tab")
    assert "An empty field is not a number" in note.inner_text()


def test_page_and_kernel_follow_each_other(notebook: Page) -> None:
    wait_for_image(notebook, 512)
    inputs(notebook).nth(4).focus()
    keys = ["ArrowUp"] * 15 + ["ArrowDown"] * 14
    assert pages.key_to_image(notebook, keys, width=500) < 30  # milliseconds
    pages.wait_for_value(notebook, "lab.kernel[1][1]", 1)
    pages.settle(notebook)  # what came before the last value must not come after the next line
    pages.tell(notebook, "lab.kernel = 'emboss'; lab.view = 'clipped'; lab.chosen = [7, 9]")
    notebook.locator(".cnn-where", has_text="Row 7, column 9").wait_for()
    assert notebook.get_by_role("combobox", name="Kernel").input_value() == "emboss"
    assert notebook.get_by_role("radio", name=CUT).is_checked()
    check(notebook, images.ascent(), KERNELS["emboss"])


def test_uploads(notebook: Page, tmp_path: Path) -> None:
    choice = notebook.get_by_role("combobox", name="Image")
    assert choice.locator("option").all_inner_texts()[:3] == ["ascent", "small cross", "dog"]
    upload = notebook.get_by_label("Upload an image")
    photo = Image.fromarray(images.sample("dog")).resize((300, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: to be turned by a quarter
    photo.save(tmp_path / "phone.jpg", exif=exif)
    upload.set_input_files(tmp_path / "phone.jpg")
    wait_for_image(notebook, 300)
    assert choice.input_value() == "your image"
    pixels = np.array(pages.ask(notebook, "lab.pixels().tolist()"))
    check(notebook, pixels, np.array(pages.ask(notebook, "lab.kernel")))
    heavy = tmp_path / "heavy.bmp"  # more than the 10 MB that a Jupyter server takes at once
    photo.resize((2100, 1800)).save(heavy)
    assert heavy.stat().st_size > 11_000_000
    upload.set_input_files(heavy)
    wait_for_image(notebook, 439)
    # Refused: a sentence, and the last image stays.
    (tmp_path / "broken.png").write_bytes(b"not an image")
    Image.new("L", (2, 2)).save(tmp_path / "tiny.png")
    note = notebook.locator(".cnn-chooser .cnn-note")
    for name, words in [("broken.png", "broken.png"), ("tiny.png", "fewer than the 3 by 3")]:
        upload.set_input_files(tmp_path / name)
        note.filter(has_text=words).wait_for()
        assert pages.ask(notebook, "lab.pixels().shape") == (439, 512)
    assert choice.input_value() == "your image"
    choice.select_option("raccoon")
    wait_for_image(notebook, 384)  # made smaller, its shape kept
    assert not note.is_visible()
    choice.select_option("your image")  # is still there
    wait_for_image(notebook, 439)
    # A pixel that an image does not have: the nearest one.
    pages.tell(notebook, "lab.chosen = [400, 3]; lab.image = 'raccoon'")
    notebook.locator(".cnn-where", has_text="Row 381, column 3").wait_for()


def test_an_upload_is_not_saved(notebook: Page, server: pages.Server) -> None:
    photo = images.data_folder() / "dog.jpg"
    notebook.get_by_label("Upload an image").set_input_files(photo)
    chosen = "document.querySelector('.cnn-chooser select').value"
    notebook.wait_for_function(f"{chosen} === 'your image'")
    pages.settle(notebook)
    seen = np.array(pages.ask(notebook, "lab.pixels().tolist()"), np.uint8)
    pages.command(notebook, "docmanager:save")
    saved = (server.root / "kernel_lab.ipynb").read_text(encoding="utf-8")
    assert "your image" in saved  # the lab's state is there

    def holds(data: bytes) -> bool:
        """Search 30 bytes from several places as base64, at each of its three alignments."""
        # Not from the beginning: the headers of two JPEG files are alike.
        places = range(len(data) // 5, len(data) - 200, len(data) // 9)
        pieces = [data[at + shift : at + shift + 30] for at in places for shift in range(3)]
        return any(base64.b64encode(piece).decode() in saved for piece in pieces)

    assert holds((images.data_folder() / "cat.jpg").read_bytes())  # the search does find a photo
    assert not holds(photo.read_bytes())
    assert not holds(seen.tobytes())
    assert "dog.jpg" not in saved
