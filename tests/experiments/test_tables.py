import csv
import json
from pathlib import Path

import pytest

from experiments.goals import at_least, at_most, goals_table
from experiments.report import Report, slug
from experiments.tables import Table


def test_markdown_columns_stand_under_each_other() -> None:
    table = Table("Title", ("a", "long name"))
    table.add("value", 1)
    assert table.markdown() == "**Title**\n\n| a     | long name |\n|-------|-----------|\n| value | 1         |"


def test_csv_gives_back_what_went_in(tmp_path: Path) -> None:
    table = Table("Title", ("a", "b"))
    table.add('with, comma and "quotes"', 0.5)
    table.write_csv(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["a", "b"], ['with, comma and "quotes"', "0.5"]]


def test_a_row_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Table("Title", ("a", "b")).add("value")


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (at_most("time", 15, 15, "ms"), "met"),
        (at_most("time", 15.1, 15, "ms"), "MISSED"),
        (at_least("ratio", 10, 10), "met"),
        (at_least("ratio", 9.99, 10), "MISSED"),
    ],
)
def test_a_goal_says_whether_its_bound_is_kept(goal, verdict: str) -> None:
    assert goals_table([goal]).rows[0][-1] == verdict


def test_a_report_writes_tables_and_versions_beside_each_other(tmp_path: Path) -> None:
    table = Table("Some bytes: of a model", ("a",))
    table.add(1)
    Report("name", [table], [at_most("time", 1, 2, "ms")]).write(tmp_path / "out", link="1gbit")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("some-bytes.csv", "goals.csv", "tables.md", "versions.json")
    }
    versions = json.loads((tmp_path / "out" / "versions.json").read_text())
    assert versions["link"] == "1gbit"
    assert versions["packages"]["numpy"]


def test_a_slug_is_the_title_up_to_its_colon() -> None:
    assert slug("Own time, JPEG (1 kB): medians") == "own-time-jpeg-1-kb"
