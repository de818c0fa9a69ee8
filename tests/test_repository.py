"""What must hold for the repository as a whole: one list of dependencies, modules in order, lessons
that are the record of one clean run, links that lead somewhere."""

import ast
import configparser
import json
import os
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from helpers import training

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "data").glob("*.md"))
MODULES = [
    "errors",
    "images",
    "convolution",
    "drawing",
    "pets",
    "model",
    "training",
    "activations",
    "explain",
    "figures",
    "check",
    "widgets",
]
LIMIT_KB, LIMIT_LINES = 600, 20


def cells(lesson: Path, kind: str) -> list[dict]:
    book = json.loads(lesson.read_text(encoding="utf-8"))
    return [cell for cell in book["cells"] if cell["cell_type"] == kind]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        assert not os.environ.get("CI"), listed.stderr
        pytest.skip("not a git checkout, so the tracked files are not known")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


# Dependencies


def test_environment_installs_from_pyproject_alone():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    entries = [line.strip()[2:] for line in lines if line.strip().startswith("- ")]
    assert entries == [
        "conda-forge",
        f"python{PROJECT['requires-python']}",
        "pip",
        "pip:",
        "-e .[test]",
    ]


@pytest.mark.parametrize(
    "requirement", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
)
def test_dependency_is_bounded_above_and_below(requirement):
    assert re.fullmatch(r"[a-z-]+>=[\d.]+,<[\d.]+", requirement)


def modules(path: Path) -> set[str]:
    """The top-level modules that a file imports, but for its neighbours'."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"helpers", "tests"}


@pytest.mark.parametrize("folder", ["helpers", "tests"])
def test_every_import_is_a_declared_dependency(folder):
    requirements = list(PROJECT["dependencies"])
    if folder == "tests":
        requirements += PROJECT["optional-dependencies"]["test"]
    declared = {re.split("[<>=]", requirement)[0] for requirement in requirements}
    packages = packages_distributions()
    for path in (ROOT / folder).rglob("*.py"):
        for module in modules(path):
            names = {name.lower() for name in packages.get(module, [module])}
            assert names & declared, f"{path.name} imports {module}"


# Code


def test_ruff_finds_nothing():
    for command in (["check"], ["format", "--check"]):
        ruff = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ruff.returncode == 0, ruff.stdout + ruff.stderr


def imported_modules(path: Path) -> set[str]:
    """The modules that a file of helpers imports, at the top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level == 0 and module == "helpers":
                found |= {alias.name for alias in node.names}
            elif node.level == 0 and module.startswith("helpers."):
                found.add(module.split(".")[1])
            elif node.level == len(path.relative_to(ROOT / "helpers").parts):
                found |= {module.split(".")[0]} if module else {a.name for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("helpers.")}
    return found


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((ROOT / "helpers").rglob("*.py")) if path.name != "__init__.py"
     or path.parent.name != "helpers"],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)  # fmt: skip
def test_module_imports_only_from_modules_before_it(path):
    module = path.relative_to(ROOT / "helpers").parts[0].removesuffix(".py")
    assert module in MODULES
    allowed = set(MODULES[: MODULES.index(module)]) | {module}
    assert imported_modules(path) <= allowed


def test_no_path_edits_no_star_imports():
    for path in tracked():
        if path.suffix == ".py" and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            assert "sys.path." not in text, path
            assert not re.search(r"^from .* import \*", text, re.MULTILINE), path


def test_no_photo_of_the_photo_set():
    for path in tracked():
        assert not re.search(r"(cat|dog)\.\d+\.jpg$", path.name), path
    for lesson in LESSONS:
        text = lesson.read_text(encoding="utf-8")
        if "load_pets" in text or "ActivationBrowser" in text:
            chosen = re.findall(r"Pets: (\w+)", text)
            assert set(chosen) <= {"drawn"}, f"{lesson.name} was stored on {chosen}: refresh it"


def test_sanitizers_replace_with_something():
    rules = configparser.RawConfigParser()
    rules.read(ROOT / "tests" / "nbval.cfg", encoding="utf-8")
    for rule in rules.sections():
        assert rules[rule]["regex"]
        assert rules[rule]["replace"], (
            f"{rule}: nbval drops a rule with an empty replace in silence"
        )


