"""Figures with a text alternative: what every lesson shows goes through `show`."""

import base64
import html
import io
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import keras
    from IPython.display import HTML
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from helpers.convolution import Padding
    from helpers.model import LayerRow


def show(figure: "Figure", *, alt: str, dpi: int = 80) -> "HTML":
    """Return a figure as a picture with a text alternative, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the picture shows, in a sentence, for those who cannot see it. Not empty.
    dpi : int
        Dots per inch; 80 keeps a notebook small.

    Returns
    -------
    IPython.display.HTML
        ``<img alt=...>``: of the ways tried, only this one gives JupyterLab and exported
        pages an alt text. The picture is WebP, lossless if that is the smaller one (charts),
        else of quality 90 (photos): a fifth of the PNG's bytes.
    """
    import matplotlib.pyplot as plt
    from IPython.display import HTML

    if not alt.strip():
        raise ValueError("A figure needs an alt text: say in a sentence what it shows.")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return HTML(image_tag(_webp(buffer), alt=alt))


def image_tag(picture: bytes, *, alt: str) -> str:
    """Return ``<img>`` HTML that holds a PNG or WebP file and its text alternative."""
    kind = "webp" if picture[8:12] == b"WEBP" else "png"
    data = base64.b64encode(picture).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/{kind};base64,{data}">'


def _webp(png: io.BytesIO) -> bytes:
    """Return a PNG as WebP, lossless or not, whichever is smaller."""
    from PIL import Image

    files = []
    for options in ({"lossless": True}, {"quality": 90}):
        file = io.BytesIO()
        Image.open(png).convert("RGB").save(file, "WEBP", method=6, **options)
        files.append(file.getvalue())
    return min(files, key=len)


# ---------------------------------------------------------------- lessons 3 and 4
# Colours that colour-blind readers can tell apart: Okabe and Ito, "Color Universal Design" (2008).
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"


def channels(picture: "np.ndarray") -> "Figure":
    """Draw an (H, W, 3) uint8 picture and its red, green and blue sheets, in grey."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(11, 3))
    sheets = [picture, *(picture[:, :, index] for index in range(3))]
    names = ["the picture", "[:, :, 0]  red", "[:, :, 1]  green", "[:, :, 2]  blue"]
    for axis, sheet, name in zip(axes, sheets, names, strict=True):
        axis.imshow(sheet, cmap="gray", vmin=0, vmax=255)
        axis.set_title(name, fontsize=11)
        axis.axis("off")
    return figure


def images_in_a_row(
    pictures: "Sequence[np.ndarray]", titles: "Sequence[str]", *, columns: int = 5, side: float = 2
) -> "Figure":
    """Draw pictures, or grey (H, W) arrays, each with a title, in rows of `columns`."""
    import matplotlib.pyplot as plt

    rows = math.ceil(len(pictures) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(side * columns, (side + 0.35) * rows), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture, title in zip(axes.flat, pictures, titles, strict=False):
        axis.imshow(picture, cmap="gray")
        axis.set_title(title, fontsize=10)
    figure.tight_layout()
    return figure


def shrinking_image(model: "keras.Model", picture: "np.ndarray", *, width: int = 530) -> "Figure":
    """Draw what each layer with maps makes of a picture, all to one scale, in rows of `width`.

    A layer is shown by its liveliest map, the one whose numbers have the largest deviation.

    Parameters
    ----------
    model : keras.Model
    picture : array (H, W, 3) uint8
    width : int
        In pixels of the picture.
    """
    import matplotlib.pyplot as plt

    from helpers.activations import activations

    figure = plt.figure()
    axis = figure.add_axes((0, 0, 1, 1))
    left = top = bottom = 0
    for name, values in {"the picture": picture, **activations(model, picture)}.items():
        rows, columns, count = values.shape
        if left + max(columns, 84) > width:
            left, top = 0, bottom + 50
        shown = values if count == 3 else values[:, :, values.std(axis=(0, 1)).argmax()]
        axis.imshow(shown, cmap="gray", extent=(left, left + columns, top + rows, top))
        axis.text(left, top - 4, f"{name}\n{rows} × {columns} × {count}", va="bottom", fontsize=10)
        bottom = max(bottom, top + rows)
        left += max(columns, 84) + 20
    axis.set(xlim=(0, width), ylim=(bottom, -30))
    axis.axis("off")
    figure.set_size_inches(width / 70, (bottom + 30) / 70)
    return figure


def network_diagram(model: "keras.Model") -> "Figure":
    """Draw a chain of layers, top to bottom, with the shapes into and out of each.

    The bars at the right show how many numbers leave each layer.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyBboxPatch

    from helpers.model import layer_table

    colors = {"Conv2D": BLUE, "MaxPooling2D": GREEN, "Dense": ORANGE}
    rows = layer_table(model)
    shapes = [tuple(model.input_shape[1:]), *(row.output_shape for row in rows)]
    sizes = [math.prod(shape) for shape in shapes[1:]]
    figure, axis = plt.subplots(figsize=(7.6, 0.62 * len(rows) + 0.4))
    for index, row in enumerate(rows):
        top = -index
        color = colors.get(row.kind, GREY)
        axis.add_patch(
            FancyBboxPatch(
                (0, top - 0.36), 5.4, 0.66, boxstyle="round,pad=0.03", fc="white", ec=color, lw=2
            )
        )
        axis.text(0.1, top - 0.03, row.name, weight="bold", va="center", fontsize=10)
        axis.text(1.35, top - 0.03, row.kind, va="center", fontsize=10, color=color)
        for place, word, shape in ((0.12, "in", shapes[index]), (-0.18, "out", shapes[index + 1])):
            axis.text(3.15, top + place, word, va="center", fontsize=10)
            axis.text(3.65, top + place, _times(shape), va="center", fontsize=10)
        if index:
            axis.annotate(
                "",
                (2.7, top + 0.33),
                (2.7, top + 0.61),
                arrowprops={"arrowstyle": "-|>", "color": "black"},
            )
        length = 1.5 * sizes[index] / max(sizes)
        axis.barh(top - 0.03, length, 0.5, left=5.7, color=color)
        axis.text(5.78 + length, top - 0.03, f"{sizes[index]:,}", va="center", fontsize=10)
    axis.text(5.7, 0.55, "numbers that leave it", fontsize=10)
    axis.set(xlim=(-0.1, 8.1), ylim=(-len(rows) + 0.4, 0.8))
    axis.axis("off")
    return figure


