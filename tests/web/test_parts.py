"""The parts of pages in web/templates: what they say for every word the rules know."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import render_template_string

from evcharge.bookings.rules import BookingStatus
from evcharge.payments.rules import PaymentStatus
from evcharge.stations.rules import ConnectorKind, EvseStatus
from evcharge.web import formats

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def show(app):
    """Renders a line of template and returns its words, or its markup."""

    def render(template, *, markup=False, **values):
        with app.test_request_context():
            page = render_template_string(template, now=NOW, **values)
        return page if markup else " ".join(re.sub("<[^>]+>", " ", page).split())

    return render


def badge(show, status, **values):
    return show(
        '{% from "_status.html" import status_badge %}'
        "{{ status_badge(status, since, until, starts_at) }}",
        status=status,
        **{"since": None, "until": None, "starts_at": None, **values},
    )


@pytest.mark.parametrize("status", [each for each in EvseStatus if each != "removed"])
def test_every_status_of_an_evse_has_a_word(show, status):
    assert badge(show, status)


def test_a_reservation_says_from_when_to_when(show):
    shown = badge(
        show,
        "reserved",
        starts_at=NOW + timedelta(minutes=30),
        until=NOW + timedelta(minutes=90),
    )

    assert shown == "Reserved 18:00–19:00"


def test_free_says_how_old_the_news_is(show):
    shown = badge(show, "available", since=datetime.now(UTC))

    assert re.fullmatch(r"Free \d+ s ago", shown)


def booking(show, *states):
    template = (
        '{% from "_status.html" import booking_badge %}{{ booking_badge(*states) }}'
    )
    return show(template, states=states)


@pytest.mark.parametrize("status", BookingStatus)
def test_every_state_of_a_booking_has_a_word(show, status):
    assert booking(show, status)


@pytest.mark.parametrize("payment", PaymentStatus)
def test_every_state_of_a_payment_has_a_word(show, payment):
    assert len(booking(show, "ACTIVE", payment).split()) >= 2


@pytest.mark.parametrize(
    ("status", "payment", "shown"),
    [
        ("ACTIVE", "PENDING", "Held Not paid"),
        ("ACTIVE", "PAID", "Booked Paid"),
        ("CANCELLED", "REFUNDED", "Cancelled Refunded"),
        ("EXPIRED", "PENDING", "Hold ended"),
    ],
)
def test_a_booking_says_whether_something_is_still_owed(show, status, payment, shown):
    assert booking(show, status, payment) == shown


def test_every_kind_of_plug_has_a_name():
    assert set(formats.PLUGS) == set(ConnectorKind)


def test_a_strip_draws_runs_and_says_them(show):
    cells = ["past"] * 36 + ["taken"] * 6 + ["free"] * 54

    drawn = show(
        '{% from "_strip.html" import day_strip %}'
        '{{ day_strip(cells, midnight, 36, "A1") }}',
        markup=True,
        cells=cells,
        midnight=datetime(2026, 11, 23, tzinfo=UTC),
    )

    assert 'aria-label="A1: Taken 09:00–10:30."' in drawn
    assert drawn.count('<rect class="strip-past"') == 1
    assert drawn.count('<rect class="strip-taken"') == 1
    assert 'd="M36 0v28"' in drawn


def test_pages_keep_their_filters(show):
    drawn = show(
        '{% from "_pagination.html" import pagination %}'
        '{{ pagination(2, 3, "accounts_admin.users", q="asha") }}',
        markup=True,
    )

    assert "page=1&amp;q=asha" in drawn
    assert "page=3&amp;q=asha" in drawn


def test_what_a_driver_typed_cannot_become_markup(show):
    drawn = show(
        '{% from "_timeline.html" import timeline %}{{ timeline(events) }}',
        markup=True,
        events=[{"at": NOW, "title": "<script>"}],
    )

    assert "<script>" not in drawn


@pytest.mark.parametrize("status", [400, 403, 404, 418, 429, 500, 502, 503])
def test_an_error_says_what_was_not_lost_and_what_to_do(show, status):
    page = show('{% include "error.html" %}', message="It broke.", status=status)

    assert "It broke." in page
    assert "Find a charger" in page
