"""Lesson 5 itself, opened in JupyterLab: every control moved, what is drawn compared with Keras."""

import hashlib
import io
import json
import re
import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from helpers import images
from helpers.activations import activations, random_twin, receptive_box
from helpers.model import load_trained

from . import pages

LESSON = Path(__file__).parents[2] / "notebooks" / "05_browse_the_activations.ipynb"
VIRIDIS = matplotlib.colormaps["viridis"](np.arange(256), bytes=True)[:, :3]
# Another model: a skip connection, another size, more than one answer, pixels from 0 to 1.
FUNCTIONAL = """
import keras
from keras import layers
from helpers.widgets import ActivationBrowser
picture = keras.Input((64, 96, 3))
first = layers.Conv2D(6, 3, padding="same", activation="relu", name="first")(picture)
second = layers.Conv2D(6, 3, padding="same", activation="relu", name="second")(first)
both = layers.Add(name="both")([first, second])
small = layers.AveragePooling2D(3, name="small")(both)
end = layers.Dense(3, activation="softmax", name="end")(layers.Flatten()(small))
mine = keras.Model(picture, end)
lab = ActivationBrowser(mine, "cat", preprocess=lambda x: x / 255, classes=["a", "b", "c"])
lab
"""
SLOW = """
import ipywidgets, matplotlib.pyplot as plt
%matplotlib inline
@ipywidgets.interact(number=ipywidgets.IntSlider(description="slow", max=15))
def draw(number):
    plt.imshow(dog_maps["pool1"][..., number])
    plt.show()
"""


@pytest.fixture(scope="module")
def trained():
    return load_trained()


@pytest.fixture(scope="module")
def lesson(browser: Browser, server: pages.Server) -> Iterator[Page]:
    """Lesson 5 in JupyterLab after Run All, on drawn pets."""
    with pages.new_page(browser, height=1400) as page:
        path = server.root / LESSON.name
        shutil.copy(LESSON, path)
        pages.open_notebook(page, server, path)
        pages.tell(page, "import os; os.environ['CNN_PETS'] = 'drawn'")
        pages.run_all(page)
        page.locator(".cnn-browser-tile").first.wait_for(timeout=300_000)  # may draw the pets
        page.locator(".cnn-lab").scroll_into_view_if_needed()
        yield page


@pytest.fixture(autouse=True)
def start(request: pytest.FixtureRequest) -> None:
    """Set the lesson's browser back to the dog, conv1, filter 0."""
    if "lesson" in request.fixturenames:
        page = request.getfixturevalue("lesson")
        pages.tell(
            page,
            "browser._chooser.choice.value = 'dog'; browser._weights.index = 0; "
            "browser._shared.index = 0; browser.layer = 'conv1'; browser.filter = 0",
        )
        expect_title(page, "conv1, filter 0")
        page.get_by_text("The picture: dog").wait_for()


def slider(page: Page, name: str) -> Locator:
    return page.locator(".cnn-lab").get_by_role("slider", name=name, exact=True)


def press(page: Page, control: Locator, key: str, times: int = 1) -> None:
    control.focus()
    for _ in range(times):
        page.keyboard.press(key)


def expect_title(page: Page, words: str) -> None:
    titles = page.locator(".cnn-browser .cnn-picture-title")
    titles.get_by_text(words, exact=True).wait_for()


def main_map(page: Page) -> Locator:
    return page.locator(".cnn-browser-side").nth(1).locator(".cnn-picture-canvas")


def words_of(page: Page) -> str:
    return page.locator(".cnn-browser-where p").inner_text()


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def expect_drawn(canvas: Locator, values: np.ndarray, low: float, high: float) -> None:
    """Compare a canvas with Keras' numbers: each colour stands for its number to 1/255."""
    shown = pages.canvas_pixels(canvas)[..., :3]
    assert shown.shape[:2] == values.shape
    share = np.clip((values - low) / (high - low) * 255, 0, 255)
    below, above = VIRIDIS[np.floor(share).astype(int)], VIRIDIS[np.ceil(share).astype(int)]
    assert ((shown == below).all(-1) | (shown == above).all(-1)).all()


