"""Many want the same thing at once: one gets it, nobody waits in a circle.

Lock errors and deadlocks must not reach a caller: every worker reports whatever
refusal it met, and only the honest ones are allowed.
"""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from desk import PROCESSES, Desk
from evcharge.bookings.rules import Limits
from evcharge.bookings.service import book_slots, claims
from evcharge.kernel.db import Database
from evcharge.kernel.errors import DomainError, Unavailable
from make import MINUTE, NOON, PRICE_PAISE, a_request, a_slot

MANY = Limits(most_holds=1000, most_upcoming=1000)
WORKERS = 8


@pytest.fixture
def crowd(desk):
    """A desk without limits, and eight drivers at it."""
    return replace(desk, limits=MANY), desk.drivers(WORKERS)


def at_once(jobs: list[Callable[[], object]]) -> Counter[str]:
    """Run all at the same time. Return how often each outcome was met."""

    def outcome(job: Callable[[], object]) -> str:
        try:
            return str(job())
        except DomainError as refusal:
            return type(refusal).__name__

    with ThreadPoolExecutor(len(jobs)) as people:
        return Counter(people.map(outcome, jobs))


# ── one slot ─────────────────────────────────────────────────────────────────────


def test_of_eight_drivers_exactly_one_gets_the_slot(crowd):
    desk, drivers = crowd

    told = at_once(
        [lambda user=user: desk.book(user_id=user).status for user in drivers]
    )

    assert told == {"ACTIVE": 1, "SlotTaken": WORKERS - 1}
    assert desk.audit() == []


def test_the_race_shows_it_when_the_key_is_missing(crowd, monkeypatch):
    """The control: on a table without the key everybody wins, and the audit sees it."""
    desk, drivers = crowd
    with desk.database.transaction() as session:
        session.execute(
            text(
                "CREATE TABLE unguarded_claims AS SELECT evse_id, slot_no, kind,"
                " booking_id, block_id FROM slot_claims"
            )
        )
    unguarded = {
        which: text(str(statement).replace("slot_claims", "unguarded_claims"))
        for which, statement in claims._CLAIM.items()
    }
    monkeypatch.setattr(claims, "_CLAIM", unguarded)
    try:
        told = at_once(
            [lambda user=user: desk.book(user_id=user).status for user in drivers]
        )
        assert told == {"ACTIVE": WORKERS}
        assert any("overlap" in finding for finding in desk.audit())
    finally:
        with desk.database.transaction() as session:
            session.execute(text("DROP TABLE unguarded_claims"))


def test_unequal_overlaps_never_share_a_quarter_hour(crowd):
    desk, drivers = crowd
    slots = [
        a_slot(after_hours=start / 4, hours=length / 4)
        for start, length in [(4, 4), (5, 1), (6, 4), (3, 2), (7, 8), (0, 16), (8, 2)]
    ]

    told = at_once(
        [
            lambda user=user, slot=slot: desk.book(slot, user_id=user).status
            for user, slot in zip(drivers, slots, strict=False)
        ]
    )

    assert told["ACTIVE"] >= 1
    assert set(told) <= {"ACTIVE", "SlotTaken"}
    assert desk.audit() == []


def test_a_hold_that_runs_out_while_many_want_it_goes_to_one_of_them(crowd):
    desk, drivers = crowd
    hold = desk.book()
    late = NOON + 10 * MINUTE

    told = at_once(
        [lambda user=user: desk.book(user_id=user, now=late).status for user in drivers]
    )

    assert told == {"ACTIVE": 1, "SlotTaken": WORKERS - 1}
    assert desk.read(hold.id).status == "EXPIRED"
    assert desk.audit() == []


def test_paying_and_reaping_at_once_has_one_outcome(crowd):
    """Either the money came first, or the slot went to another and it goes back."""
    desk, drivers = crowd
    late = NOON + 16 * MINUTE
    for hours in range(1, 11):
        slot = a_slot(after_hours=hours)
        hold = desk.book(slot)
        ref = desk.start_paying(hold)

        told = at_once(
            [
                lambda ref=ref: desk.capture(ref, now=late),
                lambda slot=slot: desk.book(slot, user_id=drivers[0], now=late).status,
                lambda slot=slot: desk.book(slot, user_id=drivers[1], now=late).status,
            ]
        )

        kept = desk.read(hold.id)
        assert kept.payment_status == "PAID"
        assert kept.paid_paise == (PRICE_PAISE if kept.status == "ACTIVE" else 0)
        assert told["SlotTaken"] == (2 if kept.status == "ACTIVE" else 1)
        assert desk.audit() == []


def test_the_same_form_sent_eight_times_at_once_books_once(crowd):
    desk, _ = crowd

    told = at_once([lambda: desk.book(key="of one form").id] * WORKERS)

    assert len(told) == 1
    assert desk.audit() == []


