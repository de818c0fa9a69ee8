"""The Python side of the labs; tests/browser drives the other side."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from helpers import convolution, widgets
from helpers.errors import LearnerError
from helpers.widgets import ActivationBrowser, KernelLab, PoolLab, StrideLab
from helpers.widgets.lab import ImageLab, Lab, _bundle
from helpers.widgets.progress import TrainingProgress

FOLDER = Path(widgets.__file__).parent
LABS = [TrainingProgress, *(each for each in vars(widgets).values() if isinstance(each, type))]


def png(array: np.ndarray) -> bytes:
    """Return an array as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="png")
    return buffer.getvalue()


def upload(lab: ImageLab, data: bytes, *, size: int = 700) -> dict | None:
    """Send a file in parts, as the page does; return the header of the answer."""
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    for part, piece in enumerate(parts):
        request = {"kind": "upload", "part": part, "parts": len(parts), "name": "a.png"}
        answer = lab.answer(request, [memoryview(piece)])
    return answer and answer[0]


def test_public_names_are_there_and_cheap() -> None:
    assert len(LABS) >= 8
    code = (
        "import sys, helpers.widgets; "
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("cls", LABS)
def test_the_modules_of_a_lab_are_one(cls: type[Lab]) -> None:
    text = _bundle("stored.js", cls.module)
    assert not re.search(r'^import|^export (?!default)|from "\.', text, re.M)
    assert text.count("export default") == 1
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", text, re.M)
    assert len(names) > 10
    assert sorted(set(names)) == sorted(names)


def test_every_lab_has_a_still_with_a_text() -> None:
    for cls in LABS:
        assert cls.title and len(cls.still_alt) > 40
        still = FOLDER / "stills" / f"{cls.still}.webp"
        assert still.stat().st_size <= 60_000
        with Image.open(still) as image:
            assert image.width >= 500
    assert {path.stem for path in (FOLDER / "stills").iterdir()} == {cls.still for cls in LABS}
    lab = PoolLab()
    shown, _ = DisplayFormatter().format(lab)
    assert shown["text/plain"] == "PoolLab()"
    assert shown["text/html"].startswith(f'<img alt="{PoolLab.still_alt}" src="data:image/webp')
    assert shown["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id


@pytest.mark.parametrize("name", ["kernel", "browser"])
def test_an_upload_is_in_no_state_and_in_no_page_unless_asked_for(
    name: str, tmp_path: Path
) -> None:
    layers = [keras.Input((12, 12, 3)), keras.layers.Conv2D(4, 3)]
    lab = KernelLab() if name == "kernel" else ActivationBrowser(keras.Sequential(layers))
    before = dict(lab.get_state())
    array = np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    # A file that is broken off, then a whole one.
    request = {"kind": "upload", "part": 0, "parts": 9, "name": "a.png"}
    assert lab.answer(request, [b"x"]) is None
    assert upload(lab, png(array))["name"] == lab.OWN
    assert lab.get_state() == before
    lab.image = lab.OWN  # as the page does when it has the answer
    assert {key for key, value in lab.get_state().items() if value != before[key]} == {"image"}
    # What is refused gets a sentence, and the last image stays.
    for data in (b"no image", png(array[:2, :2])) if name == "kernel" else (b"no image",):
        with pytest.raises(LearnerError):
            upload(lab, data)
        assert lab.answer({"kind": "image", "name": lab.OWN}, [])[0]["name"] == lab.OWN
    page = tmp_path / "page.html"
    with pytest.raises(LearnerError, match="would show your uploaded image"):
        lab.save_html(page)
    assert not page.exists()
    assert lab.save_html(page, with_upload=True).exists()
    lab.image = "dog"
    assert lab.save_html(page).exists()
    with pytest.raises(LearnerError, match="There is no image 'cow': choose one of"):
        lab.image = "cow"


def test_the_kernel_lab_from_python() -> None:
    random = np.random.default_rng(2)
    image = random.integers(0, 256, (20, 30), dtype=np.uint8)
    lab = KernelLab(image, kernel="Laplacian")
    assert lab.images[:3] == ["the given image", "ascent", "small cross"]
    np.testing.assert_array_equal(lab.kernel, convolution.KERNELS["Laplacian"])
    kernel = random.normal(size=(3, 3))
    lab.kernel = kernel
    np.testing.assert_allclose(lab.result, convolution.correlate2d(image, kernel))
    json.dumps({name: getattr(lab, name) for name in ("kernel", "presets", "chosen", "images")})
    for wrong in ([[1, 2], [3, 4]], np.full((3, 3), 101), np.full((3, 3), np.nan), "abc", [["a"]]):
        with pytest.raises(LearnerError, match=r"A kernel here|no kernel"):
            lab.kernel = wrong
        np.testing.assert_array_equal(lab.kernel, kernel)
    lab.chosen = [17, 27]
    for wrong in ([9999, 0], [18, 0], [0, 28]):
        with pytest.raises(LearnerError, match=r"from \[0, 0\] to \[17, 27\]"):
            lab.chosen = wrong
        assert lab.chosen == [17, 27]
    assert KernelLab(np.zeros((100, 2048, 3), np.uint8)).pixels().shape == (25, 512)
    with pytest.raises(LearnerError, match="fewer than the 3 by 3"):
        KernelLab(np.zeros((2, 9), np.uint8))


@pytest.mark.parametrize("padding", ["valid", "same", 0, 3])
def test_the_stride_lab_from_python(padding: str | int) -> None:
    lab = StrideLab(size=np.int64(10), kernel=np.uint8(4), stride=3, padding=padding)
    set_to = [lab.size, lab.kernel, lab.stride, lab.padding]
    assert json.loads(json.dumps(set_to)) == [10, 4, 3, padding or "valid"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 300}, "The size is 300: give a whole number from 1 to 256"),
        ({"size": 12.5}, "The size is 12.5"),
        ({"size": "12"}, "The size is '12'"),
        ({"size": True}, "The size is True"),
        ({"kernel": 0}, "The kernel is 0"),
        ({"stride": None}, "The stride is None"),
        ({"padding": 7}, 'The padding is 7: give "valid", "same" or a whole number from 0 to 5'),
        ({"padding": "full"}, "The padding is 'full'"),
        ({"padding": 1.0}, "The padding is 1.0"),
    ],
)
def test_a_wrong_number_of_the_stride_lab_gets_a_sentence(options: dict, words: str) -> None:
    with pytest.raises(LearnerError, match=words):
        StrideLab(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"patch": np.zeros(4)}, r"2 to 12 rows, .* shape is \(4,\)"),
        ({"patch": np.zeros((13, 4))}, r"2 to 12 rows, .* shape is \(13, 4\)"),
        ({"patch": np.full((3, 3), 1e5)}, "between −9999 and 9999"),
        ({"patch": np.full((3, 3), np.nan)}, "between −9999 and 9999"),
        ({"patch": [[1, 2], [3]]}, "each of 2 to 12 numbers"),
        ({"patch": [["a", "b"], ["c", "d"]]}, "each of 2 to 12 numbers"),
        ({"patch": "letters"}, "each of 2 to 12 numbers"),
        ({"size": 13}, "The size is 13: give a whole number from 1 to 12"),
        ({"size": "2"}, "The size is '2'"),
        ({"stride": 1.5}, "The stride is 1.5"),
    ],
)
def test_what_the_pool_lab_cannot_use_gets_a_sentence(options: dict, words: str) -> None:
    with pytest.raises(LearnerError, match=words):
        PoolLab(**options)
    lab = PoolLab([[1, 2], [3, 4]])
    with pytest.raises(LearnerError, match=words):
        for name, value in options.items():
            setattr(lab, name, value)
    assert (lab.patch, lab.size, lab.stride) == ([[1, 2], [3, 4]], 2, 2)
