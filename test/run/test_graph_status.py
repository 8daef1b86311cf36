"""What `naf-robot status` says of a graph: who is there, what is missing, what is there twice."""

import pytest

from naf_robot.run.graph_status import GraphStatus, Report

WHERE = "ROS_DOMAIN_ID=7 ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST"
NODES = ("/left/velocity_control", "/left/collector", "/right/velocity_control", "/right/collector", "/trainer")


def graph(*nodes: str) -> GraphStatus:
    made = GraphStatus(WHERE)
    made.seen(nodes)
    for node in nodes:
        made.take(Report(node, "host:1", 0, "fine", {"lifecycle state": "active"} if "/" in node[1:] else {}))
    return made


def test_a_whole_graph_has_no_problem_and_a_line_for_each_node_robots_first():
    status = graph(*NODES)
    assert status.robots == ("left", "right")
    assert status.problems((), 1.0) == []
    lines = status.lines((), 1.0)
    assert lines[0] == "/left/collector: ok: fine"
    assert lines[-1] == "/trainer: ok: fine"
    assert len(lines) == len(NODES)
    assert len(status.lines(("left",), 1.0)) == 3
    status.take(Report("/left/collector", "host:1", 1, "waits", {"lifecycle state": "inactive"}))
    assert status.lines((), 1.0)[0] == "/left/collector: inactive, warning: waits"
    assert [node["node"] for node in status.document((), 1.0)["nodes"]] == sorted(NODES)


@pytest.mark.parametrize(
    ("nodes", "robots", "text"),
    [
        ((), (), f"no node of naf_robot on {WHERE}"),
        (NODES, ("middle",), f"no robot 'middle' on {WHERE}; there are left, right"),
        (("/trainer",), ("left",), f"no robot 'left' on {WHERE}; there is none"),
        (NODES[1:], (), "left: no velocity_control is running"),
        ((NODES[0], *NODES[2:]), (), "left: no collector is running"),
        (NODES[:4], (), f"no trainer on {WHERE}"),
        ((*NODES, "/other/trainer"), (), "2 trainers: /other/trainer, /trainer; robots need exactly one"),
    ],
)
def test_each_bad_graph_is_one_sentence(nodes: tuple[str, ...], robots: tuple[str, ...], text: str):
    (problem,) = graph(*nodes).problems(robots, 1.0)
    assert problem.startswith(text)


@pytest.mark.parametrize("node", ["/left/collector", "/left/velocity_control", "/trainer"])
def test_two_processes_under_one_name_are_seen_and_a_predecessor_is_not_one(node: str):
    status = graph(*NODES)
    status.take(Report(node, "host:2", 0, "fine", {}, 1.0))
    (problem,) = status.problems((), 2.0)
    assert problem == f"{node} runs 2 times (host:1, host:2): end all but one"
    for each in NODES:
        status.take(Report(each, "host:2", 0, "fine", {}, 5.0))
    assert status.problems((), 5.0) == []


def test_one_that_is_listed_but_silent_is_said_and_nodes_of_others_are_not():
    status = graph(*NODES)
    status.seen((*NODES, "/left/door_sensor", "/left/controller_manager"))
    status.take(Report("controller_manager: Hardware", "", 2, "of another package"))
    (problem,) = status.problems((), 1.0)
    assert problem.startswith("/left/door_sensor does not report: it hangs, or it was killed")
    assert not any("controller_manager" in line for line in status.lines((), 1.0))
    assert status.problems(("right",), 1.0) == []
