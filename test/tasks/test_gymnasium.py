"""The documented lines, typed by a user in a fresh process."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readmes_lines_make_an_environment(tmp_path):
    (lines,) = re.findall(r"(?:^    .*\n)*^    environment = gymnasium\.make.*\n", README, re.MULTILINE)
    code = textwrap.dedent(lines) + textwrap.dedent(
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
