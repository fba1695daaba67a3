"""Whose GSTIN a supply is under, and whether its tax is CGST and SGST or IGST."""

import pytest

from evcharge.taxes.queries import supply_tax, treatments
from evcharge.taxes.rules import UNTAXED, Treatment
from make import HOUR, NOON, a_location, a_user
from papers import KARNATAKA, MAHARASHTRA, a_business, a_registration

WITHIN = Treatment(18, is_within_state=True)
ACROSS = Treatment(18, is_within_state=False)


@pytest.fixture
def location(session):
    return a_location(session, state="karnataka")


def taxed(session, location, user_id=None, at=NOON):
    return supply_tax(session, location.id, user_id=user_id, at=at)


def test_who_is_not_registered_charges_no_tax(session, location):
    found = taxed(session, location)

    assert found.treatment == UNTAXED
    assert found.registration_id is None
    assert found.supplier == f"operator-{location.operator_id}"
    assert found.place_of_supply == "Karnataka"


def test_in_its_state_the_tax_has_two_halves(session, location):
    registration = a_registration(session, location)

    found = taxed(session, location)

    assert found.treatment == WITHIN
    assert (found.registration_id, found.supplier) == (registration.id, KARNATAKA)


def test_the_registration_of_the_location_s_state_goes_before_an_older_one(
    session, location
):
    a_registration(session, location, gstin=MAHARASHTRA, state="Maharashtra")
    a_registration(session, location)

    assert taxed(session, location).supplier == KARNATAKA


def test_without_one_in_the_state_it_is_supplied_from_another(session, location):
    a_registration(session, location, gstin=MAHARASHTRA, state="Maharashtra")

    found = taxed(session, location)

    assert found.treatment == ACROSS
    assert found.supplier == MAHARASHTRA
    assert found.place_of_supply == "Karnataka"


def test_a_business_is_supplied_where_it_is_registered(session, location):
    a_registration(session, location)
    user = a_user(session)
    a_business(session, user.id)

    found = taxed(session, location, user.id)

    assert found.treatment == ACROSS
    assert found.place_of_supply == "Maharashtra"


@pytest.mark.parametrize("hours", [-48, 1])
def test_only_while_it_is_in_force(session, location, hours):
    a_registration(session, location, ended_at=NOON + HOUR)

    assert taxed(session, location, at=NOON + hours * HOUR).treatment == UNTAXED


def test_many_locations_at_once_are_taxed_as_each_alone(session, location):
    a_registration(session, location)
    there = a_location(session, state="Maharashtra")

    found = treatments(session, [location.id, there.id], at=NOON)

    assert found == {location.id: WITHIN, there.id: ACROSS}
    for each in (location, there):
        assert taxed(session, each).treatment == found[each.id]
