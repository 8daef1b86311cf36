"""What the configurations of a trainer and of a robot on another machine must have in common, by name.

What else a run's configuration holds belongs to one of them: arm, safety, driver and exploration to the robot's, the
algorithm to the trainer's. A robot takes `TrainerFacts` from its trainer, whatever its own configuration says.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.config import Config
from naf_robot.core.sequential import EvaluationRule, SequentialConfig, SuccessTest, new_test
from naf_robot.core.types import NonNegativeFloat, PositiveInt
from naf_robot.run.ratio import RatioLimiter
from naf_robot.run.robot_parts import action_size
from naf_robot.run.run_config import RunConfig

SHOWN = 3  # differences that a sentence names


class TrainerFacts(Config, frozen=True):
    """What collectors need to know of their trainer's settings."""

    updates_per_transition: NonNegativeFloat = 1.0
    ratio_tolerance: PositiveInt = 300
    learning_starts: PositiveInt = 300
    evaluation_window: PositiveInt = 20
    evaluation_rule: EvaluationRule = "sequential"
    sequential: SequentialConfig = SequentialConfig()

    def ratio(self) -> RatioLimiter:
        """The limiter that these settings describe."""
        return RatioLimiter(self.updates_per_transition, self.ratio_tolerance, self.learning_starts)

    def new_test(self) -> SuccessTest:
        """A test of one policy on one robot that has seen no episode."""
        return new_test(self.evaluation_rule, self.sequential, self.evaluation_window)


def facts_of(config: RunConfig) -> TrainerFacts:
    """The facts that the trainer of `config` tells."""
    own = config.trainer
    return TrainerFacts(
        own.updates_per_transition,
        own.ratio_tolerance,
        own.learning_starts,
        own.evaluation_window,
        own.evaluation_rule,
        own.sequential,
    )


def agreement_of(config: RunConfig) -> dict[str, str]:
    """What must be equal on both sides, as text by its name."""
    task = config.make_task()
    values: dict[str, Any] = {
        "task_name": config.task_name,
        "joints": config.joint_count,
        "action size": action_size(config),
        "collector.action_velocity": config.collector.action_velocity,
        "reward terms": list(task.reward_names),
    }
    if config.intervention.enabled:
        values["intervention.enabled"] = True
    if config.residual.scale:
        values["residual.scale"] = config.residual.scale
    values |= {f"observation {spec.name}": _described(spec) for spec in task.observation_spec.arrays}
    values |= {".".join(path): value for path, value in _leaves(msgspec.to_builtins(config.task), ("task",))}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def disagreement(robot: Mapping[str, str], trainer: Mapping[str, str]) -> str:
    """How the two differ, in words; "" if they do not."""
    names = [name for name in dict.fromkeys([*trainer, *robot]) if robot.get(name) != trainer.get(name)]
    told = [f"{name} is {trainer.get(name, 'none')} there and {robot.get(name, 'none')} here" for name in names[:SHOWN]]
    more = f" (and {len(names) - SHOWN} more)" if len(names) > SHOWN else ""
    return "; ".join(told) + more


def _described(spec: ArraySpec) -> str:
    bounds = f" in [{spec.low:g}, {spec.high:g}]" if spec.is_bounded else ""
    where = f" in frame {spec.frame}" if spec.frame else ""
    return f"{spec.dtype} {'x'.join(map(str, spec.shape))} {spec.unit}{where}{bounds}"


def _leaves(value: Any, place: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*place, str(key)))]
    return [(place, value)]
