"""What is owed."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, select
from sqlalchemy.orm import (
    Session,
    raiseload,
)

from evcharge.payments.models import Due
from evcharge.payments.rules import (
    DueNotFound,
    ItemKind,
    Payer,
)
from evcharge.stations.models import Location

MOST_DUES_SHOWN = 100


def due_by_id(
    session: Session,
    due_id: UUID,
    *,
    payer: Payer | None = None,
    operator_ids: Collection[int] | None = None,
    lock: bool = False,
) -> Due:
    """Raises: DueNotFound; with `payer` or `operator_ids` also for anybody else's."""
    statement = select(Due).where(Due.id == due_id).options(raiseload("*"))
    if payer is not None:
        statement = statement.where(
            Due.user_id.is_not_distinct_from(payer.user_id),
            Due.guest_id.is_not_distinct_from(payer.guest_id),
        )
    if operator_ids is not None:
        statement = statement.join(Location, Location.id == Due.location_id).where(
            Location.operator_id.in_(operator_ids)
        )
    if lock:
        statement = statement.with_for_update(of=Due)
    due = session.scalar(statement.execution_options(populate_existing=True))
    if due is None:
        raise DueNotFound(due_id=due_id)
    return due


def due_of_item(session: Session, kind: ItemKind, item_id: UUID) -> Due | None:
    """Return what is or was owed for a booking or session, if anything ever was."""
    return session.scalar(
        select(Due).where(Due.item_id == item_id, Due.item_kind == kind)
    )


def open_dues(
    session: Session, user_id: int | None = None, *, guest_id: UUID | None = None
) -> Sequence[Due]:
    """Return what a user or a guest owes, oldest first."""
    payer = Payer(user_id, guest_id)
    return session.scalars(
        select(Due)
        .where(
            Due.user_id == payer.user_id
            if guest_id is None
            else Due.guest_id == payer.guest_id,
            *_still_owed(),
        )
        .order_by(Due.created_at, Due.id)
    ).all()


def dues_of_user(session: Session, user_id: int) -> Sequence[Due]:
    """Return what a user owes or ever owed: open ones first, then the newest."""
    return session.scalars(
        select(Due)
        .where(Due.user_id == user_id)
        .order_by(~and_(*_still_owed()), Due.created_at.desc(), Due.id.desc())
        .limit(MOST_DUES_SHOWN)
    ).all()


def overdue_dues(session: Session, user_id: int, before: datetime) -> Sequence[Due]:
    """Return what a user has owed since before a moment, oldest first."""
    return session.scalars(_OVERDUE, {"user_id": user_id, "before": before}).all()


def _still_owed() -> tuple[ColumnElement[bool], ...]:
    return Due.paid_at.is_(None), Due.waived_at.is_(None)


# Built once: every booking asks.
_OVERDUE = (
    select(Due)
    .where(
        Due.user_id == bindparam("user_id"),
        Due.created_at < bindparam("before"),
        *_still_owed(),
    )
    .order_by(Due.created_at, Due.id)
)


def owed_paise(session: Session, user_id: int) -> int:
    """Return how much a user owes in all."""
    return sum(due.amount_paise for due in open_dues(session, user_id))


def dues_list(
    *, operator_ids: Collection[int] | None = None, is_open: bool | None = None
) -> Select[Due]:
    """Return the statement for a list of dues, newest first; the page that shows it
    adds LIMIT. `operator_ids` keeps to those of these operators."""
    statement = select(Due).order_by(Due.created_at.desc(), Due.id.desc())
    if operator_ids is not None:
        statement = statement.join(Location, Location.id == Due.location_id).where(
            Location.operator_id.in_(operator_ids)
        )
    if is_open is not None:
        still_owed = and_(*_still_owed())
        statement = statement.where(still_owed if is_open else ~still_owed)
    return statement
