from datetime import timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from evcharge.bookings.models import BookingEvent
from evcharge.bookings.rules import ActorKind, BookingEventKind, BookingStatus, Terms
from evcharge.bookings.words import Phase, cancelling_terms, entry_of, phase_of
from make import HOUR, MINUTE, NOON, a_slot

INDIA = ZoneInfo("Asia/Kolkata")
SLOTS = {
    "slot": ["2026-01-15T13:00:00+00:00", "2026-01-15T14:00:00+00:00"],
    "old_slot": ["2026-01-15T15:00:00+00:00", "2026-01-15T16:00:00+00:00"],
}


EARLIER = NOON - HOUR


def told(kind, *, actor=ActorKind.DRIVER, reason=None, before=None, **details):
    event = BookingEvent(
        at=NOON,
        kind=kind,
        actor=actor,
        from_status=before,
        to_status=BookingStatus.ACTIVE,
        reason=reason,
        details=SLOTS | details,
    )
    entry = entry_of(event, now=NOON, zone=INDIA)
    return entry.title, entry.detail, entry.by


@pytest.mark.parametrize("kind", BookingEventKind)
def test_every_kind_of_event_has_a_sentence(kind):
    title, _detail, _by = told(kind)

    assert title[0].isupper() or title[0] == "₹"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            told(BookingEventKind.BOOKED, amount_paise=12_000),
            ("You held the slot", "today 18:30–19:30, ₹120.00", None),
        ),
        (
            told(BookingEventKind.BOOKED, amount_paise=0),
            ("You booked the slot", "today 18:30–19:30, nothing to pay", None),
        ),
        (
            told(BookingEventKind.PAID, amount_paise=12_000),
            ("₹120.00 paid", None, None),
        ),
        (
            told(BookingEventKind.PAID, amount_paise=12_000, refund_paise=6_000),
            ("₹120.00 paid", "₹60.00 too much came in and goes back", None),
        ),
        (
            told(BookingEventKind.MOVED, refund_paise=6_000),
            (
                "Moved to today 18:30–19:30",
                "It was today 20:30–21:30. ₹60.00 goes back",
                None,
            ),
        ),
        (
            told(BookingEventKind.CANCELLED, refund_paise=6_000),
            ("You cancelled", "₹60.00 goes back", None),
        ),
        (
            told(
                BookingEventKind.CANCELLED,
                actor=ActorKind.OPERATOR,
                reason="Power cut",
                refund_paise=6_000,
            ),
            ("Cancelled", "Power cut. ₹60.00 goes back", "the operator"),
        ),
        (
            told(BookingEventKind.CANCELLED, refund_paise=0),
            ("You cancelled", None, None),
        ),
        (
            told(BookingEventKind.CHARGING, session_at=NOON.isoformat()),
            ("You began to charge", None, None),
        ),
        (
            told(BookingEventKind.CHARGING, session_at=EARLIER.isoformat()),
            (
                "You began to charge",
                "At today 16:30; the charger told later",
                None,
            ),
        ),
        (
            told(
                BookingEventKind.REASSIGNED,
                old_point="BLR-1, point 1",
                point="BLR-1, point 2",
            ),
            (
                "Moved to BLR-1, point 2",
                "Someone still charges at BLR-1, point 1."
                " Your time and price stay the same",
                None,
            ),
        ),
        (
            told(BookingEventKind.COMPLETED, session_at=NOON.isoformat()),
            ("Done", "You charged until today 17:30", None),
        ),
        (
            told(
                BookingEventKind.COMPLETED,
                before=BookingStatus.NO_SHOW,
                session_at=NOON.isoformat(),
            ),
            ("Done after all", "The charger told later that you charged", None),
        ),
    ],
)
def test_the_history_says_who_did_what(entry, expected):
    assert entry == expected


@pytest.mark.parametrize(
    ("now", "amount_paise", "words"),
    [
        (NOON, 12_000, "Free to cancel until today 19:30; half back until the start."),
        (NOON + 2 * HOUR, 12_000, "Free to cancel until today 19:30; half back"),
        (
            NOON + 2 * HOUR + MINUTE,
            12_000,
            "If you cancel before today 20:30, half comes back.",
        ),
        (NOON + 3 * HOUR, 12_000, "no money comes back"),
        (NOON + 3 * HOUR, 0, "Free to cancel at any time."),
    ],
)
def test_the_terms_name_the_hour(now, amount_paise, words):
    said = cancelling_terms(
        Terms(12_000),
        a_slot(after_hours=3),
        amount_paise=amount_paise,
        now=now,
        zone=INDIA,
    )

    assert words in said


def test_terms_of_other_percentages_are_named_too():
    terms = Terms(12_000, free_until_minutes=24 * 60, late_percent=30)

    said = cancelling_terms(
        terms, a_slot(after_hours=3), amount_paise=1, now=NOON, zone=INDIA
    )

    assert said == "If you cancel before today 20:30, 30 % comes back."


@pytest.mark.parametrize("hours", [0.5, 1, 1.5, 3, 3.5])
def test_the_words_and_the_refund_agree(hours):
    terms, slot = Terms(12_000), a_slot(after_hours=3)
    now = NOON + timedelta(hours=hours)

    said = cancelling_terms(terms, slot, amount_paise=12_000, now=now, zone=INDIA)
    back = terms.refund_paise(12_000, starts_at=slot.starts_at, now=now)

    assert back == (
        12_000 if "Free" in said else 6_000 if "half comes back" in said else 0
    )


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"hold_expires_at": NOON + MINUTE, "payment_status": "PENDING"}, Phase.HELD),
        ({"hold_expires_at": NOON, "payment_status": "PENDING"}, Phase.EXPIRED),
        ({"payment_status": "PENDING"}, Phase.TO_PAY),
        ({}, Phase.BOOKED),
        ({"starts_at": NOON}, Phase.RUNNING),
        ({"starts_at": NOON - HOUR, "ends_at": NOON}, Phase.DONE),
        ({"status": BookingStatus.NO_SHOW}, Phase.MISSED),
        ({"status": BookingStatus.CANCELLED}, Phase.CANCELLED),
        ({"status": BookingStatus.EXPIRED}, Phase.EXPIRED),
        ({"status": BookingStatus.COMPLETED}, Phase.DONE),
    ],
)
def test_where_a_booking_is(changes, phase):
    usual = {
        "status": BookingStatus.ACTIVE,
        "payment_status": "PAID",
        "hold_expires_at": None,
        "starts_at": NOON + HOUR,
        "ends_at": NOON + 2 * HOUR,
    }

    assert phase_of(SimpleNamespace(**usual | changes), now=NOON) == phase
