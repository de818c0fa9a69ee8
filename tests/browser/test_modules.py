"""The drawing and the arithmetic in the page, against NumPy, SciPy, Matplotlib and helpers."""

import base64
import itertools

import matplotlib
import numpy as np
from playwright.sync_api import Page
from scipy.signal import correlate2d

from helpers import convolution
from helpers.widgets.picture import pixels_message

from . import pages


def drawn(page: Page, array: np.ndarray, **options: object) -> np.ndarray:
    """Draw an array on a canvas, by way of the message that Python sends; return its pixels."""
    message, buffers = pixels_message(array, **options)
    page.evaluate(
        """([message, buffers]) => {
          const bytes = buffers.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
          // An ipywidgets buffer is a DataView somewhere inside a larger one.
          const views = bytes.map((b) => {
            const room = new Uint8Array(b.length + 3);
            room.set(b, 3);
            return new DataView(room.buffer, 3);
          });
          const canvas = document.createElement("canvas");
          module.drawPixels(canvas, module.unpack(message, views));
          document.body.replaceChildren(canvas);
        }""",
        [message, [base64.b64encode(buffer).decode() for buffer in buffers]],
    )
    return pages.canvas_pixels(page.locator("canvas"))


def test_arrays_are_drawn_as_matplotlib_would(page: Page) -> None:
    pages.load_module(page, "canvas.js")
    random = np.random.default_rng(1)
    grey = random.integers(0, 256, (7, 11), dtype=np.uint8)
    assert (drawn(page, grey)[..., :3] == grey[..., None]).all()

    color = random.integers(0, 256, (5, 4, 3), dtype=np.uint8)
    assert (drawn(page, color)[..., :3] == color).all()
    assert np.abs(drawn(page, color / 255)[..., :3].astype(int) - color).max() == 0

    values = random.normal(size=(40, 30)) * 50
    limit = np.abs(values).max()
    codes = np.rint((values.astype(np.float32) + limit) / (2 * limit) * 255).astype(int)
    table = (matplotlib.colormaps["RdBu_r"](np.arange(256))[:, :3] * 255).round()
    shown = drawn(page, values, cmap="RdBu_r")[..., :3].astype(int)
    # One code off is allowed where a value lies between two.
    near = [np.abs(shown - table[np.clip(codes + d, 0, 255)]).max(axis=2) <= 1 for d in (-1, 0, 1)]
    assert np.any(near, axis=0).all()
    assert near[1].mean() > 0.99

    outside = drawn(page, np.array([[-9.0, 0.5, 9.0]]), cmap="gray", limits=(0, 1))[0, :, 0]
    assert outside.tolist() == [0, 128, 255]
    scaled = drawn(page, np.array([[0, 51, 255]], np.uint8), scale=(-1, 4), limits=(0, 2))
    assert scaled[0, :, 0].tolist() == [0, 0, 255]
    assert drawn(page, np.array([[np.nan, 1.0]]))[0, 0, 3] == 0  # not a number: nothing there


def test_correlation_in_the_page(page: Page) -> None:
    pages.load_module(page, "convolve.js")
    random = np.random.default_rng(2)
    for rows, columns in [(3, 3), (3, 8), (17, 5)]:
        picture = random.integers(0, 256, (rows, columns))
        kernel = random.normal(size=(3, 3))
        values = page.evaluate(
            "([p, r, c, k]) => [...module.correlate3(p, r, c, k)]",
            [picture.ravel().tolist(), rows, columns, kernel.ravel().tolist()],
        )
        expected = correlate2d(picture, kernel, mode="valid")
        np.testing.assert_allclose(np.reshape(values, expected.shape), expected, rtol=1e-5)


def test_sizes_in_the_page(page: Page) -> None:
    pages.load_module(page, "convolve.js")
    cases = list(
        itertools.product(range(1, 13), range(1, 6), range(1, 6), ["valid", "same", 0, 1, 2])
    )
    found = page.evaluate(
        "cases => cases.map((c) => [module.outputSize(...c), module.unreached(...c)])", cases
    )
    for (n, kernel, stride, padding), (size, lost) in zip(cases, found, strict=True):
        options = {"kernel": kernel, "stride": stride, "padding": padding}
        before, after = convolution._pad_amounts(n, **options)
        if n + before + after < kernel:
            assert size == 0
            continue
        assert size == convolution.output_size(n, **options)
        seen = {w * stride - before + i for w in range(size) for i in range(kernel)}
        assert lost == sorted(set(range(n)) - seen)


def test_pooling_in_the_page(page: Page) -> None:
    pages.load_module(page, "convolve.js")
    patch = np.random.default_rng(3).integers(-99, 99, (7, 6))
    for size, stride in itertools.product((1, 2, 3), (1, 2, 3)):
        call = "([p, k, s, mean]) => module.pool(p, k, s, mean)"
        largest = page.evaluate(call, [patch.tolist(), size, stride, False])
        mean = page.evaluate(call, [patch.tolist(), size, stride, True])
        np.testing.assert_equal(largest, convolution.max_pool(patch, size=size, stride=stride))
        expected = convolution.average_pool(patch, size=size, stride=stride)
        np.testing.assert_allclose(mean, expected)


def test_numbers_that_people_type(page: Page) -> None:
    pages.load_module(page, "numbers.js")
    cases = {
        "2": 2, "-0.5": -0.5, "−3": -3, "0,5": 0.5, " 1/9 ": 1 / 9, "-1 / 4": -0.25, ".5": 0.5,
        "1e1": 10, "+7": 7, "5.": 5, "": None, "abc": None, "1/": None, "-": None, "1 2": None,
        "NaN": None, "Infinity": None, "0x10": None, "1/0": None, "1,000,000": None,
    }  # fmt: skip
    number = "text => { const x = module.parseNumber(text); return Number.isNaN(x) ? null : x }"
    assert {text: page.evaluate(number, text) for text in cases} == cases


def test_numbers_are_written_exactly(page: Page) -> None:
    pages.load_module(page, "numbers.js")
    values = [0, 1, -2, 0.5, 1 / 9, 1 / 16, -1 / 3, 0.1, 2 / 16, 4 / 16, 12.345678901, 99.9, 1e-7]
    texts = page.evaluate("v => v.map(module.shortNumber)", values)
    assert texts[:6] == ["0", "1", "−2", "0.5", "1/9", "1/16"]
    back = page.evaluate("t => t.map(module.parseNumber)", texts)
    assert back == values
