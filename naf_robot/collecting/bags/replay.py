"""Reads bags into a store: the batches that collectors sent, or steps rebuilt from the robots' topics."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from naf_robot.collecting.bags.declared import RUN_ID, Declared
from naf_robot.collecting.bags.findings import Findings
from naf_robot.collecting.bags.rebuild import Rebuild, RebuiltEpisode
from naf_robot.collecting.bags.recorded import Recorded
from naf_robot.collecting.bags.roles import stamped as with_stamp
from naf_robot.collecting.bags.roles import types_of
from naf_robot.collecting.bags.sink import Sink
from naf_robot.core.errors import CodecError
from naf_robot.core.graph_names import CLOCK, DESIRED_VELOCITY, EPISODE, EXPERIENCE
from naf_robot.core.stamps import BILLION
from naf_robot.experience.bags.files import Bag, BagError
from naf_robot.experience.bags.ordering import Stamped, in_stamp_order
from naf_robot.experience.contract import Contract
from naf_robot.run.config import RunConfig

UNNAMED = "robot_1"  # in the names of batches, the robot whose topics have no namespace
OF_RUN, OF_BAG = 8, 8  # hexadecimal digits of a collector's name in the store
NO_ROBOT_NAME = re.compile(r"[^a-z0-9_]")


def robots_in(bag: Bag) -> list[str]:
    """Namespaces in which somebody asks for velocities, such as `left`; "" for none."""
    found = []
    for topic in bag.topics:
        space, _, name = topic.rpartition("/")
        if name == DESIRED_VELOCITY:
            found.append(space.strip("/"))
    return sorted(found)


def has_experience(bag: Bag) -> bool:
    """Whether collectors' batches were recorded."""
    return bag.messages_of.get(EXPERIENCE, 0) > 0


@dataclass
class Result:
    """What became of the bags."""

    findings: Findings = field(default_factory=Findings)
    sources: dict[str, str] = field(default_factory=dict)  # of each bag, what was read: raw topics or experience
    span_s: float = 0.0  # time from the first to the last stamp of each robot, together
    by_end: dict[str, int] = field(default_factory=dict)  # rebuilt episodes by the reason of their end
    discarded: int = 0


def read_experience(bag: Bag, contract: Contract, sink: Sink, result: Result, shown: Callable[[int], None]) -> None:
    """Store the batches of a bag's `/experience`."""
    recorded = Recorded(
        contract, lambda what, log_ns: result.findings.note(what, f"{bag.name} at log time {log_ns * 1e-9:.3f} s")
    )
    for raw in bag.messages({EXPERIENCE}):
        shown(1)
        for run_id, message in recorded.take(raw):
            name = f"{message.collector}_{run_id[:OF_RUN]}"
            sink.put(name, message.sequence, message.first_step, message.batch)
    result.span_s += max(0.0, recorded.last_s - recorded.first_s)


def rebuild(
    bag: Bag,
    space: str,
    robot: str,
    config: RunConfig,
    delay_s: float,
    sink: Sink,
    result: Result,
    shown: Callable[[int], None],
    declared: Declared | None = None,
) -> None:
    """Store the steps that the topics in namespace `space` of a bag make, which are those of `robot` of `config`.

    `declared` counts where the robot's topic `episode` was not recorded.
    """
    prefix = f"/{space}/" if space else "/"
    label = space or robot

    def refuse(what: str, stamp_ns: int, episode: int | None, refused: bool) -> None:
        of = f" episode {episode}" if episode is not None else ""
        result.findings.note(what, f"{label}{of} at {stamp_ns * 1e-9:.3f} s", refused)

    simulated = any(topic == CLOCK or topic.endswith(CLOCK) for topic in bag.topics)
    declared = None if bag.messages_of.get(prefix + EPISODE) else declared
    made = Rebuild(config, robot, simulated, delay_s, refuse, declared)
    topics = {prefix + topic.removeprefix("/"): topic for topic in made.topics}
    missing = [name for name, topic in topics.items() if topic in made.required and not bag.messages_of.get(name)]
    if missing:
        what = f"has no messages on {', '.join(missing)}; there are {_listed(bag)}"
        if missing == [prefix + EPISODE]:
            what += "; --borders and --goal say where its episodes begin and end, and what their goal is"
        result.findings.note(what, f"{bag.name}")
        return

    types = types_of(made.required[0])
    for name, topic in topics.items():
        if name in bag.topics and bag.topics[name] != (wanted := types.get(topic, bag.topics[name])):
            result.findings.note(f"{name} is of type {bag.topics[name]}, not of {wanted}; nothing is rebuilt", bag.name)
            return

    def stamped() -> Iterator[Stamped]:
        for number, raw in enumerate(bag.messages(topics)):
            shown(1)
            try:
                yield with_stamp(topics[raw.topic], number, raw)
            except (BagError, CodecError) as error:
                result.findings.note(str(error), f"{label} at log time {raw.log_ns * 1e-9:.3f} s")

    numbered = _Numbered(space or UNNAMED, sink, result)
    for message in in_stamp_order(stamped(), is_cut_off=lambda: bag.ends_cut_off):
        for episode in made.take(topics[message.raw.topic], message):
            numbered.put(episode)
    for episode in made.finish(bag.ends_cut_off):
        numbered.put(episode)
    result.span_s += max(0, made.last_ns - made.first_ns) / BILLION


class _Numbered:
    """Numbers the batches of one robot of one bag, under a name that the same bag has again."""

    def __init__(self, label: str, sink: Sink, result: Result) -> None:
        self._label, self._sink, self._result = label, sink, result
        self._name = ""
        self._sequence = self._step = 0

    def put(self, episode: RebuiltEpisode) -> None:
        begin = episode.begin
        self._result.by_end[episode.reason] = self._result.by_end.get(episode.reason, 0) + 1
        self._result.discarded += episode.discarded
        if episode.batches:
            self._name = self._name or self._named(episode)
        for batch in episode.batches:
            self._sink.put(self._name, self._sequence, self._step, batch)
            self._sequence, self._step = self._sequence + 1, self._step + len(batch)
        if not episode.batches:
            where = f"{self._label} episode {begin.episode} at {begin.stamp_ns * 1e-9:.3f} s"
            self._result.findings.note("episode has no step to learn from", where)

    def _named(self, episode: RebuiltEpisode) -> str:
        begin = episode.begin
        of_bag = hashlib.sha256(f"{begin.run_id} {self._label} {begin.episode} {begin.stamp_ns}".encode())
        if begin.run_id == RUN_ID:  # simulated time begins alike in every recording
            of_bag.update(episode.batches[0].requested_action.tobytes() + episode.batches[0].action.tobytes())
        robot = NO_ROBOT_NAME.sub("_", self._label.lower()).strip("_") or "robot"
        return f"{robot}_{begin.run_id[:OF_RUN]}_{of_bag.hexdigest()[:OF_BAG]}"


def _listed(bag: Bag) -> str:
    names: Sequence[Any] = sorted(bag.topics)
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return (", ".join(names[:12]) or "no topics") + more
