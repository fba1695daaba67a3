"""Tokens: how a program logs in and out."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from evcharge.accounts import service
from evcharge.accounts.credentials import checked
from evcharge.accounts.limits import email_tried
from evcharge.accounts.models import Login
from evcharge.accounts.queries import open_tokens
from evcharge.accounts.rules import (
    LONGEST_EMAIL,
    AccountSuspended,
    PasswordChanged,
    WrongCredentials,
)
from evcharge.accounts.rules.passwords import LONGEST_PASSWORD
from evcharge.accounts.rules.tokens import (
    LONGEST_LIFETIME,
    LONGEST_TOKEN_NAME,
    USUAL_LIFETIME,
    BadTokenName,
    TokenNotFound,
    TooManyTokens,
    token_name,
)
from evcharge.kernel.clock import utc_now
from evcharge.web.api import WHOLE, Answer, Api, Body, Instant, Text
from evcharge.web.context import (
    SignInRequired,
    current_user,
    current_user_or_none,
    login_required,
    perform,
    public,
    reading,
)
from evcharge.web.shell import limiter

api = Api("accounts")

A_DAY = timedelta(days=1)


class NotTheirPassword(SignInRequired):
    code = WrongCredentials.code
    message = WrongCredentials.message


class NewToken(Body):
    email: Annotated[str, Field(min_length=1, max_length=LONGEST_EMAIL)]
    password: Annotated[str, Field(min_length=1, max_length=LONGEST_PASSWORD)]
    name: Annotated[Text, Field(min_length=1, max_length=LONGEST_TOKEN_NAME)] = Field(
        default="A program", description="What you will know it by on your account page"
    )
    days: Annotated[int, Field(ge=1, le=LONGEST_LIFETIME // A_DAY), WHOLE] = Field(
        default=USUAL_LIFETIME // A_DAY, description="How long it is valid"
    )


class TokenInfo(Answer):
    id: UUID
    name: str
    created_at: Instant
    expires_at: Instant
    is_current: bool = Field(description="The one this call was made with")


class Token(TokenInfo):
    token: str = Field(description="Shown only now. Send it as Authorization: Bearer …")


class Tokens(Answer):
    items: list[TokenInfo]


@api.post(
    "/tokens",
    guard=public,
    status=201,
    refuses=(
        NotTheirPassword,
        AccountSuspended,
        PasswordChanged,
        BadTokenName,
        TooManyTokens,
    ),
)
@limiter.limit("5 per minute", key_func=email_tried)
@limiter.limit("10 per minute")
def create_token(body: NewToken) -> Token:
    """Log in.

    The token acts for the person until it expires or is revoked, here or on the
    account page. A new password and "Log out everywhere" end it too.
    """
    name = token_name(body.name)
    try:
        seen = checked(body.email, body.password)
    except WrongCredentials as error:
        raise NotTheirPassword from error

    def issue(session: Session) -> tuple[str, Login]:
        return service.issue_token(
            session, seen, name=name, now=utc_now(), lifetime=body.days * A_DAY
        )

    token, login = perform(issue)
    return Token(token=token, **_about(login))


@api.get("/tokens", guard=login_required)
def list_tokens() -> Tokens:
    """List your tokens that are still valid, the newest first."""
    found = open_tokens(reading(), current_user().id, now=utc_now())
    return Tokens(items=[TokenInfo(**_about(login)) for login in found])


@api.delete("/tokens/current", guard=login_required, status=204)
def revoke_current_token() -> None:
    """Log out: the token of this call is over."""
    _revoke(current_user().login_id)


@api.delete(
    "/tokens/<uuid:token_id>",
    guard=login_required,
    status=204,
    refuses=(TokenNotFound,),
)
def revoke_token(token_id: UUID) -> None:
    """Revoke one of your tokens; twice is the same."""
    _revoke(token_id)


def _revoke(login_id: UUID) -> None:
    user_id = current_user().id
    perform(
        lambda session: service.revoke_token(
            session, user_id=user_id, login_id=login_id, now=utc_now()
        ),
        repeatable=True,
    )


def _about(login: Login) -> dict[str, Any]:
    caller = current_user_or_none()
    return {
        "id": login.id,
        "name": login.device,
        "created_at": login.created_at,
        "expires_at": login.expires_at,
        "is_current": caller is not None and caller.login_id == login.id,
    }