# Lessons


def test_lessons_are_numbered_in_order():
    assert [lesson.name[:3] for lesson in LESSONS] == [
        f"{n:02}_" for n in range(1, len(LESSONS) + 1)
    ]
    assert len(LESSONS) >= 5


@pytest.fixture(params=LESSONS, ids=lambda lesson: lesson.stem)
def lesson(request):
    return request.param


def test_lesson_is_the_record_of_one_clean_run(lesson):
    code = [cell for cell in cells(lesson, "code") if source(cell).strip()]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert "widgets" not in json.loads(lesson.read_text(encoding="utf-8"))["metadata"]
    assert not any("application/vnd.jupyter.widget-view+json" in o.get("data", {}) for o in outputs)


def test_lesson_is_small_and_names_no_machine(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert len(text) < LIMIT_KB * 1000
    assert not re.search(r"/(home|root|Users|tmp|work)/|[A-Z]:\\\\", text)
    longest = max(len(source(cell).splitlines()) for cell in cells(lesson, "code"))
    assert longest <= LIMIT_LINES


class Images(HTMLParser):
    def __init__(self):
        super().__init__()
        self.alts = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.alts.append(dict(attrs).get("alt") or "")


def test_every_picture_has_a_text_alternative(lesson):
    parser = Images()
    for cell in cells(lesson, "markdown"):
        parser.feed(source(cell))
        parser.alts += re.findall(r"!\[(.*?)\]\(", source(cell))
    for cell in cells(lesson, "code"):
        for output in cell["outputs"]:
            data = output.get("data", {})
            assert "image/png" not in data, f"{cell['id']}: use figures.show, which has an alt text"
            parser.feed("".join(data.get("text/html", "")))
    assert parser.alts
    assert all(len(alt) > 10 for alt in parser.alts), parser.alts


def test_a_cell_that_is_not_compared_says_why(lesson):
    for cell in cells(lesson, "code"):
        left_out = {"nbval-ignore-output", "nbval-skip"} & set(cell["metadata"].get("tags", []))
        assert bool(left_out) == bool(cell["metadata"].get("nbval_reason")), cell["id"]
        assert "NBVAL" not in source(cell)


def test_lesson_follows_the_template(lesson):
    prose = "\n".join(source(cell) for cell in cells(lesson, "markdown"))
    assert source(cells(lesson, "markdown")[0]).startswith("# ")
    for heading in ("You will", "Recap", "Exercise"):
        assert heading in prose, heading
    solutions = [c for c in cells(lesson, "code") if "solution" in c["metadata"].get("tags", [])]
    assert len(solutions) >= 2
    assert all(cell["metadata"]["jupyter"]["source_hidden"] for cell in solutions)


def test_lesson_links_to_its_neighbours(lesson):
    place = LESSONS.index(lesson)
    last = source(cells(lesson, "markdown")[-1])
    for neighbour in LESSONS[max(place - 1, 0) : place + 2]:
        if neighbour != lesson:
            assert f"({neighbour.name})" in last


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:href|src)="([^"]+)"', text)


@pytest.mark.parametrize("page", PAGES + LESSONS, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        text = "\n".join(source(cell) for cell in cells(page, "markdown"))
    for link in links(text):
        if not re.match(r"https?:|data:|#|mailto:|attachment:", link):
            assert (page.parent / link.split("#")[0]).exists(), link


def test_readme_names_every_lesson_and_the_two_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for lesson in LESSONS:
        assert f"(notebooks/{lesson.name})" in readme
    lines = readme.splitlines()
    lab = "jupyter lab --notebook-dir=. notebooks/01_detect_edges.ipynb"
    assert f"python -m pip install -e . && {lab}" in lines
    assert 'python -m pip install -e ".[test]" && pytest' in lines
    assert r"grep -qxF" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_readme_holds_the_table_of_accuracies():
    assert training.accuracy_table().strip() in (ROOT / "README.md").read_text(encoding="utf-8")
