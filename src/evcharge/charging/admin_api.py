"""Looking through the charging sessions of a network, for programs."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, TypeAdapter

from evcharge.accounts.rules import search_text
from evcharge.charging.listing import SessionFilter, SessionLine, sessions_after
from evcharge.charging.queries import SessionPosition
from evcharge.charging.rules import Flag, SessionStatus, StartedBy
from evcharge.web.api import (
    Answer,
    Api,
    Instant,
    Money,
    Page,
    PageQuery,
    RowId,
    Text,
    cursor_of,
    position_or_none,
)
from evcharge.web.context import current_user, operator_required, reading

api = Api("charging_admin")

_POSITION = TypeAdapter(SessionPosition)
LONGEST_SEARCH = 100


class AdminSessionQuery(PageQuery):
    q: Annotated[Text, Field(max_length=LONGEST_SEARCH)] | None = Field(
        default=None,
        description="A reference, a card, or a part of the driver's address",
    )
    status: SessionStatus | None = Field(default=None, description="Only those")
    flagged: Annotated[str, Field(pattern="^(true|false)$")] = Field(
        default="false", description="true: only those with something odd"
    )
    charger_id: RowId | None = Field(default=None, description="Only those there")
    since: Instant | None = Field(
        default=None, alias="from", description="Those asked for then or later"
    )
    until: Instant | None = Field(
        default=None, alias="to", description="Those asked for before"
    )


class AdminSession(Answer):
    """PENDING: asked for, not begun. INVALID: never began."""

    id: UUID
    reference: str
    status: SessionStatus
    started_by: StartedBy
    tag: str | None = Field(description="As the charger read it")
    created_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    energy_wh: int
    power_w: int | None = Field(description="As the charger said last")
    soc_percent: int | None
    amount: Money = Field(description="Once it has ended, tax included")
    flags: list[Flag] = Field(description="What is odd about it")
    charger_id: int
    charger: str
    evse_id: int
    evse_number: int
    location: str
    driver_id: int | None = Field(description="null: nobody we know")
    driver_name: str | None
    driver_email: str | None
    booking_id: UUID | None


@api.get("/admin/sessions", guard=operator_required)
def list_admin_sessions(query: AdminSessionQuery) -> Page[AdminSession]:
    """List the charging sessions of your network, the latest first."""
    wanted = SessionFilter(
        scope=current_user().scope,
        status=query.status,
        is_flagged=query.flagged == "true",
        since=query.since,
        until=query.until,
        charger_id=query.charger_id,
        text=search_text(query.q or ""),
    )
    found, goes_on = sessions_after(
        reading(),
        wanted,
        after=position_or_none(query.cursor, _POSITION),
        limit=query.limit,
    )
    return Page(
        items=[_session(line) for line in found],
        next_cursor=cursor_of(goes_on) if goes_on else None,
    )


def _session(line: SessionLine) -> AdminSession:
    return AdminSession(
        id=line.id,
        reference=line.reference,
        status=line.status,
        started_by=line.started_by,
        tag=line.tag,
        created_at=line.created_at,
        started_at=line.started_at,
        ended_at=line.ended_at,
        energy_wh=line.energy_wh,
        power_w=line.power_w,
        soc_percent=line.soc_percent,
        amount=Money.of(line.amount_paise),
        flags=[Flag(each) for each in line.flags],
        charger_id=line.charger_id,
        charger=line.charger,
        evse_id=line.evse_id,
        evse_number=line.evse_number,
        location=line.location_name,
        driver_id=line.user_id,
        driver_name=line.driver_name,
        driver_email=line.driver_email,
        booking_id=line.booking_id,
    )
