"""Training: order, augmentation, and runs that end the same whatever happens to them."""

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from helpers import recipes, training
from helpers.errors import LearnerError
from helpers.recipes import Recipe

TESTS = Path(__file__).parent
SMALL = Recipe(
    name="small",
    epochs=3,
    batch_size=4,
    optimizer="adamw",
    cosine=True,
    averaging=0.9,
    dropout=0.5,
    smallest_crop=0.5,
    flip=True,
    color=0.3,
)


def random_split(count, side, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return SimpleNamespace(images=images, labels=random.integers(0, 2, count))


def small_pets(side=16):
    about = {"digest": "small", "source": "drawn", "held_out": 0}
    train, validation = random_split(12, side), random_split(6, side, seed=1)
    return SimpleNamespace(train=train, validation=validation, **about)


def small_model(dropout=0.5):
    first = [keras.initializers.GlorotUniform(seed=i) for i in range(3)]
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", kernel_initializer=first[0]),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(dropout, seed=7),
            layers.Dense(8, activation="relu", kernel_initializer=first[1]),
            layers.Dense(1, activation="sigmoid", kernel_initializer=first[2]),
        ],
        name="small",
    )


def small_fit(model, **options):
    options = {"recipe": SMALL, "seed": 5, "verbose": 0} | options
    return training.fit(model, small_pets(), **options)


# ---------------------------------------------------------------- order and augmentation


def numbered(count):
    """Images that carry their own number, so that the order can be read off."""
    images = np.broadcast_to(
        np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 4, 3)
    ).copy()
    return SimpleNamespace(images=images, labels=np.arange(count) % 2)


def order(recipe, **options):
    """Return the numbers of the images in each batch, after comparing them with the labels."""
    batches = []
    for x, y in recipes.training_batches(numbered(10), recipe=recipe, **{"seed": 0} | options):
        batches.append(x.numpy()[:, 0, 0, 0].tolist())
        assert y.numpy().tolist() == [[number % 2] for number in batches[-1]]
    return batches


def test_each_pass_shows_every_image_once_in_an_order_of_its_own():
    batches = order(Recipe(name="a", epochs=3, batch_size=4))
    assert [len(b) for b in batches] == [4, 4, 2] * 3
    passes = [[i for batch in batches[k : k + 3] for i in batch] for k in (0, 3, 6)]
    assert [sorted(p) for p in passes] == [list(range(10))] * 3
    assert passes[0] != passes[1] != passes[2]


def test_the_order_depends_on_seed_and_epoch_alone():
    recipe = Recipe(name="a", epochs=3, batch_size=4)
    whole = order(recipe)
    assert order(recipe) == whole != order(recipe, seed=1)
    assert order(recipe, start_epoch=2) == whole[6:]
    # An epoch of few steps goes on where the last one stopped.
    assert order(dataclasses.replace(recipe, steps_per_epoch=2)) == whole[:6]


def augmented(images, *, seed, **changes):
    options = {"smallest_crop": 0.5, "flip": True, "color": 0.3} | changes
    recipe = Recipe(name="a", epochs=1, batch_size=1, **options)
    return recipes._augmented(images, recipe=recipe, seed=seed)


def test_augmentation_repeats_with_its_seed_and_stays_in_range():
    images = random_split(12, 16).images
    one = augmented(images, seed=[1, 2]).numpy()
    np.testing.assert_array_equal(one, augmented(images, seed=[1, 2]))
    assert not np.array_equal(one, augmented(images, seed=[1, 3]))
    assert one.shape == images.shape and one.dtype == np.float32
    assert one.min() >= 0 and one.max() <= 255
    same = augmented(images, seed=[1, 2], smallest_crop=1, flip=False, color=0)
    np.testing.assert_allclose(same, images, atol=1e-3)


