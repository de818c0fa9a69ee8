"""Loading photos and drawn pets: which, from where, kept how, and as tf.data."""

import hashlib
import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from helpers import pets
from helpers.drawing import VERSION, draw_pet
from helpers.pets import PetsError, as_dataset, drawn, load, load_pets, photos, progress, sets

SIZE = 32


def jpeg(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), np.uint8)
    image = Image.fromarray(pixels).resize((20, 24), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def here(elsewhere, monkeypatch):
    """Have 20 drawn pets, or 20 photos where there are any, all kept below tmp_path."""
    for where, count in {**photos.COUNTS}.items():
        monkeypatch.setitem(photos.COUNTS, where, {1_000: 6, 500: 4}[count])
    monkeypatch.setitem(drawn.COUNTS, "train", 12)
    monkeypatch.setitem(drawn.COUNTS, "validation", 8)
    monkeypatch.setattr(drawn, "_from_worker", lambda rows, size: iter(()))
    monkeypatch.delenv("CNN_PETS")
    return elsewhere / "data" / "cache"


@pytest.fixture
def album(here):
    """Put 20 different photos where they belong, numbered so that 10 comes after 9."""
    for where, count in photos.COUNTS.items():
        folder = here / photos.NAME / where
        folder.mkdir(parents=True)
        for number in range(7, 7 + count):
            name = f"{where.split('/')[1][:3]}.{number}.jpg"
            (folder / name).write_bytes(jpeg([number, len(where)]))
    return here / photos.NAME


def kept(folder):
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in found if path.name != photos.NAME)


# Which


def test_photos_are_used_when_they_are_there_else_drawn_pets(here, request):
    assert load_pets(size=SIZE).source == "drawn"
    request.getfixturevalue("album")
    assert load_pets(size=SIZE).source == "photos"


def test_the_environment_chooses_and_the_argument_overrules_it(album, monkeypatch):
    monkeypatch.setenv("CNN_PETS", "drawn")
    assert load_pets(size=SIZE).source == "drawn"
    assert load_pets("photos", size=SIZE).source == "photos"
    monkeypatch.setenv("CNN_PETS", "photos")
    assert load_pets("drawn", size=SIZE).source == "drawn"
    monkeypatch.setenv("CNN_PETS", "")
    assert load_pets(size=SIZE).source == "photos"


def test_a_source_that_does_not_exist(here, monkeypatch):
    with pytest.raises(PetsError, match=r'The argument.*"photos" or "drawn"'):
        load_pets("horses")
    monkeypatch.setenv("CNN_PETS", "horses")
    with pytest.raises(PetsError, match=r"The environment variable CNN_PETS.*'horses'"):
        load_pets()


@pytest.mark.parametrize("size", [0, 31, 1025, 150.0, "150", True])
def test_a_size_that_cannot_be(album, size):
    for source in load.SOURCES:
        with pytest.raises(PetsError, match="from 32 to 1,024"):
            load_pets(source, size=size)


def test_photos_that_are_not_here(here, monkeypatch):
    with pytest.raises(PetsError, match=r"python -m helpers\.pets download"):
        load_pets("photos")
    monkeypatch.setenv("CNN_PETS", "photos")
    with pytest.raises(PetsError, match=r"python -m helpers\.pets download"):
        load_pets()


def test_photos_that_are_not_all_here(album, capsys):
    (album / "train" / "dogs" / "dog.8.jpg").unlink()
    with pytest.raises(PetsError, match="5 are in train/dogs where 6 are expected"):
        load_pets("photos", size=SIZE)
    capsys.readouterr()
    assert load_pets(size=SIZE).source == "drawn"
    out = capsys.readouterr().out
    assert "5 are in train/dogs where 6 are expected" in out and str(album.parent) not in out


@pytest.mark.parametrize("quiet", [False, True])
def test_the_choice_is_printed_the_first_time_and_the_next(album, capsys, quiet):
    for source in ("photos", "drawn"):
        outputs = []
        for _ in range(2):
            load_pets(source, size=SIZE, quiet=quiet)
            outputs.append(capsys.readouterr().out)
        line = f"Pets: {source}, 2,000 for training and 1,000 for validation.\n"
        assert outputs == [line, line]


def test_tests_run_on_drawn_pets():
    assert os.environ["CNN_PETS"] == "drawn"


