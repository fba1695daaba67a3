"""What is measured: real programs on loopback, stopped by their process id."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SECRET = "only-for-benchmarks-0123456789-abcdefgh"  # noqa: S105 - of a throw-away network
EVCHARGE = str(Path(sys.executable).with_name("evcharge"))
PATIENCE_SECONDS = 60
SECONDS_TO_STOP = 15
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class DidNotStart(Exception):
    """A program ended, or stayed silent; the message is what it said."""


@dataclass(frozen=True)
class Program:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """Return the body of a good answer. Raises: OSError."""
        asked = urllib.request.Request(self.url(path), headers=dict(headers or {}))  # noqa: S310
        with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            body: bytes = answer.read()
        return body

    def wait_for(self, path: str = "/healthz") -> "Program":
        """Return when it answers at all. Raises: DidNotStart."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.get(path)
            except urllib.error.HTTPError:
                return self
            except OSError:
                time.sleep(0.01)
            else:
                return self
        raise DidNotStart(self.log.read_text())

    def wait_to_say(self, words: str) -> "Program":
        """Return when it has said so. Raises: DidNotStart."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.log.read_text():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise DidNotStart(self.log.read_text())
            time.sleep(0.01)
        return self

    def processes(self) -> list[int]:
        """Return its process id and those of its children, which do the work."""
        return [self.process.pid, *_children(self.process.pid)]

    def rss_bytes(self) -> int:
        return rss_bytes(self.processes())

    def cpu_seconds(self) -> float:
        """Return what it has used so far, its threads and children included."""
        return cpu_seconds(self.processes())

    def stop(self) -> None:
        """Ask it to end, and see to it that nothing of it is left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(SECONDS_TO_STOP)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # The group is its own.
        self.process.wait()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put Ctrl+C off: in the midst of this, nobody could undo what was begun."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def start(
    words: Sequence[str], *, folder: Path, settings: Mapping[str, object]
) -> Program:
    """Start a program with these settings, whatever our own environment says."""
    port = free_port()
    log = folder / f"{port}.log"
    ours = {"host": "127.0.0.1", "port": port, "secret_key": SECRET} | dict(settings)
    environment = {f"EVCHARGE_{name.upper()}": str(ours[name]) for name in ours}
    with log.open("w") as file:
        process = subprocess.Popen(  # noqa: S603 - words of our own
            words,
            env={"PATH": os.environ["PATH"]} | environment,
            cwd=folder,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl+C is for us, who then stop it.
        )
    return Program(process, port, log)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def rss_bytes(pids: Iterable[int]) -> int:
    return sum(_rss_bytes(pid) for pid in pids)


def cpu_seconds(pids: Iterable[int]) -> float:
    return sum(_cpu_seconds(pid) for pid in pids)


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(each) for each in text.split()]


def _rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def _cpu_seconds(pid: int) -> float:
    # Behind the name, which may hold anything: fields 14 and 15 of proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
