"""The networks and their weights: against Keras, and by trial."""

import json

import numpy as np
import pytest

from helpers.errors import LearnerError
from helpers.model import (
    NETWORKS,
    build_model,
    load_trained,
    save_weights,
)


@pytest.fixture(scope="module")
def model():
    return build_model(seed=1)


def test_it_is_the_articles_network(model):
    assert model.count_params() == 1_639_489
    names = " ".join(layer.name for layer in model.layers)
    assert names == (
        "rescaling conv1 pool1 conv2 pool2 conv3 pool3 conv4 pool4 flatten dense1 prediction"
    )
    assert model.input_shape == (None, 150, 150, 3)
    assert model.output_shape == (None, 1)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_has_no_more_parameters_than_the_articles(name):
    import keras

    network = NETWORKS[name](seed=1, dropout=0.2)
    assert network.count_params() <= 1_639_489
    assert network.input_shape == (None, 150, 150, 3) and network.output_shape == (None, 1)
    twin = NETWORKS[name](seed=1)
    for a, b in zip(network.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in twin.layers)


def test_the_residual_network_takes_images_of_any_side():
    free = NETWORKS["residual"](seed=2, side=None)
    fixed = NETWORKS["residual"](seed=3, side=64)
    fixed.set_weights(free.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)
    np.testing.assert_allclose(free(images), fixed(images), atol=1e-6)
    assert free(np.zeros((1, 97, 97, 3), np.float32)).shape == (1, 1)


def test_a_seed_fixes_the_first_weights(model):
    other = build_model(seed=2)
    assert not np.array_equal(model.get_weights()[0], other.get_weights()[0])
    kernels = [w for w in model.get_weights() if w.ndim == 4]
    assert not np.array_equal(kernels[1][..., :16, :], kernels[2][..., :16, :])


def save(model, network, folder):
    """Save a network and a record of it under the name "mine"."""
    weights = save_weights(model, folder / "mine.weights.h5", network=network)
    record = {"classes": ["cat", "dog"], "weights": weights}
    (folder / "mine.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    "network, options", [("article", {"dropout": 0.3}), ("wider", {"side": None})]
)
def test_saved_weights_come_back(tmp_path, network, options):
    model = NETWORKS[network](seed=3, **options)
    save(model, network, tmp_path)
    assert (tmp_path / "mine.weights.h5").stat().st_size < 4_000_000
    loaded = load_trained(tmp_path / "mine")
    images = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3)).astype(np.float32)
    assert loaded.input_shape == (None, 150, 150, 3)
    np.testing.assert_allclose(loaded(images), model(images), atol=2e-3)
    assert loaded.class_names == ("cat", "dog")


def test_damaged_and_missing_files_are_refused_with_a_sentence(tmp_path):
    save(build_model(seed=3), "article", tmp_path)
    record, weights = tmp_path / "mine.json", tmp_path / "mine.weights.h5"

    def refused(words):
        with pytest.raises(LearnerError, match=words):
            load_trained(tmp_path / "mine")

    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    refused(r"the SHA-256 of mine\.weights\.h5 is another.*git checkout data")
    weights.unlink()
    refused(r"No such file.*mine\.weights\.h5")
    record.write_text(record.read_text()[:100])
    refused("cannot be opened .*line")
    record.unlink()
    refused(r"No such file.*mine\.json")


@pytest.mark.parametrize("name, right_of_1000", [("regularised", 860), ("residual-longer", 917)])
def test_the_weights_that_ship(name, right_of_1000):
    from helpers.images import resize, sample
    from helpers.training import load_runs

    model, record = load_trained(name), load_runs(name)[0]
    assert record["weights"]["file"] == f"{name}.weights.h5"
    assert record["data"]["source"] == "photos"
    assert (record["train"]["total"], record["validation"]["total"]) == (2000, 1000)
    assert record["validation"]["correct"] == right_of_1000
    assert model.class_names == ("cat", "dog") == tuple(record["classes"])
    images = np.stack([resize(sample(name)) for name in ("dog", "cat")]).astype(np.float32)
    dog, cat = model(images)[:, 0]
    assert dog > 0.5 > cat
