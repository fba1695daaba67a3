"""Runs the simulator beside the demo's server: it lives and dies with it."""

import json
import logging
import subprocess
import sys
from contextlib import suppress
from threading import Event, Thread

from evcharge.demo.fleet import fleet, give_cards, give_keys
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.settings import Settings

AGAIN_AFTER_SECONDS = 5
SECONDS_TO_END = 3
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104

log = logging.getLogger(__name__)


class Simulator:
    """A program of its own, so that its work takes nothing from the server's threads.

    It is told of its chargers by its standard input, and ends when that does: so it
    is gone when this program is, whatever that died of.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._secret = settings.secret_key.get_secret_value()
        self._url = _address(settings.host, settings.port)
        self._told_to_stop = Event()
        self._thread = Thread(target=self._keep_running, name="simulator", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._told_to_stop.set()
        if self._process is not None:
            self._process.terminate()
        if self._thread.is_alive():
            self._thread.join(SECONDS_TO_END)

    def _keep_running(self) -> None:
        while not self._told_to_stop.is_set():
            try:
                self._run()
            except Exception:
                log.exception("the simulator could not be started")
            if not self._told_to_stop.wait(AGAIN_AFTER_SECONDS):
                log.warning("the simulator has ended and is started again")

    def _run(self) -> None:
        lines = self._lines()
        seed = str(int(utc_now().timestamp()))  # No two days are alike.
        # Its news is for those who start it themselves.
        program = (sys.executable, "-m", "evcharge.simulator")
        self._process = subprocess.Popen(  # noqa: S603
            [*program, "--url", self._url, "--fleet", "-", "--seed", seed],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        # It may end before it has heard everything.
        with suppress(BrokenPipeError), self._process as process:
            if process.stdin is not None:
                process.stdin.writelines(lines)
                process.stdin.flush()
            if self._told_to_stop.is_set():
                process.terminate()
            process.wait()

    def _lines(self) -> list[bytes]:
        now = utc_now()
        with self._database.transaction() as session:
            give_keys(session, secret=self._secret, now=now)
            give_cards(session, now=now)
        with self._database.reading() as session:
            chargers = fleet(session, secret=self._secret, now=now)
            return [json.dumps(each).encode() + b"\n" for each in chargers]


def _address(host: str, port: int) -> str:
    host = EVERY_ADDRESS.get(host, host)
    return f"ws://{f'[{host}]' if ':' in host else host}:{port}/ocpp"
