"""The Python side of the widgets; tests/browser drives the other side."""

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import anywidget
import ipywidgets
import matplotlib
import numpy as np
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from helpers import convolution, images, widgets
from helpers.widgets import KernelLab, Lab, Picture, PictureChooser, PoolLab, StrideLab, Upload
from helpers.widgets.browser import ActivationBrowser
from helpers.widgets.picture import pixels_message
from helpers.widgets.progress import TrainingProgress

FOLDER = Path(widgets.__file__).parent
LABS = (KernelLab, StrideLab, PoolLab, ActivationBrowser, TrainingProgress)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Return the list of the messages that widgets send to the page."""
    messages = []

    def send(self: ipywidgets.Widget, content: dict, buffers: list | None = None) -> None:
        messages.append((content, buffers))

    monkeypatch.setattr(ipywidgets.Widget, "send", send)
    return messages


def state(widget: ipywidgets.Widget) -> str:
    """Return all that may be saved of a widget and of those in it, as text."""
    parts = [repr(widget.get_state())]
    parts += [state(child) for child in getattr(widget, "children", ())]
    return "".join(parts)


def png(array: np.ndarray) -> bytes:
    """Return an array as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="png")
    return buffer.getvalue()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_a_module_needs_no_file_beside_it(path: Path) -> None:
    def inlined(text: str) -> int:
        assert not re.search(r"""from\s*["']\.""", text)
        found = re.findall(r'"data:text/javascript;base64,([^"]+)"', text)
        return len(found) + sum(inlined(base64.b64decode(module).decode()) for module in found)

    imports = re.findall(r"""^(?:import|\}) .*["']\./""", path.read_text(encoding="utf-8"), re.M)
    assert inlined(widgets.module_source(path.name)) >= len(imports)


def test_every_public_name_can_be_imported() -> None:
    assert set(widgets.__all__) <= set(dir(widgets))
    for name in widgets.__all__:
        assert getattr(widgets, name) is not None
    with pytest.raises(AttributeError, match="Pictures"):
        _ = widgets.Pictures


def test_importing_the_labs_is_cheap() -> None:
    code = (
        "import sys; from helpers.widgets import KernelLab, StrideLab, PoolLab, Picture; "
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


shapes = st.one_of(
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9).map(lambda shape: (*shape, 3)),
)


@given(hnp.arrays(np.uint8, shapes))
def test_bytes_travel_as_they_are(array: np.ndarray) -> None:
    message, [data] = pixels_message(array)
    assert message["dtype"] == "uint8"
    assert message["limits"] == [0, 255]
    np.testing.assert_array_equal(np.frombuffer(data, np.uint8).reshape(message["shape"]), array)
    json.dumps(message)


@given(hnp.arrays(np.float64, shapes, elements=st.floats(-1e6, 1e6)))
def test_floats_travel_with_their_limits(array: np.ndarray) -> None:
    message, [data] = pixels_message(array)
    back = np.frombuffer(data, np.float32).reshape(message["shape"])
    np.testing.assert_array_equal(back, array.astype(np.float32))
    ends = [0, 1] if array.ndim == 3 else [back.min(), back.max()]
    assert message["limits"] == ends
    if array.ndim == 2:
        low, high = pixels_message(array, cmap="RdBu_r")[0]["limits"]
        assert -low == high > 0  # zero in the middle of a diverging map
        assert high == (np.abs(back).max() or 1)
    json.dumps(message)


def test_color_maps_are_matplotlibs() -> None:
    table = np.frombuffer(widgets.color_table("viridis"), np.uint8).reshape(256, 3)
    expected = matplotlib.colormaps["viridis"](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(table, expected)
    low, high = pixels_message(np.array([[3, 200]], np.uint8), cmap="RdBu_r")[0]["limits"]
    assert (low, high) == (-200, 200)
    with pytest.raises(ValueError, match='no colour map called "rainbows"; try'):
        widgets.color_table("rainbows")


@pytest.mark.parametrize("shape", [(3,), (2, 2, 4), (2, 2, 2, 3), (0, 5)])
def test_a_wrong_shape_gets_a_sentence(shape: tuple, sent: list) -> None:
    picture = Picture(np.zeros((2, 2)), alt="nothing")
    with pytest.raises(ValueError, match="A picture is an array of shape") as error:
        picture.show(np.zeros(shape))
    assert str(shape) in str(error.value)
    assert sent == []  # the last picture stays
    picture._handle_custom_msg({"kind": "ready"}, [])
    assert sent[0][0]["shape"] == [2, 2]


def test_pixels_are_no_part_of_the_state(sent: list) -> None:
    array = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)
    picture = Picture(array, alt="noise", boxes=[(0, 0, 3, 4)], title="Noise")
    assert "pixels" not in picture.keys
    assert not any(isinstance(value, bytes) for value in picture.get_state().values())
    assert repr(picture) == "Picture(40×50)"
    picture._handle_custom_msg({"kind": "ready"}, [])
    assert sent[0][1] == [array.tobytes()]
    picture.chosen = [3, 4]
    with pytest.raises(traitlets.TraitError):
        picture.chosen = [1, 2, 3]
    with pytest.raises(ValueError, match="alt text"):
        Picture(array, alt=" ")


def test_a_lab_has_a_still_with_a_text() -> None:
    for cls in LABS:
        assert issubclass(cls, Lab)
        assert cls.title and len(cls.still_alt) > 40
        still = FOLDER / "stills" / f"{cls.still}.webp"
        assert still.stat().st_size <= 60_000
        with Image.open(still) as picture:
            assert picture.width >= 500
    assert {path.stem for path in (FOLDER / "stills").iterdir()} == {cls.still for cls in LABS}
    lab = StrideLab(9)
    bundle = lab._repr_mimebundle_()
    assert bundle["text/plain"] == "StrideLab()"
    assert bundle["text/html"].startswith(f'<img alt="{StrideLab.still_alt}" src="data:image/webp')
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert isinstance(lab.children[-1], anywidget.AnyWidget)
    assert lab.children[-1].label == "Stride lab"
    assert "cnn-lab" in lab._dom_classes