# Photos


def test_photos_come_in_order_with_their_labels(album):
    pets = load_pets("photos", size=SIZE)
    assert pets.class_names == ("cat", "dog")
    assert pets.train.labels.tolist() == [0] * 6 + [1] * 6
    assert pets.validation.labels.tolist() == [0] * 4 + [1] * 4
    assert pets.train.names[:4] == tuple(f"train/cats/cat.{n}.jpg" for n in (7, 8, 9, 10))
    assert pets.validation.names[-1] == "validation/dogs/dog.10.jpg"
    for split in (pets.train, pets.validation):
        assert split.images.dtype == np.uint8 and split.labels.dtype == np.uint8
        for picture, name in zip(split.images, split.names, strict=True):
            with Image.open(album / name) as image:
                expected = image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
            assert np.array_equal(picture, np.array(expected)), name
    assert pets.origin == "Photos: 12 for training and 8 for validation."


def test_a_photo_that_cannot_be_decoded_is_left_out_and_named(album, capsys):
    whole = load_pets("photos", size=SIZE)
    bad = ("train/cats/cat.9.jpg", "validation/dogs/dog.7.jpg")
    (album / bad[0]).write_bytes(jpeg(1)[:300])
    (album / bad[1]).write_bytes(b"not a photo")
    for _ in range(2):  # decoded, and kept
        capsys.readouterr()
        pets = load_pets("photos", size=SIZE)
        assert pets.skipped == bad
        assert f"Left out, for they cannot be decoded: {bad[0]}, {bad[1]}." in (
            capsys.readouterr().out
        )
        assert pets.train.labels.tolist() == [0] * 5 + [1] * 6
        assert pets.validation.labels.tolist() == [0] * 4 + [1] * 3
        assert not set(bad) & {*pets.train.names, *pets.validation.names}
        assert np.array_equal(pets.train.images[2:], whole.train.images[3:])
        assert np.array_equal(pets.validation.images[4:], whole.validation.images[5:])
        assert pets.origin == "Photos: 11 for training and 7 for validation."


def test_other_photos_are_decoded_anew(album):
    first = load_pets("photos", size=SIZE)
    (album / "train" / "cats" / "cat.7.jpg").write_bytes(jpeg(99) + b"longer")
    second = load_pets("photos", size=SIZE)
    assert first.digest != second.digest
    assert len(kept(album.parent)) == 1, "what was kept of the first is cleared away"


def test_another_photo_of_the_same_size_is_noticed(album):
    photo = album / "train" / "cats" / "cat.7.jpg"
    os.utime(photo, ns=(0, 1_000_000_000))
    first = load_pets("photos", size=SIZE)
    other = jpeg(99)
    length = max(len(other), photo.stat().st_size)
    for data, time in ((photo.read_bytes(), 1_000_000_000), (other, 2_000_000_000)):
        photo.write_bytes(data.ljust(length, b"\0"))
        os.utime(photo, ns=(0, time))
        second = load_pets("photos", size=SIZE)
    assert first.digest != second.digest
    assert np.array_equal(first.train.images[1:], second.train.images[1:])


def test_another_way_of_decoding_decodes_anew(album, monkeypatch):
    first = load_pets("photos", size=SIZE)
    monkeypatch.setattr(photos, "DECODING", photos.DECODING + 1)
    second = load_pets("photos", size=SIZE)
    assert first.folder != second.folder and first.digest == second.digest
    assert kept(album.parent) == [second.folder.name]


def test_sizes_are_kept_apart(album):
    assert load_pets("photos", size=40).train.images.shape == (12, 40, 40, 3)
    assert load_pets("photos", size=41).train.images.shape == (12, 41, 41, 3)
    assert load_pets("photos", size=40).train.images.shape == (12, 40, 40, 3)
    assert len(kept(album.parent)) == 2


# Drawn pets


def test_drawn_pets_are_those_of_drawn_pet(here):
    pets = load_pets("drawn")
    for name, split in (("train", pets.train), ("validation", pets.validation)):
        for index, (picture, label) in enumerate(zip(split.images, split.labels, strict=True)):
            kind, seed = drawn.kind_and_seed(name, index)
            assert kind == pets.class_names[label]
            assert split.names[index] == f"drawn {kind} {seed}"
            again = drawn.drawn_pet(name, index)
            assert np.array_equal(picture, again.picture)
            assert np.array_equal(picture, draw_pet(kind, seed=seed).picture)
            assert all(mask.shape == (150, 150) for mask in again.masks.values())
    assert pets.train.labels.tolist() == [0] * 6 + [1] * 6


