"""The facts of the demo: are they where, and what, they say?"""

from collections import Counter

import pytest

from evcharge.demo import hardware, own, places
from evcharge.demo.hardware import boxes
from evcharge.demo.places import Place
from evcharge.stations.rules import ConnectorKind
from evcharge.stations.rules.entries import (
    ChargerDetails,
    ConnectorDetails,
    EvseDetails,
    LocationDetails,
    check_charger,
    check_connector,
    check_evse,
    check_location,
)

PLACES = places.places()

# First digits of pincodes, then south, north, west and east, roughly.
STATES = {
    "Andhra Pradesh": ("51 52 53", 12.6, 19.2, 76.7, 84.8),
    "Assam": ("78", 24.1, 28.0, 89.7, 96.1),
    "Bihar": ("80 81 82 84 85", 24.3, 27.5, 83.3, 88.3),
    "Chandigarh": ("16", 30.6, 30.8, 76.7, 76.9),
    "Chhattisgarh": ("49", 17.8, 24.1, 80.2, 84.4),
    "Delhi": ("11", 28.4, 28.9, 76.8, 77.4),
    "Goa": ("403", 14.9, 15.8, 73.7, 74.4),
    "Gujarat": ("36 37 38 39", 20.1, 24.7, 68.1, 74.5),
    "Haryana": ("12 13", 27.6, 30.9, 74.4, 77.6),
    "Jammu and Kashmir": ("18 19", 32.2, 34.9, 73.7, 76.8),
    "Jharkhand": ("81 82 83", 21.9, 25.4, 83.3, 88.0),
    "Karnataka": ("56 57 58 59", 11.5, 18.5, 74.0, 78.6),
    "Kerala": ("67 68 69", 8.2, 12.8, 74.8, 77.5),
    "Madhya Pradesh": ("45 46 47 48", 21.0, 26.9, 74.0, 82.9),
    "Maharashtra": ("40 41 42 43 44", 15.6, 22.1, 72.6, 80.9),
    "Meghalaya": ("793 794", 25.0, 26.2, 89.8, 92.9),
    "Odisha": ("75 76 77", 17.8, 22.6, 81.3, 87.5),
    "Punjab": ("14 15 16", 29.5, 32.6, 73.8, 77.0),
    "Rajasthan": ("30 31 32 33 34", 23.0, 30.2, 69.4, 78.3),
    "Tamil Nadu": ("60 61 62 63 64", 8.0, 13.6, 76.2, 80.4),
    "Telangana": ("50", 15.8, 19.9, 77.2, 81.4),
    "Uttar Pradesh": ("20 21 22 23 24 25 26 27 28", 23.8, 30.5, 77.0, 84.7),
    "Uttarakhand": ("24 26", 28.7, 31.5, 77.5, 81.1),
    "West Bengal": ("70 71 72 73 74", 21.5, 27.3, 85.8, 89.9),
}

# India's outline as officially drawn, in a few corners: Gujarat, down the west coast,
# up the east coast, along the north-east, Nepal and Ladakh, back to Gujarat.
OUTLINE = (
    (23.5, 68.0), (20.6, 70.8), (21.2, 72.4), (19.0, 72.65), (15.4, 73.6),
    (12.8, 74.7), (8.2, 77.0), (8.0, 77.7), (10.2, 79.95), (13.0, 80.4),
    (15.9, 81.0), (17.0, 82.6), (19.7, 86.0), (21.4, 87.3), (21.5, 89.1),
    (24.0, 89.1), (26.2, 90.0), (25.0, 90.5), (25.0, 92.4), (22.0, 93.2),
    (27.5, 97.4), (29.5, 96.0), (27.7, 91.5), (26.7, 89.0), (28.2, 88.8),
    (26.3, 87.5), (28.7, 80.1), (31.5, 79.2), (32.5, 79.6), (35.6, 80.3),
    (37.1, 74.6), (34.0, 73.7), (32.3, 74.6), (30.8, 74.0), (28.0, 70.4),
    (24.3, 68.7),
)  # fmt: skip

REAL_BRANDS = """
    tata ather statiq chargezone zeon jio-bp jiobp reliance kazam relux glida fortum
    shell bpcl iocl hpcl indianoil bolt exicom magenta lionch charzer evre ev-plugs
    okaya servotech delta abb siemens schneider adani blusmart mahindra hyundai mg ola
    kia tesla ionage numocity sunfuel goec chargemod plugngo
"""


