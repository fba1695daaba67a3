"""What a charge under way has come to by now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.charging.figures import amount_paise
from evcharge.charging.models import ChargingSession
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
    """Work out what a charge costs if it ended now. A bill, once there, says more.

    One that has been billed has the bill's total.
    """
    is_billed = charge.ended_at is not None and charge.amount_paise > 0
    if charge.tariff is None or charge.started_at is None or is_billed:
        return Running(amount_paise(charge, now=now))
    agreed = Agreed.from_json(charge.tariff)
    booking = charge.booking
    reserved = (booking.starts_at, booking.ends_at) if booking else None
    cost = agreed.cost(
        usage_of(charge, samples_of(session, charge.id), now=now, reserved=reserved)
    )
    taxed = add_tax(cost.net_paise, agreed.tax)
    return Running(taxed.total_paise, cost.lines, taxed.tax_paise)
