"""Arms from small URDFs, and their motion in a simulator."""

import numpy as np

from naf_robot.arm.model.config import ArmConfig


def arm(tmp_path, text, joints=("hinge",), home=None, **settings):
    path = tmp_path / "arm.urdf"
    path.write_text(text)
    home = (0.0,) * len(joints) if home is None else home
    return ArmConfig(urdf=str(path), tool_frame="tool", joints=joints, home=home, **settings)


def moved(world, velocity, periods=10):
    world.command("a", np.asarray(velocity))
    for _ in range(periods):
        world.step()
    return world.signals("a")
