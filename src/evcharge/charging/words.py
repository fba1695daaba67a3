"""How a charging session reads to people: its stage, its history, what was odd."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from evcharge.bookings.rules import ActorKind
from evcharge.charging.models import ChargingSession, SessionEvent
from evcharge.charging.rules import (
    Flag,
    SessionEventKind,
    SessionStatus,
    StartedBy,
)
from evcharge.stations.rules import ReportedStatus, is_silent
from evcharge.web.formats import day_clock


class Stage(StrEnum):
    """Where a session is, to whoever charges."""

    ASKING = "asking"
    CHARGING = "charging"
    WAITING = "waiting"  # Plugged in, and no power flows.
    STOPPING = "stopping"
    SILENT = "silent"  # The charger has not been heard of for too long.
    FAILED = "failed"
    ENDED = "ended"


_BY_STATUS = {
    SessionStatus.PENDING: Stage.ASKING,
    SessionStatus.INVALID: Stage.FAILED,
    SessionStatus.COMPLETED: Stage.ENDED,
}


def stage_of(
    charge: ChargingSession, *, is_stopping: bool = False, now: datetime
) -> Stage:
    if charge.status in _BY_STATUS:
        return _BY_STATUS[charge.status]
    charger = charge.evse.charger
    if is_silent(charger.last_seen_at, charger.heartbeat, now=now):
        return Stage.SILENT
    if is_stopping:
        return Stage.STOPPING
    return Stage.WAITING if _why_waiting(charge) else Stage.CHARGING


# OCPP 2.0.1 part 2, section 3.14 ChargingStateEnumType; OCPP 1.6 says the same of
# its connectors.
_WAITING = {
    "EVConnected": "Plugged in. The charging has not begun yet.",
    "SuspendedEV": "Your vehicle takes no power just now. It may be full, or resting.",
    "SuspendedEVSE": "The charger gives no power just now. It goes on by itself.",
    "Idle": "The charging is over. Unplug, so that others can charge.",
}
_LIKE = {
    ReportedStatus.PREPARING: "EVConnected",
    ReportedStatus.SUSPENDED_EV: "SuspendedEV",
    ReportedStatus.SUSPENDED_EVSE: "SuspendedEVSE",
    ReportedStatus.FINISHING: "Idle",
}


def why_waiting(charge: ChargingSession) -> str:
    """Say why no power flows; empty while it does."""
    return _WAITING.get(_why_waiting(charge), "")


def _why_waiting(charge: ChargingSession) -> str:
    if charge.charging_state:
        return charge.charging_state if charge.charging_state in _WAITING else ""
    reported = [each.reported_status for each in charge.evse.connectors]
    found = (_LIKE[each] for each in reported if each in _LIKE)
    return next(found, "")


# ── what was odd ─────────────────────────────────────────────────────────────────

_FLAGS = {
    Flag.UNKNOWN_TAG: "The card at the charger was not one we know.",
    Flag.FOREIGN_SLOT: "Someone else had booked this time.",
    Flag.OFFLINE: "The charger had no connection and told us later.",
    Flag.LATE: "The charger told us the end later, and the figures were put right.",
    Flag.START_MISSING: "The charger did not tell us the start.",
    Flag.STOP_MISSING: "The charger did not tell us the end. We worked it out.",
    Flag.METER_DECREASED: "The meter was reset on the way. The energy before counts.",
    Flag.METER_MISSING: "Some readings of the meter did not come.",
    Flag.METER_ESTIMATED: "The energy is what the meter said last.",
    Flag.SEQUENCE_GAP: "Some messages of the charger did not come.",
    Flag.CLOCK_WRONG: "The charger's clock was wrong, so the times are ours.",
    Flag.MATCHED_LATER: "The charger told us the end before the start.",
}


def oddities(charge: ChargingSession) -> list[str]:
    """Say what is worth knowing about how this session came to be known."""
    return [_FLAGS[Flag(each)] for each in charge.flags]


# ── how it ended ─────────────────────────────────────────────────────────────────

# OCPP 1.6 edition 2, section 7.35 Reason; OCPP 2.0.1 part 2, section 3.72
# ReasonEnumType. What is not here is nobody's business but the operator's.
_REASONS = {
    "Local": "Stopped at the charger",
    "Remote": "Stopped from the phone",
    "EVDisconnected": "Unplugged",
    "StoppedByEV": "The vehicle ended it",
    "EnergyLimitReached": "The energy asked for was reached",
    "SOCLimitReached": "The charge asked for was reached",
    "TimeLimitReached": "The time was up",
    "EmergencyStop": "The emergency stop was pressed",
    "PowerLoss": "The power failed",
    "PowerQuality": "The power was not good enough",
    "GroundFault": "The charger found a fault and stopped",
    "OvercurrentFault": "The charger found a fault and stopped",
    "Reboot": "The charger started anew",
    "HardReset": "The charger started anew",
    "SoftReset": "The charger started anew",
    "ImmediateReset": "The charger started anew",
    "DeAuthorized": "It was not allowed to go on",
    "UnlockCommand": "The plug was unlocked",
}


USED_UP = "What was paid is used up"


def was_used_up(event: SessionEvent) -> bool:
    """Whether it was stopped because a guest had paid for no more."""
    return "spent_paise" in event.details


def why_ended(charge: ChargingSession) -> str:
    """Say who or what ended it; empty where nobody knows."""
    return _REASONS.get(charge.stop_reason, "")


# ── history ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Entry:
    """A line of the history."""

    at: datetime
    title: str
    detail: str | None = None
    by: str | None = None


def entry_of(
    event: SessionEvent, charge: ChargingSession, *, now: datetime, zone: ZoneInfo
) -> Entry:
    title, detail = _SENTENCES[event.kind](_Told(event, charge, now, zone))
    by = "the operator" if event.actor == ActorKind.OPERATOR else None
    return Entry(event.at, title, detail, by)


@dataclass(frozen=True)
class _Told:
    event: SessionEvent
    charge: ChargingSession
    now: datetime
    zone: ZoneInfo

    @property
    def by_driver(self) -> bool:
        return self.event.actor == ActorKind.DRIVER

    def clock(self, name: str) -> str | None:
        at = self.event.details.get(name)
        if at is None:
            return None
        return day_clock(datetime.fromisoformat(at), self.now, self.zone)


Sentence = tuple[str, str | None]

_BY = {
    StartedBy.APP: "Started from your phone",
    StartedBy.REFERENCE: "Started with the reference of your booking",
    StartedBy.CARD: "Started with your card",
    StartedBy.UNKNOWN: None,
}


def _requested(told: _Told) -> Sentence:
    return "You asked the charger to start", None


def _started(told: _Told) -> Sentence:
    return "Charging began", _BY[told.charge.started_by]


def _refused(told: _Told) -> Sentence:
    return "The charger was told not to go on", None


def _stop_requested(told: _Told) -> Sentence:
    who = "You asked the charger to stop" if told.by_driver else "Asked to stop"
    return who, USED_UP if was_used_up(told.event) else None


def _unlock_requested(told: _Told) -> Sentence:
    title = "You asked for the plug to be unlocked"
    return (title if told.by_driver else "Asked to unlock the plug"), None


def _overstayed(told: _Told) -> Sentence:
    from_ = told.clock("until")
    detail = f"It was booked from {from_}" if from_ else None
    return "Somebody else's time began here", detail


def _warned(told: _Told) -> Sentence:
    until = told.clock("until")
    detail = f"It is booked from {until}" if until else None
    return "You were told that someone has booked the time after you", detail


def _ended(told: _Told) -> Sentence:
    return "Charging ended", why_ended(told.charge) or None


def _failed(told: _Told) -> Sentence:
    return "The charging did not begin", told.charge.failure or None


def _flagged(told: _Told) -> Sentence:
    return "Something was put right", None


_SENTENCES: dict[SessionEventKind, Callable[[_Told], Sentence]] = {
    SessionEventKind.REQUESTED: _requested,
    SessionEventKind.STARTED: _started,
    SessionEventKind.REFUSED: _refused,
    SessionEventKind.STOP_REQUESTED: _stop_requested,
    SessionEventKind.UNLOCK_REQUESTED: _unlock_requested,
    SessionEventKind.OVERSTAYED: _overstayed,
    SessionEventKind.WARNED: _warned,
    SessionEventKind.ENDED: _ended,
    SessionEventKind.FAILED: _failed,
    SessionEventKind.FLAGGED: _flagged,
}
