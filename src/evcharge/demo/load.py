"""Fills an empty database with the demo network."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from evcharge.accounts.models import Operator, OperatorMember, User
from evcharge.accounts.rules import Role, email_key
from evcharge.demo.hardware import LIFECYCLES, SILENT, Box, boxes
from evcharge.demo.people import NAMED, OPERATED, PASSWORD, Person, drivers
from evcharge.demo.places import CLOSED, OPERATORS, Place, places
from evcharge.kernel.db import Database
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import Lifecycle, ReportedStatus

SEED = 20_261_123
# Nobody can log in with it: no hash looks like that.
NO_PASSWORD = "!"  # noqa: S105
OPENED = timedelta(days=400)
SILENCE = timedelta(hours=3)


@dataclass(frozen=True)
class Network:
    """What has been loaded: people and EVSEs, with the place each EVSE stands at."""

    people: dict[str, tuple[Person, User]]
    evses: list[tuple[Place, Evse]]


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
    say(f"Loaded {len(places())} locations with {len(network.evses)} charging points.")
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
    session.add_all(operators.values())
    people = {
        person.email: (person, _user(person, rng, now))
        for person in (*NAMED, *drivers(rng))
    }
    session.add_all(user for _, user in people.values())
    evses = []
    for place in places():
        location = _location(place, operators[place.operator], rng, now)
        session.add(location)
        evses += [
            (place, evse) for charger in location.chargers for evse in charger.evses
        ]
    session.flush()
    session.add_all(_memberships(operators, people, now))
    return Network(people, evses)


def _user(person: Person, rng: random.Random, now: datetime) -> User:
    joined = now - timedelta(days=rng.randint(8, 390), minutes=rng.randint(0, 1440))
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


def _memberships(
    operators: dict[str, Operator],
    people: dict[str, tuple[Person, User]],
    now: datetime,
) -> Iterator[OperatorMember]:
    for person, user in people.values():
        if person.role == Role.OPERATOR:
            yield OperatorMember(
                operator_id=operators[OPERATED].id, user_id=user.id, created_at=now
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
