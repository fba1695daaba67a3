"""The dashboard's numbers, for programs."""

from datetime import datetime

from pydantic import Field
from sqlalchemy.orm import Session

from evcharge.bookings.rules import BookingStatus
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import InvalidInput
from evcharge.network.fleet import count_by_status, fact_groups
from evcharge.reports.queries import (
    bookings_between,
    count_chargers,
    revenue_between,
    users_between,
)
from evcharge.stations.queries import Scope
from evcharge.stations.rules import EvseStatus
from evcharge.web.api import Answer, Api, Instant, Money, Query
from evcharge.web.context import current_user, operator_required, reading
from evcharge.web.periods import USUAL, period_from_query

api = Api("reports_admin")

# What holds and removed EVSEs are counted as nowhere.
BOOKED = [status for status in BookingStatus if status != BookingStatus.EXPIRED]
SHOWN = [status for status in EvseStatus if status != EvseStatus.REMOVED]


class BadRange(InvalidInput):
    code = "bad_range"
    message = "Ask from a time to a later one."


class StatsQuery(Query):
    since: Instant | None = Field(
        default=None,
        alias="from",
        description="The first midnight in India of the last 7 days, unless you say",
    )
    until: Instant | None = Field(
        default=None, alias="to", description="Now, unless you say"
    )


class UserStats(Answer):
    total: int = Field(description="By now")
    new: int = Field(description="Whose account was opened in that stretch")


class ChargerStats(Answer):
    """Those with an EVSE in use, as they are now."""

    total: int
    silent: int


class EvseStats(Answer):
    """As they are now."""

    total: int
    by_status: dict[EvseStatus, int]


class BookingStats(Answer):
    """Made in that stretch, whenever they start. Holds nobody paid for are apart."""

    total: int
    by_status: dict[BookingStatus, int]
    unpaid_holds: int


class RevenueStats(Answer):
    """A refund counts from when it was promised."""

    collected: Money
    refunded: Money
    net: Money


class Stats(Answer):
    since: Instant = Field(serialization_alias="from")
    until: Instant = Field(serialization_alias="to")
    users: UserStats | None = Field(description="For admins only, else null")
    chargers: ChargerStats
    evses: EvseStats
    bookings: BookingStats
    revenue: RevenueStats


@api.get("/admin/stats", guard=operator_required, refuses=(BadRange,))
def get_admin_stats(query: StatsQuery) -> Stats:
    """See how your network is doing.

    The same numbers as on the dashboard, which asks for its last 7 days first.
    """
    now = utc_now()
    since = query.since or period_from_query(USUAL, now=now).since
    until = query.until or now
    if since >= until:
        raise BadRange
    return stats(reading(), current_user().scope, since=since, until=until, now=now)


def stats(
    session: Session, scope: Scope, *, since: datetime, until: datetime, now: datetime
) -> Stats:
    boxes = count_chargers(session, scope, now=now)
    return Stats(
        since=since,
        until=until,
        users=_users(session, since, until) if scope is None else None,
        chargers=ChargerStats(total=boxes.total, silent=boxes.silent),
        evses=_evses(session, scope, now),
        bookings=_bookings(session, scope, since, until),
        revenue=_revenue(session, scope, since, until),
    )


def _users(session: Session, since: datetime, until: datetime) -> UserStats:
    counted = users_between(session, since=since, until=until)
    return UserStats(total=counted.total, new=counted.new)


def _evses(session: Session, scope: Scope, now: datetime) -> EvseStats:
    counts = count_by_status(fact_groups(session, scope, now=now))
    return EvseStats(
        total=counts.total(),
        by_status={status: counts[status] for status in SHOWN},
    )


def _bookings(
    session: Session, scope: Scope, since: datetime, until: datetime
) -> BookingStats:
    counted = bookings_between(session, scope, since=since, until=until)
    return BookingStats(
        total=counted.total,
        by_status={status: counted.by_status.get(status, 0) for status in BOOKED},
        unpaid_holds=counted.unpaid_holds,
    )


def _revenue(
    session: Session, scope: Scope, since: datetime, until: datetime
) -> RevenueStats:
    revenue = revenue_between(session, scope, since=since, until=until)
    return RevenueStats(
        collected=Money.of(revenue.came_in_paise),
        refunded=Money.of(revenue.went_back_paise),
        net=Money.of(revenue.collected_paise),
    )
