"""Too many tries: what was typed stays on the page, which says when to go on."""

from typing import TypeVar

from flask import request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from wtforms import Form

from evcharge.accounts.forms import (
    LeaveForm,
    LoginForm,
    PasswordForm,
    SignUpForm,
    TokenForm,
)
from evcharge.accounts.limits import patience
from evcharge.accounts.pages.account import account_page, leave_page
from evcharge.accounts.pages.blueprint import pages
from evcharge.accounts.pages.entry import login_page, signup_page
from evcharge.accounts.pages.tokens import tokens_page
from evcharge.web.context import current_user

F = TypeVar("F", bound=Form)


@pages.errorhandler(RateLimitExceeded)
def ask_for_patience(_error: RateLimitExceeded) -> ResponseReturnValue:
    show = _AGAIN.get(request.endpoint or "", _login_again)
    return show(), 429


def _login_again() -> str:
    return login_page(_told(LoginForm(request.form)))


def _signup_again() -> str:
    return signup_page(_told(SignUpForm(request.form)))


def _password_again() -> str:
    form = PasswordForm(request.form, email=current_user().email)
    return account_page(password=_told(form))


def _leave_again() -> str:
    return leave_page(_told(LeaveForm(request.form)))


def _token_again() -> str:
    return tokens_page(_told(TokenForm(request.form)))


def _told(form: F) -> F:
    form.form_errors.append(patience())
    return form


_AGAIN = {
    "accounts.create_account": _signup_again,
    "accounts.save_password": _password_again,
    "accounts.delete_account": _leave_again,
    "accounts.make_token": _token_again,
}
