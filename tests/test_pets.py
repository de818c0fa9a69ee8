"""The pets: which are in use, as folders for Keras, as arrays, and as tf.data."""

import hashlib
import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import pets
from helpers.images import ImageError
from helpers.pets import PetsError, Split, as_dataset, hold_out, load_pets

COUNTS = {"train/cats": 1_000, "train/dogs": 1_000, "validation/cats": 500, "validation/dogs": 500}
SIZE = 32
LINE = "Pets: {}, 2,000 for training and 1,000 for validation.\n"


def jpeg(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((20, 24), Image.Resampling.NEAREST).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def fresh(elsewhere, monkeypatch):
    """Have caches in which nothing has been unpacked yet; return data/cache."""
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


# Which


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
    with pytest.raises(PetsError, match=r'The argument.*"photos" or "drawn"'):
        load_pets("horses")
    monkeypatch.setenv("CNN_PETS", "horses")
    with pytest.raises(PetsError, match=r"The environment variable CNN_PETS.*'horses'"):
        pets.folder()
    monkeypatch.setenv("CNN_PETS", "photos")
    for load in (pets.folder, load_pets, lambda: pets.folder("photos")):
        with pytest.raises(PetsError, match=r"not here: run .python -m helpers\.pets download"):
            load()


@pytest.mark.parametrize("size", [0, 31, 1025, 150.0, "150", True])
def test_a_size_that_cannot_be(size):
    with pytest.raises(PetsError, match=r"from 32 to 1,024"):
        load_pets(size=size)


def test_photos_that_are_not_all_here(album, capsys):
    (album / "train" / "dogs" / "dog.8.jpg").unlink()
    (album / "train" / "dogs" / ".DS_Store").touch()
    with pytest.raises(PetsError, match="999 photos in train/dogs where 1,000 are expected"):
        pets.folder("photos")
    assert pets.folder().name == "drawn_pets"
    out = capsys.readouterr().out
    assert out.startswith(LINE.format("drawn") + "There are 999 photos in train/dogs")
    assert str(album.parent) not in out, "a notebook may store it"


def test_tests_run_on_drawn_pets():
    assert os.environ["CNN_PETS"] == "drawn"


# Drawn pets, unpacked at first use


def test_a_fresh_clone_loads_them_within_ten_seconds(fresh, drawn):
    start = time.monotonic()
    loaded = load_pets()
    assert time.monotonic() - start < 10
    assert loaded.digest == drawn.digest and loaded.folder == fresh / "drawn_pets"
    assert [path.name for path in fresh.iterdir()] == ["drawn_pets"]


def test_they_are_unpacked_once_and_anew_if_some_are_missing(fresh, capsys):
    for _ in range(2):
        folder = pets.folder()
        (folder / "mine.txt").touch()
    assert (folder / "mine.txt").exists()
    (folder / "validation" / "cats" / "cat.2000.jpg").unlink()
    assert pets.folder() == folder and (folder / "validation" / "cats" / "cat.2000.jpg").exists()
    assert not (folder / "mine.txt").exists()
    assert [path.name for path in fresh.iterdir()] == ["drawn_pets"]
    assert capsys.readouterr() == (3 * LINE.format("drawn"), "")


def test_the_users_cache_takes_them_where_data_is_read_only(fresh, read_only, capsys):
    fresh.mkdir()
    with read_only(fresh):
        folder = pets.folder()
        assert pets.folder() == folder == fresh.parents[1] / "user" / "cnn-notebooks" / "drawn_pets"
    assert capsys.readouterr().out == 2 * LINE.format("drawn"), "the same on every machine"


def test_where_nothing_can_be_written_a_sentence(fresh):
    fresh.touch()
    (fresh.parents[1] / "user").touch()
    with pytest.raises(PetsError, match="None of these folders can be written"):
        load_pets()


def test_they_are_as_many_as_the_photos_and_no_two_are_alike(drawn):
    assert drawn.train.images.shape == (2_000, 150, 150, 3)
    assert drawn.validation.images.shape == (1_000, 150, 150, 3)
    assert np.array_equal(drawn.train.labels, np.repeat([0, 1], 1_000))
    assert np.array_equal(drawn.validation.labels, np.repeat([0, 1], 500))
    every = [*drawn.train.images, *drawn.validation.images]
    assert len({hashlib.sha256(image.tobytes()).digest() for image in every}) == 3_000
    assert drawn.train.names[999:1_001] == ("train/cats/cat.999.jpg", "train/dogs/dog.0.jpg")
    assert drawn.validation.names[-1] == "validation/dogs/dog.2499.jpg"
    for split, row in ((drawn.train, 3), (drawn.validation, 501)):
        with Image.open(drawn.folder / split.names[row]) as image:
            assert image.size == (150, 150) and image.format == "JPEG"
            assert np.array_equal(split.images[row], np.array(image))


def test_each_validation_pet_has_its_parts(drawn):
    seen = np.zeros(9, int)
    assert len(list((drawn.folder / "parts").iterdir())) == 1_000
    for name in drawn.validation.names:
        with Image.open(drawn.folder / "parts" / f"{Path(name).stem}.png") as image:
            codes = np.array(image)
        assert codes.shape == (150, 150) and codes.dtype == np.uint8 and codes.max() <= 8
        counts = np.bincount(codes.ravel(), minlength=9)
        seen += counts > 0
        assert counts[[1, 2, 3, 4, 5, 8]].sum() > 400, f"{name} has a head"
    assert (seen > 100).all() and seen[8] == seen[0] == 1_000


def test_keras_reads_the_folders_as_they_stand(drawn):
    import keras

    for split, arrays in (("train", drawn.train), ("validation", drawn.validation)):
        found = keras.utils.image_dataset_from_directory(
            pets.folder("drawn") / split, image_size=(150, 150), shuffle=False, verbose=False
        )
        assert found.class_names == ["cats", "dogs"]
        assert len(found.file_paths) == len(arrays.names)
        images, labels = next(iter(found))
        rows = [
            arrays.names.index(Path(path).relative_to(drawn.folder).as_posix())
            for path in found.file_paths[: len(labels)]
        ]
        assert np.array_equal(arrays.labels[rows], labels)
        assert np.abs(arrays.images[rows] - images.numpy()).mean() < 2  # decoders differ


# Arrays


def test_photos_come_in_order_with_their_labels(album, capsys):
    loaded = load_pets("photos", size=SIZE)
    assert capsys.readouterr() == (LINE.format("photos"), "")
    assert (loaded.source, loaded.folder, loaded.skipped) == ("photos", album, ())
    assert loaded.origin == "Photos: 2,000 for training and 1,000 for validation."
    assert loaded.train.names[:4] == tuple(f"train/cats/cat.{n}.jpg" for n in (7, 8, 9, 10))
    assert np.array_equal(loaded.train.labels, np.repeat([0, 1], 1_000))
    for split in (loaded.train, loaded.validation):
        assert split.images.dtype == np.uint8 and split.labels.dtype == np.uint8
        for row in range(0, len(split.names), 97):
            with Image.open(album / split.names[row]) as image:
                expected = image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
            assert np.array_equal(split.images[row], np.array(expected)), split.names[row]


def test_the_digest_is_that_of_the_records(drawn):
    total = hashlib.sha256(b"(3000, 150, 150, 3) 2000")
    for part in ("images", "labels"):
        for split in (drawn.train, drawn.validation):
            total.update(np.ascontiguousarray(getattr(split, part)))
    assert drawn.digest == total.hexdigest()


def test_a_photo_that_cannot_be_decoded_is_skipped_and_named(album, capsys):
    whole = load_pets("photos", size=SIZE)
    bad = ("train/cats/cat.9.jpg", "validation/dogs/dog.7.jpg")
    (album / bad[0]).write_bytes(jpeg(1)[:300])
    (album / bad[1]).write_bytes(b"not a photo")
    capsys.readouterr()
    some = load_pets("photos", size=SIZE)
    assert some.skipped == bad and some.digest != whole.digest
    assert (
        f"Skipped, because they cannot be decoded: {bad[0]}, {bad[1]}." in capsys.readouterr().out
    )
    assert some.origin == "Photos: 1,999 for training and 999 for validation."
    assert not set(bad) & {*some.train.names, *some.validation.names}
    assert np.array_equal(some.train.labels, np.repeat([0, 1], (999, 1_000)))
    assert np.array_equal(some.train.images[2:], whole.train.images[3:])
    assert np.array_equal(some.validation.images[500:], whole.validation.images[501:])


def test_a_representation_is_a_line(drawn):
    assert repr(drawn.validation) == "Split(1,000 images, 500 of them dogs)"
    assert "train=Split(2,000 images, 1,000 of them dogs)" in repr(drawn)
    assert str(drawn.folder) not in repr(drawn) and "\n" not in repr(drawn)


def test_an_error_shows_its_sentence_alone():
    assert PetsError("A sentence.")._render_traceback_() == ["PetsError: A sentence."]
    assert issubclass(PetsError, ValueError) and issubclass(ImageError, ValueError)


# For training


@pytest.fixture(scope="module")
def split():
    images = np.arange(10 * 2 * 2 * 3, dtype=np.uint8).reshape(10, 2, 2, 3)
    return Split(images, np.arange(10, dtype=np.uint8) % 2, tuple("abcdefghij"))


def rows(dataset):
    """Return which images a dataset gives, in order, after checking their labels."""
    order = []
    for images, labels in dataset.as_numpy_iterator():
        assert images.dtype == np.uint8 and images.shape[1:] == (2, 2, 3)
        assert labels.dtype == np.float32 and labels.shape == (len(images), 1)
        found = images[:, 0, 0, 0] // 12
        assert np.array_equal(labels[:, 0], found % 2)
        order += found.tolist()
    return order


def test_a_dataset_has_every_image_in_order_and_goes_on_if_asked(split):
    dataset = as_dataset(split, batch_size=4)
    assert [len(labels) for _, labels in dataset.as_numpy_iterator()] == [4, 4, 2]
    assert rows(dataset) == list(range(10)) and len(dataset) == 3
    repeated = as_dataset(split, batch_size=4, repeat=True).take(6)
    assert rows(repeated) == [*range(10), *range(10), *range(4)]


def test_a_shuffled_dataset_is_fixed_by_its_seed_and_new_in_each_pass(split):
    dataset = as_dataset(split, batch_size=4, shuffle_seed=1)
    passes = [rows(dataset) for _ in range(3)]
    assert all(sorted(one) == list(range(10)) for one in passes)
    assert len({tuple(one) for one in passes}) == 3
    assert rows(as_dataset(split, batch_size=4, shuffle_seed=1)) == passes[0]
    assert rows(as_dataset(split, batch_size=4, shuffle_seed=2)) != passes[0]


def test_held_out_training_images_leave_the_validation_images_out(split):
    whole = pets.Pets(split, Split(split.images[:2], split.labels[:2], ("y", "z")), "", "", "abc")
    part = hold_out(whole, count=4)
    assert part.held_out == 4 and part.digest != whole.digest
    assert sorted(part.validation.labels) == [0, 0, 1, 1]
    assert sorted(part.train.names + part.validation.names) == list(split.names)
    for some in (part.train, part.validation):
        at = [split.names.index(name) for name in some.names]
        assert np.array_equal(some.images, split.images[at])
        assert np.array_equal(some.labels, split.labels[at])
    assert hold_out(whole, count=4).train.names == part.train.names
    assert hold_out(whole, count=0) is whole
    assert sorted(hold_out(whole, count=8).train.labels) == [0, 1]
    for count in (1, 3, 10, -2):
        with pytest.raises(PetsError, match="even number from 2 to 8"):
            hold_out(whole, count=count)
