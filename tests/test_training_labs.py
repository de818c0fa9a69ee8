"""Function lab, threshold lab and training progress: their Python side."""

import json
import math
import signal
from collections.abc import Callable, Iterator

import keras
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from helpers.errors import LearnerError
from helpers.widgets import FunctionLab, ThresholdLab, training_progress

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(20, 4)), RANDOM.integers(0, 2, 20)


def test_the_function_lab_from_python() -> None:
    lab = FunctionLab()
    assert (lab.z, repr(lab)) == (1, "FunctionLab()")
    lab.z = np.float32(-6)
    for wrong in (6.1, math.nan, "2", None):
        with pytest.raises(LearnerError, match="give a number from −6 to 6"):
            lab.z = wrong
    assert lab.z == -6


def test_the_threshold_lab_from_python() -> None:
    lab = ThresholdLab(np.array([True, False]), [1, 0.25])
    assert (lab.labels, lab.probabilities, repr(lab)) == ([1, 0], [1.0, 0.25], "ThresholdLab()")
    lab.threshold = np.float64(0.3)
    for wrong in (1.01, -0.1, math.nan, "0.5"):
        with pytest.raises(LearnerError, match="give a number from 0 to 1"):
            lab.threshold = wrong
    assert lab.threshold == 0.3


@pytest.mark.parametrize(
    ("labels", "probabilities", "words"),
    [
        ([0], [0.5, 0.5], r"shape \(1,\) .* \(2,\): give two lists of the same length"),
        ([[0], [1]], [[0.5], [0.5]], "give two lists"),
        ([0, 2], [0.5, 0.5], "Labels are 0 or 1"),
        ([0.5, 1], [0.5, 0.5], "Labels are 0 or 1"),
        ([0, 1], [0.5, 1.5], "between 0 and 1"),
        ([0, 1], [0.5, math.nan], "between 0 and 1"),
        (["cat", "dog"], [0.5, 0.5], "Labels are 0 or 1"),
    ],
)
def test_wrong_answers_get_a_sentence(labels: list, probabilities: list, words: str) -> None:
    with pytest.raises(LearnerError, match=words):
        ThresholdLab(labels, probabilities)


def network(rate: float = 0.01, loss: str = "binary_crossentropy") -> keras.Model:
    """Return a tiny network."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(rate), loss=loss, metrics=["accuracy"])
    return model


def train(progress: keras.callbacks.Callback, *others: keras.callbacks.Callback, **options) -> dict:
    """Fit a tiny network, by default 3 epochs of 10 steps; return the history."""
    options = {"x": X, "y": Y, "batch_size": 2, "epochs": 3, "shuffle": False} | options
    model = options.pop("model", None) or network()
    return model.fit(**options, verbose=0, callbacks=[progress, *others]).history


def at_step(step: int, act: Callable[[], object]) -> keras.callbacks.Callback:
    """Return a callback that does something in one step of every epoch."""
    return keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: act() if batch + 1 == step else None
    )


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """Let an interrupt be what it is in a notebook; it has to be so again after each run."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def test_every_step_is_what_keras_says_of_its_batch() -> None:
    model = network(rate=0.0)  # learns nothing, so each batch can be asked again
    progress = training_progress()
    history = train(progress, model=model, batch_size=3, validation_data=(X, Y))
    widget = progress.widget
    batches = [(X[at : at + 3], Y[at : at + 3]) for at in range(0, 18, 3)]
    expected = [model.evaluate(*batch, verbose=0) for batch in batches]
    # The last batch of an epoch is smaller than the others, and not compared.
    points = np.array(widget.points).reshape(3, 7, 3)[:, :6]
    np.testing.assert_array_equal(points[..., 0], 1 + np.arange(21).reshape(3, 7)[:, :6])
    np.testing.assert_allclose(points[..., 1:], [expected] * 3, atol=1e-5)
    assert [row["epoch"] for row in widget.rows] == [1, 2, 3]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose([row[name] for row in widget.rows], history[name], rtol=1e-5)
    assert widget.state == "done"
    assert (widget.epoch, widget.epochs, widget.step, widget.steps) == (3, 3, 7, 7)
    assert widget.accuracy == widget.rows[-1]["accuracy"]


def test_a_long_run_has_few_points_and_the_same_mean() -> None:
    progress = training_progress()
    train(progress, epochs=70)  # 700 steps
    points = np.array(progress.widget.points)
    assert len(points) == 175
    assert (np.diff(points[:, 0]) == 4).all()
    losses = [row["loss"] for row in progress.widget.rows]
    np.testing.assert_allclose(points[:, 1].mean(), np.mean(losses), rtol=1e-4)


def test_the_number_of_steps_may_be_known_later() -> None:
    def batches() -> Iterator[tuple]:
        yield from ((X, Y) for _ in range(5))

    progress = training_progress()

    train(progress, x=batches(), y=None, batch_size=None, epochs=1)
    widget = progress.widget
    assert (widget.steps, widget.step, len(widget.points)) == (5, 5, 5)


def test_a_run_that_explodes_ends_as_any_other() -> None:
    progress = training_progress()
    train(progress, model=network(rate=1e38, loss="mse"), x=1e20 * X, y=1e20 * Y)
    state = progress.widget.stored()["state"]
    assert state["state"] == "done"
    assert state["rows"][-1]["loss"] is None
    assert len(state["points"]) == 30
    json.dumps(state, allow_nan=False)


def test_an_interrupt_stops_after_the_step_and_a_second_one_at_once() -> None:
    progress = training_progress()
    train(progress, at_step(4, interrupt))
    widget = progress.widget
    assert (widget.state, widget.epoch, widget.step) == ("stopped", 1, 5)
    assert len(widget.points) == 5
    with pytest.raises(KeyboardInterrupt):
        train(progress, at_step(4, interrupt), at_step(4, interrupt))
    assert len(widget.points) < 5
    train(progress)  # the same callback once more
    assert (widget.state, len(widget.rows), len(widget.points)) == ("done", 3, 30)
    # the page's message, where it comes through
    train(progress, at_step(2, lambda: widget.receive({"kind": "stop"}, [])))
    assert (widget.state, widget.step, len(widget.rows)) == ("stopped", 3, 1)


def test_an_interrupt_after_a_failed_training_is_not_swallowed() -> None:
    progress = training_progress()
    with pytest.raises(ZeroDivisionError):
        train(progress, at_step(4, lambda: 1 / 0))
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert (progress.widget.state, progress.widget.step) == ("failed", 4)


@pytest.mark.parametrize(
    ("error", "state"), [(ZeroDivisionError, "failed"), (KeyboardInterrupt, "stopped")]
)
def test_a_failed_training_ends_with_its_cell(
    error: type, state: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))

    def fail() -> None:
        raise error

    try:
        progress = training_progress()
        shell.push({"run": lambda: train(progress, at_step(4, fail)), "widget": progress.widget})
        shell.run_cell("try:\n    run()\nfinally:\n    during = widget.state")
        assert (shell.user_ns["during"], progress.widget.state) == ("running", state)
        assert progress.widget.step == 4
    finally:
        shell.restore_sys_module_state()
        InteractiveShell.clear_instance()
