"""What a charger may be asked for: checked here for pages, programs and commands."""

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from evcharge.control.rules import BadCommand, CommandKind, names_secret
from evcharge.stations.rules import Plug

LONGEST_TAG = 36
LONGEST_NAME = 150
LONGEST_VALUE = 1_000
MOST_NAMES = 50
HIGHEST_NUMBER = 2**31 - 1

RESETS = ("soft", "hard")
# OCPP 1.6 edition 2, section 7.33 (MessageTrigger); OCPP 2.0.1 part 2, section 3.58.
TRIGGERS = (
    "BootNotification",
    "Heartbeat",
    "StatusNotification",
    "MeterValues",
    "TransactionEvent",
    "FirmwareStatusNotification",
    "DiagnosticsStatusNotification",
    "LogStatusNotification",
)

_TAG = re.compile(r"[A-Za-z0-9*\-_=:+|@.]+")
_WHOLE = re.compile(r"[0-9]{1,10}")
_WHOLE_NUMBERS = {"evse", "connector", "number", "remote_start_id"}

Arguments = dict[str, Any]


def check_command(
    kind: CommandKind, given: Mapping[str, Any], plugs: Sequence[Plug]
) -> Arguments:
    """Return the arguments as they are kept. `plugs`: those of the charger.

    Raises: BadCommand; `details["problems"]` says for each argument what is wrong.
    """
    reader = _Reader(given, plugs)
    arguments = _CHECKS[kind](reader)
    reader.finish()
    return arguments


def arguments_from_text(given: Mapping[str, str]) -> Arguments:
    """Read what was typed; what cannot be read stays a text, which is refused."""
    return {name: _read(name, text.strip()) for name, text in given.items() if text}


def _read(name: str, text: str) -> Any:
    if name in _WHOLE_NUMBERS and _WHOLE.fullmatch(text):
        return int(text)
    if name == "is_operative" and text in ("true", "false"):
        return text == "true"
    if name == "names":
        return [each for each in re.split(r"[\s,]+", text) if each]
    return text


class _Reader:
    """Takes arguments one by one, and notes all that is wrong with them."""

    def __init__(self, given: Mapping[str, Any], plugs: Sequence[Plug]) -> None:
        self._given = {name: value for name, value in given.items() if value != ""}
        self._plugs = plugs
        self._problems: dict[str, str] = {}

    def finish(self) -> None:
        """Raises: BadCommand."""
        for name in self._given:
            self._refuse(name, "This command takes nothing by that name.")
        if self._problems:
            first = next(iter(self._problems.values()))
            raise BadCommand(first, problems=self._problems)

    def evse(self, *, is_needed: bool = True) -> int | None:
        number = self._given.pop("evse", None)
        if number is None and not is_needed:
            return None
        if type(number) is not int or number not in {each.evse for each in self._plugs}:
            self._refuse("evse", "Choose a point of this charger.")
            return None
        return number

    def connector(self, evse: int | None, *, is_needed: bool = False) -> int | None:
        number = self._given.pop("connector", None)
        if number is None and not is_needed:
            return None
        known = {each.connector for each in self._plugs if each.evse == evse}
        if type(number) is not int or number not in known:
            self._refuse("connector", "Choose a plug of that point.")
            return None
        return number

    def text(self, name: str, longest: int, missing: str) -> str:
        text = self._given.pop(name, None)
        if not isinstance(text, str) or not text.strip():
            self._refuse(name, missing)
            return ""
        if not _is_line(text, longest):
            self._refuse(name, f"Use at most {longest} characters, on one line.")
        return text.strip()

    def tag(self) -> str:
        tag = self.text("tag", LONGEST_TAG, "Type a card's number or a reference.")
        if tag and not _TAG.fullmatch(tag):
            self._refuse("tag", "A card's number has letters, digits and * - _ = : + .")
        return tag

    def one_of(self, name: str, words: Collection[str]) -> str:
        word = self._given.pop(name, None)
        if word not in words:
            self._refuse(name, f"Choose one of: {', '.join(words)}.")
        return str(word)

    def flag(self, name: str) -> bool:
        value = self._given.pop(name, None)
        if not isinstance(value, bool):
            self._refuse(name, "Say true or false.")
        return bool(value)

    def number(self, name: str, *, is_needed: bool = True) -> int | None:
        number = self._given.pop(name, None)
        if number is None and not is_needed:
            return None
        if type(number) is not int or not 0 < number <= HIGHEST_NUMBER:
            self._refuse(name, "Give a whole number above 0.")
            return None
        return number

    def ref(self) -> str | None:
        if self._given.get("ref") is None:
            self._given.pop("ref", None)
            return None
        return self.text("ref", LONGEST_TAG, "Give the charger's own name for it.")

    def names(self) -> list[str]:
        names = self._given.pop("names", [])
        if not isinstance(names, list) or not all(map(_is_name, names)):
            self._refuse("names", f"Give names of at most {LONGEST_NAME} characters.")
            return []
        if len(names) > MOST_NAMES:
            self._refuse("names", f"Ask for at most {MOST_NAMES} at once.")
        return list(dict.fromkeys(names))

    def variable(self) -> str:
        name = self.text("name", LONGEST_NAME, "Type the name of a setting.")
        # It would stand in the list of commands for everybody to read.
        if names_secret(name):
            self._refuse("name", "Issue a key instead: here everybody could read it.")
        return name

    def value(self) -> str:
        value = self._given.pop("value", "")
        if not _is_line(value, LONGEST_VALUE):
            self._refuse(
                "value", f"Use at most {LONGEST_VALUE} characters, on one line."
            )
        return str(value)

    def instant(self, name: str) -> str:
        try:
            at = datetime.fromisoformat(str(self._given.pop(name, "")))
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            self._refuse(name, "Give an instant such as 2026-11-24T18:00:00Z.")
            return ""
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _refuse(self, name: str, problem: str) -> None:
        self._problems.setdefault(name, problem)