def _times(shape: "Sequence[int]") -> str:
    """Write a shape as 148 × 148 × 16, on one line wherever it stands."""
    return "\u00a0×\u00a0".join(f"{side:,}" for side in shape)


def layer_table_html(rows: "Sequence[LayerRow]") -> "HTML":
    """Return the table of `helpers.model.layer_table` as a page shows it."""
    from IPython.display import HTML

    names = "layer", "kind", "output shape", "parameters", "multiply-adds", "sees", "memory (bytes)"
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    lines = []
    for row in rows:
        field = row.receptive_field
        values = [
            row.kind,
            _times(row.output_shape),
            f"{row.arithmetic}\u00a0=\u00a0{row.parameters:,}" if row.parameters else "0",
            f"{row.multiply_adds:,}",
            "all" if field is None else _times((field, field)),
            f"{row.memory:,}",
        ]
        cells = "".join(f"<td>{value}</td>" for value in values)
        lines.append(f'<tr><th scope="row">{row.name}</th>{cells}</tr>')
    parameters, work, memory = (
        f"{sum(getattr(row, name) for row in rows):,}"
        for name in ("parameters", "multiply_adds", "memory")
    )
    foot = f"<td></td><td></td><td>{parameters}</td><td>{work}</td><td></td><td>{memory}</td>"
    return HTML(
        "<table><caption>The layers of the network, for one picture</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
        f'<tfoot><tr><th scope="row">together</th>{foot}</tr></tfoot></table>'
    )


