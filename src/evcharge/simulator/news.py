"""What happens at a charger, in words that belong to no version of OCPP."""

from dataclasses import dataclass
from enum import StrEnum

from evcharge.simulator.visits import Fault


class State(StrEnum):
    """As OCPP 1.6 spells them (section 7.7 ChargePointStatus)."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class Reason(StrEnum):
    """Why a transaction ended, in words both versions have."""

    LOCAL = "Local"
    REMOTE = "Remote"
    EV_DISCONNECTED = "EVDisconnected"
    DEAUTHORIZED = "DeAuthorized"
    POWER_LOSS = "PowerLoss"
    UNLOCK = "UnlockCommand"
    SOFT_RESET = "SoftReset"
    HARD_RESET = "HardReset"
    OTHER = "Other"


@dataclass(slots=True)
class Transaction:
    """`ref` is the charger's own name; `number` what a server of OCPP 1.6 calls it."""

    ref: str
    evse: int
    plug: int
    tag: str | None
    started_at: float
    meter_start_wh: int
    meter_wh: int
    number: int | None = None
    remote_start_id: int | None = None
    reservation: int | None = None
    seq_no: int = -1  # Of the last event that was told.

    def next_seq(self) -> int:
        self.seq_no += 1
        return self.seq_no


@dataclass(frozen=True, slots=True)
class Reservation:
    number: int
    tag: str
    expires_at: float
    arrives_at: float
    plug: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteStart:
    tag: str
    remote_start_id: int | None
    plugs_in_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Reading:
    at: float
    energy_wh: int
    power_w: int
    soc_percent: int | None


@dataclass(frozen=True, slots=True)
class StatusChanged:
    evse: int
    plug: int
    state: State
    at: float
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class CardShown:
    evse: int
    tag: str


@dataclass(frozen=True, slots=True)
class Started:
    transaction: Transaction
    reading: Reading


@dataclass(frozen=True, slots=True)
class Metered:
    """`state` is new when `is_change`; otherwise it is only time for a reading."""

    transaction: Transaction
    reading: Reading
    state: State
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    transaction: Transaction
    reading: Reading
    reason: Reason
    tag: str | None


@dataclass(frozen=True, slots=True)
class ReservationExpired:
    number: int


News = StatusChanged | CardShown | Started | Metered | Ended | ReservationExpired
