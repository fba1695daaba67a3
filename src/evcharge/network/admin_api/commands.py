"""Asking chargers for something, and what passed over the wire, for programs."""

from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import Field, TypeAdapter
from sqlalchemy.orm import Session

from evcharge.accounts.rules import search_text
from evcharge.control.asked import (
    HIGHEST_NUMBER,
    LONGEST_NAME,
    LONGEST_TAG,
    LONGEST_VALUE,
    MOST_NAMES,
)
from evcharge.control.models import ChargerCommand, ChargerMessage
from evcharge.control.queries import (
    CommandPosition,
    MessageFilter,
    command_by_id,
    commands_of,
    messages_of,
)
from evcharge.control.rules import (
    BadCommand,
    CommandKind,
    CommandNotFound,
    CommandState,
    Direction,
)
from evcharge.kernel.clock import utc_now
from evcharge.network.admin_api.acting import act, api
from evcharge.network.admin_api.shapes import Words
from evcharge.network.asking import ask
from evcharge.network.own import own_charger
from evcharge.stations.rules import ChargerNotFound
from evcharge.web.api import (
    WHOLE,
    Answer,
    Body,
    Instant,
    Page,
    PageQuery,
    Text,
    cursor_of,
    position_or_none,
)
from evcharge.web.context import current_user, operator_required, reading
from evcharge.web.problems import FieldProblem

_POSITION = TypeAdapter(CommandPosition)
_MESSAGE_ID = TypeAdapter(Annotated[int, Field(ge=1, le=2**63 - 1)])

Number = Annotated[int, Field(ge=1, le=HIGHEST_NUMBER), WHOLE]
Tag = Annotated[Text, Field(min_length=1, max_length=LONGEST_TAG)]
Name = Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME)]


# ── what goes in and out ─────────────────────────────────────────────────────────


class Arguments(Body):
    """What a command needs; the rest is left out.

    start: evse, tag, connector if it matters · stop: number or ref · reset: kind ·
    unlock: evse, connector · availability: is_operative, evse unless all of it is
    meant · trigger: message, evse unless all · get_variables: names, none for all ·
    set_variable: name, value · reserve: number, evse, tag, expires_at, connector if
    it matters · cancel_reservation: number
    """

    evse: Number | None = Field(default=None, description="Its number at the charger")
    connector: Number | None = None
    tag: Tag | None = Field(
        default=None, description="A card, or a booking's reference"
    )
    number: Number | None = Field(
        default=None, description="Of a transaction, or of a reservation"
    )
    ref: Annotated[Text, Field(max_length=LONGEST_TAG)] | None = Field(
        default=None, description="What OCPP 2.0.1 calls the transaction"
    )
    kind: Literal["soft", "hard"] | None = None
    is_operative: bool | None = None
    message: Annotated[Text, Field(max_length=50)] | None = Field(
        default=None, description="Such as StatusNotification"
    )
    names: Annotated[list[Name], Field(max_length=MOST_NAMES)] | None = None
    name: Name | None = None
    value: Annotated[Text, Field(max_length=LONGEST_VALUE)] | None = None
    expires_at: Instant | None = None


class NewCommand(Body):
    kind: CommandKind
    arguments: Arguments = Arguments()


class CommandAnswer(Answer):
    """A command is sent at most once, to a charger that connects within 2 minutes."""

    id: UUID
    charger_id: int
    kind: CommandKind
    arguments: dict[str, Any]
    state: CommandState
    created_at: Instant
    created_by: int | None = Field(description="A user; null: the program by itself")
    sent_at: Instant | None
    answered_at: Instant | None
    answer: str = Field(description="In the charger's word, or why there is none")
    answer_details: dict[str, Any]


class MessageQuery(PageQuery):
    q: Words | None = Field(default=None, description="A text that stands in it")
    action: Annotated[Text, Field(max_length=50)] | None = Field(
        default=None, description="Such as MeterValues"
    )
    direction: Direction | None = Field(
        default=None, description="`in`: what the charger sent"
    )
    since: Instant | None = Field(default=None, description="Then, or later")


