"""The first page of the console: how the network is doing, and what needs a look."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.charging.listing import ChargingNow, charging_now
from evcharge.kernel.clock import utc_now
from evcharge.kernel.topics import sign_topics
from evcharge.network.fleet import count_by_status, fact_groups
from evcharge.reports.admin.blueprint import admin
from evcharge.reports.queries import (
    bookings_per_day,
    broken_evses,
    count_chargers,
    count_failures,
    revenue_per_day,
    silent_chargers,
    usage,
    users_per_day,
)
from evcharge.reports.queries.attention import ChargerCount, Failures
from evcharge.reports.rules import (
    WEEKDAYS,
    PerDay,
    Quarters,
    Usage,
    date_of,
    day_no,
)
from evcharge.stations.models import Charger, Evse
from evcharge.stations.queries import Scope
from evcharge.stations.rules import EvseStatus
from evcharge.web.context import current_user, operator_required, reading, settings
from evcharge.web.periods import CHOICES, DAY, Period, monday, period_from_query

LISTED = 6
FEWEST_DAYS = 7  # One day alone makes no picture.
BEFORE = {
    "today": "yesterday by now",
    "7d": "the 7 days before",
    "30d": "the 30 days before",
}


@dataclass(frozen=True)
class Line:
    """A day of the chart and of the table below it."""

    on: date
    bookings: int
    revenue_paise: int


@dataclass(frozen=True)
class Figures:
    """Everything the dashboard shows, read in a fixed number of statements."""

    period: Period
    today: int
    users: PerDay | None
    bookings: PerDay
    revenue: PerDay
    usage: Usage
    quarters: Quarters
    statuses: Counter[EvseStatus]
    chargers: ChargerCount
    silent: Sequence[Charger]
    broken: Sequence[Evse]
    failures: Failures
    charging: ChargingNow

    @property
    def days(self) -> int:
        return self.period.days

    @property
    def before(self) -> str:
        return BEFORE[self.period.name]

    @property
    def lines(self) -> list[Line]:
        days = max(FEWEST_DAYS, self.days)
        each = zip(
            range(self.today - days + 1, self.today + 1),
            self.bookings.each(days, self.today),
            self.revenue.each(days, self.today),
            strict=True,
        )
        return [Line(date_of(day), count, paise) for day, count, paise in each]

    @property
    def share(self) -> float:
        return self.usage.share(self.quarters.first, self.quarters.end)

    @property
    def previous_share(self) -> float:
        quarters = self.quarters
        return self.usage.share(quarters.previous_first, quarters.previous_end)

    @property
    def daily_shares(self) -> list[float]:
        return self.usage.each_day(self.quarters.first, self.quarters.end)

    @property
    def heat(self) -> list[tuple[str, list[float]]]:
        rows = self.usage.by_hour(self.quarters.first, self.quarters.end)
        return list(zip(WEEKDAYS, rows, strict=True))

    @property
    def busiest(self) -> float:
        """The largest share of any hour: the darkest colour means that much."""
        return max(max(shares) for _, shares in self.heat)


def figures(
    session: Session, scope: Scope, period: Period, *, now: datetime
) -> Figures:
    # Last week is asked about whatever the period, and so are seven days.
    since = min(period.previous_since, monday(now) - 7 * DAY)
    quarters = Quarters.of(since=period.since, until=period.until, days=period.days)
    return Figures(
        period=period,
        today=day_no(now),
        users=users_per_day(session, since=since, now=now) if scope is None else None,
        bookings=bookings_per_day(session, scope, since=since, now=now),
        revenue=revenue_per_day(session, scope, since=since, now=now),
        usage=usage(session, scope, first=quarters.previous_first, end=quarters.end),
        quarters=quarters,
        statuses=count_by_status(fact_groups(session, scope, now=now)),
        chargers=count_chargers(session, scope, now=now),
        silent=silent_chargers(session, scope, now=now, limit=LISTED),
        broken=broken_evses(session, scope, now=now, limit=LISTED),
        failures=count_failures(session, scope),
        charging=charging_now(session, scope),
    )


@admin.get("/admin/")
@operator_required
def dashboard() -> ResponseReturnValue:
    now = utc_now()
    user = current_user()
    period = period_from_query(request.args.get("period"), now=now)
    part = "fragment" in request.args
    return render_template(
        "reports/admin/_figures.html" if part else "reports/admin/dashboard.html",
        figures=figures(reading(), user.scope, period, now=now),
        choices=CHOICES,
        listed=LISTED,
        token=sign_topics(settings().secret_key, ["dashboard"], user.id),
        now=now,
    )