def test_all_drawn_pets_are_as_many_as_the_photos_and_none_is_in_both_sets():
    pets = load_pets("drawn")
    assert pets.train.images.shape == (2_000, 150, 150, 3)
    assert pets.validation.images.shape == (1_000, 150, 150, 3)
    assert [split.labels.sum() for split in (pets.train, pets.validation)] == [1_000, 500]
    every = [*pets.train.images, *pets.validation.images]
    assert len({hashlib.sha256(picture.tobytes()).digest() for picture in every}) == 3_000
    for split, index in (("train", 3), ("train", 1_999), ("validation", 0), ("validation", 999)):
        picture = getattr(pets, split).images[index]
        assert np.array_equal(picture, drawn.drawn_pet(split, index).picture), (split, index)


def test_no_seed_is_used_twice():
    pets = [drawn.kind_and_seed(*drawn.pet_of_row(row)) for row in range(3_000)]
    assert len({seed for _, seed in pets}) == 3_000
    assert [kind for kind, _ in pets].count("dog") == 1_500


def test_another_process_draws_the_same():
    rows = range(1_999, 2_003, 2)  # one of each set
    elsewhere = list(drawn._from_worker(rows, 150))
    assert len(elsewhere) == 2
    for row, picture in zip(rows, elsewhere, strict=True):
        assert np.array_equal(picture, drawn.drawn_pet(*drawn.pet_of_row(row)).picture)


def test_what_another_process_does_not_deliver_is_drawn_here(here, monkeypatch):
    whole = load_pets("drawn")
    shutil.rmtree(whole.folder)

    def dies(rows, size):
        yield drawn.drawn_pet(*drawn.pet_of_row(rows[0]), size=size).picture

    monkeypatch.setattr(drawn, "_from_worker", dies)
    assert load_pets("drawn").digest == whole.digest


@pytest.mark.parametrize("python", ["/no/such/python", None])
def test_where_no_process_can_be_started_nothing_comes(monkeypatch, python, tmp_path):
    if python is None:  # one that starts, and fails
        monkeypatch.setattr(drawn, "__file__", str(tmp_path / "a" / "b" / "c"))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        (tmp_path / "helpers.py").write_text("raise SystemExit(3)")
    else:
        monkeypatch.setattr("sys.executable", python)
    assert list(drawn._from_worker(range(3), 150)) == []


def test_an_error_in_the_drawing_is_not_swallowed(here, monkeypatch):
    def fail(kind, *, seed, size):
        raise ZeroDivisionError("a bug in the drawing")

    monkeypatch.setattr(drawn, "draw_pet", fail)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        load_pets("drawn")
    assert kept(here) == []


def test_a_learner_who_stops_the_drawing(here, monkeypatch):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(drawn, "wait", stop)
    with pytest.raises(KeyboardInterrupt):
        load_pets("drawn")
    assert kept(here) == []


@pytest.mark.parametrize("split,index", [("train", 2_000), ("train", -1), ("validation", 1_000)])
def test_a_pet_that_is_not_there(split, index):
    with pytest.raises(IndexError, match=str(index)):
        drawn.drawn_pet(split, index)
    with pytest.raises(ValueError, match='"train" or "validation"'):
        drawn.drawn_pet("test", 0)


# Kept on the disk


def test_the_second_time_nothing_is_made(album, monkeypatch):
    first = {source: load_pets(source, size=SIZE) for source in load.SOURCES}
    monkeypatch.setattr(load, "_make", None)
    for source, before in first.items():
        again = load_pets(source, size=SIZE)
        assert again.digest == before.digest and again.folder == before.folder
        assert again.train.names == before.train.names
        assert np.array_equal(again.train.images, before.train.images)
        assert np.array_equal(again.validation.labels, before.validation.labels)
        again.train.images[0] = 0  # an array in memory, not the file
        assert load_pets(source, size=SIZE).digest == before.digest