def test_flips_are_mirror_images():
    images = random_split(64, 16).images.astype(np.float32)
    flipped = augmented(images, seed=[1, 2], smallest_crop=1, flip=True, color=0).numpy()
    mirrored = np.abs(flipped - images[:, :, ::-1]).max(axis=(1, 2, 3)) < 0.01
    kept = np.abs(flipped - images).max(axis=(1, 2, 3)) < 0.01
    assert np.all(mirrored ^ kept) and 16 < mirrored.sum() < 48


def test_crops_keep_at_least_the_stated_share():
    """A ramp from left to right and one from top to bottom tell the box that was cut."""
    ramp = np.linspace(0, 255, 32)
    ramps = [np.tile(ramp, (32, 1)), np.tile(ramp[:, None], (1, 32)), np.zeros((32, 32))]
    images = np.stack([np.stack(ramps, axis=-1)] * 200).astype(np.float32)
    crops = augmented(images, seed=[0, 0], smallest_crop=0.4, flip=False, color=0).numpy()
    wide = (crops[:, 0, -1, 0] - crops[:, 0, 0, 0]) / 255
    tall = (crops[:, -1, 0, 1] - crops[:, 0, 0, 1]) / 255
    assert np.all(wide * tall > 0.37) and np.all(wide <= 1.001) and np.all(tall <= 1.001)
    assert (wide * tall).min() < 0.5 and (wide * tall).max() > 0.9


def test_colors_agree_with_pillow():
    """Brightness, contrast and saturation at their own factors, as ImageEnhance defines them."""
    from PIL import Image, ImageEnhance

    grey = np.repeat(np.random.default_rng(0).integers(60, 190, (16, 16, 1)), 3, axis=2)
    image = grey.astype(np.uint8)
    for seed in range(5):
        batch = image[None].astype(np.float32)
        ours = augmented(batch, seed=[0, seed], smallest_crop=1, flip=False).numpy()[0]
        # a grey image has no saturation to change: solve for the other two, then compare
        gain, shift = np.polyfit(image.ravel(), ours.ravel(), 1)
        contrast = gain / ((shift + gain * image.mean()) / image.mean())
        theirs = ImageEnhance.Contrast(Image.fromarray(image)).enhance(contrast)
        theirs = ImageEnhance.Brightness(theirs).enhance(gain / contrast)
        assert 0.7 <= contrast <= 1.3 and 0.7 <= gain / contrast <= 1.3
        np.testing.assert_allclose(ours, np.asarray(theirs, np.float32), atol=3)


def test_mixing_weighs_images_and_labels_alike():
    """Images that show nothing but their own label, so that both must end the same."""
    labels = np.random.default_rng(0).integers(0, 2, (40, 1)).astype(np.float32)
    images = np.broadcast_to(labels[:, :, None, None], (40, 4, 4, 3))
    x, y = (part.numpy() for part in recipes._mixed(images, labels, seed=[0, 1], most=0.3))
    np.testing.assert_allclose(x, np.broadcast_to(y[:, :, None, None], x.shape), atol=1e-6)
    moved = np.abs(y - labels)
    assert moved.max() <= 0.3 and moved.max() > 0.2 and (moved > 0).any()
    assert np.all(moved[labels == labels[::-1]] == 0)
    again, _ = recipes._mixed(images, labels, seed=[0, 1], most=0.3)
    np.testing.assert_array_equal(x, again)


def test_images_grow_during_the_run():
    recipe = Recipe(name="a", epochs=4, batch_size=5, flip=True, sides=(8, 16))

    def sides(**options):
        batches = recipes.training_batches(numbered(10), recipe=recipe, seed=0, **options)
        return [x.shape[1:3] for x, _ in batches]

    assert sides() == [(8, 8)] * 4 + [(16, 16)] * 4
    assert sides(start_epoch=3) == [(16, 16)] * 2


# ---------------------------------------------------------------- the optimizer, the metric


