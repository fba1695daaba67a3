"""What a supply comes to and who gets which part of it. Plain Python."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from evcharge.kernel.money import round_to_paise
from evcharge.payments.rules import ItemKind


class Party(StrEnum):
    """Who has a share in what an operator earns."""

    PLATFORM = "platform"
    HOST = "host"


class Basis(StrEnum):
    """What `value` of a share counts: hundredths of a percent, or paise per kWh."""

    PERCENT = "percent"
    PER_KWH = "per_kwh"


@dataclass(frozen=True)
class BillLine:
    """A line of a bill, before tax where the price is without it.

    `part`: electricity, service, time, idle, reservation, fee …; `quantity` and `unit`
    are for people ("12.4", "kWh"); `unit_price_paise` may have a fraction, so text.
    All three are empty where a line has none, as that of a least price.
    """

    text: str
    part: str
    quantity: str
    unit: str
    unit_price_paise: str
    amount_paise: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Supply:
    """What was supplied, and its price: without tax, or (`includes_tax`) with it.

    `kind` and `item_id` name the booking or session that was paid for, or will be.
    """

    kind: ItemKind
    item_id: UUID
    reference: str
    user_id: int | None
    guest_id: UUID | None
    evse_id: int
    location_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    energy_wh: int
    lines: tuple[BillLine, ...]
    price_paise: int
    includes_tax: bool


@dataclass(frozen=True)
class ShareTerm:
    basis: Basis
    value: int

    def of(self, net_paise: int, energy_wh: int) -> int:
        """Return the share of a supply: never more than it came to without tax."""
        if self.basis == Basis.PERCENT:
            share = Decimal(net_paise) * self.value / 10_000
        else:
            share = Decimal(energy_wh) * self.value / 1_000
        return min(net_paise, round_to_paise(share))