def receptive_boxes(
    picture: "np.ndarray", rows: "Sequence[LayerRow]", *, row: int, column: int
) -> "Figure":
    """Draw on a picture the square that one value of each layer sees, around one pixel."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    figure, axis = plt.subplots(figsize=(5.5, 5.5))
    axis.imshow(picture)
    height, width = picture.shape[:2]
    for index, layer in enumerate(rows):
        side = layer.receptive_field
        left, top = column - side / 2, row - side / 2
        for line, color in ((3.5, "black"), (1.5, "white")):
            axis.add_patch(Rectangle((left, top), side, side, fill=False, ec=color, lw=line))
        axis.annotate(
            f"{layer.name}: {side} × {side}",
            (left + side, top + side),
            (width + 8, height * (0.3 + 0.1 * index)),
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "lw": 0.8, "relpos": (0, 0.5), "shrinkA": 0},
        )
    axis.axis("off")
    return figure


def parameter_bars(rows: "Sequence[LayerRow]") -> "Figure":
    """Draw how many parameters each layer with parameters holds, and how much it computes."""
    import matplotlib.pyplot as plt

    rows = [row for row in rows if row.parameters]
    names = [row.name for row in rows]
    figure, axes = plt.subplots(2, 1, figsize=(6.6, 4.6))
    kinds = [("parameters", ORANGE), ("multiply-adds for one picture", BLUE)]
    for axis, (title, color) in zip(axes, kinds, strict=True):
        counts = [getattr(row, title.split(" ")[0].replace("-", "_")) for row in rows]
        axis.barh(names, counts, color=color)
        for name, count in zip(names, counts, strict=True):
            axis.annotate(
                f" {count:,}  ({count / sum(counts):.1%})", (count, name), va="center", fontsize=9
            )
        axis.set(title=title, xlim=(0, 1.55 * max(counts)), xticks=[])
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.invert_yaxis()
    figure.tight_layout()
    return figure


def answers(
    pictures: "Sequence[np.ndarray]",
    probabilities: "Sequence[float]",
    labels: "Sequence[int] | None" = None,
    *,
    columns: int = 5,
) -> "Figure":
    """Draw pictures, and under each a bar from cat (left) to dog (right) with the answer.

    Parameters
    ----------
    pictures : (N, H, W, 3) uint8
    probabilities : (N,)
        Of a dog.
    labels : (N,), optional
        0 for a cat, 1 for a dog: what it really is stands above.
    """
    import matplotlib.pyplot as plt

    count = -(-len(pictures) // columns)
    figure, axes = plt.subplots(
        2 * count,
        columns,
        figsize=(2.1 * columns, 2.85 * count),
        height_ratios=[6, 1] * count,
        squeeze=False,
    )
    for axis in axes.flat:
        axis.axis("off")
    for index, (picture, probability) in enumerate(zip(pictures, probabilities, strict=True)):
        row, column = divmod(index, columns)
        above, below = axes[2 * row, column], axes[2 * row + 1, column]
        above.imshow(picture)
        if labels is not None:
            above.set_title(f"a {'dog' if labels[index] else 'cat'}", fontsize=10)
        below.barh(0, 1, color="#dddddd")
        below.barh(0, probability - 0.5, left=0.5, color=ORANGE if probability > 0.5 else BLUE)
        below.plot([0.5, 0.5], [-0.5, 0.5], color="black", lw=1)
        below.set(xlim=(0, 1), ylim=(-2.4, 0.6))
        below.text(0, -1.5, "cat", ha="left", va="center", fontsize=8)
        below.text(1, -1.5, "dog", ha="right", va="center", fontsize=8)
        below.text(0.5, -1.5, f"{probability:.2f}", ha="center", va="center", fontsize=9)
    figure.tight_layout(h_pad=0.4)
    return figure


# Lessons 1 and 2: pictures, signed results and numbers -------------------------------------------


def panels(arrays: "Mapping[str, np.ndarray]", *, side: float = 3.2) -> "Figure":
    """Draw arrays side by side, each under its title.

    A uint8 array is drawn as a picture, 0 to 255; any other as signed numbers: white at 0, red
    above, blue below, all to one scale with a colour bar. The scale ends where 98% of the numbers
    do, so that weak ones can be seen; arrows at the colour bar stand for the rest. Where nothing
    is negative, the colour bar begins at 0.
    """
    import matplotlib.pyplot as plt

    signs = [np.abs(array).ravel() for array in arrays.values() if array.dtype != np.uint8]
    limit = np.percentile(np.concatenate(signs), 98) if signs else None
    widths = [array.shape[1] / array.shape[0] for array in arrays.values()]
    figure, axes = plt.subplots(
        1, len(arrays), figsize=(side * sum(widths), side), squeeze=False,
        gridspec_kw={"width_ratios": widths}, layout="compressed",
    )  # fmt: skip
    signed = None
    for axis, (title, array) in zip(axes.flat, arrays.items(), strict=True):
        drawn = _draw(axis, array, limit=limit)
        signed = signed if array.dtype == np.uint8 else drawn
        axis.set_title(title, fontsize=11)
        axis.axis("off")
    if signed is not None:
        negative = any(array.min() < 0 for array in arrays.values())
        bar = figure.colorbar(
            signed, ax=axes, shrink=0.8, pad=0.015, aspect=25, extend="both" if negative else "max"
        )
        bar.ax.set_ylim(None if negative else 0, None)
    return figure


def numbers(arrays: "Mapping[str, np.ndarray]", *, cell: float = 0.58) -> "Figure":
    """Draw small arrays side by side with the number in every cell, coloured as in `panels`."""
    import matplotlib.pyplot as plt

    widths = [array.shape[1] for array in arrays.values()]
    tallest = max(array.shape[0] for array in arrays.values())
    figure, axes = plt.subplots(
        1, len(arrays), squeeze=False, gridspec_kw={"width_ratios": widths, "wspace": 0.25},
        figsize=(cell * (sum(widths) + len(widths)), cell * tallest + 0.4),
    )  # fmt: skip
    for axis, (title, array) in zip(axes.flat, arrays.items(), strict=True):
        _draw(axis, array, limit=np.abs(array).max() * 1.6 or 1)
        _write_numbers(axis, array)
        axis.set_title(title, fontsize=11)
        axis.axis("off")
    return figure


def zoom(picture: np.ndarray, *, row: int, column: int, size: int = 8) -> "Figure":
    """Draw a grey uint8 picture with a box, and the numbers inside the box beside it."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.3), layout="compressed")
    patch = picture[row : row + size, column : column + size]
    for axis, array in ((left, picture), (right, patch)):
        _draw(axis, array)
    _frame(left, column, row, size)
    _write_numbers(right, patch)
    last = (row + size - 1, column + size - 1)
    right.set_title(f"rows {row} to {last[0]}, columns {column} to {last[1]}", fontsize=11)
    right.set(xticks=[], yticks=[])
    left.set_title(f"{picture.shape[0]} × {picture.shape[1]} pixels", fontsize=11)
    left.axis("off")
    return figure


