"""A copy of the repository as a stranger would clone it, and programs started in it."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSRF_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
# What `make test` sets for us, and a developer's own settings, stay out of the copy.
NOT_OURS = re.compile(r"(EVCHARGE_|UV_P|MAKE|MFLAGS|PORT$|PYTHON|VIRTUAL_ENV|COV)")


class Demo:
    """A demo that runs below `folder`, started by `command`."""

    def __init__(self, command: list[str], folder: Path, data: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = data.parent / f"{time.monotonic_ns()}.log"
        self._started = time.monotonic()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=stranger()
                | {"EVCHARGE_PORT": str(port), "EVCHARGE_DATA_DIR": str(data)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self._log.read_text()

    def wait_until_ready(self, *, seconds: float) -> None:
        while time.monotonic() < self._started + seconds:
            if self._process.poll() is not None:
                pytest.fail(f"It ended instead of serving:\n{self.printed}")
            try:
                if Browser(self.url).status("/readyz") == 200:
                    return
            except OSError:
                pass  # nobody listens yet
            time.sleep(0.1)
        pytest.fail(f"No answer within {seconds} s:\n{self.printed}")

    def stop(self) -> None:
        """Ask it to end, as a terminal or a host would, and wait until it has."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            pytest.fail(f"It did not end when asked to:\n{self.printed}")


class Browser:
    """Just enough of one to fill in our forms: cookies and CSRF tokens."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def status(self, path: str) -> int:
        try:
            with self._opener.open(self._url + path, timeout=10) as answer:
                return answer.status
        except HTTPError as refusal:
            with refusal:
                return refusal.code

    def get(self, path: str) -> str:
        with self._opener.open(self._url + path, timeout=10) as answer:
            return answer.read().decode()

    def submit(self, path: str, **fields: str) -> None:
        [token, *_] = CSRF_TOKEN.findall(self.get(path))
        form = urlencode({"csrf_token": token} | fields).encode()
        self._opener.open(self._url + path, form, timeout=10).close()


def stranger() -> dict[str, str]:
    """Return the environment of somebody who has not set anything for us."""
    return {k: v for k, v in os.environ.items() if not NOT_OURS.match(k)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def clone() -> Iterator[Path]:
    """The files that git tracks, copied, with nothing installed or built."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    with tempfile.TemporaryDirectory(prefix="evcharge-") as folder:
        copy = Path(folder) / "clone"
        for name in filter(None, listing.stdout.split("\0")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        yield copy


@pytest.fixture
def start(clone: Path) -> Iterator[Callable[..., Demo]]:
    """Start a demo in the clone; the data stays from one start to the next."""
    demos: list[Demo] = []
    port = free_port()

    def start(*command: str) -> Demo:
        demos.append(Demo([*command], clone, clone.parent / "data", port))
        return demos[-1]

    yield start
    for demo in demos:
        demo.stop()
