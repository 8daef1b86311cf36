import json
from pathlib import Path

import pytest


@pytest.fixture
def replay(tmp_path: Path, capsys: pytest.CaptureFixture):
    """Runs the command in this process; the JSON object that it prints, with `code` and `error`."""

    synthetic_bag = pytest.importorskip("synthetic_bag", reason="needs the extra bags")
    from naf_robot.bringup.cli import main

    def run(*given: object, folder: str = "steps") -> dict:
        words = ["replay", *map(str, given), "--task", "reach", "--run-dir", str(tmp_path / folder), "--json"]
        code = main([*words, "--raw", "--set", *synthetic_bag.SETTINGS])
        out, err = capsys.readouterr()
        return (json.loads(out) if out else {}) | {"code": code, "error": err}

    return run
