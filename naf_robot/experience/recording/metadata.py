"""The file that makes a folder of MCAP files a bag for rosbag2."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from naf_robot.core.files import replace_file
from naf_robot.experience.recording.mcap_file import FileFacts, Topic

METADATA = "metadata.yaml"
VERSION = 9  # of the metadata, as Jazzy writes them


def write_metadata(
    folder: Path, files: Iterable[FileFacts], topics: Iterable[Topic], about: Mapping[str, str] | None = None
) -> None:
    """Write the metadata of the bag in `folder`, of `files` with `topics`; `about` is kept as custom data.

    Raises:
        OSError: the disk.
    """
    files = list(files)
    counts = sum((Counter(file.counts) for file in files), Counter[str]())
    filled = [file for file in files if file.counts]
    first = min((file.first_ns for file in filled), default=0)
    last = max((file.last_ns for file in filled), default=0)
    information: dict[str, Any] = {
        "version": VERSION,
        "storage_identifier": "mcap",
        "duration": {"nanoseconds": last - first},
        "starting_time": {"nanoseconds_since_epoch": first},
        "message_count": counts.total(),
        "topics_with_message_count": [
            {
                "topic_metadata": {
                    "name": topic.name,
                    "type": topic.type_name,
                    "serialization_format": "cdr",
                    "offered_qos_profiles": yaml.safe_load(topic.qos) or [],
                    "type_description_hash": topic.type_hash,
                },
                "message_count": counts[topic.name],
            }
            for topic in topics
        ],
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [file.name for file in files],
        "files": [
            {
                "path": file.name,
                "starting_time": {"nanoseconds_since_epoch": file.first_ns},
                "duration": {"nanoseconds": file.last_ns - file.first_ns},
                "message_count": sum(file.counts.values()),
            }
            for file in files
        ],
        "custom_data": dict(about) if about else None,
        "ros_distro": "jazzy",
    }
    text = yaml.safe_dump({"rosbag2_bagfile_information": information}, sort_keys=False)
    replace_file(folder / METADATA, text.encode())
