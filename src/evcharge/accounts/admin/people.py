"""Pages on which admins find people, give them roles and suspend them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.accounts import service
from evcharge.accounts.admin.blueprint import admin
from evcharge.accounts.forms import (
    CardForm,
    operator_id_from_form,
    role_from_form,
    user_filter,
)
from evcharge.accounts.models import User
from evcharge.accounts.queries import (
    all_operators,
    cards_of,
    count_users_matching,
    employers_of,
    open_logins,
    user_by_id,
    users_matching,
)
from evcharge.accounts.rules import Role, UserFilter, UserStatus, spaced_phone
from evcharge.kernel.clock import utc_now
from evcharge.web.context import admin_required, current_user, perform, reading
from evcharge.web.spreadsheets import csv_answer

PER_PAGE = 50
MOST_ROWS_IN_A_FILE = 50_000


@admin.get("/admin/users")
@admin_required
def users() -> ResponseReturnValue:
    wanted = _wanted()
    total = count_users_matching(reading(), wanted)
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    return render_template(
        "accounts/admin/users.html",
        users=users_matching(
            reading(), wanted, limit=PER_PAGE, offset=(page - 1) * PER_PAGE
        ),
        wanted=wanted,
        total=total,
        page=page,
        pages=pages,
        roles=Role,
        statuses=UserStatus,
        spaced_phone=spaced_phone,
    )


@admin.get("/admin/users.csv")
@admin_required
def users_csv() -> ResponseReturnValue:
    found = users_matching(reading(), _wanted(), limit=MOST_ROWS_IN_A_FILE)
    header = ("id", "name", "email", "phone", "role", "status", "created_at")
    return csv_answer(
        "users.csv",
        header,
        (
            (
                user.id,
                user.name,
                user.email,
                user.phone,
                user.role.value,
                user.status.value,
                user.created_at.isoformat(timespec="seconds"),
            )
            for user in found
        ),
    )


def _wanted() -> UserFilter:
    asked = request.args
    return user_filter(asked.get("q"), asked.get("role"), asked.get("status"))


@admin.get("/admin/users/<int:user_id>")
@admin_required
def user(user_id: int) -> ResponseReturnValue:
    return user_page(user_id)


def user_page(user_id: int, *, card: CardForm | None = None) -> str:
    person = user_by_id(reading(), user_id)
    employers = employers_of(reading(), user_id)
    others = [one for one in all_operators(reading()) if one not in employers]
    return render_template(
        "accounts/admin/user.html",
        user=person,
        is_me=_is_me(person),
        spaced_phone=spaced_phone,
        roles=Role,
        employers=employers,
        other_operators=others,
        logins=len(open_logins(reading(), user_id, now=utc_now())),
        cards=cards_of(reading(), user_id),
        card=card or CardForm(),
    )


def _is_me(person: User) -> bool:
    return person.id == current_user().id


@admin.post("/admin/users/<int:user_id>/role")
@admin_required
def change_role(user_id: int) -> ResponseReturnValue:
    role, actor_id = role_from_form(request.form), current_user().id
    perform(
        lambda session: service.change_role(
            session, user_id=user_id, role=role, actor_id=actor_id
        )
    )
    flash("The role is changed. It counts from their next click.", "success")
    return _back_to(user_id)


@admin.post("/admin/users/<int:user_id>/operators")
@admin_required
def add_operator(user_id: int) -> ResponseReturnValue:
    operator_id, actor_id = operator_id_from_form(request.form), current_user().id
    perform(
        lambda session: service.add_member(
            session,
            operator_id=operator_id,
            user_id=user_id,
            actor_id=actor_id,
            now=utc_now(),
        )
    )
    flash("They now see this operator's network.", "success")
    return _back_to(user_id)


@admin.post("/admin/users/<int:user_id>/operators/<int:operator_id>/remove")
@admin_required
def remove_operator(user_id: int, operator_id: int) -> ResponseReturnValue:
    actor_id = current_user().id
    perform(
        lambda session: service.remove_member(
            session, operator_id=operator_id, user_id=user_id, actor_id=actor_id
        )
    )
    flash("They do not see this operator's network any more.", "success")
    return _back_to(user_id)


@admin.get("/admin/users/<int:user_id>/suspend")
@admin_required
def confirm_suspend(user_id: int) -> ResponseReturnValue:
    return _confirm(user_id, "accounts/admin/suspend.html")


@admin.post("/admin/users/<int:user_id>/suspend")
@admin_required
def suspend(user_id: int) -> ResponseReturnValue:
    actor_id = current_user().id
    perform(
        lambda session: service.suspend(
            session, user_id=user_id, actor_id=actor_id, now=utc_now()
        )
    )
    flash("The account is suspended and logged out everywhere.", "success")
    return _back_to(user_id)


@admin.get("/admin/users/<int:user_id>/reinstate")
@admin_required
def confirm_reinstate(user_id: int) -> ResponseReturnValue:
    return _confirm(user_id, "accounts/admin/reinstate.html")


@admin.post("/admin/users/<int:user_id>/reinstate")
@admin_required
def reinstate(user_id: int) -> ResponseReturnValue:
    actor_id = current_user().id
    perform(
        lambda session: service.reinstate(session, user_id=user_id, actor_id=actor_id)
    )
    flash("The account works again.", "success")
    return _back_to(user_id)


def _confirm(user_id: int, template: str) -> ResponseReturnValue:
    person = user_by_id(reading(), user_id)
    if _is_me(person) or person.status == UserStatus.DELETED:
        return _back_to(user_id)
    logins = len(open_logins(reading(), user_id, now=utc_now()))
    return render_template(template, user=person, logins=logins)


def _back_to(user_id: int) -> ResponseReturnValue:
    return redirect(url_for(".user", user_id=user_id), code=303)