def layers_of(page: Page) -> list[str]:
    return pages.ask(page, "list(browser._layer_slider.options)")


def test_sliders_show_the_numbers_of_keras(lesson: Page, trained) -> None:
    """Every layer by keyboard, a few filters of each, against Keras itself."""
    maps = activations(trained, images.resize(images.sample("dog")))
    names = list(maps)
    assert layers_of(lesson) == names
    for place, name in enumerate(names):
        press(lesson, slider(lesson, "Layer"), "ArrowRight", 1 if place else 0)
        press(lesson, slider(lesson, "Filter"), "Home")
        for filter_number in (0, 2, 9):
            press(lesson, slider(lesson, "Filter"), "ArrowRight", {0: 0, 2: 2, 9: 7}[filter_number])
            expect_title(lesson, f"{name}, filter {filter_number}")
            values = maps[name][..., filter_number]
            silent = lesson.locator(".cnn-browser-silent")
            if values.max() == values.min():
                assert "Zero everywhere" in silent.inner_text()
                continue
            assert silent.is_hidden()
            expect_drawn(main_map(lesson), values, values.min(), values.max())
            labels = lesson.locator(".cnn-browser-side .cnn-picture-bar-labels span")
            low, *_, high = labels.all_inner_texts()
            np.testing.assert_allclose(
                [number(low), number(high)], [values.min(), values.max()], rtol=1e-3, atol=1e-4
            )
    pages.settle(lesson)
    assert pages.ask(lesson, "(browser.layer, browser.filter)") == ("pool4", 9)


def test_filter_slider_ends_where_the_layer_does(lesson: Page) -> None:
    press(lesson, slider(lesson, "Layer"), "End")
    press(lesson, slider(lesson, "Filter"), "End")
    expect_title(lesson, "pool4, filter 63")
    press(lesson, slider(lesson, "Layer"), "Home")
    expect_title(lesson, "conv1, filter 15")
    assert number(slider(lesson, "Filter").get_attribute("aria-valuemax")) == 15
    press(lesson, slider(lesson, "Filter"), "ArrowRight")
    expect_title(lesson, "conv1, filter 15")


def test_grid_shows_every_filter_and_marks_the_silent(lesson: Page, trained) -> None:
    maps = activations(trained, images.resize(images.sample("dog")))["conv4"]
    pages.tell(lesson, "browser.layer = 'conv4'")
    lesson.get_by_text("All 64 filters of conv4").wait_for()
    tiles = lesson.locator(".cnn-browser-tile")
    assert tiles.count() == 64
    quiet = [i for i in range(64) if maps[..., i].max() == maps[..., i].min()]
    marked = [i for i in range(64) if "cnn-browser-quiet" in tiles.nth(i).get_attribute("class")]
    assert marked == quiet
    for i in sorted(set(range(0, 64, 7)) - set(quiet)):
        values = maps[..., i]
        expect_drawn(tiles.nth(i).locator("canvas"), values, values.min(), values.max())
    tiles.nth(20).click()
    expect_title(lesson, "conv4, filter 20")
    lesson.keyboard.press("ArrowRight")
    expect_title(lesson, "conv4, filter 21")
    lesson.keyboard.press("ArrowDown")
    expect_title(lesson, "conv4, filter 29")
    pages.settle(lesson)
    assert pages.ask(lesson, "(browser.layer, browser.filter)") == ("conv4", 29)


def test_one_scale_for_the_layer(lesson: Page, trained) -> None:
    maps = activations(trained, images.resize(images.sample("dog")))["pool2"]
    pages.tell(lesson, "browser.layer = 'pool2'; browser.filter = 6")
    scale = lesson.locator(".cnn-browser-scale")
    assert scale.inner_text() == "the scale of this filter alone"
    lesson.get_by_role("button", name="the whole layer").click()
    lesson.get_by_text("one scale for all 32 filters of pool2").wait_for()
    expect_title(lesson, "pool2, filter 6")
    expect_drawn(main_map(lesson), maps[..., 6], maps.min(), maps.max())
    lesson.get_by_role("button", name="each filter").click()
    lesson.get_by_text("the scale of this filter alone").wait_for()


