from datetime import UTC, datetime
from time import perf_counter
from urllib.parse import parse_qsl

import pytest
from werkzeug.datastructures import MultiDict

from evcharge.bookings.rules import Limits, Slot
from evcharge.kernel.geo import Box, Point
from evcharge.network.forms import location_ids, search_from_args
from evcharge.network.rules import Order, Search
from evcharge.stations.rules import Access, ConnectorKind
from evcharge.stations.rules.vehicles import PLUGS, VehicleKind
from make import HOUR, MINUTE, NOON


def read(*pairs, now=NOON):
    return search_from_args(MultiDict(pairs), limits=Limits(), now=now)


def asked(query):
    return read(*parse_qsl(query))


def test_nothing_asked_is_everything():
    assert read().search == Search()
    assert read().problems == {}
    assert read().query() == {}


def test_every_condition_is_understood():
    form = read(
        ("q", "  MG  Road पुणे "),
        ("near", "12.97, 77.6"),
        ("connector", "ccs2"),
        ("connector", "type2"),
        ("min_kw", "7.4"),
        ("when", "now"),
        ("page", "3"),
    )

    assert form.problems == {}
    assert form.search == Search(
        words=("mg", "road", "पुणे"),
        near=Point(12.97, 77.6),
        kinds=frozenset({ConnectorKind.CCS2, ConnectorKind.TYPE2}),
        min_power_w=7_400,
        is_free_now=True,
        page=3,
    )


def test_a_time_is_the_clock_on_the_wall_in_india():
    form = read(
        ("when", "at"), ("on", "2026-01-16"), ("at", "06:15"), ("minutes", "90")
    )

    starts_at = datetime(2026, 1, 16, 0, 45, tzinfo=UTC)
    assert form.search.slot == Slot(starts_at, starts_at + 90 * MINUTE)


def test_free_at_without_a_time_means_the_next_full_hour():
    form = read(("when", "at"))

    # NOON is 17:30 in India.
    assert form.search.slot == Slot(NOON + HOUR / 2, NOON + HOUR * 3 / 2)
    assert (form.on, form.at, form.minutes) == ("2026-01-15", "18:00", "60")


def test_late_at_night_the_next_full_hour_is_tomorrow():
    form = read(("when", "at"), now=datetime(2026, 1, 15, 18, 10, tzinfo=UTC))

    assert (form.on, form.at) == ("2026-01-16", "00:00")


def test_a_time_is_looked_at_only_when_it_is_asked_for():
    form = read(("on", "2020-01-01"), ("at", "10:00"))

    assert form.search == Search()
    assert form.problems == {}
    assert form.query() == {}


@pytest.mark.parametrize(
    ("field", "pairs"),
    [
        ("q", [("q", "a b c d e f g h i")]),
        ("q", [("q", "x" * 101)]),
        ("near", [("near", "nan,77")]),
        ("near", [("near", "12.9,inf")]),
        ("near", [("near", "91,77")]),
        ("near", [("near", "12,181")]),
        ("near", [("near", "12")]),
        ("near", [("near", "12,77,3")]),
        ("near", [("near", "here")]),
        ("near", [("near", "1e999,1")]),
        ("connector", [("connector", "tesla")]),
        ("connector", [("connector", "ccs2"), ("connector", "' OR 1=1")]),
        ("min_kw", [("min_kw", "-7")]),
        ("min_kw", [("min_kw", "nan")]),
        ("min_kw", [("min_kw", "1e3")]),
        ("min_kw", [("min_kw", "1001")]),
        ("min_kw", [("min_kw", "9" * 400)]),
        ("min_kw", [("min_kw", "७")]),
        ("when", [("when", "later")]),
        ("at", [("when", "at"), ("on", "2026-02-30")]),
        ("at", [("when", "at"), ("on", "0001-01-01")]),
        ("at", [("when", "at"), ("on", "9999-12-31"), ("at", "23:45")]),
        ("at", [("when", "at"), ("on", "tomorrow")]),
        ("at", [("when", "at"), ("on", "2026-01-15"), ("at", "17:15")]),
        ("at", [("when", "at"), ("on", "2026-02-15")]),
        ("at", [("when", "at"), ("at", "25:00")]),
        ("at", [("when", "at"), ("on", "2026-01-16"), ("at", "10:07")]),
        ("at", [("when", "at"), ("at", "٠٦:٠٠")]),
        ("at", [("when", "at"), ("minutes", "7")]),
        ("at", [("when", "at"), ("minutes", "0")]),
        ("at", [("when", "at"), ("minutes", "600")]),
        ("at", [("when", "at"), ("minutes", "9" * 30)]),
        ("at", [("when", "at"), ("minutes", "-60")]),
        ("page", [("page", "0")]),
        ("page", [("page", "501")]),
        ("page", [("page", "9" * 50)]),
        ("page", [("page", "two")]),
    ],
)
def test_what_is_unclear_is_said_at_its_field_and_left_out(field, pairs):
    form = read(*pairs)

    assert list(form.problems) == [field]
    assert form.search == Search()


