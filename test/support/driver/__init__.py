"""A stand-in for the driver of a real arm: pure models of its controllers and drives, and a node in its own process."""

import json
import sys
from pathlib import Path

from driver.settings import Settings

NODE = Path(__file__).with_name("node.py")


def command_line(settings: Settings) -> list[str]:
    """What starts the stand-in as a process."""
    return [sys.executable, str(NODE), json.dumps(settings.values())]
