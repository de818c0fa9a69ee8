"""Training: order, augmentation, and runs that end the same whatever happens to them."""

import dataclasses
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from helpers import training
from helpers.training import Recipe, TrainingError
from helpers.widgets import training_progress

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


def small_pets(count=12, side=16):
    def split(seed, count):
        random = np.random.default_rng(seed)
        pictures = random.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
        return SimpleNamespace(images=pictures, labels=random.integers(0, 2, count))

    return SimpleNamespace(train=split(0, count), validation=split(1, 6), digest="small")


def small_model(dropout=0.5):
    import keras
    from keras import layers

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


def without_seconds(rows):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


# ---------------------------------------------------------------- order and augmentation


def numbered(count):
    """Pictures that carry their own number, so that the order can be read off."""
    pictures = np.broadcast_to(
        np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 4, 3)
    ).copy()
    return SimpleNamespace(images=pictures, labels=np.arange(count) % 2)


def order(recipe, *, seed=0, start_epoch=0, count=10):
    data = training.training_batches(
        numbered(count), recipe=recipe, seed=seed, start_epoch=start_epoch
    )
    return [x.numpy()[:, 0, 0, 0].tolist() for x, _ in data]


def test_each_pass_shows_every_picture_once_in_an_order_of_its_own():
    batches = order(Recipe(name="a", epochs=3, batch_size=4))
    assert [len(b) for b in batches] == [4, 4, 2] * 3
    passes = [[i for batch in batches[k : k + 3] for i in batch] for k in (0, 3, 6)]
    assert [sorted(p) for p in passes] == [list(range(10))] * 3
    assert passes[0] != passes[1] != passes[2]


def test_an_epoch_of_few_steps_goes_on_where_the_last_one_stopped():
    whole = order(Recipe(name="a", epochs=2, batch_size=4))
    half = order(Recipe(name="a", epochs=3, batch_size=4, steps_per_epoch=2))
    assert half == whole[:6]


def test_the_order_depends_on_seed_and_epoch_alone():
    recipe = Recipe(name="a", epochs=3, batch_size=4)
    assert order(recipe) == order(recipe)
    assert order(recipe) != order(recipe, seed=1)
    assert order(recipe, start_epoch=2) == order(recipe)[6:]


def test_labels_belong_to_their_pictures():
    for x, y in training.training_batches(
        numbered(10), recipe=Recipe(name="a", epochs=2, batch_size=3), seed=0
    ):
        assert y.shape[1:] == (1,)
        np.testing.assert_array_equal(x.numpy()[:, 0, 0, 0] % 2, y.numpy()[:, 0])


def test_augmentation_repeats_with_its_seed_and_stays_in_range():
    pictures = small_pets().train.images
    one = training.augment(pictures, seed=[1, 2]).numpy()
    np.testing.assert_array_equal(one, training.augment(pictures, seed=[1, 2]))
    assert not np.array_equal(one, training.augment(pictures, seed=[1, 3]))
    assert one.shape == pictures.shape and one.dtype == np.float32
    assert one.min() >= 0 and one.max() <= 255


def test_augmentation_switched_off_changes_nothing():
    pictures = small_pets().train.images
    same = training.augment(pictures, seed=[1, 2], smallest_crop=1, flip=False, color=0)
    np.testing.assert_allclose(same, pictures, atol=1e-3)


def test_flips_are_mirror_images():
    pictures = small_pets(count=64).train.images.astype(np.float32)
    flipped = training.augment(pictures, seed=[1, 2], smallest_crop=1, flip=True, color=0).numpy()
    mirrored = np.abs(flipped - pictures[:, :, ::-1]).max(axis=(1, 2, 3)) < 0.01
    kept = np.abs(flipped - pictures).max(axis=(1, 2, 3)) < 0.01
    assert np.all(mirrored ^ kept) and 16 < mirrored.sum() < 48


