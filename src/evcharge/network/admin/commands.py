"""Commands to a charger: what it can be asked for, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from evcharge.accounts.queries import people_by_id
from evcharge.charging.listing import sessions_under_way
from evcharge.charging.queries import open_transactions_of
from evcharge.control.asked import TRIGGERS, arguments_from_text, check_command
from evcharge.control.models import ChargerCommand
from evcharge.control.queries import commands_of, connection_of
from evcharge.control.rules import BadCommand, CommandKind
from evcharge.kernel.clock import utc_now
from evcharge.network.admin.blueprint import admin
from evcharge.network.admin.keys import who_asks
from evcharge.network.admin.live import watched
from evcharge.network.asking import ask, told
from evcharge.network.own import own_charger
from evcharge.stations.models import Charger
from evcharge.stations.queries import plugs_of
from evcharge.stations.rules import is_silent
from evcharge.web.context import current_user, operator_required, perform, reading
from evcharge.web.errors import http_status
from evcharge.web.shell import limiter

SHOWN = 50
# On a page reservations are made and given up by bookings alone.
KINDS = tuple(
    kind
    for kind in CommandKind
    if kind not in (CommandKind.RESERVE, CommandKind.CANCEL_RESERVATION)
)
# What drivers may feel, and what it means to them.
CONSEQUENCES = {
    CommandKind.STOP: "Whoever charges there stops charging now.",
    CommandKind.UNLOCK: "A vehicle that charges there may stop, and lose its cable.",
    CommandKind.SET_VARIABLE: "A wrong setting can cut the charger off from us.",
}
OUT_OF_SERVICE = (
    "Nobody can charge there until you put it in service again. Bookings stay as they "
    "are: to cancel them, take the point out of service on the charger's page."
)
RESTARTS = {
    "soft": "It restarts when nobody charges, and is away for a minute or two.",
    "hard": "Whoever charges there stops charging now, and the charger is away for a "
    "minute or two.",
}


@dataclass(frozen=True)
class CommandLine:
    """A command as the list shows it."""

    command: ChargerCommand
    words: str
    by: str


@admin.get("/admin/chargers/<int:charger_id>/commands")
@operator_required
def commands(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    if "fragment" in request.args:
        return render_template(
            "network/admin/_commands.html",
            charger=box,
            lines=_lines(box.id),
            now=utc_now(),
        )
    return _page(box)


@admin.post("/admin/chargers/<int:charger_id>/commands")
@operator_required
@limiter.limit("60 per minute", key_func=who_asks)
def command(charger_id: int) -> ResponseReturnValue:
    box, by, now = own_charger(charger_id), current_user().id, utc_now()
    kind, given = _asked(request.form)

    def queue(session: Session) -> None:
        ask(
            session,
            charger_id=charger_id,
            kind=kind,
            arguments=given,
            by=by,
            now=now,
        )

    try:
        arguments = check_command(kind, given, plugs_of(reading(), charger_id))
        consequence = _consequence(kind, arguments)
        if consequence and request.form.get("sure") != "yes":
            return _confirm(box, kind, arguments, consequence)
        perform(queue)
    except BadCommand as refusal:
        return _page(box, kind, refusal), http_status(refusal)
    flash(f"Asked: {told(kind, arguments)}. The answer appears below.", "success")
    return redirect(url_for(".commands", charger_id=charger_id), code=303)


def _asked(form: MultiDict[str, str]) -> tuple[CommandKind, dict[str, Any]]:
    """Raises: BadCommand."""
    kind = form.get("command", "")
    if kind not in KINDS:
        raise BadCommand("Choose what to ask the charger for.")
    names = set(form) - {"command", "csrf_token", "sure"}
    given = {name: form[name] for name in names}
    if plug := given.pop("plug", ""):
        given["evse"], _, given["connector"] = plug.partition("-")
    return CommandKind(kind), arguments_from_text(given)


def _consequence(kind: CommandKind, arguments: Mapping[str, Any]) -> str | None:
    if kind == CommandKind.RESET:
        return RESTARTS[arguments["kind"]]
    if kind == CommandKind.AVAILABILITY:
        return None if arguments["is_operative"] else OUT_OF_SERVICE
    return CONSEQUENCES.get(kind)


def _confirm(
    box: Charger, kind: CommandKind, arguments: Mapping[str, Any], consequence: str
) -> str:
    kept = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in arguments.items()
        if value is not None
    }
    return render_template(
        "network/admin/command_sure.html",
        charger=box,
        kind=kind,
        kept=kept,
        words=told(kind, arguments),
        consequence=consequence,
    )


def _page(
    box: Charger, kind: CommandKind | None = None, refusal: BadCommand | None = None
) -> str:
    now = utc_now()
    return render_template(
        "network/admin/commands.html",
        charger=box,
        plugs=plugs_of(reading(), box.id),
        connection=connection_of(reading(), box.id),
        is_silent=is_silent(box.last_seen_at, box.heartbeat, now=now),
        transactions=open_transactions_of(reading(), box.id),
        under_way={
            each.id: each
            for each in sessions_under_way(
                reading(), [evse.id for evse in box.evses]
            ).values()
        },
        triggers=TRIGGERS,
        lines=_lines(box.id),
        live=watched(f"charger:{box.id}"),
        refused=kind,
        problems=_problems(refusal),
        refusal=refusal,
        typed=request.form,
        now=now,
    )


def _problems(refusal: BadCommand | None) -> dict[str, str]:
    found = refusal.details.get("problems", {}) if refusal else {}
    return cast("dict[str, str]", found)


def _lines(charger_id: int) -> Sequence[CommandLine]:
    found = commands_of(reading(), charger_id, limit=SHOWN)
    people = people_by_id(
        reading(), {each.created_by for each in found if each.created_by is not None}
    )
    return [
        CommandLine(
            each,
            told(each.kind, each.arguments),
            people[each.created_by].name if each.created_by else "the system",
        )
        for each in found
    ]