def test_a_driver_with_eight_tabs_cannot_pass_the_limits(desk):
    slots = [a_slot(after_hours=hours) for hours in range(WORKERS)]

    told = at_once([lambda slot=slot: desk.book(slot).status for slot in slots])

    assert told == {"ACTIVE": 2, "TooManyHolds": WORKERS - 2}


def test_eight_cancels_at_once_refund_once(crowd):
    desk, _ = crowd
    booking = desk.book()
    desk.pay(booking)

    told = at_once([lambda: desk.cancel(booking).status] * WORKERS)

    assert told == {"CANCELLED": WORKERS}
    assert desk.read(booking.id).paid_paise == 0
    assert desk.history(booking).count("cancelled") == 1
    assert desk.audit() == []


def test_the_same_money_reported_eight_times_at_once_counts_once(crowd):
    desk, _ = crowd
    booking = desk.book()
    ref = desk.start_paying(booking)

    at_once([lambda: desk.capture(ref)] * WORKERS)

    assert desk.read(booking.id).paid_paise == PRICE_PAISE
    assert desk.history(booking).count("paid") == 1
    assert desk.audit() == []


# ── several EVSEs ────────────────────────────────────────────────────────────────


def test_trips_over_the_same_chargers_in_opposite_order_do_not_deadlock(crowd):
    desk, drivers = crowd
    evse_ids = desk.evses(6)

    def trip(user_id: int, order: list[int]) -> int:
        requests = [a_request(evse_id, user_id=user_id) for evse_id in order]
        made = desk.database.perform(
            lambda session: book_slots(session, requests, limits=MANY, now=NOON)
        )
        return len(made)

    for _ in range(5):
        told = at_once(
            [
                lambda user=user, order=order: trip(user, order)
                for user, order in zip(
                    drivers, [evse_ids, evse_ids[::-1]] * 4, strict=True
                )
            ]
        )
        assert told == {"6": 1, "SlotTaken": WORKERS - 1}
        assert desk.audit() == []
        with desk.database.transaction() as session:
            session.execute(text("DELETE FROM slot_claims"))
            session.execute(text("UPDATE bookings SET status = 'CANCELLED'"))


# ── everything at once ───────────────────────────────────────────────────────────


def live_a_day(desk: Desk, user_id: int, evse_ids: list[int], seed: int) -> list[str]:
    """Book, move, pay and cancel at random. Return the refusals that were met."""
    choose = random.Random(seed)  # noqa: S311
    mine = []
    refusals = []
    for step in range(25):
        now = NOON + step * 3 * MINUTE
        slot = a_slot(
            after_hours=2 + choose.randrange(8) / 4, hours=choose.randrange(1, 6) / 4
        )
        evse_id = choose.choice(evse_ids)
        try:
            match choose.choice(["book", "book", "move", "pay", "cancel"]):
                case "book":
                    made = desk.book(slot, user_id=user_id, evse_id=evse_id, now=now)
                    mine.append(made)
                case "move" if mine:
                    price = -(-slot.length // timedelta(hours=1)) * PRICE_PAISE
                    desk.move(
                        choose.choice(mine),
                        slot,
                        evse_id=evse_id,
                        accept_amount_paise=price,
                        now=now,
                    )
                case "pay" if mine:
                    desk.pay(choose.choice(mine), now=now)
                case "cancel" if mine:
                    desk.cancel(choose.choice(mine), now=now)
        except DomainError as refusal:
            refusals.append(type(refusal).__name__)
    return refusals


def live_elsewhere(url: str, user_id: int, evse_ids: list[int], seed: int) -> list[str]:
    database = Database(url)
    try:
        return live_a_day(
            Desk(database, user_id, evse_ids[0], MANY), user_id, evse_ids, seed
        )
    finally:
        database.engine.dispose()


def check_chaos(desk: Desk, people: Executor, drivers: list[int]) -> None:
    evse_ids = desk.evses(3)
    url = desk.database.engine.url.render_as_string(hide_password=False)
    days = [
        people.submit(live_elsewhere, url, user, evse_ids, seed)
        for seed, user in enumerate(drivers)
    ]
    refusals = Counter(name for day in days for name in day.result())

    assert refusals["SlotTaken"] > 0, "nobody clashed: the test proves nothing"
    assert Unavailable.__name__ not in refusals
    assert desk.audit() == []


def test_chaos_among_threads_leaves_nothing_wrong(crowd):
    desk, drivers = crowd
    with ThreadPoolExecutor(WORKERS) as people:
        check_chaos(desk, people, drivers)


def test_chaos_among_processes_leaves_nothing_wrong(crowd):
    desk, drivers = crowd
    with ProcessPoolExecutor(4, mp_context=PROCESSES) as people:
        check_chaos(desk, people, drivers)
