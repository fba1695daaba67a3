from datetime import timedelta

import pytest
from sqlalchemy import delete, update

import make
from desk import OPERATOR
from evcharge.bookings.models import Booking, MaintenanceBlock, SlotClaim
from evcharge.bookings.queries import claimed_now, claims_between
from evcharge.bookings.rules import (
    Actor,
    ActorKind,
    BookingPayment,
    BookingsInTheWay,
    BookingStatus,
    EvseNotBookable,
    Slot,
    SlotNotBookable,
    SlotTaken,
)
from evcharge.bookings.service import (
    block_evse,
    close_evses,
    complete_bookings,
    expire_holds,
    finish_blocks,
    lift_block,
)
from evcharge.stations.rules import ClaimedBy, Lifecycle
from make import HOUR, MINUTE, NOON, PRICE_PAISE, a_slot


@pytest.fixture
def actor(database):
    with database.transaction() as session:
        return Actor(ActorKind.OPERATOR, make.a_user(session, role="operator").id)


def block(desk, actor, slot, *, cancel_bookings=False, now=NOON):
    return desk.database.perform(
        lambda session: block_evse(
            session,
            evse_id=desk.evse_id,
            slot=slot,
            reason="New cable",
            actor=actor,
            cancel_bookings=cancel_bookings,
            now=now,
        )
    )


def close(desk, actor, *, cancel_bookings=False):
    desk.database.perform(
        lambda session: close_evses(
            session,
            evse_ids=[desk.evse_id],
            lifecycle=Lifecycle.INOPERATIVE,
            actor=actor,
            cancel_bookings=cancel_bookings,
            reason="Being replaced",
            now=NOON,
        )
    )


def test_maintenance_keeps_bookings_out(desk, actor):
    block(desk, actor, a_slot())

    with pytest.raises(SlotTaken):
        desk.book()
    assert desk.audit() == []


def test_maintenance_over_bookings_lists_them_first(desk, actor):
    booking = desk.book()

    with pytest.raises(BookingsInTheWay) as refusal:
        block(desk, actor, a_slot(hours=4))

    assert refusal.value.details["booking_ids"] == [booking.id]
    assert desk.read(booking.id).status == "ACTIVE"


def test_maintenance_can_cancel_bookings_with_full_refund(desk, actor):
    booking = desk.book()
    desk.pay(booking)

    block(desk, actor, a_slot(hours=4), cancel_bookings=True)

    cancelled = desk.read(booking.id)
    assert (cancelled.status, cancelled.paid_paise) == ("CANCELLED", 0)
    assert desk.audit() == []


def test_two_blocks_cannot_overlap(desk, actor):
    block(desk, actor, a_slot())

    with pytest.raises(SlotTaken):
        block(desk, actor, a_slot(after_hours=1.5))


@pytest.mark.parametrize(
    "slot",
    [
        a_slot(after_hours=-1),
        a_slot(hours=0),
        a_slot(hours=24 * 31 + 0.25),
        a_slot(after_hours=24 * 366),
        Slot(NOON, NOON + timedelta(minutes=20)),
    ],
)
def test_a_block_that_makes_no_sense_is_refused(desk, actor, slot):
    with pytest.raises(SlotNotBookable):
        block(desk, actor, slot)


def test_lifting_a_block_frees_the_slot_and_can_be_repeated(desk, actor):
    made = block(desk, actor, a_slot())

    for _ in range(2):
        desk.database.perform(
            lambda session: lift_block(session, block_id=made.id, now=NOON)
        )

    assert desk.book().status == "ACTIVE"
    assert desk.audit() == []


def test_a_block_that_is_over_is_lifted_by_itself(desk, actor):
    block(desk, actor, a_slot())

    with desk.database.transaction() as session:
        assert finish_blocks(session, now=NOON + HOUR) == 0
        assert finish_blocks(session, now=NOON + 2 * HOUR) == 1
        assert finish_blocks(session, now=NOON + 2 * HOUR) == 0

    assert desk.audit() == []