def test_crops_keep_at_least_the_stated_share():
    """A ramp from left to right and one from top to bottom tell the box that was cut."""
    ramp = np.linspace(0, 255, 32)
    picture = np.stack(
        [np.tile(ramp, (32, 1)), np.tile(ramp[:, None], (1, 32)), np.zeros((32, 32))], axis=-1
    )
    crops = training.augment(
        np.stack([picture] * 200).astype(np.float32),
        seed=[0, 0],
        smallest_crop=0.4,
        flip=False,
        color=0,
    ).numpy()
    wide = (crops[:, 0, -1, 0] - crops[:, 0, 0, 0]) / 255
    tall = (crops[:, -1, 0, 1] - crops[:, 0, 0, 1]) / 255
    assert np.all(wide * tall > 0.37) and np.all(wide <= 1.001) and np.all(tall <= 1.001)
    assert (wide * tall).min() < 0.5 and (wide * tall).max() > 0.9


def test_colors_agree_with_pillow():
    """Brightness, contrast and saturation at their own factors, as ImageEnhance defines them."""
    from PIL import Image, ImageEnhance

    grey = np.repeat(np.random.default_rng(0).integers(60, 190, (16, 16, 1)), 3, axis=2)
    picture = grey.astype(np.uint8)
    for seed in range(5):
        ours = training.augment(
            picture[None].astype(np.float32),
            seed=[0, seed],
            smallest_crop=1,
            flip=False,
            color=0.3,
        ).numpy()[0]
        # a grey picture has no saturation to change: solve for the other two, then compare
        gain, shift = np.polyfit(picture.ravel(), ours.ravel(), 1)
        contrast = gain / ((shift + gain * picture.mean()) / picture.mean())
        theirs = ImageEnhance.Contrast(Image.fromarray(picture)).enhance(contrast)
        theirs = ImageEnhance.Brightness(theirs).enhance(gain / contrast)
        assert 0.7 <= contrast <= 1.3 and 0.7 <= gain / contrast <= 1.3
        np.testing.assert_allclose(ours, np.asarray(theirs, np.float32), atol=3)


def test_mixing_weighs_pictures_and_labels_alike():
    """Pictures that show nothing but their own label, so that both must end the same."""
    labels = np.random.default_rng(0).integers(0, 2, (40, 1)).astype(np.float32)
    pictures = np.broadcast_to(labels[:, :, None, None], (40, 4, 4, 3))
    x, y = (part.numpy() for part in training.mix(pictures, labels, seed=[0, 1], most=0.3))
    np.testing.assert_allclose(x, np.broadcast_to(y[:, :, None, None], x.shape), atol=1e-6)
    moved = np.abs(y - labels)
    assert moved.max() <= 0.3 and moved.max() > 0.2 and (moved > 0).any()
    assert np.all(moved[labels == labels[::-1]] == 0)
    again, _ = training.mix(pictures, labels, seed=[0, 1], most=0.3)
    np.testing.assert_array_equal(x, again)


def test_pictures_grow_during_the_run():
    recipe = Recipe(name="a", epochs=4, batch_size=5, flip=True, sides=(8, 16))
    sides = [
        x.shape[1:3] for x, _ in training.training_batches(numbered(10), recipe=recipe, seed=0)
    ]
    assert sides == [(8, 8)] * 4 + [(16, 16)] * 4
    later = training.training_batches(numbered(10), recipe=recipe, seed=0, start_epoch=3)
    assert [x.shape[1] for x, _ in later] == [16, 16]


def test_accuracy_counts_sides_of_a_half():
    import keras

    labels = np.random.default_rng(0).integers(0, 2, (50, 1)).astype(np.float32)
    answers = np.random.default_rng(1).random((50, 1)).astype(np.float32)
    metric, theirs = training._accuracy(), keras.metrics.BinaryAccuracy()
    for update in (metric, theirs):
        update.update_state(labels, answers)
    assert float(metric.result()) == pytest.approx(float(theirs.result()))
    metric.reset_state()
    metric.update_state(0.1 + 0.8 * labels, answers)
    assert float(metric.result()) == pytest.approx(float(theirs.result()))