def _is_name(name: object) -> bool:
    return name != "" and _is_line(name, LONGEST_NAME)


def _is_line(text: object, longest: int) -> bool:
    return isinstance(text, str) and text.isprintable() and len(text) <= longest


def _start(given: _Reader) -> Arguments:
    evse = given.evse()
    return {
        "evse": evse,
        "connector": given.connector(evse),
        "tag": given.tag(),
        "remote_start_id": 1 + secrets.randbelow(HIGHEST_NUMBER),
    }


def _stop(given: _Reader) -> Arguments:
    return {"number": given.number("number"), "ref": given.ref()}


def _reset(given: _Reader) -> Arguments:
    return {"kind": given.one_of("kind", RESETS)}


def _unlock(given: _Reader) -> Arguments:
    evse = given.evse()
    return {"evse": evse, "connector": given.connector(evse, is_needed=True)}


def _availability(given: _Reader) -> Arguments:
    return {
        "evse": given.evse(is_needed=False),
        "is_operative": given.flag("is_operative"),
    }


def _trigger(given: _Reader) -> Arguments:
    return {
        "message": given.one_of("message", TRIGGERS),
        "evse": given.evse(is_needed=False),
    }


def _get_variables(given: _Reader) -> Arguments:
    return {"names": given.names()}


def _set_variable(given: _Reader) -> Arguments:
    return {"name": given.variable(), "value": given.value()}


def _reserve(given: _Reader) -> Arguments:
    evse = given.evse()
    return {
        "number": given.number("number"),
        "evse": evse,
        "connector": given.connector(evse),
        "tag": given.tag(),
        "expires_at": given.instant("expires_at"),
    }


def _cancel_reservation(given: _Reader) -> Arguments:
    return {"number": given.number("number")}


_CHECKS: dict[CommandKind, Callable[[_Reader], Arguments]] = {
    CommandKind.START: _start,
    CommandKind.STOP: _stop,
    CommandKind.RESET: _reset,
    CommandKind.UNLOCK: _unlock,
    CommandKind.AVAILABILITY: _availability,
    CommandKind.TRIGGER: _trigger,
    CommandKind.GET_VARIABLES: _get_variables,
    CommandKind.SET_VARIABLE: _set_variable,
    CommandKind.RESERVE: _reserve,
    CommandKind.CANCEL_RESERVATION: _cancel_reservation,
}
