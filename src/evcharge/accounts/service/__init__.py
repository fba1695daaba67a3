"""What can happen to an account and to its logins.

Hashing a password takes 60 ms, and SQLite has one writer: whoever calls these
actions has hashed and compared before, outside of the transaction.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evcharge.accounts.models import Login, Operator, OperatorMember, RfidTag, User
from evcharge.accounts.queries import (
    credentials_or_none,
    lock_user,
    locked_with_admins,
    open_tokens,
    user_by_id,
)
from evcharge.accounts.rules import (
    AccountSuspended,
    Credentials,
    EmailTaken,
    InvalidEmail,
    LastAdmin,
    NotAnAdminNow,
    NotAnOperator,
    OperatorNameTaken,
    OperatorNotFound,
    OwnAccount,
    PasswordChanged,
    Profile,
    Role,
    StillAdmin,
    StillBooked,
    UserNotFound,
    UserStatus,
    WrongCredentials,
    email_from_text,
    email_key,
    name_key,
    nobody,
)
from evcharge.accounts.rules.passwords import MATCHES_NOTHING, SCRYPT, is_password
from evcharge.accounts.rules.tokens import (
    MOST_TOKENS,
    TokenNotFound,
    TooManyTokens,
    new_token,
    token_hash,
)
from evcharge.kernel.db import changed, insert_missing
from evcharge.kernel.ids import new_id

CountBookings = Callable[[Session, int, datetime], int]
Forget = Callable[[Session, int], None]

log = logging.getLogger(__name__)


def sign_up(
    session: Session,
    profile: Profile,
    *,
    password_hash: str,
    now: datetime,
    role: Role = Role.DRIVER,
) -> int:
    """Open an account and return its id.

    Raises: EmailTaken; of two who want one address at once, one.
    """
    key = email_key(profile.email)
    row = profile._asdict() | {
        "email_key": key,
        "password_hash": password_hash,
        "role": role,
        "created_at": now,
    }
    if not insert_missing(session, User, [row]):
        raise EmailTaken
    return session.scalars(select(User.id).where(User.email_key == key)).one()


def create_admin(
    session: Session, profile: Profile, *, password_hash: str, now: datetime
) -> int:
    """Raises: EmailTaken."""
    return sign_up(
        session, profile, password_hash=password_hash, now=now, role=Role.ADMIN
    )


def check_credentials(
    session: Session, *, email: str, password: str, method: str = SCRYPT
) -> Credentials:
    """Return whose they are; give it a reading session, it hashes once in any case.

    So neither the answer nor the time it takes tells whether an address is known.
    Raises: WrongCredentials; AccountSuspended, to those who know the password.
    """
    try:
        known = credentials_or_none(session, email_from_text(email))
    except InvalidEmail:
        known = None
    is_right = is_password(password, known and known.password_hash, method=method)
    if known is None or not is_right:
        raise WrongCredentials
    if known.status == UserStatus.SUSPENDED:
        raise AccountSuspended(user_id=known.user_id)
    return known


def log_in(
    session: Session,
    seen: Credentials,
    *,
    device: str,
    now: datetime,
    lifetime: timedelta,
) -> UUID:
    """Sign a browser in and return the login's id.

    Raises: UserNotFound, AccountSuspended, PasswordChanged when the account is not
    any more what the password was compared with.
    """
    _check_unchanged(session, seen)
    return _open(session, seen, device, now=now, lifetime=lifetime).id


def issue_token(
    session: Session,
    seen: Credentials,
    *,
    name: str,
    now: datetime,
    lifetime: timedelta,
) -> tuple[str, Login]:
    """Sign a program in. Return its token, which is kept nowhere, and the login.

    Raises: what `log_in` raises; TooManyTokens.
    """
    _check_unchanged(session, seen)
    if len(open_tokens(session, seen.user_id, now=now)) >= MOST_TOKENS:
        raise TooManyTokens
    token = new_token()
    login = _open(session, seen, name, now=now, lifetime=lifetime)
    login.token_hash = token_hash(token)
    return token, login


def revoke_token(
    session: Session, *, user_id: int, login_id: UUID, now: datetime
) -> None:
    """End one of the user's own tokens; twice is the same. Raises: TokenNotFound."""
    is_known = session.scalar(
        select(Login.id).where(
            Login.id == login_id,
            Login.user_id == user_id,
            Login.token_hash.is_not(None),
        )
    )
    if is_known is None:
        raise TokenNotFound(login_id=login_id)
    log_out(session, login_id=login_id, now=now)


