"""Layers of values: a later one wins, and each leaf knows where it was given."""

from pathlib import Path

import pytest

from naf_robot.core.composition import Layer, assignments_layer, compose, file_layers, split_assignments
from naf_robot.core.errors import ConfigError


def test_a_later_layer_wins_leaf_by_leaf_and_says_so():
    low = Layer("low", {"a": {"x": 1, "y": 2}, "b": [1, 2]}, {("a", "x"): 3})
    high = Layer("high", {"a": {"y": 5}, "b": [9]})
    composition = compose([low, high])
    assert composition.values == {"a": {"x": 1, "y": 5}, "b": [9]}
    assert {path: composition.origin(path) for path in (("a", "x"), ("a", "y"), ("b",), ("c",))} == {
        ("a", "x"): "low:3",
        ("a", "y"): "high",
        ("b",): "high",
        ("c",): None,
    }


def test_a_value_in_the_place_of_a_mapping_ends_what_was_below_it():
    composition = compose([Layer("low", {"a": {"x": 1}}), Layer("high", {"a": None})])
    assert composition.values == {"a": None}
    assert composition.origin(("a", "x")) == "high"


def test_a_file_may_extend_the_one_beside_it(tmp_path: Path):
    (tmp_path / "base.yaml").write_text("a: 1\nb: 2\n")
    (tmp_path / "own.yaml").write_text("extends: base.yaml\nb: 3\n")
    composition = compose(file_layers(tmp_path / "own.yaml"))
    assert composition.values == {"a": 1, "b": 3}
    assert composition.origin(("a",)) == f"{tmp_path / 'base.yaml'}:1"
    (tmp_path / "base.yaml").write_text("extends: own.yaml\n")
    with pytest.raises(ConfigError, match="extends itself"):
        file_layers(tmp_path / "own.yaml")


@pytest.mark.parametrize(
    ("text", "assignments"),
    [
        ("", []),
        ("a.b=1 c=2", ["a.b=1", "c=2"]),
        ("a=[1, 2, 3]  b.c={x: [1, 2]}", ["a=[1, 2, 3]", "b.c={x: [1, 2]}"]),
        ("arm.urdf=/my data/arm 2.urdf seed=3", ["arm.urdf=/my data/arm 2.urdf", "seed=3"]),
        ('a="x b=1" c=2', ['a="x b=1"', "c=2"]),
        ("a='x b=1'", ["a='x b=1'"]),
    ],
)
def test_assignments_in_one_text_may_hold_lists_and_spaces(text: str, assignments: list[str]):
    assert split_assignments(text) == assignments


def test_a_text_that_is_no_assignment_is_said():
    with pytest.raises(ConfigError, match=r"settings 'fast a=1' must have the form key\.subkey=value"):
        split_assignments("fast a=1")
    with pytest.raises(ConfigError, match="the value in setting 'a=\\[1' is not valid YAML"):
        assignments_layer(["a=[1"])
