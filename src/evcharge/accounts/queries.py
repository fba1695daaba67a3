"""Questions about people. Nothing here changes anything."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.orm import Session, raiseload

from evcharge.accounts.models import (
    Guest,
    Login,
    Operator,
    OperatorMember,
    RfidTag,
    User,
)
from evcharge.accounts.rules import (
    AccountSuspended,
    Credentials,
    OperatorNotFound,
    Role,
    UserFilter,
    UserNotFound,
    UserStatus,
    email_key,
)

DIALLED = re.compile(r"\+?[0-9][0-9 ()-]*")


class Holder(NamedTuple):
    """Who speaks by a token."""

    id: int
    name: str
    email: str
    role: Role
    login_id: UUID


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
            Login.token_hash.is_(None),
        )
    )


def token_holder_or_none(
    session: Session, token_hash: str, *, now: datetime
) -> Holder | None:
    """Return whose live token this is, and its login; None if anything has ended."""
    row = session.execute(_HOLDER, {"token_hash": token_hash, "now": now}).one_or_none()
    return Holder(*row) if row else None


# Built once: these are asked by every call of the API, and building them would take
# longer than the database does to answer.
_HOLDER = (
    select(User.id, User.name, User.email, User.role, Login.id)
    .join(Login, Login.user_id == User.id)
    .where(
        Login.token_hash == bindparam("token_hash"),
        Login.ended_at.is_(None),
        Login.expires_at > bindparam("now"),
        User.status == UserStatus.ACTIVE,
    )
)
_LOCKED_STATUS = (
    select(User.status).where(User.id == bindparam("user_id")).with_for_update()
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
    status = session.scalar(_LOCKED_STATUS, {"user_id": user_id})
    if status is None or status == UserStatus.DELETED:
        raise UserNotFound(user_id=user_id)
    if status == UserStatus.SUSPENDED:
        raise AccountSuspended(user_id=user_id)


def lock_users(session: Session, user_ids: Collection[int]) -> None:
    """As `lock_user`, for what must go on whatever became of the account since."""
    session.execute(
        select(User.id).where(User.id.in_(user_ids)).order_by(User.id).with_for_update()
    )


def lock_guests(session: Session, guest_ids: Collection[UUID]) -> int:
    """As `lock_users`, for those without an account. Return how many there are."""
    locked = session.scalars(
        select(Guest.id)
        .where(Guest.id.in_(guest_ids))
        .order_by(Guest.id)
        .with_for_update()
    )
    return len(locked.all())


def credentials_or_none(session: Session, email: str) -> Credentials | None:
    """Return what is needed to compare a password; None if nobody has the address."""
    row = session.execute(
        select(User.id, User.password_hash, User.status).where(
            User.email_key == email_key(email), User.status != UserStatus.DELETED
        )
    ).one_or_none()
    return Credentials(*row) if row else None


def user_by_id(session: Session, user_id: int) -> User:
    """Raises: UserNotFound."""
    user = session.scalar(select(User).where(User.id == user_id))
    if user is None:
        raise UserNotFound(user_id=user_id)
    return user


def user_by_email(session: Session, email: str) -> User:
    """Raises: UserNotFound."""
    known = (User.email_key == email_key(email)) & (User.status != UserStatus.DELETED)
    user = session.scalar(select(User).where(known))
    if user is None:
        raise UserNotFound("Nobody has an account with this e-mail address.")
    return user


def people_by_id(session: Session, user_ids: Collection[int]) -> dict[int, User]:
    people = session.scalars(select(User).where(User.id.in_(user_ids)))
    return {person.id: person for person in people}


def cards_of(session: Session, user_id: int) -> Sequence[RfidTag]:
    """Return the cards somebody charges with, the oldest first."""
    return session.scalars(
        select(RfidTag)
        .where(RfidTag.user_id == user_id)
        .order_by(RfidTag.created_at, RfidTag.uid)
    ).all()


def open_logins(session: Session, user_id: int, *, now: datetime) -> list[Login]:
    """Return the browsers this person is signed in with, the newest first."""
    return open_logins_and_tokens(session, user_id, now=now)[0]


def open_tokens(session: Session, user_id: int, *, now: datetime) -> list[Login]:
    """Return the programs that hold a token of this person, the newest first."""
    return open_logins_and_tokens(session, user_id, now=now)[1]


def open_logins_and_tokens(
    session: Session, user_id: int, *, now: datetime
) -> tuple[list[Login], list[Login]]:
    found = session.scalars(
        select(Login)
        .where(
            Login.user_id == user_id,
            Login.ended_at.is_(None),
            Login.expires_at > now,
        )
        .order_by(Login.created_at.desc(), Login.id)
    ).all()
    return (
        [login for login in found if login.token_hash is None],
        [login for login in found if login.token_hash is not None],
    )


def employers_of(session: Session, user_id: int) -> list[Operator]:
    """Return the operators this person works for, by name."""
    return list(
        session.scalars(
            select(Operator)
            .join(OperatorMember, OperatorMember.operator_id == Operator.id)
            .where(OperatorMember.user_id == user_id)
            .order_by(Operator.name)
            .options(raiseload("*"))
        )
    )


def all_operators(session: Session) -> list[Operator]:
    return list(
        session.scalars(
            select(Operator).order_by(Operator.name).options(raiseload("*"))
        )
    )


def operator_by_id(session: Session, operator_id: int) -> Operator:
    """Raises: OperatorNotFound."""
    operator = session.get(Operator, operator_id, options=[raiseload("*")])
    if operator is None:
        raise OperatorNotFound(operator_id=operator_id)
    return operator


def members_of(session: Session, operator_id: int) -> list[User]:
    """Return who works for an operator, by name."""
    return list(
        session.scalars(
            select(User)
            .join(OperatorMember, OperatorMember.user_id == User.id)
            .where(OperatorMember.operator_id == operator_id)
            .order_by(User.name, User.id)
        )
    )


def member_counts(session: Session) -> dict[int, int]:
    """Return how many people work for each operator that has any."""
    employer = OperatorMember.operator_id
    rows = session.execute(select(employer, func.count()).group_by(employer))
    return dict(rows.all())


def users_matching(
    session: Session, wanted: UserFilter, *, limit: int, offset: int = 0
) -> list[User]:
    """Return some of the people an admin looks for, the newest first."""
    return list(
        session.scalars(
            select(User)
            .where(*_matches(wanted))
            .order_by(User.id.desc())
            .limit(limit)
            .offset(offset)
        )
    )


def count_users_matching(session: Session, wanted: UserFilter) -> int:
    return (
        session.scalar(select(func.count()).select_from(User).where(*_matches(wanted)))
        or 0
    )


def _matches(wanted: UserFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.role:
        found.append(User.role == wanted.role)
    if wanted.status:
        found.append(User.status == wanted.status)
    if wanted.text:
        found.append(_mentions(wanted.text))
    return found


def _mentions(text: str) -> ColumnElement[bool]:
    """Name, address or number contains it; `%` and `_` stand for themselves."""
    ways = [
        User.name.icontains(text, autoescape=True),
        User.email_key.contains(email_key(text), autoescape=True),
    ]
    if DIALLED.fullmatch(text):
        digits = "".join(sign for sign in text if sign.isdecimal())
        ways.append(User.phone.contains(digits))
    return or_(*ways)


def locked_with_admins(session: Session, user_id: int) -> dict[int, User]:
    """Return this person and every working admin, by id; all of them wait for us.

    Two admins who demote each other at the same time meet here: the second one
    finds that they are no longer an admin.
    """
    is_admin = (User.role == Role.ADMIN) & (User.status == UserStatus.ACTIVE)
    people = session.scalars(
        select(User)
        .where(or_(User.id == user_id, is_admin))
        .order_by(User.id)
        .with_for_update()
    )
    return {person.id: person for person in people}
