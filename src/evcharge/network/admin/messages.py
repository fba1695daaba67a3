"""What a charger said and was told, its settings, and what it only let us know."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.accounts.rules import search_text
from evcharge.control.models import ChargerMessage
from evcharge.control.queries import (
    MessageFilter,
    connection_of,
    every_message,
    messages_of,
    notices_of,
    variables_of,
)
from evcharge.control.rules import Direction
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.network.admin.blueprint import admin, searched
from evcharge.network.admin.live import watched
from evcharge.network.own import own_charger
from evcharge.stations.models import Charger
from evcharge.web.context import database, operator_required, reading
from evcharge.web.spreadsheets import streamed_csv

PER_PAGE = 50
# What a file holds: a day of a busy charger is some thousands.
MOST_ROWS_IN_A_FILE = 100_000
HEADER = ("id", "at", "direction", "action", "message")
DIRECTIONS = {Direction.IN: "From the charger", Direction.OUT: "To the charger"}
_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Asked:
    """The filters as the address has them; what means nothing filters nothing."""

    q: str | None
    action: str | None
    direction: str | None
    since: str | None

    @classmethod
    def here(cls) -> "Asked":
        asked = request.args
        direction = asked.get("direction")
        return cls(
            q=searched() or None,
            action=search_text(asked.get("action", ""))[:50] or None,
            direction=direction if direction in DIRECTIONS else None,
            since=asked.get("since") if _wall(asked.get("since")) else None,
        )

    @property
    def is_filtered(self) -> bool:
        return any(vars(self).values())

    def link(self, **changes: object) -> dict[str, object]:
        return {**vars(self), **changes}

    def filter(self, box: Charger) -> MessageFilter:
        wall, zone = _wall(self.since), ZoneInfo(box.location.timezone)
        return MessageFilter(
            charger_id=box.id,
            containing=self.q or "",
            action=self.action or "",
            direction=Direction(self.direction) if self.direction else None,
            since=wall.replace(tzinfo=zone).astimezone(UTC) if wall else None,
        )


def _wall(text: str | None) -> datetime | None:
    """Read what the browser's picker of a day and a time sends."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo is None and 1970 < at.year < 9999 else None


@dataclass(frozen=True)
class Frame:
    """A message as the page shows it: in short, and spread out."""

    message: ChargerMessage
    clock: str
    short: str
    whole: str


def _frame(message: ChargerMessage, zone: ZoneInfo) -> Frame:
    clock = f"{message.at.astimezone(zone):%H:%M:%S}"
    try:
        parts = json.loads(message.body)
    except (ValueError, RecursionError):  # Brackets may be thousands deep.
        return Frame(message, clock, message.body[:160], message.body)
    is_array = isinstance(parts, list) and len(parts) > 2
    about = parts[-1] if is_array and isinstance(parts[-1], dict) else parts
    short = json.dumps(about, ensure_ascii=False)[:160]
    whole = json.dumps(parts, indent=2, ensure_ascii=False)
    return Frame(message, clock, short, whole)


@admin.get("/admin/chargers/<int:charger_id>/messages")
@operator_required
def messages(charger_id: int) -> ResponseReturnValue:
    box, asked = own_charger(charger_id), Asked.here()
    zone = ZoneInfo(box.location.timezone)
    before = request.args.get("before", "")
    before_id = int(before) if _ID.fullmatch(before) else None
    found = messages_of(
        reading(), asked.filter(box), before_id=before_id, limit=PER_PAGE + 1
    )
    return render_template(
        "network/admin/messages.html",
        charger=box,
        frames=[_frame(each, zone) for each in found[:PER_PAGE]],
        older=found[PER_PAGE - 1].id if len(found) > PER_PAGE else None,
        before=before_id,
        asked=asked,
        directions=DIRECTIONS,
        now=utc_now(),
    )


@admin.get("/admin/chargers/<int:charger_id>/messages.csv")
@operator_required
def messages_csv(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    wanted = Asked.here().filter(box)
    return streamed_csv(
        f"messages-{box.id}.csv", HEADER, lambda session: _rows(session, wanted)
    )


def _rows(session: Session, wanted: MessageFilter) -> Iterator[tuple[object, ...]]:
    for each in every_message(session, wanted, limit=MOST_ROWS_IN_A_FILE):
        yield each.id, each.at.isoformat(), each.direction.value, each.action, each.body


@admin.get("/admin/chargers/<int:charger_id>/messages.jsonl")
@operator_required
def messages_jsonl(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    return Response(
        _lines(database(), Asked.here().filter(box)),
        content_type="application/jsonl; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="messages-{box.id}.jsonl"'
        },
    )


def _lines(store: Database, wanted: MessageFilter) -> Iterator[str]:
    # A session of its own: the request's is closed by then.
    with store.reading() as session:
        for row in _rows(session, wanted):
            yield json.dumps(dict(zip(HEADER, row, strict=True))) + "\n"


@admin.get("/admin/chargers/<int:charger_id>/variables")
@operator_required
def variables(charger_id: int) -> ResponseReturnValue:
    box, text = own_charger(charger_id), searched()
    known = variables_of(reading(), charger_id)
    words = text.casefold().split()
    return render_template(
        "network/admin/variables.html",
        charger=box,
        variables=[
            each
            for each in known
            if all(word in f"{each.name} {each.value}".casefold() for word in words)
        ],
        total=len(known),
        text=text,
        connection=connection_of(reading(), charger_id),
        now=utc_now(),
    )


@admin.get("/admin/chargers/<int:charger_id>/notices")
@operator_required
def notices(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    name = "_notices.html" if "fragment" in request.args else "notices.html"
    return render_template(
        f"network/admin/{name}",
        charger=box,
        notices=notices_of(reading(), charger_id),
        live=watched(f"charger:{charger_id}"),
        now=utc_now(),
    )
