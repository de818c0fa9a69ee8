"""How fast training is, as ratios: ``python tests/benchmark_training.py [--pictures drawn]``.

Each measurement runs in a process of its own, one after another: the bare training steps on one
batch held in memory, the same steps with the pictures from the pipeline (plain and augmented),
the evaluation of the validation pictures, and, where the photos are, the article's script as it
stands (ImageDataGenerator, TensorFlow's own settings). Run it on a machine that does nothing else.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

STEPS, BATCH = 12, 128


def bare(pets):
    """Pictures per second of the steps alone: one batch, in memory as floats."""
    import tensorflow as tf

    model = compiled(None)
    x = tf.constant(pets.train.pictures[:BATCH], tf.float32)
    y = tf.constant(pets.train.labels[:BATCH], tf.float32)[:, None]
    data = tf.data.Dataset.from_tensors((x, y)).repeat()
    return speed(model, data)


def plain(pets):
    """Pictures per second with the article's recipe of ours."""
    from helpers import training

    return speed(*pipeline(pets, training.ARTICLE))


def augmented(pets):
    """The same with crops, mirroring and colours."""
    import dataclasses

    from helpers import training

    recipe = dataclasses.replace(training.ARTICLE, smallest_crop=0.5, flip=True, color=0.3)
    return speed(*pipeline(pets, recipe))


def evaluation(pets):
    """Validation pictures per second, the second time."""
    from helpers import training

    model = compiled(None)
    training.evaluate(model, pets.validation)
    begun = time.perf_counter()
    training.evaluate(model, pets.validation)
    return len(pets.validation.labels) / (time.perf_counter() - begun)


def article(pets):
    """The article's script as it stands, on the JPEG files; without helpers' settings."""
    from tensorflow import keras

    layers = keras.layers
    generator = keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    flow = generator.flow_from_directory(
        pets, target_size=(150, 150), batch_size=BATCH, class_mode="binary"
    )
    model = keras.Sequential([keras.Input((150, 150, 3))])
    for filters in (16, 32, 32, 64):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(512, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(
        optimizer=keras.optimizers.RMSprop(0.001),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(flow, steps_per_epoch=2, verbose=0)
    begun = time.perf_counter()
    model.fit(flow, steps_per_epoch=8, verbose=0)
    return 8 * BATCH / (time.perf_counter() - begun)


def compiled(recipe):
    from helpers import model, training

    network = model.build_model(seed=0)
    training.compile_model(network, recipe=recipe or training.ARTICLE, steps=1)
    return network


def pipeline(pets, recipe):
    import dataclasses

    from helpers import training

    recipe = dataclasses.replace(recipe, epochs=99)
    return compiled(recipe), training.training_batches(pets.train, recipe=recipe, seed=0)


def speed(model, data):
    """Pictures per second over whole batches, after two steps to warm up."""
    batches = data.filter(lambda x, y: len(y) == BATCH)
    times = []

    import keras

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            times.append(time.perf_counter())

    model.fit(batches, steps_per_epoch=STEPS + 2, verbose=0, shuffle=False, callbacks=[Clock()])
    return STEPS * BATCH / (times[-1] - times[1])


PARTS = {f.__name__: f for f in (bare, plain, augmented, evaluation, article)}


def one(part: str, pictures: str) -> None:
    """Measure one part and print it as JSON."""
    if part == "article":
        result = PARTS[part](pictures)
    else:
        from helpers.pets import load_pets

        result = PARTS[part](load_pets(pictures, quiet=True))
    try:
        import resource

        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    except ImportError:  # Windows
        memory = float("nan")
    print("RESULT", json.dumps([result, memory]))


def measure(part: str, pictures: str) -> tuple[float, float]:
    """Measure one part in a process of its own: pictures per second, gigabytes."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    command = [sys.executable, __file__, "--part", part, "--pictures", pictures]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return tuple(json.loads(line.removeprefix("RESULT ")))
    raise SystemExit(f"{part} failed:\n{done.stderr[-2000:]}")


def main() -> None:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", default="photos", help="photos or drawn")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        one(options.part, options.pictures)
        return
    results = {}
    parts = ["bare", "plain", "augmented", "evaluation"]
    folder = None
    if options.pictures == "photos":
        from helpers.images import cache_folder

        found = sorted(cache_folder().glob("**/train/cats"))
        folder = str(Path(found[0]).parent) if found else None
    for part in parts:
        results[part] = measure(part, options.pictures)
    if folder:
        results["article"] = measure("article", folder)
    for part, (rate, memory) in results.items():
        print(f"{part:12} {rate:7.0f} pictures a second, {memory:.1f} GB at most")
    rates = {part: rate for part, (rate, _) in results.items()}
    print(f"time with the pipeline / bare steps:             {rates['bare'] / rates['plain']:.2f}")
    ratio = rates["bare"] / rates["augmented"]
    print(f"time with pipeline and augmentation / bare steps: {ratio:.2f}")
    if folder:
        print(f"pictures a second / article's script:  {rates['plain'] / rates['article']:.1f}")


if __name__ == "__main__":
    main()
