"""Whose robot the topics of a bag's namespace are: that of the same name, or the one that the user names."""

import argparse
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from naf_robot.core.errors import ConfigError
from naf_robot.run.robot import NAME

NONE = "/"  # how the namespace of topics that have none is written


class Named(NamedTuple):
    """One value of `--robots`."""

    space: str  # without slashes around it, "" for none
    robot: str


def named(text: str) -> Named:
    """The type of `--robots`: NAMESPACE=ROBOT."""
    space, equals, robot = text.partition("=")
    if not equals or not NAME.fullmatch(robot):
        raise argparse.ArgumentTypeError(
            f"must be NAMESPACE=ROBOT, such as /left_arm=left, or /=left for topics without a namespace, got {text!r}"
        )
    return Named(space.strip("/"), robot)


def robots_by_space(given: Sequence[Named], spaces: Collection[str]) -> dict[str, str]:
    """The robots that the user names, by namespace of the bags, which have `spaces`.

    Raises:
        ConfigError: a namespace that no bag has, or one that is given two robots.
    """
    found: dict[str, str] = {}
    for space, robot in given:
        if space not in spaces:
            there = ", ".join(map(shown, sorted(spaces))) or "none in which velocities are asked for"
            raise ConfigError(f"--robots {shown(space)}={robot}: no bag has the namespace {shown(space)}; "
                              f"there are: {there}")  # fmt: skip
        if found.setdefault(space, robot) != robot:
            raise ConfigError(f"--robots names two robots for {shown(space)}: {found[space]} and {robot}")
    return found


def names_for(spaces: Sequence[str], given: Mapping[str, str]) -> list[str]:
    """The robots of a new folder: those that are named, and those whose name is a namespace."""
    names = [given.get(space, space) for space in spaces]
    return list(dict.fromkeys(name for name in names if NAME.fullmatch(name))) or ["robot_1"]


def check_robots(given: Mapping[str, str], robots: Collection[str]) -> None:
    """Whether the robots that are `given` are among the `robots` of the configuration.

    Raises:
        ConfigError: one is not.
    """
    for space, robot in given.items():
        if robot not in robots:
            raise ConfigError(f"--robots {shown(space)}={robot}: the folder has no robot {robot!r}; "
                              f"its robots are: {', '.join(robots)}")  # fmt: skip


def robot_of(space: str, given: Mapping[str, str], robots: Sequence[str]) -> str | None:
    """The robot of a namespace, None where that is not known: several are configured, and none has its name."""
    if space in given:
        return given[space]
    if space in robots:
        return space
    return robots[0] if len(robots) == 1 else None


def shown(space: str) -> str:
    """The namespace as people write it."""
    return f"/{space}" if space else NONE
