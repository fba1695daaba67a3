"""Leaving: who somebody was is forgotten, what they booked stays."""

import pytest

import make
from evcharge.accounts.models import Login, User
from evcharge.accounts.queries import operators_of
from evcharge.accounts.rules import StillAdmin, StillBooked, UserStatus
from evcharge.accounts.service import delete_account
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import Limits
from evcharge.bookings.service import book_slot
from evcharge.kernel.clock import utc_now
from evcharge.taxes.queries import tax_customer
from evcharge.taxes.rules.registrations import Business
from evcharge.taxes.service import invoice_business
from make import NOON, a_slot

PASSWORD = "correct horse battery"


def leave(session, user, *, bookings=0):
    delete_account(
        session,
        user_id=user.id,
        now=NOON,
        upcoming_bookings=lambda _session, user_id, _now: bookings,
        forget=lambda _session, _user_id: None,
    )
    session.expire_all()


@pytest.fixture
def asha(database, password_hash):
    with database.transaction() as session:
        return make.a_user(
            session,
            email="asha@example.com",
            phone="+919845012345",
            password_hash=password_hash,
        )


@pytest.fixture
def browser(client, asha):
    client.post("/login", data={"email": "asha@example.com", "password": PASSWORD})
    return client


def test_nothing_is_left_of_who_somebody_was(session):
    asha = make.a_user(session, phone="+919845012345", role="operator",
                       operator=make.an_operator(session))  # fmt: skip
    known = {asha.name, asha.email, asha.email_key, asha.phone, asha.password_hash}
    login = make.a_login(session, asha)

    leave(session, asha)

    row = session.get_one(User, asha.id)
    assert known.isdisjoint({row.name, row.email, row.email_key, row.phone})
    assert row.status == UserStatus.DELETED
    assert operators_of(session, asha.id) == frozenset()
    assert session.get_one(Login, login.id).device == ""


def test_two_who_left_do_not_stand_in_each_others_way(session):
    for _ in range(2):
        leave(session, make.a_user(session))


def test_who_has_bookings_to_come_stays_for_them(session):
    asha = make.a_user(session)

    with pytest.raises(StillBooked):
        leave(session, asha, bookings=1)


def test_an_admin_cannot_leave(session):
    make.a_user(session, role="admin")

    with pytest.raises(StillAdmin):
        leave(session, make.a_user(session, role="admin"))


def test_deleting_ends_every_login_and_frees_the_address(browser, database, asha):
    answer = browser.post("/account/delete", data={"present": PASSWORD})

    assert answer.location == "/"
    assert browser.get("/account").status_code == 303
    typed = {"email": "asha@example.com", "password": PASSWORD}
    assert browser.post("/login", data=typed).status_code == 422
    again = browser.post("/signup", data=typed | {"name": "Asha"})
    assert again.status_code == 303


def test_the_business_that_invoices_were_made_out_to_is_forgotten(
    browser, database, asha
):
    with database.transaction() as session:
        business = Business("29AAACE1234F1Z5", "Rao Traders", "1 MG Road")
        invoice_business(session, asha.id, business, now=NOON)

    browser.post("/account/delete", data={"present": PASSWORD})

    with database.reading() as session:
        assert tax_customer(session, asha.id) is None


def test_a_booking_to_come_is_named_and_nothing_deleted(browser, database, asha):
    now = utc_now().replace(minute=0, second=0, microsecond=0)
    with database.transaction() as session:
        request = make.a_request(
            make.an_evse(session, price_paise=0).id, a_slot(now=now), user_id=asha.id
        )
        book_slot(session, request, limits=Limits(), now=now)

    page = browser.post("/account/delete", data={"present": PASSWORD})

    assert page.status_code == 409
    assert "You have upcoming bookings." in page.text
    with database.reading() as session:
        assert session.get_one(User, asha.id).status == UserStatus.ACTIVE
        assert session.query(Booking).count() == 1


@pytest.mark.parametrize("data", [{}, {"present": ""}, {"present": "wrong"}])
def test_only_who_knows_the_password_deletes_an_account(browser, database, asha, data):
    page = browser.post("/account/delete", data=data)

    assert page.status_code == 422
    assert 'id="present-error"' in page.text
    with database.reading() as session:
        assert session.get_one(User, asha.id).status == UserStatus.ACTIVE


def test_what_deleting_means_is_said_before(browser):
    page = browser.get("/account/delete").text

    assert "Delete my account" in page
    assert "without your name" in page
