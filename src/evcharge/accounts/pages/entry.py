"""Signing up, logging in and logging out."""

from datetime import timedelta
from uuid import UUID

from flask import (
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from evcharge.accounts import service
from evcharge.accounts.credentials import checked, hashing_method
from evcharge.accounts.forms import LoginForm, SignUpForm, refuse
from evcharge.accounts.limits import account_tried, remember_device
from evcharge.accounts.pages.blueprint import pages
from evcharge.accounts.rules import (
    AccountSuspended,
    Credentials,
    EmailTaken,
    PasswordChanged,
    UserStatus,
    WrongCredentials,
)
from evcharge.accounts.rules.browsers import device_from_agent, own_path_or_none
from evcharge.accounts.rules.passwords import hash_password
from evcharge.kernel.clock import utc_now
from evcharge.web.context import (
    current_user_or_none,
    perform,
    public,
    settings,
)
from evcharge.web.errors import http_status
from evcharge.web.shell import limiter

# Signing up


@pages.get("/signup")
@public
def signup() -> ResponseReturnValue:
    if current_user_or_none():
        return redirect(_onward(), code=303)
    return signup_page(SignUpForm())


@pages.post("/signup")
@public
@limiter.limit("5 per minute")
def create_account() -> ResponseReturnValue:
    form = SignUpForm(request.form)
    if not form.validate():
        return signup_page(form), 422
    profile = form.profile
    password_hash = hash_password(form.password.data or "", method=hashing_method())

    def open_account(session: Session) -> tuple[int, UUID]:
        user_id = service.sign_up(
            session, profile, password_hash=password_hash, now=utc_now()
        )
        seen = Credentials(user_id, password_hash, UserStatus.ACTIVE)
        return user_id, _new_login(session, seen)

    try:
        user_id, login_id = perform(open_account)
    except EmailTaken as refusal:
        refuse(form.email, refusal)
        return signup_page(form), http_status(refusal)
    return _welcome(user_id, login_id, profile.email)


def signup_page(form: SignUpForm) -> str:
    return render_template("accounts/signup.html", form=form, onward=_next())


# Logging in


@pages.get("/login")
@public
def login() -> ResponseReturnValue:
    if current_user_or_none():
        return redirect(_onward(), code=303)
    return login_page(LoginForm())


@pages.post("/login")
@public
@limiter.limit("5 per minute", key_func=account_tried)
@limiter.limit("10 per minute")  # Comes first: who is stopped here uses up no other.
def create_login() -> ResponseReturnValue:
    form = LoginForm(request.form)
    if not form.validate():
        return login_page(form), 422
    email, password = form.email.data or "", form.password.data or ""
    try:
        seen = checked(email, password)
        login_id = perform(lambda session: _new_login(session, seen))
    except (WrongCredentials, AccountSuspended, PasswordChanged) as refusal:
        form.form_errors.append(refusal.message)
        return login_page(form), http_status(refusal)
    return _welcome(seen.user_id, login_id, email)


def login_page(form: LoginForm) -> str:
    return render_template("accounts/login.html", form=form, onward=_next())


def _new_login(session: Session, seen: Credentials) -> UUID:
    """Open a login for this browser; the one it had is over."""
    now = utc_now()
    if previous := current_user_or_none():
        service.log_out(session, login_id=previous.login_id, now=now)
    return service.log_in(
        session,
        seen,
        device=device_from_agent(request.user_agent.string),
        now=now,
        lifetime=timedelta(days=settings().login_days),
    )


def _welcome(user_id: int, login_id: UUID, email: str) -> Response:
    # What the cookie held before somebody else may have put there.
    session.clear()
    session.permanent = True
    session["user_id"], session["login_id"] = user_id, str(login_id)
    response = make_response(redirect(_onward(), code=303))
    remember_device(response, email)
    return response


def _next() -> str | None:
    return own_path_or_none(request.args.get("next"))


def _onward() -> str:
    return _next() or url_for("network.home")


@pages.post("/logout")
@public
def logout() -> ResponseReturnValue:
    """Also for those whose login ended by itself: they wanted to be out."""
    if user := current_user_or_none():
        perform(
            lambda session: service.log_out(
                session, login_id=user.login_id, now=utc_now()
            )
        )
    session.clear()
    flash("You are logged out.", "success")
    return redirect(url_for("network.home"), code=303)
