"""What a page may ask of the request it is serving."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, cast
from uuid import UUID

from flask import Flask, current_app, g, request, session
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from evcharge.kernel.db import Base, Database
from evcharge.kernel.errors import DomainError, NotAllowed, NotFound
from evcharge.kernel.settings import Settings
from evcharge.web.problems import is_for_api

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

RoleName = Literal["driver", "operator", "admin"]


NO_LIVE_LOGIN = "Send a token that is still valid: Authorization: Bearer evc_…"


class SignInRequired(DomainError):
    code = "sign_in_required"
    message = "Log in to go on."


class NotYourRole(NotAllowed):
    code = "not_your_role"
    message = "This is for people who run the network."


@dataclass(frozen=True)
class CurrentUser:
    """Who is asking. `operator_ids` are the operators they work for."""

    id: int
    name: str
    email: str
    role: RoleName
    login_id: UUID
    operator_ids: frozenset[int]

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def sees_console(self) -> bool:
        return self.role in ("operator", "admin")

    @property
    def scope(self) -> frozenset[int] | None:
        """The operators whose network they may see; None means every one."""
        return None if self.is_admin else self.operator_ids


# Given to `create_app`: accounts stand above this shell, so it cannot import them.
Identify = Callable[[Session, int, UUID], CurrentUser | None]
IdentifyToken = Callable[[Session, str], CurrentUser | None]


class RequestReading(SQLAlchemy):
    """Flask-SQLAlchemy for its request-scoped session, on the program's own engine.

    Left to itself it would open a second pool, and one without SQLite's settings.
    """

    def _make_engine(self, bind_key: str | None, options: Any, app: Flask) -> Engine:
        return database(app).engine


db = RequestReading(metadata=Base.metadata)


def database(app: Flask | None = None) -> Database:
    return cast(Database, (app or current_app).extensions["evcharge.database"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["evcharge.settings"])


def transaction() -> AbstractContextManager[Session]:
    return database().transaction()


def perform(action: Callable[[Session], T], *, repeatable: bool = False) -> T:
    """Run an action in a transaction of its own, again if it lost a race for locks."""
    return database().perform(action, repeatable=repeatable)


def reading() -> Session:
    """Return the request's one reading session; it closes when the request ends."""
    return db.session()


def current_user_or_none() -> CurrentUser | None:
    """Return who is signed in. A cookie whose login or account has ended is nobody."""
    if "current_user" not in g:
        g.current_user = _identify()
    return cast("CurrentUser | None", g.current_user)


def current_user() -> CurrentUser:
    """Raises: SignInRequired."""
    user = current_user_or_none()
    if user is None:
        raise SignInRequired(NO_LIVE_LOGIN if is_for_api() else None)
    return user


def _identify() -> CurrentUser | None:
    """On pages the cookie speaks; to the API only a token, which no page sends."""
    return _by_token() if is_for_api() else _by_cookie()


def token_or_none() -> str | None:
    """Return the bearer token of the request, whoever made it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return (token.strip() or None) if scheme.lower() == "bearer" else None


def _by_token() -> CurrentUser | None:
    token = token_or_none()
    if token is None:
        return None
    identify = current_app.extensions["evcharge.identify_token"]
    return cast(IdentifyToken, identify)(reading(), token)


def _by_cookie() -> CurrentUser | None:
    try:
        user_id, login_id = int(session["user_id"]), UUID(session["login_id"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    identify = cast(Identify, current_app.extensions["evcharge.identify"])
    user = identify(reading(), user_id, login_id)
    if user is None:
        session.clear()
    return user


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Say on purpose that anybody may call this view."""
    view.guard = "public"  # type: ignore[attr-defined]
    return view


def login_required(view: Callable[P, R]) -> Callable[P, R]:
    return _guarded(view, "login", lambda user: True)


def operator_required(view: Callable[P, R]) -> Callable[P, R]:
    """For operators, who see their own network, and admins, who see all."""
    return _guarded(view, "operator", lambda user: user.sees_console)


def admin_required(view: Callable[P, R]) -> Callable[P, R]:
    return _guarded(view, "admin", lambda user: user.is_admin)


def _guarded(
    view: Callable[P, R], guard: str, allows: Callable[[CurrentUser], bool]
) -> Callable[P, R]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not allows(current_user()):
            raise NotYourRole
        return view(*args, **kwargs)

    guarded.guard = guard  # type: ignore[attr-defined]
    return guarded


def check_in_scope(operator_id: int, not_found: NotFound) -> None:
    """Someone else's network is not found, not forbidden. Raises: `not_found`."""
    scope = current_user().scope
    if scope is not None and operator_id not in scope:
        raise not_found
