import re

import pytest
from sqlalchemy import select

import make
from console import a_world, in_hours
from evcharge.bookings.models import MaintenanceBlock
from evcharge.bookings.rules import BookingStatus
from evcharge.kernel.clock import utc_now
from evcharge.payments.models import Refund
from evcharge.stations.models import Evse, Location
from evcharge.stations.rules import Lifecycle
from evcharge.web.formats import INDIA
from make import PRICE_PAISE


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def staff(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session)
    return sign_in("operator", operator=operator)


@pytest.fixture(params=["locations", "chargers", "evses", "removed"])
def closing(request, world):
    """The address at which something is closed, for each kind of thing."""
    return {
        "locations": f"/admin/locations/{world.location_id}/close",
        "chargers": f"/admin/chargers/{world.charger_id}/close",
        "evses": f"/admin/evses/{world.evse_id}/close",
        "removed": f"/admin/evses/{world.evse_id}/remove",
    }[request.param]


def yes_in(answer):
    """What the button sends with which somebody agrees to cancel."""
    return re.search(r'name="cancel"\s+value="([0-9a-f]+)"', answer.text)[1]


def is_bookable(database, world):
    with database.reading() as session:
        evse = session.get_one(Evse, world.evse_id)
        site = session.get_one(Location, world.location_id)
        return site.is_active and evse.lifecycle == Lifecycle.ACTIVE


def refunds_of(database, booking_id):
    with database.reading() as session:
        rows = session.scalars(select(Refund).where(Refund.item_id == booking_id))
        return [refund.amount_paise for refund in rows]


def wall(at):
    return f"{at.astimezone(INDIA):%Y-%m-%dT%H:%M}"


# ── closing ──────────────────────────────────────────────────────────────────────


def test_who_closes_something_sees_the_bookings_in_the_way(staff, world, closing):
    booking = world.desk.read(world.booking_id)

    answer = staff.get(closing)

    assert booking.reference in answer.text
    assert "Driver of Test Power" in answer.text
    assert "Cancel this booking and refund ₹120.00 in full" in answer.text


def test_nothing_is_closed_over_bookings_by_itself(database, staff, world, closing):
    answer = staff.post(closing, data={"reason": "Being replaced"})

    assert answer.status_code == 409
    assert world.desk.read(world.booking_id).reference in answer.text
    assert 'value="Being replaced"' in answer.text
    assert is_bookable(database, world)


def test_who_agrees_closes_it_and_everybody_gets_everything_back(
    database, staff, world, closing
):
    agreed = {"reason": "Being replaced", "cancel": yes_in(staff.get(closing))}

    answer = staff.post(closing, data=agreed)

    assert answer.status_code == 303
    assert not is_bookable(database, world)
    assert world.desk.read(world.booking_id).status == BookingStatus.CANCELLED
    assert refunds_of(database, world.booking_id) == [PRICE_PAISE]
    assert world.desk.audit() == []


def test_a_yes_is_only_to_the_bookings_that_were_shown(database, staff, world, closing):
    agreed = {"reason": "Being replaced", "cancel": yes_in(staff.get(closing))}
    later = world.desk.book(in_hours(10), now=utc_now())

    answer = staff.post(closing, data=agreed)

    assert answer.status_code == 409
    assert later.reference in answer.text
    assert yes_in(answer) != agreed["cancel"]
    assert world.desk.read(world.booking_id).status == BookingStatus.ACTIVE


def test_a_reason_is_asked_for(database, staff, world, closing):
    agreed = {"cancel": yes_in(staff.get(closing))}

    for reason in ("", "  ", "x" * 201, "a\0b"):
        answer = staff.post(closing, data=agreed | {"reason": reason})
        assert answer.status_code == 422
        assert "reason-error" in answer.text
    assert is_bookable(database, world)


def test_what_nobody_has_booked_is_closed_at_once(database, staff, world, closing):
    world.desk.cancel(world.desk.read(world.booking_id), now=utc_now())

    page = staff.get(closing)
    answer = staff.post(closing, data={"reason": "Being replaced"})

    assert 'name="cancel"' not in page.text
    assert answer.status_code == 303
    assert not is_bookable(database, world)


