"""Robots with different arms in one simulator."""

from pathlib import Path

import numpy as np
import pytest

from naf_robot.core.errors import UnknownNameError
from naf_robot.core.resources import find
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_simulator


def test_robots_with_different_arms_move_in_worlds_of_their_own(tmp_path: Path):
    longer = tmp_path / "longer.urdf"
    text = find("urdf/arm7.urdf").read_text()
    longer.write_text(text.replace('name="arm7"', 'name="longer"'))
    home = [0.0, 0.5, 0.0, -1.6, 0.0, 1.2, 0.0]
    own = {"arm": {"urdf": str(longer), "tool_frame": "tool", "home": home}}
    own["arm"]["joints"] = [f"joint_{index}" for index in range(1, 8)]
    own["safety"] = {"sphere": {"centre": [0.5, 0.0, 0.42], "radius": 0.4}}
    config = resolve("reach", overrides=[{"robots": {"left": None, "right": own}}])
    simulator = make_simulator(config, tuple(config.robots))
    assert simulator.robots == ("left", "right")
    np.testing.assert_allclose(simulator.signals("right")["joint_position"], home)
    simulator.command("right", np.full(7, 0.1))
    for _ in range(10):
        simulator.step()
    assert simulator.time_s == pytest.approx(0.5)
    moved = {name: np.abs(simulator.signals(name)["joint_velocity"]).max() for name in config.robots}
    assert moved["left"] < 0.01 < moved["right"]
    with pytest.raises(UnknownNameError, match="valid: left, right"):
        simulator.signals("middle")