def is_within(lat: float, lon: float, outline: tuple[tuple[float, float], ...]) -> bool:
    """Whether a line from the point to the west crosses the outline an odd number
    of times."""
    sides = zip(outline, (*outline[1:], outline[0]), strict=True)
    return (
        sum(
            (south > lat) != (north > lat)
            and lon > west + (east - west) * (lat - south) / (north - south)
            for (south, west), (north, east) in sides
        )
        % 2
        == 1
    )


def test_every_site_lies_in_its_state_and_has_one_of_its_pincodes():
    assert [place.code for place in PLACES if not is_in_its_state(place)] == []


def is_in_its_state(place: Place) -> bool:
    starts, south, north, west, east = STATES[place.state]
    is_near = south <= place.lat <= north and west <= place.lon <= east
    return is_near and place.pincode.startswith(tuple(starts.split()))


def test_all_sites_lie_within_india():
    assert [p.code for p in PLACES if not is_within(p.lat, p.lon, OUTLINE)] == []


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(24.86, 67.0), (6.93, 79.86), (27.7, 85.3), (23.8, 90.4), (19.0, 72.3), (15, 85)],
    ids=["Karachi", "Colombo", "Kathmandu", "Dhaka", "Arabian Sea", "Bay of Bengal"],
)
def test_the_outline_leaves_out_neighbours_and_the_sea(lat: float, lon: float):
    assert not is_within(lat, lon, OUTLINE)


def test_there_are_enough_sites_all_over_the_country():
    points = sum(len(box.model.points) for p in PLACES for box in boxes(p))

    assert len(PLACES) >= 60
    assert 280 <= points <= 380
    assert {place.state for place in PLACES} == STATES.keys()
    assert {place.operator for place in PLACES} == places.OPERATORS.keys()


def test_every_kind_of_plug_a_driver_may_look_for_is_there():
    kinds = Counter(
        kind
        for place in PLACES
        for box in boxes(place)
        for point in box.model.points
        for kind, _ in point.plugs
    )

    missing = set(ConnectorKind) - kinds.keys()
    assert missing == {
        ConnectorKind.TYPE1,
        ConnectorKind.GBT_AC,
        ConnectorKind.LEV_COMBO,
    }


def test_nothing_is_there_that_an_operator_could_not_enter():
    for place in PLACES:
        check_location(
            LocationDetails(
                name=place.name,
                address=place.address,
                city=place.city,
                state=place.state,
                pincode=place.pincode,
                lat=place.lat,
                lon=place.lon,
                opening_hours=place.opening_hours,
                amenities=place.amenities,
            )
        )
        for box in boxes(place):
            check_charger(
                ChargerDetails(box.identity, box.model.vendor, box.model.name)
            )
            for price in box.prices_paise:
                check_evse(EvseDetails(1, price))
            for point in box.model.points:
                for number, (kind, power_w) in enumerate(point.plugs, start=1):
                    check_connector(ConnectorDetails(number, kind, power_w))


def test_prices_are_round_and_plausible():
    prices = {
        (price, max(power_w for _, power_w in point.plugs) >= 25_000)
        for place in PLACES
        for box in boxes(place)
        for price, point in zip(box.prices_paise, box.model.points, strict=True)
    }

    assert all(price % 1_000 == 0 for price, _ in prices)
    assert all(18_000 <= price <= 90_000 for price, is_fast in prices if is_fast)
    assert all(4_000 <= price <= 15_000 for price, is_fast in prices if not is_fast)


def test_codes_and_addresses_are_unique():
    assert len({place.code for place in PLACES}) == len(PLACES)
    assert len({place.name for place in PLACES}) == len(PLACES)
    assert len({(place.address, place.city) for place in PLACES}) == len(PLACES)


def test_nobody_real_is_named():
    vendors = [model.vendor for model in hardware.MODELS.values()]
    words = " ".join([*places.OPERATORS.values(), *vendors]).casefold().split()

    assert not set(words) & set(REAL_BRANDS.split())


def test_what_is_said_of_single_chargers_is_said_of_chargers_that_exist():
    known = {
        (box.identity, number)
        for place in PLACES
        for box in boxes(place)
        for number, _ in enumerate(box.model.points, start=1)
    }
    entries = {entry.evse for entry in (*own.DRIVERS_WEEK, own.MAINTENANCE)}

    assert hardware.LIFECYCLES.keys() | entries | {own.TODAY} <= known
    assert {identity for identity, _ in known} >= hardware.SILENT
    assert {place.code for place in PLACES} >= places.CLOSED
