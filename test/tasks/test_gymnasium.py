"""The documented lines, typed by a user in a fresh process."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "first_hour.md").read_text(encoding="utf-8")


def test_the_lines_of_the_first_hour_make_an_environment(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (lines,) = [block for block in blocks if "gymnasium.make" in block]
    code = lines + textwrap.dedent(
        """
        observation, info = environment.reset(seed=0)
        assert environment.observation_space.contains(observation)
        *_, info = environment.step(environment.action_space.sample())
        print(sorted(info))
        """
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "executed_action" in run.stdout