def test_the_rate_rises_and_then_falls():
    model = small_model()
    recipe = dataclasses.replace(SMALL, epochs=10, warmup_epochs=2)
    training.compile_model(model, recipe=recipe, steps=100)
    rate = model.optimizer._learning_rate
    values = [float(rate(step)) for step in range(0, 101, 10)]
    assert np.argmax(values) == 2 and values[2] == pytest.approx(recipe.learning_rate)
    assert values[0] == pytest.approx(recipe.learning_rate / 20) and values[-1] < 1e-6


# ---------------------------------------------------------------- runs


@pytest.fixture(scope="module")
def whole_run():
    model = small_model()
    rows = training.fit(model, small_pets(), recipe=SMALL, seed=5)
    return model.get_weights(), without_seconds(rows)


def assert_same(model, rows, whole_run):
    for here, there in zip(model.get_weights(), whole_run[0], strict=True):
        np.testing.assert_array_equal(here, there)
    assert without_seconds(rows) == whole_run[1]


def test_a_run_repeats(whole_run):
    model = small_model()
    rows = training.fit(model, small_pets(), recipe=SMALL, seed=5)
    assert_same(model, rows, whole_run)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all({"loss", "accuracy", "val_loss", "val_accuracy", "seconds"} <= set(r) for r in rows)


def test_watching_the_validation_pictures_changes_nothing(whole_run):
    model = small_model()
    training.fit(model, small_pets(), recipe=SMALL, seed=5, validate_every=0)
    for here, there in zip(model.get_weights(), whole_run[0], strict=True):
        np.testing.assert_array_equal(here, there)


