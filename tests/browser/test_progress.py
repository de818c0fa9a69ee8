"""The training progress in JupyterLab: it moves while fit runs, and Stop stops it."""

from . import pages

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
"""
FIT = """
progress = training_progress()
before = model.get_weights()[0].copy()
history = model.fit(
    x, y, validation_data=(x, y), batch_size=8, epochs={epochs}, verbose=0,
    callbacks=[progress, {other}],
)
"""
FAIL = "keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: 1 / 0)"


def test_it_shows_the_run_and_stops_it(lab_page, server):
    # The first run is stopped, the second goes to its end, the third fails: one kernel for all,
    # for it takes long to load Keras.
    cells = [FIT.format(epochs=n, other=o) for n, o in [(500, "Slow()"), (6, "Slow()"), (2, FAIL)]]
    cells[0] += "stopped = progress"
    page = lab_page(pages.write_notebook(server.root / "progress.ipynb", SETUP, *cells))
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    first, second, third = (page.locator(".cnn-progress").nth(n) for n in range(3))
    first.wait_for(timeout=60_000)
    first.get_by_role("img", name="accuracy after epoch 3: training").wait_for(timeout=60_000)
    assert "of 500" in first.inner_text() and "left" in first.inner_text()
    pages.screenshot(page, "progress-running")
    first.get_by_role("button", name="Stop").click()
    first.get_by_text("Stopped: what was learnt so far stays in the model.").wait_for()
    pages.screenshot(page, "progress-stopped", selector=".cnn-progress")

    second.get_by_role("img", name="loss after epoch 6: training").wait_for()
    words = second.locator(".cnn-progress-words")
    words.get_by_text("epoch 6 of 6 · step 8 of 8").wait_for()
    assert second.get_by_role("button", name="Stop").is_hidden()
    value, end = second.locator(".cnn-progress-bar").evaluate("bar => [bar.value, bar.max]")
    assert value == end == 48

    third.get_by_text("The training ended with an error: it stands below the cell.").wait_for()
    page.locator(".jp-OutputArea-output", has_text="ZeroDivisionError").wait_for()
    assert pages.errors(page) == ["ZeroDivisionError: division by zero"]
    assert third.get_by_role("button", name="Stop").is_hidden()

    assert pages.ask(page, "stopped.view.state, progress.view.state") == ("stopped", "failed")
    assert 3 <= pages.ask(page, "len(stopped.view.rows)") < 400
    assert pages.ask(page, "bool(np.any(model.get_weights()[0] != before))") is True
    pages.set_theme(page, "dark")
    pages.screenshot(page, "progress-dark", selector=".cnn-progress")
    pages.set_theme(page, "light")
