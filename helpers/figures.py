"""Figures with a text alternative: what every lesson shows goes through `show`.

Colours mean the same in every figure (`_draw`): an image is drawn as it is; signed numbers are
white at 0, red above and blue below; numbers that are never negative go from dark to yellow.
"""

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from IPython.display import HTML
from PIL import Image

from helpers.activations import activations
from helpers.convolution import output_size
from helpers.errors import LearnerError
from helpers.model import LayerRow, layer_table
from helpers.training import confidence_interval

if TYPE_CHECKING:
    import keras
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that colour-blind readers can tell apart: Okabe and Ito, "Color Universal Design" (2008).
_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#777777"


def show(figure: "Figure", *, alt: str = "") -> HTML:
    """Return a figure as an image with a text alternative, and close it.

    Without `alt`, a sentence for those who cannot see it, the figure's label is read out, or what
    is drawn: titles, the ends of lines, the range of numbers. Of the ways tried, only ``<img
    alt=...>`` gives JupyterLab and exported pages an alt text. The image is WebP, lossless if that
    is the smaller one (charts), else of quality 80 (photos): a sixth of the PNG's bytes.
    """
    import matplotlib.pyplot as plt

    alt = alt or figure.get_label() or _read_out(figure)
    if not alt:
        raise LearnerError("The figure has no titles to read out: say what it shows, with alt=.")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=80, bbox_inches="tight")
    plt.close(figure)
    files = [io.BytesIO(), io.BytesIO()]
    for file, options in zip(files, ({"lossless": True}, {"quality": 80}), strict=True):
        Image.open(drawn).convert("RGB").save(file, "WEBP", method=6, **options)
    return HTML(image_tag(min((file.getvalue() for file in files), key=len), alt=alt))


def _read_out(figure: "Figure") -> str:
    """Say what is drawn on each axis: its title, its names, its images and its lines."""
    said = [_read_axis(axis) for axis in figure.axes if axis.get_label() != "<colorbar>"]
    text = "; ".join(" ".join(words.split()) for words in said if words)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _read_axis(axis: "Axes") -> str:
    words = [axis.get_title()]
    for array in (image.get_array() for image in axis.images):
        span = f"numbers from {array.min():.3g} to {array.max():.3g}"
        words.append("an image" if array.dtype == np.uint8 else "" if axis.get_xlabel() else span)
    for line in axis.lines:
        y = np.asarray(line.get_ydata(), float)
        if not line.get_label().startswith("_") and len(y):
            words.append(f"{line.get_label()} goes from {y[0]:.3g} to {y[-1]:.3g}")
    ticks = [tick.get_text() for tick in axis.get_yticklabels()] if axis.containers else []
    texts = [text.get_text() for text in axis.texts]
    if len(ticks) == len(texts):  # bars with their names
        words += [f"{name} {text}" for name, text in zip(ticks, texts, strict=True)]
    labels = " over ".join(filter(None, (axis.get_ylabel(), axis.get_xlabel())))
    return ", ".join(filter(None, [*words, labels]))


def image_tag(webp: bytes, *, alt: str) -> str:
    """Return ``<img>`` HTML that holds a WebP file and its text alternative."""
    data = base64.b64encode(webp).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/webp;base64,{data}">'


def _subplots(*shape: int, size: tuple[float, float], **options: Any) -> "tuple[Figure, Any]":
    """Return a figure of `size` inches and its rows and columns of axes; nothing overlaps."""
    import matplotlib.pyplot as plt

    return plt.subplots(*shape, figsize=size, **{"layout": "compressed"} | options)


def _frames(
    titles: Sequence[str], *, columns: int, cell: tuple[float, float], **options: Any
) -> "tuple[Figure, list[Axes]]":
    """Return a figure with a bare axis under each title, in rows of `columns`.

    A cell is the mean axis with its title: its width and height in inches.
    """
    rows = math.ceil(len(titles) / columns)
    size = cell[0] * columns, cell[1] * rows
    bare = {"xticks": [], "yticks": [], "frame_on": False}
    figure, axes = _subplots(rows, columns, size=size, squeeze=False, subplot_kw=bare, **options)
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize=11)
    return figure, list(axes.flat[: len(titles)])


