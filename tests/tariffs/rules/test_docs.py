"""The example of docs/tariffs.md, worked out."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evcharge.tariffs.rules import Reading, Terms, Usage, cost_of

PAGE = Path(__file__).parents[3] / "docs" / "tariffs.md"
ROW = re.compile(r"^\| ([^|]+?) \| [\d.]+ (?:kWh|h) \| [^|]+ \| ₹([\d.]+) \|$", re.M)


def test_the_example_is_what_its_terms_come_to() -> None:
    page = PAGE.read_text()
    terms = Terms.from_json(json.loads(page.split("```json")[1].split("```")[0]))
    starts_at = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    full = starts_at + timedelta(hours=1)
    readings = (Reading(starts_at, 0), Reading(full, 30_000))
    used = Usage(starts_at, full + timedelta(minutes=25), readings, full)

    cost = cost_of(terms, used, "Asia/Kolkata")

    told = [
        (text, f"{paise / 100:.2f}")
        for text, paise in ((line.text, line.amount_paise) for line in cost.lines)
    ]
    assert told == ROW.findall(page)
    assert f"| before tax | | | ₹{cost.net_paise / 100:.2f} |" in page
