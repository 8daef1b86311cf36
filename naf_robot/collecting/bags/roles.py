"""What a recorded topic is for, and where its messages stand among those of the same stamp."""

from naf_robot.core.graph_names import DESIRED_VELOCITY, EPISODE, EXECUTED_VELOCITY
from naf_robot.experience.bags.decoding import opened
from naf_robot.experience.bags.files import RawMessage, stamp_ns_of
from naf_robot.experience.bags.ordering import Stamped
from naf_robot.experience.episode_event import EpisodeEvent

READING, BEGIN, EXECUTED, DESIRED, END = range(5)  # ranks of messages with one stamp
JOINT_STATE, STRING = "sensor_msgs/msg/JointState", "std_msgs/msg/String"


def types_of(state_topic: str) -> dict[str, str]:
    """Message types by topic, of those topics whose type is always the same; names are relative to the robot's."""
    return dict.fromkeys((state_topic, DESIRED_VELOCITY, EXECUTED_VELOCITY), JOINT_STATE) | {EPISODE: STRING}


def stamped(topic: str, number: int, raw: RawMessage) -> Stamped:
    """Message `number` of a bag, of `topic`, with what it is sorted by.

    Raises:
        BagError, CodecError: it has no stamp that can be read.
    """
    if topic == EPISODE:
        event = EpisodeEvent.decode(opened(raw).data)
        return Stamped(event.stamp_ns, BEGIN if event.event == "begin" else END, raw.log_ns, number, raw)
    rank = {DESIRED_VELOCITY: DESIRED, EXECUTED_VELOCITY: EXECUTED}.get(topic, READING)
    return Stamped(stamp_ns_of(raw.data), rank, raw.log_ns, number, raw)
