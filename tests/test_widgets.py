"""The Python side of the widgets; tests/browser drives the other side."""

import base64
import contextlib
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import anywidget
import ipywidgets
import matplotlib
import numpy as np
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from IPython.core.events import EventManager, available_events
from PIL import Image

from helpers import convolution, images, widgets
from helpers.activations import ModelError
from helpers.pets import PetsError
from helpers.widgets import (
    FunctionLab,
    KernelLab,
    Lab,
    Picture,
    PictureChooser,
    PoolLab,
    StrideLab,
    ThresholdLab,
    Upload,
)
from helpers.widgets.browser import ActivationBrowser
from helpers.widgets.picture import pixels_message
from helpers.widgets.progress import TrainingProgress, training_progress

FOLDER = Path(widgets.__file__).parent
LABS = (
    KernelLab,
    StrideLab,
    PoolLab,
    ActivationBrowser,
    TrainingProgress,
    FunctionLab,
    ThresholdLab,
)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Return the list of the messages that widgets send to the page."""
    messages = []

    def send(self: ipywidgets.Widget, content: dict, buffers: list | None = None) -> None:
        messages.append((content, buffers))

    monkeypatch.setattr(ipywidgets.Widget, "send", send)
    return messages


def saved(widget: ipywidgets.Widget) -> dict[str, object]:
    """Return all that may be saved of a widget and of those in it: name -> value."""
    found = {f"{type(widget).__name__}.{key}": v for key, v in widget.get_state().items()}
    for child in getattr(widget, "children", ()):
        found |= saved(child)
    return found


def payloads(widget: ipywidgets.Widget) -> set[str]:
    """Return the names of what may be saved and is large enough to be a picture."""

    def numbers(value: object) -> int:
        if isinstance(value, bytes | bytearray | memoryview | np.ndarray):
            return 10**6
        if isinstance(value, str):
            return len(value) // 4
        if isinstance(value, dict):
            return sum(map(numbers, value.values()))
        return sum(map(numbers, value)) if isinstance(value, list | tuple) else 1

    code = ("._esm", "._css")  # ours, the same for every picture
    return {k for k, v in saved(widget).items() if numbers(v) > 200 and not k.endswith(code)}


def png(array: np.ndarray) -> bytes:
    """Return an array as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="png")
    return buffer.getvalue()


