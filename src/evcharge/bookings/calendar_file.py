"""A booking as a calendar file (RFC 5545), which later files bring up to date."""

from datetime import datetime

from icalendar import Calendar, Event, vGeo

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingPayment, BookingStatus

GONE = frozenset({BookingStatus.CANCELLED, BookingStatus.EXPIRED})


def calendar_file(
    booking: Booking, *, place: str, about: str, url: str, now: datetime
) -> bytes:
    """Return the file. `booking` has its place loaded; `about` is free text.

    A calendar knows the event again by its UID and believes the highest SEQUENCE
    (RFC 5545, sections 3.8.4.7 and 3.8.7.4). CANCEL takes it out again (RFC 5546,
    section 3.2.5).
    """
    is_gone = is_off_calendar(booking, now=now)
    calendar = Calendar()
    calendar.add("prodid", "-//evcharge//bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_gone else "PUBLISH")
    calendar.add_component(
        _event(booking, place=place, about=about, url=url, is_gone=is_gone, now=now)
    )
    return bytes(calendar.to_ical())


def is_off_calendar(booking: Booking, *, now: datetime) -> bool:
    """Is the promise gone? A hold whose time is up is, swept or not."""
    return booking.status in GONE or booking.has_lapsed(now=now)


def _event(
    booking: Booking, *, place: str, about: str, url: str, is_gone: bool, now: datetime
) -> Event:
    location = booking.evse.charger.location
    event = Event()
    event.add("uid", f"{booking.id}@evcharge")
    event.add("sequence", booking.sequence)
    event.add("dtstamp", now.replace(microsecond=0))
    event.add("dtstart", booking.starts_at)
    event.add("dtend", booking.ends_at)
    event.add("summary", f"Charging at {location.name}")
    event.add("location", place)
    event.add("geo", vGeo((location.lat, location.lon)))
    event.add("description", about)
    event.add("url", url)
    event.add("status", "CANCELLED" if is_gone else _certainty(booking))
    event.add("transp", "TRANSPARENT" if is_gone else "OPAQUE")
    return event


def _certainty(booking: Booking) -> str:
    is_paid = booking.payment_status == BookingPayment.PAID
    return "CONFIRMED" if is_paid else "TENTATIVE"
