"""The jobs of charging, on the clock of this machine."""

from datetime import timedelta

from sqlalchemy import select

from evcharge.charging.jobs import purge, tidy
from evcharge.charging.rules import SessionEventKind
from evcharge.charging.service.overrun import Overrun
from evcharge.control.models import ChargerMessage
from evcharge.control.rules import CommandKind, Direction, LoggedMessage
from evcharge.control.service import record_messages
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Charger, Outage
from evcharge.wiring import JOBS, SCHEDULE, job_handlers
from make import HOUR, MINUTE


def test_every_job_of_the_timetable_has_a_handler(database, new_settings):
    assert set(job_handlers(new_settings(), database)) >= {*SCHEDULE, *JOBS}


def test_old_messages_are_forgotten_and_young_ones_kept(box):
    now = utc_now()
    with box.database.transaction() as session:
        record_messages(
            session,
            [
                LoggedMessage(box.charger_id, at, Direction.IN, "Heartbeat", "[]")
                for at in (now - 15 * 24 * HOUR, now - 13 * 24 * HOUR)
            ],
        )

    purge(box.database, keep=timedelta(days=14))

    with box.database.reading() as session:
        (kept,) = session.scalars(select(ChargerMessage.at))
    assert kept == now - 13 * 24 * HOUR


def test_a_round_notes_silence_and_announces_what_is_near(box, desk, monkeypatch):
    booking = desk.book()
    desk.pay(booking)
    near = booking.starts_at - 10 * MINUTE
    monkeypatch.setattr("evcharge.charging.jobs.utc_now", lambda: near)

    tidy(box.database)  # The charger was last heard of at NOON.

    with box.database.reading() as session:
        assert session.scalars(select(Outage.kind)).all() == ["silent"]
    assert [each.kind for each in box.commands()] == [CommandKind.RESERVE]


def test_a_round_ends_what_charged_when_its_charger_fell_silent(box, card):
    box.start(card)

    tidy(box.database)

    (charge,) = box.sessions()
    assert charge.ended_at is not None
    assert box.claims() == []


def test_one_refusal_does_not_end_the_round(box, card, desk, monkeypatch):
    """What somebody else was quicker with is looked at again in the next round."""
    now = utc_now()
    with box.database.transaction() as session:
        session.query(Charger).update({"last_seen_at": now})
    box.start(card, at=now)
    (charge,) = box.sessions()
    gone = Overrun(charge.id, charge.id)  # There is no such booking.
    monkeypatch.setattr("evcharge.charging.jobs.overruns", lambda *_, **__: [gone])

    tidy(box.database)

    kinds = [event.kind for event in box.read(charge.id).events]
    assert kinds == [SessionEventKind.STARTED]
    assert len(box.claims()) == 2
