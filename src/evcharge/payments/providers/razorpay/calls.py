"""How Razorpay is called: by its own client, and no longer than we can wait."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import razorpay
import requests
from pydantic import SecretStr, ValidationError
from razorpay.errors import BadRequestError, GatewayError, ServerError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from evcharge.kernel.errors import Unavailable

log = logging.getLogger(__name__)

# For all the calls that one question takes, together.
PATIENCE_SECONDS = 9.5
CONNECT_SECONDS, SILENCE_SECONDS = 3, 6
LONGEST_ANSWER = 4_000_000
CHUNK = 65_536
# A no that stays one. Everything else may pass: too many calls (429), another call
# with the same key still under way (409), a key that was just changed (401).
FINAL = frozenset({400, 404, 422})

NO_ANSWER = "The payment provider did not answer. Try again in a minute."


@dataclass(frozen=True)
class Answer:
    """As much of an HTTP response as the client looks at."""

    status_code: int
    content: dict[str, Any]

    def json(self) -> dict[str, Any]:
        return self.content


class Calls:
    def __init__(self, key_id: str, key_secret: SecretStr, url: str) -> None:
        self._auth = (key_id, key_secret.get_secret_value())
        self._url = url
        self._adapter = HTTPAdapter(pool_maxsize=20)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Give the official client. A BadRequestError that nobody catches inside, and
        whatever else goes wrong, is Unavailable outside."""
        session = _Session(self._adapter, ends_at=monotonic() + PATIENCE_SECONDS)
        try:
            yield razorpay.Client(session=session, auth=self._auth, base_url=self._url)
        except (BadRequestError, GatewayError, ServerError, ValidationError) as error:
            log.warning("Razorpay answered what we cannot use: %s", error)
            raise Unavailable(NO_ANSWER) from error


class _Session:
    """What the client takes for a `requests.Session`.

    The client itself sets no time limit, follows redirects with a payment in hand,
    trusts the certificates of the year it was made in, prints failures to the
    terminal, and takes "wrong key" and "too many calls" for bad requests.
    """

    def __init__(self, adapter: HTTPAdapter, *, ends_at: float) -> None:
        self._session = requests.Session()
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._ends_at = ends_at

    def get(self, url: str, **options: Any) -> Answer:
        return self._call("GET", url, **options)

    def post(self, url: str, **options: Any) -> Answer:
        return self._call("POST", url, **options)

    def patch(self, url: str, **options: Any) -> Answer:
        return self._call("PATCH", url, **options)

    def _call(self, method: str, url: str, **options: Any) -> Answer:
        left = self._left()
        options |= {
            "verify": True,
            "allow_redirects": False,
            "stream": True,
            "timeout": (min(CONNECT_SECONDS, left), min(SILENCE_SECONDS, left)),
        }
        try:
            with self._session.request(method, url, **options) as response:
                body = self._read(response)
        except (requests.RequestException, HTTPError) as error:
            log.warning("Razorpay is silent: %s %s: %r", method, url, error)
            raise Unavailable(NO_ANSWER) from error
        return _judged(response.status_code, body, f"{method} {url}")

    def _left(self) -> float:
        left = self._ends_at - monotonic()
        if left <= 0:
            raise Unavailable(NO_ANSWER)
        return left

    def _read(self, response: requests.Response) -> bytes:
        # As it comes: to wait for a full chunk would be to wait for a slow sender.
        body = b""
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            body += chunk
            self._left()
            if len(body) > LONGEST_ANSWER:
                raise Unavailable(NO_ANSWER)
        return body


def _judged(status: int, body: bytes, call: str) -> Answer:
    if not 200 <= status < 300 and status not in FINAL:
        level = logging.ERROR if status in (401, 403) else logging.WARNING
        log.log(level, "Razorpay answered %s to %s: %r", status, call, body[:200])
        raise Unavailable(NO_ANSWER)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    is_understood = isinstance(content, dict) and (
        status < 300 or isinstance(content.get("error"), dict)
    )
    if not is_understood:
        log.warning("Razorpay answered no JSON to %s: %r", call, body[:200])
        raise Unavailable(NO_ANSWER)
    return Answer(status, content)
