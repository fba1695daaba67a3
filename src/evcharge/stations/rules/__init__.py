"""The words stations are described in, and how the status people see is derived."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from evcharge.kernel.errors import Conflict, InvalidInput, NotFound


class Lifecycle(StrEnum):
    """What the operator says about an EVSE; the charger is not asked."""

    PLANNED = "planned"
    ACTIVE = "active"
    INOPERATIVE = "inoperative"
    REMOVED = "removed"


class ReportedStatus(StrEnum):
    """What the charger says of a connector: the words of OCPP 1.6 and 2.0.1 as one.

    OCPP 1.6 edition 2, section 7.7 (ChargePointStatus); OCPP 2.0.1 part 2,
    section 3.27 (ConnectorStatusEnumType), which adds Occupied.
    """

    AVAILABLE = "available"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    FINISHING = "finishing"
    OCCUPIED = "occupied"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


class EvseStatus(StrEnum):
    """What is shown (OCPI 2.2.1, section 8.4.22 EVSE Status, in our spelling)."""

    AVAILABLE = "available"
    CHARGING = "charging"
    BLOCKED = "blocked"
    RESERVED = "reserved"
    OUT_OF_ORDER = "out_of_order"
    INOPERATIVE = "inoperative"
    PLANNED = "planned"
    REMOVED = "removed"
    UNKNOWN = "unknown"


class ConnectorKind(StrEnum):
    CCS2 = "ccs2"
    TYPE2 = "type2"
    CHADEMO = "chademo"
    GBT_AC = "gbt_ac"
    GBT_DC = "gbt_dc"
    BHARAT_AC_001 = "bharat_ac_001"
    BHARAT_DC_001 = "bharat_dc_001"
    LEV_AC = "lev_ac"
    LEV_DC = "lev_dc"
    LEV_COMBO = "lev_combo"
    SOCKET_16A = "socket_16a"
    TYPE1 = "type1"


class Access(StrEnum):
    """Who may drive up: anybody, or guests, residents and staff of the place."""

    PUBLIC = "public"
    RESTRICTED = "restricted"


class CurrentType(StrEnum):
    AC = "ac"
    DC = "dc"


DC_KINDS = frozenset(
    {
        ConnectorKind.CCS2,
        ConnectorKind.CHADEMO,
        ConnectorKind.GBT_DC,
        ConnectorKind.BHARAT_DC_001,
        ConnectorKind.LEV_DC,
        ConnectorKind.LEV_COMBO,
    }
)

IN_USE = frozenset(
    {
        ReportedStatus.CHARGING,
        ReportedStatus.SUSPENDED_EV,
        ReportedStatus.SUSPENDED_EVSE,
    }
)
OCCUPIED = frozenset(
    {ReportedStatus.PREPARING, ReportedStatus.FINISHING, ReportedStatus.OCCUPIED}
)


DOWN = frozenset({ReportedStatus.FAULTED, ReportedStatus.UNAVAILABLE})


class OverrunPolicy(StrEnum):
    """What happens to a vehicle that still charges when the next booking begins."""

    WARN = "warn"
    STOP = "stop"


class OutageKind(StrEnum):
    FAULTED = "faulted"
    UNAVAILABLE = "unavailable"
    SILENT = "silent"


def down_as(reported: Collection[ReportedStatus | None]) -> OutageKind | None:
    """Return why an EVSE with these plugs cannot charge; None if it may be able to."""
    if not reported or not DOWN.issuperset(reported):
        return None
    is_broken = set(reported) == {ReportedStatus.FAULTED}
    return OutageKind.FAULTED if is_broken else OutageKind.UNAVAILABLE


def covered(
    stretches: Iterable[tuple[datetime, datetime]], begin: datetime, end: datetime
) -> timedelta:
    """Return how much of `[begin, end)` these cover, which may overlap; by start."""
    total, reached = timedelta(), begin
    for starts_at, ends_at in stretches:
        upto = min(ends_at, end)
        total += max(upto - max(starts_at, reached), timedelta())
        reached = max(reached, upto)
    return total


class ClaimedBy(StrEnum):
    """Who owns this quarter hour of an EVSE."""

    BOOKING = "booking"
    SESSION = "session"
    BLOCK = "block"


@dataclass(frozen=True)
class Facts:
    """All that the status of an EVSE is derived from. `reported`: one per connector."""

    lifecycle: Lifecycle
    reported: tuple[ReportedStatus | None, ...]
    last_seen_at: datetime | None
    heartbeat: timedelta
    claimed_by: ClaimedBy | None = None
    has_session: bool = False


@dataclass(frozen=True)
class Plug:
    """Where a connector is: charger, EVSE and connector, as people count them."""

    charger: str
    evse: int
    connector: int


@dataclass(frozen=True)
class ConnectorReport:
    """What a charger says of one of its connectors, and when we received it."""

    plug: Plug
    status: ReportedStatus
    at: datetime
    error_code: str = ""
    vendor_error_code: str = ""
    error_info: str = ""


class LocationNotFound(NotFound):
    code = "location_not_found"
    message = "There is no such location."


class ChargerNotFound(NotFound):
    code = "charger_not_found"
    message = "There is no such charger."


class EvseNotFound(NotFound):
    code = "evse_not_found"
    message = "There is no such charging point."


class ConnectorNotFound(NotFound):
    code = "connector_not_found"
    message = "There is no such connector."


class EditedMeanwhile(Conflict):
    code = "edited_meanwhile"
    message = "Someone else changed this while you were editing. Look again, then save."


class IdentityTaken(Conflict):
    code = "identity_taken"
    message = "Another charger already has this identity."


class NumberTaken(Conflict):
    code = "number_taken"
    message = "That number is already in use here. Choose another one."


class LastConnector(Conflict):
    code = "last_connector"
    message = "This is the only plug here. Add another one first."


class BadStation(InvalidInput):
    """`details["problems"]` says for each field what is wrong with it."""

    code = "bad_station"

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(next(iter(problems.values())), problems=problems)


def silence_allowed(heartbeat: timedelta) -> timedelta:
    """A charger that misses two heartbeats and a minute is not known about."""
    return 2 * heartbeat + timedelta(seconds=60)


def is_silent(
    last_seen_at: datetime | None, heartbeat: timedelta, *, now: datetime
) -> bool:
    return last_seen_at is None or now - last_seen_at > silence_allowed(heartbeat)


_BY_LIFECYCLE = {
    Lifecycle.REMOVED: EvseStatus.REMOVED,
    Lifecycle.PLANNED: EvseStatus.PLANNED,
    Lifecycle.INOPERATIVE: EvseStatus.INOPERATIVE,
}


def status_of(facts: Facts, *, now: datetime) -> EvseStatus:
    """Return the word shown for an EVSE; the first rule that fits decides.

    A blocked EVSE is occupied without charging, which is not the same as broken.
    """
    if facts.lifecycle in _BY_LIFECYCLE:
        return _BY_LIFECYCLE[facts.lifecycle]
    if facts.claimed_by == ClaimedBy.BLOCK:
        return EvseStatus.INOPERATIVE
    if is_silent(facts.last_seen_at, facts.heartbeat, now=now):
        return EvseStatus.UNKNOWN
    return _status_reported(facts)


def _status_reported(facts: Facts) -> EvseStatus:
    reported = set(facts.reported)
    if facts.has_session or reported & IN_USE:
        return EvseStatus.CHARGING
    if facts.claimed_by == ClaimedBy.SESSION:  # Its session began a moment ago.
        return EvseStatus.CHARGING
    if reported == {ReportedStatus.FAULTED}:
        return EvseStatus.OUT_OF_ORDER
    if reported <= DOWN:
        return EvseStatus.INOPERATIVE
    if reported & OCCUPIED:
        return EvseStatus.BLOCKED
    if facts.claimed_by == ClaimedBy.BOOKING or ReportedStatus.RESERVED in reported:
        return EvseStatus.RESERVED
    # A plug that works decides, whatever is wrong with the one beside it. Without
    # one, and with one that never reported, nobody can promise anything.
    if ReportedStatus.AVAILABLE in reported:
        return EvseStatus.AVAILABLE
    return EvseStatus.UNKNOWN