def _draw(axis: "Axes", array: np.ndarray, *, limit: float | None = None) -> Any:
    """Draw an array in the colours that its numbers ask for.

    A uint8 array is an image, 0 to 255. Numbers of which one is negative, or all where a `limit`
    is given, are signed: from blue (-limit) over white (0) to red (limit). Others go from their
    smallest (dark) to their largest (yellow); where all are alike, they are hatched.
    """
    if array.dtype == np.uint8:
        return axis.imshow(array, cmap="gray", vmin=0, vmax=255)
    low, high = array.min(), array.max()
    if limit or low < min(high, 0):
        limit = limit or max(-low, high)
        return axis.imshow(array, cmap="RdBu_r", vmin=-limit, vmax=limit)
    if low < high:
        return axis.imshow(array)
    drawn = axis.imshow(np.zeros_like(array), cmap="gray", vmin=-1, vmax=3)
    *across, bottom, top = drawn.get_extent()
    axis.fill_between(across, bottom, top, hatch="///", fc="none", ec="#999999", lw=0)
    return drawn


def _write_numbers(axis: "Axes", array: np.ndarray) -> None:
    """Write every number into its cell, white on dark."""
    for (row, column), value in np.ndenumerate(array):
        color = "white" if array.dtype == np.uint8 and value < 128 else "black"
        text = f"{value + 0:.4g}".replace("-", "−")
        axis.text(column, row, text, color=color, fontsize=11, ha="center", va="center")


def _outline(axis: "Axes", box: tuple[int, int, int, int], *, color: Any = "#ffb000") -> None:
    """Draw a box (top, left, bottom, right) round pixels, with a black rim, seen on any image."""
    from matplotlib.patches import Rectangle

    top, left, bottom, right = box
    for edge, line in (("black", 3.6), (color, 1.8)):
        corner, width, height = (left - 0.5, top - 0.5), right - left, bottom - top
        axis.add_patch(Rectangle(corner, width, height, fill=False, ec=edge, lw=line))


def _bars(axis: "Axes", values: Mapping[str, int], texts: Sequence[str], *, color: Any) -> None:
    """Draw a bar for each value, the first on top, with its name before and its text behind it."""
    bars = axis.barh([*values], [*values.values()], color=color)
    axis.bar_label(bars, texts, padding=4)
    axis.set(xlim=(0, 1.5 * max(values.values())), xticks=[])
    axis.invert_yaxis()
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def _times(shape: Sequence[int]) -> str:
    """Write a shape as 148 × 148 × 16, on one line wherever it stands."""
    return "\u00a0×\u00a0".join(f"{side:,}" for side in shape)


def panels(arrays: Mapping[str, np.ndarray], *, side: float = 3.2) -> "Figure":
    """Draw arrays side by side, each under its title.

    A uint8 array is drawn as an image, 0 to 255; any other as signed numbers: white at 0, red
    above, blue below, all to one scale with a colour bar. The scale ends where 98% of the numbers
    do, so that weak ones can be seen; arrows at the colour bar stand for the rest. Where nothing
    is negative, the colour bar begins at 0.
    """
    signed = [array for array in arrays.values() if array.dtype != np.uint8]
    sizes = np.abs(np.concatenate([[0], *(array.ravel() for array in signed)]))
    limit = np.percentile(sizes, 98) or sizes.max() or 1
    widths = [array.shape[1] / array.shape[0] for array in arrays.values()]
    cell = side * np.mean(widths), side
    figure, axes = _frames([*arrays], columns=len(arrays), cell=cell, width_ratios=widths)
    drawn = [_draw(*pair, limit=limit) for pair in zip(axes, arrays.values(), strict=True)]
    if signed:
        scale = next(image for image in drawn if image.norm.vmin < 0)
        ends = "both" if min(array.min() for array in signed) < 0 else "max"
        bar = figure.colorbar(scale, ax=axes, shrink=0.8, pad=0.015, aspect=25, extend=ends)
        bar.ax.set_ylim(None if ends == "both" else 0, None)
    return figure


def numbers(arrays: Mapping[str, np.ndarray], *, limit: float | None = None) -> "Figure":
    """Draw small arrays side by side with the number in every cell, coloured as in `panels`.

    The colours end beyond the largest number of each array, or of all at `limit`.
    """
    widths = [array.shape[1] for array in arrays.values()]
    cell = 0.9 * (np.mean(widths) + 0.5), 0.9 * max(map(len, arrays.values()))
    options = {"width_ratios": widths, "layout": "none"}  # "compressed" would change the ratios
    figure, axes = _frames([*arrays], columns=len(arrays), cell=cell, **options)
    for axis, array in zip(axes, arrays.values(), strict=True):
        _draw(axis, array, limit=limit or np.abs(array).max() * 1.6 or 1)
        _write_numbers(axis, array)
    return figure


