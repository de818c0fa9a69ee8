"""The training progress: in JupyterLab it moves while fit runs, and Stop stops it; its charts."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from helpers.widgets.progress import TrainingProgress

from . import pages
from .test_curve_labs import check_charts

SETUP = """
from helpers.widgets import training_progress
import keras
import numpy as np
import time

class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.05)

x = np.random.default_rng(0).normal(size=(64, 8))
y = (x[:, 0] > 0).astype(float)
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
runs, before = [], model.get_weights()[0]
"""
FIT = """
runs.append(training_progress())
history = model.fit(
    x, y, validation_data=(x, y), batch_size={size}, epochs={epochs}, verbose=0,
    callbacks=[runs[-1], {other}],
)
learnt = bool(np.any(model.get_weights()[0] != before))
before = model.get_weights()[0]
"""
FAIL = "keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: 1 / 0)"
# One kernel for all, for it takes long to load Keras: a run that the button stops (in its first
# epoch), one that ■ stops, one that goes to its end, one that fails.
RUNS = [(1, 50, "Slow()"), (8, 500, "Slow()"), (8, 6, "Slow()"), (8, 2, FAIL)]


def test_it_shows_the_run_and_stops_it(lab_page, server) -> None:
    cells = [FIT.format(size=size, epochs=n, other=other) for size, n, other in RUNS]
    page = lab_page(pages.write_notebook(server.root / "progress.ipynb", SETUP, *cells))
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    first, second, third, fourth = (page.locator(".cnn-progress").nth(n) for n in range(4))
    stopped = "Stopped: what was learnt so far stays in the model."

    # Something is drawn in the first epoch.
    first.get_by_role("img", name="loss in the first epoch: step by step").wait_for()
    first.get_by_text("Each small dot is one step.").wait_for()
    first.get_by_text("left").wait_for()
    assert "epoch 1 of 50" in first.inner_text()
    assert pages.controls(page, ".cnn-progress")[0]["name"] == "Stop"
    first.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    first.get_by_text(stopped).wait_for()

    second.get_by_role("img", name="accuracy after epoch 3: training").wait_for()
    pages.screenshot(page, "progress-running")
    pages.command(page, "notebook:interrupt-kernel")
    second.get_by_text(stopped).wait_for()

    third.get_by_role("img", name="loss after epoch 6: training").wait_for()
    third.get_by_text("epoch 6 of 6 · step 8 of 8").wait_for()
    assert third.get_by_role("button", name="Stop").is_hidden()
    value, end = third.locator("progress").evaluate("bar => [bar.value, bar.max]")
    assert value == end == 48

    fourth.get_by_text("The training ended with an error: it stands below the cell.").wait_for()
    page.locator(".jp-OutputArea-output", has_text="ZeroDivisionError").wait_for()
    assert pages.errors(page) == ["ZeroDivisionError: division by zero"]
    assert fourth.get_by_role("button", name="Stop").is_hidden()

    states = pages.ask(page, "[(run.widget.state, len(run.widget.rows)) for run in runs]")
    assert [state for state, _ in states] == ["stopped", "stopped", "done", "failed"]
    assert states[0][1] == 1 and 3 <= states[1][1] < 400
    assert pages.ask(page, "learnt") is True
    pages.screenshot(page, "progress-stopped", selector=".cnn-progress >> nth=1")


def run(epochs: int, losses: list) -> dict:
    """Return the traits of a run of ten steps an epoch with these losses; None is no number."""
    rows = [
        {"epoch": n + 1, "loss": loss, "val_loss": loss, "accuracy": 0.5, "val_accuracy": 0.52}
        for n, loss in enumerate(losses)
    ]
    points = [[n + 1, loss, 0.5] for n, loss in enumerate(np.repeat(losses or [0.7], 10))]
    known = {"steps": 10, "step": 10, "accuracy": 0.5, "state": "done"}
    return {"epochs": epochs, "epoch": max(1, len(losses)), "rows": rows, "points": points, **known}


@pytest.mark.parametrize("width", [1000, 360])
def test_whatever_the_loss_the_charts_are_whole(page: Page, tmp_path: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    wild = {"explodes": [1e30, None], "no number": [None] * 3}
    all_losses = {"first epoch": [], "one": [0.69], "two": [346.2, 0.5], "zero": [0.0, 0.0]} | wild
    for name, losses in (all_losses | {"many": [3e8 / n for n in range(1, 251)]}).items():
        lab = TrainingProgress(**run(max(2, len(losses)), losses))
        page.goto(lab.save_html(tmp_path / "page.html").as_uri())
        check_charts(page)
        pages.check_narrow(page)
        assert page.get_by_text("try a smaller learning rate").count() == (name in wild), name


def test_points_are_where_the_numbers_are(page: Page, tmp_path: Path) -> None:
    traits = run(4, [0.7, 0.5, 0.2, 0.1])
    page.goto(TrainingProgress(**traits).save_html(tmp_path / "page.html").as_uri())
    chart = page.get_by_role("img", name="loss after epoch 4: training 0.10, validation 0.10")
    paths = chart.locator("path").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    places = np.array(re.findall(r"M(\S+) (\S+)h", paths[0] + paths[1]), float)
    numbers = [(step / 10, loss) for step, loss, _ in traits["points"]]
    numbers = np.array(numbers + [(row["epoch"], row["loss"]) for row in traits["rows"]])
    for axis, direction in [(0, 1), (1, -1)]:  # places are numbers, moved and stretched
        slope, start = np.polyfit(numbers[:, axis], places[:, axis], 1)
        assert slope * direction > 0
        np.testing.assert_allclose(places[:, axis], slope * numbers[:, axis] + start, atol=0.1)
