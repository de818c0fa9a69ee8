"""Function lab, threshold lab and training progress: their Python side."""

import json
import math
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from helpers.errors import LearnerError
from helpers.widgets import FunctionLab, ThresholdLab, training_progress

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(20, 4)), RANDOM.integers(0, 2, 20)


@pytest.mark.parametrize(
    ("lab", "trait", "good", "wrong"),
    [
        (FunctionLab(z=2), "z", np.float32(-6), (6.1, math.nan, "2", None)),
        (ThresholdLab([1], [0.5]), "threshold", np.float64(0.3), (1.01, -0.1, math.nan, "0")),
    ],
    ids=repr,
)
def test_a_wrong_number_gets_a_sentence(lab: object, trait: str, good: float, wrong: tuple) -> None:
    setattr(lab, trait, good)
    for value in wrong:
        with pytest.raises(LearnerError, match=f"{trait} is .*: give a number from .* to "):
            setattr(lab, trait, value)
    assert getattr(lab, trait) == good


@pytest.mark.parametrize(
    ("labels", "probabilities", "words"),
    [
        ([0], [0.5, 0.5], r"shape \(1,\) .* \(2,\): give two lists of the same length"),
        ([[0], [1]], [[0.5], [0.5]], "give two lists"),
        ([0.5, 1], [0.5, 0.5], "Labels are 0 or 1"),
        (["cat", "dog"], [0.5, 0.5], "Labels are 0 or 1"),
        ([0, 1], [0.5, 1.5], "between 0 and 1"),
        ([0, 1], [0.5, math.nan], "between 0 and 1"),
    ],
)
def test_wrong_answers_get_a_sentence(labels: list, probabilities: list, words: str) -> None:
    with pytest.raises(LearnerError, match=words):
        ThresholdLab(labels, probabilities)


def train(
    progress: keras.callbacks.Callback,
    *others: keras.callbacks.Callback,
    rate: float = 0.01,
    loss: str = "binary_crossentropy",
    **options: object,
) -> keras.Model:
    """Fit a tiny network, by default 3 epochs of 10 steps; return it."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(rate), loss=loss, metrics=["accuracy"])
    options = {"x": X, "y": Y, "batch_size": 2, "epochs": 3, "shuffle": False} | options
    model.fit(**options, verbose=0, callbacks=[progress, *others])
    return model


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


def test_steps_and_epochs_are_what_keras_says() -> None:
    progress = training_progress()
    # Nothing is learnt, so each batch can be asked again.
    model = train(progress, rate=0.0, batch_size=3, validation_data=(X, Y))
    widget = progress.widget
    batches = [(X[at : at + 3], Y[at : at + 3]) for at in range(0, 18, 3)]
    expected = [model.evaluate(*batch, verbose=0) for batch in batches]
    # The last batch of an epoch is smaller than the others, and not compared.
    points = np.array(widget.points).reshape(3, 7, 3)[:, :6]
    np.testing.assert_array_equal(points[..., 0], 1 + np.arange(21).reshape(3, 7)[:, :6])
    np.testing.assert_allclose(points[..., 1:], [expected] * 3, atol=1e-5)
    for name, values in model.history.history.items():
        np.testing.assert_allclose([row[name] for row in widget.rows], values, rtol=1e-5)
    assert [row["epoch"] for row in widget.rows] == [1, 2, 3]
    assert (widget.state, widget.accuracy) == ("done", widget.rows[-1]["accuracy"])
    assert (widget.epoch, widget.epochs, widget.step, widget.steps) == (3, 3, 7, 7)


def test_a_long_run_has_few_points_and_the_same_mean() -> None:
    progress = training_progress()
    model = train(progress, epochs=31, batch_size=1)  # 620 steps
    points = np.array(progress.widget.points)
    assert len(points) == 155 and (np.diff(points[:, 0]) == 4).all()
    np.testing.assert_allclose(points[:, 1].mean(), np.mean(model.history.history["loss"]), 1e-4)


def test_the_number_of_steps_may_be_known_later() -> None:
    progress = training_progress()
    five = tf.data.Dataset.from_tensors((X, Y)).repeat(5).filter(lambda *_: True)
    train(progress, x=five, y=None, batch_size=None, epochs=2)
    widget = progress.widget
    assert (widget.steps, widget.step, widget.epoch) == (5, 5, 2)
    assert [point[0] for point in widget.points] == list(range(1, 11))


def test_a_run_that_explodes_ends_as_any_other() -> None:
    progress = training_progress()
    train(progress, rate=1e38, loss="mse", x=1e20 * X, y=1e20 * Y)
    state = progress.widget.stored()["state"]
    assert (state["state"], state["rows"][-1]["loss"], len(state["points"])) == ("done", None, 30)
    json.dumps(state, allow_nan=False)


def test_an_interrupt_stops_after_the_step_and_a_second_one_at_once() -> None:
    progress = training_progress()
    widget = progress.widget
    train(progress, at_step(4, interrupt))
    assert (widget.state, widget.epoch, widget.step, len(widget.points)) == ("stopped", 1, 5, 5)
    with pytest.raises(KeyboardInterrupt):
        train(progress, at_step(4, interrupt), at_step(4, interrupt))
    train(progress)  # the same callback once more
    assert (widget.state, len(widget.rows), len(widget.points)) == ("done", 3, 30)
    # the page's message, where it comes through
    train(progress, at_step(2, lambda: widget.receive({"kind": "stop"}, [])))
    assert (widget.state, widget.step, len(widget.rows)) == ("stopped", 3, 1)
    # while the validation runs, which may take long
    asked = []
    during = keras.callbacks.LambdaCallback(
        on_test_begin=lambda logs: interrupt(),
        on_test_batch_end=lambda batch, logs: asked.append(batch),
    )
    train(progress, during, validation_data=(X, Y), validation_batch_size=5)
    assert (widget.state, widget.epoch, len(widget.points)) == ("stopped", 1, 10)
    assert asked == [0] and set(widget.rows[0]) == {"epoch", "loss", "accuracy"}


def test_an_interrupt_after_a_failed_training_is_not_swallowed() -> None:
    progress = training_progress()
    with pytest.raises(ZeroDivisionError):
        train(progress, at_step(4, lambda: 1 / 0))
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert (progress.widget.state, progress.widget.step) == ("failed", 4)


@pytest.mark.parametrize(("error", "state"), [("1 / 0", "failed"), ("interrupt()", "stopped")])
def test_a_failed_training_ends_with_its_cell(
    error: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    progress = training_progress()
    shell.push({"train": train, "progress": progress, "at": at_step, "interrupt": interrupt})
    try:
        shell.run_cell(
            f"try:\n    train(progress, *2 * [at(4, lambda: {error})])\n"
            "finally:\n    during = progress.widget.state"
        )
        assert (shell.user_ns["during"], progress.widget.state) == ("running", state)
        assert progress.widget.step == 4
    finally:
        shell.restore_sys_module_state()
        InteractiveShell.clear_instance()
