"""Finding places by what people type, in the list that ships."""

import time

import pytest

from evcharge.places.queries import MOST, find_places
from evcharge.places.rules import (
    LONGEST_TEXT,
    PlaceKind,
    folded,
    skeleton_of,
    sound_of,
)


def first(text):
    return find_places(text)[0].label


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("Bengaluru", "Bengaluru, Karnataka"),
        ("bangalore", "Bengaluru, Karnataka"),
        ("bombay", "Mumbai, Maharashtra"),
        ("gurgaon", "Gurugram, Haryana"),
        ("  jaisal", "Jaisalmer, Rajasthan"),
        ("port bl", "Port Blair, Andaman and Nicobar Islands"),
        ("बेंग", "Bengaluru, Karnataka"),
        ("ठाणे", "Thane, Maharashtra"),
        ("जयपुर", "Jaipur, Rajasthan"),
    ],
)
def test_a_town_is_found_by_its_beginning_its_old_name_and_in_hindi(typed, label):
    assert first(typed) == label


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("Jaypur", "Jaipur, Rajasthan"),
        ("Mysoor", "Mysuru, Karnataka"),
        ("vishakapatnam", "Visakhapatnam, Andhra Pradesh"),
        ("Ahmadabaad", "Ahmedabad, Gujarat"),
        ("Trivendrum", "Thiruvananthapuram, Kerala"),
        ("Tiruchirapalli", "Tiruchirappalli, Tamil Nadu"),
    ],
)
def test_another_spelling_finds_it_too(typed, label):
    assert label in [each.label for each in find_places(typed)]


def test_a_pincode_is_found_by_its_beginning():
    [place] = find_places("560034", limit=1)

    assert (place.kind, place.pincode, place.state) == (
        PlaceKind.PINCODE,
        "560034",
        "Karnataka",
    )
    assert place.point.lat == pytest.approx(12.93, abs=0.03)
    assert place.point.lon == pytest.approx(77.62, abs=0.03)
    assert all(each.pincode.startswith("1100") for each in find_places("1100"))


def test_a_part_of_a_town_is_found_with_its_district():
    [place, *_] = find_places("Koramangala I")

    assert place.kind == PlaceKind.LOCALITY
    assert place.label == "Koramangala I Block, Bengaluru Urban 560034"


def test_larger_towns_come_first():
    labels = [each.label for each in find_places("de", limit=MOST)]

    assert labels[0] == "Delhi, Delhi"
    assert labels.index("Dehradun, Uttarakhand") < labels.index("Dewas, Madhya Pradesh")


@pytest.mark.parametrize(
    "typed", ["", "   ", "%_", "'; drop table", "\0", "☃", "x" * 61]
)
def test_nonsense_finds_nothing(typed):
    assert find_places(typed) == []


def test_no_more_are_given_than_asked_for_or_allowed():
    assert len(find_places("ba", limit=3)) == 3
    assert len(find_places("ba", limit=1_000)) == MOST


def test_hindi_names_are_told_for_the_large_towns():
    hindi = {place.name: place.name_hindi for place in find_places("Pun", limit=MOST)}

    assert hindi["Pune"] == "पुणे"


def test_every_beginning_of_one_letter_is_quick():
    began = time.process_time()
    for letter in "abcdefghijklmnopqrstuvwxyz":
        find_places(letter, limit=7)

    assert time.process_time() - began < 2


def test_every_place_lies_in_india():
    for text in ("a", "ka", "ra", "744", "79", "19", "682"):
        for place in find_places(text, limit=MOST):
            assert 6 < place.point.lat < 37.1, place
            assert 68 < place.point.lon < 97.5, place


def test_marks_and_case_do_not_count():
    assert folded("  Thāne  ") == folded("THANE") == "thane"
    assert sound_of("Jaypur") == sound_of("Jaipur")
    assert skeleton_of("Ahemdabad") == skeleton_of("Ahmedabad")
    assert LONGEST_TEXT == 60
