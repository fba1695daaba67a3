from dataclasses import dataclass, replace

import pytest

from evcharge.bookings.rules import Slot, slot_no
from evcharge.network.rules import (
    EvseNow,
    PlugNow,
    Search,
    claimed_stretch,
    day_cells,
    next_free_at,
    status_since,
)
from evcharge.network.rules.summaries import PlugCount, summary_of
from evcharge.stations.rules import (
    ClaimedBy,
    ConnectorKind,
    EvseStatus,
    Lifecycle,
    ReportedStatus,
)
from evcharge.stations.rules.opening import OpeningHours
from make import HOUR, MINUTE, NOON

CURRENT = slot_no(NOON)
S, R = EvseStatus, ReportedStatus


@dataclass(frozen=True)
class Claim:
    kind: ClaimedBy = ClaimedBy.BOOKING
    user_id: int | None = None


def claims(*quarters, claim=None):
    """Claims of quarter hours, counted from the present one."""
    return {CURRENT + each: claim or Claim() for each in quarters}


def a_plug(kind=ConnectorKind.CCS2, power_w=60_000, reported=None, at=None):
    return PlugNow(1, kind, power_w, reported, at)


def an_evse_now(evse_id=1, status=S.AVAILABLE, **known):
    defaults = {
        "evse_id": evse_id,
        "location_id": 1,
        "charger": "CP-1",
        "number": 1,
        "lifecycle": Lifecycle.ACTIVE,
        "price_words": None,
        "price_paise": 10_000,
        "paise_per_kwh": 1_500,
        "plugs": (a_plug(),),
        "status": status,
        "status_at": NOON,
        "seen_at": NOON,
        "claimed": None,
        "next_free_at": NOON,
        "claims": {},
    }
    return EvseNow(**(defaults | known))


# ── since when ───────────────────────────────────────────────────────────────────


def test_the_plug_that_decides_says_since_when():
    plugs = [
        a_plug(reported=R.CHARGING, at=NOON - HOUR),
        a_plug(reported=R.AVAILABLE, at=NOON),
    ]

    assert status_since(S.CHARGING, plugs, seen_at=NOON) == NOON - HOUR


def test_all_are_broken_since_the_last_one_broke():
    plugs = [
        a_plug(reported=R.FAULTED, at=NOON - HOUR),
        a_plug(reported=R.FAULTED, at=NOON - MINUTE),
    ]

    assert status_since(S.OUT_OF_ORDER, plugs, seen_at=NOON) == NOON - MINUTE


def test_an_unknown_one_says_when_it_was_last_heard_of():
    plugs = [a_plug(reported=R.CHARGING, at=NOON)]

    assert status_since(S.UNKNOWN, plugs, seen_at=NOON - HOUR) == NOON - HOUR
    assert status_since(S.UNKNOWN, plugs, seen_at=None) is None


def test_what_no_plug_said_has_no_time():
    plugs = [a_plug(reported=R.AVAILABLE, at=NOON)]

    assert status_since(S.RESERVED, plugs, seen_at=NOON) is None
    assert status_since(S.PLANNED, plugs, seen_at=NOON) is None


# ── claims ───────────────────────────────────────────────────────────────────────


def test_a_claimed_stretch_reaches_back_and_ahead_until_a_gap():
    stretch = claimed_stretch(claims(-2, -1, 0, 1, 3), now=NOON + MINUTE)

    assert stretch == Slot(NOON - 30 * MINUTE, NOON + 30 * MINUTE)


def test_there_is_no_stretch_where_nobody_has_the_present_quarter_hour():
    assert claimed_stretch(claims(-1, 1), now=NOON) is None


@pytest.mark.parametrize(
    ("status", "taken", "minutes"),
    [
        (S.AVAILABLE, [], 0),
        (S.AVAILABLE, [1, 2], 0),
        (S.RESERVED, [0, 1, 3], 30),
        (S.CHARGING, [], 15),
        (S.CHARGING, [1], 30),
        (S.BLOCKED, [], 15),
        (S.UNKNOWN, [], 15),
        (S.INOPERATIVE, [0, 1], 30),  # a maintenance block
        (S.RESERVED, range(95), 95 * 15),
    ],
)
def test_the_next_free_time_is_the_first_quarter_hour_nobody_has(
    status, taken, minutes
):
    found = next_free_at(
        status, Lifecycle.ACTIVE, claims(*taken), hours=ALWAYS, now=NOON
    )

    assert found == NOON + minutes * MINUTE


@pytest.mark.parametrize(
    ("status", "lifecycle", "taken"),
    [
        (S.OUT_OF_ORDER, Lifecycle.ACTIVE, []),
        (S.INOPERATIVE, Lifecycle.ACTIVE, []),  # by the charger's own word
        (S.INOPERATIVE, Lifecycle.INOPERATIVE, []),
        (S.PLANNED, Lifecycle.PLANNED, []),
        (S.RESERVED, Lifecycle.ACTIVE, range(96)),
    ],
)
def test_what_is_broken_closed_or_full_has_no_next_free_time(status, lifecycle, taken):
    assert (
        next_free_at(status, lifecycle, claims(*taken), hours=ALWAYS, now=NOON) is None
    )


