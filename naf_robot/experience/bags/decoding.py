"""Opens messages of a bag: objects with the fields that ROS gives them, and the bytes of byte messages."""

from functools import cache
from typing import Any

from rosbags.typesys import Stores, get_typestore

from naf_robot.experience.bags.files import BagError, RawMessage


@cache
def _types() -> Any:
    return get_typestore(Stores.ROS2_JAZZY)


def opened(message: RawMessage) -> Any:
    """The message with its fields; sequences of numbers are arrays.

    Raises:
        BagError: its bytes are no message of its type, or of a type that is not among those of ROS 2 Jazzy.
    """
    try:
        return _types().deserialize_cdr(message.data, message.type_name)
    except Exception as error:  # noqa: BLE001  what a foreign type or damaged bytes raise has no common kind
        raise BagError(f"{message.topic}: cannot read a message of type {message.type_name!r}: {error!r}") from None


def bytes_of(message: RawMessage) -> bytes:
    """The bytes of a std_msgs/UInt8MultiArray.

    Raises:
        BagError: as `opened`.
    """
    return bytes(opened(message).data)
