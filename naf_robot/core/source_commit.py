"""Which commit of this package's own source tree the code runs from."""

import os
import re
import subprocess
from pathlib import Path

from naf_robot.core.resources import PACKAGE, SOURCE_ROOT

TIMEOUT_S = 5.0


def source_commit(root: Path = SOURCE_ROOT) -> str | None:
    """The commit of the checkout whose top folder is `root`, with `-dirty` behind it where a tracked file was modified.

    None where the code does not run from a checkout of its own: an installed copy may well lie inside somebody
    else's repository, whose commits say nothing about it.
    """
    try:
        package = (root / "package.xml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if re.search(rf"<name>\s*{PACKAGE}\s*</name>", package) is None:
        return None
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root.resolve():
        return None
    commit, changes = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain", "--untracked-files=no")
    if commit is None or changes is None:
        return None
    return f"{commit}-dirty" if changes else commit


def _git(root: Path, *arguments: str) -> str | None:
    """What git answers in `root`, whatever repository the caller's environment names; None where it has no answer."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        run = subprocess.run(
            ["git", *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return run.stdout.strip()
