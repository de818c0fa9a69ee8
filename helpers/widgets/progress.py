"""What lesson 4 shows while a network trains: how far it is, live curves, and Stop."""

import math
import signal
import threading
import time
from traceback import walk_stack
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from helpers.widgets.lab import Lab

if TYPE_CHECKING:
    import keras
    from IPython.core.interactiveshell import ExecutionResult

_PAUSE = 0.2  # seconds between two messages to the page
_MOST = 300  # points of single steps: of more, neighbours become one
_METRICS = ("loss", "accuracy")


class TrainingProgress(Lab):
    """A training run as one looks at it: epoch, step, time left, accuracy so far, curves, Stop.

    `epoch` is the present one of `epochs`, `step` that of the `steps` in it (0 while their number
    is not known), `accuracy` that of the present epoch so far. `points` are [step, loss, accuracy]
    of single steps, counted through all epochs; at most 300, then of several steps each. `rows`
    are what Keras tells at the end of each epoch, and "epoch". A number that is not finite is None.
    """

    module = "progress.js"
    title = "Training"
    still = "progress"
    still_alt = (
        "The training progress: a bar with epoch, step and time left, and the curves of accuracy "
        "and loss for training and validation images."
    )

    epochs, epoch, steps, step = (traitlets.Int(0).tag(sync=True) for _ in range(4))
    seconds_left = traitlets.Float(None, allow_none=True).tag(sync=True)
    accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    points = traitlets.List().tag(sync=True)
    rows = traitlets.List().tag(sync=True)
    state = traitlets.Unicode("ready").tag(sync=True)  # then running; done, stopped or failed
    stop_wanted = False

    def answer(self, request: dict[str, Any], buffers: list) -> None:
        """Hear the Stop button, where the page cannot interrupt the kernel."""
        self.stop_wanted = self.stop_wanted or request.get("kind") == "stop"


def training_progress() -> "keras.callbacks.Callback":
    """Return a callback for ``model.fit(..., callbacks=[training_progress()], verbose=0)``.

    Its `widget` shows itself when the training begins. The Stop button in it and the ■ of
    Jupyter's toolbar end the training after the present step, and what was learnt stays in the
    model. A second ■ interrupts at once, as everywhere.

    While a cell runs, ipykernel 7.4 keeps a widget's messages back; so the button interrupts the
    kernel as ■ does, and an interrupt within ``fit`` is taken as a wish to stop. Keras tells no
    callback that ``fit`` has failed: IPython says it at the end of the cell.
    """
    import keras
    from IPython import get_ipython
    from IPython.display import display

    class Progress(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.widget = TrainingProgress()
            self._before = self._shell = None  # what an interrupt did before this run; IPython

        def on_train_begin(self, logs: dict | None = None) -> None:
            if self.widget.state == "running":  # the last run failed
                self._end("failed")
            self.widget.stop_wanted = False
            self._points, self._rows, self._logs = [], [], {}
            self._epoch, self._step = 0, 0
            steps = self.params.get("steps") or 0
            self._tell(epochs=self.params["epochs"], steps=steps, state="running")
            display(self.widget)
            if threading.current_thread() is threading.main_thread():
                self._before = signal.signal(signal.SIGINT, self._interrupted)
            self._shell = get_ipython()
            if self._shell is not None:
                self._shell.events.register("post_run_cell", self._cell_ended)

        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self._epoch, self._sums = epoch, [0, 0, 0]

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self._step, self._logs = batch + 1, logs or {}
            number = self._epoch * self.widget.steps + self._step  # counted through all epochs
            # Keras tells the means of the epoch so far; the step's own are in how the sums grew.
            sums = [1, *(float(self._logs.get(name, math.nan)) for name in _METRICS)]
            sums = [self._step * each for each in sums]
            steps, *own = (now - before for now, before in zip(sums, self._sums, strict=True))
            self._points.append([number, *(each / steps for each in own)])
            self._sums = sums
            if len(self._points) == 1:  # this step has also traced the network
                self._begun = time.monotonic()
            self.model.stop_training |= self.widget.stop_wanted
            if time.monotonic() - self._sent > _PAUSE:
                self._tell()

        def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self.model.stop_evaluating |= self.widget.stop_wanted

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self._rows.append({"epoch": epoch + 1})
            for name, value in (logs or {}).items():
                if not (self.widget.stop_wanted and name.startswith("val_")):  # it was cut short
                    self._rows[-1][name] = _finite(value)
            self.widget.steps = self.widget.steps or self._step
            self.model.stop_training |= self.widget.stop_wanted  # during the validation

        def on_train_end(self, logs: dict | None = None) -> None:
            self._end("stopped" if self.widget.stop_wanted else "done")

        def _tell(self, **more: Any) -> None:
            self._sent = time.monotonic()
            values = {
                "epoch": self._epoch + 1,
                "step": self._step,
                "seconds_left": self._seconds_left(),
                "accuracy": _finite(self._logs.get("accuracy")),
                "points": _thinned(self._points),
                "rows": list(self._rows),
                **more,
            }
            with self.widget.hold_sync():
                for name, value in values.items():
                    setattr(self.widget, name, value)

        def _seconds_left(self) -> float | None:
            if len(self._points) < 2 or not self.widget.steps:
                return None
            first, last = self._points[0][0], self._points[-1][0]
            pace = (time.monotonic() - self._begun) / (last - first)
            return pace * (self.widget.epochs * self.widget.steps - last)

        def _interrupted(self, number: int, frame: FrameType | None) -> None:
            self._let_go()
            calls = [each for each, _ in walk_stack(frame) if each.f_code.co_name == "fit"]
            if any(each.f_locals.get("self") is self.model for each in calls):
                self.widget.stop_wanted = True
            else:
                self._end("failed")
                signal.raise_signal(number)

        def _let_go(self) -> None:
            """Let an interrupt do again what it did before this run."""
            if self._before is not None and signal.getsignal(signal.SIGINT) == self._interrupted:
                signal.signal(signal.SIGINT, self._before)
            self._before = None

        def _cell_ended(self, result: "ExecutionResult") -> None:
            stopped = isinstance(result.error_in_exec, KeyboardInterrupt)
            self._end("stopped" if stopped else "failed")

        def _end(self, state: str) -> None:
            self._let_go()
            if self._shell is not None:
                self._shell.events.unregister("post_run_cell", self._cell_ended)
                self._shell = None
            self._tell(state=state)

    return Progress()


def _thinned(points: list[list[float]]) -> list[list[float | None]]:
    """Return at most 300 points, each the mean of equally many neighbours."""
    each = 2 ** max(0, math.ceil(math.log2(max(1, len(points)) / _MOST)))
    whole = np.array(points[: len(points) // each * each]).reshape(-1, each, 3)
    return [[_finite(value) for value in point] for point in whole.mean(axis=1).tolist()]


def _finite(value: float | None) -> float | None:
    """Return a number to six figures; None if it is not finite, for JSON knows no such number."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None