def kernel_forming(history: "Sequence[np.ndarray]", target: np.ndarray) -> "Figure":
    """Draw a 3 by 3 kernel as it is learned, and how far it still is from its target.

    Parameters
    ----------
    history : sequence of (3, 3) arrays
        The kernel after each step.
    target : (3, 3) array
        Where it should end.
    """
    import matplotlib.pyplot as plt

    steps = [1, 5, 20, 60, 120, len(history)]
    figure = plt.figure(figsize=(11, 4.4))
    grid = figure.add_gridspec(2, len(steps), height_ratios=(1, 1.15), hspace=0.35)
    for index, step in enumerate(steps):
        axis = figure.add_subplot(grid[0, index])
        _draw(axis, history[step - 1], limit=1.6 * np.abs(target).max())
        _write_numbers(axis, history[step - 1], form="{:.2f}")
        axis.set_title(f"after step {step}", fontsize=10)
        axis.axis("off")
    axis = figure.add_subplot(grid[1, :])
    away = [np.abs(kernel - target).max() for kernel in history]
    axis.semilogy(range(1, len(away) + 1), away, color=BLUE)
    axis.axhline(1e-3, color=GREY, linestyle="--")
    axis.text(len(away), 1.2e-3, "one thousandth", color="#555555", fontsize=9, ha="right")
    axis.set(xlabel="step", ylabel="largest difference\nfrom the true kernel", xlim=(0, len(away)))
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def windows(n: int, *, kernel: int, stride: int = 1, padding: "Padding" = "valid") -> "Figure":
    """Draw one row of `n` pixels and, below it, every window that reads from it.

    Pixels that no window reaches are hatched; padded zeros are drawn dashed.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    from helpers.convolution import output_size, pad_amounts

    count = output_size(n, kernel=kernel, stride=stride, padding=padding)
    before, after = pad_amounts(n, kernel=kernel, stride=stride, padding=padding)
    starts = [index * stride - before for index in range(count)]
    reached = {pixel for start in starts for pixel in range(start, start + kernel)}
    figure, axis = plt.subplots(figsize=(0.5 * (n + before + after) + 2.4, 0.34 * (count + 3)))
    for pixel in range(-before, n + after):
        inside, seen = 0 <= pixel < n, pixel in reached
        axis.add_patch(
            Rectangle(
                (pixel, 0), 1, 1, facecolor="white" if inside and seen else "#dddddd",
                edgecolor="black", linestyle="-" if inside else ":",
                hatch="" if seen or not inside else "///",
            )
        )  # fmt: skip
        axis.text(
            pixel + 0.5, 0.5, str(pixel) if inside else "0", ha="center", va="center", fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 3} if not seen else None,
        )  # fmt: skip
    for index, start in enumerate(starts):
        color = BLUE if index % 2 == 0 else ORANGE
        axis.add_patch(Rectangle((start, -1.25 - index), kernel, 0.8, color=color, alpha=0.85))
        axis.text(
            start + kernel / 2, -0.85 - index, f"window {index}", ha="center", va="center",
            color="white", fontsize=9 if kernel > 1 else 5,
        )  # fmt: skip
    axis.set(xlim=(-before - 0.1, n + after + 0.1), ylim=(-count - 0.6, 1.1))
    axis.axis("off")
    return figure


def shifts(distances: "Mapping[str, np.ndarray]", *, ylabel: str) -> "Figure":
    """Draw one line per name over shifts of 0, 1, 2, ... pixels, each with markers of its own."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 3.2))
    styles = zip((BLUE, ORANGE, GREEN, GREY), "os^D", ("-", "--", "-.", ":"), strict=True)
    for (name, values), (color, marker, line) in zip(distances.items(), styles, strict=False):
        axis.plot(values, color=color, marker=marker, linestyle=line, label=name)
    axis.set(xlabel="shift of the picture, in pixels", ylabel=ylabel, ylim=(0, None))
    axis.set_xticks(range(len(values)))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def fields_growing(
    picture: np.ndarray, layers: "Sequence[tuple[str, int, int]]", *, center: tuple[int, int]
) -> "Figure":
    """Draw what one number sees of a picture after each of some layers.

    Parameters
    ----------
    picture : array (H, W, 3) or (H, W) uint8
    layers : sequence of (name, kernel, stride)
        First layer first.
    center : (row, column)
        About which pixel the boxes are drawn.
    """
    import matplotlib.pyplot as plt

    from helpers.convolution import receptive_field

    sizes = [
        receptive_field([layer[1:] for layer in layers[: depth + 1]]).size
        for depth in range(len(layers))
    ]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 4.2), layout="compressed", gridspec_kw={"width_ratios": (1, 1.1)}
    )
    _draw(left, picture)
    colors = plt.get_cmap("cividis")(np.linspace(0, 0.95, len(layers)))
    for size, color in zip(sizes, colors, strict=True):
        _frame(left, center[1] - size // 2, center[0] - size // 2, size, color=color)
    left.axis("off")
    names = [layer[0] for layer in layers]
    right.barh(names, sizes, color=colors)
    for place, size in enumerate(sizes):
        right.text(size + 0.5, place, f"{size} × {size}", va="center", fontsize=10)
    right.invert_yaxis()
    right.set(xlabel="pixels of the picture that one number sees", xlim=(0, 1.15 * max(sizes)))
    right.spines[["top", "right"]].set_visible(False)
    return figure


def _draw(axis: "Axes", array: np.ndarray, *, limit: float | None = None) -> "AxesImage":
    """Draw a uint8 array as a picture, any other as signed numbers from -limit to limit."""
    if array.dtype == np.uint8:
        return axis.imshow(array, cmap="gray", vmin=0, vmax=255)
    limit = limit or np.abs(array).max() or 1
    return axis.imshow(array, cmap="RdBu_r", vmin=-limit, vmax=limit)


def _write_numbers(axis: "Axes", array: np.ndarray, *, form: str = "{:.4g}") -> None:
    """Write every number into its cell, white on dark."""
    for (row, column), value in np.ndenumerate(array):
        dark = array.dtype == np.uint8 and value < 128
        text = form.format(value).replace("-", "−")
        text = "0.00" if text == "−0.00" else text
        axis.text(
            column, row, text, ha="center", va="center", fontsize=9,
            color="white" if dark else "black",
        )  # fmt: skip


def _frame(axis: "Axes", left: float, top: float, size: float, *, color: object = ORANGE) -> None:
    """Draw a square around pixels, with a white rim that shows it on any picture."""
    from matplotlib.patches import Rectangle

    for width, edge in ((3.5, "white"), (1.8, color)):
        axis.add_patch(
            Rectangle((left - 0.5, top - 0.5), size, size, fill=False, edgecolor=edge, lw=width)
        )


def mosaic(pictures: "Sequence[np.ndarray]", *, columns: int = 12) -> "Figure":
    """Draw pictures of one size as a wall, side by side without gaps."""
    import matplotlib.pyplot as plt

    rows = len(pictures) // columns
    lines = [np.hstack(pictures[row * columns : (row + 1) * columns]) for row in range(rows)]
    figure = plt.figure(figsize=(0.95 * columns, 0.95 * rows))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.imshow(np.vstack(lines))
    axis.axis("off")
    return figure


def history_curves(runs: "dict[str, Sequence[dict]]", *, metric: str = "accuracy") -> "Figure":
    """Draw how training and validation went, one panel for each run, all to one scale.

    Parameters
    ----------
    runs : dict
        Title -> rows of `helpers.training.fit`: dicts with epoch, the metric, and val_ metric in
        those epochs in which the validation pictures were looked at.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(runs), figsize=(4.2 * len(runs), 3.3), sharey=True, squeeze=False
    )
    for axis, (title, rows) in zip(axes.flat, runs.items(), strict=True):
        for name, prefix, style in (("training", "", "o-"), ("validation", "val_", "s--")):
            known = [row for row in rows if prefix + metric in row]
            x, y = [row["epoch"] for row in known], [row[prefix + metric] for row in known]
            color = ORANGE if prefix else BLUE
            axis.plot(x, y, style, color=color, ms=3 if len(x) < 40 else 0, label=name)
        axis.set(title=title, xlabel="epoch")
        axis.grid(alpha=0.3)
        if metric == "accuracy":
            axis.axhline(0.5, color=GREY, ls=":", lw=1)
            axis.set_ylim(0.45, 1.01)
    axes.flat[0].set_ylabel(metric)
    axes.flat[-1].legend()
    figure.tight_layout()
    return figure


def run_comparison(results: "dict[str, Sequence[tuple[int, int]]]") -> "Figure":
    """Draw the share of right answers of each recipe's runs, with 95% intervals.

    Parameters
    ----------
    results : dict
        Recipe -> (right answers, pictures) of each run.
    """
    import matplotlib.pyplot as plt

    from helpers.training import confidence_interval

    figure, axis = plt.subplots(figsize=(7, 0.5 + 0.7 * len(results)))
    for place, runs in enumerate(results.values()):
        for index, (correct, total) in enumerate(runs):
            y = place + 0.16 * (index - (len(runs) - 1) / 2)
            low, high = confidence_interval(correct, total)
            axis.plot([100 * low, 100 * high], [y, y], color=BLUE, lw=1.5)
            axis.plot(100 * correct / total, y, "o", color=ORANGE, ms=6)
    axis.set_yticks(range(len(results)), results)
    axis.set(xlabel="% of the validation pictures right", xlim=(50, 100))
    axis.set_ylim(len(results) - 0.5, -0.5)
    axis.grid(alpha=0.3, axis="x")
    return figure


def feature_maps(
    arrays: "Mapping[str, np.ndarray]", *, columns: int = 3, side: float = 2.1
) -> "Figure":
    """Draw maps from their own smallest (dark) to largest number (yellow), which stand below.

    Parameters
    ----------
    arrays : mapping of title to (H, W) map or (H, W, 3) uint8 picture
    """
    import matplotlib.pyplot as plt

    rows = math.ceil(len(arrays) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(side * columns, (side + 0.5) * rows), squeeze=False,
        layout="compressed",
    )  # fmt: skip
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for axis, (title, array) in zip(axes.flat, arrays.items(), strict=False):
        _draw_map(axis, array)
        axis.set_title(title, fontsize=11)
        if array.ndim == 2:
            low, high = array.min() + 0, array.max() + 0  # relu leaves some zeros negative
            axis.set_xlabel(f"{low:.3g} to {high:.3g}", fontsize=10)
    return figure


def filter_grid(maps: "np.ndarray", *, columns: int = 4, side: float = 1.6) -> "Figure":
    """Draw all maps of a layer with their numbers; those that are zero everywhere are hatched.

    Parameters
    ----------
    maps : (H, W, filters)
    """
    import matplotlib.pyplot as plt

    count = maps.shape[-1]
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(side * columns, side * rows), squeeze=False,
        gridspec_kw={"wspace": 0.04, "hspace": 0.04},
    )  # fmt: skip
    for number, axis in enumerate(axes.flat):
        axis.set(xticks=[], yticks=[])
        if number >= count:
            axis.axis("off")
            continue
        _draw_map(axis, maps[..., number])
        label = {"boxstyle": "square,pad=0.15", "fc": "black", "ec": "none", "alpha": 0.6}
        axis.text(
            0.03, 0.04, str(number), color="white", fontsize=9, transform=axis.transAxes, bbox=label
        )
    return figure


def seen_by(
    picture: "np.ndarray",
    maps: "Mapping[str, np.ndarray]",
    places: "Mapping[str, tuple[int, int]]",
    boxes: "Mapping[str, tuple[int, int, int, int]]",
    *,
    side: float = 2.6,
) -> "Figure":
    """Draw one map of each layer with one place marked; to its left, the box that place sees.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    maps : mapping of title to (h, w)
    places : mapping of the same titles to (row, column)
    boxes : mapping of the same titles to (top, left, bottom, right), in pixels of the picture
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(maps), 2, figsize=(2 * side, side * len(maps)), squeeze=False, layout="compressed"
    )
    for (left_side, right_side), (title, values) in zip(axes, maps.items(), strict=True):
        top, left, bottom, right = boxes[title]
        row, column = places[title]
        _draw_map(left_side, picture)
        _outline(left_side, left, top, right - left, bottom - top)
        left_side.set_title(f"{title} sees {bottom - top} × {right - left}", fontsize=10)
        _draw_map(right_side, values)
        _outline(right_side, column, row, 1, 1)
        right_side.set_title(f"{values.shape[0]} × {values.shape[1]} numbers", fontsize=10)
        for axis in (left_side, right_side):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
    return figure