def test_the_digest_tells_pictures_and_labels_apart(here):
    pictures = np.zeros((4, 2, 2, 3), np.uint8)
    labels = np.array([0, 1, 0, 1], np.uint8)
    stored = sets.Stored(pictures, labels, ("a",) * 4, 2)
    brighter, relabelled = pictures.copy(), labels.copy()
    brighter[3, 1, 1, 2] = 1
    relabelled[0] = 1
    others = [
        stored._replace(images=brighter),
        stored._replace(labels=relabelled),
        stored._replace(training=3),
        stored._replace(images=pictures.reshape(4, 1, 4, 3)),
    ]
    digests = {sets.sealed(one).digest for one in [stored, *others]}
    assert len(digests) == 5 and all(len(digest) == 64 for digest in digests)
    assert sets.sealed(stored) == sets.sealed(stored._replace(digest="other"))


DAMAGE = {
    "cut off": lambda folder: (folder / "pictures.npy").write_bytes(
        (folder / "pictures.npy").read_bytes()[:-100]
    ),
    "cut to nothing": lambda folder: (folder / "pictures.npy").write_bytes(b""),
    "one bit": lambda folder: (folder / "pictures.npy").write_bytes(
        (folder / "pictures.npy").read_bytes()[:-1] + b"\x01"
    ),
    "no pictures": lambda folder: (folder / "pictures.npy").unlink(),
    "no record": lambda folder: (folder / "record.json").unlink(),
    "half a record": lambda folder: (folder / "record.json").write_text('{"digest": "'),
    "another record": lambda folder: (folder / "record.json").write_text("[]"),
    "pickled": lambda folder: np.save(folder / "pictures.npy", np.array([{}]), allow_pickle=True),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_pictures_are_said_and_made_anew(here, capsys, damage):
    before = load_pets("drawn", size=SIZE)
    DAMAGE[damage](before.folder)
    capsys.readouterr()
    again = load_pets("drawn", size=SIZE)
    assert f"{before.folder} are damaged" in capsys.readouterr().out
    assert again.digest == before.digest
    assert sets.read(before.folder).digest == before.digest, "whole again on the disk"
    assert kept(here) == [before.folder.name]


def test_pets_of_another_version_of_the_drawing_are_cleared_away(here, monkeypatch):
    old = load_pets("drawn", size=SIZE)
    assert old.folder.name == f"drawn-{SIZE}-v{VERSION}"
    other = load_pets("drawn", size=40)
    monkeypatch.setattr(load, "VERSION", VERSION + 1)
    new = load_pets("drawn", size=SIZE)
    assert kept(here) == sorted([new.folder.name, other.folder.name])


def test_where_data_is_read_only_the_users_cache_is_used_and_said(here, read_only, capsys):
    here.mkdir()
    with read_only(here):
        pets = load_pets("drawn", size=SIZE)
        out = capsys.readouterr().out
        again = load_pets("drawn", size=SIZE)
    users = here.parents[1] / "user" / "cnn-notebooks"
    assert pets.folder.parent == again.folder.parent == users
    assert f"They are kept in {users}" in out
    assert capsys.readouterr().out.count("\n") == 1, "said once"


def test_where_nothing_can_be_written_the_pets_are_there_all_the_same(here, capsys):
    here.touch()
    (here.parents[1] / "user").touch()
    pets = load_pets("drawn", size=SIZE)
    assert pets.folder is None and len(pets.train.labels) == 12
    out = capsys.readouterr().out
    assert "cannot be kept for next time (no folder is open)." in out and str(here) in out


def test_a_disk_that_is_full(here, monkeypatch, capsys):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    pets = load_pets("drawn", size=SIZE)
    assert pets.folder is None and len(pets.train.labels) == 12
    assert "cannot be kept for next time (No space left on device)." in capsys.readouterr().out
    assert kept(here) == []


def test_a_folder_where_one_may_not_look(album, capsys, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.is_dir", refuse)
    assert photos.find_photos() == []
    monkeypatch.setattr("pathlib.Path.exists", refuse)
    assert load._find("drawn-16-v1", progress.Line("Pets.")) == (None, None)


def test_a_representation_is_a_line(here):
    pets = load_pets("drawn", size=SIZE)
    assert repr(pets) == (
        "Pets(drawn: train=Split(12 pictures, 6 of them dogs), "
        "validation=Split(8 pictures, 4 of them dogs))"
    )


def test_pets_are_compared_by_what_they_are(album):
    drawn_twice = [load_pets("drawn", size=SIZE) for _ in range(2)]
    assert drawn_twice[0] == drawn_twice[1]
    assert len({*drawn_twice, load_pets("photos", size=SIZE)}) == 2
    assert load_pets("drawn", size=40) not in drawn_twice
    train, validation = drawn_twice[0].train, drawn_twice[0].validation
    assert train == train and train != validation and train != drawn_twice[1].train


def test_an_error_is_a_value_error():
    assert issubclass(PetsError, ValueError)


def test_the_command_where_nothing_can_be_kept(here, capsys):
    from helpers.pets import __main__

    here.touch()
    (here.parents[1] / "user").touch()
    assert __main__.main(["draw"]) == 1
    assert "None" not in capsys.readouterr().out.replace("None of these folders", "")


def test_the_command_draws_and_says_where(here, capsys):
    from helpers.pets import __main__

    assert __main__.main(["draw"]) == 0
    assert str(here / f"drawn-150-v{VERSION}") in capsys.readouterr().out
    assert __main__.main(["status"]) == 0
    out = capsys.readouterr().out
    assert "Photos: not here." in out and f"drawn-150-v{VERSION} (" in out
    assert "CNN_PETS: not set" in out and f"Looked in: {here}\n" in out


# In a notebook


class Shown:
    """Stands in for a display in a notebook, and notes what it shows."""

    def __init__(self, data, **options):
        self.texts = [data["text/plain"]]
        assert options == {"raw": True, "display_id": True}

    def update(self, data, *, raw):
        self.texts.append(data["text/plain"])


@pytest.fixture
def shown(monkeypatch):
    """Pretend to be in a notebook; return all displays."""
    displays = []
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "PAUSE", 0)
    monkeypatch.setattr(
        "IPython.display.display",
        lambda data, **options: displays.append(Shown(data, **options)) or displays[-1],
    )
    return displays


def test_a_notebook_shows_the_same_whether_pets_were_made_or_found(album, shown, capsys):
    for source in load.SOURCES:
        shown.clear()
        for _ in range(2):
            load_pets(source, size=SIZE)
        made, found = (display.texts for display in shown)
        line = f"Pets: {source}, 2,000 for training and 1,000 for validation."
        assert found == [line]
        assert made[0] == made[-1] == line
        assert any("[####" in text and "of 20" in text for text in made)
    assert capsys.readouterr() == ("", ""), "nothing on stdout or stderr"


def test_quiet_has_no_bar_in_a_notebook(here, shown):
    load_pets("drawn", size=SIZE, quiet=True)
    assert shown[0].texts == ["Pets: drawn, 2,000 for training and 1,000 for validation."]


def test_a_sentence_stays_in_a_notebook(shown):
    line = progress.Line("Pets.")
    line.add("They are kept elsewhere.")
    with line.bar(4, "Working:") as bar:
        bar.move(2)
    texts = shown[0].texts
    assert texts[-1] == "Pets.\nThey are kept elsewhere."
    assert texts[-2] == f"{texts[-1]}\nWorking: [{'#' * 20}{'.' * 20}] 2 of 4 pictures"


def damaged(here, monkeypatch):
    DAMAGE["no pictures"](load_pets("drawn", size=SIZE).folder)


def incomplete(here, monkeypatch):
    (here / photos.NAME / "train").mkdir(parents=True)


def occupied(here, monkeypatch):
    here.touch()


def closed(here, monkeypatch):
    here.touch()
    (here.parents[1] / "user").touch()


def full(here, monkeypatch):
    def save(file, *args, **options):
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr(np, "save", save)


@pytest.mark.parametrize(
    "trouble,sentence",
    [
        (damaged, ""),
        (occupied, ""),
        (incomplete, "where 6 are expected"),
        (closed, "cannot be kept"),
        (full, "cannot be kept for next time (No space left on device)."),
    ],
)
def test_no_notebook_stores_where_files_lie(here, shown, monkeypatch, trouble, sentence):
    trouble(here, monkeypatch)
    shown.clear()
    load_pets(size=SIZE)
    [display] = shown
    stored = display.texts[-1].split("\n")
    assert stored[0] == "Pets: drawn, 2,000 for training and 1,000 for validation."
    assert len(stored) == 1 + bool(sentence) and sentence in stored[-1]
    assert str(here.parents[1]) not in display.texts[-1]
    if trouble is damaged:
        assert any(f"{here}" in text and "are damaged" in text for text in display.texts)


def test_a_real_notebook(tmp_path):
    """The stored outputs are the same whether the pets were drawn or found; no stderr."""
    import nbformat
    from nbclient import NotebookClient

    set_up = f"""
        import pathlib
        from helpers import images
        from helpers.pets import drawn, load_pets
        images.data_folder = lambda: pathlib.Path({str(tmp_path)!r})
        drawn.COUNTS.update(train=12, validation=8)
        drawn._from_worker = lambda rows, size: iter(())
        """
    cells = [set_up, "pets = load_pets(size=32)", "pets = load_pets(size=32)"]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("\n".join(map(str.strip, c.splitlines()))) for c in cells]
    )
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    first, second = (cell.outputs for cell in notebook.cells[1:])
    for [output] in (first, second):
        assert output.output_type == "display_data"
        assert output.data == {
            "text/plain": "Pets: drawn, 2,000 for training and 1,000 for validation."
        }
    assert (tmp_path / "cache").is_dir()


