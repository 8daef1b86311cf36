"""Errors that teach: each says what is wrong, where, and what would be right."""

from collections.abc import Iterable


class NafRobotError(Exception):
    """Root of every error that this package raises on purpose."""


class UnknownNameError(NafRobotError):
    """A name that is not among the known ones; the message lists those that are."""

    def __init__(self, what: str, name: object, valid: Iterable[object], where: str = "") -> None:
        place = f" in {where}" if where else ""
        names = ", ".join(sorted(str(item) for item in valid)) or "(none)"
        super().__init__(f"unknown {what} {name!r}{place}; valid: {names}")


class ConfigError(NafRobotError):
    """A configuration value of the wrong type or range, or two values that contradict."""


class RobotModelError(NafRobotError):
    """A robot description that lacks what the stack needs (joints, tool frame, limits)."""


class CodecError(NafRobotError):
    """Bytes that are not a message of ours: malformed, too large, wrong checksum or schema."""


class SpecMismatchError(CodecError):
    """A well-formed message that was made for another task or observation spec."""


class StoreError(NafRobotError):
    """A durable store that cannot be opened, read or written as asked."""


class ConflictError(StoreError):
    """Two different contents under one key: two senders with the same name, or one whose outbox was deleted."""


class LockedError(StoreError):
    """A file of a run that another process uses already."""


class CheckpointError(NafRobotError):
    """A checkpoint that is missing, incomplete, or of another task, algorithm or schema."""


class RunFolderError(NafRobotError):
    """A run folder that exists already, or that lacks what is asked of it."""


class SimulationError(NafRobotError):
    """A simulated world that cannot be built, or whose state is no longer physical."""