def _check_unchanged(session: Session, seen: Credentials) -> None:
    """Raises: UserNotFound, AccountSuspended, PasswordChanged."""
    lock_user(session, seen.user_id)
    password_hash = session.scalar(
        select(User.password_hash).where(User.id == seen.user_id)
    )
    if password_hash != seen.password_hash:
        raise PasswordChanged


def _open(
    session: Session,
    seen: Credentials,
    device: str,
    *,
    now: datetime,
    lifetime: timedelta,
) -> Login:
    login = Login(
        id=new_id(),
        user_id=seen.user_id,
        device=device,
        created_at=now,
        expires_at=now + lifetime,
    )
    session.add(login)
    return login


def log_out(session: Session, *, login_id: UUID, now: datetime) -> None:
    session.execute(
        update(Login)
        .where(Login.id == login_id, Login.ended_at.is_(None))
        .values(ended_at=now)
    )


def log_out_everywhere(
    session: Session, *, user_id: int, now: datetime, but: UUID | None = None
) -> int:
    """End every login, but the one named, and return how many that were."""
    ending = update(Login).where(
        Login.user_id == user_id, Login.ended_at.is_(None), Login.expires_at > now
    )
    if but is not None:
        ending = ending.where(Login.id != but)
    return changed(session, ending.values(ended_at=now))


def change_password(
    session: Session,
    seen: Credentials,
    *,
    password_hash: str,
    login_id: UUID,
    now: datetime,
) -> int:
    """Set a new password, end the other logins and return how many that were.

    Raises: UserNotFound, AccountSuspended, PasswordChanged if somebody was quicker.
    """
    lock_user(session, seen.user_id)
    setting = (
        update(User)
        .where(User.id == seen.user_id, User.password_hash == seen.password_hash)
        .values(password_hash=password_hash)
    )
    if not changed(session, setting):
        raise PasswordChanged
    return log_out_everywhere(session, user_id=seen.user_id, now=now, but=login_id)


def change_profile(
    session: Session, *, user_id: int, name: str, phone: str | None
) -> None:
    """Raises: UserNotFound, AccountSuspended."""
    lock_user(session, user_id)
    session.execute(
        update(User).where(User.id == user_id).values(name=name, phone=phone)
    )


def delete_account(
    session: Session,
    *,
    user_id: int,
    now: datetime,
    upcoming_bookings: CountBookings,
    forget: Forget,
) -> None:
    """Forget who somebody was; what they booked and paid stays, as it must.

    Bookings stand above accounts, so the caller brings the question how many there
    are, and `forget`, which takes away what others keep about a person.
    Raises: UserNotFound, AccountSuspended, StillAdmin, StillBooked.
    """
    lock_user(session, user_id)  # Nothing is booked from here on.
    if user_by_id(session, user_id).role == Role.ADMIN:
        raise StillAdmin
    if upcoming_bookings(session, user_id, now):
        raise StillBooked
    left = nobody(user_id)
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(
            **left._asdict(),
            email_key=email_key(left.email),
            password_hash=MATCHES_NOTHING,
            status=UserStatus.DELETED,
        )
    )
    session.execute(delete(OperatorMember).where(OperatorMember.user_id == user_id))
    session.execute(delete(RfidTag).where(RfidTag.user_id == user_id))
    forget(session, user_id)
    log_out_everywhere(session, user_id=user_id, now=now)
    session.execute(update(Login).where(Login.user_id == user_id).values(device=""))


