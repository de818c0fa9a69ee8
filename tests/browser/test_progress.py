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
    callbacks=[progress, Slow()],
)
"""


def test_it_shows_the_run_and_stops_it(lab_page, server):
    path = pages.write_notebook(server.root / "progress.ipynb", SETUP, FIT.format(epochs=500))
    page = lab_page(path)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    bar = page.locator(".cnn-progress")
    bar.wait_for(timeout=60_000)
    page.get_by_role("img", name="accuracy after epoch 3: training").wait_for(timeout=60_000)
    assert "of 500" in bar.inner_text() and "left" in bar.inner_text()
    pages.screenshot(page, "progress-running")
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped: what was learnt so far stays in the model.").wait_for()
    assert pages.ask(page, "progress.view.state") == "stopped"
    assert 3 <= pages.ask(page, "len(history.history['loss'])") < 400
    assert pages.ask(page, "bool(np.any(model.get_weights()[0] != before))") is True
    pages.screenshot(page, "progress-stopped", selector=".cnn-progress")


def test_a_whole_run_and_the_dark_theme(lab_page, server):
    path = pages.write_notebook(server.root / "progress2.ipynb", SETUP, FIT.format(epochs=6))
    page = lab_page(path)
    pages.set_theme(page, "dark")
    pages.run_all(page)
    page.get_by_role("img", name="loss after epoch 6: training").wait_for()
    assert "epoch 6 of 6 · step 8 of 8" in page.locator(".cnn-progress-words").inner_text()
    assert page.get_by_role("button", name="Stop").is_hidden()
    value, end = page.locator(".cnn-progress-bar").evaluate("bar => [bar.value, bar.max]")
    assert value == end == 48
    pages.screenshot(page, "progress-dark", selector=".cnn-progress")
