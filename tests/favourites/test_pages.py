"""Places that drivers save."""

import pytest

import make
from booking_pages import words
from evcharge.favourites.models import Favourite
from evcharge.favourites.queries import saved_location_ids
from evcharge.favourites.rules import MOST_SAVED
from evcharge.kernel.clock import utc_now
from evcharge.wiring import forget
from make import NOON


@pytest.fixture
def place(database):
    with database.transaction() as session:
        evse = make.an_evse(session, seen_at=utc_now())
        return evse.charger.location_id


@pytest.fixture
def driver(sign_in):
    return sign_in("driver")


def saved(database):
    with database.reading() as session:
        return [(row.user_id, row.location_id) for row in session.query(Favourite)]


def test_a_place_is_saved_listed_and_let_go(driver, place, database):
    page = f"/locations/{place}"
    assert f'action="/favourites/{place}"' in driver.get(page).text

    answer = driver.post(f"/favourites/{place}")
    driver.post(f"/favourites/{place}")  # A second click.

    assert (answer.status_code, answer.location) == (303, page)
    assert len(saved(database)) == 1
    assert "MG Road" in words(driver.get("/favourites"))
    assert f'action="/favourites/{place}/remove"' in driver.get(page).text
    driver.post(f"/favourites/{place}/remove")
    driver.post(f"/favourites/{place}/remove")
    assert saved(database) == []
    assert "No saved places yet." in words(driver.get("/favourites"))


def test_who_is_not_logged_in_sees_no_star_and_saves_nothing(client, place, database):
    assert "/favourites" not in client.get(f"/locations/{place}").text

    assert client.post(f"/favourites/{place}").status_code == 401
    assert saved(database) == []


def test_a_place_that_is_not_there_cannot_be_saved(driver, database):
    assert driver.post("/favourites/999999").status_code == 404
    assert saved(database) == []


def test_nobody_saves_more_than_the_list_holds(driver, place, database):
    with database.transaction() as session:
        location = make.a_location(session)
        others = [
            make.a_location(session, operator=location.operator).id
            for _ in range(MOST_SAVED)
        ]
    user_id = driver.user_id
    with database.transaction() as session:
        session.add_all(
            Favourite(user_id=user_id, location_id=each, created_at=NOON)
            for each in others
        )

    page = driver.post(f"/favourites/{place}", follow_redirects=True)

    assert "Remove one first." in page.text
    assert len(saved(database)) == MOST_SAVED


def test_who_leaves_takes_along_what_they_saved(driver, place, database):
    driver.post(f"/favourites/{place}")

    database.perform(lambda session: forget(session, driver.user_id))

    with database.reading() as session:
        assert list(saved_location_ids(session, driver.user_id)) == []
