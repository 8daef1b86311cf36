"""The summary names the commit of our own source tree, and no other repository's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from naf_robot.core.resources import SOURCE_ROOT
from naf_robot.core.source_commit import source_commit

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
PACKAGE_XML = "<package><name>naf_robot</name></package>\n"


def git(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "package.xml").write_text(PACKAGE_XML)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def test_a_checkout_of_its_own_is_named_and_marked_where_it_was_modified(repository: Path):
    commit = git(repository, "rev-parse", "HEAD").strip()
    assert source_commit(repository) == commit
    (repository / "notes").write_text("untracked")
    assert source_commit(repository) == commit
    (repository / "package.xml").write_text(PACKAGE_XML + "<!-- modified -->\n")
    assert source_commit(repository) == f"{commit}-dirty"


def test_the_callers_environment_does_not_lead_elsewhere(repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_DIR", str(SOURCE_ROOT / ".git"))
    assert source_commit(repository) == git(repository, "rev-parse", "HEAD").strip()


def test_somebody_elses_repository_is_not_named(repository: Path, tmp_path: Path):
    below = repository / "src" / "naf_robot"
    below.mkdir(parents=True)
    (below / "package.xml").write_text(PACKAGE_XML)
    assert source_commit(below) is None
    (repository / "package.xml").write_text("<package><name>theirs</name></package>\n")
    assert source_commit(repository) is None
    (repository / "package.xml").unlink()
    assert source_commit(repository) is None


def test_an_installed_copy_inside_a_foreign_repository_has_none(repository: Path):
    site = repository / "lib"
    shutil.copytree(SOURCE_ROOT / "naf_robot", site / "naf_robot", ignore=shutil.ignore_patterns("__pycache__"))
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "two")
    code = "from naf_robot.core import source_commit as s; print(s.__file__, s.source_commit())"
    environment = os.environ | {"PYTHONPATH": str(site)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=site, env=environment, capture_output=True, text=True, check=True
    )
    file, commit = run.stdout.split()
    assert Path(file).is_relative_to(site)
    assert commit == "None"


def test_outside_any_repository_there_is_none(tmp_path: Path):
    (tmp_path / "package.xml").write_text(PACKAGE_XML)
    assert source_commit(tmp_path) is None
