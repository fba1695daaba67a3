"""What the simulator is told of the demo's chargers, so that they go on as they stand.

Each has a key that follows from the demo's secret, and is heard by one version of OCPP.
"""

import hmac
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from evcharge.accounts.models import RfidTag, User
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.charging.models import (
    ChargingSession,
    OcppTransaction,
    OcppTransactionEvent,
)
from evcharge.charging.rules import SessionStatus
from evcharge.control.models import ChargerKey
from evcharge.control.service import set_key
from evcharge.demo.hardware import SILENT, boxes
from evcharge.demo.people import NO_PASSWORD
from evcharge.demo.places import places
from evcharge.kernel.db import insert_missing
from evcharge.stations.models import Charger, Connector, Evse
from evcharge.stations.rules import IN_USE, Lifecycle, ReportedStatus
from evcharge.stations.rules.opening import OpeningHours

# Chargers that were added to the demo by hand are none of our business.
HEARD = frozenset(box.identity for place in places() for box in boxes(place)) - SILENT
KEY_LENGTH = 20
CARDS_AT_A_CHARGER = 6
LEFT_BEHIND = timedelta(hours=1)  # Whoever charged that long unseen has left since.

Fields = dict[str, Any]


def key_of(secret: str, identity: str) -> str:
    """Return the key of a demo charger: the same at every start."""
    return hmac.digest(secret.encode(), identity.encode(), "sha256").hex()[:KEY_LENGTH]


def give_keys(session: Session, *, secret: str, now: datetime) -> None:
    """Let the demo's chargers in, but where an operator gave another key."""
    rows = session.execute(
        select(Charger.id, Charger.identity, ChargerKey)
        .outerjoin(ChargerKey, ChargerKey.charger_id == Charger.id)
        .where(Charger.identity.in_(HEARD))
    )
    for charger_id, identity, kept in rows.all():
        key = key_of(secret, identity)
        is_ours = kept is None or kept.created_by is None
        if is_ours and not (kept and kept.hash.fits(key.encode())):
            set_key(session, charger_id, key, by=None, now=now)


def give_cards(session: Session, *, now: datetime) -> None:
    """Give made-up drivers a card each: only those nobody can log in as."""
    drivers = session.execute(
        select(User.id, User.email_key).where(User.password_hash == NO_PASSWORD)
    ).all()
    cards = [
        {
            "uid": blake2b(email_key.encode(), digest_size=7).hexdigest().upper(),
            "user_id": user_id,
            "label": "",
            "created_at": now,
        }
        for user_id, email_key in drivers
    ]
    if cards:
        insert_missing(session, RfidTag, cards)


def fleet(session: Session, *, secret: str, now: datetime) -> Iterator[Fields]:
    """Yield what `evcharge simulate --fleet` wants to know of each charger."""
    chargers = session.scalars(
        select(Charger)
        .where(Charger.identity.in_(HEARD))
        .order_by(Charger.identity)
        .options(
            joinedload(Charger.location),
            selectinload(Charger.evses).selectinload(Evse.connectors),
        )
    ).all()
    cards = _cards(session)
    doings = _Doings(session, now)
    for charger in chargers:
        rng = random.Random(charger.identity)  # noqa: S311
        own = rng.sample(cards, min(CARDS_AT_A_CHARGER, len(cards)))
        yield {
            "identity": charger.identity,
            "key": key_of(secret, charger.identity),
            "version": "2.0.1" if zlib.crc32(charger.identity.encode()) % 2 else "1.6",
            "vendor": charger.vendor,
            "model": charger.model,
            "hours": _minutes(charger.location.opening_hours),
            "cards": own,
            "evses": [
                _evse(evse, doings, own, is_open=charger.location.is_active)
                for evse in charger.evses
                if evse.lifecycle != Lifecycle.REMOVED
            ],
        }


def _evse(
    evse: Evse, doings: "_Doings", cards: Sequence[str], *, is_open: bool
) -> Fields:
    return {
        "number": evse.number,
        "is_used": is_open and evse.lifecycle == Lifecycle.ACTIVE,
        "connectors": [
            {"number": plug.number, "kind": plug.kind, "power_w": plug.power_w}
            for plug in evse.connectors
        ],
        "at_start": doings.at(evse, cards),
    }