KILLED = """
import os, signal
import keras
import numpy as np
from pathlib import Path
from helpers import training
import test_training as t

class KillInMidEpoch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 5:  # the second step of the second epoch
            os.kill(os.getpid(), signal.SIGKILL)

def savez_that_dies(file, **arrays):
    file.write(b"half of a file")
    file.flush()
    if len(list(Path({folder!r}).glob("*.npz"))) == 1:  # the first epoch is safe
        os.kill(os.getpid(), signal.SIGKILL)
    file.seek(0)
    savez(file, **arrays)

callbacks = []
if {when!r} == "mid-epoch":
    callbacks = [KillInMidEpoch()]
else:
    savez, np.savez = np.savez, savez_that_dies
training.fit(t.small_model(), t.small_pets(), recipe=t.SMALL, seed=5, callbacks=callbacks,
             checkpoint=Path({folder!r}) / "run.npz")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
@pytest.mark.parametrize("when", ["mid-epoch", "mid-write"])
def test_a_killed_run_ends_as_a_whole_one(tmp_path, whole_run, when):
    script = KILLED.format(folder=str(tmp_path), when=when)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert (tmp_path / "run.npz.part").exists() == (when == "mid-write")

    model = small_model()
    rows = training.fit(model, small_pets(), recipe=SMALL, seed=5, checkpoint=tmp_path / "run.npz")
    assert_same(model, rows, whole_run)
    # and once more, with nothing left to do
    model = small_model()
    rows = training.fit(model, small_pets(), recipe=SMALL, seed=5, checkpoint=tmp_path / "run.npz")
    assert_same(model, rows, whole_run)


def test_a_stopped_run_keeps_what_it_learnt_and_goes_on(tmp_path, whole_run):
    import keras

    progress = training_progress(shown=False)

    class Press(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 5:
                progress.stop()

    path, model = tmp_path / "run.npz", small_model()
    before = [w.copy() for w in model.get_weights()]
    rows = training.fit(
        model,
        small_pets(),
        recipe=SMALL,
        seed=5,
        checkpoint=path,
        callbacks=[Press(), progress],
    )
    assert int(model.optimizer.iterations) == 5
    assert len(rows) == 1
    assert progress.view.state == "stopped"
    assert any(not np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    model = small_model()
    rows = training.fit(model, small_pets(), recipe=SMALL, seed=5, checkpoint=path)
    assert_same(model, rows, whole_run)


@pytest.fixture
def interrupts():
    """Let an interrupt interrupt: a shell starts what runs in the background without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_stops_after_the_step_and_a_second_one_at_once():
    import keras

    class Interrupt(keras.callbacks.Callback):
        def __init__(self, times):
            super().__init__()
            self.times = times

        def on_train_batch_begin(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 4:
                for _ in range(self.times):
                    signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    progress, model = training_progress(shown=False), small_model()
    rows = training.fit(model, small_pets(), recipe=SMALL, callbacks=[progress, Interrupt(times=1)])
    assert int(model.optimizer.iterations) == 5 and len(rows) == 1
    assert progress.view.state == "stopped"
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        training.fit(
            small_model(),
            small_pets(),
            recipe=SMALL,
            callbacks=[training_progress(shown=False), Interrupt(times=2)],
        )
    assert signal.getsignal(signal.SIGINT) is before


def test_a_foreign_or_damaged_checkpoint_is_refused(tmp_path):
    path, pets = tmp_path / "run.npz", small_pets()
    one = dataclasses.replace(SMALL, epochs=1)
    training.fit(small_model(), pets, recipe=one, seed=5, checkpoint=path)
    with pytest.raises(TrainingError, match=r"another recipe"):
        training.fit(small_model(), pets, recipe=SMALL, seed=5, checkpoint=path)
    with pytest.raises(TrainingError, match=r"another seed"):
        training.fit(small_model(), pets, recipe=one, seed=6, checkpoint=path)
    other = SimpleNamespace(train=pets.train, validation=pets.validation, digest="other")
    with pytest.raises(TrainingError, match=r"another data"):
        training.fit(small_model(), other, recipe=one, seed=5, checkpoint=path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=r"cannot be read.*delete it"):
        training.fit(small_model(), pets, recipe=one, seed=5, checkpoint=path)


def test_it_learns_something():
    """Pictures that are red or blue: any recipe must tell them apart."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 64)
    pictures = random.integers(0, 200, (64, 16, 16, 3), dtype=np.uint8)
    pictures[labels == 1, :, :, 0] = 255
    pictures[labels == 0, :, :, 2] = 255
    split = SimpleNamespace(images=pictures, labels=labels)
    pets = SimpleNamespace(train=split, validation=split, digest="red and blue")
    for name in ("adamw", "rmsprop"):
        model = small_model(dropout=0.1)
        recipe = Recipe(name="a", epochs=8, batch_size=8, optimizer=name, learning_rate=0.01)
        training.fit(model, pets, recipe=recipe, validate_every=0)
        result = training.evaluate(model, split)
        assert result["accuracy"] > 0.9
        (a, b), (c, d) = result["confusion"]
        assert a + b + c + d == result["total"] == 64 and a + d == result["correct"]
        loss, accuracy = model.evaluate(pictures, labels.reshape(-1, 1), verbose=0)
        assert result["loss"] == pytest.approx(loss, abs=1e-4)
        assert result["accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_normalization_settles_on_the_statistics_of_the_whole_pictures():
    """Two batches of 100: the second layer's input depends on the first layer's, as in training."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.BatchNormalization(name="one", momentum=0.9),
            keras.layers.Dense(2, name="between"),
            keras.layers.BatchNormalization(name="two"),
        ]
    )
    pictures = np.random.default_rng(0).integers(0, 256, (200, 4, 4, 3)).astype(np.uint8)
    training.settle_normalization(model, pictures)
    one, two = model.get_layer("one"), model.get_layer("two")
    np.testing.assert_allclose(one.moving_mean, pictures.mean(axis=(0, 1, 2)), rtol=1e-4)
    order = np.random.default_rng(0).permutation(200)
    halves = [pictures[order[half]].astype(float) for half in (slice(100), slice(100, 200))]
    spread = np.mean([half.var(axis=(0, 1, 2)) for half in halves], axis=0)
    np.testing.assert_allclose(one.moving_variance, spread, rtol=1e-3)
    within = []
    for half in halves:
        x = (half - half.mean(axis=(0, 1, 2))) / np.sqrt(half.var(axis=(0, 1, 2)) + one.epsilon)
        within.append(x @ np.asarray(model.get_layer("between").kernel))
    np.testing.assert_allclose(two.moving_mean, np.mean(within, axis=(0, 1, 2, 3)), atol=1e-3)
    spread = np.mean([x.var(axis=(0, 1, 2)) for x in within], axis=0)
    np.testing.assert_allclose(two.moving_variance, spread, rtol=1e-2)
    assert one.momentum == 0.9


