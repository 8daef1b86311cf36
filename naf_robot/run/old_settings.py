"""Settings whose names were others in older versions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from naf_robot.core.errors import RunFolderError

RENAMED = {  # dotted paths of older versions and today's
    "trainer.learned_action": "trainer.action_source",
    "trainer.success_share": "trainer.success_fraction",
    "collector.exploration.settled_scale": "collector.exploration.final_scale",
    "collector.exploration.settled_success": "collector.exploration.final_scale_success",
    "collector.exploration.settled_pause_share": "collector.exploration.noise_free_fraction",
    "collector.exploration.stretch_steps": "collector.exploration.mean_burst_steps",
}
VALUES = {("trainer.full_store", "thin"): "compact"}


def old_settings(values: Mapping[str, Any]) -> list[str]:
    """Dotted paths of the settings in `values` that an older version named."""
    return [old for old in RENAMED if _at(values, old) is not None] + [
        place for (place, old), _ in VALUES.items() if _at(values, place) == old
    ]


def refuse_old_settings(values: Mapping[str, Any], config_path: Path) -> None:
    """Raise where the configuration file of a run folder has names of an older version.

    Raises:
        RunFolderError: naming the command that converts the folder.
    """
    if old_settings(values):
        folder = str(config_path.parent)
        raise RunFolderError(
            f"run folder {folder!r} was written by an older version; convert it first: "
            f"naf-robot convert --run-dir {folder!r}"
        )


def rename_settings(values: dict[str, Any]) -> list[str]:
    """Give the settings of an older version in `values` today's names; the old ones that were there."""
    found = old_settings(values)
    for old, new in RENAMED.items():
        section = _at(values, old.rpartition(".")[0])
        if isinstance(section, dict) and (name := old.rpartition(".")[2]) in section:
            section[new.rpartition(".")[2]] = section.pop(name)
    for (place, old), new in VALUES.items():
        if _at(values, place) == old:
            _at(values, place.rpartition(".")[0])[place.rpartition(".")[2]] = new
    return found


def _at(values: Any, place: str) -> Any:
    for key in place.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values
