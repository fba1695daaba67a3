"""What every operation on stations does: act, refuse, end bookings, page."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, cast
from uuid import UUID

from pydantic import Field, TypeAdapter
from sqlalchemy.orm import Session

from evcharge.bookings.reasons import UnclearReason, reason_from_text
from evcharge.bookings.rules import BookingChanged, BookingsInTheWay
from evcharge.kernel.errors import InvalidInput
from evcharge.network.admin_api.shapes import Closing
from evcharge.stations.rules import BadStation, EditedMeanwhile
from evcharge.web.api import Api, Problem, RowId, cursor_of, position_or_none
from evcharge.web.context import perform
from evcharge.web.problems import FieldProblem, VersionStale

T = TypeVar("T")
_ID = TypeAdapter(RowId)

api = Api("network_admin")


class BadFields(InvalidInput):
    """`details["problems"]` is a list of FieldProblem."""

    code = BadStation.code
    message = "A station cannot be like that."


class InTheWay(Problem):
    booking_ids: list[UUID] | None = Field(
        default=None, description="With bookings_in_the_way: the promises to be broken"
    )


# What closing something may be refused for.
CLOSING = (BookingsInTheWay, BookingChanged, UnclearReason)


def act(action: Callable[[Session], T]) -> T:
    """Perform it; what stations refuse is refused in the words of this API.

    Raises: BadFields, VersionStale.
    """
    try:
        return perform(action)
    except BadStation as refusal:
        raise bad_fields(
            cast("dict[str, str]", refusal.details["problems"])
        ) from refusal
    except EditedMeanwhile as refusal:
        raise VersionStale from refusal


def bad_fields(problems: dict[str, str]) -> BadFields:
    return BadFields(
        next(iter(problems.values())),
        problems=[
            FieldProblem(where="body", field=name, message=message)
            for name, message in problems.items()
        ],
    )


def reason_of(closing: Closing) -> str:
    """Return what drivers will read whose bookings are cancelled.

    Raises: UnclearReason, when some are to be and there is none.
    """
    return reason_from_text(closing.reason or "") if closing.cancel_bookings else ""


class Row(Protocol):
    @property
    def id(self) -> int: ...


def id_after(cursor: str | None) -> int:
    """Return behind which id the list goes on. Raises: BadCursor."""
    return position_or_none(cursor, _ID) or 0


def next_cursor(found: Sequence[Row], limit: int) -> str | None:
    """Return where the next part begins, when more than `limit` were found."""
    return cursor_of(found[limit - 1].id) if len(found) > limit else None
