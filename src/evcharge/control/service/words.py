"""What chargers say, kept as they said it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from evcharge.control.models import ChargerMessage, ChargerNotice, ChargerVariable
from evcharge.control.rules import LoggedMessage, NoticeKind
from evcharge.kernel.db import changed, insert_into
from evcharge.kernel.live import announce

PURGED_AT_ONCE = 5_000


def record_messages(session: Session, messages: Sequence[LoggedMessage]) -> None:
    """Keep frames as they went over the wire: one statement for all of them."""
    if messages:
        session.execute(
            _MESSAGE,
            [
                {
                    "charger_id": each.charger_id,
                    "at": each.at,
                    "direction": each.direction,
                    "action": each.action[:50],
                    "body": each.body,
                }
                for each in messages
            ],
        )


_MESSAGE = insert(cast(Table, ChargerMessage.__table__))


def record_variables(
    session: Session,
    charger_id: int,
    variables: Mapping[str, tuple[str | None, bool]],
    *,
    at: datetime,
) -> None:
    """Keep settings as a charger reports them: by name, (value, is read-only)."""
    if not variables:
        return
    rows = [
        {
            "charger_id": charger_id,
            "name": name[:150],
            "value": value,
            "is_readonly": is_readonly,
            "at": at,
        }
        for name, (value, is_readonly) in sorted(variables.items())
    ]
    statement = insert_into(session, ChargerVariable).values(rows)
    changed(
        session,
        statement.on_conflict_do_update(
            index_elements=["charger_id", "name"],
            set_={
                name: statement.excluded[name]
                for name in ("value", "is_readonly", "at")
            },
        ),
    )
    announce(session, f"charger:{charger_id}")


def record_notice(
    session: Session,
    charger_id: int,
    kind: NoticeKind,
    title: str,
    details: dict[str, Any],
    *,
    at: datetime,
) -> None:
    """Keep a notification that nothing acts on, for operators to read."""
    session.add(
        ChargerNotice(
            charger_id=charger_id, at=at, kind=kind, title=title[:120], details=details
        )
    )
    session.flush()
    announce(session, f"charger:{charger_id}")


def purge_words(session: Session, *, older_than: timedelta, now: datetime) -> int:
    """Forget old messages and notices, at most a batch of each. Return how many."""
    return sum(_purge(session, table, now - older_than) for table in _PURGED)


_PURGED: tuple[type[ChargerMessage] | type[ChargerNotice], ...] = (
    ChargerMessage,
    ChargerNotice,
)


def _purge(
    session: Session,
    table: type[ChargerMessage] | type[ChargerNotice],
    before: datetime,
) -> int:
    old = select(table.id).where(table.at < before).order_by(table.id)
    return changed(
        session, delete(table).where(table.id.in_(old.limit(PURGED_AT_ONCE)))
    )
