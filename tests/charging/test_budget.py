"""A guest's charge ends before it costs more than they have paid."""

from datetime import datetime, timedelta

from box import Box
from evcharge.charging.jobs import tidy
from evcharge.charging.rules import SessionStatus
from evcharge.charging.service.budget import (
    charging_on_budget,
    cost_soon,
    stop_if_spent,
)
from evcharge.control.rules import CommandKind
from evcharge.finance.audit import money
from evcharge.kernel.clock import utc_now
from evcharge.payments.queries import due_of_item
from evcharge.payments.rules import ItemKind
from guests import Guest
from make import HOUR, MINUTE, NOON

SECOND = timedelta(seconds=1)


def begun(guest: Guest, paise: int = 20_000) -> int:
    charge = guest.pay(paise)
    return guest.box.start(charge.reference, meter=0).number


def looked_at(box: Box, *, at: datetime) -> list[CommandKind]:
    """Return what the charger was asked when somebody looked."""
    before = len(box.commands())

    def look(session):
        for session_id in charging_on_budget(session, now=at):
            stop_if_spent(session, session_id=session_id, now=at)

    box.database.perform(look)
    return [command.kind for command in box.commands()[before:]]


def test_what_costs_less_than_was_paid_goes_on(guest, box, at_20_a_kwh):
    number = begun(guest)
    box.meter(number, 8_000, at=NOON + 20 * MINUTE, power_w=24_000)

    # 8.2 kWh in half a minute: ₹193.52.
    assert looked_at(box, at=NOON + 20 * MINUTE) == []


def test_it_stops_before_it_costs_more_than_was_paid(guest, box, at_20_a_kwh):
    number = begun(guest)
    box.meter(number, 8_300, at=NOON + 20 * MINUTE, power_w=24_000)

    # 8.5 kWh in half a minute: ₹200.60.
    assert looked_at(box, at=NOON + 20 * MINUTE) == [CommandKind.STOP]


def test_power_that_was_not_heard_of_lately_is_thought_to_flow_on(
    guest, box, at_20_a_kwh
):
    number = begun(guest)
    box.meter(number, 8_000, at=NOON + 20 * MINUTE, power_w=24_000)

    later = NOON + 21 * MINUTE

    assert looked_at(box, at=later) == [CommandKind.STOP]


def test_a_meter_that_tells_no_power_is_followed_by_its_energy(guest, box, at_20_a_kwh):
    number = begun(guest)
    box.meter(number, 8_300, at=NOON + 20 * MINUTE)

    assert looked_at(box, at=NOON + 20 * MINUTE) == [CommandKind.STOP]


def test_it_is_asked_once_and_again_a_minute_later(guest, box, at_20_a_kwh):
    number = begun(guest)
    at = NOON + 20 * MINUTE
    box.meter(number, 9_000, at=at)

    asked = [looked_at(box, at=at + seconds * SECOND) for seconds in (0, 15, 61)]

    assert asked == [[CommandKind.STOP], [], [CommandKind.STOP]]


def test_by_the_hour_it_stops_before_an_hour_that_is_not_paid(guest, box):
    begun(guest, 12_000)

    assert looked_at(box, at=NOON + 59 * MINUTE) == []
    assert looked_at(box, at=NOON + 59 * MINUTE + 31 * SECOND) == [CommandKind.STOP]


def test_who_has_an_account_is_not_stopped(box, asha, at_20_a_kwh):
    number = box.start(box.ask(asha).tag, meter=0).number
    box.meter(number, 90_000, at=NOON + 20 * MINUTE)

    assert looked_at(box, at=NOON + 20 * MINUTE) == []


def test_what_it_will_cost_never_goes_down_while_nothing_is_heard(
    guest, box, at_20_a_kwh, database
):
    number = begun(guest)
    box.meter(number, 1_000, at=NOON + MINUTE, power_w=60_000)

    with database.reading() as session:
        costs = [
            cost_soon(session, guest.charge, now=NOON + MINUTE + seconds * SECOND)
            for seconds in range(0, 300, 15)
        ]

    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_a_shortfall_is_owed_and_can_be_paid(guest, box, at_20_a_kwh, database):
    """The charger did not stop in time."""
    number = begun(guest)
    box.stop(number, at=NOON + HOUR, meter=9_000)

    guest.settle(now=NOON + HOUR)

    with database.reading() as session:
        due = due_of_item(session, ItemKind.SESSION, guest.charge.id)
    assert (due.amount_paise, due.guest_id) == (21_240 - 20_000, guest.id)
    guest.capture(guest.go_to_pay_due(due), due.amount_paise)
    with database.reading() as session:
        assert not due_of_item(session, ItemKind.SESSION, guest.charge.id).is_open
        assert money(session, now=NOON + 48 * HOUR) == []


def test_the_sweep_stops_what_is_spent(database, box, at_20_a_kwh):
    now = utc_now()
    box.connect(at=now)
    guest = Guest(box)
    charge = guest.pay(now=now)
    number = box.start(charge.reference, meter=0, at=now).number
    box.meter(number, 9_000, at=now)

    tidy(database)

    assert [each.kind for each in box.commands()] == [
        CommandKind.START,
        CommandKind.STOP,
    ]
    assert guest.charge.status == SessionStatus.ACTIVE
