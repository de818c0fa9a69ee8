"""`helpers.images` against Pillow, on pictures of every mode, whole and broken."""

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, PngImagePlugin, features

from helpers import images
from helpers.images import ImageError, ascent, open_image, resize, sample

ORIENTATION = 0x0112  # the EXIF tag


def noise(*shape, seed=0, dtype=np.uint8, high=256):
    return np.random.default_rng(seed).integers(0, high, shape, dtype=dtype)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def on_white(rgba):
    """Return a (H, W, 4) uint8 array on white, by the formula of compositing."""
    colour, alpha = rgba[..., :3].astype(float), rgba[..., 3:] / 255
    return colour * alpha + 255 * (1 - alpha)


def assert_sentence(error, *parts):
    text = str(error.value)
    assert "\n" not in text and text.endswith("."), text
    for part in parts:
        assert part in text, text


# Where a picture can come from


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "a picture é.png"
    Image.fromarray(noise(7, 5, 3)).save(path)
    return path


def test_path_string_bytes_file_and_image_give_the_same(png):
    data = png.read_bytes()
    with png.open("rb") as file, Image.open(png) as image:
        sources = [png, str(png), data, bytearray(data), memoryview(data), file, image]
        for source in [*sources, io.BytesIO(data)]:
            assert np.array_equal(open_image(source), noise(7, 5, 3)), type(source)


def test_a_file_stays_open_and_a_stream_need_not_seek(png):
    class Stream:  # as urllib.request.urlopen gives it
        def read(self):
            return png.read_bytes()

    assert np.array_equal(open_image(Stream()), noise(7, 5, 3))
    with png.open("rb") as file:
        open_image(file)
        assert not file.closed


def test_a_picture_is_an_array_of_its_own(png):
    for source in (noise(7, 5, 3), Image.fromarray(noise(7, 5, 3)), png):
        picture = open_image(source)
        picture[:] = 0
        assert open_image(source).any()
        assert picture.flags.c_contiguous and picture.dtype == np.uint8


def test_an_image_given_is_left_as_it_was():
    image = Image.fromarray(noise(3, 4, 4), "RGBA")
    open_image(image)
    assert image.mode == "RGBA" and np.array_equal(np.array(image), noise(3, 4, 4))


# Modes


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_opaque_modes_are_as_pillow_converts_them(mode, kind):
    image = Image.fromarray(noise(20, 30, 3)).convert(mode)
    expected = np.array(image.convert("RGB"))
    assert np.array_equal(open_image(image), expected)
    assert np.array_equal(open_image(encoded(image, kind)), expected)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV"])
def test_other_colour_spaces_are_as_pillow_converts_them(mode):
    image = Image.fromarray(noise(20, 30, 3)).convert(mode)
    assert np.array_equal(open_image(image), np.array(image.convert("RGB")))


def test_cmyk_files():
    image = Image.fromarray(noise(20, 30, 4), "CMYK")
    expected = np.array(image.convert("RGB"))
    assert np.array_equal(open_image(encoded(image, "TIFF")), expected)
    jpeg = encoded(image, "JPEG", quality=95)
    with Image.open(io.BytesIO(jpeg)) as again:
        assert again.mode == "CMYK"
        assert np.array_equal(open_image(jpeg), np.array(again.convert("RGB")))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA", "La", "RGBa"])
def test_transparency_lies_on_white(mode):
    rgba = noise(20, 30, 4)
    rgba[:5, :, 3], rgba[5:10, :, 3] = 0, 255
    image = Image.fromarray(rgba, "RGBA")
    if mode == "PA":
        image = image.convert("RGB").convert("P").convert("PA")
        image.putalpha(Image.fromarray(rgba[..., 3]))
    elif mode == "La":
        image = image.convert("LA").convert("La")
    else:
        image = image.convert(mode)
    straight = image.convert("LA").convert("RGBA") if mode == "La" else image.convert("RGBA")
    picture = open_image(image)
    assert np.abs(picture - on_white(np.array(straight))).max() <= 1
    assert (picture[:5] == 255).all()


def test_a_palette_with_a_transparent_colour():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    for kind in ("PNG", "GIF"):
        data = encoded(image, kind, transparency=0)
        assert open_image(data).tolist() == [[[255, 255, 255], [40, 50, 60]]]
    half = encoded(image, "PNG", transparency=bytes([128, 255]))
    assert np.abs(open_image(half)[0, 0] - on_white(np.uint8([10, 20, 30, 128]))).max() <= 1


