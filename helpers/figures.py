"""Figures with a text alternative: what every lesson shows goes through `show`."""

import base64
import html
import io
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras
    import numpy as np
    from IPython.display import HTML
    from matplotlib.figure import Figure

    from helpers.model import LayerRow


def show(figure: "Figure", *, alt: str, dpi: int = 80) -> "HTML":
    """Return a figure as a picture with a text alternative, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the picture shows, in a sentence, for those who cannot see it. Not empty.
    dpi : int
        Dots per inch of the PNG; 80 keeps a notebook small.

    Returns
    -------
    IPython.display.HTML
        ``<img alt=...>``: of the ways tried, only this one gives JupyterLab and exported
        pages an alt text.
    """
    import matplotlib.pyplot as plt
    from IPython.display import HTML

    if not alt.strip():
        raise ValueError("A figure needs an alt text: say in a sentence what it shows.")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return HTML(image_tag(buffer.getvalue(), alt=alt))


def image_tag(png: bytes, *, alt: str) -> str:
    """Return ``<img>`` HTML that holds a PNG and its text alternative."""
    data = base64.b64encode(png).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'


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


def pictures_in_a_row(
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


def shrinking_picture(model: "keras.Model", picture: "np.ndarray") -> "Figure":
    """Draw what each layer with maps makes of a picture: its liveliest map, all to one scale.

    Parameters
    ----------
    model : keras.Model
    picture : array (H, W, 3) uint8
    """
    import matplotlib.pyplot as plt

    from helpers.activations import activations

    maps = {"the picture": picture, **activations(model, picture)}
    widths = [values.shape[1] for values in maps.values()]
    figure, axes = plt.subplots(
        1, len(maps), figsize=(13, 2.9), gridspec_kw={"width_ratios": [w + 24 for w in widths]}
    )
    for axis, (name, values) in zip(axes, maps.items(), strict=True):
        height, width, count = values.shape
        shown = values if count == 3 else values[:, :, values.std(axis=(0, 1)).argmax()]
        axis.imshow(shown, cmap="gray", extent=(0, width, 0, height))
        axis.set(xlim=(-12, width + 12), ylim=(-(150 - height) / 2 - 1, (150 + height) / 2 + 1))
        axis.set_title(f"{name}\n{height}×{width}×{count}", fontsize=8)
        axis.axis("off")
    figure.subplots_adjust(wspace=0.02)
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
    figure, axis = plt.subplots(figsize=(9.5, 0.62 * len(rows) + 0.4))
    for index, row in enumerate(rows):
        top = -index
        color = colors.get(row.kind, GREY)
        axis.add_patch(
            FancyBboxPatch(
                (0, top - 0.36), 5.6, 0.66, boxstyle="round,pad=0.03", fc="white", ec=color, lw=2
            )
        )
        axis.text(0.12, top - 0.03, row.name, weight="bold", va="center", fontsize=10)
        axis.text(1.35, top - 0.03, row.kind, va="center", fontsize=10, color=color)
        before, after = (
            " × ".join(map(str, shape)) for shape in (shapes[index], shapes[index + 1])
        )
        axis.text(2.95, top + 0.12, f"in    {before}", va="center", fontsize=9)
        axis.text(2.95, top - 0.18, f"out  {after}", va="center", fontsize=9)
        if index:
            axis.annotate(
                "",
                (2.8, top + 0.33),
                (2.8, top + 0.61),
                arrowprops={"arrowstyle": "-|>", "color": "black"},
            )
        axis.barh(top - 0.03, 2.6 * sizes[index] / max(sizes), 0.5, left=6, color=color)
        axis.text(
            6.1 + 2.6 * sizes[index] / max(sizes),
            top - 0.03,
            f"{sizes[index]:,}",
            va="center",
            fontsize=9,
        )
    axis.text(6, 0.62, "numbers that leave the layer", fontsize=9, color=GREY)
    axis.set(xlim=(-0.1, 9.6), ylim=(-len(rows) + 0.4, 0.85))
    axis.axis("off")
    return figure


def layer_table_html(rows: "Sequence[LayerRow]") -> "HTML":
    """Return the table of `helpers.model.layer_table` as a page shows it."""
    from IPython.display import HTML

    names = [
        "layer",
        "kind",
        "output shape",
        "parameters",
        "multiply-adds",
        "sees (pixels)",
        "memory (KB)",
    ]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    lines = []
    for row in rows:
        parameters = f"{row.arithmetic} = {row.parameters:,}" if row.parameters else "0"
        field = "all" if row.receptive_field is None else f"{row.receptive_field}"
        values = [
            row.kind,
            " × ".join(map(str, row.output_shape)),
            parameters,
            f"{row.multiply_adds:,}",
            field,
            f"{row.memory / 1000:,.1f}",
        ]
        cells = "".join(f"<td>{value}</td>" for value in values)
        lines.append(f'<tr><th scope="row">{row.name}</th>{cells}</tr>')
    return HTML(
        "<table><caption>The layers of the network, for one picture</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def receptive_boxes(picture: "np.ndarray", rows: "Sequence[LayerRow]") -> "Figure":
    """Draw on a picture the square that one value of each layer sees, all around one place."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    figure, axis = plt.subplots(figsize=(5.5, 5.5))
    axis.imshow(picture)
    middle = picture.shape[0] / 2 - 0.5
    styles = ["-", (0, (4, 1)), "-.", "--", "-"]
    for row, style in zip(rows, styles, strict=False):
        side = row.receptive_field
        low = middle - side / 2
        for width, color in ((4, "white"), (2, "black")):
            axis.add_patch(
                Rectangle(
                    (low, low),
                    side,
                    side,
                    fill=False,
                    ec=color,
                    lw=width,
                    ls=style if width == 2 else "-",
                )
            )
        axis.annotate(
            f"{row.name}: {side} × {side}",
            (low + side, low),
            (picture.shape[1] + 4, low),
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "black", "lw": 0.8},
        )
    axis.axis("off")
    return figure


def parameter_bars(rows: "Sequence[LayerRow]") -> "Figure":
    """Draw how many parameters each layer with parameters holds, and how much it computes."""
    import matplotlib.pyplot as plt

    rows = [row for row in rows if row.parameters]
    names = [row.name for row in rows]
    figure, axes = plt.subplots(1, 2, figsize=(10, 2.6), sharey=True)
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
    axes[0].invert_yaxis()
    figure.tight_layout()
    return figure


def relu_sigmoid_cross_entropy() -> "Figure":
    """Draw the three functions of lesson 3 that bend what is otherwise straight."""
    import matplotlib.pyplot as plt
    import numpy as np

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.1))
    z = np.linspace(-6, 6, 241)
    p = np.linspace(0.005, 0.995, 199)
    axes[0].plot(z, np.maximum(z, 0), color=BLUE, lw=2)
    axes[0].set(title="relu(z) = max(z, 0)", xlabel="z")
    axes[1].plot(z, 1 / (1 + np.exp(-z)), color=BLUE, lw=2)
    axes[1].axhline(0.5, color=GREY, lw=1, ls=":")
    axes[1].set(title="sigmoid(z) = 1 / (1 + exp(−z))", xlabel="z")
    axes[2].plot(p, -np.log(p), color=ORANGE, lw=2, label="it was a dog (y = 1): −log p")
    axes[2].plot(
        p, -np.log(1 - p), color=BLUE, lw=2, ls="--", label="it was a cat (y = 0): −log(1 − p)"
    )
    axes[2].set(title="binary cross-entropy", xlabel="p, the network's probability of a dog")
    axes[2].legend(fontsize=8)
    for axis in axes:
        axis.grid(alpha=0.3)
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
        figsize=(2.1 * columns, 2.75 * count),
        height_ratios=[8, 1] * count,
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
        below.axvline(0.5, color="black", lw=1)
        below.set(xlim=(0, 1), ylim=(-1.9, 0.5))
        below.text(0, -1.2, "cat", ha="left", va="center", fontsize=8)
        below.text(1, -1.2, "dog", ha="right", va="center", fontsize=8)
        below.text(0.5, -1.2, f"{probability:.2f}", ha="center", va="center", fontsize=9)
    figure.tight_layout(h_pad=0.4)
    return figure
