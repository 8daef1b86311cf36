"""Whether a learner's device is there, told before anything starts. Loads torch only for a GPU."""

import re

from naf_robot.core.errors import ConfigError

NAME = re.compile(r"cpu|cuda(?::(\d{1,3}))?")


def check_device(device: str) -> None:
    """Refuse a device that a learner cannot run on.

    Raises:
        ConfigError: it is no device's name, or the machine or torch has no such GPU.
    """
    match = NAME.fullmatch(device)
    if match is None:
        raise ConfigError(f"device {device!r} is unknown; valid: cpu, cuda, cuda:0, cuda:1, ...")
    if device == "cpu":
        return
    import torch

    if not torch.cuda.is_available():
        built = "finds no GPU" if torch.version.cuda else "was built without CUDA"
        raise ConfigError(f"device {device!r} is not there: torch {torch.__version__} {built}; valid here: cpu")
    count = torch.cuda.device_count()
    if int(match[1] or 0) >= count:
        valid = ", ".join(["cpu", "cuda", *(f"cuda:{index}" for index in range(count))])
        raise ConfigError(f"device {device!r} is not there: this machine has {count} GPU(s); valid here: {valid}")
