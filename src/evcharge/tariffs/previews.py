"""What a charge would cost under a tariff, line by line, with tax."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from evcharge.tariffs.forms import PreviewForm
from evcharge.tariffs.models import Tariff
from evcharge.tariffs.queries import Place
from evcharge.tariffs.rules import Cost, CostLine, Reading, Terms, Usage
from evcharge.tariffs.rules.agreed import Agreed
from evcharge.taxes.queries import treatments
from evcharge.taxes.rules import UNTAXED, Taxed, add_tax
from evcharge.web.formats import INDIA


@dataclass(frozen=True)
class Preview:
    """`place`: whose clock and tax it is by. `taxed` None: the form is wrong."""

    form: PreviewForm
    place: str
    lines: tuple[CostLine, ...] = ()
    taxed: Taxed | None = None

    @property
    def rows(self) -> list[tuple[str, int]]:
        rows = [(line.label, line.amount_paise) for line in self.lines]
        tax = self.taxed.tax_paise if self.taxed else 0
        return [*rows, ("GST", tax)] if tax else rows


def price_in_words(tariff: Tariff) -> str:
    """Return the price in a line, without a word of tax."""
    terms = Terms.from_json(tariff.terms)
    return Agreed(tariff.id, tariff.name, terms, INDIA.key, 0, UNTAXED).price_words()


def preview_of(
    session: Session,
    tariff: Tariff,
    terms: Terms,
    form: PreviewForm,
    places: list[Place],
    *,
    now: datetime,
) -> Preview:
    """Work out the charge that the form describes, at the first place it applies."""
    place = place_of(tariff, places)
    zone = place.zone if place else INDIA.key
    name = place.name if place else "India"
    if form.starts_at.data is None:
        form.starts_at.data = _next_sunday(now.astimezone(ZoneInfo(zone)))
    if not form.validate():
        return Preview(form, name)
    wall: datetime = form.starts_at.data.replace(tzinfo=ZoneInfo(zone))
    try:
        starts_at = wall.astimezone(UTC)
        full = starts_at + form.length
        ends_at = full + form.standing
    except (OverflowError, ValueError):
        return Preview(form, name)
    tried = try_out(
        session,
        tariff,
        terms,
        place,
        spans=(starts_at, full, ends_at),
        energy_wh=form.energy_wh,
        now=now,
    )
    return Preview(form, name, tried.cost.lines, tried.taxed)


@dataclass(frozen=True)
class Tried:
    """What a charge would cost: before tax, and with it."""

    cost: Cost
    taxed: Taxed


def try_out(
    session: Session,
    tariff: Tariff,
    terms: Terms,
    place: Place | None,
    *,
    spans: tuple[datetime, datetime, datetime],
    energy_wh: int,
    now: datetime,
) -> Tried:
    """Work out a charge at a place; `spans`: when it begins, is full, and leaves."""
    starts_at, full, ends_at = spans
    treatment = UNTAXED
    if place is not None:
        location_id = place.location_id
        treatment = treatments(session, [location_id], at=now)[location_id]
    zone = place.zone if place else INDIA.key
    agreed = Agreed(tariff.id, tariff.name, terms, zone, 0, treatment)
    readings = (Reading(starts_at, 0), Reading(full, energy_wh))
    cost = agreed.cost(Usage(starts_at, ends_at, readings, full))
    return Tried(cost, add_tax(cost.net_paise, treatment))


def place_of(tariff: Tariff, places: list[Place]) -> Place | None:
    """Return the first place a tariff is assigned to, else any of its operator."""
    named = {each.location_id for each in tariff.assignments if each.location_id}
    points = {each.evse_id for each in tariff.assignments if each.evse_id}
    for place in places:
        if place.location_id in named or place.evse_id in points:
            return place
    return places[0] if places else None


def _next_sunday(local: datetime) -> datetime:
    """Half past three on Sunday: half an hour before solar hours end."""
    days = (6 - local.weekday()) % 7
    sunday = local + timedelta(days=days)
    return sunday.replace(hour=15, minute=30, second=0, microsecond=0, tzinfo=None)
