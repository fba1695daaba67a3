from datetime import timedelta

import pytest

from evcharge.bookings.rules import slot_no
from evcharge.demo.cars import Point, Report, next_report, occupied_share
from evcharge.stations.rules import ClaimedBy, Plug, ReportedStatus
from evcharge.stations.rules.opening import OpeningHours
from make import HOUR, MINUTE, NOON

PLUG = Plug("BM-BHRNH48-01", 1, 1)
OTHER = Plug("BM-BHRNH48-01", 1, 2)
NOW_NO = slot_no(NOON)
LONG = 24 * HOUR

AVAILABLE = ReportedStatus.AVAILABLE
PREPARING = ReportedStatus.PREPARING
CHARGING = ReportedStatus.CHARGING
FINISHING = ReportedStatus.FINISHING
FAULTED = ReportedStatus.FAULTED


def a_point(
    status: ReportedStatus = AVAILABLE,
    since: timedelta = LONG,
    *,
    claims: dict[int, ClaimedBy] | None = None,
    is_promised: bool = False,
    evse_id: int = 1,
) -> Point:
    return Point(
        evse_id=evse_id,
        reports=[Report(PLUG, status, NOON - since), Report(OTHER, AVAILABLE, NOON)],
        hours=OpeningHours("24/7", "Asia/Kolkata"),
        claims=claims or {},
        is_promised=is_promised,
    )


def next_status(point: Point) -> ReportedStatus | None:
    report = next_report(point, NOON)
    return report and report.status


@pytest.mark.parametrize(
    ("status", "next_one"),
    [
        (AVAILABLE, None),
        (PREPARING, CHARGING),
        (CHARGING, FINISHING),
        (ReportedStatus.SUSPENDED_EV, FINISHING),
        (FINISHING, AVAILABLE),
        (FAULTED, AVAILABLE),
        (ReportedStatus.UNAVAILABLE, AVAILABLE),
        (ReportedStatus.RESERVED, AVAILABLE),
    ],
)
def test_in_the_end_every_status_leads_back_to_available(status, next_one):
    assert next_status(a_point(status)) == next_one


@pytest.mark.parametrize("status", [PREPARING, CHARGING, FINISHING, FAULTED])
def test_no_status_is_left_at_once(status: ReportedStatus):
    assert next_status(a_point(status, since=timedelta(seconds=10))) is None


def test_chance_is_the_same_however_often_we_ask():
    seen = [next_status(a_point(CHARGING, since=40 * MINUTE)) for _ in range(20)]

    assert len(set(seen)) == 1


def test_a_guest_stays_while_the_slot_is_theirs():
    point = a_point(
        CHARGING, 2 * HOUR, claims={NOW_NO: ClaimedBy.BOOKING}, is_promised=True
    )

    assert next_status(point) is None


def test_who_has_not_booked_leaves_before_who_has():
    point = a_point(CHARGING, 5 * MINUTE, claims={NOW_NO + 1: ClaimedBy.BOOKING})

    assert next_status(point) == FINISHING


def test_a_car_from_before_a_long_pause_of_the_program_is_gone():
    mine = {NOW_NO: ClaimedBy.BOOKING}

    assert next_status(a_point(CHARGING, 9 * HOUR, claims=mine)) == FINISHING
    assert next_status(a_point(CHARGING, 7 * HOUR, claims=mine)) is None


def test_maintenance_ends_charging():
    point = a_point(CHARGING, 5 * MINUTE, claims={NOW_NO: ClaimedBy.BLOCK})

    assert next_status(point) == FINISHING


def test_most_who_booked_come_in_the_first_quarter_hour_some_later_and_never_early():
    came = [
        next_status(
            a_point(claims={NOW_NO: ClaimedBy.BOOKING}, evse_id=n, is_promised=True)
        )
        for n in range(300)
    ]
    without = next_status(a_point(claims={NOW_NO + 1: ClaimedBy.BOOKING}))

    assert 0.6 < came.count(PREPARING) / len(came) < 0.9
    assert without is None


def test_a_hold_that_is_not_paid_brings_no_car():
    came = [
        next_status(a_point(claims={NOW_NO: ClaimedBy.BOOKING}, evse_id=n))
        for n in range(20)
    ]

    assert came == [None] * 20


def test_a_point_is_kept_free_for_who_has_booked_within_the_hour():
    soon = a_point(claims={NOW_NO + 3: ClaimedBy.BOOKING})
    later = a_point(claims={NOW_NO + 4: ClaimedBy.BOOKING})

    assert not soon.is_unclaimed(NOON)
    assert later.is_unclaimed(NOON)


def test_never_are_more_than_a_third_occupied():
    shares = [occupied_share(NOON + hours * HOUR) for hours in range(24)]

    assert 0.2 < min(shares) < max(shares) <= 0.34
