"""The begin or the end of an episode, as a robot says it on its topic `episode`: one JSON object.

With it recorded messages say which of them belong to an episode, what its goal was and who acted.
"""

import math
from typing import Any, Literal

import msgspec

from naf_robot.core.errors import CodecError

OF_END = ("reason", "terminated", "success", "steps", "discarded")


class EpisodeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An episode begins or ends; what is said of its end has no meaning at its begin, and is not sent then."""

    event: Literal["begin", "end"]
    stamp_ns: int  # header stamp [ns]: at the begin of the first request, at the end of the observation that closes it
    episode: int  # number of the episode on its robot
    run_id: str  # of the run that it belongs to
    task: str  # name of the task
    observation_spec: str  # hash of the observation spec
    greedy: bool  # whether the policy acts without exploration
    policy_version: int  # that acts
    goal: dict[str, list[float]]  # named arrays of the task's goal, flat
    joints: list[str]  # names of the arm's joints
    max_joint_velocity: list[float]  # [rad/s] of each joint: the scale of the actions
    control_period_s: float  # time between two requests
    reason: str = ""  # why it ended
    terminated: bool = False  # by a real end, not truncated
    success: bool = False  # whether it was one
    steps: int = 0  # complete ones
    discarded: int = 0  # of them without an executed velocity

    def encode(self) -> str:
        """The event as JSON text, numbers to the last bit."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        if self.event == "begin":
            fields = {name: value for name, value in fields.items() if name not in OF_END}
        return msgspec.json.encode(fields).decode()

    @classmethod
    def decode(cls, text: str) -> "EpisodeEvent":
        """The event that `text` holds; fields that this version does not know are ignored.

        Raises:
            CodecError: `text` is no such event, or contradicts itself.
        """
        try:
            event = msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeEncodeError) as error:
            raise CodecError(f"episode event is malformed: {error}") from None
        if len(event.joints) != len(event.max_joint_velocity):
            raise CodecError(
                f"episode event has {len(event.joints)} joints and {len(event.max_joint_velocity)} velocities for them"
            )
        if event.control_period_s <= 0.0 or not all(speed > 0.0 for speed in event.max_joint_velocity):
            raise CodecError(
                "episode event must have a control period and joint velocities above zero, got "
                f"{event.control_period_s} and {event.max_joint_velocity}"
            )
        if min(event.stamp_ns, event.episode, event.steps, event.discarded) < 0:
            raise CodecError("episode event has a stamp or a number below zero")
        if not all(math.isfinite(number) for values in event.goal.values() for number in values):
            raise CodecError(f"episode event has a goal that is not finite: {event.goal}")
        return event
