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
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import helpers
from helpers import training

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "data").glob("*.md"))
# The order stands in one place: the package's own description.
MODULES = re.search(r"those before it: (.*?)\.", " ".join(helpers.__doc__.split()))[1].split(", ")
LIMIT_KB, LIMIT_LINES = 600, 20


def cells(lesson: Path, kind: str = "") -> list[dict]:
    book = json.loads(lesson.read_text(encoding="utf-8"))
    return [cell for cell in book["cells"] if kind in cell["cell_type"]]


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
    python = f"python{PROJECT['requires-python']}"
    assert entries == ["conda-forge", python, "pip", "pip:", "-e .[test]"]


def test_dependencies_are_bounded_above_and_below():
    for requirement in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]:
        assert re.fullmatch(r"[a-z\d-]+>=[\d.]+,<[\d.]+", requirement)


@pytest.mark.parametrize("folder", ["helpers", "tests"])
def test_every_import_is_a_declared_dependency(folder):
    tests = PROJECT["optional-dependencies"]["test"] if folder == "tests" else []
    declared = {re.split("[<>=]", name)[0] for name in PROJECT["dependencies"] + tests}
    packages = packages_distributions()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for module in {name.split(".")[0] for name in names} - sys.stdlib_module_names:
                known = {name.lower() for name in packages.get(module, [module])}
                assert known & declared or module in ("helpers", "tests", "web"), (
                    path.name,
                    module,
                )


# Code


def test_ruff_finds_nothing():
    for command in (["check"], ["format", "--check"]):
        ruff = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ruff.returncode == 0, ruff.stdout + ruff.stderr


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((ROOT / "helpers").rglob("*.py")) if path.parent.name != "helpers"
     or path.name != "__init__.py"],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)  # fmt: skip
def test_module_imports_only_from_modules_before_it(path):
    module = path.relative_to(ROOT / "helpers").parts[0].removesuffix(".py")
    text = path.read_text(encoding="utf-8")
    assert "from ." not in text, "imports name the package"
    imported = set(re.findall(r"(?:from|import) helpers\.(\w+)", text))
    for names in re.findall(r"from helpers import (.*)", text):
        imported |= set(names.split(", "))
    assert imported <= {*MODULES[: MODULES.index(module)], module}


def test_every_public_name_is_used_by_a_lesson_a_command_or_another_module():
    files = {
        path: path.read_text(encoding="utf-8") for path in (ROOT / "helpers").rglob("[!_]*.py")
    }
    told = [page.read_text(encoding="utf-8") for page in PAGES]
    told += [source(cell) for lesson in LESSONS for cell in cells(lesson)]
    unused = []
    for path, text in files.items():
        others = [t for p, t in files.items() if p != path]
        users = "\n".join(told + others)
        taken = " ".join(re.findall(r"from helpers[\w.]* import (\([^)]*\)|.*)", users))
        command = f"python -m helpers.{path.stem}" in users
        for pair in re.findall(r"^(?:def|class) (\w+)|^(\w+)(?:: .+?)? = ", text, re.MULTILINE):
            name = "".join(pair)
            inside = command or (name[0].isupper() and not name.isupper())  # or a class, a type
            used = re.search(rf"\b({path.stem}|{path.parent.name})\.{name}\b", users)
            used = used or re.search(rf"\b{name}\b", taken)
            used = used or (inside and len(re.findall(rf"\b{name}\b", text)) > 1)
            if not used and not name.startswith("_"):
                unused.append(f"{path.stem}.{name}")
    assert not unused, ", ".join(unused)


# As small as it has become; what it may grow by is what a lesson gains.
LIMITS = {
    "helpers/**/*.py": 4_600,
    "helpers/**/*.js": 2_600,
    "helpers/**/*.css": 330,
    "web/*.*": 700,
}


@pytest.mark.parametrize(("pattern", "limit"), LIMITS.items())
def test_it_can_be_read_in_an_afternoon(pattern, limit):
    sizes = {path: len(path.read_bytes().splitlines()) for path in ROOT.glob(pattern)}
    assert sum(sizes.values()) <= limit
    if "css" not in pattern:
        assert not [path.name for path, size in sizes.items() if size > 480]


def test_no_path_edits():
    for path in tracked():
        if path.suffix == ".py":
            assert not re.search(r"sys\.path\.", path.read_text(encoding="utf-8")), path


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
    for rule in rules.sections():  # nbval drops a rule with an empty replace in silence
        assert rules[rule]["regex"] and rules[rule]["replace"], rule


# Lessons


def test_lessons_are_numbered_in_order():
    numbers = [int(lesson.name[:2]) for lesson in LESSONS]
    assert numbers == list(range(1, len(LESSONS) + 1)) and len(numbers) >= 5


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


def test_every_image_has_a_text_alternative(lesson):
    pages = [source(cell) for cell in cells(lesson, "markdown")]
    for cell in cells(lesson, "code"):
        for data in (output.get("data", {}) for output in cell["outputs"]):
            assert "image/png" not in data, f"{cell['id']}: use figures.show, which has an alt text"
            pages.append("".join(data.get("text/html", "")))
    images = re.findall(r"<img\b[^>]*>", "\n".join(pages))
    alts = [re.search(r'alt="([^"]*)"', image) for image in images]
    assert alts and all(alt and len(alt[1]) > 10 for alt in alts), alts
    assert all(len(alt) > 10 for alt in re.findall(r"!\[(.*?)\]\(", "\n".join(pages)))


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


def test_a_cell_says_by_a_tag_what_it_shows(lesson):
    code = [(source(cell), set(cell["metadata"].get("tags", []))) for cell in cells(lesson, "code")]
    for text, tags in code:
        lab = re.search(r"^(\w+ = )?widgets\.[A-Z]\w+\(", text, re.M) and "solution" not in tags
        training = "training_progress()" in text
        assert ("lab" in tags) >= bool(lab or training), text
        assert ("training" in tags) == training, text
    proofs = [cell for cell in cells(lesson, "code") if "proof" in cell["metadata"].get("tags", [])]
    assert len(proofs) == 1 and proofs[0]["metadata"]["jupyter"]["source_hidden"]


def test_lesson_credits_the_article_at_most_once(lesson):
    prose = "\n".join(source(cell) for cell in cells(lesson))
    assert prose.count("Robertson") <= 1


def test_lesson_links_to_its_neighbours(lesson):
    place = LESSONS.index(lesson)
    last = source(cells(lesson, "markdown")[-1])
    for neighbour in LESSONS[max(place - 1, 0) : place + 2]:
        if neighbour != lesson:
            assert f"({neighbour.name})" in last


@pytest.mark.parametrize("page", PAGES + LESSONS, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        text = "\n".join(source(cell) for cell in cells(page, "markdown"))
    found = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:href|src)="([^"]+)"', text)
    for link in found:
        if not re.match(r"https?:|data:|#|mailto:|attachment:", link):
            assert (page.parent / link.split("#")[0]).exists(), link


@pytest.mark.parametrize("page", PAGES + LESSONS, ids=lambda path: path.name)
def test_a_link_into_a_lesson_leads_to_a_heading(page):
    """JupyterLab names a heading by its text, with - for each space."""
    for name, heading in re.findall(r"\]\(([\w/.]*\.ipynb)?#([^)\s]+)\)", page.read_text("utf-8")):
        if name or page.suffix == ".ipynb":
            lesson = page.parent / name if name else page
            lines = "\n".join(source(cell) for cell in cells(lesson, "markdown")).splitlines()
            titles = [line.lstrip("# ").replace(" ", "-") for line in lines if line[:1] == "#"]
            assert heading in titles, heading


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
