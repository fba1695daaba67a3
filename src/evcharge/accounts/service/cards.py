"""Cards that drivers charge with: given, blocked, taken away."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from evcharge.accounts.models import RfidTag
from evcharge.accounts.queries import lock_user
from evcharge.accounts.rules.cards import (
    MOST_CARDS,
    CardNotFound,
    CardTaken,
    TooManyCards,
)
from evcharge.kernel.db import changed, insert_missing


def add_card(
    session: Session, *, user_id: int, uid: str, label: str, by: int, now: datetime
) -> None:
    """Let somebody charge with a card.

    Raises: UserNotFound, AccountSuspended, TooManyCards, CardTaken.
    """
    lock_user(session, user_id)
    theirs = select(func.count(RfidTag.uid)).where(RfidTag.user_id == user_id)
    if (session.scalar(theirs) or 0) >= MOST_CARDS:
        raise TooManyCards
    row = {
        "uid": uid,
        "user_id": user_id,
        "label": label,
        "created_at": now,
        "created_by": by,
    }
    if not insert_missing(session, RfidTag, [row]):
        raise CardTaken


def block_card(
    session: Session, *, user_id: int, uid: str, is_blocked: bool = True
) -> None:
    """Let nobody charge with a card, or let them again. Raises: CardNotFound."""
    block = (
        update(RfidTag)
        .where(RfidTag.uid == uid, RfidTag.user_id == user_id)
        .values(is_blocked=is_blocked)
    )
    if not changed(session, block):
        raise CardNotFound(uid=uid)


def remove_card(session: Session, *, user_id: int, uid: str) -> None:
    """Forget a card; it can then be given to somebody else. Raises: CardNotFound."""
    removal = delete(RfidTag).where(RfidTag.uid == uid, RfidTag.user_id == user_id)
    if not changed(session, removal):
        raise CardNotFound(uid=uid)
