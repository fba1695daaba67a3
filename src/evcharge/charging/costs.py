"""What a charge under way has come to by now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.charging.figures import amount_paise
from evcharge.charging.models import ChargingSession, MeterSample
from evcharge.charging.queries import samples_of
from evcharge.charging.usage import usage_of
from evcharge.tariffs.rules import CostLine
from evcharge.tariffs.rules.agreed import Agreed
from evcharge.taxes.rules import add_tax


@dataclass(frozen=True)
class Running:
    """What it costs up to a moment, tax included; the lines are without tax.

    No lines: it is paid by the started hour, or by its booking's slot.
    """

    total_paise: int
    lines: tuple[CostLine, ...] = ()
    tax_paise: int = 0


def running_cost(
    session: Session, charge: ChargingSession, *, now: datetime
) -> Running:
    """As `cost_by`, for whoever has no use for the readings themselves."""
    samples = samples_of(session, charge.id) if _depends_on_meter(charge) else ()
    return cost_by(charge, samples, now=now)


def cost_by(
    charge: ChargingSession, samples: Sequence[MeterSample], *, now: datetime
) -> Running:
    """Work out what a charge costs if it ended now. A bill, once there, says more.

    One that has been billed has the bill's total.
    """
    if charge.tariff is None or not _depends_on_meter(charge):
        return Running(amount_paise(charge, now=now))
    agreed = Agreed.from_json(charge.tariff)
    booking = charge.booking
    reserved = (booking.starts_at, booking.ends_at) if booking else None
    cost = agreed.cost(usage_of(charge, samples, now=now, reserved=reserved))
    taxed = add_tax(cost.net_paise, agreed.tax)
    return Running(taxed.total_paise, cost.lines, taxed.tax_paise)


def _depends_on_meter(charge: ChargingSession) -> bool:
    is_billed = charge.ended_at is not None and charge.amount_paise > 0
    return charge.tariff is not None and charge.started_at is not None and not is_billed