def upload(widget: Upload, data: bytes, *, name: str = "a.png", size: int = 700) -> None:
    """Send a file as the page does."""
    parts = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    for part, piece in enumerate(parts):
        content = {"kind": "part", "part": part, "parts": len(parts), "name": name}
        widget._handle_custom_msg(content, [memoryview(piece)])


def test_an_upload_arrives_in_parts_and_leaves_no_trace(sent: list) -> None:
    array = np.random.default_rng(1).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    taken = []
    button = Upload(taken.append)
    upload(button, png(array))
    np.testing.assert_array_equal(taken[0], array)
    assert sent == [({"kind": "done", "sentence": ""}, None)]
    # A file that is broken off and sent again; then one that is none.
    button._handle_custom_msg({"kind": "part", "part": 0, "parts": 9, "name": "a.png"}, [b"x"])
    upload(button, png(array))
    assert len(taken) == 2
    upload(button, b"hello", name="letter.png")
    assert len(taken) == 2
    assert "letter.png" in sent[-1][0]["sentence"]
    assert sent[-1][0]["sentence"].endswith("The last picture stays.")
    assert "letter" not in state(button) and "\\x89PNG" not in state(button)


def test_a_chooser_keeps_the_uploaded_picture(sent: list) -> None:
    shown = []
    chooser = PictureChooser({"ascent": images.ascent}, lambda p, name: shown.append((p, name)))
    array = np.full((5, 6, 3), 9, np.uint8)
    upload(chooser.upload, png(array))
    assert chooser.name == "your picture"
    assert chooser.choice.options == ("ascent", "your picture")
    chooser.choice.value = "ascent"
    chooser.choice.value = "your picture"
    assert [name for _, name in shown] == ["your picture", "ascent", "your picture"]
    np.testing.assert_array_equal(shown[-1][0], array)
    upload(chooser.upload, b"no picture")
    assert chooser.name == "your picture"
    upload(chooser.upload, png(array + 1))
    assert (shown[-1][0] == 10).all()


def test_a_chooser_says_what_its_owner_refuses(sent: list) -> None:
    def refuse(picture: np.ndarray, name: str) -> None:
        raise ValueError("Too red.")

    chooser = PictureChooser({"a": images.ascent, "b": images.ascent}, refuse)
    upload(chooser.upload, png(np.zeros((4, 4), np.uint8)))
    assert sent[-1][0]["sentence"] == "Too red. The last picture stays."
    assert chooser.name == "a"
    chooser.choice.value = "b"
    assert sent[-1][0]["sentence"] == "Too red. The last picture stays."


def test_the_kernel_lab_from_python(sent: list) -> None:
    random = np.random.default_rng(2)
    lab = KernelLab(random.integers(0, 256, (20, 30), dtype=np.uint8), kernel="Laplacian")
    np.testing.assert_array_equal(lab.kernel, convolution.KERNELS["Laplacian"])
    kernel = random.normal(size=(3, 3))
    lab.kernel = kernel
    np.testing.assert_array_equal(lab.kernel, kernel)
    np.testing.assert_allclose(lab.result, convolution.correlate2d(lab.picture, kernel))
    lab.chosen = np.array([3, 4])
    assert lab.chosen == [3, 4]
    for wrong in ([[1, 2], [3, 4]], np.full((3, 3), 101), np.full((3, 3), np.nan), "abc", [["a"]]):
        with pytest.raises((traitlets.TraitError, ValueError), match=r"A kernel here|no kernel"):
            lab.kernel = wrong
        np.testing.assert_array_equal(lab.kernel, kernel)
    with pytest.raises(images.PictureError, match="fewer than the 3 by 3"):
        KernelLab(np.zeros((2, 9), np.uint8))
    assert lab.picture.tobytes()[:50].hex() not in state(lab)


def test_a_large_picture_is_made_smaller(sent: list) -> None:
    lab = KernelLab(np.zeros((100, 2048, 3), np.uint8))
    assert lab.picture.shape == (25, 512)


@pytest.mark.parametrize("padding", ["valid", "same", 0, 3])
def test_the_stride_lab_from_python(padding: str | int) -> None:
    lab = StrideLab(10, kernel=4, stride=3, padding=padding)
    expected = convolution.output_size(10, kernel=4, stride=3, padding=padding)
    assert lab.output_size == expected
    lab.view.size, lab.view.kernel, lab.view.padding = 2, 5, "valid"
    assert lab.output_size == 0
    assert (lab.size, lab.kernel, lab.stride) == (2, 5, 3)


def test_the_pool_lab_from_python() -> None:
    patch = np.random.default_rng(3).integers(-9, 9, (5, 7))
    lab = PoolLab(patch, size=3, stride=2)
    np.testing.assert_array_equal(
        lab.maximum, convolution.max_pool(patch.astype(float), size=3, stride=2)
    )
    assert lab.average.shape == (2, 3)
    for wrong, words in [
        ({"patch": np.zeros(4)}, "2 to 12 rows"),
        ({"patch": np.zeros((13, 4))}, "2 to 12 rows"),
        ({"patch": np.full((3, 3), 1e5)}, "between −9999 and 9999"),
        ({"patch": patch, "size": 6}, "between 1 and 5"),
        ({"patch": patch, "stride": 0}, "between 1 and 5"),
    ]:
        with pytest.raises(ValueError, match=words):
            PoolLab(**wrong)
