"""What the demo's operators ask for energy, and the GSTINs they bill it under.

Prices are made up, below the ceilings on service charges. One operator is small: it
has neither a tariff nor a GSTIN, so slots are paid by the hour and without tax.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.accounts.models import Operator
from evcharge.demo.places import EVERYWHERE, Place
from evcharge.stations.models import Evse, Location
from evcharge.stations.rules import DC_KINDS
from evcharge.tariffs.models import Tariff
from evcharge.tariffs.rules.simple import Band, SimplePrices
from evcharge.tariffs.service import add_tariff, assign
from evcharge.taxes.rules.gstin import check_digit
from evcharge.taxes.rules.registrations import Registrant
from evcharge.taxes.rules.states import state_code
from evcharge.taxes.service import register

SMALL = "HG"
# Electricity passed through, by operator, in paise for each kWh.
ELECTRICITY = {"DA": 700, "MV": 850, "BM": 800, "SW": 650, "FR": 680}
SOLAR_HOURS = ("09:00", "16:00")
AC_SERVICE, AC_SERVICE_SOLAR = 350, 250
DC_SERVICE, DC_SERVICE_SOLAR = 1_200, 900
IDLE_PER_MINUTE, FREE_MINUTES = 200, 10
LEAST = 2_000
HIGHWAY_DEPOSIT = 30_000


def set_prices(
    session: Session,
    operators: Mapping[str, Operator],
    locations: Iterable[tuple[Place, Location]],
    *,
    now: datetime,
) -> None:
    """Let tariffs and GSTINs begin now: bookings of the history were by the hour."""
    dc = {}
    for code, electricity in ELECTRICITY.items():
        operator_id = operators[code].id
        ac = _tariff(session, operator_id, "AC", _ac(electricity), now)
        assign(session, ac, valid_from=now)
        deposit = HIGHWAY_DEPOSIT if code == EVERYWHERE else None
        prices = _dc(electricity, deposit)
        dc[code] = _tariff(session, operator_id, "DC", prices, now)
    registered: set[tuple[str, str]] = set()
    for place, location in locations:
        if place.operator == SMALL:
            continue
        for evse in _evses(location):
            if _is_dc(evse):
                assign(session, dc[place.operator], evse_id=evse.id, valid_from=now)
        if (place.operator, place.state) not in registered:
            registered.add((place.operator, place.state))
            _register(session, place, location, now)


def _ac(electricity: int) -> SimplePrices:
    return SimplePrices(
        energy_paise=AC_SERVICE,
        electricity_paise=electricity,
        bands=(Band(*SOLAR_HOURS, AC_SERVICE_SOLAR),),
        min_price_paise=LEAST,
    )


def _dc(electricity: int, deposit: int | None) -> SimplePrices:
    return SimplePrices(
        energy_paise=DC_SERVICE,
        electricity_paise=electricity,
        bands=(Band(*SOLAR_HOURS, DC_SERVICE_SOLAR),),
        idle_paise_per_minute=IDLE_PER_MINUTE,
        idle_grace_minutes=FREE_MINUTES,
        min_price_paise=LEAST,
        deposit_paise=deposit,
    )


def _tariff(
    session: Session, operator_id: int, name: str, prices: SimplePrices, now: datetime
) -> Tariff:
    return add_tariff(
        session, operator_id=operator_id, name=name, terms=prices.terms, now=now
    )


def _evses(location: Location) -> Iterable[Evse]:
    return (evse for charger in location.chargers for evse in charger.evses)


def _is_dc(evse: Evse) -> bool:
    return all(plug.kind in DC_KINDS for plug in evse.connectors)


def _register(
    session: Session, place: Place, location: Location, now: datetime
) -> None:
    # The fourth letter says a company; of a PAN that nobody was given.
    first_fourteen = f"{state_code(place.state)}D{place.operator}CE0001D1Z"
    registrant = Registrant(
        gstin=first_fourteen + check_digit(first_fourteen),
        legal_name=f"{location.operator.name} Private Limited",
        address=f"{place.address}, {place.city} {place.pincode}",
    )
    register(session, location.operator_id, registrant, now=now)
