"""What the figures show, against the arrays they are given, and how every figure is shown."""

import base64
import html
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from helpers import figures
from helpers.model import build_model, layer_table

plt.switch_backend("agg")
PHOTO = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)


def texts(axis):
    return [text.get_text().replace("\u00a0", " ") for text in axis.texts]


def test_show_has_a_text_alternative_and_closes_the_figure():
    figure, _ = plt.subplots()
    page = figures.show(figure, alt='A "frame" & nothing in it.')
    assert 'alt="A &quot;frame&quot; &amp; nothing in it."' in page.data
    assert not plt.fignum_exists(figure.number)
    with pytest.raises(ValueError, match="say what it shows, with alt="):
        figures.show(plt.figure())


def test_a_figure_is_read_out_as_it_is_drawn():
    def read(figure):
        return re.search(r'alt="(.*?)"', figures.show(figure).data)[1]

    drawn = {"an owl": PHOTO, "its map": np.array([[-2.0, 1.5]])}
    assert read(figures.panels(drawn)) == ("An owl, an image; its map, numbers from -2 to 1.5.")
    rows = [{"epoch": n, "accuracy": n / 4, "val_accuracy": 0.5} for n in (1, 2, 3)]
    said = read(figures.history_curves({"fit": rows}))
    assert said.startswith("Fit, training goes from 0.25 to 0.75, validation goes from 0.5 to 0.5,")
    assert said.endswith("accuracy over epoch.")
    assert "one 75.0%, 50.0%; two 25.0%" in read(
        figures.run_comparison({"one": [(3, 4), (2, 4)], "two": [(1, 4)]})
    )
    assert "conv1 448 (0.0%)" in read(figures.parameter_bars(layer_table(build_model(seed=0))))


@pytest.mark.parametrize("array", [PHOTO, np.zeros_like(PHOTO)], ids=["photo", "chart"])
def test_show_keeps_what_is_drawn(array):
    figure, drawn = figures.panels({"an image": array}), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=80, bbox_inches="tight")
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", figures.show(figure, alt="A square.").data)[1]
    shown, wanted = Image.open(io.BytesIO(base64.b64decode(data))), Image.open(drawn)
    assert shown.format == "WEBP" and shown.size == wanted.size
    difference = np.asarray(shown.convert("RGB"), float) - np.asarray(wanted.convert("RGB"), float)
    assert np.abs(difference).mean() < 6 if array.any() else not difference.any()


@pytest.mark.parametrize(("lowest", "scale"), [(0, 1), (0, 1e-9), (-4, 1)])
def test_panels_share_one_scale_with_zero_in_its_middle(lowest, scale):
    signed = scale * np.array([[lowest, 4.0] * 50])
    figure = figures.panels({"image": PHOTO, "one": signed, "two": signed / 9})
    image, one, two = (axis.images[0].get_clim() for axis in figure.axes[:3])
    assert image == (0, 255)
    assert one == two == pytest.approx((-4 * scale, 4 * scale))
    bar = np.divide(figure.axes[3].get_ylim(), scale)  # it begins at 0 if nothing is negative
    assert bar == pytest.approx((lowest, 4))


def test_a_map_has_the_colours_that_its_numbers_ask_for():
    maps = [PHOTO, np.array([[0.5, 2]]), np.array([[-3.0, 2]]), np.zeros((2, 2))]
    axes = figures.images_in_a_row(maps, boxes=[(10, 20, 30, 60)]).axes[:4]
    looks = [(axis.images[0].get_cmap().name, axis.images[0].get_clim()) for axis in axes[:3]]
    assert looks == [("gray", (0, 255)), ("viridis", (0.5, 2)), ("RdBu_r", (-3, 3))]
    assert [axis.get_xlabel() for axis in axes] == ["", "0.5 to 2", "-3 to 2", "0 everywhere"]
    assert axes[3].collections[0].get_hatch()
    assert axes[0].patches[0].get_bbox().extents == pytest.approx((19.5, 9.5, 59.5, 29.5))


def test_numbers_are_those_of_the_array():
    axis = figures.numbers({"a": np.array([[-973.0, 0, 12.25]])}).axes[0]
    assert texts(axis) == ["−973", "0", "12.25"]
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert texts(figures.zoom(image, row=3, column=5, size=2).axes[1]) == ["35", "36", "45", "46"]