def test_the_metric_counts_sides_of_a_half_for_mixed_labels_too():
    model = small_model()
    training.compile_model(model, recipe=SMALL, steps=10)
    images = random_split(50, 16).images
    labels = np.random.default_rng(0).integers(0, 2, (50, 1)).astype(np.float32)
    answers = model.predict(images, verbose=0)
    right = np.mean((answers > 0.5) == labels)
    for given in (labels, 0.1 + 0.8 * labels):
        _, accuracy = model.evaluate(images, given, verbose=0)
        assert accuracy == pytest.approx(right)


def test_the_rate_rises_and_then_falls():
    recipe = dataclasses.replace(SMALL, epochs=10, warmup_epochs=2, weight_decay=0.0)
    model, rates = small_model(), []
    training.compile_model(model, recipe=recipe, steps=100)
    for step in range(0, 101, 10):
        model.optimizer.iterations.assign(step)
        rates.append(float(model.optimizer.learning_rate))
    assert np.argmax(rates) == 2 and rates[2] == pytest.approx(recipe.learning_rate)
    assert rates[0] == pytest.approx(recipe.learning_rate / 20) and rates[-1] < 1e-6


# ---------------------------------------------------------------- runs


@pytest.fixture(scope="module")
def whole_run():
    model = small_model()
    rows = small_fit(model)
    return model.get_weights(), rows


def assert_same(model, rows, whole_run):
    for here, there in zip(model.get_weights(), whole_run[0], strict=True):
        np.testing.assert_array_equal(here, there)
    assert rows is None or rows == whole_run[1]


def test_a_run_repeats_is_not_changed_by_watching_it_and_says_how_far_it_is(whole_run, capsys):
    model = small_model()
    rows = small_fit(model, verbose="auto", validate_every=2)
    assert_same(model, None, whole_run)
    for row, number, whole in zip(rows, (1, 2, 3), whole_run[1], strict=True):
        watched = {"val_loss", "val_accuracy"} if number == 2 else set()
        assert set(row) == {"epoch", "loss", "accuracy"} | watched
        assert row["epoch"] == number and row == {name: whole[name] for name in row}
    printed = capsys.readouterr()
    assert "Epoch 3/3" in printed.out and "val_accuracy" in printed.out


KILLED = """
import os, resource, signal, sys
from pathlib import Path
import keras
import test_training as t

when, path = sys.argv[1], Path(sys.argv[2])

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if when == "mid-epoch" and self.model.optimizer.iterations == 5:
            os.kill(os.getpid(), signal.SIGKILL)  # at the second step of the second epoch
        if when == "mid-write" and self.model.optimizer.iterations == 4:
            # From now on the system kills whoever writes more than half of a checkpoint.
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, [path.stat().st_size // 2] * 2)

t.small_fit(t.small_model(), callbacks=[Kill()], checkpoint=path)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="Windows has no such signals")
def test_a_killed_run_ends_as_a_whole_one(tmp_path, whole_run):
    """Killed in its second epoch, then while it writes that epoch's checkpoint, bit for bit."""
    path = tmp_path / "run.npz"
    for when, by in (("mid-epoch", signal.SIGKILL), ("mid-write", signal.SIGXFSZ)):
        command = [sys.executable, "-c", KILLED, when, str(path)]
        done = subprocess.run(command, cwd=TESTS, capture_output=True, timeout=300, check=False)
        assert done.returncode == -by, done.stderr.decode()
    half = tmp_path / "run.npz.part"
    assert 0 < half.stat().st_size < path.stat().st_size

    for _ in range(2):  # the second time there is nothing left to do
        model = small_model()
        assert_same(model, small_fit(model, checkpoint=path), whole_run)


