"""The margin of the sphere against what the simulated servos really do."""

import numpy as np
import pytest

from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_simulator


@pytest.mark.parametrize("dropped", [0.0, 0.2])
def test_the_tool_stays_inside_though_servos_lag_and_drives_stop(dropped):
    """Hard changes of velocity, pushes outward, and commands that never arrive while the drives stop by themselves."""
    config = resolve("reach", overrides=[{"robots": ["arm"]}])
    own = config.robot("arm")
    simulator, model, sphere = make_simulator(config, ("arm",)), own.arm.model(), own.safety.sphere
    projection, random, centre = SafetyProjection(model, own.safety), np.random.default_rng(3), sphere.centre
    worst_m, push = -np.inf, np.zeros(model.size)
    for step in range(1250):
        if step % 250 == 0:
            simulator.reset("arm", None, at_home=True)
            sent, stopped = np.zeros(model.size), 0
        signals = simulator.signals("arm")
        position, velocity = signals["joint_position"], signals["joint_velocity"]
        point, jacobian = model.tool_jacobian(position)
        worst_m = max(worst_m, float(np.linalg.norm(point - centre)) - sphere.radius)
        if step % 6 == 0:
            outward = np.sign((point - centre) @ jacobian)
            push = 0.7 * random.normal(size=model.size) + random.choice([0.0, 1.0]) * outward
        command = np.clip(push + 0.3 * random.normal(size=model.size), -1.0, 1.0)
        sent = projection.project(position, velocity, command, sent, simulator.control_period_s).velocity
        stopped = stopped - 1 if stopped else int(random.random() < dropped) * int(random.integers(1, 4))
        simulator.command("arm", np.zeros(model.size) if stopped else sent)
        simulator.step()
    assert worst_m <= 0.0
