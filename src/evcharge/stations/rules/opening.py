"""When a site is open, and whether somebody can stay there for a while."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

ALWAYS = "24/7"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class OpeningHours:
    """Every day alike: `24/7`, or wall times at the site such as `06:00-22:00`.

    Closing may come after midnight: `18:00-02:00`.
    """

    text: str
    timezone: str

    @property
    def is_always(self) -> bool:
        return self.text == ALWAYS

    def covers(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether the site is open from one to the other, without a break."""
        return self.is_always or any(
            opens_at <= starts_at and ends_at <= closes_at
            for opens_at, closes_at in self._openings(starts_at)
        )

    def is_open(self, at: datetime) -> bool:
        return self.covers(at, at + timedelta(microseconds=1))

    def _openings(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The opening that began on this day, and the one before, for late hours."""
        # 24:00 is the 00:00 that ends a day; `time` knows only the other one.
        text = self.text.replace("24:00", "00:00")
        opens, closes = (time.fromisoformat(each) for each in text.split("-"))
        zone = ZoneInfo(self.timezone)
        today = at.astimezone(zone).date()
        for day in (today - DAY, today):
            last = day if opens < closes else day + DAY
            yield (
                datetime.combine(day, opens, zone),
                datetime.combine(last, closes, zone),
            )