def test_the_box_and_the_value_under_the_pointer(lesson: Page, trained) -> None:
    maps = activations(trained, images.resize(images.sample("dog")))
    for name, at in [("conv1", (0, 0)), ("pool3", (16, 3)), ("conv4", (7, 14))]:
        pages.tell(lesson, f"browser.layer = '{name}'; browser.filter = 1")
        expect_title(lesson, f"{name}, filter 1")
        canvas = main_map(lesson)
        canvas.scroll_into_view_if_needed()
        area = canvas.bounding_box()
        height, width = maps[name].shape[:2]
        x = area["x"] + (at[1] + 0.5) * area["width"] / width
        lesson.mouse.move(x, area["y"] + (at[0] + 0.5) * area["height"] / height)
        top, left, bottom, right = receptive_box(trained, name, *at)
        said = words_of(lesson)
        assert f"Row {at[0]}, column {at[1]} sees" in said
        assert f"rows {top} to {bottom - 1}, columns {left} to {right - 1}" in said
        box = lesson.locator(".cnn-browser-side").first.locator(".cnn-box-line.cnn-box-0")
        numbers = [float(box.get_attribute(k)) for k in ("y", "x", "height", "width")]
        assert numbers == [top, left, bottom - top, right - left]
        readout = lesson.locator(".cnn-browser-side .cnn-picture-words").nth(1).inner_text()
        place, value = readout.split(": ")
        assert place == f"row {at[0]}, column {at[1]}"
        values = maps[name][..., 1]
        step = (values.max() - values.min()) / 255
        assert abs(number(value) - values[at]) <= step
    # The chosen place follows the keys, and stays the same part of the picture in other layers.
    lesson.mouse.move(5, 5)
    stage = lesson.locator(".cnn-browser-side").nth(1).locator(".cnn-picture-stage")
    press(lesson, stage, "ArrowRight", 3)
    assert "Row 7, column 10 sees" in words_of(lesson)
    pages.tell(lesson, "browser.layer = 'conv1'")
    expect_title(lesson, "conv1, filter 1")
    assert "Row 74, column 103 sees" in words_of(lesson)


def test_kernels_lead_to_the_filters_they_read(lesson: Page, trained) -> None:
    slices = lesson.locator(".cnn-browser-kernel canvas")
    kernel = trained.get_layer("conv1").kernel.numpy()[..., 0]
    shown = pages.canvas_pixels(slices.first)[..., :3].astype(float)
    expected = 127.5 + 127.5 * kernel / np.abs(kernel).max()
    assert np.abs(shown - expected).max() <= 1  # the kernel as colour
    pages.tell(lesson, "browser.layer = 'conv3'; browser.filter = 4")
    expect_title(lesson, "conv3, filter 4")
    strength = np.abs(trained.get_layer("conv3").kernel.numpy()[..., 4]).sum((0, 1))
    order = np.argsort(-strength, kind="stable")[:6]
    names = lesson.locator(".cnn-browser-kernel button").all_inner_texts()
    assert names == [f"pool2 · {i}" for i in order]
    lesson.locator(".cnn-browser-kernel button").nth(1).click()
    expect_title(lesson, f"pool2, filter {order[1]}")
    # A pool shows what it is made from, and the kernel of that.
    assert "the largest of every 2×2" in lesson.locator(".cnn-browser-kernel").inner_text()
    lesson.get_by_role("button", name=f"Go to filter {order[1]} of conv2").click()
    expect_title(lesson, f"conv2, filter {order[1]}")


def test_random_weights(lesson: Page, trained) -> None:
    assert re.search(r"The network says (cat|dog)", lesson.locator(".cnn-browser").inner_text())
    lesson.get_by_role("button", name="random").click()
    expect_title(lesson, "conv1, filter 0 (random)")
    values = activations(random_twin(trained), images.resize(images.sample("dog")))["conv1"]
    expect_drawn(main_map(lesson), values[..., 0], values[..., 0].min(), values[..., 0].max())
    lesson.get_by_role("button", name="trained").click()
    expect_title(lesson, "conv1, filter 0")