def test_a_network_without_normalization_stays_as_it_is():
    model = small_model()
    before = [w.copy() for w in model.get_weights()]
    training.settle_normalization(model, small_pets().train.images)
    for here, there in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(here, there)


def test_the_interval_is_wilsons():
    from scipy.stats import binomtest

    for correct, total in [(750, 1000), (0, 10), (10, 10), (3, 7)]:
        theirs = binomtest(correct, total).proportion_ci(method="wilson")
        assert training.confidence_interval(correct, total) == pytest.approx(tuple(theirs))


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ValueError, match=r"'sgd' is no optimizer"):
        training.compile_model(
            small_model(), recipe=dataclasses.replace(SMALL, optimizer="sgd"), steps=1
        )


def test_the_articles_recipe_is_the_articles():
    recipe = training.ARTICLE
    assert (recipe.optimizer, recipe.learning_rate) == ("rmsprop", 0.001)
    assert (recipe.epochs, recipe.steps_per_epoch, recipe.batch_size) == (10, 8, 128)
    assert (recipe.dropout, recipe.smallest_crop, recipe.flip, recipe.color) == (0, 1, False, 0)
    assert training.steps_per_epoch(training.EVERY_PHOTO, 2000) == 16


def test_the_command_writes_weights_and_a_record(tmp_path, monkeypatch, capsys):
    from helpers.model import load_record, load_trained

    random = np.random.default_rng(0)

    def split(count):
        pictures = random.integers(0, 256, (count, 150, 150, 3), dtype=np.uint8)
        return SimpleNamespace(images=pictures, labels=np.arange(count) % 2)

    pets = SimpleNamespace(
        train=split(10),
        validation=split(6),
        digest="abc",
        source="drawn",
        origin="Made up.",
        held_out=0,
    )
    monkeypatch.setattr(training, "load_pets", lambda source: pets)
    command = ["--recipe", "regularised", "--epochs", "2", "--seed", "4", "--out", str(tmp_path)]
    assert training.main(command) == 0
    printed = capsys.readouterr().out
    assert not (tmp_path / "regularised-seed4.npz").exists()
    assert "epoch 2/2" in printed and "of 6 validation pictures right" in printed
    record = load_record("regularised-seed4", folder=tmp_path)
    assert record["recipe"]["epochs"] == 2 and record["seed"] == 4
    assert record["data"]["sha256"] == "abc" and record["data"]["validation"] == 6
    assert [row["epoch"] for row in record["history"]] == [1, 2]
    model = load_trained("regularised-seed4", folder=tmp_path)
    result = training.evaluate(model, pets.validation)
    assert record["validation"]["correct"] == result["correct"]
    np.testing.assert_allclose(
        record["validation"]["probabilities"], result["probabilities"], atol=1e-3
    )
    assert len(record["validation"]["labels"]) == 6


