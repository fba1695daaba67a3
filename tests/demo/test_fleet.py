"""What the simulator is told of the demo's chargers."""

import json
from collections import Counter
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from evcharge.accounts.models import RfidTag, User
from evcharge.bookings.models import Booking
from evcharge.charging.models import ChargingSession, OcppTransaction
from evcharge.charging.rules import SessionStatus, StartedBy
from evcharge.control.models import ChargerKey
from evcharge.control.queries import credentials
from evcharge.control.service import set_key
from evcharge.demo.fleet import HEARD, fleet, give_cards, give_keys, key_of
from evcharge.demo.hardware import SILENT
from evcharge.simulator.spec import read_spec
from evcharge.stations.models import Charger, Connector, Evse
from evcharge.stations.rules import ReportedStatus
from make import HOUR, MINUTE, NOON

SECRET = "a-secret-of-the-demo-a-secret-of-the-demo"


def chargers(session: Session, now=NOON):
    give_cards(session, now=NOON)
    return {each["identity"]: each for each in fleet(session, secret=SECRET, now=now)}


def at_starts(session: Session, now=NOON):
    return {
        (identity, evse["number"]): evse["at_start"]
        for identity, each in chargers(session, now).items()
        for evse in each["evses"]
        if evse["at_start"]
    }


def test_the_simulator_can_read_all_of_it(demo: Session):
    specs = [read_spec(json.dumps(each)) for each in chargers(demo).values()]

    assert {spec.identity for spec in specs} == HEARD
    assert all(spec.cards for spec in specs)
    assert any(spec.opening for spec in specs)
    assert sum(len(spec.evses) for spec in specs) > 340


def test_silent_chargers_stay_silent(demo: Session):
    assert SILENT
    assert chargers(demo).keys().isdisjoint(SILENT)


def test_about_half_speak_each_version(demo: Session):
    versions = Counter(each["version"] for each in chargers(demo).values())

    assert versions.keys() == {"1.6", "2.0.1"}
    assert min(versions.values()) > 0.4 * versions.total()


def test_every_heard_charger_gets_in_with_its_key(demo: Session):
    give_keys(demo, secret=SECRET, now=NOON)

    for identity, each in chargers(demo).items():
        kept = credentials(demo, identity)
        assert kept is not None
        assert kept.key_hash is not None
        assert kept.key_hash.fits(each["key"].encode())
    assert demo.scalar(select(func.count()).select_from(ChargerKey)) == len(HEARD)


def test_keys_differ_and_hang_on_the_secret():
    keys = {key_of(SECRET, identity) for identity in HEARD}

    assert len(keys) == len(HEARD)
    assert key_of("another", "DA-BLRIND-01") not in keys


def test_another_secret_replaces_our_keys_and_no_operators(demo: Session):
    rows = demo.execute(select(Charger.identity, Charger.id)).all()
    ids = dict(rows)
    admin_id = demo.scalars(select(User.id).where(User.email == "admin@example.com"))
    give_keys(demo, secret="an earlier one", now=NOON)
    own, theirs = sorted(HEARD)[:2]
    set_key(demo, ids[theirs], "k" * 20, by=admin_id.one(), now=NOON)

    give_keys(demo, secret=SECRET, now=NOON)

    assert _fits(demo, own, key_of(SECRET, own))
    assert _fits(demo, theirs, "k" * 20)


def _fits(session: Session, identity: str, key: str) -> bool:
    session.expire_all()
    kept = credentials(session, identity)
    return bool(kept and kept.key_hash and kept.key_hash.fits(key.encode()))


def test_only_made_up_drivers_have_cards_one_each(demo: Session):
    give_cards(demo, now=NOON)
    give_cards(demo, now=NOON)

    owners = demo.scalars(
        select(User.email).join(RfidTag, RfidTag.user_id == User.id)
    ).all()
    assert len(owners) == len(set(owners)) > 200
    assert "driver@example.com" not in owners


def test_whoever_has_booked_now_charges_on_as_that_booking(demo: Session):
    booked = demo.execute(
        select(Charger.identity, Evse.number, Booking.reference, Booking.ends_at)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(
            Booking.status == "ACTIVE",
            Booking.starts_at <= NOON,
            Booking.ends_at > NOON,
            Charger.identity.in_(HEARD),
        )
    ).all()

    starts = at_starts(demo)

    assert booked
    for identity, number, reference, ends_at in booked:
        start = starts[identity, number]
        assert start["tag"] == reference
        assert start["until"] == ends_at.timestamp()


def test_it_begins_with_what_the_pages_show(demo: Session):
    said = Counter(
        demo.scalars(
            select(Connector.reported_status)
            .join(Evse, Evse.id == Connector.evse_id)
            .join(Charger, Charger.id == Evse.charger_id)
            .where(Charger.identity.in_(HEARD))
        )
    )

    states = Counter(start["state"] for start in at_starts(demo).values())

    assert states["charging"] == said[ReportedStatus.CHARGING] > 40
    assert states["faulted"] == said[ReportedStatus.FAULTED] > 0
    assert states["finishing"] == said[ReportedStatus.FINISHING] > 0


def test_a_transaction_that_is_open_goes_on_under_its_number(demo: Session):
    evse = _with_open_session(demo, started_at=NOON)

    start = at_starts(demo, now=NOON + 5 * MINUTE)[evse.charger.identity, evse.number]

    assert start["number"] > 0
    assert (start["meter_start_wh"], start["meter_wh"]) == (1_000, 5_000)
    assert start["since"] == NOON.timestamp()
    assert "until" not in start


def test_whoever_was_left_charging_long_ago_leaves_soon(demo: Session):
    evse = _with_open_session(demo, started_at=NOON - 3 * HOUR)

    start = at_starts(demo)[evse.charger.identity, evse.number]

    assert start["until"] == NOON.timestamp()


def _with_open_session(session: Session, *, started_at) -> Evse:
    """An EVSE that was free and has one, told in OCPP 1.6."""
    evse = session.scalars(
        select(Evse)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(Charger.identity.in_(HEARD))
        .order_by(Evse.id)
        .limit(1)
    ).one()
    charge = ChargingSession(
        id=uuid4(), reference="CS-TEST01", evse_id=evse.id, connector_number=1,
        status=SessionStatus.ACTIVE, started_by=StartedBy.CARD, tag="AB",
        created_at=started_at, started_at=started_at,
        meter_start_wh=1_000, meter_wh=5_000,
    )  # fmt: skip
    session.add(charge)
    session.flush()
    session.add(
        OcppTransaction(
            charger_id=evse.charger_id, session_id=charge.id, connector_id=1, tag="AB"
        )
    )
    session.execute(
        update(Connector)
        .where(Connector.evse_id == evse.id)
        .values(reported_status=ReportedStatus.CHARGING, reported_at=NOON)
    )
    session.flush()
    return evse
