"""What the messages of both versions write, in the transactions of the group commit."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from evcharge.charging.rules import Metered
from evcharge.charging.service import record_metered
from evcharge.control.rules import NoticeKind
from evcharge.control.service import record_notice
from evcharge.gateway.actions import Action, Payload
from evcharge.gateway.socket import Connected
from evcharge.stations.queries import plugs_of
from evcharge.stations.rules import ConnectorReport, Plug
from evcharge.stations.service import record_connector_statuses


class Heard(NamedTuple):
    """Meter values, and when we received them."""

    metered: Metered
    at: datetime


def write_statuses(session: Session, reports: list[ConnectorReport]) -> list[bool]:
    """Return for each report whether its plug is known."""
    unknown = set(record_connector_statuses(session, reports))
    return [report.plug not in unknown for report in reports]


def write_meters(session: Session, heard: list[Heard]) -> None:
    metered = [each.metered for each in heard]
    record_metered(session, metered, at=max(each.at for each in heard))


async def keep_notice(
    charger: Connected, kind: NoticeKind, title: str, payload: Payload
) -> None:
    await charger.do(
        record_notice,
        charger_id=charger.charger_id,
        kind=kind,
        title=title,
        details=payload,
        at=charger.received_at,
    )


def noticed(
    kind: NoticeKind, title: Callable[[Payload], str], answer: Payload | None = None
) -> Action:
    """Return the action for what nothing acts on: it is kept for operators to read."""

    async def keep(charger: Connected, payload: Payload) -> Payload:
        await keep_notice(charger, kind, title(payload), payload)
        return dict(answer or {})

    return keep


async def look_for_plug(
    charger: Connected, find: Callable[[list[Plug]], Plug | None]
) -> Plug | None:
    """Find a plug, also among those set up since the charger connected."""
    found = find(charger.plugs)
    if found is None:
        charger.plugs = await charger.do(plugs_of, charger_id=charger.charger_id)
        found = find(charger.plugs)
    return found