class _Doings:
    """What goes on at EVSEs just now, as far as the database knows."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._now = now
        self._open = _open_transactions(session)
        self._booked = _bookings_now(session, now)

    def at(self, evse: Evse, cards: Sequence[str]) -> Fields | None:
        if known := self._open.get(evse.id):
            return self._goes_on(*known)
        for plug in evse.connectors:
            if plug.reported_status in IN_USE:
                return self._charging(evse, plug, cards)
            if plug.reported_status == ReportedStatus.FAULTED:
                return _stands("faulted", plug)
            if plug.reported_status == ReportedStatus.FINISHING:
                return _stands("finishing", plug)
        return None

    def _charging(self, evse: Evse, plug: Connector, cards: Sequence[str]) -> Fields:
        """A vehicle whose charge nobody has told us of yet."""
        booking = self._booked.get(evse.id)
        since = max(plug.reported_at or self._now, self._now - 2 * LEFT_BEHIND)
        fields = _stands("charging", plug, since=since)
        if booking is None:
            return fields | {"tag": cards[evse.id % len(cards)] if cards else ""}
        until = booking.ends_at.timestamp()
        return fields | {"tag": booking.reference, "until": until}

    def _goes_on(
        self, transaction: OcppTransaction, charge: ChargingSession, seq_no: int | None
    ) -> Fields:
        since = charge.latest.at if charge.latest else charge.started_at
        fields: Fields = {
            "state": "charging",
            "connector": charge.connector_number or 1,
            "since": (since or self._now).timestamp(),
            "tag": transaction.tag or "",
            "meter_start_wh": charge.meter_start_wh,
            "meter_wh": charge.meter_wh,
        }
        if charge.booking is not None:
            fields["until"] = charge.booking.ends_at.timestamp()
        if since is None or since < self._now - LEFT_BEHIND:
            fields["until"] = self._now.timestamp()
        if transaction.transaction_ref is None:
            return fields | {"number": transaction.number}
        return fields | {"ref": transaction.transaction_ref, "seq_no": seq_no or 0}


def _stands(state: str, plug: Connector, *, since: datetime | None = None) -> Fields:
    return {
        "state": state,
        "connector": plug.number,
        "since": since.timestamp() if since else 0.0,
    }


def _open_transactions(
    session: Session,
) -> Mapping[int, tuple[OcppTransaction, ChargingSession, int | None]]:
    last = (
        select(func.max(OcppTransactionEvent.seq_no))
        .where(OcppTransactionEvent.number == OcppTransaction.number)
        .scalar_subquery()
    )
    rows = session.execute(
        select(OcppTransaction, ChargingSession, last)
        .join(ChargingSession, ChargingSession.id == OcppTransaction.session_id)
        .where(OcppTransaction.is_open, ChargingSession.status == SessionStatus.ACTIVE)
        .options(
            joinedload(ChargingSession.latest), joinedload(ChargingSession.booking)
        )
    )
    return {charge.evse_id: (known, charge, seq_no) for known, charge, seq_no in rows}


def _bookings_now(session: Session, now: datetime) -> Mapping[int, Booking]:
    bookings = session.scalars(
        select(Booking).where(
            Booking.status == BookingStatus.ACTIVE,
            Booking.hold_expires_at.is_(None),
            Booking.starts_at <= now,
            Booking.ends_at > now,
        )
    )
    return {booking.evse_id: booking for booking in bookings}


def _cards(session: Session) -> list[str]:
    return list(
        session.scalars(
            select(RfidTag.uid)
            .join(User, User.id == RfidTag.user_id)
            .where(User.password_hash == NO_PASSWORD, RfidTag.is_blocked.is_(False))
            .order_by(RfidTag.uid)
        )
    )


def _minutes(opening_hours: str) -> list[int] | None:
    """Return opening and closing in minutes of the day; None: always open."""
    if OpeningHours(opening_hours, "Asia/Kolkata").is_always:
        return None
    clocks = (clock.split(":") for clock in opening_hours.split("-"))
    return [int(hour) * 60 + int(minute) for hour, minute in clocks]
