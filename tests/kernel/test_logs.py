import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from evcharge.kernel.db import Database
from evcharge.kernel.logs import bind_request, set_up_logs

log = logging.getLogger("evcharge.somewhere")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logs_of_pytest() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def logged_to(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(sys, "stderr", stream)
    set_up_logs()
    return stream


def test_machines_get_one_json_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged_to(io.StringIO(), monkeypatch)

    log.warning("two lines\nin %s", "one")

    event: dict[str, Any] = json.loads(stream.getvalue())
    assert event["event"] == "two lines\nin one"
    assert event["level"] == "warning"
    assert event["logger"] == "evcharge.somewhere"
    assert event["timestamp"].endswith("Z")
    assert stream.getvalue().count("\n") == 1


def test_a_traceback_is_part_of_its_event(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged_to(io.StringIO(), monkeypatch)

    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        log.exception("it broke")

    assert "ZeroDivisionError" in json.loads(stream.getvalue())["exception"]


def test_people_get_words(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged_to(Terminal(), monkeypatch)

    log.warning("somebody knocked")

    assert "somebody knocked" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_lines_of_a_request_carry_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged_to(io.StringIO(), monkeypatch)

    bind_request("a1b2")
    log.info("first")
    bind_request("c3d4")
    log.info("second")

    lines = stream.getvalue().splitlines()
    assert [json.loads(line)["request"] for line in lines] == ["a1b2", "c3d4"]


def test_errors_of_the_database_do_not_repeat_what_was_typed(
    database: Database,
) -> None:
    with pytest.raises(DBAPIError) as error, database.reading() as session:
        session.execute(text("SELECT * FROM nowhere WHERE x = :x"), {"x": "hush"})

    assert "hush" not in str(error.value)