class MessageAnswer(Answer):
    id: int
    at: Instant
    direction: Direction
    action: str = Field(description="Empty for what could not be read")
    body: str = Field(description="The frame, as it went over the wire")


# ── commands ─────────────────────────────────────────────────────────────────────


@api.post(
    "/admin/chargers/<int:charger_id>/commands",
    guard=operator_required,
    status=202,
    location="/admin/commands/{id}",
    refuses=(ChargerNotFound, BadCommand),
)
def create_admin_command(charger_id: int, body: NewCommand) -> CommandAnswer:
    """Ask a charger for something. Look at the command again to see its answer."""
    own_charger(charger_id)
    by, now = current_user().id, utc_now()
    given = body.arguments.model_dump(mode="json", exclude_none=True)

    def queue(session: Session) -> CommandAnswer:
        return _command(
            ask(
                session,
                charger_id=charger_id,
                kind=body.kind,
                arguments=given,
                by=by,
                now=now,
            )
        )

    try:
        return act(queue)
    except BadCommand as refusal:
        raise _at_fields(refusal) from refusal


def _at_fields(refusal: BadCommand) -> BadCommand:
    problems = cast("dict[str, str]", refusal.details["problems"])
    return BadCommand(
        refusal.message,
        problems=[
            FieldProblem(where="body", field=f"arguments.{name}", message=message)
            for name, message in problems.items()
        ],
    )


@api.get(
    "/admin/chargers/<int:charger_id>/commands",
    guard=operator_required,
    refuses=(ChargerNotFound,),
)
def list_admin_commands(charger_id: int, query: PageQuery) -> Page[CommandAnswer]:
    """List what a charger was asked for, the latest first."""
    own_charger(charger_id)
    found = commands_of(
        reading(),
        charger_id,
        after=position_or_none(query.cursor, _POSITION),
        limit=query.limit + 1,
    )
    last = found[query.limit - 1] if len(found) > query.limit else None
    return Page(
        items=[_command(each) for each in found[: query.limit]],
        next_cursor=cursor_of(CommandPosition(last.created_at, last.id))
        if last
        else None,
    )


@api.get(
    "/admin/commands/<uuid:command_id>",
    guard=operator_required,
    refuses=(CommandNotFound,),
)
def get_admin_command(command_id: UUID) -> CommandAnswer:
    """See what became of a command."""
    command = command_by_id(reading(), command_id)
    try:
        own_charger(command.charger_id)
    except ChargerNotFound as refusal:
        raise CommandNotFound(command_id=command_id) from refusal
    return _command(command)


def _command(command: ChargerCommand) -> CommandAnswer:
    return CommandAnswer(
        id=command.id,
        charger_id=command.charger_id,
        kind=command.kind,
        arguments=command.arguments,
        state=command.state,
        created_at=command.created_at,
        created_by=command.created_by,
        sent_at=command.sent_at,
        answered_at=command.answered_at,
        answer=command.answer,
        answer_details=command.answer_details or {},
    )


# ── messages ─────────────────────────────────────────────────────────────────────


@api.get(
    "/admin/chargers/<int:charger_id>/messages",
    guard=operator_required,
    refuses=(ChargerNotFound,),
)
def list_admin_messages(charger_id: int, query: MessageQuery) -> Page[MessageAnswer]:
    """List what a charger said and was told, the latest first."""
    own_charger(charger_id)
    wanted = MessageFilter(
        charger_id=charger_id,
        containing=search_text(query.q or ""),
        action=query.action or "",
        direction=query.direction,
        since=query.since,
    )
    found = messages_of(
        reading(),
        wanted,
        before_id=position_or_none(query.cursor, _MESSAGE_ID),
        limit=query.limit + 1,
    )
    last = found[query.limit - 1].id if len(found) > query.limit else None
    return Page(
        items=[_message(each) for each in found[: query.limit]],
        next_cursor=cursor_of(last) if last else None,
    )


def _message(message: ChargerMessage) -> MessageAnswer:
    return MessageAnswer(
        id=message.id,
        at=message.at,
        direction=message.direction,
        action=message.action,
        body=message.body,
    )
