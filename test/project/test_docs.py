"""The manual is tested: names in the code are in the docs, and no configuration hides a trap."""

import re
from pathlib import Path

import pytest
import yaml

from naf_robot.bringup.options import options
from naf_robot.nodes import topics
from naf_robot.run.config import resolve, task_files
from naf_robot.sensing.registry import SENSORS, make_sensor
from naf_robot.tasks.registry import TASKS

ROOT = Path(__file__).resolve().parents[2]
GRAPH = (ROOT / "docs" / "graph.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOPICS = {value for name, value in vars(topics).items() if name.isupper()}
TOPICS |= {make_sensor(name).topic for name in SENSORS}


def test_every_topic_is_in_the_graphs_table_and_the_other_way_round():
    table = GRAPH.split("| service |")[0]
    documented = {name for line in table.splitlines() if line.startswith("| `") for name in [line.split("`")[1]]}
    assert documented == TOPICS


def test_every_service_is_documented():
    source = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "naf_robot" / "nodes").glob("*.py"))
    services = set(re.findall(r'create_service\(\w+, "([^"]+)"', source))
    assert len(services) >= 7
    for service in services:
        assert f"`{service}`" in GRAPH or f"`/{service}`" in GRAPH, service


def test_no_node_names_a_topic_outside_the_list():
    for path in (ROOT / "naf_robot" / "nodes").glob("*.py"):
        found = re.findall(r'create_(?:publisher|subscription)\(\s*\w+,\s*f?"([^"]*)"', path.read_text("utf-8"))
        assert all("{topics." in name for name in found), f"{path.name}: {found}"


def test_readme_names_every_option_of_train():
    for each in options():
        if each.name != "settings":
            assert each.flag in README, each.name


def test_links_of_the_docs_exist():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda p: p.stem)
def test_no_number_in_the_configs_is_read_as_text(path: Path):
    def walk(value, where):
        if isinstance(value, dict):
            for key, below in value.items():
                walk(below, f"{where}.{key}")
        elif isinstance(value, list):
            for index, below in enumerate(value):
                walk(below, f"{where}[{index}]")
        elif isinstance(value, str):
            assert not re.fullmatch(r"[-+]?[\d.]+([eE][-+]?\d+)?", value), f"{where}: {value!r} is a string in YAML"

    walk(yaml.safe_load(path.read_text(encoding="utf-8")), path.stem)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_task_has_a_configuration_that_resolves(task: str):
    assert task in task_files()
    assert resolve(task).task_name == task
