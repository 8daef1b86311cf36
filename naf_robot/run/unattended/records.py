"""What is kept of a run over days, as `statistics.json` holds it. Times are Unix time [s], durations [s]."""

import msgspec

from naf_robot.core.drift import ChangeDetector
from naf_robot.run.unattended.series import Course, Moments

FORMAT = 1


class SensorRecord(msgspec.Struct):
    """One sensor of one robot."""

    counts: dict[str, int] = msgspec.field(default_factory=dict)  # messages, missing, compared, identical
    age: Moments = msgspec.field(default_factory=Moments)  # [s] of the newest reading, once a second
    courses: dict[str, Course] = msgspec.field(default_factory=dict)  # rate, noise, mean, identical, missing


class Watched(msgspec.Struct):
    """One quantity that is watched for drift, gathered over windows of time."""

    detector: ChangeDetector = msgspec.field(default_factory=ChangeDetector)
    begin_s: float = 0.0  # of the window
    weight: float = 0.0  # values, or seconds
    total: float = 0.0
    low: float = 0.0
    alarms: int = 0


class NodeRecord(msgspec.Struct):
    """One node of a robot: the process that reported last, and its counters as it reported them."""

    process: str = ""
    starts: int = 0  # processes of this node that have reported
    raw: dict[str, int] = msgspec.field(default_factory=dict)


class RobotRecord(msgspec.Struct):
    """One robot."""

    seconds: dict[str, float] = msgspec.field(default_factory=dict)  # in each state
    counts: dict[str, int] = msgspec.field(default_factory=dict)  # of what nodes count, over all their processes
    nodes: dict[str, NodeRecord] = msgspec.field(default_factory=dict)
    sensors: dict[str, SensorRecord] = msgspec.field(default_factory=dict)
    policy_age: Moments = msgspec.field(default_factory=Moments)
    courses: dict[str, Course] = msgspec.field(default_factory=dict)
    watched: dict[str, Watched] = msgspec.field(default_factory=dict)
    state: str = ""  # as last reported
    pinned: str = ""  # version that it is pinned to


class HelpRequest(msgspec.Struct):
    """A robot needed a person, or something drifted."""

    robot: str
    text: str
    since_s: float
    waited_s: float = 0.0  # as long as a trainer watched
    open: bool = True
    drift: bool = False  # an alarm: it is closed as soon as it is made


class Statistics(msgspec.Struct):
    """A run."""

    format: int = FORMAT
    since_s: float = 0.0
    until_s: float = 0.0
    watched_s: float = 0.0  # of which a trainer ran
    sessions: int = 0
    robots: dict[str, RobotRecord] = msgspec.field(default_factory=dict)
    help: list[HelpRequest] = msgspec.field(default_factory=list)  # the newest ones, oldest first
    software: dict[str, str] = msgspec.field(default_factory=dict)  # of the newest session's trainer: versions, commit
    help_count: int = 0  # without alarms
    help_waited: Moments = msgspec.field(default_factory=Moments)  # of those that are over [s]
    alarms: int = 0