def test_a_stopped_run_keeps_what_it_learnt_and_goes_on(tmp_path, whole_run):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 5:
                self.model.stop_training = True

    path, model = tmp_path / "run.npz", small_model()
    before = [w.copy() for w in model.get_weights()]
    rows = small_fit(model, checkpoint=path, callbacks=[Stop()])
    assert int(model.optimizer.iterations) == 5 and len(rows) == 1
    assert any(not np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    model = small_model()
    assert_same(model, small_fit(model, checkpoint=path), whole_run)


def test_a_foreign_or_damaged_checkpoint_is_refused(tmp_path):
    path, pets = tmp_path / "run.npz", small_pets()
    options = {"recipe": dataclasses.replace(SMALL, epochs=1), "seed": 5, "checkpoint": path}
    training.fit(small_model(), pets, **options, verbose=0)
    other = SimpleNamespace(train=pets.train, validation=pets.validation, digest="other")
    for words, data, changed in (
        ("another recipe", pets, {"recipe": SMALL}),
        ("another seed", pets, {"seed": 6}),
        ("another data", other, {}),
    ):
        with pytest.raises(LearnerError, match=words):
            training.fit(small_model(), data, **options | changed)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(LearnerError, match=r"cannot be read.*delete it"):
        training.fit(small_model(), pets, **options)


@pytest.mark.parametrize("optimizer", ["adamw", "rmsprop"])
def test_it_learns_something(optimizer):
    """Images that are red or blue: any recipe must tell them apart."""
    split = random_split(64, 16)
    split.images[split.labels == 1, :, :, 0] = 255
    split.images[split.labels == 0, :, :, 2] = 255
    pets, model = SimpleNamespace(train=split, validation=split, digest=""), small_model(0.1)
    recipe = Recipe(name="a", epochs=8, batch_size=8, optimizer=optimizer, learning_rate=0.01)
    training.fit(model, pets, recipe=recipe, validate_every=0, verbose=0)
    result = training.evaluate(model, split)
    assert result["accuracy"] > 0.9
    assert result["total"] == 64 and result["correct"] / 64 == result["accuracy"]
    _, accuracy = model.evaluate(split.images, split.labels.reshape(-1, 1), verbose=0)
    assert result["accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_normalization_settles_on_the_statistics_of_the_whole_images():
    """Two batches of 100: the second layer's input depends on the first layer's, as in training."""
    one, between, two = layers.BatchNormalization(), layers.Dense(2), layers.BatchNormalization()
    model = keras.Sequential([keras.Input((4, 4, 3)), one, between, two])
    images, momentum = random_split(200, 4).images, one.momentum
    training._settle_normalization(model, images)
    shuffled = np.random.default_rng(0).permutation(200)
    halves = [images[shuffled[half]].astype(float) for half in (slice(100), slice(100, 200))]
    within = []
    for half in halves:
        x = (half - half.mean(axis=(0, 1, 2))) / np.sqrt(half.var(axis=(0, 1, 2)) + one.epsilon)
        within.append(x @ np.asarray(between.kernel))
    for layer, parts in ((one, halves), (two, within)):
        spread = np.mean([x.var(axis=(0, 1, 2)) for x in parts], axis=0)
        mean = np.mean(parts, axis=(0, 1, 2, 3))
        np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(layer.moving_variance, spread, rtol=1e-2)
    assert one.momentum == momentum


# ---------------------------------------------------------------- the command, the records


def test_the_command_writes_weights_and_a_record(elsewhere, monkeypatch, capsys):
    from helpers.model import load_trained

    pets, folder = small_pets(side=150), elsewhere / "data" / "cache" / "runs"
    monkeypatch.setattr(training, "load_pets", lambda source: pets)
    short = dataclasses.replace(recipes.REGULARISED, epochs=2)
    monkeypatch.setitem(recipes.RECIPES, "regularised", short)
    assert training.main(["--recipe", "regularised", "--seed", "4"]) == 0
    printed = capsys.readouterr().out
    assert not (folder / "regularised-seed4.npz").exists()
    assert "Epoch 2/2" in printed and "of 6 validation images right" in printed
    record = json.loads((folder / "regularised-seed4.json").read_text())
    assert record["recipe"]["epochs"] == 2 and record["seed"] == 4
    assert record["data"]["sha256"] == "small" and record["train"]["total"] == 12
    assert record["versions"]["keras"] == keras.__version__
    assert [row["epoch"] for row in record["history"]] == [1, 2]
    model = load_trained(folder / "regularised-seed4")
    assert model.class_names == ("cat", "dog")
    result, told = training.evaluate(model, pets.validation), record["validation"]
    assert told["correct"] == result["correct"]
    np.testing.assert_allclose(told["probabilities"], result["probabilities"], atol=1e-5)
    assert told["labels"] == "".join(map(str, pets.validation.labels))


def test_the_command_says_what_is_wrong_and_throws_no_work_away(elsewhere, monkeypatch, capsys):
    checkpoint = elsewhere / "data" / "cache" / "runs" / "mine.npz"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"hours of work")
    monkeypatch.setattr(training, "load_pets", lambda source: small_pets())
    assert training.main(["--recipe", "article", "--name", "mine"]) == 1
    assert "The checkpoint mine.npz cannot be read" in capsys.readouterr().err
    assert checkpoint.read_bytes() == b"hours of work"
    assert training.main(["--hold-out", "13"]) == 1
    assert "images held out is 13" in capsys.readouterr().err


TWO_DEVICES = """
import helpers
import numpy as np
import tensorflow as tf
import test_training as t

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
options = {"recipe": t.Recipe(name="two", epochs=3, batch_size=4), "validate_every": 0}
alone = t.small_fit(t.small_model(dropout=0), **options)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    both = t.small_fit(t.small_model(dropout=0), **options)
assert strategy.num_replicas_in_sync == 2
np.testing.assert_allclose([r["loss"] for r in both], [r["loss"] for r in alone], atol=1e-4)
assert len({r["loss"] for r in alone}) == 3
"""


def test_two_devices_train_as_one():
    command = [sys.executable, "-c", TWO_DEVICES]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]


