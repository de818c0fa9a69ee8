"""The strongest patches against a plain search with NumPy."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import explain
from helpers.activations import activations, receptive_box


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Nothing is written into the clone's cache."""
    monkeypatch.setattr(explain, "cache_folder", lambda: tmp_path)
    return tmp_path


def small_model(seed=0, channels=3):
    picture = keras.Input((20, 24, channels), name="picture")
    x = layers.Rescaling(1 / 255, name="rescaling")(picture)
    first = layers.Conv2D(4, 3, activation="relu", padding="same", name="first")(x)
    x = layers.Conv2D(4, 3, activation="relu", padding="same", name="second")(first)
    x = layers.Add(name="sum")([first, x])
    model = keras.Model(picture, layers.MaxPooling2D(2, name="pool")(x))
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0.3, 0.3, w.shape) for w in model.get_weights()]
    weights[0][..., 1], weights[1][1] = 0, -1  # filter 1 of the first layer is dead
    model.set_weights(weights)
    return model


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).integers(0, 256, (37, 20, 24, 3), dtype=np.uint8)


def test_same_as_a_plain_search(pictures):
    model = small_model()
    done = []
    found = explain.strongest_activations(model, pictures, progress=lambda *n: done.append(n))
    assert list(found) == ["first", "second", "sum", "pool"]
    assert done == [(25, 37), (37, 37)]
    all_maps = [activations(model, picture) for picture in pictures]
    for name, strongest in found.items():
        for f in range(4):
            maps = np.stack([m[name][..., f] for m in all_maps])
            best = np.argsort(-maps.max((1, 2)), kind="stable")[:9]
            if (name, f) == ("first", 1):
                assert (strongest.picture[f] == -1).all()
                continue
            np.testing.assert_allclose(strongest.value[f], maps.max((1, 2))[best], rtol=1e-4)
            assert len(set(strongest.picture[f])) == 9  # at most one per picture
            rows, columns = strongest.row[f].astype(int), strongest.column[f].astype(int)
            there = maps[strongest.picture[f].astype(int), rows, columns]
            np.testing.assert_allclose(there, strongest.value[f], rtol=1e-4)


def test_patches_are_the_exact_receptive_fields(pictures):
    model = small_model()
    found = explain.strongest_activations(model, pictures)
    for name in found:
        patches = explain.strongest_patches(model, pictures, found, layer=name, filter_number=2)
        assert len(patches) == 9
        for number, patch in enumerate(patches):
            row, column = (int(found[name][k][2, number]) for k in (2, 3))
            top, left, bottom, right = receptive_box(model, name, row, column)
            assert patch.box == (top, left, bottom, right)
            expected = pictures[patch.picture, top:bottom, left:right]
            np.testing.assert_array_equal(patch.pixels, expected)
    dead = explain.strongest_patches(model, pictures, found, layer="first", filter_number=1)
    assert dead == []


def test_computed_once_for_each_model_and_each_set(pictures, own_cache, monkeypatch):
    searches = []
    search = explain._search
    monkeypatch.setattr(explain, "_search", lambda *a: searches.append(1) or search(*a))
    first = explain.strongest_activations(small_model(), pictures)
    again = explain.strongest_activations(small_model(), pictures)
    assert len(searches) == 1
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    explain.strongest_activations(small_model(seed=1), pictures)
    assert len(searches) == 2
    explain.strongest_activations(small_model(), pictures[:-1])
    assert len(searches) == 3
    explain.strongest_activations(small_model(), pictures, preprocess=lambda p: p / 2)
    assert len(searches) == 4
    assert len(list(own_cache.glob("*.npz"))) == 4
    for file in own_cache.glob("*.npz"):
        file.write_bytes(b"cut off")
    explain.strongest_activations(small_model(), pictures)
    assert len(searches) == 5


def test_works_where_nothing_can_be_written(pictures, monkeypatch):
    def nowhere():
        raise OSError("read-only")

    monkeypatch.setattr(explain, "cache_folder", nowhere)
    assert explain.strongest_activations(small_model(), pictures[:5])["pool"].value.shape == (4, 5)


def test_pictures_of_another_size_and_a_grey_model(pictures):
    model = small_model(channels=1)
    found = explain.strongest_activations(model, pictures[:6, :15, :15])
    (patch, *_) = explain.strongest_patches(
        model, pictures[:6, :15, :15], found, layer="first", filter_number=0
    )
    assert patch.pixels.ndim == 3
    assert max(patch.pixels.shape[:2]) <= 3