def test_prediction_in_words(lesson: Page, trained) -> None:
    dog = images.resize(images.sample("dog"))[None].astype(np.float32)
    chance = float(np.asarray(trained(dog))[0, 0])
    said = lesson.locator(".cnn-browser-answer").inner_text()
    assert said.startswith(f"The network says {'dog' if chance > 0.5 else 'cat'}, with a prob")
    share = max(chance, 1 - chance)
    assert ("more than 99.9%" if share > 0.999 else f"{100 * share:.1f}%") in said
    assert "It knows only two answers, cat and dog" in said


def test_pictures_samples_pets_and_uploads(lesson: Page, trained, tmp_path: Path) -> None:
    for name in images.SAMPLES[::-1]:
        lesson.get_by_label("Picture", exact=True).select_option(name)
        lesson.get_by_text(f"The picture: {name}").wait_for()
        values = activations(trained, images.resize(images.sample(name)))["conv1"][..., 0]
        expect_drawn(main_map(lesson), values, values.min(), values.max())
    lesson.get_by_label("Picture", exact=True).select_option("one of my pets")
    lesson.get_by_text("The picture: one of my pets").wait_for()
    press(lesson, slider(lesson, "Pet"), "ArrowRight", 3)
    pages.settle(lesson)
    photo = lesson.locator(".cnn-browser-side").first.locator("canvas").first
    lesson.wait_for_timeout(500)
    wanted = "__import__('hashlib').sha256(my_pets.validation.images[3].tobytes()).hexdigest()"
    shown = np.ascontiguousarray(pages.canvas_pixels(photo)[..., :3])
    assert hashlib.sha256(shown).hexdigest() == pages.ask(lesson, wanted)

    # A phone photo: turned by EXIF, and grey with alpha for good measure.
    picture = Image.fromarray(images.sample("owl")).convert("LA")
    wide = picture.resize((200, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    jpeg = io.BytesIO()
    wide.convert("L").save(jpeg, "jpeg", exif=exif, quality=95)
    chooser = lesson.locator(".cnn-lab input[type=file]")
    chooser.set_input_files({"name": "p.jpg", "mimeType": "image/jpeg", "buffer": jpeg.getvalue()})
    lesson.get_by_text("The picture: your picture").wait_for()
    expected = images.resize(images.open_image(jpeg.getvalue()), 150)
    np.testing.assert_array_equal(pages.canvas_pixels(photo)[..., :3], expected)
    before = pages.canvas_pixels(main_map(lesson))
    chooser.set_input_files({"name": "note.txt", "mimeType": "text/plain", "buffer": b"no picture"})
    lesson.get_by_text("The last picture stays.").wait_for()
    np.testing.assert_array_equal(pages.canvas_pixels(main_map(lesson)), before)
    assert lesson.get_by_text("The picture: your picture").is_visible()
    # It goes into a saved page only on request, and is no part of any widget's state.
    failed = pages.ask(
        lesson,
        "(lambda: [exec('try: browser.save_html(\"x.html\")\\nexcept ValueError as e: r = str(e)', "
        "d := {'browser': browser}), d['r']][1])()",
    )
    assert "with_upload=True" in failed
    state = pages.ask(
        lesson, "__import__('ipywidgets').Widget.get_manager_state(drop_defaults=False)"
    )
    assert len(json.dumps(state)) < 700_000
    assert all(
        not isinstance(v, bytes) for w in state["state"].values() for v in w["state"].values()
    )


def test_what_excites_a_filter_most(lesson: Page) -> None:
    pages.tell(lesson, "browser.layer = 'pool2'; browser.filter = 3")
    lesson.get_by_role("button", name="What excites this filter most?").click()
    lesson.locator(".cnn-browser-patch").first.wait_for(timeout=240_000)
    expected = pages.ask(
        lesson,
        "[(p.pixels.tolist(), p.value, p.image) for p in "
        "__import__('helpers.activations').activations.strongest_patches("
        "network, my_pets.validation.images, browser._found[0], "
        "layer='pool2', filter_number=3)]",
    )
    figures = lesson.locator(".cnn-browser-patch")
    assert figures.count() == len(expected) == 9
    assert len({picture for _, _, picture in expected}) == 9
    for place, (pixels, value, _) in enumerate(expected):
        shown = pages.canvas_pixels(figures.nth(place).locator("canvas"))[..., :3]
        np.testing.assert_array_equal(shown, pixels)
        assert abs(number(figures.nth(place).inner_text()) - value) <= 0.01 * abs(value)
    press(lesson, slider(lesson, "Filter"), "ArrowLeft")
    lesson.get_by_text("What excites pool2, filter 2 most among").wait_for()


def test_every_control_has_a_name_and_its_keys(lesson: Page) -> None:
    visible = [c for c in pages.controls(lesson) if c["role"] != "none"]  # the pets' slider is not
    assert len(visible) > 20
    for control in visible:
        assert control["name"], control
        assert control["own keys"], control


def test_faster_than_the_eye_and_than_a_redrawn_figure(lesson: Page) -> None:
    """Median from a key to the end of drawing: at most 20 ms, and a tenth of `interact`'s."""
    pages.tell(lesson, "browser.layer = 'conv1'")
    expect_title(lesson, "conv1, filter 0")
    lesson.evaluate(
        """() => {
          window.waits = { quick: [], slow: [] };
          let began = null;
          document.addEventListener("keydown", () => { began = performance.now(); }, true);
          const end = (list) => { if (began !== null) list.push(performance.now() - began);
                                  began = null; };
          document.addEventListener("cnn-drawn", () => end(window.waits.quick), true);
          document.addEventListener("load", (event) => {
            if (event.target.matches?.(".jp-OutputArea-output img, .widget-output img"))
              end(window.waits.slow);
          }, true);
        }"""
    )
    for key in ["ArrowRight"] * 15 + ["ArrowLeft"] * 15:
        press(lesson, slider(lesson, "Filter"), key)
        lesson.wait_for_timeout(20)
    for key in ["ArrowRight"] * 7 + ["ArrowLeft"] * 7:
        press(lesson, slider(lesson, "Layer"), key)
        lesson.wait_for_timeout(60)
    quick = lesson.evaluate("window.waits.quick")
    assert len(quick) >= 40
    pages.command(lesson, "notebook:insert-cell-below")
    lesson.evaluate(
        """(source) => window.jupyterapp.shell.currentWidget.content.activeCell.model
          .sharedModel.setSource(source)""",
        SLOW,
    )
    pages.command(lesson, "notebook:run-cell")
    old = lesson.locator(".widget-interact, .jupyter-widgets").get_by_role("slider").last
    lesson.locator(".jupyter-widgets .jp-OutputArea-output img").last.wait_for(timeout=60_000)
    lesson.evaluate("window.waits.slow.length = 0")
    for _ in range(8):
        old.focus()
        count = lesson.evaluate("window.waits.slow.length")
        lesson.keyboard.press("ArrowRight")
        lesson.wait_for_function("n => window.waits.slow.length > n", arg=count)
        lesson.wait_for_timeout(50)
    slow = lesson.evaluate("window.waits.slow")
    one, other = statistics.median(quick), statistics.median(slow)
    print(f"\nkey to picture: browser {one:.1f} ms, interact with pyplot {other:.0f} ms")
    assert one <= 20
    assert other >= 10 * one


def test_looks(lesson: Page) -> None:
    """For eyes: $SCREENSHOTS gets light, dark and narrow; narrow must not scroll sideways."""
    pages.tell(lesson, "browser.layer = 'conv2'; browser.filter = 2")
    expect_title(lesson, "conv2, filter 2")
    lesson.set_viewport_size({"width": 1280, "height": 2300})
    lesson.locator(".cnn-lab").scroll_into_view_if_needed()
    lesson.wait_for_timeout(500)
    pages.screenshot(lesson, "browser_light", selector=".cnn-lab")
    pages.set_theme(lesson, "dark")
    pages.screenshot(lesson, "browser_dark", selector=".cnn-lab")
    pages.set_theme(lesson, "light")
    lesson.set_viewport_size({"width": 480, "height": 2300})
    lesson.wait_for_timeout(500)
    assert lesson.locator(".cnn-browser").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    pages.screenshot(lesson, "browser_narrow", selector=".cnn-lab")
    lesson.set_viewport_size({"width": 1280, "height": 1400})


def test_saved_page_works_alone(lesson: Page, browser: Browser, trained, tmp_path: Path) -> None:
    pages.tell(lesson, f"browser.save_html({str(tmp_path / 'page.html')!r})")
    assert (tmp_path / "page.html").stat().st_size < 2_000_000
    maps = activations(trained, images.resize(images.sample("dog")))
    context = browser.new_context(viewport={"width": 1000, "height": 900}, offline=True)
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    page.locator(".cnn-browser-tile").first.wait_for()
    for place, name in enumerate(maps):
        press(page, page.get_by_label("Layer", exact=True), "ArrowRight", 1 if place else 0)
        press(page, page.get_by_label("Filter", exact=True), "End")
        count = maps[name].shape[-1]
        expect_title(page, f"{name}, filter {count - 1}")
        values = maps[name][..., count - 1]
        if values.max() > values.min():
            expect_drawn(main_map(page), values, values.min(), values.max())
        page.get_by_text(f"All {count} filters of {name}").wait_for()
        assert page.locator(".cnn-browser-tile").count() == count
    main_map(page).hover(position={"x": 3, "y": 3})
    top, left, bottom, right = receptive_box(trained, "pool4", 0, 0)
    assert f"rows {top} to {bottom - 1}, columns {left} to {right - 1}" in words_of(page)
    page.locator(".cnn-browser-kernel button").first.click()
    expect_title(page, "conv4, filter 63")
    page.locator(".cnn-browser-tile").nth(4).click()
    expect_title(page, "conv4, filter 4")
    page.get_by_label("one scale for all filters").check()
    page.get_by_text("one scale for all 64 filters of conv4").wait_for()
    pages.screenshot(page, "saved_page")
    context.close()
    assert not errors
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


def test_another_model_in_notebook_7(browser: Browser, server: pages.Server) -> None:
    """A functional model with a skip connection, another size, by arrow keys in Notebook 7."""
    with pages.new_page(browser, height=1200) as page:
        path = pages.write_notebook(server.root / "other.ipynb", FUNCTIONAL)
        pages.open_notebook(page, server, path, notebook7=True)
        pages.run_all(page)
        page.locator(".cnn-browser-tile").first.wait_for(timeout=120_000)
        press(page, slider(page, "Layer"), "ArrowRight", 2)
        press(page, slider(page, "Filter"), "ArrowRight", 4)
        expect_title(page, "both, filter 4")
        values = np.array(
            pages.ask(
                page,
                "__import__('helpers.activations').activations.activations(mine, "
                "lab._photo / 255)['both'][..., 4].tolist()",
            )
        )
        assert values.shape == (64, 96)
        expect_drawn(main_map(page), values, values.min(), values.max())
        links = page.locator(".cnn-browser-kernel button").all_inner_texts()
        assert links == ["first · 4", "second · 4"]
        assert "It knows only its answers, 3 of them" in page.locator(".cnn-browser").inner_text()
        press(page, slider(page, "Layer"), "ArrowRight")
        expect_title(page, "small, filter 4")
        stage = page.locator(".cnn-browser-side").nth(1).locator(".cnn-picture-stage")
        press(page, stage, "ArrowUp")
        assert re.search(r"Row 9, column 16 sees .* 7\s×\s7 pixels", words_of(page))
        tile = page.locator(".cnn-browser-tile").nth(4)
        press(page, tile, "ArrowLeft")
        expect_title(page, "small, filter 3")
