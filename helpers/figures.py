"""Figures with a text alternative: what every lesson shows goes through `show`."""

import base64
import html
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.figure import Figure


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
