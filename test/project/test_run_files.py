"""Names of a run folder's files stand in one module."""

import ast
from pathlib import Path

from naf_robot.core import run_files

PACKAGE = Path(__file__).resolve().parents[2] / "naf_robot"
NAMES = {value for name, value in vars(run_files).items() if name.isupper()}


def test_no_path_is_made_of_a_name_that_the_module_has():
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
                continue
            if isinstance(node.right, ast.Constant) and node.right.value in NAMES:
                found.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {node.right.value!r}")
    assert found == []
    assert len(NAMES) > 15
