"""Pages on which people sign up, log in and look after their account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Field

from evcharge.accounts import service
from evcharge.accounts.forms import (
    LeaveForm,
    LoginForm,
    PasswordForm,
    ProfileForm,
    SignUpForm,
    refuse,
)
from evcharge.accounts.limits import (
    account_changed,
    account_tried,
    patience,
    remember_device,
)
from evcharge.accounts.models import User
from evcharge.accounts.queries import open_logins, user_by_id
from evcharge.accounts.rules import (
    AccountSuspended,
    Credentials,
    EmailTaken,
    PasswordChanged,
    StillAdmin,
    StillBooked,
    UserStatus,
    WrongCredentials,
    WrongPassword,
    spaced_phone,
)
from evcharge.accounts.rules.browsers import (
    device_from_agent,
    device_name,
    own_path_or_none,
)
from evcharge.accounts.rules.passwords import hash_password
from evcharge.kernel.clock import utc_now
from evcharge.web.context import (
    current_user,
    current_user_or_none,
    login_required,
    perform,
    public,
    reading,
    settings,
)
from evcharge.web.errors import http_status
from evcharge.web.shell import limiter

pages = Blueprint("accounts", __name__, template_folder="templates")


@dataclass(frozen=True)
class OpenLogin:
    """A browser as its owner knows it."""

    name: str
    created_at: datetime
    is_this: bool


# Signing up


@pages.get("/signup")
@public
def signup() -> ResponseReturnValue:
    if current_user_or_none():
        return redirect(_onward(), code=303)
    return _signup_page(SignUpForm())


@pages.post("/signup")
@public
@limiter.limit("5 per minute")
def create_account() -> ResponseReturnValue:
    form = SignUpForm(request.form)
    if not form.validate():
        return _signup_page(form), 422
    profile = form.profile
    password_hash = hash_password(form.password.data or "", method=_method())

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
        return _signup_page(form), http_status(refusal)
    return _welcome(user_id, login_id, profile.email)


def _signup_page(form: SignUpForm) -> str:
    return render_template("accounts/signup.html", form=form, onward=_next())


# Logging in


@pages.get("/login")
@public
def login() -> ResponseReturnValue:
    if current_user_or_none():
        return redirect(_onward(), code=303)
    return _login_page(LoginForm())


@pages.post("/login")
@public
@limiter.limit("5 per minute", key_func=account_tried)
@limiter.limit("10 per minute")  # Comes first: who is stopped here uses up no other.
def create_login() -> ResponseReturnValue:
    form = LoginForm(request.form)
    if not form.validate():
        return _login_page(form), 422
    email, password = form.email.data or "", form.password.data or ""
    try:
        seen = service.check_credentials(
            reading(), email=email, password=password, method=_method()
        )
        login_id = perform(lambda session: _new_login(session, seen))
    except (WrongCredentials, AccountSuspended, PasswordChanged) as refusal:
        form.form_errors.append(refusal.message)
        return _login_page(form), http_status(refusal)
    return _welcome(seen.user_id, login_id, email)


def _login_page(form: LoginForm) -> str:
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


def _method() -> str:
    return str(current_app.config["PASSWORD_METHOD"])


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


# The account


@pages.get("/account")
@login_required
def account() -> ResponseReturnValue:
    return _account_page()


@pages.post("/account/profile")
@login_required
def save_profile() -> ResponseReturnValue:
    form = ProfileForm(request.form)
    if not form.validate():
        return _account_page(profile=form), 422
    user_id, name, phone = current_user().id, form.clean_name, form.phone_number
    perform(
        lambda session: service.change_profile(
            session, user_id=user_id, name=name, phone=phone
        )
    )
    flash("Saved.", "success")
    return redirect(url_for(".account"), code=303)


@pages.post("/account/password")
@login_required
@limiter.limit("5 per minute", key_func=account_changed)
def save_password() -> ResponseReturnValue:
    user = current_user()
    form = PasswordForm(request.form, email=user.email)
    if not form.validate():
        return _account_page(password=form), 422
    try:
        seen = _check_present(user.email, form.present)
    except WrongPassword as refusal:
        refuse(form.present, refusal)
        return _account_page(password=form), 422
    password_hash = hash_password(form.new.data or "", method=_method())
    ended = perform(
        lambda session: service.change_password(
            session,
            seen,
            password_hash=password_hash,
            login_id=user.login_id,
            now=utc_now(),
        )
    )
    others = f" {_browsers(ended)} logged out." if ended else ""
    flash(f"Your password is changed.{others}", "success")
    return redirect(url_for(".account"), code=303)


def _browsers(count: int) -> str:
    return "One other browser is" if count == 1 else f"{count} other browsers are"


@pages.post("/account/logout-everywhere")
@login_required
def logout_everywhere() -> ResponseReturnValue:
    user_id = current_user().id
    perform(
        lambda session: service.log_out_everywhere(
            session, user_id=user_id, now=utc_now()
        )
    )
    session.clear()
    flash("You are logged out everywhere.", "success")
    return redirect(url_for(".login"), code=303)


@pages.get("/account/delete")
@login_required
def leave() -> ResponseReturnValue:
    return _leave_page(LeaveForm())


@pages.post("/account/delete")
@login_required
@limiter.limit("5 per minute", key_func=account_changed)
def delete_account() -> ResponseReturnValue:
    user = current_user()
    form = LeaveForm(request.form)
    if not form.validate():
        return _leave_page(form), 422
    try:
        _check_present(user.email, form.present)
        perform(
            lambda session: service.delete_account(
                session,
                user_id=user.id,
                now=utc_now(),
                upcoming_bookings=current_app.extensions["evcharge.upcoming_bookings"],
            )
        )
    except WrongPassword as refusal:
        refuse(form.present, refusal)
        return _leave_page(form), 422
    except (StillAdmin, StillBooked) as refusal:
        form.form_errors.append(refusal.message)
        return _leave_page(form), http_status(refusal)
    session.clear()
    flash("Your account is deleted.", "success")
    return redirect(url_for("network.home"), code=303)


def _leave_page(form: LeaveForm) -> str:
    return render_template("accounts/delete.html", form=form)


def _check_present(email: str, field: Field) -> Credentials:
    """Raises: WrongPassword."""
    try:
        return service.check_credentials(
            reading(), email=email, password=field.data or "", method=_method()
        )
    except WrongCredentials:
        raise WrongPassword from None


def _account_page(
    *,
    profile: ProfileForm | None = None,
    password: PasswordForm | None = None,
) -> str:
    user = user_by_id(reading(), current_user().id)
    return render_template(
        "accounts/account.html",
        user=user,
        profile=profile or _profile_of(user),
        password=password or PasswordForm(email=user.email),
        logins=_logins_of(user),
    )


def _profile_of(user: User) -> ProfileForm:
    phone = spaced_phone(user.phone) if user.phone else ""
    return ProfileForm(data={"name": user.name, "phone": phone})


def _logins_of(user: User) -> list[OpenLogin]:
    return [
        OpenLogin(
            name=device_name(one.device),
            created_at=one.created_at,
            is_this=one.id == current_user().login_id,
        )
        for one in open_logins(reading(), user.id, now=utc_now())
    ]


# Too many tries


@pages.errorhandler(RateLimitExceeded)
def ask_for_patience(_error: RateLimitExceeded) -> ResponseReturnValue:
    """Keep what was typed on the page, and say when to go on."""
    if request.endpoint == "accounts.save_password":
        password = PasswordForm(request.form, email=current_user().email)
        password.form_errors.append(patience())
        return _account_page(password=password), 429
    if request.endpoint == "accounts.create_account":
        signing_up = SignUpForm(request.form)
        signing_up.form_errors.append(patience())
        return _signup_page(signing_up), 429
    if request.endpoint == "accounts.delete_account":
        leaving = LeaveForm(request.form)
        leaving.form_errors.append(patience())
        return _leave_page(leaving), 429
    form = LoginForm(request.form)
    form.form_errors.append(patience())
    return _login_page(form), 429
