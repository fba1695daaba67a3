"""Questions about people. Nothing here changes anything."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.accounts.models import Login, OperatorMember, User
from evcharge.accounts.rules import AccountSuspended, UserNotFound, UserStatus


def signed_in_user_or_none(
    session: Session, *, user_id: int, login_id: UUID, now: datetime
) -> User | None:
    """Return who holds this live login; None if it or the account has ended."""
    return session.scalar(
        select(User)
        .join(Login, Login.user_id == User.id)
        .where(
            User.id == user_id,
            User.status == UserStatus.ACTIVE,
            Login.id == login_id,
            Login.ended_at.is_(None),
            Login.expires_at > now,
        )
    )


def operators_of(session: Session, user_id: int) -> frozenset[int]:
    """Return the ids of the operators this person works for."""
    return frozenset(
        session.scalars(
            select(OperatorMember.operator_id).where(OperatorMember.user_id == user_id)
        )
    )


def lock_user(session: Session, user_id: int) -> None:
    """Make this transaction the only one that changes what this person holds.

    Every action on a driver's bookings, checkouts and payments takes this first,
    so that limits hold and nobody waits in a circle.

    Raises: UserNotFound, AccountSuspended.
    """
    status = session.scalar(
        select(User.status).where(User.id == user_id).with_for_update()
    )
    if status is None or status == UserStatus.DELETED:
        raise UserNotFound(user_id=user_id)
    if status == UserStatus.SUSPENDED:
        raise AccountSuspended(user_id=user_id)


def lock_users(session: Session, user_ids: Collection[int]) -> None:
    """As `lock_user`, for what must go on whatever became of the account since."""
    session.execute(
        select(User.id).where(User.id.in_(user_ids)).order_by(User.id).with_for_update()
    )
