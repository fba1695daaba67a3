"""Everything the time picker shows, for booking and for moving alike."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from evcharge.bookings.alternatives import Offer
from evcharge.bookings.calendar import (
    Calendar,
    Day,
    PartOfDay,
    Quarter,
    claimed_quarters,
    first_day_with_room,
    lengths,
    quarters_ahead,
)
from evcharge.bookings.forms import Choice
from evcharge.bookings.models import Booking
from evcharge.bookings.pricing import Pricing
from evcharge.bookings.queries import claims_between
from evcharge.bookings.rules import Limits, Slot, Terms, slot_no
from evcharge.bookings.words import cancelling_terms
from evcharge.kernel.money import HOUR, for_started_hours
from evcharge.stations.models import Evse, Location
from evcharge.stations.rules import ClaimedBy, EvseStatus
from evcharge.tariffs.rules.agreed import Agreed
from evcharge.web.formats import calendar_day

# Booking one of these is allowed, but the driver should know.
DOUBTFUL = {
    EvseStatus.OUT_OF_ORDER: "This charging point is out of order just now. "
    "Choose a later time only if you can do without it.",
    EvseStatus.UNKNOWN: "We have no news from this charger just now.",
    EvseStatus.INOPERATIVE: "This charging point is not in service just now.",
}


@dataclass(frozen=True)
class Problem:
    """What went wrong, the field to blame if one is, and ways out."""

    message: str
    code: str
    field: str | None = None
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True)
class Picker:
    """One day of one EVSE, for one length. `chosen` is free, or None."""

    evse: Evse
    calendar: Calendar
    terms: Terms
    pricing: Pricing
    day: date
    length: timedelta
    days: list[Day]
    lengths: list[timedelta]
    parts: list[PartOfDay]
    chosen: Slot | None
    missed: Slot | None

    @property
    def location(self) -> Location:
        return self.evse.charger.location

    @property
    def zone(self) -> ZoneInfo:
        return self.calendar.zone

    @property
    def today(self) -> date:
        return self.calendar.day_of(self.calendar.now)

    @property
    def minutes(self) -> int:
        return self.length // timedelta(minutes=1)

    @property
    def hours(self) -> int:
        """Started ones, which are paid where there is no tariff."""
        return -(-self.length // HOUR)

    def amount_paise(self, slot: Slot | None) -> int | None:
        """What the slot costs. By the hour all do the same; None: it depends."""
        if slot is not None:
            return self.pricing.amount_paise(slot)
        if self.pricing.agreed is not None:
            return None
        per_hour = self.pricing.paise_per_hour
        return for_started_hours(self.length, paise_per_hour=per_hour)

    @property
    def cells(self) -> list[Quarter]:
        return self.calendar.cells(self.day)

    @property
    def picture_starts_at(self) -> datetime:
        return self.calendar.starts_of_picture(self.day)

    @property
    def now_index(self) -> int | None:
        return self.calendar.now_index(self.day)

    @property
    def day_word(self) -> str:
        return calendar_day(self.day, self.today)

    @property
    def zone_name(self) -> str:
        """`IST`, as it is called there."""
        return self.calendar.now.astimezone(self.zone).tzname() or self.zone.key

    @property
    def has_room(self) -> bool:
        return any(part.free for part in self.parts)

    @property
    def next_day_word(self) -> str | None:
        on = self.next_day_with_room
        return calendar_day(on, self.today) if on else None

    @property
    def next_day_with_room(self) -> date | None:
        later = (each.on for each in self.days if not each.is_full)
        return next((on for on in later if on > self.day), None)

    @property
    def power_w(self) -> int:
        return max((plug.power_w for plug in self.evse.connectors), default=0)

    @property
    def energy_wh(self) -> int:
        """The most the length can give; the car may take less."""
        return self.power_w * self.minutes // 60

    def terms_of(self, slot: Slot) -> str:
        return cancelling_terms(
            self.terms,
            slot,
            amount_paise=self.pricing.amount_paise(slot),
            now=self.calendar.now,
            zone=self.zone,
        )

    @property
    def doubt(self) -> str | None:
        """Why the charger may not work, if it looks like that now."""
        current = self.calendar.claimed.get(slot_no(self.calendar.now))
        claimed_by = ClaimedBy.BLOCK if current == Quarter.BLOCKED else None
        status = self.evse.status(self.evse.charger, claimed_by, now=self.calendar.now)
        return DOUBTFUL.get(status)


def zone_of(evse: Evse) -> ZoneInfo:
    return ZoneInfo(evse.charger.location.timezone)


def open_picker(
    session: Session,
    evse: Evse,
    choice: Choice,
    *,
    terms: Terms,
    agreed: Agreed | None,
    limits: Limits,
    user_id: int | None,
    now: datetime,
    moving: Booking | None = None,
) -> Picker:
    """Return the picker as it stands now: one statement. A booking that is being
    moved is not in its own way."""
    calendar = _calendar(
        session, evse, limits=limits, user_id=user_id, now=now, moving=moving
    )
    days = calendar.days(choice.length)
    day = _day(calendar, days, choice)
    wanted = choice.slot
    is_free = wanted is not None and calendar.is_free(wanted)
    return Picker(
        evse=evse,
        calendar=calendar,
        terms=terms,
        pricing=Pricing(terms.price_paise_per_hour, agreed),
        day=day,
        length=choice.length,
        days=days,
        lengths=lengths(limits, choice.length),
        parts=calendar.parts(day, choice.length),
        chosen=wanted if is_free else None,
        missed=None if is_free else wanted,
    )


def _calendar(
    session: Session,
    evse: Evse,
    *,
    limits: Limits,
    user_id: int | None,
    now: datetime,
    moving: Booking | None,
) -> Calendar:
    ahead = quarters_ahead(limits, now)
    claims = claims_between(session, [evse.id], ahead.start, ahead.stop, now=now)
    is_here = moving is not None and moving.evse_id == evse.id
    own = moving.slot.quarters if moving is not None and is_here else range(0)
    return Calendar(
        zone=zone_of(evse),
        limits=limits,
        now=now,
        claimed=claimed_quarters(claims, user_id=user_id),
        hours=evse.charger.location.hours,
        own=own,
    )


def _day(calendar: Calendar, days: list[Day], choice: Choice) -> date:
    """The day that was asked for, if it can be shown; else the first with room."""
    shown = {day.on for day in days}
    if choice.day in shown:
        return choice.day
    if choice.slot is not None and calendar.is_bookable(choice.slot):
        return calendar.day_of(choice.slot.starts_at)
    return first_day_with_room(days, calendar.day_of(calendar.now))