# tf.data


@pytest.fixture(scope="module")
def split():
    pictures = np.arange(10 * 2 * 2 * 3, dtype=np.uint8).reshape(10, 2, 2, 3)
    return pets.Split(pictures, np.arange(10, dtype=np.uint8) % 2, tuple("abcdefghij"))


def numbers(dataset):
    """Return which pictures a dataset gives, in order, after checking their labels."""
    order = []
    for pictures, labels in dataset.as_numpy_iterator():
        assert pictures.dtype == np.uint8 and pictures.shape[1:] == (2, 2, 3)
        assert labels.dtype == np.float32 and labels.shape == (len(pictures), 1)
        found = pictures[:, 0, 0, 0] // 12
        assert np.array_equal(labels[:, 0], found % 2)
        order += found.tolist()
    return order


def test_a_dataset_has_every_picture_in_order(split):
    dataset = as_dataset(split, batch_size=4)
    assert [len(labels) for _, labels in dataset.as_numpy_iterator()] == [4, 4, 2]
    assert numbers(dataset) == list(range(10))
    assert len(dataset) == 3


def test_a_shuffled_dataset_is_fixed_by_its_seed_and_new_in_each_pass(split):
    dataset = as_dataset(split, batch_size=4, shuffle_seed=1)
    passes = [numbers(dataset) for _ in range(3)]
    assert all(sorted(one) == list(range(10)) for one in passes)
    assert len({tuple(one) for one in passes}) == 3
    assert [numbers(as_dataset(split, batch_size=4, shuffle_seed=1))] == passes[:1]
    assert numbers(as_dataset(split, batch_size=4, shuffle_seed=2)) != passes[0]


