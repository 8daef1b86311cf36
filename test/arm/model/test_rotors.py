"""Rotors add their inertia to that of the joints that they drive."""

import numpy as np
import pytest

from naf_robot.run.config import resolve


@pytest.mark.parametrize("profile", ["arm7", "ur5e", "xarm7"])
def test_each_joint_gains_at_least_its_rotor_and_the_kinematics_stay(profile):
    config = resolve("reach", overrides=[{"profile": profile}]).robot("robot_1").arm
    arm, armature = config.model(), np.linspace(0.02, 0.1, len(config.joints))
    heavier = arm.with_rotors(armature)
    home = np.array(config.home)
    gained = np.diag(heavier.inertia(home) - arm.inertia(home))
    assert (gained >= armature - 1e-12).all()
    assert gained[-1] == pytest.approx(armature[-1])  # the last one carries no other
    np.testing.assert_allclose(heavier.tool_position(home), arm.tool_position(home))
    for inertia in list(heavier.pinocchio_model.inertias)[1:]:
        smallest, middle, largest = np.linalg.eigvalsh(inertia.inertia)
        assert largest <= smallest + middle + 1e-9  # as of every body