@pytest.mark.parametrize("mode,clear,solid", [("L", 7, 9), ("RGB", (1, 2, 3), (4, 5, 6))])
def test_a_transparent_colour_without_a_palette(mode, clear, solid):
    image = Image.new(mode, (2, 1), clear)
    image.putpixel((1, 0), solid)
    picture = open_image(encoded(image, transparency=clear))
    assert picture[0, 0].tolist() == [255] * 3
    assert picture[0, 1].tolist() == list(solid if mode == "RGB" else [solid] * 3)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind):
    values = noise(20, 30, dtype=np.uint16, high=65_536)
    data = encoded(Image.fromarray(values), kind)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "I;16"
    expected = np.rint(values / 257).astype(np.uint8)
    assert np.array_equal(open_image(data), np.stack([expected] * 3, -1))


def test_sixteen_bits_in_the_other_byte_order_and_dark():
    values = noise(4, 5, dtype=np.uint16, high=65_536)
    big = Image.frombytes("I;16B", (5, 4), values.astype(">u2").tobytes())
    assert np.array_equal(open_image(big)[..., 0], np.rint(values / 257))
    dark = Image.fromarray(np.full((2, 2), 200, np.uint16))
    assert (open_image(dark) == 1).all()


def test_thirty_two_bits():
    values = noise(20, 30, dtype=np.int32, high=65_536)
    assert np.array_equal(open_image(Image.fromarray(values))[..., 0], np.rint(values / 257))
    assert np.array_equal(open_image(Image.fromarray(values % 256))[..., 0], values % 256)
    with pytest.raises(ImageError) as error:
        open_image(Image.fromarray(values - 40_000))
    assert_sentence(error, "white")


def test_floats_in_a_file():
    values = noise(20, 30) / np.float32(255)
    for image in (Image.fromarray(values), Image.fromarray(values * 255)):
        assert np.array_equal(open_image(encoded(image, "TIFF"))[..., 0], noise(20, 30))


def test_the_first_frame_of_an_animation():
    frames = [Image.fromarray(noise(4, 4, 3, seed=seed)) for seed in range(3)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert np.array_equal(open_image(data), noise(4, 4, 3))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_formats_without_loss_come_back_as_they_were(kind):
    data = encoded(Image.fromarray(noise(20, 30, 3)), kind, lossless=True)
    assert np.array_equal(open_image(data), noise(20, 30, 3))


# EXIF


TURNS = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).swapaxes(0, 1),
    8: lambda p: np.rot90(p),
}


@pytest.mark.parametrize("orientation", TURNS)
def test_a_photo_is_turned_as_its_exif_says(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = Image.fromarray(noise(5, 9, 3))
    for kind in ("PNG", "TIFF"):
        picture = open_image(encoded(image, kind, exif=exif))
        assert np.array_equal(picture, TURNS[orientation](noise(5, 9, 3))), kind
    height, width = open_image(encoded(image, "JPEG", exif=exif)).shape[:2]
    assert (height, width) == ((9, 5) if orientation > 4 else (5, 9))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"\0" * 9])
def test_a_broken_exif_block_turns_nothing(exif):
    image = Image.fromarray(noise(5, 9, 3))
    picture = open_image(encoded(image, "JPEG", exif=exif))
    assert np.array_equal(picture, open_image(encoded(image, "JPEG")))


# Arrays


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)))
def test_grey_arrays_are_repeated(values):
    expected = np.stack([values] * 3, -1)
    assert np.array_equal(open_image(values), expected)
    assert np.array_equal(open_image(values[..., None]), expected)


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3))),
    st.sampled_from([np.int64, np.int8, np.float32, np.float64, np.uint8]),
)
def test_colour_arrays_come_back_as_they_were(values, dtype):
    if dtype == np.int8:
        values = values // 2
    elif np.issubdtype(dtype, np.floating):
        values[0, 0, 0] = 3  # so that the floats mean 0 to 255
    assert np.array_equal(open_image(values.astype(dtype)), values)
    if values.max() <= 127:
        assert np.array_equal(open_image(values.astype(np.int8)), values)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3))))
