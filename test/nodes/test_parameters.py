"""Every parameter of every executable is in the table, described, read-only or bounded; wrong ones are one sentence."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from naf_robot.run.node_parameters import OF_ALL, PARAMETERS, NodeParameter, declared_by, parameters_page

ROOT = Path(__file__).resolve().parents[2]
NODES = ROOT / "naf_robot" / "nodes"
OF_RCLPY = {"use_sim_time", "start_type_description_service"}
EXECUTABLES = sorted(path.stem for path in NODES.glob("*.py") if "return run(" in path.read_text(encoding="utf-8"))


def test_the_page_is_what_the_table_says():
    page = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert page == parameters_page(), "make it anew: naf-robot config --parameters > docs/parameters.md"


def test_the_table_has_every_executable_and_no_node_declares_another_parameter():
    assert sorted(PARAMETERS) == EXECUTABLES
    for path in NODES.glob("*.py"):
        if path.name != "parameters.py":
            assert "declare_parameter" not in path.read_text(encoding="utf-8"), path.name
    for name in EXECUTABLES:
        source = (NODES / f"{name}.py").read_text(encoding="utf-8")
        named = set(re.findall(r'node_parameters\.(?:get|change)\(\s*"(\w+)"', source))
        assert named <= {each.name for each in declared_by(name)}


@pytest.mark.parametrize("name", EXECUTABLES)
def test_every_parameter_says_what_it_means_and_may_change_only_within_bounds(name: str):
    for each in declared_by(name):
        assert len(each.text) > 5, each.name
        assert not each.dynamic or each.low is not None or each.choices, each.name
        assert each.found or each.refusal(each.default) is None, each.name
    names = [each.name for each in declared_by(name)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("parameter", "good", "bad", "text"),
    [
        (NodeParameter("a", 1.0, "", 0.0, 1.0), 0.5, 1.5, "must be 0 to 1, got 1.5"),
        (NodeParameter("a", 1.0, "", 0.0), 9.0, float("nan"), "must be at least 0, got nan"),
        (NodeParameter("a", [1], "", -1, 9), [-1, 9], [0, 10], "must be -1 to 9, got [0, 10]"),
        (OF_ALL[1], "events", "fastest", "must be events or single_threaded, got 'fastest'"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(parameter: NodeParameter, good, bad, text: str):
    assert parameter.refusal(good) is None
    assert parameter.refusal(bad) == text


PROBE = """
import sys
from naf_robot.run.node_parameters import PARAMETERS, NodeParameter, shown
PARAMETERS["probe"] = (
    NodeParameter("count", 1, "a number", 0, 5),
    NodeParameter("share", 0.5, "a share", 0.0, 1.0, dynamic=True),
    NodeParameter("names", [""], "some names"),
    shown("radius", 1.0, "a radius"),
)
import rclpy
from naf_robot.core.errors import NafRobotError
from naf_robot.nodes.parameters import NodeParameters
from rclpy.node import Node
from rclpy.parameter import Parameter

def made(*words):
    rclpy.init(args=["x", "--ros-args", *(w for word in words for w in ("-p", word))])
    node = Node("probe")
    try:
        p, seen = NodeParameters(node, "probe"), []
        print("get", p.get("count"), p.get("names"))
        p.change("share", seen.append)
        p.show(radius=2.5)
        for name in ("count", "share", "names", "radius"):
            d = node.describe_parameter(name)
            print(name, d.read_only, bool(d.description), len(d.integer_range) + len(d.floating_point_range))
        wrong = (("share", 2.0), ("share", "x"), ("share", 1), ("count", 2), ("radius", 9.0))
        for name, value in (("share", 0.25), *wrong):
            (result,) = node.set_parameters([Parameter(name, value=value)])
            print("set", name, value, result.successful, result.reason)
        print("seen", seen[-1], node.get_parameter("share").value, node.get_parameter("radius").value)
    except NafRobotError as error:
        print("error:", error)
    finally:
        node.destroy_node()
        rclpy.shutdown()

good = ((), ("count:=4", "names:=[a,b]", "share:=0.75"))
for words in (*good, ("count:=9",), ("count:=x",), ("share:=7.5",), ("radius:=1.0",)):
    print(">", *words)
    made(*words)
"""
EXPECTED = [
    "error: parameter 'count' of node 'probe' must be 0 to 5, got 9",
    "error: parameter 'count' of node 'probe' must be of type integer",
    "error: parameter 'share' of node 'probe' must be 0 to 1, got 7.5",
    "error: parameter 'radius' of node 'probe' follows from the run's configuration; change that",
]


@pytest.mark.ros
def test_declared_parameters_are_described_checked_and_only_the_dynamic_ones_change():
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=100, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert "get 1 ['']" in lines
    assert "get 4 ['a', 'b']" in lines
    assert {"count True True 1", "share False True 1", "names True True 0", "radius True True 0"} <= set(lines)
    changes = [line.split(" ", 4)[:4] for line in lines if line.startswith("set")][:6]
    assert [change[3] for change in changes] == ["True", "False", "False", "False", "False", "False"]
    assert "seen 0.25 0.25 2.5" in lines
    assert [line for line in lines if line.startswith("error")] == EXPECTED