def small_browser() -> ActivationBrowser:
    """Return a browser of a tiny model."""
    import keras

    layers = [keras.Input((12, 12, 3)), keras.layers.Conv2D(4, 3, name="only")]
    return ActivationBrowser(keras.Sequential(layers))


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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alt": " "}, "needs an alt text"),
        ({"alt": None}, "needs an alt text"),
        ({"limits": (1,)}, r"The limits are \(1,\); give two numbers"),
        ({"limits": "ab"}, "The limits are 'ab'; give two numbers"),
        ({"limits": 3}, "The limits are 3; give two numbers"),
        ({"boxes": [[1, 2]]}, r"The boxes are \[\[1, 2\]\]; give a list of \(top, left"),
        ({"boxes": [[1, 2, 3, 4], [1]]}, "The boxes are"),
        ({"boxes": "abcd"}, "The boxes are 'abcd'"),
        ({"boxes": (1, 2, 3, 4)}, "four numbers for each box"),
        ({"array": np.array([["a", "b"]])}, "holds something else"),
        ({"array": [[1, 2], [3]]}, "holds something else"),
        ({"array": None}, "holds something else"),
        ({"array": np.array([[1 + 2j]])}, "holds something else"),
    ],
)
def test_a_wrong_argument_of_a_picture_gets_a_sentence(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        Picture(**{"array": np.eye(3), "alt": "a line", **options})
    assert str(error.value).count(". ") == 0  # one sentence


def test_wrong_boxes_leave_the_last_ones() -> None:
    picture = Picture(np.eye(3), alt="a line", boxes=np.array([[0, 1, 2, 3]]))
    with pytest.raises(ValueError, match="The boxes are"):
        picture.boxes = [[1, 2]]
    assert picture.boxes == [[0, 1, 2, 3]]
    picture.boxes = []
    assert picture.boxes == []


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
    assert payloads(button) == set()
    assert "letter" not in repr(saved(button))


def test_a_chooser_keeps_the_uploaded_picture(sent: list) -> None:
    shown = []
    chooser = PictureChooser({"ascent": images.ascent}, lambda p, name: shown.append((p, name)))
    array = np.full((5, 6, 3), 9, np.uint8)
    upload(chooser.upload, png(array))
    assert chooser.name == "your picture" and chooser.is_upload
    assert chooser.choice.options == ("ascent", "your picture")
    chooser.choice.value = "ascent"
    chooser.choice.value = "your picture"
    assert [name for _, name in shown] == ["your picture", "ascent", "your picture"]
    assert chooser.choice.value == "your picture"
    np.testing.assert_array_equal(shown[-1][0], array)
    upload(chooser.upload, b"no picture")
    assert chooser.name == "your picture"
    upload(chooser.upload, png(array + 1))
    assert (shown[-1][0] == 10).all()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (images.ImageError("Too red."), "Too red."),
        (PetsError("There are no pets here."), "There are no pets here."),
        (ModelError("The model has no eyes."), "The model has no eyes."),
        (ValueError("operands could not be broadcast"), "It cannot be shown here (ValueError)"),
        (ZeroDivisionError("division"), "It cannot be shown here (ZeroDivisionError)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_after_a_refused_picture_the_list_names_the_one_shown(
    error: Exception, sentence: str, sent: list
) -> None:
    names = []

    def use(picture: np.ndarray, name: str) -> None:
        names.append((name, chooser.name, chooser.is_upload))  # what a title would be made of
        if picture.max() < 9:
            raise error

    def broken() -> np.ndarray:
        raise error

    dark = np.zeros((4, 4, 3), np.uint8)
    chooser = PictureChooser(
        {"a": images.ascent, "b": images.ascent, "dark": lambda: dark, "broken": broken}, use
    )
    chooser.choice.value = "b"
    for wrong in ("dark", "broken"):
        chooser.choice.value = wrong
        assert (chooser.choice.value, chooser.name, chooser.is_upload) == ("b", "b", False)
        assert sent[-1][0]["sentence"].startswith(sentence)
        assert sent[-1][0]["sentence"].endswith(" The last picture stays.")
        assert "broadcast" not in sent[-1][0]["sentence"]
    upload(chooser.upload, png(dark))
    assert (chooser.choice.value, chooser.name, chooser.is_upload) == ("b", "b", False)
    assert chooser.own not in chooser.choice.options
    upload(chooser.upload, png(dark + 50))
    assert (chooser.choice.value, chooser.name, chooser.is_upload) == (
        chooser.own,
        chooser.own,
        True,
    )
    chooser.choice.value = "broken"
    assert (chooser.choice.value, chooser.name, chooser.is_upload) == (
        chooser.own,
        chooser.own,
        True,
    )
    chooser.choice.value = "a"
    assert sent[-1][0]["sentence"] == ""
    assert names == [
        ("b", "b", False),
        ("dark", "dark", False),
        (chooser.own, chooser.own, True),
        (chooser.own, chooser.own, True),
        ("a", "a", False),
    ]


@pytest.mark.parametrize("make", [KernelLab, small_browser], ids=["kernel", "activations"])
def test_an_upload_into_a_lab_is_in_no_state(make: Callable, sent: list, tmp_path: Path) -> None:
    lab = make()
    array = np.random.default_rng(5).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    chooser = getattr(lab, "chooser", None) or lab._chooser
    upload(chooser.upload, png(array))
    assert chooser.is_upload and chooser.choice.value == chooser.own
    assert len(saved(lab)) > 50
    assert payloads(lab) == set()
    titles = [content for content, _ in sent if content.get("kind") == "maps"]
    assert [content["picture"] for content in titles] == [chooser.own] * len(titles)
    # The search does find a picture, in bytes, as text or as numbers.
    text = base64.b64encode(array.tobytes()).decode()
    for leak in (
        ipywidgets.Image(value=png(array)),
        ipywidgets.HTML(f"<img src='data:image/png;base64,{text}'>"),
        Picture(array, alt="noise", boxes=array[..., 0].reshape(-1, 4).tolist()),
    ):
        lab.children = [*lab.children, leak]
        assert len(payloads(lab)) == 1
        lab.children = lab.children[:-1]


def test_a_page_with_an_upload_has_to_be_asked_for(sent: list, tmp_path: Path) -> None:
    lab = small_browser()
    upload(lab._chooser.upload, png(np.full((9, 9, 3), 200, np.uint8)))
    lab._chooser._pictures["owl"] = lambda: 1 / 0
    lab._chooser.choice.value = "owl"  # is refused, so the upload is still shown
    with pytest.raises(ValueError, match="uploaded photo"):
        lab.save_html(tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    assert lab.save_html(tmp_path / "page.html", with_upload=True).exists()
    lab._chooser.choice.value = "dog"
    assert lab.save_html(tmp_path / "page.html").exists()


def test_the_kernel_lab_from_python(sent: list) -> None:
    random = np.random.default_rng(2)
    lab = KernelLab(random.integers(0, 256, (20, 30), dtype=np.uint8), kernel="Laplacian")
    np.testing.assert_array_equal(lab.kernel, convolution.KERNELS["Laplacian"])
    kernel = random.normal(size=(3, 3))
    lab.kernel = kernel
    np.testing.assert_array_equal(lab.kernel, kernel)
    np.testing.assert_allclose(lab.result, convolution.correlate2d(lab.picture, kernel))
    for name in (
        "the article's",
        "Sobel (vertical edges)",
        "Sobel (vertical edges), the article's",
    ):
        lab.kernel = kernel
        lab.kernel = name
        np.testing.assert_array_equal(lab.kernel, convolution.KERNELS["Sobel (vertical edges)"])
    shown = list(lab.view.presets.values())
    assert len(shown) == len(convolution.KERNELS)
    assert sorted(shown) == sorted(k.tolist() for k in convolution.KERNELS.values())
    assert lab.chooser.choice.options[:3] == ("the given picture", "ascent", "small cross")
    lab.kernel = kernel
    lab.chosen = np.array([3, 4])
    for wrong in ([9999, 0], [1], [-1, 0], [18, 0], [0, 28], [[1], [2, 3]], "ab", 5, [1.5, 2]):
        with pytest.raises(ValueError, match=r"whole numbers from \[0, 0\] to \[17, 27\]"):
            lab.chosen = wrong
        assert lab.chosen == [3, 4]
    lab.chosen = (17, 27)
    upload(lab.chooser.upload, png(np.zeros((10, 40), np.uint8)))
    assert lab.chosen == [7, 27]
    lab.chooser.choice.value = "the given picture"
    for wrong in ([[1, 2], [3, 4]], np.full((3, 3), 101), np.full((3, 3), np.nan), "abc", [["a"]]):
        with pytest.raises((traitlets.TraitError, ValueError), match=r"A kernel here|no kernel"):
            lab.kernel = wrong
        np.testing.assert_array_equal(lab.kernel, kernel)
    with pytest.raises(images.ImageError, match="fewer than the 3 by 3"):
        KernelLab(np.zeros((2, 9), np.uint8))


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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 300}, "The size is 300; give a whole number from 1 to 256"),
        ({"size": 12.5}, "The size is 12.5"),
        ({"size": "12"}, "The size is '12'"),
        ({"size": True}, "The size is True"),
        ({"kernel": 0}, "The kernel is 0"),
        ({"stride": None}, "The stride is None"),
        ({"padding": 7}, "The padding is 7; give .* whole number from 0 to 5"),
        ({"padding": "full"}, "The padding is 'full'"),
        ({"padding": None}, "The padding is None"),
        ({"padding": 1.0}, "The padding is 1.0"),
    ],
)
def test_a_wrong_number_of_the_stride_lab_gets_a_sentence(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        StrideLab(**options)
    assert StrideLab(np.int64(9), kernel=np.uint8(2), padding=np.int64(1)).output_size == 5


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
        ({"patch": [[1, 2], [3]]}, "rows of equally many numbers"),
        ({"patch": [["a", "b"], ["c", "d"]]}, "rows of equally many numbers"),
        ({"patch": "letters"}, "rows of equally many numbers"),
        ({"patch": None}, "rows of equally many numbers"),
        ({"patch": np.full((3, 3), np.nan)}, "between −9999 and 9999"),
        ({"patch": patch, "size": 6}, "The size is 6; for this patch, .* from 1 to 5"),
        ({"patch": patch, "size": "2"}, "The size is '2'"),
        ({"patch": patch, "stride": 0}, "The stride is 0"),
        ({"patch": patch, "stride": 1.5}, "The stride is 1.5"),
    ]:
        with pytest.raises(ValueError, match=words):
            PoolLab(**wrong)


