"""The tables of results on the pages are those of the JSON files."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import results_tables

ROW_KEYS = {"task", "algorithm", "library", "seed", "episodes_to_95", "held_out_success", "env_steps"}


def test_every_table_on_a_page_is_made_from_the_files():
    found = results_tables.tables()
    for table in found:
        assert results_tables.on_page(table) == table.text, (
            f"run python benchmarks/results_tables.py --write: {table.page}"
        )
    assert found[0].page.name == "README.md"


def test_another_number_in_a_file_is_another_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, *_ in results_tables.LINES:
        (tmp_path / f"{name}.json").write_bytes((results_tables.RESULTS / f"{name}.json").read_bytes())
    monkeypatch.setattr(results_tables, "RESULTS", tmp_path)
    before = results_tables.tables()[0].text
    document = json.loads((tmp_path / "door_pull.json").read_text())
    document["seeds"][0]["rows"][-1]["episodes"] = 77
    (tmp_path / "door_pull.json").write_text(json.dumps(document))
    after = results_tables.tables()[0].text
    assert "after 77, " in after
    assert after.replace("77", "220") == before


def test_rows_of_the_study_have_what_is_promised_of_them():
    if not results_tables.TABLE4.is_file():
        pytest.skip("docs/results/table4.json has not been measured yet")
    document = json.loads(results_tables.TABLE4.read_text())
    assert document["rows"]
    for row in document["rows"]:
        assert row.keys() >= ROW_KEYS
        assert (row["episodes_to_95"] is None) == (row["env_steps"] is None)
