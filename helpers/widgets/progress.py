"""What lesson 4 shows while a network trains: how far it is, live curves, and Stop."""

import signal
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from helpers.widgets.lab import Lab
from helpers.widgets.modules import module_source, style_source

if TYPE_CHECKING:
    import keras
    from IPython.core.interactiveshell import ExecutionResult

_PAUSE = 0.2  # seconds between two messages to the page
_STATES = ("ready", "running", "done", "stopped", "failed")


class ProgressView(anywidget.AnyWidget):
    """What the page shows of a training run; all of it is numbers."""

    _esm = module_source("progress.js")
    _css = style_source("picture.css", "labs.css", "progress.css")

    epochs = traitlets.Int(0).tag(sync=True)
    epoch = traitlets.Int(0).tag(sync=True)
    steps = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    seconds_left = traitlets.Float(None, allow_none=True).tag(sync=True)
    accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    rows = traitlets.List().tag(sync=True)
    state = traitlets.Enum(_STATES, "ready").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.stop_wanted = False
        super().__init__(**traits)
        self.on_msg(self._receive)

    def _receive(self, _widget: object, content: dict, _buffers: list) -> None:
        # Where the page cannot interrupt the kernel, and where messages come through.
        if content.get("kind") == "stop":
            self.stop_wanted = True


class TrainingProgress(Lab):
    """A training run as one looks at it: epoch, step, time left, accuracy so far, curves, Stop."""

    title = "Training"
    still = "progress"
    still_alt = (
        "The training progress: a bar with epoch, step and time left, a Stop button, and the "
        "curves of accuracy and loss for training and validation pictures."
    )

    def __init__(self) -> None:
        self.view = ProgressView()
        super().__init__([self.view])


def training_progress(*, shown: bool = True) -> "keras.callbacks.Callback":
    """Return a callback for ``model.fit(..., callbacks=[training_progress()], verbose=0)``.

    It shows itself when the training begins. Its Stop button, the ■ of Jupyter's toolbar and its
    method ``stop()`` end the training after the present step, and what was learnt stays in the
    model. A second ■ interrupts at once, as everywhere.

    Notes
    -----
    While a cell runs, ipykernel 7.4 keeps a widget's messages back; so the button interrupts the
    kernel as ■ does, and an interrupt is taken as a wish to stop. Keras tells no callback that
    ``fit`` has failed: IPython says it at the end of the cell, and an interrupt that comes before
    that, outside of ``fit``, is passed on.

    Parameters
    ----------
    shown : bool
        False: show nothing by itself; ``.widget`` can be shown elsewhere.
    """
    import keras
    from IPython import get_ipython

    class Progress(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.widget = TrainingProgress()
            self.view = self.widget.view
            self.before = self.shell = None  # what an interrupt did before this run; IPython

        def stop(self) -> None:
            self.view.stop_wanted = True

        def _interrupted(self, number: int, frame: FrameType | None) -> None:
            self._let_go()
            if _in_fit(frame, self.model):
                self.stop()
            else:
                self._end("failed")
                signal.raise_signal(number)

        def _let_go(self) -> None:
            """Let an interrupt do again what it did before this run."""
            if self.before is not None and signal.getsignal(signal.SIGINT) == self._interrupted:
                signal.signal(signal.SIGINT, self.before)
            self.before = None

        def _cell_ended(self, result: "ExecutionResult") -> None:
            stopped = isinstance(result.error_in_exec, KeyboardInterrupt)
            self._end("stopped" if stopped else "failed")

        def _end(self, state: str) -> None:
            self._let_go()
            if self.shell is not None:
                self.shell.events.unregister("post_run_cell", self._cell_ended)
                self.shell = None
            with self.view.hold_sync():
                self.view.seconds_left = 0.0
                self.view.state = state

        def on_train_begin(self, logs: dict | None = None) -> None:
            if self.view.state == "running":  # the last run failed
                self._end("failed")
            self.view.stop_wanted, self.sent, self.done, self.begun = False, 0.0, 0, None
            with self.view.hold_sync():
                self.view.rows = []
                self.view.epochs = self.params["epochs"]
                self.view.steps = self.params.get("steps") or 0
                self.view.state = "running"
            if shown:
                from IPython.display import display

                display(self.widget)
            if threading.current_thread() is threading.main_thread():
                self.before = signal.signal(signal.SIGINT, self._interrupted)
            self.shell = get_ipython()
            if self.shell is not None:
                self.shell.events.register("post_run_cell", self._cell_ended)

        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.view.epoch = epoch + 1

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            now = time.monotonic()
            self.done += 1
            if self.begun is None:  # the first step also traces the network
                self.begun = now
            if self.view.stop_wanted:
                self.model.stop_training = True
            if now - self.sent > _PAUSE or batch + 1 == self.view.steps:
                self.sent = now
                self._tell(batch + 1, logs or {}, now)

        def _tell(self, step: int, logs: dict, now: float) -> None:
            with self.view.hold_sync():
                self.view.step = step
                if "accuracy" in logs:
                    self.view.accuracy = float(logs["accuracy"])
                if self.view.steps and self.done > 1:
                    left = (self.view.epochs - self.view.epoch + 1) * self.view.steps - step
                    self.view.seconds_left = left * (now - self.begun) / (self.done - 1)

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            values = {name: float(value) for name, value in (logs or {}).items()}
            self.view.rows = [*self.view.rows, {"epoch": epoch + 1, **values}]
            self.view.steps = self.view.steps or self.view.step

        def on_train_end(self, logs: dict | None = None) -> None:
            self._end("stopped" if self.view.stop_wanted else "done")

    return Progress()


def _in_fit(frame: FrameType | None, model: "keras.Model") -> bool:
    """Return whether a model's ``fit`` is among the calls that lead to this frame."""
    while frame is not None:
        if frame.f_code.co_name == "fit" and frame.f_locals.get("self") is model:
            return True
        frame = frame.f_back
    return False
