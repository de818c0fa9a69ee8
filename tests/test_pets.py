"""The pets: which are in use, as folders for Keras and as arrays."""

import hashlib
import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import pets
from helpers.errors import LearnerError
from helpers.pets import Split, hold_out, load_pets

COUNTS = {"train/cats": 1_000, "train/dogs": 1_000, "validation/cats": 500, "validation/dogs": 500}
LINE = "Pets: {}, 2,000 for training and 1,000 for validation.\n"


def jpeg(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((20, 24), Image.Resampling.NEAREST).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def fresh(elsewhere, monkeypatch):
    """Have caches in which nothing has been unpacked yet; return data/cache."""
    assert os.environ["CNN_PETS"] == "drawn", "tests run on drawn pets"
    monkeypatch.delenv("CNN_PETS")
    return elsewhere / "data" / "cache"


@pytest.fixture
def album(fresh):
    """Put 3,000 photos of 11 kinds where they belong."""
    kinds, folder = [jpeg(seed) for seed in range(11)], fresh / "cats_and_dogs_filtered"
    for where, count in COUNTS.items():
        (folder / where).mkdir(parents=True)
        for number in range(7, 7 + count):
            name = f"{where.split('/')[1][:3]}.{number}.jpg"
            (folder / where / name).write_bytes(kinds[number % 11])
    return folder


@pytest.fixture(scope="module")
def drawn():
    return load_pets("drawn")


def test_photos_are_used_when_they_are_there_else_drawn_pets(fresh, request, capsys, monkeypatch):
    assert pets.folder() == fresh / "drawn_pets"
    assert capsys.readouterr() == (LINE.format("drawn"), "")
    album = request.getfixturevalue("album")
    assert pets.folder() == album
    assert capsys.readouterr() == (LINE.format("photos"), "")
    assert pets.folder("drawn") == fresh / "drawn_pets"
    for asked, found in (("drawn", fresh / "drawn_pets"), ("photos", album), ("", album)):
        monkeypatch.setenv("CNN_PETS", asked)
        assert pets.folder() == found
        assert pets.folder("photos") == album


def test_a_source_that_does_not_exist_or_is_not_here(fresh, monkeypatch):
    with pytest.raises(LearnerError, match="no pets 'horses'"):
        load_pets("horses")
    monkeypatch.setenv("CNN_PETS", "horses")
    with pytest.raises(LearnerError, match=r"'horses': take .* CNN_PETS"):
        pets.folder()
    monkeypatch.setenv("CNN_PETS", "photos")
    for load in (pets.folder, load_pets, lambda: pets.folder("photos")):
        with pytest.raises(LearnerError, match=r"not here, .* run .python -m helpers\.pets d"):
            load()


def test_photos_that_are_not_all_here(album, capsys):
    (album / "train" / "dogs" / "dog.8.jpg").unlink()
    (album / "train" / "dogs" / ".DS_Store").touch()
    with pytest.raises(LearnerError, match="not all of them"):
        pets.folder("photos")
    assert pets.folder().name == "drawn_pets"
    assert capsys.readouterr().out == LINE.format("drawn")


def test_a_fresh_clone_unpacks_them_once_and_loads_them_within_ten_seconds(fresh, drawn, capsys):
    start = time.monotonic()
    loaded = load_pets()
    assert time.monotonic() - start < 10
    assert loaded.digest == drawn.digest and loaded.source == "drawn"
    folder = fresh / "drawn_pets"
    (folder / "mine.txt").touch()
    assert pets.folder() == folder and (folder / "mine.txt").exists()
    (folder / "validation" / "cats" / "cat.2000.jpg").unlink()
    assert pets.folder() == folder and (folder / "validation" / "cats" / "cat.2000.jpg").exists()
    assert not (folder / "mine.txt").exists(), "unpacked anew, because one was missing"
    assert [path.name for path in fresh.iterdir()] == ["drawn_pets"]
    assert capsys.readouterr() == (3 * LINE.format("drawn"), "")


def test_the_users_cache_takes_them_where_data_is_read_only(fresh, read_only, capsys):
    fresh.mkdir()
    with read_only(fresh):
        folder = pets.folder()
        assert pets.folder() == folder == fresh.parents[1] / "user" / "cnn-notebooks" / "drawn_pets"
    assert capsys.readouterr().out == 2 * LINE.format("drawn"), "the same on every machine"


def test_no_two_of_them_are_alike_and_each_validation_pet_has_its_parts(drawn):
    every = [*drawn.train.images, *drawn.validation.images]
    assert len({hashlib.sha256(image).digest() for image in every}) == 3_000
    seen, parts = np.zeros(9, int), pets.folder("drawn") / "parts"
    assert len(list(parts.iterdir())) == 1_000
    for name in drawn.validation.names:
        with Image.open(parts / f"{Path(name).stem}.png") as image:
            codes = np.array(image)
        assert codes.shape == (150, 150) and codes.dtype == np.uint8 and codes.max() <= 8
        counts = np.bincount(codes.ravel(), minlength=9)
        seen += counts > 0
        assert counts[[1, 2, 3, 4, 5, 8]].sum() > 400, f"{name} has a head"
    assert (seen > 100).all() and seen[8] == seen[0] == 1_000


def test_keras_reads_the_folders_as_they_stand(drawn):
    import keras

    for split, arrays in (("train", drawn.train), ("validation", drawn.validation)):
        place = pets.folder("drawn")
        found = keras.utils.image_dataset_from_directory(
            place / split, image_size=(150, 150), shuffle=False, verbose=False
        )
        assert found.class_names == ["cats", "dogs"]
        names = [Path(path).relative_to(place).as_posix() for path in found.file_paths]
        assert sorted(names) == sorted(arrays.names)
        images, labels = next(iter(found))
        rows = [arrays.names.tolist().index(name) for name in names[: len(labels)]]
        assert np.array_equal(arrays.labels[rows], labels)
        assert np.abs(arrays.images[rows] - images.numpy()).mean() < 2  # decoders differ


def test_photos_come_in_order_and_what_cannot_be_decoded_is_named(album, capsys):
    loaded = load_pets("photos")
    assert capsys.readouterr() == (LINE.format("photos"), "")
    assert [*loaded.train.names[:4]] == [f"train/cats/cat.{n}.jpg" for n in (7, 8, 9, 10)]
    total = hashlib.sha256(b"(3000, 150, 150, 3) 2000")  # as in the records that ship
    for split, each in ((loaded.train, 1_000), (loaded.validation, 500)):
        assert split.images.shape == (2 * each, 150, 150, 3) and split.images.dtype == np.uint8
        labels = np.repeat(np.uint8([0, 1]), each)
        np.testing.assert_array_equal(split.labels, labels, strict=True)
        for row in range(0, 2 * each, 97):
            with Image.open(album / split.names[row]) as image:
                expected = image.resize((150, 150), Image.Resampling.BILINEAR)
            assert np.array_equal(split.images[row], np.array(expected)), split.names[row]
        total.update(split.images)
    for split in (loaded.train, loaded.validation):
        total.update(split.labels)
    assert loaded.digest == total.hexdigest()
    assert str(loaded) == "Pets(source='photos', held_out=0)"
    bad = album / "train" / "cats" / "cat.9.jpg"
    bad.write_bytes(jpeg(1)[:300])
    with pytest.raises(LearnerError, match=r"cat\.9\.jpg is damaged"):
        load_pets("photos")


def test_held_out_training_images_leave_the_validation_images_out():
    images = np.arange(10 * 2 * 2 * 3, dtype=np.uint8).reshape(10, 2, 2, 3)
    split = Split(images, np.repeat([0, 1], 5), np.array([*"abcdefghij"]))
    whole = pets.Pets(split, Split(images[:2], split.labels[:2], "yz"), "photos", "")
    part = hold_out(whole, count=4)
    assert part.held_out == 4 and part.digest != whole.digest
    assert sorted(part.validation.labels) == [0, 0, 1, 1]
    assert sorted([*part.train.names, *part.validation.names]) == [*split.names]
    for some in (part.train, part.validation):
        at = np.searchsorted(split.names, some.names)
        assert np.array_equal(some.images, split.images[at])
        assert np.array_equal(some.labels, split.labels[at])
    assert hold_out(whole, count=0) is whole
    assert len(hold_out(whole, count=9).train.labels) == 1
    for count in (10, 11, -2):
        with pytest.raises(LearnerError, match="a whole number from 0 to 9"):
            hold_out(whole, count=count)
