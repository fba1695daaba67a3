"""What a browser sends about a time → a slot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from evcharge.bookings.calendar import fits
from evcharge.bookings.rules import Limits, Slot, SlotNotBookable, check_slot
from evcharge.kernel.errors import InvalidInput

USUAL_LENGTH = timedelta(hours=1)
# RFC 3339, seconds and offset optional. Python by itself reads much more than that.
TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
    r"(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
# Outside, some zone or length would lead off the end of Python's calendar.
YEARS = range(1970, 9999)

Field = Literal["starts_at", "minutes"]


class BadChoice(InvalidInput):
    """`field` is where the message belongs."""

    code = "bad_choice"

    def __init__(self, field: Field, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Choice:
    """What an address says of a driver's wish. What makes no sense counts as unsaid."""

    day: date | None
    length: timedelta
    slot: Slot | None


def choice_from_query(
    values: Mapping[str, str], *, zone: ZoneInfo, limits: Limits, usual: timedelta
) -> Choice:
    length = _length_or_none(values, limits) or usual
    starts_at = _instant_or_none(values.get("starts_at", ""), zone)
    slot = Slot(starts_at, starts_at + length) if starts_at else None
    return Choice(_day_or_none(values.get("day", "")), length, slot)


def slot_from_form(
    values: Mapping[str, str], *, zone: ZoneInfo, limits: Limits, now: datetime
) -> Slot:
    """Return the slot that was asked for, if it may be booked at all.

    `starts_at` is an instant, or wall time at the charger.

    Raises: BadChoice, at the field to blame.
    """
    length = _length_or_none(values, limits)
    if length is None:
        raise BadChoice("minutes", _which_lengths(limits))
    starts_at = _instant_or_none(values.get("starts_at", ""), zone)
    if starts_at is None:
        raise BadChoice("starts_at", "Choose a start time.")
    slot = Slot(starts_at, starts_at + length)
    try:
        check_slot(slot, limits=limits, now=now)
    except SlotNotBookable as refusal:
        raise BadChoice("starts_at", refusal.message) from None
    return slot


def amount_from_form(values: Mapping[str, str], name: str) -> int | None:
    """Return the paise that a page had shown and the driver agreed to."""
    return _number_or_none(values.get(name, ""))


def evse_from_form(values: Mapping[str, str]) -> int | None:
    return _number_or_none(values.get("evse_id", ""))


def page_from_query(values: Mapping[str, str]) -> int:
    return max(1, _number_or_none(values.get("page", "")) or 1)


def _which_lengths(limits: Limits) -> str:
    minutes = limits.shortest // timedelta(minutes=1)
    hours = limits.longest / timedelta(hours=1)
    return f"Choose how long: from {minutes} min to {hours:g} h, in quarter hours."


def _length_or_none(values: Mapping[str, str], limits: Limits) -> timedelta | None:
    minutes = _number_or_none(values.get("minutes", ""))
    if minutes is None:
        return None
    length = timedelta(minutes=minutes)
    return length if fits(length, limits) else None


def _number_or_none(text: str) -> int | None:
    # int() alone would also take "1_0", " 7 " and the digits of other scripts.
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _day_or_none(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant_or_none(text: str, zone: ZoneInfo) -> datetime | None:
    """Read RFC 3339, or wall time of the zone: of two equal ones, the first."""
    if not TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year not in YEARS:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return _wall_time_or_none(moment, zone)


def _wall_time_or_none(moment: datetime, zone: ZoneInfo) -> datetime | None:
    instant = moment.replace(tzinfo=zone).astimezone(UTC)
    # Clocks that jump ahead never show what they skip.
    exists = instant.astimezone(zone).replace(tzinfo=None) == moment
    return instant if exists else None
