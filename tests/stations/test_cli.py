from datetime import timedelta

from click.testing import CliRunner
from sqlalchemy import delete, func, select

import make
from evcharge.kernel.clock import utc_now
from evcharge.stations.cli import chargers, search
from evcharge.stations.models import MapCell


def test_chargers_are_listed_with_when_they_were_last_heard_of(database):
    with database.transaction() as session:
        make.an_evse(session, identity="CP-B", seen_at=utc_now())
        make.an_evse(session, identity="CP-A", seen_at=None)

    answer = CliRunner().invoke(chargers, ["list"], obj=database)

    first, second = answer.output.splitlines()
    assert first.split()[:3] == ["CP-A", "silent", "never"]
    assert second.split()[:2] == ["CP-B", "seen"]
    assert second.endswith("1 EVSEs  MG Road")


def test_silent_ones_can_be_listed_alone(database):
    with database.transaction() as session:
        make.an_evse(session, identity="CP-A", seen_at=utc_now())
        make.an_evse(
            session, identity="CP-B", seen_at=utc_now() - timedelta(seconds=700)
        )

    answer = CliRunner().invoke(chargers, ["list", "--silent"], obj=database)

    assert [line.split()[0] for line in answer.output.splitlines()] == ["CP-B"]


def test_the_index_of_the_search_is_written_anew(database):
    with database.transaction() as session:
        make.an_evse(session)
        session.execute(delete(MapCell))

    answer = CliRunner().invoke(search, ["rebuild"], obj=database)

    assert answer.output == "The index has 2 rows.\n"
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MapCell)) == 18
