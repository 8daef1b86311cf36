"""`import naf_robot.gym` registers every task with Gymnasium: `gymnasium.make("naf_robot/Reach-v0")` then works."""

from naf_robot.run.environments import make_environment, register

__all__ = ["make_environment", "register"]

register()
