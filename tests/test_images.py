"""`helpers.images` against Pillow, on images of every mode, whole and broken."""

import hashlib
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps, PngImagePlugin, features

from helpers import images
from helpers.errors import LearnerError
from helpers.images import ascent, open_image, resize, sample

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")  # as helpers.images does, for each test


def noise(*shape, seed=0, dtype=np.uint8, high=256):
    return np.random.default_rng(seed).integers(0, high, shape, dtype=dtype)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def by_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


def on_white(rgba):
    """Return a (H, W, 4) uint8 array on white, by the formula of compositing."""
    colour, alpha = rgba[..., :3].astype(float), rgba[..., 3:] / 255
    return colour * alpha + 255 * (1 - alpha)


def assert_refused(source, *parts):
    """Assert that an image is refused in one sentence that holds some words."""
    with pytest.raises(LearnerError) as error:
        open_image(source)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 600, text
    for part in parts:
        assert part in text, text


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "an image é.png"
    Image.fromarray(noise(7, 5, 3)).save(path)
    return path


def test_path_string_bytes_file_and_image_give_the_same(png, monkeypatch):
    class Stream:  # as urllib.request.urlopen gives it: without seek
        def read(self):
            return png.read_bytes()

    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(png.parent))
    data = png.read_bytes()
    with png.open("rb") as file, Image.open(png) as image:
        sources = [png, str(png), f"~/{png.name}", data, bytearray(data), memoryview(data)]
        for source in [*sources, file, image, io.BytesIO(data), Stream()]:
            assert np.array_equal(open_image(source), noise(7, 5, 3)), type(source)
        assert not file.closed


def test_an_image_is_an_array_of_its_own_and_what_was_given_stays(png):
    rgba = Image.fromarray(noise(3, 4, 4), "RGBA")
    for source in (noise(7, 5, 3), Image.fromarray(noise(7, 5, 3)), png, rgba):
        image = open_image(source)
        image[:] = 0
        assert open_image(source).any()
        assert image.flags.c_contiguous and image.dtype == np.uint8
    assert rgba.mode == "RGBA" and np.array_equal(np.array(rgba), noise(3, 4, 4))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV"])
def test_opaque_modes_are_as_pillow_converts_them(mode):
    image = Image.fromarray(noise(20, 30, 3)).convert(mode)
    assert np.array_equal(open_image(image), np.array(image.convert("RGB")))
    kinds = {"CMYK": ("TIFF", "JPEG"), "YCbCr": ("TIFF", "JPEG"), "HSV": ()}
    kinds["RGB"] = ("PNG", "TIFF", "JPEG", "BMP", "PPM", "WEBP")
    for kind in kinds.get(mode, ("PNG", "TIFF")):
        assert np.array_equal(open_image(encoded(image, kind)), by_pillow(encoded(image, kind)))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA", "RGBa"])
def test_transparency_lies_on_white(mode):
    rgba = noise(20, 30, 4)
    rgba[:5, :, 3], rgba[5:10, :, 3] = 0, 255
    image = Image.fromarray(rgba, "RGBA")
    if mode == "PA":
        image = image.convert("RGB").convert("P").convert("PA")
        image.putalpha(Image.fromarray(rgba[..., 3]))
    else:
        image = image.convert(mode)
    opened = open_image(image)
    assert np.abs(opened - on_white(np.array(image.convert("RGBA")))).max() <= 1
    assert (opened[:5] == 255).all()


def test_a_transparent_colour_with_and_without_a_palette():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    cases = [(image, kind, 0) for kind in ("PNG", "GIF")]
    cases += [(image.convert("RGB"), "PNG", (10, 20, 30)), (image.convert("L"), "PNG", 18)]
    for image, kind, clear in cases:
        data = encoded(image, kind, transparency=clear)
        solid = np.array(image.convert("RGB"))[0, 1].tolist()
        assert open_image(data).tolist() == [[[255, 255, 255], solid]], (image.mode, kind)
    half = encoded(cases[0][0], "PNG", transparency=bytes([128, 255]))
    assert np.abs(open_image(half)[0, 0] - on_white(np.uint8([10, 20, 30, 128]))).max() <= 1


def test_sixteen_bits_thirty_two_bits_and_floats_are_scaled_not_clipped():
    values = noise(20, 30, dtype=np.uint16, high=65_536)
    expected = np.stack([np.rint(values / 257)] * 3, -1)
    narrow = Image.fromarray(values)
    big = Image.frombytes("I;16B", narrow.size, values.astype(">u2").tobytes())
    assert [image.mode for image in (narrow, big)] == ["I;16", "I;16B"]
    for source in (narrow, big, encoded(narrow, "PNG"), encoded(narrow, "TIFF")):
        assert np.array_equal(open_image(source), expected)
    assert (open_image(Image.fromarray(np.full((2, 2), 200, np.uint16))) == 1).all()
    small = Image.fromarray((values % 256).astype(np.int32))
    assert np.array_equal(open_image(small)[..., 0], values % 256)
    assert_refused(Image.fromarray(values.astype(np.int32)), "which is white")
    for white in (1, 255):
        floats = Image.fromarray(noise(20, 30) * np.float32(white / 255))
        assert np.array_equal(open_image(encoded(floats, "TIFF"))[..., 0], noise(20, 30))


