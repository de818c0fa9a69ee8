import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from helpers.drawing import KINDS, PARTS, VERSION, Drawing, draw_pet
from helpers.drawing.breeds import BREEDS

FINGERPRINTS = {  # version, mean colors of the blocks as hexadecimal bytes, pixels of each part
    "cat 0": (
        3,
        "d9b693dab99bdbbb9ed9b99cdfbc9ae1bc96d8b695d0b0909e91918d868ccaab8ee0bd9e"
        "d7b79acdad8e8b82847a757fbba18bdebda0d6b699bfa5909a8f8c7f8690d6b493ddbda0"
        "d5b597a7989588879d787a929b8e8cdab998d5b290c3a68ba28e82a78f7ab79b80d7b491",
        [288, 325, 249, 125, 0, 4668],
    ),
    "cat 1": (
        3,
        "d4fcfdd0f9fdcaebf6c7effdc2eafdbee5fdc3dedbbfd2d5eca5a0bbbec3c4b9c3b0c0cd"
        "adac7cb99c73e59776e3906fdc8970959168a09852ac8757bb785bca8064b47655887d45"
        "958d4cab774fd65e54bf685fc15f527b713e8b8246a1644db66753a6583dab624e8c6c44",
        [995, 795, 646, 184, 0, 6580],
    ),
    "cat 2": (
        3,
        "90907a8e8a7c91907a8a8576938d7c93927c8c8a778c7f7a84817c88837f938c8192917b"
        "848371807b7887837f827f7b837f7a8988747d746178736f827d7888837d7e7771817864"
        "6c513d6f6b677b777373706c726d6a765b486d594c7a76737e7a7674716d78747181615b",
        [1274, 143, 835, 217, 0, 11131],
    ),
    "dog 0": (
        3,
        "90cdfd90cdfd90cefd90cdfd9cd4fd9dd5fd92ccfb7793b481a5cb94d1fdccebfde6f6fc"
        "e2eef584634c9f9a9ec5e9fdc5e4f3988d8de1f9fdbcb6b87d6052837a7aa7948c938987"
        "b1d4aaa9c6a07b5c3d8992627d5c3fa8cc9b81ad527fa15085925074914c848c4d7faa52",
        [199, 140, 346, 69, 63, 4719],
    ),
    "dog 1": (
        3,
        "feede5f3d9c9cf956bb884527ca86380a268cfcaafbb825bb76e35a6753b828d4cbfc5a1"
        "8c7e4a965930a87452a4663c936a3c86a467906636aa6d44856351b07148895f3169914f"
        "906131a35d31ba6a68a5623680633269924ea65d2eae6331a65d2eab6231a65f306e8645",
        [3127, 125, 1991, 0, 283, 8593],
    ),
    "dog 2": (
        3,
        "5e7793647f9e6b87a9718fb37798bd7da0c9596a605f72695c6d66687c70718879778f81"
        "5562445857413c3836665b4b6c7d5873865e53603f544c3b53463b6655456f7750708253"
        "525e3e4e49316d524265553662704a6f80524c563b29292b32312e2d2d2f515a426d7e51",
        [1431, 393, 1046, 0, 173, 3636],
    ),
}


def fingerprint(picture):
    """Return the mean color of each of 6 x 6 blocks of 25 x 25 pixels."""
    return picture.reshape(6, 25, 6, 25, 3).mean(axis=(1, 3))


@pytest.fixture(scope="module")
def drawings():
    """100 cats and 100 dogs."""
    return [(kind, draw_pet(kind, seed=seed)) for kind in KINDS for seed in range(100)]


def share_with(drawings, kind, part):
    """Return the share of the drawings of a kind in which a part is seen."""
    seen = [drawing.masks[part].any() for k, drawing in drawings if k == kind]
    return np.mean(seen)


@pytest.mark.parametrize("name", sorted(FINGERPRINTS))
def test_pictures_are_the_same_on_every_machine(name):
    version, blocks, counts = FINGERPRINTS[name]
    assert version == VERSION, "the pictures changed: store new fingerprints"
    kind, seed = name.split()
    picture, masks = draw_pet(kind, seed=int(seed))
    stored = np.frombuffer(bytes.fromhex(blocks), np.uint8).reshape(6, 6, 3)
    np.testing.assert_allclose(fingerprint(picture), stored, atol=4)
    found = [masks[part].sum() for part in PARTS]
    np.testing.assert_allclose(found, counts, atol=0.005 * picture[..., 0].size)


def test_the_fingerprint_notices_another_pet():
    a, b = (fingerprint(draw_pet("dog", seed=seed).picture) for seed in (0, 1))
    assert np.abs(a - b).max() > 30


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**63 - 1), size=st.integers(32, 200))
def test_shapes_types_and_disjoint_masks_for_any_seed_and_size(kind, seed, size):
    picture, masks = draw_pet(kind, seed=seed, size=size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert tuple(masks) == PARTS
    for mask in masks.values():
        assert mask.shape == (size, size)
        assert mask.dtype == bool
    assert sum(mask.astype(int) for mask in masks.values()).max() <= 1
    assert masks["body"].any()


@settings(max_examples=10, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 10_000))
def test_the_same_seed_draws_the_same(kind, seed):
    first, second = draw_pet(kind, seed=seed), draw_pet(kind, seed=np.int64(seed))
    assert isinstance(first, Drawing)
    np.testing.assert_array_equal(first.picture, second.picture)
    for part in PARTS:
        np.testing.assert_array_equal(first.masks[part], second.masks[part])
    assert first.picture.flags.writeable


