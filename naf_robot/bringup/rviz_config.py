"""RViz's configuration for any robots, made of `config/naf_robot.rviz`, which is for two."""

from collections.abc import Sequence
from typing import Any

from naf_robot.core.resources import find
from naf_robot.core.yaml_text import load_yaml, to_yaml

TEMPLATE = "config/naf_robot.rviz"
GROUP = "rviz_common/Group"


def rviz_config(robots: Sequence[str], template: str = TEMPLATE) -> str:
    """The text of a configuration in which each of `robots` has the displays that the first robot has in `template`."""
    values: Any = load_yaml(find(template))
    displays = values["Visualization Manager"]["Displays"]
    group = next(each for each in displays if each["Class"] == GROUP)
    shared = [each for each in displays if each["Class"] != GROUP]
    values["Visualization Manager"]["Displays"] = [*shared, *(_renamed(group, group["Name"], name) for name in robots)]
    return to_yaml(values)


def _renamed(value: Any, old: str, new: str) -> Any:
    """`value` with robot `new` in place of `old`: as a word of its own, or the namespace of a topic."""
    if isinstance(value, dict):
        return {key: _renamed(each, old, new) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, old, new) for each in value]
    if value == old:
        return new
    if isinstance(value, str) and value.startswith(f"/{old}/"):
        return f"/{new}/{value.removeprefix(f'/{old}/')}"
    return value
