import make
from evcharge.bookings.alternatives import alternatives
from evcharge.bookings.rules import Actor, ActorKind, Slot
from evcharge.bookings.service import block_evse
from evcharge.stations.models import Location
from evcharge.stations.rules import ConnectorKind, Lifecycle
from make import HOUR, NOON, a_slot


def offers(desk, slot=None, *, evse_id=None, now=NOON):
    with desk.database.reading() as session:
        found = alternatives(
            session,
            evse_id=evse_id or desk.evse_id,
            slot=slot or a_slot(),
            limits=desk.limits,
            now=now,
        )
    return [(offer.evse_id, offer.slot) for offer in found]


def test_the_twin_next_to_it_comes_first(desk):
    taken, twin, *_ = desk.evses(2)
    desk.book(evse_id=taken)

    assert offers(desk, evse_id=taken)[0] == (twin, a_slot())


def test_then_the_nearest_other_times_at_the_same_charger(desk):
    desk.book(a_slot(after_hours=1, hours=1))

    assert offers(desk, a_slot(after_hours=1, hours=0.5)) == [
        (desk.evse_id, a_slot(after_hours=0.5, hours=0.5)),
        (desk.evse_id, a_slot(after_hours=0.25, hours=0.5)),
        (desk.evse_id, a_slot(after_hours=2, hours=0.5)),
    ]


def test_every_offer_can_be_booked(desk):
    desk.book(a_slot(hours=2))
    drivers = iter(desk.drivers(3))

    for evse_id, slot in offers(desk)[:1]:
        assert desk.book(slot, evse_id=evse_id, user_id=next(drivers)).slot == slot


def test_nothing_is_offered_in_the_past_or_too_far_ahead(desk):
    slot = Slot(NOON, NOON + HOUR)
    desk.book(slot)

    assert all(offer.starts_at >= NOON for _, offer in offers(desk, slot))


def test_nearby_sites_help_when_the_site_is_full(desk, database):
    with database.transaction() as session:
        near = make.an_evse(
            session, location=make.a_location(session, name="Near", lat=13.0)
        ).id
        make.an_evse(session, location=make.a_location(session, name="Far", lat=19.0))
        block_all_day(session, desk.evse_id)

    assert offers(desk) == [(near, a_slot())]


def block_all_day(session, evse_id):
    admin = make.a_user(session, role="admin")
    block_evse(
        session,
        evse_id=evse_id,
        slot=Slot(NOON, NOON + 24 * HOUR),
        reason="Full",
        actor=Actor(ActorKind.OPERATOR, admin.id),
        cancel_bookings=False,
        now=NOON,
    )


def test_another_plug_less_power_or_a_closed_charger_is_no_alternative(desk, database):
    with database.transaction() as session:
        location = make.a_location(session, name="Here")
        mine = make.an_evse(session, location=location).id
        make.an_evse(session, location=location, kinds=(ConnectorKind.TYPE2,))
        make.an_evse(session, location=location, power_w=30_000)
        make.an_evse(session, location=location, lifecycle=Lifecycle.INOPERATIVE)
    desk.book(evse_id=mine)

    assert {evse_id for evse_id, _ in offers(desk, evse_id=mine)} == {mine}


def test_nothing_is_offered_when_the_site_is_closed(desk, database):
    with database.transaction() as session:
        session.query(Location).update({"opening_hours": "08:00-19:30"})
    desk.book()

    assert all(offer.ends_at <= a_slot().ends_at for _, offer in offers(desk))
