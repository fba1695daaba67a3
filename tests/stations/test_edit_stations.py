from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

import make
from evcharge.kernel.live import announced
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.queries import (
    charger_with_evses,
    evse_with_place,
    location_with_evses,
)
from evcharge.stations.rules import (
    BadStation,
    ChargerNotFound,
    ConnectorKind,
    ConnectorNotFound,
    EditedMeanwhile,
    EvseNotFound,
    IdentityTaken,
    LastConnector,
    Lifecycle,
    LocationNotFound,
    NumberTaken,
)
from evcharge.stations.rules.entries import (
    ChargerDetails,
    ConnectorDetails,
    EvseDetails,
    LocationDetails,
)
from evcharge.stations.service import (
    add_connector,
    add_evse,
    create_charger,
    create_location,
    edit_charger,
    edit_connector,
    edit_evse,
    edit_location,
    remove_connector,
    set_lifecycle,
    set_location_active,
)
from make import NOON

PLACE = LocationDetails(
    name="Koregaon Park",
    address="Lane 4",
    city="Pune",
    state="Maharashtra",
    pincode="411001",
    lat=18.5362,
    lon=73.8939,
    amenities=("cafe",),
)
CCS2 = ConnectorDetails(1, ConnectorKind.CCS2, 60_000)
TYPE2 = ConnectorDetails(2, ConnectorKind.TYPE2, 22_000)


@pytest.fixture
def evse(database):
    with database.transaction() as session:
        return make.an_evse(session, identity="CP-1")


def test_a_new_location_is_open_and_can_be_searched_for(session):
    operator = make.an_operator(session)

    location = create_location(
        session, operator_id=operator.id, details=PLACE, now=NOON
    )

    assert location.is_active
    assert location.amenities == ["cafe"]
    assert "\npune\n" in location.search_text


def test_a_bad_location_is_not_created(session):
    with pytest.raises(BadStation):
        create_location(
            session, operator_id=1, details=replace(PLACE, pincode="0"), now=NOON
        )


def test_an_edit_replaces_what_is_known_and_what_is_searched(session):
    location = make.a_location(session)

    edit_location(session, location_id=location.id, details=PLACE, version=1)

    session.refresh(location)
    assert (location.name, location.city, location.version) == (
        PLACE.name,
        PLACE.city,
        2,
    )
    assert "koregaon park" in location.search_text
    assert announced(session) == [f"location:{location.id}"]


def test_of_two_edits_from_the_same_version_one_is_refused(database):
    with database.transaction() as session:
        location_id = make.a_location(session).id

    def attempt(name):
        try:
            database.perform(
                lambda session: edit_location(
                    session,
                    location_id=location_id,
                    details=replace(PLACE, name=name),
                    version=1,
                )
            )
        except EditedMeanwhile:
            return None
        return name

    with ThreadPoolExecutor(4) as editors:
        kept = [name for name in editors.map(attempt, "ABCD") if name]

    with database.reading() as session:
        assert [session.get_one(Location, location_id).name] == kept


def test_what_is_not_there_cannot_be_edited(session):
    with pytest.raises(LocationNotFound):
        edit_location(session, location_id=9, details=PLACE, version=1)
    with pytest.raises(ChargerNotFound):
        edit_charger(
            session, charger_id=9, details=ChargerDetails(identity="X"), version=1
        )
    with pytest.raises(EvseNotFound):
        edit_evse(session, evse_id=9, details=EvseDetails(1, 100), version=1)
    with pytest.raises(EvseNotFound):
        set_lifecycle(session, evse_id=9, lifecycle=Lifecycle.ACTIVE)


def test_a_location_can_be_hidden_and_shown_again(session):
    location = make.an_evse(session).charger.location

    set_location_active(session, location_id=location.id, is_active=False, version=1)
    session.refresh(location)
    assert not location.is_active

    set_location_active(session, location_id=location.id, is_active=True, version=2)
    session.refresh(location)
    assert location.is_active


# ── chargers ─────────────────────────────────────────────────────────────────────


def test_a_new_charger_has_not_been_heard_of(session):
    location = make.a_location(session)

    charger = create_charger(
        session,
        location_id=location.id,
        details=ChargerDetails(identity="CP-7", vendor="Acme", heartbeat_seconds=60),
        now=NOON,
    )

    assert charger.last_seen_at is None
    assert (charger.vendor, charger.heartbeat_seconds) == ("Acme", 60)


def test_two_chargers_cannot_have_one_identity(database, evse):
    details = ChargerDetails(identity="CP-1")

    with pytest.raises(IdentityTaken), database.transaction() as session:
        create_charger(
            session,
            location_id=evse.charger.location_id,
            details=details,
            now=NOON,
        )
    with database.transaction() as session:
        other = make.an_evse(session, identity="CP-2").charger
    with pytest.raises(IdentityTaken), database.transaction() as session:
        edit_charger(session, charger_id=other.id, details=details, version=1)


def test_a_charger_stands_somewhere(session):
    with pytest.raises(LocationNotFound):
        create_charger(
            session, location_id=9, details=ChargerDetails(identity="CP-7"), now=NOON
        )


def test_a_charger_can_be_edited_once_from_each_version(database, evse):
    details = ChargerDetails(identity="CP-1B", model="Two")

    with database.transaction() as session:
        edit_charger(session, charger_id=evse.charger_id, details=details, version=1)
    with pytest.raises(EditedMeanwhile), database.transaction() as session:
        edit_charger(session, charger_id=evse.charger_id, details=details, version=1)

    with database.reading() as session:
        charger = session.get_one(Charger, evse.charger_id)
        assert (charger.identity, charger.model) == ("CP-1B", "Two")


