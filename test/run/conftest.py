"""A user's own arm: a copy of ours under another name, beside the file that names it."""

from pathlib import Path

import pytest

from naf_robot.core.resources import find

ARM = """arm:
  urdf: small.urdf
  tool_frame: tool
  joints: [joint_1, joint_2, joint_3, joint_4, joint_5, joint_6, joint_7]
  home: [0.0, 0.4, 0.0, -1.6, 0.0, 1.2, 0.0]
safety:
  sphere: {centre: [0.5, 0.0, 0.42], radius: 0.4}
"""


@pytest.fixture
def my_arm(tmp_path: Path) -> Path:
    """The file of an arm, `my_arm.yaml`, in a folder with a space in its name."""
    folder = tmp_path / "my arm #1"
    folder.mkdir()
    (folder / "small.urdf").write_text(find("urdf/arm7.urdf").read_text())
    path = folder / "my_arm.yaml"
    path.write_text(ARM)
    return path