def zoom(image: np.ndarray, *, row: int, column: int, size: int = 8) -> "Figure":
    """Draw a grey uint8 image with a box, and the numbers inside the box beside it."""
    patch = image[row : row + size, column : column + size]
    place = f"rows {row} to {row + size - 1}, columns {column} to {column + size - 1}"
    titles = [f"{image.shape[0]} × {image.shape[1]} pixels", place]
    box = row, column, row + size, column + size
    figure = images_in_a_row([image, patch], titles, columns=2, side=4.2, boxes=[box])
    _write_numbers(figure.axes[1], patch)
    return figure


def images_in_a_row(
    arrays: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    *,
    columns: int = 5,
    side: float = 2,
    boxes: Sequence[tuple[int, int, int, int]] = (),
) -> "Figure":
    """Draw images and feature maps in rows of `columns`, each map on its own scale.

    They are (H, W) or (H, W, 3) uint8 images and (H, W) maps, each `side` inches wide and under
    its title, where there are titles. Below a map stand its smallest and its largest number; it is
    hatched if they are alike. The boxes, (top, left, bottom, right) in pixels, are outlined, each
    in its array.
    """
    titles = titles or [""] * len(arrays)
    figure, axes = _frames(titles, columns=columns, cell=(side, side + 0.5))
    for axis, array in zip(axes, arrays, strict=True):
        _draw(axis, array)
        if array.dtype != np.uint8:
            low, high = array.min() + 0, array.max() + 0  # relu leaves some zeros negative
            span = f"{low:.3g} to {high:.3g}" if low < high else f"{low:.3g} everywhere"
            axis.set_xlabel(span, fontsize=10)
    for axis, box in zip(axes, boxes, strict=False):
        _outline(axis, box)
    return figure


def filter_grid(maps: np.ndarray, *, columns: int = 8) -> "Figure":
    """Draw the maps (H, W, filters) of a layer, numbered, as `images_in_a_row` does."""
    titles = [f"filter {number}" for number in range(maps.shape[-1])]
    return images_in_a_row(np.moveaxis(maps, -1, 0), titles, columns=columns, side=10 / columns)


def answers(
    images: np.ndarray, probabilities: Sequence[float], labels: Sequence[int], *, columns: int = 5
) -> "Figure":
    """Draw images, what they show above each, and below a bar from cat to dog with the answer.

    The images are (N, H, W, 3) uint8; of each, the probability of a dog is the answer, and the
    label, 0 for a cat and 1 for a dog, is what it really is.
    """
    titles = [("a cat", "a dog")[label] for label in labels]
    figure = images_in_a_row(images, titles, columns=columns, side=2)
    said = [f"{title}: {p:.2f}" for title, p in zip(titles, probabilities, strict=True)]
    figure.set_label(f"What it is, and the answer, from 0, a cat, to 1, a dog. {'; '.join(said)}.")
    for axis, probability in zip(figure.axes, probabilities, strict=False):
        bar = axis.inset_axes((0, -0.12, 1, 0.06), xmargin=0)
        bar.barh(0, 1, color="#dddddd")
        bar.barh(0, probability - 0.5, left=0.5, color=_ORANGE if probability > 0.5 else _BLUE)
        bar.axvline(0.5, color="black", lw=1)
        bar.axis("off")
        for place, text in {"left": "cat", "center": f"{probability:.2f}", "right": "dog"}.items():
            bar.set_title(text, loc=place, y=-2.4, fontsize=11)
    return figure


def windows(n: int, *, kernel: int, stride: int = 1) -> "Figure":
    """Draw one row of `n` pixels and, below it, every window that reads from it, without padding.

    Pixels that no window reaches are hatched.
    """
    starts = range(0, stride * output_size(n, kernel=kernel, stride=stride), stride)
    reached = {pixel for start in starts for pixel in range(start, start + kernel)}
    figure, axis = _subplots(size=(10, 0.5 * (len(starts) + 3)))
    hatch = ["" if pixel in reached else "///" for pixel in range(n)]
    pixels = axis.barh([0.35] * n, 1, 1, left=range(n), color="white", ec="black", hatch=hatch)
    axis.bar_label(pixels, range(n), label_type="center", bbox={"fc": "white", "ec": "none"})
    places = -1 - np.arange(len(starts))
    bars = axis.barh(places, kernel, 0.8, left=starts, color=(_BLUE, _ORANGE))
    names = [f"window {i}: pixels {s} to {s + kernel - 1}" for i, s in enumerate(starts)]
    axis.bar_label(bars, names, label_type="center", fontsize=12, color="white")
    axis.axis("off")
    missed = ", ".join(map(str, sorted({*range(n)} - reached)))
    figure.set_label(f"{n} pixels; {'; '.join(names)}; no window reaches: {missed or 'none'}.")
    return figure