@pytest.mark.parametrize("kind", ["PNG", "MPO", "AVIF"])
def test_the_first_of_several_frames(kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    frames = [Image.fromarray(noise(16, 16, 3, seed=seed)) for seed in range(3)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.array_equal(open_image(data), by_pillow(data))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_a_photo_is_turned_as_its_exif_says(kind):
    image, exif = Image.fromarray(noise(5, 9, 3)), Image.Exif()
    for exif[0x0112] in range(1, 9):
        data = encoded(image, kind, exif=exif)
        with Image.open(io.BytesIO(data)) as opened:
            expected = np.array(ImageOps.exif_transpose(opened))
        assert np.array_equal(open_image(data), expected)
        assert open_image(data).shape == ((9, 5, 3) if exif[0x0112] > 4 else (5, 9, 3))


BROKEN_EXIF = [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nonsense", b"\0" * 9]


@pytest.mark.parametrize("exif", BROKEN_EXIF)
def test_a_broken_exif_block_turns_nothing(exif):
    image = Image.fromarray(noise(5, 9, 3))
    opened = open_image(encoded(image, "JPEG", exif=exif))
    assert np.array_equal(opened, open_image(encoded(image, "JPEG")))


def test_pillows_warnings_stay_off_the_screen():
    data = encoded(Image.fromarray(noise(5, 9, 3)), "JPEG", exif=BROKEN_EXIF[0])
    code = "import sys; from helpers.images import open_image; open_image(sys.stdin.buffer)"
    command = [sys.executable, "-W", "always", "-c", code]
    assert subprocess.run(command, input=data, capture_output=True, check=True).stderr == b""


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(4))),
    st.sampled_from([np.uint8, np.int64, np.float16, np.float32, np.float64]),
)
def test_arrays_of_one_to_four_channels(values, dtype):
    values[0, 0] = 3  # so that the floats mean 0 to 255
    given_as = values.astype(dtype)
    grey = np.stack([values[..., 0]] * 3, -1)
    assert np.array_equal(open_image(given_as[..., 0]), grey)
    assert np.array_equal(open_image(given_as[..., :1]), grey)
    assert np.array_equal(open_image(given_as[..., :3]), values[..., :3])
    assert np.abs(open_image(given_as) - on_white(values)).max() <= 1
    with_alpha = np.concatenate([grey, values[..., 3:]], -1)
    assert np.array_equal(open_image(given_as[..., [0, 3]]), open_image(with_alpha))
    if np.issubdtype(dtype, np.floating):
        from_0_to_1 = (values[..., :3] / 255).astype(dtype)
        assert np.array_equal(open_image(from_0_to_1), values[..., :3])


def test_arrays_of_other_types_and_strides_and_what_only_acts_as_an_array():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return noise(2, 3, 3)

    assert open_image(np.array([[True, False]]))[0, :, 0].tolist() == [255, 0]
    wide = np.array([[0, 257, 65_535]], np.uint16)
    assert open_image(wide)[0, :, 0].tolist() == [0, 1, 255]
    assert open_image(np.array([[0, 127]], np.int8))[0, :, 0].tolist() == [0, 127]
    assert np.array_equal(open_image(Tensor()), noise(2, 3, 3))
    values = noise(6, 8, 3)
    for view in (values[::-1], values[:, ::2], values.transpose(1, 0, 2), values[..., ::-1]):
        assert np.array_equal(open_image(view), view)


@pytest.mark.parametrize(
    "source,part",
    [
        ("none.png", "The file 'none.png' cannot be read"),
        ("", "cannot be read"),
        ("~", "cannot be read"),
        (Path(), "cannot be read"),
        ("http://example.org/cat.jpg", "an image of the web has to be saved"),
        ("data:image/png;base64," + "A" * 10_000, "an image of the web has to be saved"),
        ("~nobody-has-this-name.png", "cannot be read"),
        ("a\0b.png", "cannot be read"),
        (None, "NoneType"),
        (5, "int"),
        (["a"], "list"),
        (np.zeros((4, 5, 6, 3), np.uint8), "images[0]"),
        (np.zeros((3, 50, 60), np.uint8), "moveaxis"),
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
        (np.array([["a", "b"]]), "not numbers"),
        (np.array([[1j, 2]]), "complex128"),
    ],
)
def test_what_is_not_an_image_or_not_a_clear_one(source, part):
    assert_refused(source, part)