def test_a_repeated_dataset_goes_on(split):
    assert numbers(as_dataset(split, batch_size=4, repeat=True).take(6)) == [
        *range(10),
        *range(10),
        *range(4),
    ]


def test_held_out_training_pictures_leave_the_validation_pictures_out(here):
    whole = load_pets("drawn", size=SIZE, quiet=True)
    part = sets.hold_out(whole, count=4)
    assert part.held_out == 4 and part.digest != whole.digest
    assert sorted(part.validation.labels) == [0, 0, 1, 1]
    assert sorted(part.train.names + part.validation.names) == sorted(whole.train.names)
    assert not set(part.validation.names) & set(part.train.names + whole.validation.names)
    for split in (part.train, part.validation):
        for name, picture, label in zip(split.names, split.images, split.labels, strict=True):
            at = whole.train.names.index(name)
            np.testing.assert_array_equal(picture, whole.train.images[at])
            assert label == whole.train.labels[at]
    assert sets.hold_out(whole, count=4).train.names == part.train.names
    assert sets.hold_out(whole, count=0) is whole


@pytest.mark.parametrize("count", [1, 3, 12, -2])
def test_too_many_or_an_odd_number_cannot_be_held_out(here, count):
    whole = load_pets("drawn", size=SIZE, quiet=True)  # six cats and six dogs
    with pytest.raises(PetsError, match="even number from 2 to 10"):
        sets.hold_out(whole, count=count)
    assert sets.hold_out(whole, count=10).train.labels.tolist() == [0, 1]