def test_what_was_closed_is_opened_again(database, staff, world, closing):
    agreed = {"reason": "Being replaced", "cancel": yes_in(staff.get(closing))}
    staff.post(closing, data=agreed)
    opening = {
        "locations": f"/admin/locations/{world.location_id}/open",
        "chargers": f"/admin/chargers/{world.charger_id}/open",
        "evses": f"/admin/evses/{world.evse_id}/open",
    }[closing.split("/")[2]]

    assert staff.post(opening).status_code == 303
    assert is_bookable(database, world)


def test_a_removed_point_is_not_opened_together_with_its_charger(
    database, staff, world
):
    removing = f"/admin/evses/{world.evse_id}/remove"
    agreed = {"reason": "Gone", "cancel": yes_in(staff.get(removing))}
    staff.post(removing, data=agreed)

    staff.post(f"/admin/chargers/{world.charger_id}/open")

    with database.reading() as session:
        assert session.get_one(Evse, world.evse_id).lifecycle == Lifecycle.REMOVED


# ── maintenance ──────────────────────────────────────────────────────────────────


def a_block(slot, **fields):
    return {
        "starts_at": wall(slot.starts_at),
        "ends_at": wall(slot.ends_at),
        "reason": "New cable",
    } | fields


def blocks(database, world):
    with database.reading() as session:
        return list(
            session.scalars(
                select(MaintenanceBlock)
                .where(MaintenanceBlock.evse_id == world.evse_id)
                .order_by(MaintenanceBlock.starts_at)
            )
        )


def test_maintenance_is_planned_by_the_clock_at_the_charger(database, staff, world):
    slot = in_hours(50, 2)

    answer = staff.post(f"/admin/evses/{world.evse_id}/block", data=a_block(slot))

    assert answer.status_code == 303
    assert blocks(database, world)[-1].slot == slot
    assert "New cable" in staff.get(f"/admin/chargers/{world.charger_id}").text


def test_maintenance_over_a_booking_asks_and_then_cancels_it(database, staff, world):
    url, slot = f"/admin/evses/{world.evse_id}/block", in_hours(1, 3)

    asked = staff.post(url, data=a_block(slot))
    answer = staff.post(url, data=a_block(slot, cancel=yes_in(asked)))

    assert asked.status_code == 409
    assert world.desk.read(world.booking_id).reference in asked.text
    assert f'value="{wall(slot.starts_at)}"' in asked.text
    assert answer.status_code == 303
    assert world.desk.read(world.booking_id).status == BookingStatus.CANCELLED
    assert refunds_of(database, world.booking_id) == [PRICE_PAISE]
    assert world.desk.audit() == []


def test_maintenance_where_maintenance_is_planned_is_refused(database, staff, world):
    answer = staff.post(
        f"/admin/evses/{world.evse_id}/block", data=a_block(in_hours(30))
    )

    assert answer.status_code == 409
    assert "planned for some of that time already" in answer.text
    assert len(blocks(database, world)) == 1


IMPOSSIBLE = [
    ("starts_at", ""),
    ("starts_at", "tomorrow"),
    ("starts_at", "0001-01-01T00:00"),
    ("starts_at", "2020-01-01T10:00"),
    ("ends_at", "9999-12-31T23:59"),
    ("ends_at", "\0"),
    ("reason", ""),
    ("reason", "x" * 10_000),
]


def test_maintenance_that_cannot_be_is_refused_at_its_field(database, staff, world):
    url = f"/admin/evses/{world.evse_id}/block"
    for field, text in IMPOSSIBLE:
        answer = staff.post(url, data=a_block(in_hours(50)) | {field: text})

        assert answer.status_code == 422, (field, text[:20])
        assert "-error" in answer.text
    assert len(blocks(database, world)) == 1


def test_maintenance_is_on_the_quarter_hour_and_ends_after_it_starts(staff, world):
    slot = in_hours(50)
    backwards = a_block(slot, ends_at=wall(slot.starts_at))
    off_grid = a_block(slot, starts_at=wall(slot.starts_at)[:-2] + "07")

    for fields in (backwards, off_grid):
        answer = staff.post(f"/admin/evses/{world.evse_id}/block", data=fields)
        assert answer.status_code == 422


def test_lifting_maintenance_gives_the_time_back(staff, world):
    url = f"/admin/blocks/{world.block_id}/lift"

    first, second = staff.post(url), staff.post(url)

    assert (first.status_code, second.status_code) == (303, 303)
    world.desk.book(in_hours(30), now=utc_now())


def test_maintenance_nobody_planned_cannot_be_lifted(staff, world):
    url = f"/admin/blocks/{world.booking_id}/lift"

    assert staff.post(url).status_code == 404