def receptive_fields(
    image: np.ndarray, sizes: Mapping[str, int], *, center: tuple[int, int]
) -> "Figure":
    """Draw what one number of each layer sees of an image: a box on it, and a bar beside it.

    `sizes` maps a layer's name to the side in pixels of the square that one number sees. The boxes
    are drawn about a pixel, `center`, (row, column) of the (H, W, 3) or (H, W) uint8 image.
    """
    from matplotlib import colormaps

    figure, (left, right) = _subplots(1, 2, size=(10, 4.2), width_ratios=(1, 1.1))
    colors = colormaps["cividis"](np.linspace(0.4, 1, len(sizes)))
    _draw(left, image)
    left.axis("off")
    for side, color in zip(sizes.values(), colors, strict=True):
        row, column = center[0] - side // 2, center[1] - side // 2
        _outline(left, (row, column, row + side, column + side), color=color)
    _bars(right, sizes, [_times((side, side)) for side in sizes.values()], color=colors)
    right.set_xlabel("pixels of the image that one number sees")
    return figure


def shrinking_image(model: "keras.Model", image: np.ndarray) -> "Figure":
    """Draw what each layer with maps makes of an (H, W, 3) uint8 image, all to one scale.

    A layer is shown by its liveliest map, the one whose numbers have the largest deviation.
    """
    shown = {"the image": image, **activations(model, image)}
    titles = [f"{name}\n{_times(values.shape)}" for name, values in shown.items()]
    heights = [len(values) for values in shown.values()][::5]
    columns, half = min(5, len(shown)), image.shape[1] / 2
    figure, axes = _frames(titles, columns=columns, cell=(2, 2.5), height_ratios=heights)
    for index, (axis, values) in enumerate(zip(axes, shown.values(), strict=True)):
        if index:
            values = values[:, :, values.std(axis=(0, 1)).argmax()]
        _draw(axis, values)
        middle = (values.shape[1] - 1) / 2
        axis.set(xlim=(middle - half, middle + half), ylim=(heights[index // 5] - 0.5, -0.5))
    return figure


def network_diagram(model: "keras.Model") -> "Figure":
    """Draw a chain of layers, top to bottom, with the shapes into and out of each.

    The bars at the right show how many numbers leave each layer.
    """
    kinds = {"Conv2D": _BLUE, "MaxPooling2D": _GREEN, "Dense": _ORANGE}
    rows = layer_table(model)
    colors = [kinds.get(row.kind, _GREY) for row in rows]
    shapes = [_times(shape) for shape in (model.input_shape[1:], *(r.output_shape for r in rows))]
    size = 10, 0.6 * len(rows) + 0.4
    figure, (chain, bars) = _subplots(1, 2, size=size, width_ratios=(2.2, 1), sharey=True)
    chain.barh(range(len(rows)), 1, 0.7, color="white", edgecolor=colors, linewidth=2)
    style = {"va": "center", "fontsize": 11}
    for place, row in enumerate(rows):
        chain.text(0.02, place, row.name, weight="bold", **style)
        chain.text(0.24, place, row.kind, color=colors[place], **style)
        chain.text(0.58, place, "in\nout", **style)
        chain.text(0.67, place, f"{shapes[place]}\n{shapes[place + 1]}", **style)
    chain.plot([0.5] * (len(rows) - 1), np.arange(1, len(rows)) - 0.5, "kv", ms=5)
    leave = {row.name: math.prod(row.output_shape) for row in rows}
    _bars(bars, leave, [f"{count:,}" for count in leave.values()], color=colors)
    bars.set_title("numbers that leave it", fontsize=11)
    bars.set_ylim(len(rows) - 0.5, -0.5)
    figure.set_label("; ".join(map("{} {}".format, ["image", *leave], shapes)))
    for axis in (chain, bars):
        axis.axis("off")
    return figure


def layer_table_html(rows: Sequence[LayerRow]) -> HTML:
    """Return the table of `helpers.model.layer_table` as a page shows it."""
    names = "layer", "output shape", "parameters", "multiply-adds", "sees", "memory (bytes)"
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    counts = [(row.parameters, row.multiply_adds, row.memory) for row in rows]
    parameters, work, memory = map(sum, zip(*counts, strict=True))
    total = LayerRow("together", "", (), parameters, "", work, "", memory)
    lines = []
    for row in (*rows, total):
        count, field = f"{row.parameters:,}", row.receptive_field
        count = f"{row.arithmetic}\u00a0=\u00a0{count}" if row.arithmetic else count
        sees = "all" if field is None else field if isinstance(field, str) else _times(field)
        cells = _times(row.output_shape), count, f"{row.multiply_adds:,}", sees, f"{row.memory:,}"
        cells = "</td><td>".join(cells)
        lines.append(f'<tr><th scope="row">{row.name}</th><td>{cells}</td></tr>')
    *body, foot = lines
    return HTML(
        "<table><caption>The layers of the network, for one image</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody><tfoot>{foot}</tfoot></table>"
    )


def parameter_bars(rows: Sequence[LayerRow]) -> "Figure":
    """Draw how many parameters each layer with parameters holds, and how much it computes."""
    figure, axes = _subplots(1, 2, size=(10, 2.8))
    titles = {"parameters": "parameters", "multiply_adds": "multiply-adds for one image"}
    for axis, (key, title), color in zip(axes, titles.items(), (_ORANGE, _BLUE), strict=True):
        counts = {row.name: getattr(row, key) for row in rows if row.parameters}
        total = sum(counts.values())
        _bars(axis, counts, [f"{n:,}  ({n / total:.1%})" for n in counts.values()], color=color)
        axis.set_title(title)
    return figure


def history_curves(runs: Mapping[str, Sequence[dict]]) -> "Figure":
    """Draw how training and validation accuracy went, one panel for each run, all to one scale.

    `runs` maps a title to the rows of `helpers.training.fit`: dicts with epoch, accuracy, and
    val_accuracy in those epochs in which the validation images were looked at.
    """
    figure, axes = _subplots(1, len(runs), size=(10, 3.3), sharey=True, squeeze=False)
    for axis, (title, rows) in zip(axes.flat, runs.items(), strict=True):
        axis.set_prop_cycle(color=(_BLUE, _ORANGE), marker=["o", "s"], linestyle=["-", "--"])
        for name, key in (("training", "accuracy"), ("validation", "val_accuracy")):
            known = [(row["epoch"], row[key]) for row in rows if key in row]
            axis.plot(*np.transpose(known), ms=3 if len(known) < 40 else 0, label=name)
        axis.axhline(0.5, color=_GREY, linestyle=":", linewidth=1)
        axis.set(title=title, xlabel="epoch", ylim=(0.45, 1.01))
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axis.grid(alpha=0.3)
    axes.flat[0].set_ylabel("accuracy")
    axes.flat[-1].legend()
    return figure


def run_comparison(results: Mapping[str, Sequence[tuple[int, int]]]) -> "Figure":
    """Draw the share of right answers of each recipe's runs, with 95% intervals.

    `results` maps a recipe to the pair (right answers, images) of each of its runs.
    """
    figure, axis = _subplots(size=(10, 0.7 + 0.6 * len(results)))
    for place, runs in enumerate(results.values()):
        for index, (correct, total) in enumerate(runs):
            y = place + 0.16 * (index - (len(runs) - 1) / 2)
            low, high = confidence_interval(correct, total)
            axis.plot([100 * low, 100 * high], [y, y], color=_BLUE, lw=1.5)
            axis.plot(100 * correct / total, y, "o", color=_ORANGE, ms=6)
    shares = {name: ", ".join(f"{n / of:.1%}" for n, of in results[name]) for name in results}
    figure.set_label("Right: " + "; ".join(f"{name} {each}" for name, each in shares.items()))
    axis.set_yticks(range(len(results)), results)
    axis.set(xlim=(50, 100), ylim=(len(results) - 0.5, -0.5))
    axis.set_xlabel("% of validation images right", fontsize=12)
    axis.tick_params(labelsize=12)
    axis.grid(alpha=0.3, axis="x")
    return figure


def calibration(labels: np.ndarray, probabilities: np.ndarray) -> "Figure":
    """Draw how often a stated probability of a dog holds, in ten groups, with 95% intervals.

    Both arrays are (N,): labels are 0 for a cat and 1 for a dog, probabilities those of a dog. A
    group of fewer than five answers is left out.
    """
    figure, axis = _subplots(size=(4.6, 3.8))
    axis.plot([0, 1], [0, 1], color=_GREY, lw=1, ls=":")
    groups, held = np.minimum((10 * probabilities).astype(int), 9), []
    for inside in (groups == group for group in range(10)):
        if (count := inside.sum()) >= 5:
            x, dogs = probabilities[inside].mean(), labels[inside].sum()
            axis.plot([x, x], confidence_interval(dogs, count), color=_BLUE, lw=1.5)
            axis.plot(x, dogs / count, "o", color=_ORANGE, ms=6)
            held.append(f"said {x:.2f}, held {dogs / count:.2f}")
    figure.set_label("Probability of a dog: " + "; ".join(held))
    axis.set(xlabel="probability of a dog, as said", ylabel="share that were dogs")
    axis.grid(alpha=0.3)
    return figure