def test_floats_from_0_to_1_come_back_as_they_were(values):
    for dtype in (np.float16, np.float32, np.float64):
        assert np.array_equal(open_image((values / 255).astype(dtype)), values)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(4))))
def test_alpha_arrays_lie_on_white(values):
    assert np.abs(open_image(values) - on_white(values)).max() <= 1
    grey = np.stack([values[..., 0]] * 3 + [values[..., 3]], -1)
    assert np.array_equal(open_image(values[..., [0, 3]]), open_image(grey))


def test_bool_and_sixteen_bit_arrays():
    assert open_image(np.array([[True, False]]))[0, :, 0].tolist() == [255, 0]
    wide = np.array([[0, 257, 65_535]], np.uint16)
    assert open_image(wide)[0, :, 0].tolist() == [0, 1, 255]


def test_arrays_with_other_strides():
    values = noise(6, 8, 3)
    for view in (values[::-1], values[:, ::2], values.transpose(1, 0, 2), values[..., ::-1]):
        assert np.array_equal(open_image(view), view)


def test_what_only_acts_as_an_array():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return noise(2, 3, 3)

    assert np.array_equal(open_image(Tensor()), noise(2, 3, 3))


@pytest.mark.parametrize(
    "values,part",
    [
        (np.zeros((4, 5, 6, 3), np.uint8), "pictures[0]"),
        (np.zeros((3, 50, 60), np.uint8), "moveaxis"),
        (np.zeros((4, 5, 5), np.uint8), "(4, 5, 5)"),
        (np.zeros(5, np.uint8), "(5,)"),
        (np.zeros((0, 5, 3), np.uint8), "(0, 5, 3)"),
        (np.zeros((4, 5, 0), np.uint8), "(4, 5, 0)"),
        (np.array([[1, 256]]), "256"),
        (np.array([[-1, 5]]), "-1"),
        (np.array([[0.5, 1.5]]), "1.5"),
        (np.array([[-0.5, 0.5]]), "-0.5"),
        (np.array([[0.5, 300.0]]), "300"),
        (np.array([[0.5, np.nan]]), "nan"),
        (np.array([[0.5, np.inf]]), "inf"),
        (np.array([[0, 255]], np.uint16), "uint16"),
        (np.array([["a", "b"]]), "not numbers"),
        (np.array([[1j, 2]]), "complex128"),
    ],
)
def test_an_array_that_is_no_picture_or_not_a_clear_one(values, part):
    with pytest.raises(ImageError) as error:
        open_image(values)
    assert_sentence(error, part)


# What is not a picture, or not a whole one


def test_no_such_file_a_folder_and_an_empty_file(tmp_path):
    for source, part in ((tmp_path / "none.png", "no file"), (tmp_path, "folder")):
        with pytest.raises(ImageError) as error:
            open_image(source)
        assert_sentence(error, str(source), part)
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError) as error:
        open_image(tmp_path / "empty.png")
    assert_sentence(error, "empty.png", "empty")


def test_a_file_that_may_not_be_read(png, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(png), "read_bytes", refuse)
    with pytest.raises(ImageError) as error:
        open_image(png)
    assert_sentence(error, png.name, "Permission denied")


