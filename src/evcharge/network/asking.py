"""Asking chargers for something: what pages and programs of operators share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from evcharge.charging.queries import transaction_named
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import BadCommand, CommandKind
from evcharge.control.service import ask_charger

NO_TRANSACTION = "This charger has no such transaction."


def ask(
    session: Session,
    *,
    charger_id: int,
    kind: CommandKind,
    arguments: Mapping[str, Any],
    by: int,
    now: datetime,
) -> ChargerCommand:
    """Raises: BadCommand."""
    if kind == CommandKind.STOP:
        arguments = _transaction(session, charger_id, arguments)
    return ask_charger(
        session, charger_id=charger_id, kind=kind, arguments=arguments, by=by, now=now
    )


def _transaction(
    session: Session, charger_id: int, given: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return both names of a transaction: which one counts, its gateway knows."""
    number, ref = given.get("number"), given.get("ref")
    if not isinstance(number, int | None) or not isinstance(ref, str | None):
        return given
    known = transaction_named(session, charger_id, number=number, ref=ref)
    if known is None:
        raise BadCommand(NO_TRANSACTION, problems={"number": NO_TRANSACTION})
    return {"number": known.number, "ref": known.transaction_ref}


def told(kind: CommandKind, arguments: Mapping[str, Any]) -> str:
    """Say a command in words: `Unlock plug 1 of point 2`."""
    given = _Given(arguments)
    if kind == CommandKind.AVAILABILITY:
        where = "in" if given.get("is_operative") else "out of"
        return f"Put {_place(given) or 'the whole charger'} {where} service"
    if kind == CommandKind.GET_VARIABLES:
        names = given.get("names")
        return f"Read {', '.join(names)}" if names else "Read all settings"
    if kind == CommandKind.TRIGGER:
        place = _place(given)
        return f"Ask for {given['message']}{' of ' + place if place else ''}"
    given["when"] = _WHEN.get(given.get("kind", ""), "")
    return _WORDS[kind].format_map(given)


class _Given(dict[str, Any]):
    """What a command of an older version left out is no reason to show no list."""

    def __missing__(self, name: str) -> str:
        return "?"


_WHEN = {"soft": "when nobody charges", "hard": "at once"}
_WORDS = {
    CommandKind.START: "Start at point {evse} for {tag}",
    CommandKind.STOP: "Stop transaction {number}",
    CommandKind.RESET: "Restart {when}",
    CommandKind.UNLOCK: "Unlock plug {connector} of point {evse}",
    CommandKind.SET_VARIABLE: "Set {name} to “{value}”",
    CommandKind.RESERVE: "Reserve point {evse} for {tag}",
    CommandKind.CANCEL_RESERVATION: "Give up reservation {number}",
}


def _place(given: Mapping[str, Any]) -> str:
    evse = given.get("evse")
    return "" if evse is None else f"point {evse}"
