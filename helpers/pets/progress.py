"""One line that says which pets are in use, with a progress bar while they are made.

In a notebook the line is a display that is updated in place and ends as it began, so that the
stored output is the same whether the pets were made or found; nothing goes to stderr. Where
files lie on this machine stands there only while the bar moves, for the output is stored. In a
terminal everything is printed, and tqdm draws the bar.
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
        self._aside: list[str] = []
        self.display = _display(text) if in_notebook() else None
        if self.display is None:
            print(text)

    def add(self, sentence: str) -> None:
        """Add a sentence for good."""
        self.text += f"\n{sentence}"
        if self.display is None:
            print(sentence)
        else:
            self.show()

    def aside(self, sentence: str) -> None:
        """Say what holds for this machine alone; in a notebook only above the next bar."""
        if self.display is None:
            print(sentence)
        else:
            self._aside.append(sentence)

    def show(self, below: str = "") -> None:
        """Show the line in the notebook, and below it for now some other text."""
        texts = [self.text, *self._aside, below] if below else [self.text]
        self.display.update(_plain("\n".join(texts)), raw=True)

    @contextmanager
    def bar(self, total: int, doing: str, *, unit: str = " pictures") -> Iterator["Bar"]:
        """Give a bar that moves until the end of the block; 0 is a total not known yet."""
        if self.quiet:
            yield Bar(total, lambda bar: None, pause=0)
        elif self.display is not None:
            try:
                yield Bar(total, lambda bar: self.show(f"{doing} {bar}{unit}"), pause=PAUSE)
            finally:
                self._aside.clear()
                self.show()
        else:
            from tqdm import tqdm

            with tqdm(desc=doing, unit=unit, unit_scale=unit == "B", disable=None) as shown:

                def draw(bar: Bar) -> None:
                    shown.total = bar.total or None
                    shown.update(bar.done - shown.n)

                yield Bar(total, draw, pause=0)


class Bar:
    """How far some work is; to be moved from the main thread."""

    def __init__(self, total: int, draw: Callable[["Bar"], None], *, pause: float) -> None:
        self.total = total
        self.done = 0
        self._draw = draw
        self._pause = pause
        self._drawn = 0.0

    def move(self, done: int, *, total: int | None = None) -> None:
        """Say how much is done by now, and how much there is to do if that is news."""
        self.total = self.total if total is None else total
        self.done = min(done, self.total) if self.total else done
        if time.monotonic() - self._drawn >= self._pause:
            self._drawn = time.monotonic()
            self._draw(self)

    def __str__(self) -> str:
        """Return [####....] 40 of 80; without a total, the count alone."""
        if not self.total:
            return f"{self.done:,}"
        filled = WIDTH * self.done // self.total
        return f"[{'#' * filled}{'.' * (WIDTH - filled)}] {self.done:,} of {self.total:,}"


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
