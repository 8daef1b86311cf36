"""A task in a simulated world as a Gymnasium environment: the same task, projection and physics as over ROS."""

from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.control.actions import BoundActions
from naf_robot.arm.control.gripper import GripperConfig
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core.array_spec import ObservationSpec
from naf_robot.core.seeding import stream
from naf_robot.sensing.sensor import Sensor
from naf_robot.sensing.signals import Signals, with_kinematics
from naf_robot.sim.simulator import Simulator
from naf_robot.tasks.scripted.residual import PolicyActions, Unchanged
from naf_robot.tasks.task import Task

VECTOR = "state"  # the flat vector among named observations
Observed = NDArray[np.float32] | dict[str, NDArray]  # the flat vector (D,), or with pictures, by name


class TaskEnv(gymnasium.Env):
    """One robot in `simulator` learning `task`; what its actions in [-1, 1] mean is said by the task's action spec.

    With `policy_actions` an action, also the executed one, is a correction of a scripted policy; the reward is that of
    the whole action. Every `info` of a step holds `executed_action` (A,), what the safety projection let through;
    `reward_terms` by name; `success` and `distance`. The time limit truncates; only what the task calls a real end,
    or an action that asks for it, terminates.
    What was executed may leave the action box where the projection brakes; a record of experience should have both
    actions, and what learns from them decides which to take.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        task: Task,
        simulator: Simulator,
        projection: SafetyProjection,
        actions: BoundActions,
        robot: str = "robot_1",
        sensors: Sequence[Sensor] = (),
        policy_actions: PolicyActions | None = None,
        gripper: GripperConfig | None = None,
    ) -> None:
        self.task = task
        self._simulator = simulator
        self._projection = projection
        self.model = projection.model
        self.actions = actions
        self._policy_actions = policy_actions or Unchanged()
        self._robot = robot
        self._gripper = gripper
        self._sensors = tuple(sensors)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (actions.size,), np.float32)
        self.observation_space = observation_space(task.observation_spec)
        self._goals = stream(0, "goals")
        self._goal: Signals = {}
        self._signals: Signals = {}
        self._sent = np.zeros(self.model.size)
        self._step = 0
        self._success = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Put the arm at home and draw a new goal.

        With a `seed` everything that is drawn starts anew: the episodes from here on depend on it
        alone, to the last bit, whatever came before.
        """
        super().reset(seed=seed)
        if seed is not None:
            self._goals = stream(seed, "goals")
            self._simulator.reseed(seed)
        self._goal = self.task.sample_goal(self._goals)
        self._simulator.reset(self._robot, self.task.goal_position(self._goal), at_home=True)
        self._signals = self._read()
        self._sent = np.zeros(self.model.size)
        self._step = 0
        self._success = False
        self._policy_actions.begin(self._goal)
        return self._observation(), {"goal": dict(self._goal)}

    def step(self, action: NDArray[np.floating]) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Apply `action` (A,) for one control period, through the safety projection."""
        requested = self._policy_actions.whole(np.clip(np.asarray(action, dtype=np.float64), -1.0, 1.0))
        position = self._signals["joint_position"]
        result = self._projection.project(
            position,
            self._signals["joint_velocity"],
            self.actions.joint_velocity(requested, position),
            self._sent,
            self.task.control_period_s,
        )
        self._sent = result.velocity
        self._simulator.command(self._robot, result.velocity)
        numbers = self.actions.gripper(requested)
        if self._gripper is not None and numbers is not None:
            self._simulator.command_gripper(self._robot, self._gripper.effort(numbers))
        self._simulator.step()
        self._signals = self._read()
        self._step += 1
        succeeds = self.task.success(self._signals, self._goal)
        self._success = succeeds or (self._success and self.task.success_once)
        executed = self.actions.action(result.velocity, position, requested)
        terms = self.task.reward_terms(self._signals, self._goal, executed, requested)
        info = {
            "executed_action": self._policy_actions.part(executed).astype(np.float32),
            "reward_terms": dict(zip(self.task.reward_names, terms.tolist(), strict=True)),
            "success": self._success,
            "distance": self.task.distance(self._signals, self._goal),
            "active_limits": result.active,
        }
        terminated = self.task.terminated(self._signals, self._goal) or self.actions.ends_episode(requested)
        truncated = not terminated and self._step >= self.task.episode_steps
        return self._observation(), float(terms.sum()), terminated, truncated, info

    def _read(self) -> Signals:
        signals = self._simulator.signals(self._robot)
        for sensor in self._sensors:
            signals = sensor.fitted(signals)
        return with_kinematics(signals, self.model)

    def _observation(self) -> Observed:
        spec = self.task.observation_spec
        observation = self.task.observation(self._signals, self._goal)
        self._policy_actions.see(observation)
        vector = spec.flatten(observation)
        if not spec.images:
            return vector
        return {VECTOR: vector} | {image.name: observation[image.name] for image in spec.images}


def observation_space(spec: ObservationSpec) -> gymnasium.Space:
    """The flat vector as a Box (D,); with pictures a Dict of that, as `state`, and of each picture, a Box (H, W, 3)."""
    vector = gymnasium.spaces.Box(-np.inf, np.inf, (spec.size,), np.float32)
    if not spec.images:
        return vector
    pictures = {image.name: gymnasium.spaces.Box(0, 255, image.shape, np.uint8) for image in spec.images}
    return gymnasium.spaces.Dict({VECTOR: vector} | pictures)