def test_the_command_says_what_is_wrong_in_a_sentence(tmp_path, monkeypatch, capsys):
    from helpers.pets import PetsError

    def no_photos(source):
        raise PetsError("No photos here.")

    monkeypatch.setattr(training, "load_pets", no_photos)
    assert training.main(["--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "No photos here.\n"
    for wrong in (["--epochs", "0"], ["--seed", "-1"], ["--seed", str(2**31)], ["--epochs", "x"]):
        with pytest.raises(SystemExit):
            training.main(wrong)


def test_a_run_that_stands_half_way_is_not_thrown_away(tmp_path):
    checkpoint = tmp_path / "mine.npz"
    checkpoint.write_bytes(b"hours of work")
    with pytest.raises(training.TrainingError, match="--resume"):
        training.train(recipe=training.ARTICLE, out=tmp_path, name="mine", pets=object())
    assert checkpoint.read_bytes() == b"hours of work"


TWO_DEVICES = """
import dataclasses
from types import SimpleNamespace

import helpers
import numpy as np
import tensorflow as tf
from helpers import model, training

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
random = np.random.default_rng(0)
pictures = random.integers(0, 256, (8, 150, 150, 3), dtype=np.uint8)
split = SimpleNamespace(images=pictures, labels=np.arange(8) % 2)
pets = SimpleNamespace(train=split, validation=split, digest="x")
recipe = dataclasses.replace(training.ARTICLE, epochs=3, batch_size=4, steps_per_epoch=None)
alone = training.fit(model.build_model(seed=1), pets, recipe=recipe, validate_every=0)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    both = training.fit(model.build_model(seed=1), pets, recipe=recipe, validate_every=0)
assert strategy.num_replicas_in_sync == 2
np.testing.assert_allclose([r["loss"] for r in both], [r["loss"] for r in alone], atol=1e-4)
assert len({r["loss"] for r in alone}) == 3
"""


def test_two_devices_train_as_one():
    done = subprocess.run([sys.executable, "-c", TWO_DEVICES], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-3000:]


def test_the_table_of_accuracies_is_made_from_records(tmp_path):
    import json

    (tmp_path / "runs").mkdir()
    for seed, wrong in ((0, 4), (1, 2)):
        answers = {"labels": "1" * 10, "probabilities": [0.2] * wrong + [0.7] * (10 - wrong)}
        answers |= {"accuracy": 1 - wrong / 10}
        record = {"recipe": {"name": "article"}, "seed": seed}
        record |= {"validation": answers, "train": {"accuracy": 0.85}}
        (tmp_path / "runs" / f"article-seed{seed}.json").write_text(json.dumps(record))
    lines = training.accuracy_table(folder=tmp_path).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| article | 1,639,489 | 10 | 60.0%, 80.0% | **70.0%** | ")
    assert lines[2].endswith(" | 85.0% |")
    assert [run["seed"] for run in training.load_runs("article", folder=tmp_path)] == [0, 1]


@pytest.mark.parametrize("apart", [0.005, 0.02])
def test_the_interval_of_a_mean_holds_what_it_says(apart):
    """Seeds and photos drawn many times: about 95 of 100 intervals hold the truth."""
    random, held = np.random.default_rng(0), 0
    for _ in range(400):
        skill = 0.8 + apart * random.standard_normal(3)  # each seed's own accuracy
        hard = random.random(500)  # the same photos for each seed
        runs = []
        for share in skill:
            right = np.where(random.random(500) < 0.5, hard, random.random(500)) < share
            given = np.where(right, 0.9, 0.1)
            runs.append(
                {
                    "validation": {
                        "labels": "1" * 500,
                        "probabilities": given.tolist(),
                        "accuracy": right.mean(),
                    }
                }
            )
        mean, low, high = training.mean_accuracy(runs)
        assert low < mean < high
        held += low < 0.8 < high
    assert 0.9 < held / 400 < 0.99


def test_where_only_the_seeds_differ_the_interval_is_student_s():
    said = [0.9, 0.9, 0.1]  # the third is wrong about every photo
    runs = [
        {"validation": {"labels": "1" * 50, "probabilities": [p] * 50, "accuracy": float(p > 0.5)}}
        for p in said
    ]
    mean, low, high = training.mean_accuracy(runs)
    right = [1, 1, 0]
    expected = stats.t.interval(0.95, df=2, loc=np.mean(right), scale=stats.sem(right))
    assert mean == pytest.approx(2 / 3)
    assert (low, high) == pytest.approx(expected)


def test_one_run_alone_has_its_wilson_interval():
    run = {"validation": {"accuracy": 0.75, "interval": [0.7, 0.8]}}
    assert training.mean_accuracy([run]) == (0.75, 0.7, 0.8)


def test_the_records_that_ship_agree_with_themselves():
    for name in training.RECIPES:
        runs = training.load_runs(name)
        assert runs, name
        for run in runs:
            assert run["data"]["source"] == "photos"
            low, high = training.confidence_interval(run["validation"]["correct"], 1000)
            assert run["validation"]["interval"] == pytest.approx([low, high], abs=1e-5)
            assert training.recipe_of(run) == training.RECIPES[name]
            assert run["data"].get("held_out", 0) == 0
            assert [row["epoch"] for row in run["history"]] == list(
                range(1, run["recipe"]["epochs"] + 1)
            )
