"""The modules that the labs share, each alone in a page, against NumPy, SciPy and Matplotlib."""

import io
import itertools
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page
from scipy.signal import correlate2d

from helpers import convolution
from helpers.errors import LearnerError
from helpers.widgets.lab import Lab

from . import pages

RANDOM = np.random.default_rng(1)


def spans(n: int, **options: object) -> list[range]:
    """Return the pixels that each window sees of n; none where no window fits."""
    try:
        found = convolution.window_spans(np.arange(n)[:, None] + [0, 1], **options)
    except LearnerError:
        found = []
    return [range(*span) for span in found]


DRAW = """([data, shape, options]) => {
  const canvas = document.createElement("canvas");
  const kind = options.scale || !options.float ? Uint8Array : Float32Array;
  module.drawPixels(canvas, { data: kind.from(data.flat(3), (x) => x ?? NaN), shape, ...options });
  document.body.replaceChildren(canvas);
}"""


@pytest.fixture
def call(page: Page) -> Callable:
    """Load a module and return a function that evaluates JavaScript with it: call(code, value)."""

    def load(name: str) -> Callable:
        pages.load_module(page, name)
        return page.evaluate

    return load


def test_arrays_are_drawn_as_matplotlib_would(page: Page) -> None:
    pages.load_module(page, "pixels.js")

    def drawn(array: list | np.ndarray, shape: tuple, **options: object) -> np.ndarray:
        options = {"colors": None, "limits": [0, 255], "float": False} | options
        page.evaluate(DRAW, [np.asarray(array).tolist(), shape, options])
        return pages.canvas_pixels(page.locator("canvas"))

    grey = RANDOM.integers(0, 256, (7, 11))
    assert (drawn(grey, grey.shape)[..., :3] == grey[..., None]).all()
    color = RANDOM.integers(0, 256, (5, 4, 3))
    assert (drawn(color, color.shape)[..., :3] == color).all()
    outside = drawn([-9, 0.5, 9], (1, 3), limits=[0, 1], float=True)
    assert outside[0, :, 0].tolist() == [0, 128, 255]
    scaled = drawn([0, 51, 255], (1, 3), limits=[0, 2], scale=[-1, 4])
    assert scaled[0, :, 0].tolist() == [0, 0, 255]
    nothing = drawn([1, None], (1, 2), float=True)
    assert nothing[0, :, 3].tolist() == [255, 0]


def test_color_maps_are_matplotlibs(call: Callable) -> None:
    evaluate = call("colormaps.js")
    for constant, name in [("SIGNED", "RdBu_r"), ("SEQUENTIAL", "viridis")]:
        shown = np.reshape(evaluate(f"[...module.{constant}]"), (256, 3))
        expected = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
        np.testing.assert_array_equal(shown, expected)


@pytest.mark.parametrize("zoom", [1, 1.5, 2])
def test_pixels_are_crisp(browser: Browser, zoom: float) -> None:
    if browser.browser_type.name == "firefox" and zoom != 1:
        pytest.skip("Playwright does not zoom Firefox.")
    with pages.new_page(browser, device_scale_factor=zoom) as page:
        page.set_content(f"<style>{Lab._css}</style><main></main>")
        pages.load_module(page, "image_view.js")
        page.evaluate(
            """() => {
              const view = module.createImageView();
              document.querySelector("main").append(view.node);
              view.setPixels({ data: Uint8Array.of(0, 255, 255, 0, 60, 120), shape: [2, 3],
                colors: null, limits: [0, 255] }, "six pixels");
              view.node.style.width = "231px";
            }"""
        )
        shot = page.locator(".cnn-image-stage").screenshot()
    grey = np.asarray(Image.open(io.BytesIO(shot)).convert("L"))
    assert grey.shape[1] == pytest.approx(231 * zoom, abs=2)
    # Nearest neighbour: nothing in between; the frame may lie between two screen pixels.
    assert set(np.unique(grey[2:-2, 2:-2])) == {0, 255, 60, 120}
    middles = [round(c * 77 * zoom) for c in (0.5, 1.5, 2.5)]
    assert grey[np.ix_(middles[:2], middles)].tolist() == [[0, 255, 255], [0, 60, 120]]


def test_the_arithmetic_is_that_of_helpers(call: Callable) -> None:
    evaluate = call("arithmetic.js")
    for rows, columns in [(3, 3), (3, 8), (17, 5)]:
        image, kernel = RANDOM.integers(0, 256, (rows, columns)), RANDOM.normal(size=(3, 3))
        shown = evaluate(
            "([image, kernel, ...size]) => [...module.correlate3(image, ...size, kernel)]",
            [image.ravel().tolist(), kernel.ravel().tolist(), rows, columns],
        )
        expected = correlate2d(image, kernel, mode="valid")
        np.testing.assert_allclose(np.reshape(shown, expected.shape), expected, rtol=1e-5)
    sizes = range(1, 13), range(1, 6), range(1, 6), ["valid", "same", 0, 1, 2]
    cases = list(itertools.product(*sizes))
    found = evaluate(
        "all => all.map((c) => [module.outputSize(...c), module.unreached(...c)])", cases
    )
    for (n, kernel, stride, padding), (size, lost) in zip(cases, found, strict=True):
        options = {"kernel": kernel, "stride": stride, "padding": padding}
        seen = spans(n, **options)
        assert size == len(seen)
        assert lost == sorted(set(range(n)).difference(*seen))
    patch = RANDOM.integers(-99, 99, (7, 6))
    for size, stride in itertools.product((1, 2, 3), (1, 2, 3)):
        for average, pool in enumerate((convolution.max_pool, convolution.average_pool)):
            wanted = pool(patch, size=size, stride=stride)
            numbers = [patch.ravel().tolist(), *patch.shape, size, stride, bool(average)]
            shown = evaluate("c => module.pool(...c)", numbers)
            np.testing.assert_allclose(np.reshape(shown, wanted.shape), wanted)


def test_numbers_that_people_type_and_read(call: Callable) -> None:
    evaluate = call("numbers.js")
    cases = {
        "2": 2, "-0.5": -0.5, "−3": -3, "0,5": 0.5, " 1/9 ": 1 / 9, "-1 / 4": -0.25, ".5": 0.5,
        "1e1": 10, "+7": 7, "5.": 5, "": None, "abc": None, "1/": None, "-": None, "1 2": None,
        "NaN": None, "Infinity": None, "0x10": None, "1/0": None, "1,000,000": None,
    }  # fmt: skip
    number = "text => { const x = module.parseNumber(text); return Number.isNaN(x) ? null : x }"
    assert {text: evaluate(number, text) for text in cases} == cases
    values = [0, 1, -2, 0.5, 1 / 9, 1 / 16, -1 / 3, 0.1, 2 / 16, 4 / 16, 12.345678901, 99.9, 1e-7]
    texts = evaluate("values => values.map(module.shortNumber)", values)
    assert texts[:6] == ["0", "1", "−2", "0.5", "1/9", "1/16"]
    assert evaluate("texts => texts.map(module.parseNumber)", texts) == values


def test_what_a_person_sets_is_saved_at_once(call: Callable) -> None:
    """Saved later, an echo of the kernel could set a slider back (seen in Safari's engine)."""
    done = call("dom.js")(
        """() => {
          const done = [];
          const model = { set: () => done.push("set"), save_changes: () => done.push("saved") };
          module.connect(model).set({ filter: 3 });
          return done;
        }"""
    )
    assert done == ["set", "saved"]