@pytest.mark.parametrize("data", [b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", bytes(5_000), b"\xff"])
def test_bytes_that_are_no_picture(data, tmp_path):
    path = tmp_path / "notes.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        for source, name in ((path, "notes.png"), (data, "this picture"), (file, "notes.png")):
            with pytest.raises(ImageError) as error:
                open_image(source)
            assert_sentence(error, name, "PNG")


@pytest.mark.parametrize(
    "source,part",
    [
        ("", "is empty"),
        ("~", "is a folder"),
        ("http://example.org/cat.jpg", "is an address"),
        ("HTTPS://example.org/cat.jpg", "is an address"),
        (Path("https://example.org/cat.jpg"), "is an address"),
        ("data:image/png;base64," + "A" * 10_000, "is an address"),
        ("~nobody-has-this-name.png", "There is no file ~nobody-has-this-name.png"),
        ("a\0b.png", "cannot be read"),
    ],
)
def test_a_path_that_is_none(source, part):
    with pytest.raises(ImageError) as error:
        open_image(source)
    assert_sentence(error, part)
    assert len(str(error.value)) < 200


def test_the_home_folder(png, monkeypatch):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(png.parent))
    assert np.array_equal(open_image(f"~/{png.name}"), noise(7, 5, 3))


@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICNS", "TGA"])
def test_formats_not_promised_never_reach_their_decoder(kind, monkeypatch):
    data = encoded(Image.fromarray(noise(16, 16, 3)), kind)
    if kind != "PDF":  # which Pillow can only write
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == kind, "Pillow on its own would open it"
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", None)
    with pytest.raises(ImageError) as error:
        open_image(data)
    assert_sentence(error, "not a picture that Pillow can read")


def test_the_photo_of_a_phone_that_holds_two():
    frames = [Image.fromarray(noise(16, 16, 3, seed=seed)) for seed in range(2)]
    data = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "MPO"
        assert np.array_equal(open_image(data), np.array(image.convert("RGB")))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif():
    data = encoded(Image.fromarray(noise(16, 16, 3)), "AVIF", quality=90)
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(open_image(data), np.array(image.convert("RGB")))


def test_the_name_of_an_upload():
    with pytest.raises(ImageError) as error:
        open_image(b"hello", name="holiday.heic")
    assert_sentence(error, "holiday.heic")


def test_things_that_cannot_be_pictures(png):
    for source in (None, 5, ["a"], {"a": 1}):
        with pytest.raises(ImageError) as error:
            open_image(source)
        assert_sentence(error, type(source).__name__)
    with png.open(encoding="utf-8") as text, pytest.raises(ImageError) as error:
        open_image(text)
    assert_sentence(error, '"rb"')
    with png.open("rb") as closed:
        pass
    with pytest.raises(ImageError) as error:
        open_image(closed)
    assert_sentence(error, "closed")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_a_truncated_picture_is_named(kind, tmp_path):
    whole = encoded(Image.fromarray(noise(64, 64, 3)), kind)
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(whole[: len(whole) // 2])
    for source in (path, path.read_bytes()):
        with pytest.raises(ImageError) as error:
            open_image(source)
        assert_sentence(error, "cut." if source is path else "this picture")


def test_an_image_that_was_opened_and_is_cut_off(tmp_path):
    whole = encoded(Image.fromarray(noise(64, 64, 3)), "PNG")
    (tmp_path / "cut.png").write_bytes(whole[:-900])
    with Image.open(tmp_path / "cut.png") as image, pytest.raises(ImageError) as error:
        open_image(image)
    assert_sentence(error, "cut.png", "cut off")


@pytest.mark.filterwarnings("error")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_picture_with_wrong_bytes_is_opened_or_refused_by_a_sentence(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"]))
    broken = bytearray(encoded(Image.fromarray(noise(8, 8, 3)), kind))
    for place in data.draw(st.lists(st.integers(0, len(broken) - 1), min_size=1, max_size=6)):
        broken[place] = data.draw(st.integers(0, 255))
    try:
        picture = open_image(bytes(broken))
    except ImageError as error:
        assert str(error).endswith(".")
    else:
        assert picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8


# Bombs


def png_header(width, height):
    """Return a PNG that claims a size and holds next to nothing."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + size + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("times", [1.1, 2.5], ids=["warning", "error"])
def test_a_bomb_is_refused_at_both_of_pillows_levels(times, tmp_path):
    side = int((Image.MAX_IMAGE_PIXELS * times) ** 0.5)
    (tmp_path / "bomb.png").write_bytes(png_header(side, side))
    with pytest.raises(ImageError) as error:
        open_image(tmp_path / "bomb.png")
    assert_sentence(error, "bomb.png", "89 million pixels", "smaller")


def test_the_limit_is_pillows_own(monkeypatch):
    data = encoded(Image.fromarray(noise(20, 20, 3)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 399)
    with pytest.raises(ImageError):
        open_image(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    assert np.array_equal(open_image(data), noise(20, 20, 3))


def test_a_bomb_in_a_text_chunk():
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "a" * 50_000_000, zip=True)
    with pytest.raises(ImageError):
        open_image(encoded(Image.new("L", (2, 2)), pnginfo=info))


# resize


def test_resize_is_pillows_bilinear():
    picture = noise(37, 61, 3)
    for size, shape in (
        (150, (150, 150)),
        (8, (8, 8)),
        ((20, 31), (20, 31)),
        (np.int64(5), (5, 5)),
    ):
        expected = Image.fromarray(picture).resize(shape[::-1], Image.Resampling.BILINEAR)
        assert np.array_equal(resize(picture, size), np.array(expected))
    assert resize(picture).shape == (150, 150, 3)
    assert np.array_equal(resize(picture, (37, 61)), picture)


def test_resize_averages_what_a_pixel_covers():
    board = np.indices((300, 300)).sum(0) % 2 * np.uint8(255)
    assert np.abs(resize(board, 30).astype(int) - 127.5).max() < 2


@pytest.mark.parametrize(
    "size",
    [0, -1, 150.0, True, "150", None, (20,), (20, 30, 3), (20, 0), (20.0, 30), (True, 1), 10_001],
)
def test_a_size_that_cannot_be(size):
    with pytest.raises(ImageError) as error:
        resize(noise(3, 3, 3), size)
    assert_sentence(error, repr(size), "whole number", "(height, width)")


# What ships


def test_ascent_is_scipys_pixel_for_pixel():
    assert ascent().shape == (512, 512) and ascent().dtype == np.uint8
    assert hashlib.sha256(ascent().tobytes()).hexdigest() == (
        "c7777d46c3f4e3119ddbec92ad28c09193202a7a4aab08622bc7e4b4a3ba88e6"
    )


@pytest.mark.parametrize("name", images.SAMPLES)
def test_samples_are_whole_colour_pictures(name):
    picture = sample(name)
    assert picture.shape[2] == 3 and min(picture.shape[:2]) >= 300 and picture.std() > 20


def test_a_sample_that_is_not_there():
    with pytest.raises(ImageError) as error:
        sample("unicorn")
    assert_sentence(error, "unicorn", "raccoon")


def test_without_the_clone_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "__file__", str(tmp_path / "helpers" / "images.py"))
    with pytest.raises(ImageError) as error:
        sample("dog")
    assert_sentence(error, "clone")


# Where caches go


def test_the_cache_lies_in_data(elsewhere):
    assert images.cache_folder() == elsewhere / "data" / "cache"
    assert list((elsewhere / "data" / "cache").iterdir()) == []


def test_the_cache_is_the_users_where_a_file_is_in_the_way(elsewhere):
    (elsewhere / "data" / "cache").touch()
    assert images.cache_folder() == elsewhere / "user" / "cnn-notebooks"
    assert images.cache_folder().is_dir()


def test_the_cache_is_the_users_where_data_is_read_only(elsewhere, read_only):
    with read_only(elsewhere / "data"):
        assert images.cache_folder() == elsewhere / "user" / "cnn-notebooks"


def test_the_fixture_changes_nothing_but_the_folder(tmp_path, read_only):
    (tmp_path / "in").mkdir(mode=0o750)
    modes = {path: path.stat().st_mode for path in (tmp_path / "in").parents}
    before = (tmp_path / "in").stat().st_mode
    with read_only(tmp_path / "in"):
        assert {path: path.stat().st_mode for path in modes} == modes
        with pytest.raises(PermissionError):
            (tmp_path / "in" / "file").touch()
        (tmp_path / "file").touch()
    assert (tmp_path / "in").stat().st_mode == before
    (tmp_path / "in" / "file").touch()


def test_nowhere_to_write(elsewhere):
    (elsewhere / "data" / "cache").touch()
    (elsewhere / "user").touch()
    with pytest.raises(OSError, match="can be written") as error:
        images.cache_folder()
    for folder in images.cache_folders():
        assert str(folder) in str(error.value)


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_a_variable_is_named_only_where_it_is_looked_at(elsewhere, monkeypatch, system):
    monkeypatch.setattr(images, "_writable", lambda folder: False)
    monkeypatch.setattr("helpers.images.sys.platform", system)
    with pytest.raises(OSError, match="make room there") as error:
        images.cache_folder()
    assert ("XDG_CACHE_HOME" in str(error.value)) == (system == "linux")


def test_without_the_clone_the_cache_is_the_users(elsewhere, monkeypatch):
    def nowhere():
        raise ImageError("no clone")

    monkeypatch.setattr(images, "data_folder", nowhere)
    assert images.cache_folders() == [elsewhere / "user" / "cnn-notebooks"]
    assert os.fspath(images.cache_folder())