def change_role(session: Session, *, user_id: int, role: Role, actor_id: int) -> None:
    """Give somebody else another role; only operators keep whom they work for.

    Raises: UserNotFound, OwnAccount, LastAdmin, NotAnAdminNow.
    """
    user = _for_admin(session, user_id=user_id, actor_id=actor_id)
    user.role = role
    if role != Role.OPERATOR:
        session.execute(delete(OperatorMember).where(OperatorMember.user_id == user_id))
    log.info("user %s made user %s a %s", actor_id, user_id, role.value)


def suspend(session: Session, *, user_id: int, actor_id: int, now: datetime) -> int:
    """Close an account for now and return how many logins that ended.

    Raises: UserNotFound, OwnAccount, LastAdmin, NotAnAdminNow.
    """
    user = _for_admin(session, user_id=user_id, actor_id=actor_id)
    user.status = UserStatus.SUSPENDED
    log.info("user %s suspended user %s", actor_id, user_id)
    return log_out_everywhere(session, user_id=user_id, now=now)


def reinstate(session: Session, *, user_id: int, actor_id: int) -> None:
    """Raises: UserNotFound, OwnAccount, LastAdmin, NotAnAdminNow."""
    user = _for_admin(session, user_id=user_id, actor_id=actor_id)
    user.status = UserStatus.ACTIVE
    log.info("user %s reinstated user %s", actor_id, user_id)


def _for_admin(session: Session, *, user_id: int, actor_id: int) -> User:
    """Return somebody whom this admin may change, and let nobody else do so now."""
    people = locked_with_admins(session, user_id)
    actor, user = people.get(actor_id), people.get(user_id)
    if actor is None or actor.role != Role.ADMIN or actor.status != UserStatus.ACTIVE:
        raise NotAnAdminNow
    if user is None or user.status == UserStatus.DELETED:
        raise UserNotFound(user_id=user_id)
    if user is actor:
        raise LastAdmin if len(people) == 1 else OwnAccount
    return user


# ── operators ────────────────────────────────────────────────────────────────────


def create_operator(
    session: Session, *, name: str, phone: str | None, now: datetime
) -> int:
    """Add an organisation that runs chargers and return its id.

    Raises: OperatorNameTaken; of two who want one name at once, one.
    """
    key = name_key(name)
    row = {"name": name, "name_key": key, "support_phone": phone, "created_at": now}
    if not insert_missing(session, Operator, [row]):
        raise OperatorNameTaken
    return session.scalars(select(Operator.id).where(Operator.name_key == key)).one()


def edit_operator(
    session: Session, *, operator_id: int, name: str, phone: str | None
) -> None:
    """Raises: OperatorNotFound, OperatorNameTaken."""
    edit = (
        update(Operator)
        .where(Operator.id == operator_id)
        .values(name=name, name_key=name_key(name), support_phone=phone)
    )
    try:
        is_known = changed(session, edit) == 1
    except IntegrityError as error:
        raise OperatorNameTaken from error
    if not is_known:
        raise OperatorNotFound(operator_id=operator_id)


def add_member(
    session: Session, *, operator_id: int, user_id: int, actor_id: int, now: datetime
) -> None:
    """Let an operator's network be seen by one more person; twice is the same.

    Raises: UserNotFound, OperatorNotFound, NotAnOperator, NotAnAdminNow.
    """
    user = _for_admin(session, user_id=user_id, actor_id=actor_id)
    if user.role != Role.OPERATOR:
        raise NotAnOperator
    if session.get(Operator, operator_id) is None:
        raise OperatorNotFound(operator_id=operator_id)
    member = {"operator_id": operator_id, "user_id": user_id, "created_at": now}
    insert_missing(session, OperatorMember, [member])


def remove_member(
    session: Session, *, operator_id: int, user_id: int, actor_id: int
) -> None:
    """Raises: UserNotFound, NotAnAdminNow."""
    _for_admin(session, user_id=user_id, actor_id=actor_id)
    session.execute(
        delete(OperatorMember).where(
            OperatorMember.operator_id == operator_id,
            OperatorMember.user_id == user_id,
        )
    )
