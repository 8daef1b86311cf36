"""What a run has set that learns from stored steps alone, unless the user sets something else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from naf_robot.core.composition import Layer
from naf_robot.learning.algorithm import ONLINE
from naf_robot.learning.registry import algorithm_config_type
from naf_robot.run.config import RunConfig

LEARNING_RATE = 3e-4  # of Adam: no new experience corrects what a larger one overshoots (docs/offline.md)
DEFAULT_ALGORITHM = "naf"


def offline_layer(folders: Sequence[Path], given: Sequence[Layer]) -> Layer:
    """The layer below those that the user gave, with `folders` as the only source.

    Learned from is the executed action: it says what led to the next observation, also where the projection changed
    the request, and no policy of this run collects more of what the data lack.
    """
    names = [str(layer.values["algorithm_name"]) for layer in given if "algorithm_name" in layer.values]
    values: dict[str, Any] = {
        "trainer": {
            "filled": {"offline": [str(folder) for folder in folders]},
            "sources": {"online": 0.0, "offline": 1.0},
            "action_source": "executed",
        }
    }
    if "learning_rate" in algorithm_config_type((names or [DEFAULT_ALGORITHM])[-1]).__struct_fields__:
        values["algorithm"] = {"learning_rate": LEARNING_RATE}
    return Layer("--offline", values, folder=Path.cwd())


def is_offline(config: RunConfig) -> bool:
    """Whether nothing that robots collect is learned from."""
    return ONLINE not in config.trainer.sources.drawn