def test_drawing_leaves_the_global_random_state_alone():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    draw_pet("cat", seed=3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_the_same_pet_at_another_size(kind, seed):
    small, large = (draw_pet(kind, seed=seed, size=size) for size in (150, 300))
    shrunk = large.picture.reshape(6, 50, 6, 50, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(fingerprint(small.picture), shrunk, atol=8)
    for part in PARTS:
        assert large.masks[part].mean() == pytest.approx(small.masks[part].mean(), abs=0.01)


def test_no_two_are_equal(drawings):
    digests = {hashlib.sha256(drawing.picture.tobytes()).digest() for _, drawing in drawings}
    assert len(digests) == len(drawings)
    # Nor nearly equal: seen from afar, the closest two of all still differ.
    thumbs = np.stack([fingerprint(drawing.picture).ravel() for _, drawing in drawings])
    distances = np.abs(thumbs[:, None] - thumbs[None]).mean(axis=-1)
    assert distances[~np.eye(len(thumbs), dtype=bool)].min() > 5


def test_cats_and_dogs_differ():
    assert not np.array_equal(draw_pet("cat", seed=7).picture, draw_pet("dog", seed=7).picture)


def test_each_part_is_seen_about_as_often_as_expected(drawings):
    for kind in KINDS:
        for part in ("body", "snout", "eyes", "ears"):
            assert share_with(drawings, kind, part) > 0.9, (kind, part)
    assert share_with(drawings, "cat", "whiskers") > 0.75
    assert 0.05 < share_with(drawings, "dog", "whiskers") < 0.5
    assert 0.2 < share_with(drawings, "dog", "tongue") < 0.6
    assert 0 < share_with(drawings, "cat", "tongue") < 0.25


def test_each_part_has_a_plausible_area(drawings):
    bounds = {
        "ears": (0.003, 0.08),
        "eyes": (0.001, 0.04),
        "snout": (0.003, 0.1),
        "whiskers": (0.0005, 0.03),
        "tongue": (0.0002, 0.02),
        "body": (0.05, 0.6),
    }
    for part, (low, high) in bounds.items():
        areas = [drawing.masks[part].mean() for _, drawing in drawings]
        seen = [area for area in areas if area]
        assert low < np.median(seen) < high, part
        assert max(areas) < 4 * high, part


def test_eyes_snout_and_tongue_lie_in_the_animal(drawings):
    """Seen from a few pixels off, only animal (or what hides it) is around a face's parts."""
    for kind, (picture, masks) in drawings:
        if not masks["eyes"].any() or not masks["snout"].any():
            continue
        eyes, snout = (np.argwhere(masks[part]) for part in ("eyes", "snout"))
        away = np.linalg.norm(eyes[:, None] - snout[None], axis=-1).min(axis=1)
        assert away.max() < 0.45 * len(picture), kind
        animal = np.any([*masks.values()], axis=0)
        grown = np.asarray(Image.fromarray(animal).convert("L").filter(ImageFilter.MaxFilter(5)))
        assert grown[masks["eyes"]].all()


def test_masks_lie_where_the_picture_shows_the_part(drawings):
    """Tongues are the reddest part of a dog's head: were masks shifted, this would not hold."""
    redder = []
    for _, (picture, masks) in drawings:
        if masks["tongue"].sum() > 20 and masks["snout"].any():
            red = picture[..., 0].astype(float) - picture[..., 1]
            redder.append(red[masks["tongue"]].mean() > red[masks["snout"]].mean())
    assert len(redder) > 15
    assert np.mean(redder) > 0.85


def test_color_alone_does_not_tell_cats_from_dogs(drawings):
    """The mean colors of the two species differ by far less than they vary."""
    means = {
        kind: np.stack([d.picture.mean(axis=(0, 1)) for k, d in drawings if k == kind])
        for kind in KINDS
    }
    apart = np.abs(means["cat"].mean(axis=0) - means["dog"].mean(axis=0))
    assert (apart < means["cat"].std(axis=0)).all()


def test_ears_alone_do_not_tell_cats_from_dogs():
    ears = {kind: {e for breed in BREEDS[kind] for e in breed.ears} for kind in KINDS}
    assert ears["dog"] >= {"floppy", "pricked", "semi"}
    assert ears["cat"] >= {"pointed", "folded"}
    patterns = [{breed.pattern for breed in BREEDS[kind]} for kind in KINDS]
    assert len(patterns[0] & patterns[1]) >= 6


def test_each_breed_is_coherent():
    from helpers.drawing.breeds import PALETTE
    from helpers.drawing.head import EARS

    for breed in (*BREEDS["cat"], *BREEDS["dog"]):
        assert set(breed.ears) <= set(EARS), breed.name
        for coat in breed.coats:
            main, second, dark = coat.split()
            assert {main, second, dark} <= set(PALETTE), breed.name


@pytest.mark.parametrize("kind", ["Cat", "owl", "", None, 0, ["cat"]])
def test_another_kind_is_refused_in_a_sentence(kind):
    with pytest.raises(ValueError, match=r'^draw_pet draws "cat" or "dog", not .*\.$'):
        draw_pet(kind, seed=0)


@pytest.mark.parametrize("seed", [-1, 0.5, "7", None, True, 2**63])
def test_another_seed_is_refused_in_a_sentence(seed):
    with pytest.raises(ValueError, match=r"^The seed is a whole number from 0 to \d+, not .*\.$"):
        draw_pet("cat", seed=seed)


@pytest.mark.parametrize("size", [0, 31, 1025, 150.0, "150", None, True])
def test_another_size_is_refused_in_a_sentence(size):
    with pytest.raises(ValueError, match=r"^The size is a whole number from 32 to 1024, not .*\.$"):
        draw_pet("dog", seed=0, size=size)
