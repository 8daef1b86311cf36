"""The manual is tested: names in the code are in the docs, and no configuration hides a trap."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from naf_robot.arm.control.outputs import OUTPUTS
from naf_robot.bringup.options import options
from naf_robot.nodes import topics
from naf_robot.run.config import resolve, task_files
from naf_robot.sensing.registry import SENSORS, make_sensor
from naf_robot.tasks.registry import TASKS

ROOT = Path(__file__).resolve().parents[2]
GRAPH = (ROOT / "docs" / "graph.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND_LINE = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
FIRST_HOUR = (ROOT / "docs" / "first_hour.md").read_text(encoding="utf-8")
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
TOPICS = {value for name, value in vars(topics).items() if name.isupper()}
TOPICS |= {make_sensor(name).topic for name in SENSORS} | {kind.default_topic for kind in OUTPUTS.values()}


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


def test_the_command_line_page_names_every_option_of_train():
    for each in options():
        assert f"`{'--set' if each.name == 'settings' else each.flag}`" in COMMAND_LINE, each.name


def test_the_command_line_page_names_every_command_and_no_other():
    shown = subprocess.run(
        [sys.executable, "-m", "naf_robot.bringup.cli", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    commands = set(re.findall(r"^    (\w[\w-]*)(?:\s|$)", shown, re.MULTILINE))
    table = COMMAND_LINE.split("## train")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) == commands


def test_readme_begins_with_what_a_stranger_needs():
    assert len(README.split()) < 800
    assert README.index("make train") < README.index("make test") < README.index("## Where next")
    for needed in (
        "Python 3.10",
        "GB of disk",
        "## What it is not",
        "## Licence",
        "docs/first_hour.md",
        "docs/index.md",
    ):
        assert needed in README, needed


class Links(HTMLParser):
    """What a page loads, where its links lead, and its anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.loaded |= {values["src"]} if "src" in values else set()
        (self.loaded if tag == "link" else self.targets).update({values["href"]} if "href" in values else set())


def test_the_site_builds_without_warnings_and_needs_no_network(tmp_path: Path):
    pytest.importorskip("mkdocs", reason="needs MkDocs (pip install '.[docs]')")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    build = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert build.returncode == 0, build.stderr
    pages = {path.resolve(): Links(path) for path in tmp_path.rglob("*.html") if path.name != "404.html"}
    assert len(pages) >= len(list((ROOT / "docs").rglob("*.md")))
    for page, links in pages.items():
        assert not [url for url in links.loaded if urlsplit(url).netloc], f"{page.name} loads from the network"
        for target in links.loaded | links.targets:
            address = urlsplit(target)
            if address.netloc:
                continue
            file = (page.parent / unquote(address.path)).resolve() if address.path else page
            assert file.exists(), f"{page.name}: {target}"
            if address.fragment and file in pages:
                assert unquote(address.fragment) in pages[file].anchors, f"{page.name}: {target}"


@pytest.mark.ros
@pytest.mark.parametrize("number", range(len(PYTHON_BLOCK.findall(FIRST_HOUR))))
def test_python_of_the_first_hour_runs_as_printed(number: int, tmp_path: Path):
    pytest.importorskip("rclpy")
    pytest.importorskip("mujoco")
    script = tmp_path / "script.py"
    script.write_text(PYTHON_BLOCK.findall(FIRST_HOUR)[number], encoding="utf-8")
    environment = os.environ | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


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
