"""What is known of a charger just now: its connection, its key, what goes on at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import request
from sqlalchemy.orm import Session

from evcharge.charging.listing import SessionLine, sessions_under_way
from evcharge.charging.queries import last_successful_charge
from evcharge.control.models import ChargerConnection
from evcharge.control.queries import KeyLine, connection_of, key_line_of
from evcharge.kernel.topics import sign_topics
from evcharge.stations.models import Charger
from evcharge.stations.queries import uptime
from evcharge.stations.rules import is_silent
from evcharge.web.context import current_user, settings

UPTIME_OF = timedelta(days=30)


@dataclass(frozen=True)
class ChargerNow:
    """`under_way`, `charged_at` and `uptime` (of 30 days, from 0 to 1) are by EVSE."""

    connection: ChargerConnection | None
    key: KeyLine | None
    is_silent: bool
    under_way: Mapping[int, SessionLine]
    charged_at: Mapping[int, datetime]
    uptime: Mapping[int, float]


def charger_now(session: Session, box: Charger, *, now: datetime) -> ChargerNow:
    evse_ids = [evse.id for evse in box.evses]
    return ChargerNow(
        connection=connection_of(session, box.id),
        key=key_line_of(session, box.id),
        is_silent=is_silent(box.last_seen_at, box.heartbeat, now=now),
        under_way=sessions_under_way(session, evse_ids),
        charged_at=last_successful_charge(session, evse_ids),
        uptime=uptime(session, evse_ids, now - UPTIME_OF, now),
    )


@dataclass(frozen=True)
class Watched:
    """The topics of a live part, and what lets this person watch them."""

    topics: str
    token: str


def watched(*topics: str) -> Watched:
    user_id = current_user().id
    return Watched(
        " ".join(topics), sign_topics(settings().secret_key, topics, user_id)
    )


def charger_topics(box: Charger) -> Watched:
    return watched(f"charger:{box.id}", f"location:{box.location_id}")


def fleet_topics(boxes: Sequence[Charger]) -> Watched:
    return watched(*(f"charger:{box.id}" for box in boxes))


def socket_address() -> str:
    """Return what a charger is told to connect to; it adds its own identity."""
    return request.host_url.replace("http", "ws", 1) + "ocpp/"
