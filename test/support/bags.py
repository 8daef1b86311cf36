"""What a bag holds, by a reader that is not ours."""

from pathlib import Path

from rosbags import rosbag2


def recorded(folder: Path) -> dict[str, list[tuple[int, bytes]]]:
    """Log times [ns] and serialized messages by topic."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    with rosbag2.Reader(folder) as reader:
        for connection, stamp, data in reader.messages():
            found.setdefault(connection.topic, []).append((stamp, bytes(data)))
    return found
