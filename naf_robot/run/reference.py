"""The reference page of every configuration field, made from the records."""

from collections.abc import Iterator

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.field_descriptions import FieldDescription, describe
from naf_robot.learning.registry import ALGORITHMS
from naf_robot.run.run_config import RunConfig
from naf_robot.sensing.registry import SENSORS
from naf_robot.sim.scenes.registry import SCENES
from naf_robot.tasks.registry import TASKS

HEAD = """# Configuration

Every value of a run, made from the records by `naf-robot config --reference > docs/configuration.md`; do not edit.

A value is taken from the last place that gives it: the record's default (below), the robot's profile
(`config/robots`), the task's file (`config/tasks`), what the profile says of that task, the algorithm's file
(`config/algorithms`), the files of `--config` in their order, the options of the command line, `--set KEY=VALUE`. A
default never overrules a value that was given. `naf-robot config --task reach` prints the composed values with the file
and line, or the option, that each comes from; `naf-robot config --run-dir DIR` those of a run.

`robots` is a count (`2`), names (`left,right`) or, in a file, a mapping from names to what is particular to each robot.
`arm`, `safety`, `velocity_control`, `base_pose`, `backend`, `output` and `profile` at the top level of a file, or of
`--set`, are meant for every robot. Relative paths start at the file that gives them (at the working folder on the
command line), else at the package's shared files. Files are YAML 1.2: `1e-3` is a number, `yes` and `on` are text, and
no key may stand twice. A file may begin with `extends: OTHER.yaml`, the file beside it that it is written over.
"""


def reference_page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    parts += _section("Every run", RunConfig, "")
    for name, task in sorted(TASKS.items()):
        parts += _section(f"Task {name}", task.config, "task")
    for name, algorithm in sorted(ALGORITHMS.items()):
        parts += _section(f"Algorithm {name}", algorithm.config_type, "algorithm")
    for name, record in sorted(SCENES.items()):
        if msgspec.structs.fields(record):
            parts += _section(f"Scene {name}", record, "simulator.scene")
    for name, sensor in sorted(SENSORS.items()):
        parts += _section(f"Sensor {name}", sensor.config, f"sensors.{name}")
    return "\n".join(parts) + "\n"


def _section(title: str, record: type[Config], place: str) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| field | type and range | default | unit | meaning |\n|---|---|---|---|---|"
    for field in describe(record, {}, tuple(place.split(".")) if place else ()):
        yield _row(field)
    yield ""


def _row(field: FieldDescription) -> str:
    kind = f"{field.kind}, {field.range}" if field.range else field.kind
    default = f"`{field.default}`" if field.default else "must be given"
    cells = (f"`{field.name}`", kind, default, field.unit, field.meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
