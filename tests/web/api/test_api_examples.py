"""`docs/api.md` is true: each of its commands is run, and answered as it says."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from demo_site import load, open_site
from evcharge.bookings.models import SlotClaim
from evcharge.control.rules import Protocol
from evcharge.control.service import open_connection
from evcharge.kernel.clock import utc_now

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
BLOCK = re.compile(r"^```(sh|http)\n(.*?)^```$", re.M | re.S)
MORE = "…"
THE_DAY = "2026-11-28"
DAYS_AHEAD = 5  # So far ahead the demo has booked nothing.
# What is new each time. It is remembered by how the document writes it.
OWN = re.compile(
    r"evc_[\w-]{40,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?:EV|CS)-[0-9A-Z]{6}|[\d-]{10}T[\d:]{8}\.\d{6}Z|W[\w-]+…"
)


@dataclass
class Example:
    commands: list[str]
    answer: str | None = None


def examples() -> list[Example]:
    """The commands of the document, each with the answer that follows it."""
    found: list[Example] = []
    for kind, text in BLOCK.findall(DOCUMENT.read_text()):
        if kind == "sh":
            found.append(Example(text.replace("\\\n", "").splitlines()))
        else:
            found[-1].answer = text
    return found


@dataclass
class Reader:
    """Somebody who does what the document says, with a shell of their own."""

    client: FlaskClient
    day: str
    variables: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)

    def follow(self, example: Example) -> TestResponse | None:
        answer = None
        for words in commands("\n".join(example.commands)):
            if words[0] == "curl":
                answer = self.curl(words[1:])
            else:
                [assignment] = words
                name, _, value = assignment.partition("=")
                self.variables[name] = self.own(value)
        return answer

    def curl(self, words: list[str]) -> TestResponse:
        method, address, headers, body = "", "", {}, None
        given = iter(words)
        for word in given:
            if word == "-X":
                method = next(given)
            elif word == "-H":
                name, _, value = next(given).partition(": ")
                headers[name] = self.filled(value)
            elif word == "-d":
                body = self.own(next(given))
            elif word != "-i":
                address = self.filled(word)
        return self.client.open(
            address,
            method=method or ("POST" if body else "GET"),
            headers=headers,
            data=body,
        )

    def filled(self, text: str) -> str:
        """As a shell puts in variables, longest name first."""
        for name in sorted(self.variables, key=len, reverse=True):
            text = text.replace(f"${name}", self.variables[name])
        return self.own(text)

    def own(self, text: str) -> str:
        """What the document writes, as it is for this reader."""
        mine = OWN.sub(lambda found: self.known.get(found[0], found[0]), text)
        return mine.replace(THE_DAY, self.day)

    def check(self, answer: TestResponse, said: str) -> None:
        head, _, body = said.partition("\n\n")
        status, *headers = head.strip().splitlines()
        assert answer.status.lower() == status.lower()
        for header in headers:
            name, _, value = header.partition(": ")
            assert answer.headers[name] == value
        if body:
            self.compare(json.loads(body), answer.json, "answer")
        else:
            assert answer.data == b""

    def compare(self, said: Any, got: Any, where: str) -> None:
        if isinstance(said, dict):
            self.compare_objects(said, got, where)
        elif isinstance(said, list):
            assert isinstance(got, list), where
            has_more = said[-1:] == [MORE]
            shown = said[:-1] if has_more else said
            assert len(got) >= len(shown) if has_more else len(got) == len(shown), where
            for number, (each, mine) in enumerate(zip(shown, got, strict=False)):
                self.compare(each, mine, f"{where}[{number}]")
        elif isinstance(said, str) and said != MORE:
            self.compare_texts(said, got, where)
        elif said != MORE:
            assert said == got, where

    def compare_objects(self, said: dict[str, Any], got: Any, where: str) -> None:
        assert isinstance(got, dict), where
        shown = said.keys() - {MORE}
        assert shown <= got.keys() if MORE in said else shown == got.keys(), where
        for name in shown:
            self.compare(said[name], got[name], f"{where}.{name}")

    def compare_texts(self, said: str, got: Any, where: str) -> None:
        assert isinstance(got, str), where
        if OWN.fullmatch(said):
            assert self.known.setdefault(said, got) == got, where
            assert OWN.fullmatch(got) or said.endswith(MORE), where
        elif said.endswith(MORE):
            start = re.sub(r"[0-9a-f]{8}…$", "", said).removesuffix(MORE)
            assert got.startswith(start), where
        else:
            assert got == self.own(said), where


def commands(text: str) -> Iterator[list[str]]:
    """The lines of a block as a shell takes them: quotes may go on over lines."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) == {"\n"}:
            if words:
                yield words
            words = []
        else:
            words.append(word)
    if words:
        yield words


def make_room(session: Session) -> None:
    """The charger of the document is connected, and nobody has booked it for now."""
    open_connection(
        session,
        charger_id=1,
        gateway="here",
        protocol=Protocol.OCPP16,
        address="",
        at=utc_now(),
    )
    session.execute(delete(SlotClaim).where(SlotClaim.evse_id == 2))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("demo")
    load(folder)
    day = utc_now().astimezone(ZoneInfo("Asia/Kolkata")) + timedelta(days=DAYS_AHEAD)
    with open_site(folder) as site:
        with site.database.transaction() as session:
            make_room(session)
        yield Reader(site.app.test_client(), f"{day:%Y-%m-%d}")


def test_what_the_document_shows_is_what_happens(reader: Reader) -> None:
    followed = 0
    for example in examples():
        answer = reader.follow(example)
        assert (answer is None) == (example.answer is None), example.commands
        if answer is not None and example.answer is not None:
            try:
                reader.check(answer, example.answer)
            except AssertionError as error:
                shown = "\n".join(example.commands)
                pytest.fail(f"{shown}\n{error}\n{answer.status}\n{answer.text}")
            followed += 1

    assert followed > 20


def test_a_cursor_of_the_document_is_used_as_it_came(reader: Reader) -> None:
    texts = [command for example in examples() for command in example.commands]

    assert any("CURSOR=" in text for text in texts)
    assert any("$CURSOR" in text for text in texts)
