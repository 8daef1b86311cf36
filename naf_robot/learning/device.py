"""Checks that a learner's device is present, before anything starts. Loads torch only for a GPU."""

import re
from importlib import import_module

from naf_robot.core.errors import ConfigError

NAME = re.compile(r"cpu|cuda(?::(\d{1,3}))?")


def device_problem(name: str) -> str | None:
    """What is wrong with the device `name` as the rest of a sentence, None if a learner can run on it."""
    match = NAME.fullmatch(name)
    if match is None:
        return f"{name!r} is unknown; valid: cpu, cuda, cuda:0, cuda:1, ..."
    if name == "cpu":
        return None
    torch = import_module("torch")
    if not torch.cuda.is_available():
        built = "finds no GPU" if torch.version.cuda else "was built without CUDA"
        return f"{name!r} is not present: torch {torch.__version__} {built}; valid here: cpu"
    count = torch.cuda.device_count()
    if int(match[1] or 0) >= count:
        valid = ", ".join(["cpu", "cuda", *(f"cuda:{index}" for index in range(count))])
        return f"{name!r} is not present: this machine has {count} GPU(s); valid here: {valid}"
    return None


def check_device(name: str) -> None:
    """Reject a device that a learner cannot run on.

    Raises:
        ConfigError: it is no device's name, or the machine or torch has no such GPU.
    """
    problem = device_problem(name)
    if problem is not None:
        raise ConfigError(f"device {problem}")