def _draw_map(axis: "Axes", values: "np.ndarray") -> None:
    """Draw a picture, a map from dark to yellow, or hatching for a map that is all the same."""
    if values.ndim == 3:
        axis.imshow(values)
    elif values.min() < values.max():
        axis.imshow(values, cmap="viridis", interpolation="nearest")
    else:
        axis.imshow(np.zeros_like(values), cmap="gray", vmin=-1, vmax=3)
        axis.fill_between(
            [-0.5, values.shape[1] - 0.5], -0.5, values.shape[0] - 0.5,
            hatch="///", facecolor="none", edgecolor="#999999", linewidth=0,
        )  # fmt: skip
        axis.text(
            0.5, 0.5, f"{values.min():.2g}", ha="center", va="center", transform=axis.transAxes,
            color="white", weight="bold",
        )  # fmt: skip


def _outline(axis: "Axes", left: float, top: float, width: float, height: float) -> None:
    """Draw a box round pixels: white on black, to be seen on any picture."""
    from matplotlib.patches import Rectangle

    for color, line in (("black", 4), ("#ffb000", 1.8)):
        axis.add_patch(
            Rectangle((left - 0.5, top - 0.5), width, height, fill=False, ec=color, lw=line)
        )


def calibration(labels: "np.ndarray", probabilities: "np.ndarray") -> "Figure":
    """Draw how often a stated probability of a dog holds, in ten groups, with 95% intervals.

    Parameters
    ----------
    labels : (N,) of 0 and 1
    probabilities : (N,)
        Of label 1. A group of fewer than five answers is left out.
    """
    import matplotlib.pyplot as plt

    from helpers.training import confidence_interval

    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    figure, axis = plt.subplots(figsize=(4.6, 3.8))
    axis.plot([0, 1], [0, 1], color=GREY, lw=1, ls=":")
    groups = np.minimum((10 * probabilities).astype(int), 9)
    for group in range(10):
        inside = groups == group
        if inside.sum() < 5:
            continue
        x, dogs, count = probabilities[inside].mean(), labels[inside].sum(), inside.sum()
        axis.plot([x, x], confidence_interval(dogs, count), color=BLUE, lw=1.5)
        axis.plot(x, dogs / count, "o", color=ORANGE, ms=6)
    axis.set(xlabel="probability of a dog, as said", ylabel="share that were dogs")
    axis.grid(alpha=0.3)
    return figure
