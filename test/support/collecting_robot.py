"""An arm without physics that a collector drives, for tests of the collector's decisions."""

import numpy as np
from manual_clock import ManualClock
from policies import untrained

from naf_robot.arm.control.actions import JointVelocityActions
from naf_robot.collecting.collector import Collector
from naf_robot.core.records import PolicyParameters
from naf_robot.run.config import RunConfig, resolve

STEPS = 12
CONFIG = resolve(
    "reach",
    overrides=[
        {
            "task": {"episode_steps": STEPS},
            "collector": {
                "batch_transitions": 5,
                "evaluation_period": 3,
                "max_policy_age_s": 10.0,
                "exploration": {"scale": 0.3, "final_scale": 0.1, "window": 4},
            },
            "trainer": {"learning_starts": 1, "ratio_tolerance": 100},
        }
    ],
)
ROBOT = CONFIG.robot("robot_1")
MODEL = ROBOT.arm.model()
FULL = JointVelocityActions(MODEL.joint_names, np.ones(7))
POLICY = untrained(20, 7)


def parameters(version: int = 1, updates: int = 0, transitions: int = 0, arrays=None) -> PolicyParameters:
    return PolicyParameters(arrays or POLICY.arrays(), version, "reach", "", updates, transitions)


class Robot:
    """Integrates what the collector asks for, scaled as a safety projection might."""

    def __init__(self, scale: float = 0.5, offset: float = 0.0, config: RunConfig = CONFIG) -> None:
        self.clock = ManualClock()
        self.collector = Collector(config, "robot_1", MODEL, FULL, self.clock)
        self.position = np.array(ROBOT.arm.home) + offset
        self.velocity = np.zeros(7)
        self.time_s = 0.0
        self.scale = scale
        self.batches, self.ended, self.requests = [], [], {}

    def run(self, ticks: int, feedback: bool = True) -> None:
        for _ in range(ticks):
            self.time_s = round(self.time_s + 0.05, 6)
            signals = {"joint_position": self.position.copy(), "joint_velocity": self.velocity.copy()}
            tick = self.collector.tick(self.time_s, signals)
            self.velocity = self.scale * tick.desired_velocity
            self.requests[self.time_s] = tick.desired_velocity
            if feedback:
                self.collector.executed(self.time_s, self.velocity)
            self.position = self.position + 0.05 * self.velocity
            self.batches += [tick.batch] if tick.batch is not None else []
            self.ended += [tick.ended] if tick.ended is not None else []

    def run_until(self, condition, limit: int = 3000) -> None:
        for _ in range(limit):
            if condition():
                return
            self.run(1)
        raise AssertionError(f"did not happen; the collector is {self.collector.phase}")
