"""A real program, started as an operator would start it."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

EVCHARGE = Path(sys.executable).parent / "evcharge"
PATIENCE_SECONDS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Program:
    process: subprocess.Popen[str]
    port: int
    log: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url(path), timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_for(self, path: str = "/healthz") -> "Program":
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            try:
                self.get(path)
            except OSError:
                time.sleep(0.05)
            else:
                return self

    def said(self) -> str:
        """Everything on its standard output and error so far."""
        return self.log.read_text()

    def wait_to_say(self, words: str) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not re.search(words, self.said()):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        return self.said()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send the signal; return the exit code and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(20), time.monotonic() - began
