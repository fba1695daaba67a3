"""The cards people charge with."""

import pytest
from sqlalchemy import select

import make
from evcharge.accounts.models import RfidTag, User
from evcharge.accounts.rules import UserStatus
from evcharge.accounts.rules.cards import (
    MOST_CARDS,
    BadCard,
    CardNotFound,
    label_from_text,
    uid_from_text,
)
from evcharge.accounts.service import delete_account
from evcharge.accounts.service.cards import add_card, block_card
from evcharge.charging.service.tags import holder_of
from evcharge.kernel.clock import utc_now


@pytest.fixture
def asha(database):
    with database.transaction() as session:
        return make.a_user(session, name="Asha").id


@pytest.fixture
def admin(sign_in):
    return sign_in("admin", name="Ada")


def give(database, user_id, uid="04A1B2C3"):
    with database.transaction() as session:
        add_card(
            session, user_id=user_id, uid=uid, label="Blue", by=user_id, now=utc_now()
        )


def cards(database):
    with database.reading() as session:
        return {each.uid: each for each in session.scalars(select(RfidTag))}


def charges(database, uid):
    with database.reading() as session:
        return holder_of(session, uid, charger_id=0, at=utc_now()).user_id


# ── what is typed ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("04a1b2c3", "04A1B2C3"),
        (" 04:a1:b2:c3 ", "04A1B2C3"),
        ("04 A1 B2 C3", "04A1B2C3"),
        ("04-A1-B2-C3", "04A1B2C3"),
        ("IN*ABC-0001", "IN*ABC-0001"),
    ],
)
def test_a_card_is_read_however_it_is_printed(typed, kept):
    assert uid_from_text(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["", "04A", "A" * 37, "04A1 B2C3", "ÄÖÜß", "EV-7K3M9Q", "ev-7k3m9q", "a\0bcd"],
)
def test_what_is_no_card_is_refused(typed):
    with pytest.raises(BadCard):
        uid_from_text(typed)


def test_a_label_stands_on_one_line():
    assert label_from_text("  my\n blue\tcard \x00") == "my blue card"


# ── admins ───────────────────────────────────────────────────────────────────────


def test_an_admin_gives_a_card_and_it_charges(database, admin, asha):
    page = f"/admin/users/{asha}"

    answer = admin.post(f"{page}/cards", data={"uid": "04:a1:b2:c3", "label": "Blue"})

    assert answer.status_code == 303
    assert charges(database, "04a1b2c3") == asha
    text = admin.get(page).text
    assert "04A1B2C3" in text
    assert "Blue" in text


def test_a_card_has_one_owner(database, admin, asha):
    with database.transaction() as session:
        other = make.a_user(session).id
    give(database, other)

    answer = admin.post(f"/admin/users/{asha}/cards", data={"uid": "04A1B2C3"})

    assert answer.status_code == 409
    assert "This card belongs to somebody already." in answer.text
    assert charges(database, "04A1B2C3") == other


def test_a_card_that_cannot_be_is_refused_at_its_field(database, admin, asha):
    answer = admin.post(f"/admin/users/{asha}/cards", data={"uid": "EV-7K3M9Q"})

    assert answer.status_code == 422
    assert 'id="uid-error"' in answer.text
    assert cards(database) == {}


def test_nobody_has_more_cards_than_they_could_carry(database, admin, asha):
    for number in range(MOST_CARDS):
        give(database, asha, f"CARD-{number}")

    answer = admin.post(f"/admin/users/{asha}/cards", data={"uid": "ONE-MORE"})

    assert answer.status_code == 409
    assert len(cards(database)) == MOST_CARDS


def test_a_suspended_person_gets_none(database, admin):
    with database.transaction() as session:
        ravi = make.a_user(session, status=UserStatus.SUSPENDED).id

    answer = admin.post(f"/admin/users/{ravi}/cards", data={"uid": "04A1B2C3"})

    assert answer.status_code in (403, 409)
    assert cards(database) == {}


def test_a_blocked_card_charges_no_more_until_it_may_again(database, admin, asha):
    give(database, asha)
    url = f"/admin/users/{asha}/cards/block"

    admin.post(url, data={"uid": "04A1B2C3", "blocked": "yes"})
    assert charges(database, "04A1B2C3") is None
    assert "Unblock" in admin.get(f"/admin/users/{asha}").text
    admin.post(url, data={"uid": "04A1B2C3", "blocked": "no"})

    assert charges(database, "04A1B2C3") == asha


def test_a_removed_card_can_be_somebody_elses(database, admin, asha):
    give(database, asha)

    admin.post(f"/admin/users/{asha}/cards/remove", data={"uid": "04A1B2C3"})

    assert cards(database) == {}


@pytest.mark.parametrize("part", ["block", "remove"])
@pytest.mark.parametrize("uid", ["OTHER", "", "\x00"])
def test_a_card_nobody_has_is_not_found(database, admin, asha, part, uid):
    give(database, asha)

    answer = admin.post(
        f"/admin/users/{asha}/cards/{part}", data={"uid": uid}, follow_redirects=True
    )

    assert "There is no such card." in answer.text
    assert list(cards(database)) == ["04A1B2C3"]


@pytest.mark.parametrize("role", ["driver", "operator"])
@pytest.mark.parametrize("part", ["", "/block", "/remove"])
def test_only_admins_give_cards(database, sign_in, asha, role, part):
    give(database, asha)

    answer = sign_in(role).post(
        f"/admin/users/{asha}/cards{part}", data={"uid": "04A1B2C3", "blocked": "yes"}
    )

    assert answer.status_code == 403
    assert not cards(database)["04A1B2C3"].is_blocked


# ── drivers ──────────────────────────────────────────────────────────────────────


def test_a_driver_sees_their_cards_and_blocks_a_lost_one(database, sign_in):
    driver = sign_in(email="asha@example.com")
    with database.reading() as session:
        user_id = session.scalars(select(User.id)).one()
    assert "You have none." in driver.get("/account").text
    give(database, user_id)
    assert "04A1B2C3" in driver.get("/account").text

    answer = driver.post("/account/cards/block", data={"uid": "04A1B2C3"})

    assert answer.status_code == 303
    assert "Blocked" in driver.get("/account").text
    assert charges(database, "04A1B2C3") is None


def test_nobody_blocks_the_card_of_somebody_else(database, sign_in, asha):
    give(database, asha)
    driver = sign_in()

    for uid in ("04A1B2C3", "\x00"):
        driver.post("/account/cards/block", data={"uid": uid})

    assert charges(database, "04A1B2C3") == asha


def test_a_card_belongs_to_nobody_once_its_owner_has_left(database, asha):
    give(database, asha)

    with database.transaction() as session:
        delete_account(
            session,
            user_id=asha,
            now=utc_now(),
            upcoming_bookings=lambda *_: 0,
            forget=lambda *_: None,
        )

    assert cards(database) == {}
    with pytest.raises(CardNotFound), database.transaction() as session:
        block_card(session, user_id=asha, uid="04A1B2C3")