def test_the_other_conditions_still_count_beside_an_unclear_one():
    form = read(("q", "pune"), ("min_kw", "lots"), ("connector", "ccs2"))

    assert form.search == Search(words=("pune",), kinds=frozenset({ConnectorKind.CCS2}))
    assert form.query() == {"q": "pune", "connector": ["ccs2"]}


def test_a_link_keeps_what_was_asked_but_for_what_it_changes():
    form = read(("q", "Pune"), ("when", "at"), ("page", "2"))

    assert form.query(q="", page=3) == {
        "when": "at",
        "on": "2026-01-15",
        "at": "18:00",
        "minutes": "60",
        "page": 3,
    }


def test_a_character_no_text_can_hold_is_dropped():
    assert read(("q", "pu\0ne")).search.words == ("pu", "ne")


def test_cards_are_asked_for_by_id_and_what_is_none_is_let_pass():
    args = MultiDict(
        [("id", "7"), ("id", "x"), ("id", "-1"), ("id", "9" * 40), ("id", str(2**31))]
    )

    assert location_ids(args, most=20) == [7]


def test_no_more_cards_are_made_than_a_page_has():
    args = MultiDict([("id", str(each)) for each in range(50)])

    assert location_ids(args, most=20) == list(range(20))


def test_a_very_long_text_is_refused_before_anybody_folds_it():
    began = perf_counter()

    form = read(("q", "a" + 60_000 * "\u0301" + 60_000 * "\u0323"))

    assert "q" in form.problems
    assert perf_counter() - began < 1


# ── what else may be asked ───────────────────────────────────────────────────────


def test_what_a_place_is_like_may_be_asked_for():
    form = asked(
        "vehicle=two_wheeler&amenity=cafe&amenity=wifi&access=public&operator=3"
        "&max_price=18.50&sort=price&bbox=77,12,78,13"
    )

    assert form.problems == {}
    assert form.search == Search(
        kinds=PLUGS[VehicleKind.TWO_WHEELER],
        amenities=frozenset({"cafe", "wifi"}),
        access=Access.PUBLIC,
        operator_id=3,
        most_paise_per_kwh=1_850,
        box=Box(77, 12, 78, 13),
        order=Order.PRICE,
    )
    assert form.kinds == ()
    assert form.query() == {
        "vehicle": "two_wheeler",
        "amenity": ["cafe", "wifi"],
        "access": "public",
        "operator": "3",
        "max_price": "18.50",
        "sort": "price",
        "bbox": "77,12,78,13",
    }


def test_a_vehicle_leaves_the_plugs_that_it_charges_with():
    form = asked("vehicle=bus_truck&connector=ccs2&connector=lev_dc")

    assert form.search.kinds == {ConnectorKind.CCS2}
    assert form.kinds == ("ccs2", "lev_dc")


def test_by_price_around_somebody_it_looks_only_so_far():
    assert asked("near=12,77&sort=price").search.radius_m == 50_000
    assert asked("near=12,77").search.radius_m is None
    assert asked("sort=price").search.radius_m is None


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("vehicle=bus_truck&connector=lev_dc", "vehicle"),
        ("vehicle=spaceship", "vehicle"),
        ("amenity=pool", "amenity"),
        ("access=mine", "access"),
        ("operator=0", "operator"),
        ("operator=99999999999", "operator"),
        ("max_price=-1", "max_price"),
        ("max_price=free", "max_price"),
        ("sort=luck", "sort"),
        ("bbox=78,12,77,13", "bbox"),
        ("bbox=77,12,78", "bbox"),
        ("bbox=nan,nan,nan,nan", "bbox"),
        ("bbox=77,12,181,13", "bbox"),
    ],
)
def test_a_filter_that_is_unclear_is_said_and_left_out(query, name):
    form = asked(query)

    assert list(form.problems) == [name]
    wanted = Search(kinds=frozenset(map(ConnectorKind, form.kinds)))
    assert form.search == wanted
    assert name not in form.query()
