"""A run folder says which description its arms were made of, and a resumed run keeps it."""

import json
from pathlib import Path

import pytest
from urdf_texts import package

from naf_robot.bringup.training import SystemOptions, prepare
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.resources import find
from naf_robot.run.config import load

FALLBACK = "urdf: package://my_maker/arm.urdf\n  fallback_urdf: small.urdf"


def run(folder: Path, profile: Path):
    prepared = prepare(SystemOptions(run_dir=str(folder), robots="left,right", robot=str(profile)))
    prepared.lock.release()
    return prepared


def resumed(folder: Path):
    prepared = prepare(SystemOptions(resume=str(folder)))
    prepared.lock.release()
    return prepared


def test_a_changed_description_is_refused_and_one_that_only_looks_different_is_not(tmp_path: Path, my_arm: Path):
    folder, urdf = tmp_path / "run", my_arm.parent / "small.urdf"
    run(folder, my_arm)
    saved = json.loads((folder / run_files.DESCRIPTIONS).read_text())
    assert saved.keys() == {"left", "right"}
    assert saved["left"]["source"] == str(urdf)
    text = urdf.read_text()
    urdf.write_text(text.replace('rgba="0.95 0.5 0.1 1"', 'rgba="0.1 0.5 0.1 1"').replace("\n", "\r\n"))
    resumed(folder)
    for old, new in (('<cylinder radius="0.05"', '<cylinder radius="0.051"'), ("0 0 0.19", "0 0 0.2")):
        urdf.write_text(text.replace(old, new))
        with pytest.raises(
            RunFolderError, match=r"the description of 'left', .*small\.urdf, is not what it was"
        ) as caught:
            resumed(folder)
        assert "\n" not in str(caught.value)
    urdf.write_text(text)
    (folder / run_files.DESCRIPTIONS).unlink()  # a run folder of an older version
    resumed(folder)


def test_a_run_that_began_with_the_fallback_stays_with_it(
    tmp_path: Path, my_arm: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ROS_PACKAGE_PATH", raising=False)
    text = my_arm.read_text()
    my_arm.write_text(
        text.replace("urdf: small.urdf", "urdf: package://my_maker/arm.urdf\n  fallback_urdf: small.urdf")
    )
    began = run(tmp_path / "run", my_arm)
    assert began.notes[0].startswith("arm.fallback_urdf ")
    own = load(tmp_path / "run" / run_files.CONFIG).robot("left").arm
    assert (own.urdf, own.fallback_urdf) == (str(my_arm.parent / "small.urdf"), None)
    other = package(tmp_path, "my_maker")
    (other / "arm.urdf").write_text(find("urdf/arm7.urdf").read_text().replace("0 0 0.19", "0 0 0.2"))
    monkeypatch.setenv("ROS_PACKAGE_PATH", str(tmp_path))
    assert resumed(tmp_path / "run").config.robot("left").arm == own
    later = run(tmp_path / "other", my_arm)
    assert later.notes == []
    assert later.config.robot("left").arm.description().source == str(other / "arm.urdf")


def test_folders_of_packages_are_relative_to_the_file_that_gives_them(tmp_path: Path, my_arm: Path):
    made = package(my_arm.parent / "src" / "maker", "my_maker")
    (my_arm.parent / "small.urdf").rename(made / "arm.urdf")
    text = my_arm.read_text()
    my_arm.write_text(text.replace("small.urdf", "package://my_maker/arm.urdf\n  package_dirs: [src]"))
    own = run(tmp_path / "run", my_arm).config.robot("left").arm
    assert own.package_dirs == (str(my_arm.parent / "src"),)
    assert own.description().source == str(made / "arm.urdf")
    my_arm.write_text(text.replace("small.urdf", "package://my_maker/arm.urdf\n  package_dirs: [none]"))
    with pytest.raises(ConfigError, match=r"arm\.package_dirs\[0\]: file 'none' not found, neither below"):
        run(tmp_path / "other", my_arm)
