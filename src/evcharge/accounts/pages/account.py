"""The account: profile, password, browsers that are logged in, leaving."""

from dataclasses import dataclass
from datetime import datetime

from flask import (
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from evcharge.accounts import service
from evcharge.accounts.credentials import hashing_method
from evcharge.accounts.forms import LeaveForm, PasswordForm, ProfileForm, refuse
from evcharge.accounts.limits import account_changed
from evcharge.accounts.models import Login, User
from evcharge.accounts.pages.blueprint import check_present, pages
from evcharge.accounts.queries import cards_of, open_logins_and_tokens, user_by_id
from evcharge.accounts.rules import StillAdmin, StillBooked, WrongPassword, spaced_phone
from evcharge.accounts.rules.browsers import device_name
from evcharge.accounts.rules.cards import CardNotFound
from evcharge.accounts.rules.passwords import hash_password
from evcharge.accounts.service.cards import block_card
from evcharge.kernel.clock import utc_now
from evcharge.web.context import current_user, login_required, perform, reading
from evcharge.web.errors import http_status
from evcharge.web.shell import limiter


@dataclass(frozen=True)
class OpenLogin:
    """A browser as its owner knows it."""

    name: str
    created_at: datetime
    is_this: bool


@pages.get("/account")
@login_required
def account() -> ResponseReturnValue:
    return account_page()


@pages.post("/account/profile")
@login_required
def save_profile() -> ResponseReturnValue:
    form = ProfileForm(request.form)
    if not form.validate():
        return account_page(profile=form), 422
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
        return account_page(password=form), 422
    try:
        seen = check_present(user.email, form.present)
    except WrongPassword as refusal:
        refuse(form.present, refusal)
        return account_page(password=form), 422
    password_hash = hash_password(form.new.data or "", method=hashing_method())
    ended = perform(
        lambda session: service.change_password(
            session,
            seen,
            password_hash=password_hash,
            login_id=user.login_id,
            now=utc_now(),
        )
    )
    others = f" {_others(ended)} logged out." if ended else ""
    flash(f"Your password is changed.{others}", "success")
    return redirect(url_for(".account"), code=303)


def _others(count: int) -> str:
    if count == 1:
        return "One other browser or program is"
    return f"{count} other browsers and programs are"


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


@pages.post("/account/cards/block")
@login_required
def block_own_card() -> ResponseReturnValue:
    """For somebody who lost one. An admin lets it work again."""
    user_id, uid = current_user().id, request.form.get("uid", "").replace("\x00", "")
    try:
        perform(lambda session: block_card(session, user_id=user_id, uid=uid))
    except CardNotFound as refusal:
        flash(refusal.message, "warning")
    else:
        flash("Blocked. Nobody can charge with this card now.", "success")
    return redirect(url_for(".account"), code=303)


@pages.get("/account/delete")
@login_required
def leave() -> ResponseReturnValue:
    return leave_page(LeaveForm())


@pages.post("/account/delete")
@login_required
@limiter.limit("5 per minute", key_func=account_changed)
def delete_account() -> ResponseReturnValue:
    user = current_user()
    form = LeaveForm(request.form)
    if not form.validate():
        return leave_page(form), 422
    try:
        check_present(user.email, form.present)
        perform(
            lambda session: service.delete_account(
                session,
                user_id=user.id,
                now=utc_now(),
                upcoming_bookings=current_app.extensions["evcharge.upcoming_bookings"],
                forget=current_app.extensions["evcharge.forget"],
            )
        )
    except WrongPassword as refusal:
        refuse(form.present, refusal)
        return leave_page(form), 422
    except (StillAdmin, StillBooked) as refusal:
        form.form_errors.append(refusal.message)
        return leave_page(form), http_status(refusal)
    session.clear()
    flash("Your account is deleted.", "success")
    return redirect(url_for("network.home"), code=303)


def leave_page(form: LeaveForm) -> str:
    return render_template("accounts/delete.html", form=form)


def account_page(
    *,
    profile: ProfileForm | None = None,
    password: PasswordForm | None = None,
) -> str:
    user = user_by_id(reading(), current_user().id)
    logins, tokens = open_logins_and_tokens(reading(), user.id, now=utc_now())
    return render_template(
        "accounts/account.html",
        user=user,
        profile=profile or _profile_of(user),
        password=password or PasswordForm(email=user.email),
        logins=[_known(login) for login in logins],
        tokens=len(tokens),
        cards=cards_of(reading(), user.id),
        owed=current_app.extensions["evcharge.owed_paise"](reading(), user.id),
    )


def _profile_of(user: User) -> ProfileForm:
    phone = spaced_phone(user.phone) if user.phone else ""
    return ProfileForm(data={"name": user.name, "phone": phone})


def _known(login: Login) -> OpenLogin:
    return OpenLogin(
        name=device_name(login.device),
        created_at=login.created_at,
        is_this=login.id == current_user().login_id,
    )