@pytest.mark.parametrize("apart", [0.005, 0.02])
def test_the_interval_of_a_mean_holds_what_it_says(apart):
    """Seeds and photos drawn many times: about 95 of 100 intervals hold the truth."""
    random, held = np.random.default_rng(0), 0
    for _ in range(400):
        skill = 0.8 + apart * random.standard_normal(3)  # each seed's own accuracy
        hard, runs = random.random(500), []  # the same photos for each seed
        for share in skill:
            right = np.where(random.random(500) < 0.5, hard, random.random(500)) < share
            told = {"labels": "1" * 500, "probabilities": right * 1.0, "accuracy": right.mean()}
            runs.append({"validation": told})
        mean, low, high = training.mean_accuracy(runs)
        assert low < mean < high
        held += low < 0.8 < high
    assert 0.9 < held / 400 < 0.99


def test_the_interval_of_one_run_is_that_of_its_record():
    alone = {"validation": {"accuracy": 0.75, "interval": [0.7, 0.8]}}
    assert training.mean_accuracy([alone]) == (0.75, 0.7, 0.8)


def test_the_records_that_ship_agree_with_themselves():
    for name, recipe in recipes.RECIPES.items():
        runs = training.load_runs(name)
        assert runs, name
        for run in runs:
            told = run["recipe"] | {"sides": tuple(run["recipe"].get("sides", ()))}
            assert Recipe(**told) == recipe  # older records leave out what was at its default
            assert run["data"]["source"] == "photos" and run["data"].get("held_out", 0) == 0
            assert [row["epoch"] for row in run["history"]] == list(range(1, recipe.epochs + 1))
            said, right = run["validation"], run["validation"]["correct"]
            interval = training.confidence_interval(right, 1000)
            assert said["interval"] == pytest.approx(interval, abs=1e-5)
            answers = np.array(said["probabilities"]) > 0.5
            agree = sum(answers == (np.array(list(said["labels"])) == "1"))
            assert abs(agree - right) <= 1 and said["total"] == 1000  # rounded to four digits
