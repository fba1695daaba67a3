"""How chargers should be set for us, and what they say of how they are set.

After a boot a charger is asked for the few settings that matter here, and told only
those that it has and that differ. All of it are commands, to be read in the console.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from evcharge.control.models import ChargerCommand, ChargerVariable
from evcharge.control.rules import CommandKind, CommandState, Protocol
from evcharge.control.service import queue_command, record_variables

METER_SECONDS = 60
WAITS = timedelta(minutes=10)  # After a power cut, thousands boot at once.

_ENERGY = "Energy.Active.Import.Register"
_POWER = "Power.Active.Import"
# The best first: a charger that cannot tell all of it refuses the whole list.
_SAMPLED = (f"{_ENERGY},{_POWER},SoC", f"{_ENERGY},{_POWER}", _ENERGY)

# What each setting should be. DESIGN 6 says why a foreign tag must end a transaction.
WANTED: Mapping[Protocol, Mapping[str, tuple[str, ...]]] = {
    Protocol.OCPP16: {
        "StopTransactionOnInvalidId": ("true",),
        "MeterValueSampleInterval": (str(METER_SECONDS),),
        "MeterValuesSampledData": _SAMPLED,
    },
    Protocol.OCPP201: {
        "TxCtrlr.StopTxOnInvalidId": ("true",),
        "SampledDataCtrlr.TxUpdatedInterval": (str(METER_SECONDS),),
        "SampledDataCtrlr.TxUpdatedMeasurands": _SAMPLED,
        "SampledDataCtrlr.TxStartedMeasurands": (_ENERGY,),
        "SampledDataCtrlr.TxEndedMeasurands": (_ENERGY,),
    },
}
_WANTED = {name: best for each in WANTED.values() for name, best in each.items()}


def ask_what_is_set(
    session: Session, charger_id: int, protocol: Protocol, *, now: datetime
) -> None:
    queue_command(
        session,
        charger_id=charger_id,
        kind=CommandKind.GET_VARIABLES,
        arguments={"names": list(WANTED[protocol])},
        by=None,
        now=now,
        waits=WAITS,
    )


def noted(session: Session, command: ChargerCommand, at: datetime) -> None:
    """Keep what a charger's answer says of its settings, and set what we asked about.

    Nobody's own question is followed by commands that they did not give.
    """
    if command.kind == CommandKind.GET_VARIABLES:
        _keep_told(session, command, at=at)
    elif command.kind == CommandKind.SET_VARIABLE:
        _keep_set(session, command, at=at)


def _keep_told(session: Session, command: ChargerCommand, *, at: datetime) -> None:
    told = command.answer_details.get("variables", {})
    variables = {name: (each["value"], each["readonly"]) for name, each in told.items()}
    record_variables(session, command.charger_id, variables, at=at)
    if command.created_by is not None:
        return
    for name, (value, is_readonly) in variables.items():
        if name in _WANTED and not is_readonly:
            _set(session, command.charger_id, name, value, _WANTED[name], now=at)


def _keep_set(session: Session, command: ChargerCommand, *, at: datetime) -> None:
    name, value = command.arguments["name"], command.arguments["value"]
    if command.state == CommandState.ACCEPTED:
        told = {name: (value, False)}
        record_variables(session, command.charger_id, told, at=at)
    elif command.state == CommandState.REJECTED and command.created_by is None:
        _set_next_best(session, command.charger_id, name, value, now=at)


def _set_next_best(
    session: Session, charger_id: int, name: str, refused: str, *, now: datetime
) -> None:
    best = _WANTED.get(name, ())
    if refused in best:
        known = session.get(ChargerVariable, (charger_id, name))
        left = best[best.index(refused) + 1 :]
        _set(session, charger_id, name, known.value if known else None, left, now=now)


def _set(
    session: Session,
    charger_id: int,
    name: str,
    value: str | None,
    best: tuple[str, ...],
    *,
    now: datetime,
) -> None:
    """Ask for the best of these values, unless it is that, or has all of it."""
    if best and not _has(value or "", best[0]):
        queue_command(
            session,
            charger_id=charger_id,
            kind=CommandKind.SET_VARIABLE,
            arguments={"name": name, "value": best[0]},
            by=None,
            now=now,
            waits=WAITS,
        )


def _has(value: str, wanted: str) -> bool:
    return _items(wanted) <= _items(value)


def _items(value: str) -> set[str]:
    return {each.strip().casefold() for each in value.split(",")}
