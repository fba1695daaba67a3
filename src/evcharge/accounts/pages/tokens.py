"""Tokens: which programs act for somebody, and letting in one more."""

from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.accounts import service
from evcharge.accounts.forms import TokenForm, refuse
from evcharge.accounts.limits import account_changed
from evcharge.accounts.models import Login
from evcharge.accounts.pages.blueprint import check_present, pages
from evcharge.accounts.queries import open_tokens
from evcharge.accounts.rules import AccountSuspended, PasswordChanged, WrongPassword
from evcharge.accounts.rules.tokens import TokenNotFound, TooManyTokens
from evcharge.kernel.clock import utc_now
from evcharge.web.context import current_user, login_required, perform, reading
from evcharge.web.errors import http_status
from evcharge.web.shell import limiter


@dataclass(frozen=True)
class MadeToken:
    """A new token, the only time it is known."""

    name: str
    token: str


@pages.get("/account/tokens")
@login_required
def tokens() -> ResponseReturnValue:
    return tokens_page(TokenForm())


@pages.post("/account/tokens")
@login_required
@limiter.limit("5 per minute", key_func=account_changed)
def make_token() -> ResponseReturnValue:
    """Answer with the token itself: to show it after a redirect, it would have to be
    kept somewhere."""
    form = TokenForm(request.form)
    if not form.validate():
        return tokens_page(form), 422
    try:
        seen = check_present(current_user().email, form.present)
    except WrongPassword as refusal:
        refuse(form.present, refusal)
        return tokens_page(form), http_status(refusal)

    now = utc_now()

    def issue(session: Session) -> tuple[MadeToken, list[Login]]:
        token, login = service.issue_token(
            session, seen, name=form.clean_name, now=now, lifetime=form.lifetime
        )
        # The request's own session may still show how things were before.
        return MadeToken(login.device, token), open_tokens(
            session, login.user_id, now=now
        )

    try:
        made, tokens = perform(issue)
    except (AccountSuspended, PasswordChanged, TooManyTokens) as refusal:
        form.form_errors.append(refusal.message)
        return tokens_page(form), http_status(refusal)
    return _tokens_page(TokenForm(), tokens, made=made), 201


@pages.post("/account/tokens/<uuid:token_id>/revoke")
@login_required
def revoke_token(token_id: UUID) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()
    try:
        perform(
            lambda session: service.revoke_token(
                session, user_id=user_id, login_id=token_id, now=now
            ),
            repeatable=True,
        )
    except TokenNotFound as refusal:
        flash(refusal.message, "warning")
    else:
        flash("Revoked. The program that used it is logged out.", "success")
    return redirect(url_for(".tokens"), code=303)


def tokens_page(form: TokenForm) -> str:
    return _tokens_page(form, open_tokens(reading(), current_user().id, now=utc_now()))


def _tokens_page(
    form: TokenForm, tokens: list[Login], *, made: MadeToken | None = None
) -> str:
    return render_template("accounts/tokens.html", form=form, tokens=tokens, made=made)
