"""Browsers that follow what changes, over real sockets."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from evcharge.gateway.live_hub import LiveHub
from evcharge.gateway.server import gateway_only
from evcharge.kernel.topics import sign_topics

SECRET = SecretStr("only-for-tests-0123456789-abcdefgh")
Open = Callable[..., http.client.HTTPResponse]


@pytest.fixture
def hub() -> LiveHub:
    return LiveHub(most_streams=3)


@pytest.fixture
def port(serve: Callable[..., int], hub: LiveHub) -> int:
    return serve(gateway_only(hub, SECRET), when_stopping=hub.close)


@pytest.fixture
def open_stream(port: int) -> Iterator[Open]:
    with ExitStack() as stack:

        def start(query: str, path: str = "/live?") -> http.client.HTTPResponse:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            stack.callback(client.close)
            # So that closing the answer closes the connection.
            client.request("GET", path + query, headers={"Connection": "close"})
            return client.getresponse()

        yield start


def lines(stream: http.client.HTTPResponse, count: int) -> list[str]:
    """The next lines that say something; comments and gaps are left out."""
    said: list[str] = []
    while len(said) < count:
        line = stream.readline().decode()
        assert line, "the stream ended"
        if line.strip(" :\n"):
            said.append(line.strip())
    return said


def watching(stream: http.client.HTTPResponse) -> http.client.HTTPResponse:
    assert stream.status == 200
    assert lines(stream, 1) == ["retry: 5000"]
    return stream


def test_a_change_reaches_who_watches_it(open_stream: Open, hub: LiveHub) -> None:
    stream = watching(open_stream("topic=location:7&topic=evse:8"))

    hub.publish(["location:7"])

    assert lines(stream, 1) == ["data: location:7"]


def test_a_change_reaches_nobody_else(open_stream: Open, hub: LiveHub) -> None:
    stream = watching(open_stream("topic=location:7"))

    hub.publish(["location:8"])
    hub.publish(["location:7"])

    assert lines(stream, 1) == ["data: location:7"]


def test_a_first_change_is_told_at_once(open_stream: Open, hub: LiveHub) -> None:
    stream = watching(open_stream("topic=location:7"))
    time.sleep(0.3)  # The pause after the greeting is over.

    began = time.monotonic()
    hub.publish(["location:7"])
    lines(stream, 1)

    assert time.monotonic() - began < 0.15


def test_several_changes_become_one_hint(open_stream: Open, hub: LiveHub) -> None:
    stream = watching(open_stream("topic=location:7&topic=evse:8"))
    hub.publish(["location:7"])
    lines(stream, 1)

    for _ in range(20):
        hub.publish(["location:7"])
    hub.publish(["evse:8"])

    assert sorted(lines(stream, 2)) == ["data: evse:8", "data: location:7"]


def test_hints_may_come_from_any_thread(open_stream: Open, hub: LiveHub) -> None:
    stream = watching(open_stream("topic=location:7"))

    thread = Thread(target=hub.publish, args=(["location:7"],))
    thread.start()
    thread.join()

    assert lines(stream, 1) == ["data: location:7"]


def test_a_hint_nobody_watches_is_lost(hub: LiveHub) -> None:
    hub.publish(["location:7"])


def test_what_belongs_to_somebody_needs_a_token(open_stream: Open) -> None:
    assert open_stream("topic=booking:1").status == 403
    assert open_stream("topic=location:7&topic=dashboard").status == 403

    token = sign_topics(SECRET, ["booking:1"], user_id=5)
    watching(open_stream(f"topic=booking:1&topic=location:7&token={token}"))


def test_a_stream_without_topics_or_with_too_many_is_refused(open_stream: Open) -> None:
    many = "&".join(f"topic=evse:{number}" for number in range(51))

    assert open_stream("").status == 422
    assert open_stream(many).status == 422


def test_only_so_many_people_watch_at_once(open_stream: Open, hub: LiveHub) -> None:
    streams = [watching(open_stream("topic=evse:1")) for _ in range(3)]

    assert open_stream("topic=evse:1").status == 503

    streams[0].close()
    deadline = time.monotonic() + 5
    while hub.streams == 3 and time.monotonic() < deadline:
        hub.publish(["evse:1"])  # Writing shows that the reader has gone.
        time.sleep(0.05)
    watching(open_stream("topic=evse:1"))


def test_streams_end_when_the_server_stops(
    serve: Any, hub: LiveHub, open_stream: Open
) -> None:
    stream = watching(open_stream("topic=evse:1"))

    hub.close()

    assert stream.read().strip(b": \r\n") == b""
    assert open_stream("topic=evse:1").status == 503
