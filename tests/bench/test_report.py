"""Tables, JSON, and a document whose words stay."""

import json

import pytest

from evcharge.bench.measures import Ratio, Summary
from evcharge.bench.report import (
    BEGIN,
    END,
    NoPlace,
    Run,
    as_json,
    as_markdown,
    put_into,
)
from evcharge.bench.results import Fact, Result, Speed

RUN = Run(
    command="evcharge bench",
    began_at="2026-11-23 12:00 UTC",
    seconds=61.4,
    machine={"Cores": "2", "flask": "3.1.3"},
    results={
        "booking": Result(
            "Booking",
            speeds=[
                Speed("bare", Summary(1234.4, 3.14, 9.9, 0.254, 100)),
                Speed(
                    "ours", Summary(308.6, 12, 40, 2, 90), Ratio(0.25, 0.2, 0.31), 0.3
                ),
            ],
            facts=[Fact("Winners", "1", "1, always", is_met=True)],
        )
    },
)


def test_tables_show_ratios_with_their_spread_and_goals():
    tables = as_markdown(RUN)

    assert "| bare | 1,234 | 3.1 | 9.9 | 0.25 |  |  |" in tables
    assert (
        "| ours | 309 | 12.0 | 40.0 | 2.00 | 25 % (20–31) | ≥ 30 %: **missed** |"
        in tables
    )
    assert "| Winners | 1 | 1, always: met |" in tables
    assert "| flask | 3.1.3 |" in tables
    assert "| Measured | 2026-11-23 12:00 UTC, in 61 s |" in tables


def test_json_says_it_all():
    found = json.loads(as_json(RUN))

    bare, ours = found["results"]["booking"]["speeds"]
    assert (bare["is_met"], ours["is_met"]) == (None, False)
    assert ours["ratio"] == {"median": 0.25, "lowest": 0.2, "highest": 0.31}
    assert found["machine"] == {"Cores": "2", "flask": "3.1.3"}


def test_the_words_around_the_tables_stay(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text(f"# Words\n\n{BEGIN}\n\nold\n\n{END}\n\nMore words.\n")

    put_into(document, "new")
    put_into(document, "newer")

    assert document.read_text() == (
        f"# Words\n\n{BEGIN}\n\nnewer\n\n{END}\n\nMore words.\n"
    )


@pytest.mark.parametrize("text", ["", f"{BEGIN}\n", f"{END}\n", f"{END}\n{BEGIN}\n"])
def test_a_document_without_a_place_is_left_alone(tmp_path, text):
    document = tmp_path / "performance.md"
    document.write_text(text)

    with pytest.raises(NoPlace):
        put_into(document, "new")

    assert document.read_text() == text