def test_a_file_that_is_open_as_text_or_closed(png):
    with png.open(encoding="latin-1") as text:
        assert_refused(text, png.name, '"rb"')
    with png.open("rb") as closed:
        pass
    assert_refused(closed, "closed")


@pytest.mark.parametrize(
    "data,part",
    [
        (b"", "(0 bytes) is not an image"),
        (b"hello", "give a PNG, JPEG"),
        (b"\x89PNG\r\n\x1a\n", "give a PNG, JPEG"),
        (b"GIF89a", "give a PNG, JPEG"),
        (bytes(5_000), "give a PNG, JPEG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC photo"),
    ],
)
def test_bytes_that_are_not_an_image_we_can_open(data, part, tmp_path):
    path = tmp_path / "holiday.heic"
    path.write_bytes(data)
    assert_refused(data, "This image", part)
    assert_refused(path, str(path), part)
    with path.open("rb") as file:
        assert_refused(file, "holiday.heic", part)
    with pytest.raises(LearnerError, match="upload"):
        open_image(data, name="upload 1")


@pytest.mark.parametrize("kind", ["EPS", "ICNS", "TGA"])
def test_formats_not_promised_are_not_opened_though_pillow_would(kind):
    data = encoded(Image.fromarray(noise(16, 16, 3)), kind)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == kind
    assert_refused(data, "not an image that Pillow can read")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_a_truncated_image_is_named(kind, tmp_path):
    whole = encoded(Image.fromarray(noise(64, 64, 3)), kind)
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(whole[: len(whole) // 2])
    assert_refused(path, "cut.")
    assert_refused(path.read_bytes(), "This image")
    if kind == "PNG":
        with Image.open(path) as image:
            assert_refused(image, "cut.png", "cut off")


@settings(max_examples=300)
@given(st.data())
def test_an_image_with_wrong_bytes_is_opened_or_refused_by_a_sentence(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"]))
    broken = bytearray(encoded(Image.fromarray(noise(8, 8, 3)), kind))
    for place in data.draw(st.lists(st.integers(0, len(broken) - 1), min_size=1, max_size=6)):
        broken[place] = data.draw(st.integers(0, 255))
    try:
        opened = open_image(bytes(broken))
    except LearnerError as error:
        assert str(error).endswith(".")
    else:
        assert opened.ndim == 3 and opened.shape[2] == 3 and opened.dtype == np.uint8


def test_bombs():
    for times in (1.1, 2.5):  # Pillow itself warns of the first, and opens it
        side = int((Image.MAX_IMAGE_PIXELS * times) ** 0.5)
        assert_refused(encoded(Image.new("1", (side, side))), "89 million pixels", "smaller")
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "a" * 50_000_000, zip=True)
    assert_refused(encoded(Image.new("L", (2, 2)), pnginfo=info))


def test_resize_is_pillows_bilinear():
    image = noise(37, 61, 3)
    sizes = [(150, (150, 150)), (8, (8, 8)), ((20, 31), (20, 31)), (np.int64(5), (5, 5))]
    for size, shape in sizes:
        expected = Image.fromarray(image).resize(shape[::-1], Image.Resampling.BILINEAR)
        assert np.array_equal(resize(image, size), np.array(expected))
    assert resize(image).shape == (150, 150, 3)
    assert np.array_equal(resize(image, (37, 61)), image)
    board = np.indices((300, 300)).sum(0) % 2 * np.uint8(255)
    assert np.abs(resize(board, 30).astype(int) - 127.5).max() < 2, "it averages"


def test_a_size_that_cannot_be():
    pairs = {(20,): (20,), (20, 30, 3): (20, 30, 3), (20, 0): 0, (20.0, 30): 20.0, (True, 1): True}
    for size in [0, -1, 150.0, True, "150", None, 10_001, *pairs]:
        said = repr(pairs.get(size, size) if isinstance(size, tuple) else size)
        told = rf"is {re.escape(said)}: give \(height, width\) or a whole number from 1 to 10000\."
        with pytest.raises(LearnerError, match=told):
            resize(noise(3, 3, 3), size)


def test_samples_are_whole_and_ascent_is_scipys_pixel_for_pixel():
    assert ascent().shape == (512, 512) and ascent().dtype == np.uint8
    assert hashlib.sha256(ascent().tobytes()).hexdigest() == (
        "c7777d46c3f4e3119ddbec92ad28c09193202a7a4aab08622bc7e4b4a3ba88e6"
    )
    for name in images.SAMPLES:
        image = sample(name)
        assert image.shape[2] == 3 and min(image.shape[:2]) >= 300 and image.std() > 20, name
    with pytest.raises(LearnerError, match=r"'unicorn': choose one of dog, .*owl\.$"):
        sample("unicorn")