def train(*others: object) -> object:
    """Fit a tiny model with the progress and other callbacks; return the progress."""
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    progress = training_progress(shown=False)
    rows = {"x": np.ones((20, 2)), "y": np.ones(20), "batch_size": 2, "epochs": 3, "verbose": 0}
    with contextlib.suppress(ZeroDivisionError):
        model.fit(**rows, callbacks=[progress, *others])
    return progress


def at_step(step: int, act: Callable[[], object]) -> object:
    """Return a callback that does something in one step of every epoch."""
    import keras

    return keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: act() if batch == step else None
    )


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Let an interrupt be what it is in a notebook, and afterwards what it was."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_stops_the_training_after_the_step(interrupts: None, sent: list) -> None:
    progress = train(at_step(4, lambda: signal.raise_signal(signal.SIGINT)))
    assert progress.view.state == "stopped"
    assert (progress.view.epoch, progress.done) == (1, 6)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert train().view.state == "done"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_after_a_failed_training_is_not_swallowed(
    interrupts: None, sent: list
) -> None:
    progress = train(at_step(4, lambda: 1 / 0))
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert progress.view.state == "failed"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_failed_training_ends_with_its_cell(
    interrupts: None, sent: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = SimpleNamespace(events=EventManager(None, available_events))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    for error, state in [(ZeroDivisionError(), "failed"), (KeyboardInterrupt(), "stopped")]:
        progress = train(at_step(4, lambda: 1 / 0))
        assert progress.view.state == "running"
        shell.events.trigger("post_run_cell", SimpleNamespace(error_in_exec=error))
        assert progress.view.state == state
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert shell.events.callbacks["post_run_cell"] == []
