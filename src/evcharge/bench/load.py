"""The clients: so many at once, each asks again as soon as it has its answer.

Runs in a process of its own (`Lab.drive`), and does little for each answer, because
it shares the machine with what it measures.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from json import dumps
from time import perf_counter, perf_counter_ns, process_time
from typing import cast

import httptools
import uvloop

from evcharge.bench.measures import Measured

# For all requests; and beyond that for the last answers: whoever has none is lost.
LONGEST_SECONDS = PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Plan:
    """What to send. Each request is sent once, in turn, unless they `repeat`."""

    port: int
    requests: Sequence[bytes]
    clients: int
    seconds: float = LONGEST_SECONDS
    repeat: bool = False
    patience: float = PATIENCE_SECONDS


def http_request(
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: object | None = None,
) -> bytes:
    """Return the bytes of a request; `body` is sent as JSON."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content = b"" if body is None else dumps(body).encode()
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class _Run:
    """The requests still to be sent, the clients that send them, what came back."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ends_at = float("inf")
        self.sent = 0
        self.latencies: list[int] = []
        self.statuses: Counter[int] = Counter()
        self.body_bytes = 0
        self.errors = 0
        self.done = asyncio.Event()
        self._busy = plan.clients

    def next_request(self) -> bytes | None:
        sent, requests = self.sent, self.plan.requests
        is_used_up = sent >= len(requests) and not self.plan.repeat
        if is_used_up or perf_counter() >= self.ends_at:
            return None
        self.sent += 1
        return requests[sent % len(requests)]

    def note(self, latency: int, status: int) -> None:
        self.latencies.append(latency)
        self.statuses[status] += 1

    def client_ends(self, *, is_error: bool) -> None:
        self.errors += is_error
        self._busy -= 1
        if not self._busy:
            self.done.set()


class _Client(asyncio.Protocol):
    """One connection. What breaks it is an error, and the end of this client."""

    _transport: asyncio.WriteTransport

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._asked_at = 0
        self._is_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def ask(self) -> None:
        request = self._run.next_request()
        if request is None:
            self.end(is_error=False)
            return
        self._asked_at = perf_counter_ns()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.end(is_error=True)

    def on_body(self, body: bytes) -> None:
        self._run.body_bytes += len(body)

    def on_message_complete(self) -> None:
        latency = perf_counter_ns() - self._asked_at
        self._run.note(latency, self._parser.get_status_code())
        # Not from within the parser, which is still busy with this answer.
        asyncio.get_running_loop().call_soon(self.ask)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(is_error=True)

    def end(self, *, is_error: bool) -> None:
        if not self._is_done:
            self._is_done = True
            self._run.client_ends(is_error=is_error)
            self._transport.close()


async def _drive(plan: Plan) -> Measured:
    run = _Run(plan)
    loop = asyncio.get_running_loop()
    # All are connected before the first one asks.
    clients = [
        (await loop.create_connection(lambda: _Client(run), "127.0.0.1", plan.port))[1]
        for _ in range(plan.clients)
    ]
    began, cpu = perf_counter(), process_time()
    run.ends_at = began + plan.seconds
    for client in clients:
        client.ask()
    with suppress(TimeoutError):
        await asyncio.wait_for(run.done.wait(), plan.seconds + plan.patience)
    for client in clients:
        client.end(is_error=True)
    return Measured(
        seconds=perf_counter() - began,
        latencies=run.latencies,
        statuses=dict(run.statuses),
        errors=run.errors,
        body_bytes=run.body_bytes,
        cpu_seconds=process_time() - cpu,
    )


def drive(plan: Plan) -> Measured:
    """Send it all. Raises: OSError, when nobody listens there."""
    gc.disable()  # A pause of ours would look like one of theirs.
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_drive(plan))
    finally:
        gc.enable()
