"""What lesson 4 shows while a network trains: how far it is, live curves, and Stop."""

import math
import signal
import threading
import time
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

    Attributes
    ----------
    epochs, epoch, steps, step : int
        How many there are, and which is the present one; `steps` is 0 while it is not known.
    seconds_left, accuracy : float or None
        The accuracy is that of the present epoch so far.
    points : list of [step, loss, accuracy]
        Of single steps, counted through all epochs; at most 300, then of several steps each.
    rows : list of dict
        What Keras tells at the end of each epoch, and "epoch". A number that is not finite is None.
    state : "ready", "running", "done", "stopped" or "failed"
    """

    module = "progress.js"
    title = "Training"
    still = "progress"
    still_alt = (
        "The training progress: a bar with epoch, step and time left, and the curves of accuracy "
        "and loss for training and validation images."
    )

    epochs = traitlets.Int(0).tag(sync=True)
    epoch = traitlets.Int(0).tag(sync=True)
    steps = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    seconds_left = traitlets.Float(None, allow_none=True).tag(sync=True)
    accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    points = traitlets.List().tag(sync=True)
    rows = traitlets.List().tag(sync=True)
    state = traitlets.Enum(["ready", "running", "done", "stopped", "failed"], "ready").tag(
        sync=True
    )
    stop_wanted = False

    def answer(self, request: dict[str, Any], buffers: list) -> None:
        """Hear the Stop button, where the page cannot interrupt the kernel."""
        self.stop_wanted = self.stop_wanted or request.get("kind") == "stop"


def training_progress() -> "keras.callbacks.Callback":
    """Return a callback for ``model.fit(..., callbacks=[training_progress()], verbose=0)``.

    Its `widget` shows itself when the training begins. The Stop button in it, the ■ of Jupyter's
    toolbar and the method ``stop()`` end the training after the present step, and what was learnt
    stays in the model. A second ■ interrupts at once, as everywhere.

    Notes
    -----
    While a cell runs, ipykernel 7.4 keeps a widget's messages back; so the button interrupts the
    kernel as ■ does, and an interrupt is taken as a wish to stop. Keras tells no callback that
    ``fit`` has failed: IPython says it at the end of the cell, and an interrupt that comes before
    that, outside of ``fit``, is passed on.
    """
    import keras
    from IPython import get_ipython
    from IPython.display import display

    class Progress(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.widget = TrainingProgress()
            self._before = self._shell = None  # what an interrupt did before this run; IPython

        def stop(self) -> None:
            self.widget.stop_wanted = True

        def on_train_begin(self, logs: dict | None = None) -> None:
            if self.widget.state == "running":  # the last run failed
                self._end("failed")
            self.widget.stop_wanted = False
            self._sums, self._rows, self._logs = [], [], {}
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
            self._epoch = epoch

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self._step, self._logs = batch + 1, logs or {}
            number = self._epoch * self.widget.steps + self._step  # counted through all epochs
            sums = [self._step * float(self._logs.get(name, math.nan)) for name in _METRICS]
            self._sums.append([number, self._step, *sums])
            if len(self._sums) == 1:  # this step has also traced the network
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
                "points": _points(self._sums),
                "rows": list(self._rows),
                **more,
            }
            with self.widget.hold_sync():
                for name, value in values.items():
                    setattr(self.widget, name, value)

        def _seconds_left(self) -> float | None:
            if len(self._sums) < 2 or not self.widget.steps:
                return None
            first, last = self._sums[0][0], self._sums[-1][0]
            pace = (time.monotonic() - self._begun) / (last - first)
            return pace * (self.widget.epochs * self.widget.steps - last)

        def _interrupted(self, number: int, frame: FrameType | None) -> None:
            self._let_go()
            if _in_fit(frame, self.model):
                self.stop()
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


def _points(sums: list[list[float]]) -> list[list[float | None]]:
    """Return [step, loss, accuracy] of at most 300 points, each of equally many steps.

    Each row holds the step, counted through all epochs and in its own, and the sums of loss and
    accuracy since that epoch began, as Keras tells them; what a step itself has measured is the
    difference of two sums.
    """
    table = np.array(sums).reshape(-1, 4)
    before = np.roll(table, 1, axis=0)
    before[table[:, 1] <= before[:, 1]] = 0  # the first step of an epoch
    with np.errstate(invalid="ignore"):  # infinity less infinity
        own = (table - before)[:, 1:]
        table = np.column_stack([table[:, 0], own[:, 1:] / own[:, :1]])
    each = 2 ** max(0, math.ceil(math.log2(max(1, len(table)) / _MOST)))
    means = table[: len(table) // each * each].reshape(-1, each, 3).mean(axis=1)
    return [[_finite(value) for value in point] for point in means.tolist()]


def _finite(value: float | None) -> float | None:
    """Return a number to six figures; None if it is not finite, for JSON knows no such number."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def _in_fit(frame: FrameType | None, model: "keras.Model") -> bool:
    """Return whether a model's ``fit`` is among the calls that lead to this frame."""
    while frame is not None:
        if frame.f_code.co_name == "fit" and frame.f_locals.get("self") is model:
            return True
        frame = frame.f_back
    return False