def test_a_day_is_drawn_with_a_word_for_each_quarter_hour():
    taken = claims(-1, 0, claim=Claim(user_id=1))
    taken |= claims(1, claim=Claim(user_id=2))
    taken |= claims(2, claim=Claim(ClaimedBy.BLOCK))
    day = range(CURRENT - 2, CURRENT + 4)

    cells = day_cells(taken, day, hours=ALWAYS, now=NOON, user_id=1)

    assert cells == ["past", "past", "yours", "taken", "blocked", "free"]


def test_to_a_visitor_nothing_is_theirs():
    taken = claims(0, 1, claim=Claim(ClaimedBy.SESSION))

    day = range(CURRENT, CURRENT + 2)

    cells = day_cells(taken, day, hours=ALWAYS, now=NOON, user_id=None)

    assert cells == ["taken", "taken"]


# ── a location in a few words ────────────────────────────────────────────────────


def test_free_ones_are_counted_and_planned_ones_are_not():
    evses = [
        an_evse_now(1, S.CHARGING, next_free_at=NOON + HOUR),
        an_evse_now(2, price_paise=5_000, seen_at=NOON - MINUTE),
        an_evse_now(3, S.INOPERATIVE, lifecycle=Lifecycle.INOPERATIVE, price_paise=1),
        an_evse_now(4, S.PLANNED, lifecycle=Lifecycle.PLANNED),
    ]

    summary = summary_of(evses, Search())

    assert (summary.free, summary.total) == (1, 3)
    assert summary.price_from_paise == 5_000
    assert summary.seen_at == NOON - MINUTE
    assert summary.next_free_at == NOON
    assert summary.first_free_evse_id == 2


def test_only_what_suits_the_search_is_counted_but_every_plug_is_shown():
    type2 = a_plug(ConnectorKind.TYPE2, 22_000)
    evses = [an_evse_now(1, plugs=(type2,)), an_evse_now(2), an_evse_now(3)]

    for search in (
        Search(kinds=frozenset({ConnectorKind.TYPE2})),
        Search(kinds=frozenset(ConnectorKind), min_power_w=60_001),
    ):
        summary = summary_of(evses, search)
        assert summary.total == (1 if search.min_power_w == 0 else 0)
        assert summary.plugs == (
            PlugCount(ConnectorKind.CCS2, 60_000, 2),
            PlugCount(ConnectorKind.TYPE2, 22_000, 1),
        )


def test_a_search_for_a_time_counts_what_is_free_then():
    evses = [an_evse_now(1), an_evse_now(2, S.CHARGING, is_free_for_slot=True)]

    summary = summary_of(evses, Search(slot=Slot(NOON + HOUR, NOON + 2 * HOUR)))

    assert (summary.free, summary.first_free_evse_id) == (1, 2)


def test_a_site_nothing_is_heard_of_says_when_it_last_was():
    evses = [
        an_evse_now(1, S.UNKNOWN, seen_at=None),
        an_evse_now(2, S.UNKNOWN, seen_at=NOON - HOUR),
    ]

    summary = summary_of(evses, Search())

    assert summary.is_unknown
    assert summary.seen_at == NOON - HOUR


def test_silent_chargers_do_not_make_the_news_of_others_old():
    evses = [
        an_evse_now(1, S.UNKNOWN, seen_at=NOON - 9 * HOUR),
        an_evse_now(2, seen_at=NOON - MINUTE),
    ]

    summary = summary_of(evses, Search())

    assert not summary.is_unknown
    assert summary.seen_at == NOON - MINUTE


def test_a_site_that_opens_later_says_so():
    planned = an_evse_now(1, S.PLANNED, lifecycle=Lifecycle.PLANNED)

    assert summary_of([planned], Search()).is_planned
    assert not summary_of([], Search()).is_planned


def test_a_broken_plug_beside_a_working_one_is_marked():
    assert a_plug(reported=R.FAULTED).is_broken
    assert a_plug(reported=R.UNAVAILABLE).is_broken
    assert not a_plug(reported=R.CHARGING).is_broken
    assert not replace(a_plug(), reported=None).is_broken


# NOON is 17:30 in India.
ALWAYS = OpeningHours("24/7", "Asia/Kolkata")
UNTIL_SIX = OpeningHours("08:00-18:00", "Asia/Kolkata")


def test_a_closed_quarter_hour_is_drawn_as_closed():
    day = range(CURRENT, CURRENT + 4)

    cells = day_cells({}, day, hours=UNTIL_SIX, now=NOON, user_id=None)

    assert cells == ["free", "free", "blocked", "blocked"]


def test_the_next_free_time_is_when_the_site_is_open_again():
    taken = claims(0, 1)

    found = next_free_at(
        EvseStatus.CHARGING, Lifecycle.ACTIVE, taken, hours=UNTIL_SIX, now=NOON
    )

    assert found == NOON + 29 * HOUR / 2


def test_of_several_prices_a_card_says_the_lowest():
    slow = an_evse_now(price_words="₹10 per kWh", paise_per_kwh=1_000)
    fast = an_evse_now(2, price_words="₹19 per kWh", paise_per_kwh=1_900)
    by_hour = an_evse_now(3)

    assert summary_of([fast], Search()).price_words == "₹19 per kWh"
    assert summary_of([fast, slow], Search()).price_words == "from ₹10 per kWh"
    assert summary_of([fast, by_hour], Search()).price_words is None
    assert summary_of([], Search()).price_words is None
