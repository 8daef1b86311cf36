"""The reference page of the configuration: up to date, and without a field that nobody explains."""

import subprocess
import sys
from pathlib import Path

import pytest

from naf_robot.core.config import Config
from naf_robot.core.field_descriptions import describe
from naf_robot.learning.registry import ALGORITHMS
from naf_robot.run.config import RunConfig
from naf_robot.sim.scenes.registry import SCENES
from naf_robot.study.config import StudyConfig
from naf_robot.tasks.registry import TASKS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
RECORDS = [
    record
    for record in (
        RunConfig,
        StudyConfig,
        *(entry.config for entry in TASKS.values()),
        *(entry.config_type for entry in ALGORITHMS.values()),
        *SCENES.values(),
    )
    if record.__module__.startswith("naf_robot.")  # not what other tests register
]


def test_the_page_is_what_the_records_say():
    printed = subprocess.run(  # in a process of its own: other tests register things in this one
        [sys.executable, "-m", "naf_robot.bringup.cli", "config", "--reference"], check=True, capture_output=True
    )
    assert PAGE.read_text(encoding="utf-8") == printed.stdout.decode(), (
        "make it anew: naf-robot config --reference > docs/configuration.md"
    )


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_says_what_it_means(record: type[Config]):
    silent = [field.name for field in describe(record, {}) if not field.meaning]
    assert silent == [], f"write what these mean in a comment behind each: {silent}"


def test_the_page_has_every_field_of_a_run():
    page = PAGE.read_text(encoding="utf-8")
    fields = list(describe(RunConfig, {}))
    assert len(fields) > 120
    assert all(f"| `{field.name}` |" in page for field in fields)