# ── EVSEs and connectors ─────────────────────────────────────────────────────────


def add(database, evse, *, number, connectors):
    with database.transaction() as session:
        return add_evse(
            session,
            charger_id=evse.charger_id,
            details=EvseDetails(number, 10_000),
            connectors=connectors,
        ).id


def test_an_evse_comes_with_its_connectors(database, evse):
    evse_id = add(database, evse, number=2, connectors=[CCS2, TYPE2])

    with database.reading() as session:
        added = evse_with_place(session, evse_id)
        assert [each.kind for each in added.connectors] == [CCS2.kind, TYPE2.kind]
        assert added.lifecycle == Lifecycle.ACTIVE


@pytest.mark.parametrize(
    ("number", "connectors", "refusal"),
    [
        (1, [CCS2], NumberTaken),
        (2, [CCS2, CCS2], NumberTaken),
        (2, [], BadStation),
        (0, [CCS2], BadStation),
        (2, [replace(CCS2, power_w=0)], BadStation),
    ],
)
def test_a_bad_evse_is_not_added(database, evse, number, connectors, refusal):
    with pytest.raises(refusal):
        add(database, evse, number=number, connectors=connectors)

    with database.reading() as session:
        assert session.scalars(select(Evse.id)).all() == [evse.id]


def test_an_evse_stands_at_a_charger(session):
    with pytest.raises(ChargerNotFound):
        add_evse(session, charger_id=9, details=EvseDetails(1, 100), connectors=[CCS2])


def test_a_price_can_be_changed_and_viewers_are_told(database, evse):
    with database.transaction() as session:
        edit_evse(session, evse_id=evse.id, details=EvseDetails(1, 9_900), version=1)
        topics = announced(session)

    with database.reading() as session:
        assert session.get_one(Evse, evse.id).booking_price_paise == 9_900
    location_id = evse.charger.location_id
    assert topics == [f"location:{location_id}", f"evse:{evse.id}"]


def test_a_number_in_use_is_refused(database, evse):
    other_id = add(database, evse, number=2, connectors=[CCS2])

    with pytest.raises(NumberTaken), database.transaction() as session:
        edit_evse(session, evse_id=other_id, details=EvseDetails(1, 100), version=1)


def test_an_evse_can_be_taken_out_of_service(database, evse):
    with database.transaction() as session:
        set_lifecycle(session, evse_id=evse.id, lifecycle=Lifecycle.INOPERATIVE)

    with database.reading() as session:
        changed = session.get_one(Evse, evse.id)
        assert changed.lifecycle == Lifecycle.INOPERATIVE
        assert changed.version == 2


def test_connectors_are_added_edited_and_removed_as_part_of_their_evse(database, evse):
    with database.transaction() as session:
        add_connector(session, evse_id=evse.id, details=TYPE2, version=1)
    with database.reading() as session:
        first, second = session.scalars(select(Connector).order_by("number")).all()
    with database.transaction() as session:
        edit_connector(
            session,
            evse_id=evse.id,
            connector_id=second.id,
            details=replace(TYPE2, power_w=7_400),
            version=2,
        )
    with database.transaction() as session:
        remove_connector(session, evse_id=evse.id, connector_id=first.id, version=3)

    with database.reading() as session:
        (left,) = session.scalars(select(Connector)).all()
        assert (left.id, left.power_w) == (second.id, 7_400)
        assert session.get_one(Evse, evse.id).version == 4


def test_a_connector_is_not_changed_from_an_old_version(database, evse):
    with pytest.raises(EditedMeanwhile), database.transaction() as session:
        add_connector(session, evse_id=evse.id, details=TYPE2, version=7)


def test_two_connectors_cannot_have_one_number(database, evse):
    with pytest.raises(NumberTaken), database.transaction() as session:
        add_connector(session, evse_id=evse.id, details=CCS2, version=1)
    with database.transaction() as session:
        add_connector(session, evse_id=evse.id, details=TYPE2, version=1)
        second = session.scalars(select(Connector).filter_by(number=2)).one()
    with pytest.raises(NumberTaken), database.transaction() as session:
        edit_connector(
            session,
            evse_id=evse.id,
            connector_id=second.id,
            details=CCS2,
            version=2,
        )


def test_the_last_connector_stays(database, evse):
    only = evse.connectors[0].id

    with pytest.raises(LastConnector), database.transaction() as session:
        remove_connector(session, evse_id=evse.id, connector_id=only, version=1)


def test_a_connector_of_another_evse_is_not_found(database, evse):
    with database.transaction() as session:
        other = make.an_evse(session).connectors[0].id

    with pytest.raises(ConnectorNotFound), database.transaction() as session:
        remove_connector(session, evse_id=evse.id, connector_id=other, version=1)
    with pytest.raises(ConnectorNotFound), database.transaction() as session:
        edit_connector(
            session, evse_id=evse.id, connector_id=other, details=CCS2, version=1
        )


# ── questions ────────────────────────────────────────────────────────────────────


def test_a_location_comes_with_everything_that_stands_there(database, evse):
    add(database, evse, number=2, connectors=[CCS2, TYPE2])

    with database.reading() as session:
        location = location_with_evses(session, evse.charger.location_id)

    (charger,) = location.chargers
    assert [len(each.connectors) for each in charger.evses] == [1, 2]
    assert location.operator.name == "Test Power"


def test_what_is_not_there_is_not_found(session):
    with pytest.raises(LocationNotFound):
        location_with_evses(session, 9)
    with pytest.raises(ChargerNotFound):
        charger_with_evses(session, 9)
    with pytest.raises(EvseNotFound):
        evse_with_place(session, 9)
