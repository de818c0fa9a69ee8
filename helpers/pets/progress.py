"""One line that says which pets are in use, with a progress bar while they are made.

In a notebook the line is a display that is updated in place and ends as it began, so that the
stored output is the same whether the pets were made or found; nothing goes to stderr. In a
terminal the line is printed, and tqdm draws the bar.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

WIDTH = 40  # characters of a bar in a notebook
PAUSE = 0.2  # seconds between two updates of it


class Line:
    """A line of text to which sentences can be added, and below which a bar can move."""

    def __init__(self, text: str, *, quiet: bool = False) -> None:
        self.text = text
        self.quiet = quiet
        self.display = _display(text) if in_notebook() else None
        if self.display is None:
            print(text)

    def add(self, sentence: str) -> None:
        """Add a sentence for good."""
        self.text += f"\n{sentence}"
        if self.display is None:
            print(sentence)
        else:
            self.display.update(_plain(self.text), raw=True)

    @contextmanager
    def bar(self, total: int, doing: str, *, unit: str = " pictures") -> Iterator[Callable]:
        """Give a function that takes how many are done by now; call it in the main thread."""
        if self.quiet:
            yield lambda done: None
        elif self.display is None:
            from tqdm import tqdm

            scale = unit == "B"
            with tqdm(total=total, desc=doing, unit=unit, unit_scale=scale, disable=None) as bar:
                yield lambda done: bar.update(done - bar.n)
        else:
            shown = [0.0]  # when the bar last moved

            def move(done: int) -> None:
                if time.monotonic() - shown[0] > PAUSE:
                    shown[0] = time.monotonic()
                    text = f"{self.text}\n{doing} {text_bar(done, total)}{unit}"
                    self.display.update(_plain(text), raw=True)

            try:
                yield move
            finally:
                self.display.update(_plain(self.text), raw=True)


def text_bar(done: int, total: int) -> str:
    """Return [####....] 40 of 80; without a total, the count alone."""
    if total <= 0:
        return f"{done:,}"
    filled = WIDTH * min(done, total) // total
    return f"[{'#' * filled}{'.' * (WIDTH - filled)}] {done:,} of {total:,}"


def in_notebook() -> bool:
    """Return whether this runs in a Jupyter kernel, where displays can be updated."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _display(text: str) -> Any:
    from IPython.display import display

    return display(_plain(text), raw=True, display_id=True)


def _plain(text: str) -> dict[str, str]:
    return {"text/plain": text}