def test_closing_lists_the_bookings_it_would_break(desk, actor):
    desk.book()

    with pytest.raises(BookingsInTheWay):
        close(desk, actor)


def test_closing_can_cancel_them_and_then_nothing_can_be_booked(desk, actor):
    booking = desk.book()
    desk.pay(booking)

    close(desk, actor, cancel_bookings=True)

    assert desk.read(booking.id).paid_paise == 0
    with pytest.raises(EvseNotBookable):
        desk.book(a_slot(after_hours=6))
    assert desk.audit() == []


# ── tidying up ───────────────────────────────────────────────────────────────────


def test_the_sweeper_closes_what_is_over_and_nothing_else(desk):
    hold, paid = desk.book(), desk.book(a_slot(after_hours=2))
    desk.pay(paid)

    with desk.database.transaction() as session:
        assert expire_holds(session, now=NOON + 10 * MINUTE) == 1
        assert complete_bookings(session, now=paid.ends_at - MINUTE) == 0
        assert complete_bookings(session, now=paid.ends_at) == 1

    assert desk.read(hold.id).status == "EXPIRED"
    assert desk.read(paid.id).status == "COMPLETED"
    assert desk.audit() == []


# ── what is taken ────────────────────────────────────────────────────────────────


def test_pages_and_booking_agree_on_what_is_free(desk):
    desk.book(a_slot(hours=0.5))
    quarters = a_slot(hours=1).quarters

    def taken(now):
        with desk.database.reading() as session:
            claims = claims_between(
                session, [desk.evse_id], quarters.start, quarters.stop, now=now
            )
            return [(claim.slot_no, claim.user_id) for claim in claims]

    assert taken(NOON) == [(number, desk.user_id) for number in quarters[:2]]
    assert taken(NOON + 10 * MINUTE) == []


def test_the_owner_of_the_present_quarter_hour_is_known(desk, actor):
    block(desk, actor, Slot(NOON, NOON + HOUR))

    with desk.database.reading() as session:
        assert claimed_now(session, [desk.evse_id], now=NOON + MINUTE) == {
            desk.evse_id: ClaimedBy.BLOCK
        }
        assert claimed_now(session, [desk.evse_id], now=NOON + HOUR) == {}


# ── the audit ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (update(Booking).values(status=BookingStatus.CANCELLED), "no live owner"),
        (update(Booking).values(ends_at=a_slot(hours=2).ends_at), "exactly its claims"),
        (delete(SlotClaim), "exactly its claims"),
        (update(Booking).values(paid_paise=PRICE_PAISE + 1), "payments disagree"),
        (
            update(Booking).values(
                payment_status=BookingPayment.PAID, amount_paise=PRICE_PAISE + 1
            ),
            "payments disagree",
        ),
    ],
)
def test_the_audit_sees_damage(desk, damage, finding):
    desk.pay(desk.book())
    assert desk.audit() == []

    with desk.database.transaction() as session:
        session.execute(damage)

    assert finding in " ".join(desk.audit())


def test_the_audit_sees_a_double_booking(desk):
    for hours in (1, 5):
        desk.book(a_slot(after_hours=hours))

    with desk.database.transaction() as session:
        session.execute(
            update(Booking).values(starts_at=NOON, ends_at=a_slot().ends_at)
        )

    assert "overlap" in " ".join(desk.audit())


def test_the_audit_sees_a_block_without_claims(desk, actor):
    block(desk, actor, a_slot())

    with desk.database.transaction() as session:
        session.execute(delete(SlotClaim))

    assert "exactly its claims" in " ".join(desk.audit())


def test_an_operator_by_name_is_not_needed_to_cancel(desk):
    booking = desk.book()

    assert desk.cancel(booking, by=OPERATOR).status == "CANCELLED"


def test_a_lifted_block_leaves_a_record(desk, actor):
    made = block(desk, actor, a_slot())
    desk.database.perform(
        lambda session: lift_block(session, block_id=made.id, now=NOON)
    )

    with desk.database.reading() as session:
        assert session.get_one(MaintenanceBlock, made.id).lifted_at == NOON
