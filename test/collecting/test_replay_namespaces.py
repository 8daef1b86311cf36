"""Bags whose namespaces are not the names of robots."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("rosbags", reason="needs the extra bags")

import synthetic_bag as bags
from replaying import contents, stored
from synthetic_bag import STEPS

from naf_robot.bringup.cli import main
from naf_robot.core.records import concatenate
from naf_robot.run.config import load


def robots(folder: Path) -> list[str]:
    return list(load(folder / "config.yaml").robots)


@pytest.mark.parametrize("space", ["left_arm", "lab/Left-1", ""])
def test_a_namespace_is_the_robot_that_the_user_names(tmp_path: Path, replay, space: str):
    made = bags.write(tmp_path / "bag", bags.bag_of(1, space))
    result = replay(made, "--robots", f"/{space}=left")
    assert (result["code"], result["steps"], result["refused"]) == (0, STEPS, 0)
    assert robots(tmp_path / "steps") == ["left"]
    own = bags.write(tmp_path / "own_bag", bags.bag_of(1, "left"))
    replay(own, folder="own")
    assert contents(concatenate(stored(tmp_path / "steps"))) == contents(concatenate(stored(tmp_path / "own")))
    again = replay(made)  # the folder has one robot: whose it is needs no words
    assert (again["steps"], again["added"]) == (STEPS, 0)


def test_topics_without_a_namespace_need_no_option(tmp_path: Path, replay):
    made = bags.write(tmp_path / "bag", bags.bag_of(1, ""))
    first = replay(made)
    assert (first["added"], first["refused"]) == (STEPS, 0)
    assert robots(tmp_path / "steps") == ["robot_1"]
    assert replay(made, "--robots", "/=robot_1")["added"] == 0


def test_each_namespace_has_the_arm_of_its_robot(tmp_path: Path, replay):
    """Velocities are actions by the scale of the robot whose topics they are."""
    file = tmp_path / "robots.yaml"
    file.write_text(yaml.safe_dump({"robots": {"fast": {}, "left": {"profile": "fr3"}}}))
    made = bags.write(tmp_path / "bag", bags.bag_of(1, "arm"))
    good = replay(made, "--config", file, "--robots", "arm=fast")
    assert (good.get("steps"), good.get("refused")) == (STEPS, 0), good["error"]
    other = replay(made, "--config", file, "--robots", "arm=left", folder="other")
    assert other["code"] == 2
    assert "--robot names a profile" in other["error"]
    unnamed = replay(made, folder="steps")
    assert unnamed["code"] == 2
    assert "namespace /arm is none of the robots fast, left; --robots /arm=ROBOT says whose it is" in unnamed["error"]


BAD = {
    "an unknown namespace": (["/right_arm=left"], "no bag has the namespace /right_arm; there are: /left_arm"),
    "two robots": (["/left_arm=left", "left_arm=right"], "two robots for /left_arm: left and right"),
    "no robot": (["/left_arm"], "must be NAMESPACE=ROBOT"),
    "no name": (["/left_arm=The Left"], "must be NAMESPACE=ROBOT"),
    "not of the folder": (["/left_arm=right", "--set", "robots=left"], "has no robot 'right'; its robots are: left"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_fits_no_namespace_or_robot_is_one_sentence_and_leaves_nothing(tmp_path: Path, replay, capsys, bad: str):
    words, sentence = BAD[bad]
    made = bags.write(tmp_path / "bag", bags.bag_of(1, "left_arm"))
    if "must be" in sentence:
        with pytest.raises(SystemExit, match="2"):
            replay(made, "--robots", *words)
        said = capsys.readouterr().err
    else:
        said = replay(made, "--robots", *words)["error"]
    assert sentence in said
    assert not (tmp_path / "steps").exists()


def test_robots_are_for_rebuilding_alone(tmp_path: Path, capsys):
    entries = bags.bag_of(1, "left_arm")
    kind = "std_msgs/msg/UInt8MultiArray"
    layout = bags.T["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
    entries.append(bags.Entry("/experience", kind, entries[-1].log_ns, bags.T[kind](layout, np.zeros(3, np.uint8))))
    made = bags.write(tmp_path / "bag", entries)
    words = ["replay", str(made), "--task", "reach", "--run-dir", str(tmp_path / "steps")]
    assert main([*words, "--robots", "left_arm=left"]) == 2
    assert "give --raw" in capsys.readouterr().err
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir())) == '["bag"]'
