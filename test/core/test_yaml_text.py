"""YAML as it is written: the kinds of text that PyYAML alone would change, lose or end in a traceback."""

from pathlib import Path

import pytest
import yaml

from naf_robot.core.errors import ConfigError
from naf_robot.core.yaml_text import load_with_lines, load_yaml, parse_scalar, parse_yaml, to_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1:30", "1:30"),
        ("1e-3", 0.001),
        ("1.5E+2", 150.0),
        (".5", 0.5),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("2026-01-02", "2026-01-02"),
        ("1_000", "1_000"),
        ("null", None),
        ("~", None),
        (".inf", float("inf")),
        ("=", "="),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: object):
    (found,) = parse_yaml(f"[{text}]", "text")
    assert found == value
    assert type(found) is type(value)
    scalar = parse_scalar(text, "text")
    assert (scalar, type(scalar)) == (value, type(value))


@pytest.mark.parametrize(
    "text", ["safety: {a: 1}\nother: 2\nsafety: {b: 2}\n", "a:\n  b:\n    c: 1\n    c: 1\n", "- {x: 1, x: 2}\n"]
)
def test_a_key_given_twice_is_refused_at_any_depth_with_both_lines(text: str):
    with pytest.raises(ConfigError, match=r"key '\w+' is given twice, in lines \d and \d") as caught:
        parse_yaml(text, "file")
    assert "\n" not in str(caught.value)


def test_a_merge_key_may_bring_in_what_is_then_overruled():
    assert parse_yaml("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n", "file")["b"] == {"x": 3, "y": 2}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"name: caf\xe9\n", r"is not UTF-8 text \(byte 0xe9 at position 9\); save it as UTF-8"),
        (b"a: [1, 2\n", "is not valid YAML, line 2"),
        (b"a: 'x\n", "is not valid YAML"),
        (b"a: \x00\n", "is not valid YAML"),
        (b"1: x\n", "key '1' must be text"),
        (b"null: x\n", "must be text"),
        (b"? [1, 2]\n: x\n", "must be text"),
        (b"a: !!python/object:os.system x\n", "is not valid YAML"),
        (b"a: " + b"[" * 5000 + b"]" * 5000, "nested too deeply"),
        (b"- 1\n", "must hold a mapping, not list"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, content: bytes, text: str):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=text) as caught:
        load_yaml(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path):
    path = tmp_path / "bom.yaml"
    path.write_bytes("\ufeffa: 1\n".encode())
    assert load_yaml(path) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/data/run #3/arm.urdf", "/data/run #3/arm.urdf"),
        ("run: second", "run: second"),
        ("[1, 2.5]", [1, 2.5]),
        ("{a: [1]}", {"a": [1]}),
        ('"010"', "010"),
        ("*star", "*star"),
        ("", None),
    ],
)
def test_a_word_of_the_command_line_is_a_scalar_or_what_its_brackets_hold(text: str, value: object):
    assert parse_scalar(text, "value") == value


@pytest.mark.parametrize("text", ["[1, 2", "{a: 1", '"open', "'open", "[1, 2]]"])
def test_brackets_and_quotes_that_do_not_match_are_one_sentence(text: str):
    with pytest.raises(ConfigError, match="value is not valid YAML") as caught:
        parse_scalar(text, "value")
    assert "\n" not in str(caught.value)


def test_what_is_written_is_read_back_by_both_versions_of_yaml():
    values = {"text": ["yes", "no", "y", "1e-3", "010", "1:30", "2026-01-02", "null", "run: #3", "é"], "number": [1e-5]}
    assert parse_yaml(to_yaml(values), "text") == values
    assert yaml.safe_load(to_yaml(values)) == values


def test_each_key_has_its_line(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\nb:\n  c: 2\n  d: {e: 3}\n")
    assert load_with_lines(path)[1] == {("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "d"): 4, ("b", "d", "e"): 4}
