"""Algorithm folders: the same files everywhere, none knows another, and none lies about by itself."""

import ast
from pathlib import Path

import pytest

from naf_robot.learning.registry import ALGORITHMS

LEARNING = Path(__file__).resolve().parents[2] / "naf_robot" / "learning"
FILES = {"__init__.py", "config.py", "networks.py", "losses.py", "learner.py", "policy.py"}
# the engine behind its fast update, of no other algorithm, and the learner of pictures, which goes without it
OWN = {"naf": {"layers.py", "stacked.py", "vision.py"}}
SHARED = ("__pycache__", "policies", "vision")  # folders that are no algorithm
FOLDERS = sorted(p.name for p in LEARNING.iterdir() if p.is_dir() and p.name not in SHARED)


def modules(path: Path) -> set[str]:
    """Dotted names that `path` imports, of names from a package too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def of_algorithms(names: set[str]) -> set[str]:
    return {n.split(".")[2] for n in names if n.startswith("naf_robot.learning.") and n.split(".")[2] in FOLDERS}


def test_every_folder_is_an_algorithm_of_the_registry():
    own = {entry.learner.split(".")[2] for entry in ALGORITHMS.values() if entry.learner.startswith("naf_robot.")}
    assert set(FOLDERS) == own


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_has_the_files_of_every_algorithm(folder: str):
    assert {path.name for path in (LEARNING / folder).glob("*.py")} == FILES | OWN.get(folder, set())


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_no_other_algorithm(folder: str):
    for path in (LEARNING / folder).glob("*.py"):
        assert of_algorithms(modules(path)) <= {folder}, path.name


def test_what_is_shared_imports_no_algorithm_but_their_configurations_for_the_registry():
    for path in LEARNING.glob("*.py"):
        allowed = set(FOLDERS) if path.name == "registry.py" else set()
        assert of_algorithms(modules(path)) <= allowed, path.name
    for path in (p for folder in ("policies", "vision") for p in (LEARNING / folder).glob("*.py")):
        assert not of_algorithms(modules(path)), path.name


def test_the_rule_sees_a_violation(tmp_path: Path):
    path = tmp_path / "bad.py"
    path.write_text("from naf_robot.learning.naf import losses\nfrom naf_robot.learning import sac\n")
    assert of_algorithms(modules(path)) == {"naf", "sac"}


def test_every_algorithm_has_its_page():
    pages = LEARNING.parents[1] / "docs" / "algorithms"
    assert {path.stem for path in pages.glob("*.md")} >= set(FOLDERS)
