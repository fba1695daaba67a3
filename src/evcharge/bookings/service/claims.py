"""Taking and giving back quarter hours: the one place where a slot is sold."""

import json
from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import TextClause, and_, delete, or_, select, text
from sqlalchemy.orm import Session

from evcharge.bookings.models import SlotClaim
from evcharge.bookings.rules import SlotTaken
from evcharge.kernel.db import changed
from evcharge.stations.rules import ClaimedBy

# EVSE, quarter hour, and the id of the booking, session or block that owns it.
Claim = tuple[int, int, UUID]

# One statement of constant text for any number of claims, compiled once. Everyone
# inserts in the same order, so no two wait for each other in a circle; whoever
# meets an uncommitted claim waits there for the other to commit.
_WANTED = {
    "postgresql": (
        "SELECT (row->>0)::int, (row->>1)::int, :kind, (row->>2)::uuid"
        " FROM jsonb_array_elements(CAST(:wanted AS jsonb)) AS row"
    ),
    "sqlite": (
        "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), :kind,"
        " json_extract(value, '$[2]') FROM json_each(:wanted) WHERE true"
    ),
}
_CLAIM = {
    (dialect, kind): text(
        f"INSERT INTO slot_claims (evse_id, slot_no, kind, {kind}_id)"
        f" {wanted} ORDER BY 1, 2 ON CONFLICT DO NOTHING"
    )
    for dialect, wanted in _WANTED.items()
    for kind in ClaimedBy
}


def claim(
    session: Session,
    wanted: Collection[Claim],
    *,
    kind: ClaimedBy = ClaimedBy.BOOKING,
) -> None:
    """Take every one of the quarter hours, or refuse: leave the transaction then.

    The primary key of `slot_claims` decides; there is no lock and no look before.

    Raises: SlotTaken with the EVSEs that were not to be had in `details`.
    """
    if not try_claim(session, wanted, kind=kind):
        raise SlotTaken(evse_ids=_lost(session, wanted))


def try_claim(
    session: Session,
    wanted: Collection[Claim],
    *,
    kind: ClaimedBy = ClaimedBy.BOOKING,
) -> bool:
    """Take what is free of `wanted` and return whether that was all of it."""
    statement: TextClause = _CLAIM[session.get_bind().dialect.name, kind]
    rows = json.dumps([(evse, slot, owner.hex) for evse, slot, owner in wanted])
    values: dict[str, object] = {"wanted": rows, "kind": kind.value}
    return changed(session, statement, values) == len(wanted)


def release(session: Session, booking_id: UUID) -> None:
    """Give back all that a booking owns, past quarter hours too."""
    changed(session, delete(SlotClaim).where(SlotClaim.booking_id == booking_id))


def release_some(
    session: Session, booking_id: UUID, given_back: Iterable[tuple[int, int]]
) -> None:
    """Give back these (EVSE, quarter hour) of a booking."""
    pairs = [
        and_(SlotClaim.evse_id == evse_id, SlotClaim.slot_no == number)
        for evse_id, number in given_back
    ]
    if pairs:
        mine = delete(SlotClaim).where(SlotClaim.booking_id == booking_id)
        changed(session, mine.where(or_(*pairs)))


def release_block(session: Session, block_id: UUID) -> None:
    changed(session, delete(SlotClaim).where(SlotClaim.block_id == block_id))


def release_session(session: Session, session_id: UUID) -> None:
    changed(session, delete(SlotClaim).where(SlotClaim.session_id == session_id))


def _lost(session: Session, wanted: Collection[Claim]) -> list[int]:
    """Return the EVSEs where somebody else owns a quarter hour that we wanted."""
    owners = {owner for _, _, owner in wanted}
    others = session.execute(
        select(SlotClaim.evse_id, SlotClaim.slot_no).where(
            SlotClaim.evse_id.in_({evse for evse, _, _ in wanted}),
            SlotClaim.slot_no.in_({slot for _, slot, _ in wanted}),
            or_(SlotClaim.booking_id.is_(None), SlotClaim.booking_id.not_in(owners)),
        )
    )
    asked = {(evse, slot) for evse, slot, _ in wanted}
    return sorted({evse for evse, slot in others if (evse, slot) in asked})
