"""Fills an empty database with the demo network."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from evcharge.accounts.models import Operator, OperatorMember, User
from evcharge.accounts.rules import email_key
from evcharge.demo.books import Books
from evcharge.demo.demand import Demand, Site
from evcharge.demo.hardware import LIFECYCLES, SILENT, Box, boxes
from evcharge.demo.history import History
from evcharge.demo.own import (
    MAINTENANCE,
    MAINTENANCE_REASON,
    Named,
    drivers_visits,
    slot_of,
)
from evcharge.demo.people import (
    DRIVER,
    NAMED,
    NO_PASSWORD,
    OPERATED,
    OPERATOR,
    PASSWORD,
    Person,
    drivers,
    may_use,
)
from evcharge.demo.places import CLOSED, OPERATORS, Place, places
from evcharge.demo.prices import set_prices
from evcharge.demo.settle import settle
from evcharge.kernel.db import Database
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import Lifecycle, ReportedStatus
from evcharge.stations.service import refresh_search_rows

SEED = 20_261_123
OPENED = timedelta(days=400)
SILENCE = timedelta(hours=3)


@dataclass(frozen=True)
class Network:
    """What has been loaded: people by e-mail address, and where chargers stand."""

    people: Mapping[str, tuple[Person, User]]
    locations: list[tuple[Place, Location]]

    def evses(self) -> dict[Named, Evse]:
        return {
            (charger.identity, evse.number): evse
            for _, location in self.locations
            for charger in location.chargers
            for evse in charger.evses
        }

    def sites(self) -> Iterator[Site]:
        """Yield what can be booked, with those who might."""
        for place, location in self.locations:
            if location.is_active:
                yield Site(place, _bookable(location), self._drivers_near(place))

    def heard(self) -> list[Evse]:
        """Return the EVSEs in use whose chargers are not silent."""
        return [
            evse
            for _, location in self.locations
            for evse in _bookable(location)
            if location.is_active and evse.charger.identity not in SILENT
        ]

    def _drivers_near(self, place: Place) -> list[int]:
        return [
            user.id
            for person, user in self.people.values()
            if may_use(person, place.operator)
        ]


def load_demo(
    database: Database, *, now: datetime, say: Callable[[str], object]
) -> bool:
    """Load people, stations and a week of bookings into a database that has none.

    The same `now` makes the same demo. Returns False, changing nothing, when
    anybody or anything is there already.
    """
    with database.transaction() as session:
        if not is_empty(session):
            say("The database is not empty: the demo network was not loaded.")
            return False
        rng = random.Random(SEED)  # noqa: S311 - the same demo for everybody.
        network = _load_network(session, rng, now)
        history = _history(network, rng, now)
        books = Books(network.locations)
        books.say_where(history.rows)
        history.rows.save(session)
        books.save(session, history.rows, now=now)
        settle(network.heard(), history.rows.bookings, rng, now)
    say(
        f"Loaded {len(network.locations)} locations with {len(network.evses())}"
        f" charging points and {len(history.rows.bookings)} bookings."
    )
    return True


def is_empty(session: Session) -> bool:
    """Whether there are neither people nor locations."""
    return not any(
        session.scalar(select(table.id).limit(1)) for table in (User, Location)
    )


def _load_network(session: Session, rng: random.Random, now: datetime) -> Network:
    operators = {
        code: Operator(name=name, created_at=now - OPENED)
        for code, name in OPERATORS.items()
    }
    people = {
        person.email: (person, _user(person, rng, now))
        for person in (*NAMED, *drivers(rng))
    }
    locations = [
        (place, _location(place, operators[place.operator], rng, now))
        for place in places()
    ]
    session.add_all(operators.values())
    session.add_all(user for _, user in people.values())
    session.add_all(location for _, location in locations)
    session.flush()
    refresh_search_rows(session, [location.id for _, location in locations])
    set_prices(session, operators, locations, now=now)
    session.add(
        OperatorMember(
            operator_id=operators[OPERATED].id,
            user_id=people[OPERATOR][1].id,
            created_at=now - OPENED,
        )
    )
    return Network(people, locations)


def _history(network: Network, rng: random.Random, now: datetime) -> History:
    driver, operator = (network.people[email][1] for email in (DRIVER, OPERATOR))
    evses = network.evses()
    demand = Demand(rng, now=now)
    history = History(rng, operator_user_id=operator.id, now=now)

    out_of_use, slot = evses[MAINTENANCE.evse], slot_of(MAINTENANCE, now=now)
    demand.keep_free(out_of_use.id, slot)
    history.block(out_of_use.id, slot, reason=MAINTENANCE_REASON)
    history.tell(drivers_visits(demand, driver.id, evses, now=now))
    for site in network.sites():
        history.tell(demand.visits(site))
    return history


def _bookable(location: Location) -> list[Evse]:
    return [
        evse
        for charger in location.chargers
        for evse in charger.evses
        if evse.lifecycle == Lifecycle.ACTIVE
    ]


def _user(person: Person, rng: random.Random, now: datetime) -> User:
    joined = now - timedelta(days=rng.randint(12, 390), minutes=rng.randint(0, 1440))
    return User(
        name=person.name,
        email=person.email,
        email_key=email_key(person.email),
        password_hash=generate_password_hash(PASSWORD)
        if person.can_log_in
        else NO_PASSWORD,
        role=person.role,
        created_at=joined,
    )


def _location(
    place: Place, operator: Operator, rng: random.Random, now: datetime
) -> Location:
    opened_at = now - timedelta(days=rng.randint(30, OPENED.days))
    return Location(
        operator=operator,
        name=place.name,
        address=place.address,
        city=place.city,
        state=place.state,
        pincode=place.pincode,
        lat=place.lat,
        lon=place.lon,
        opening_hours=place.opening_hours,
        amenities=list(place.amenities),
        is_active=place.code not in CLOSED,
        created_at=opened_at,
        chargers=[_charger(box, rng, opened_at, now) for box in boxes(place)],
    )


def _charger(
    box: Box, rng: random.Random, opened_at: datetime, now: datetime
) -> Charger:
    is_silent = box.identity in SILENT
    return Charger(
        identity=box.identity,
        vendor=box.model.vendor,
        model=box.model.name,
        last_seen_at=now - SILENCE if is_silent else now,
        created_at=opened_at,
        evses=[
            Evse(
                number=number,
                lifecycle=LIFECYCLES.get((box.identity, number), Lifecycle.ACTIVE),
                booking_price_paise=price_paise,
                connectors=[
                    Connector(
                        number=plug_number,
                        kind=kind,
                        power_w=power_w,
                        reported_status=ReportedStatus.AVAILABLE,
                        reported_at=now
                        - SILENCE
                        - timedelta(minutes=rng.randint(0, 900)),
                    )
                    for plug_number, (kind, power_w) in enumerate(point.plugs, start=1)
                ],
            )
            for number, (point, price_paise) in enumerate(
                zip(box.model.points, box.prices_paise, strict=True), start=1
            )
        ],
    )
