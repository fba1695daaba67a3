"""A person at a program: forms and cookies as by a browser, or the REST API."""

import json
import re
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from program import Program

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
PASSWORD = "a long way to Leh"


class Visitor:
    """A browser at one of the programs."""

    def __init__(self, web: Program) -> None:
        self._web = web
        # Login cookies travel by HTTPS only. Here they may, as behind our own proxy.
        policy = DefaultCookiePolicy(secure_protocols=("http",))
        self._opener = build_opener(HTTPCookieProcessor(CookieJar(policy)))

    def get(self, path: str) -> str:
        with self._opener.open(self._web.url(path), timeout=20) as answer:
            return str(answer.read().decode())

    def send(self, page: str, *, to: str = "", **fields: str) -> tuple[int, str]:
        """Fill in the form of a page. Return the status and where it led."""
        [token, *_] = TOKEN.findall(self.get(page))
        form = urlencode({"csrf_token": token} | fields).encode()
        try:
            with self._opener.open(
                self._web.url(to or page), form, timeout=20
            ) as answer:
                return answer.status, answer.geturl().removeprefix(self._web.url(""))
        except HTTPError as refusal:
            with refusal:
                return refusal.code, ""

    def sign_up(self, email: str = "ravi@example.com") -> None:
        status, led_to = self.send(
            "/signup",
            name="Ravi Kumar",
            email=email,
            password=PASSWORD,
            password_again=PASSWORD,
        )
        assert (status, led_to != "/signup") == (200, True)

    def guess_a_password(self, email: str) -> int:
        """Return the status of the refusal."""
        return self.send("/login", email=email, password="guessed wrongly")[0]

    def call(
        self, path: str, body: dict[str, object], **headers: str
    ) -> dict[str, Any]:
        """POST to the REST API as the one who signed up here."""
        content = {"Content-Type": "application/json"}
        request = Request(  # noqa: S310
            self._web.url(f"/api/v1{path}"),
            json.dumps(body).encode(),
            content | headers,
        )
        with self._opener.open(request, timeout=20) as answer:
            answered: dict[str, Any] = json.loads(answer.read())
            return answered

    def bearer(self, email: str = "ravi@example.com") -> str:
        """Return what says in a header who calls."""
        token = self.call("/tokens", {"email": email, "password": PASSWORD})["token"]
        return f"Bearer {token}"
