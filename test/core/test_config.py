from pathlib import Path

import msgspec
import pytest

from naf_robot.core.composition import assignments_layer
from naf_robot.core.config import Config, build, dump_yaml, load_yaml, merge
from naf_robot.core.errors import ConfigError, UnknownNameError


class Inner(Config, frozen=True):
    rate: float = 0.5


class Outer(Config, frozen=True):
    count: int = 1
    inner: Inner = Inner()


def test_unknown_key_names_it_and_lists_the_valid_ones():
    with pytest.raises(UnknownNameError, match=r"'rat' in inner; valid: rate"):
        build(Outer, {"inner": {"rat": 1}})


def test_wrong_type_names_the_path():
    with pytest.raises(ConfigError, match=r"Expected `int`, got `str` at count"):
        build(Outer, {"count": "many"})


def test_number_that_yaml_reads_as_text_is_a_number(tmp_path: Path):
    path = tmp_path / "c.yaml"
    path.write_text("inner:\n  rate: 1e-3\n")
    assert build(Outer, load_yaml(path)).inner.rate == 0.001


def test_dump_and_load_give_an_equal_record(tmp_path: Path):
    path = tmp_path / "c.yaml"
    record = Outer(count=7, inner=Inner(rate=0.25))
    path.write_text(dump_yaml(record))
    assert build(Outer, load_yaml(path)) == record


def test_missing_file_and_non_mapping_are_said(tmp_path: Path):
    with pytest.raises(ConfigError, match="No such file"):
        load_yaml(tmp_path / "none.yaml")
    path = tmp_path / "list.yaml"
    path.write_text("- 1\n")
    with pytest.raises(ConfigError, match="must hold a mapping, not list"):
        load_yaml(path)


def test_overrides_nest_merge_and_keep_what_they_do_not_name():
    values = assignments_layer(["a.b=1", "a.c=[1, 2]", "d=true"]).values
    assert values == {"a": {"b": 1, "c": [1, 2]}, "d": True}
    base = {"a": {"b": 0, "z": 9}}
    assert merge(base, values) == {"a": {"b": 1, "c": [1, 2], "z": 9}, "d": True}
    assert base == {"a": {"b": 0, "z": 9}}
    with pytest.raises(ConfigError, match=r"'a\.b' must have the form"):
        assignments_layer(["a.b"])


class Fleet(Config, frozen=True):
    arms: dict[str, Inner] = msgspec.field(default_factory=dict)


def test_records_by_name_are_checked_under_their_name():
    assert build(Fleet, {"arms": {"left": {"rate": 2.0}}}).arms["left"].rate == 2.0
    with pytest.raises(UnknownNameError, match=r"'rat' in arms\.left; valid: rate"):
        build(Fleet, {"arms": {"left": {"rat": 1}}})
