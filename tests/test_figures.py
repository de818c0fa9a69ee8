"""What the figures of lessons 1 and 2 show, and how every figure is shown."""

import base64
import io
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from helpers import figures
from helpers.convolution import output_size, receptive_field

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def texts(axis):
    return [text.get_text() for text in axis.texts]


def opened(page):
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", page.data)[1]
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_show_has_a_text_alternative_and_closes_the_figure():
    figure, _ = plt.subplots()
    page = figures.show(figure, alt='A "frame" & nothing in it.')
    assert 'alt="A &quot;frame&quot; &amp; nothing in it."' in page.data
    assert not plt.fignum_exists(figure.number)


def test_show_refuses_a_figure_without_words():
    figure, _ = plt.subplots()
    with pytest.raises(ValueError, match="needs an alt text"):
        figures.show(figure, alt=" ")


@pytest.mark.parametrize("photo", [True, False])
def test_show_keeps_what_is_drawn(photo):
    rng = np.random.default_rng(0)
    array = rng.integers(0, 256, (64, 64), dtype=np.uint8) if photo else np.zeros((64, 64), "u1")
    figure = figures.panels({"a picture": array})
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, bbox_inches="tight")
    shown = opened(figures.show(figure, alt="A grey square."))
    assert shown.format == "WEBP"
    wanted = Image.open(buffer).convert("RGB")
    assert shown.size == wanted.size
    difference = np.abs(np.asarray(shown.convert("RGB"), float) - np.asarray(wanted, float))
    assert difference.mean() < 6 if photo else difference.max() == 0


def test_image_tag_names_the_format():
    assert "data:image/png;base64," in figures.image_tag(b"\x89PNG\r\n\x1a\n....", alt="A dot.")
    assert "data:image/webp;base64," in figures.image_tag(b"RIFF....WEBPVP8 ", alt="A dot.")


@pytest.mark.parametrize(("lowest", "begins"), [(0, 0), (-4, -4)])
def test_colour_bar_of_panels_begins_at_zero_where_nothing_is_negative(lowest, begins):
    figure = figures.panels({"one": np.array([[lowest, 4.0] * 50])})
    assert figure.axes[-1].get_ylim() == pytest.approx((begins, 4))


def test_panels_put_zero_in_the_middle_of_one_scale():
    signed = np.linspace(-50, 900, 100).reshape(10, 10)
    figure = figures.panels({"picture": signed.astype(np.uint8), "one": signed, "two": signed / 9})
    picture, one, two = (axis.images[0] for axis in figure.axes[:3])
    assert picture.get_clim() == (0, 255)
    low, high = one.get_clim()
    assert low == -high and 0 < high <= 900
    assert two.get_clim() == one.get_clim()


def test_numbers_are_those_of_the_array():
    array = np.array([[-973.0, 0, 12.25]])
    axis = figures.numbers({"a": array}).axes[0]
    assert texts(axis) == ["−973", "0", "12.25"]


def test_zoom_shows_the_numbers_in_the_box():
    picture = np.arange(100, dtype=np.uint8).reshape(10, 10)
    axis = figures.zoom(picture, row=3, column=5, size=2).axes[1]
    assert texts(axis) == ["35", "36", "45", "46"]


@pytest.mark.parametrize(
    ("n", "kernel", "stride", "padding", "unreached"),
    [(8, 3, 2, "valid", 1), (9, 3, 2, "valid", 0), (11, 2, 4, "valid", 5), (8, 3, 2, "same", 0)],
)
def test_windows_are_counted_and_the_rest_is_hatched(n, kernel, stride, padding, unreached):
    axis = figures.windows(n, kernel=kernel, stride=stride, padding=padding).axes[0]
    count = sum(text.startswith("window") for text in texts(axis))
    assert count == output_size(n, kernel=kernel, stride=stride, padding=padding)
    assert sum(bool(patch.get_hatch()) for patch in axis.patches) == unreached


def test_fields_growing_writes_the_receptive_fields():
    layers = [("conv1", 3, 1), ("pool1", 2, 2), ("conv2", 3, 1)]
    picture = np.zeros((20, 20, 3), np.uint8)
    axis = figures.fields_growing(picture, layers, center=(10, 10)).axes[1]
    sizes = [receptive_field([layer[1:] for layer in layers[:n]]).size for n in (1, 2, 3)]
    assert texts(axis) == [f"{size} × {size}" for size in sizes] == ["3 × 3", "4 × 4", "8 × 8"]


def test_kernel_forming_draws_the_steps_and_the_distance():
    target = np.arange(9.0).reshape(3, 3)
    history = [target * (1 - 0.9**step) for step in range(130)]
    figure = figures.kernel_forming(history, target)
    assert texts(figure.axes[0])[8] == "0.00" and texts(figure.axes[5])[8] == "8.00"
    line = figure.axes[-1].lines[0].get_ydata()
    assert len(line) == 130 and line[0] == pytest.approx(8) and np.all(np.diff(line) < 0)


def test_shifts_tell_the_lines_apart_without_colour():
    figure = figures.shifts({"a": np.arange(3), "b": np.arange(3) * 2}, ylabel="change")
    first, second = figure.axes[0].lines
    assert first.get_marker() != second.get_marker()
    assert first.get_linestyle() != second.get_linestyle()