@pytest.mark.parametrize(("row", "count", "missed"), [((8, 3, 2), 3, 1), ((11, 2, 4), 3, 5)])
def test_windows_are_counted_and_the_rest_is_hatched(row, count, missed):
    n, kernel, stride = row
    axis = figures.windows(n, kernel=kernel, stride=stride).axes[0]
    assert sum(text.startswith("window") for text in texts(axis)) == count
    assert sum(bool(patch.get_hatch()) for patch in axis.patches) == missed


def test_receptive_fields_are_boxes_of_their_size_round_the_center():
    left, right = figures.receptive_fields(PHOTO, {"a": 3, "b": 8}, center=(20, 30)).axes
    boxes = [patch.get_bbox().extents for patch in left.patches[::2]]
    np.testing.assert_allclose(boxes, [[28.5, 18.5, 31.5, 21.5], [25.5, 15.5, 33.5, 23.5]])
    assert [bar.get_width() for bar in right.patches] == [3, 8]


def test_an_answer_is_a_bar_from_the_middle():
    axes = figures.answers(np.stack([PHOTO] * 2), [0.1, 0.8], [0, 1], columns=2).axes
    assert [axis.get_title() for axis in axes] == ["a cat", "a dog"]
    bars = [axis.child_axes[0].patches[1].get_bbox().intervalx for axis in axes]
    np.testing.assert_allclose(np.sort(bars), [[0.1, 0.5], [0.5, 0.8]])


def test_intervals_are_those_of_scipy():
    line, dot = figures.run_comparison({"one": [(30, 40)]}).axes[0].lines
    share = np.array(binomtest(30, 40).proportion_ci(method="wilson"))
    assert dot.get_xdata() == [75] and line.get_xdata() == pytest.approx(100 * share)
    labels, said = np.tile([0, 1], 7), np.repeat([0.05, 0.25], [4, 10])  # 4 are too few to draw
    _, line, dot = figures.calibration(labels, said).axes[0].lines
    assert (dot.get_xdata(), dot.get_ydata()) == (pytest.approx([0.25]), [0.5])
    assert line.get_ydata() == pytest.approx(binomtest(5, 10).proportion_ci(method="wilson"))


def test_history_has_validation_only_where_it_was_looked_at():
    rows = [{"epoch": 1, "accuracy": 0.5}, {"epoch": 2, "accuracy": 0.6, "val_accuracy": 0.7}]
    training, validation, _ = figures.history_curves({"run": rows}).axes[0].lines
    np.testing.assert_array_equal(training.get_xydata(), [[1, 0.5], [2, 0.6]])
    np.testing.assert_array_equal(validation.get_xydata(), [[2, 0.7]])


def test_a_network_is_shown_by_its_layers():
    model, image = build_model(seed=0), np.dstack([np.tile(PHOTO, (3, 3))[:150, :150]] * 3)
    diagram = texts(figures.network_diagram(model).axes[0])
    assert diagram[diagram.index("conv1") + 3] == "150 × 150 × 3\n148 × 148 × 16"
    shrinking = figures.shrinking_image(model, image)
    shrinking.draw_without_rendering()
    widths = [axis.images[0].get_window_extent().width for axis in shrinking.axes[:9]]
    sides = [150, 148, 74, 72, 36, 34, 17, 15, 7]
    np.testing.assert_allclose(np.divide(widths, widths[0]) * 150, sides)
    assert shrinking.axes[1].get_title().replace("\u00a0", " ") == "conv1\n148 × 148 × 16"
    rows = layer_table(model)
    bars = figures.parameter_bars(rows).axes[0].patches
    counts = [layer.count_params() for layer in model.layers]
    assert [bar.get_width() for bar in bars] == [count for count in counts if count]
    page = html.unescape(figures.layer_table_html(rows).data).replace("\u00a0", " ")
    lines = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in page.split("<tr>")[2:]]
    size, count = "148 × 148 × 16", "(3*3*3+1)*16 = 448"
    assert lines[1] == ["conv1", size, count, "9,462,528", "3 × 3", "1,401,856"]
    assert lines[-1] == ["together", "", "1,639,489", "49,757,440", "", "3,121,460"]
    assert len(lines) == len(rows) + 1
