"""Scan, pay, charge: the pages of somebody without an account."""

import re
from uuid import UUID, uuid4

import pytest

from booking_pages import forms, words
from box import Box, a_box
from desk import Desk
from evcharge.accounts.models import Guest as GuestRow
from evcharge.bookings.rules import Slot, slot_no, slot_start
from evcharge.charging.rules import EventType, SessionStatus
from evcharge.charging.service.budget import stop_if_spent
from evcharge.charging.service.prepaid import drop_unpaid
from evcharge.control.rules import CommandKind
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import Unavailable
from evcharge.kernel.topics import check_topics
from evcharge.payments.providers.simulated import Simulated
from evcharge.stations.models import Connector
from evcharge.stations.rules import ReportedStatus
from evcharge.stations.rules.codes import evse_code
from evcharge.web.links import sign
from guests import Guest
from make import HOUR, MINUTE
from tariff_rows import a_registration, a_tariff, per_kwh

GATEWAY = re.compile(r"/simulated-gateway/pay_[0-9a-f]{32}")


@pytest.fixture
def box(database) -> Box:
    with database.transaction() as session:
        a_registration(session, state="Karnataka")
        a_tariff(session, terms=per_kwh(2_000))
    return a_box(database, seen_at=utc_now()).connect(at=utc_now())


@pytest.fixture
def here(box) -> str:
    return f"/c/{evse_code(box.evse_id)}"


@pytest.fixture
def own(app, guest) -> str:
    with app.app_context():
        return f"/visits/{sign('visit', guest.id)}"


def sent(page, here: str, **typed: str) -> dict[str, str]:
    """What the form of the page sends."""
    [hidden] = forms(page, f"{here}/pay")
    return hidden | {"amount": "20000"} | typed


def charging(guest: Guest) -> int:
    charge = guest.pay(now=utc_now())
    return guest.box.start(charge.reference, meter=0, at=utc_now()).number


# ── at the charger ───────────────────────────────────────────────────────────────


def test_a_free_point_says_its_price_and_takes_money_without_an_account(client, here):
    page = client.get(here)

    assert "₹20 per kWh + GST" in words(page)
    assert "₹100 ₹200 ₹500 Other" in words(page)
    assert "What you do not use comes back by itself." in words(page)
    assert len(forms(page, f"{here}/pay")) == 1


def test_who_has_an_account_starts_as_ever(driver, here):
    assert forms(driver.get(here), f"{here}/pay") == []


def test_a_point_that_costs_nothing_asks_for_no_money(client, database):
    free = a_box(database, price_paise=0, seen_at=utc_now()).connect(at=utc_now())

    page = client.get(f"/c/{evse_code(free.evse_id)}")

    assert "Log in to start" in words(page)
    assert "Pay and charge" not in words(page)


def test_where_a_vehicle_charges_nobody_is_asked_for_money(client, here, guest):
    charging(guest)
    with guest.box.database.transaction() as session:
        session.query(Connector).update({"reported_status": ReportedStatus.CHARGING})

    page = client.get(here)

    assert "Somebody is charging here." in words(page)
    assert forms(page, f"{here}/pay") == []


def test_whoever_plugged_in_first_pays_then(client, here, box):
    """OCPP 2.0.1: the plug begins a transaction of nobody."""
    box.event(EventType.STARTED, meter=1_000, at=utc_now())

    page = client.get(here)
    answer = client.post(f"{here}/pay", data=sent(page, here))

    assert "A vehicle is plugged in. Start only if it is yours." in words(page)
    assert GATEWAY.search(answer.location)


def test_a_vehicle_with_a_strange_card_is_somebody_elses(client, here, box):
    box.event(EventType.STARTED, meter=1_000, at=utc_now(), tag="DEADBEEF")

    assert "Somebody is charging here." in words(client.get(here))


def test_shortly_before_a_booking_the_page_says_until_when(client, here, box, asha):
    starts_at = slot_start(slot_no(utc_now()) + 2)
    desk = Desk(box.database, asha, box.evse_id)
    desk.book(Slot(starts_at, starts_at + HOUR), now=utc_now())

    assert "Free Until" in words(client.get(here))


def test_the_amount_leads_to_where_it_is_paid(client, here, box):
    answer = client.post(f"{here}/pay", data=sent(client.get(here), here))

    [charge] = box.sessions()
    assert answer.status_code == 303
    assert GATEWAY.search(answer.location)
    assert (charge.status, charge.prepaid_paise) == (SessionStatus.UNPAID, 20_000)


def test_an_amount_of_ones_own_in_whole_rupees(client, here, box):
    typed = sent(client.get(here), here, amount="own", own_amount="₹1,250")

    client.post(f"{here}/pay", data=typed)

    assert box.sessions()[0].prepaid_paise == 125_000


@pytest.mark.parametrize(
    "typed",
    [
        {"amount": ""},
        {"amount": "0"},
        {"amount": "-20000"},
        {"amount": "100"},
        {"amount": "1000000000"},
        {"amount": "²0000"},
        {"amount": "all of it"},
        {"amount": "own"},
        {"amount": "own", "own_amount": "0"},
        {"amount": "own", "own_amount": "-200"},
        {"amount": "own", "own_amount": "5001"},
        {"amount": "own", "own_amount": "1e3"},
        {"amount": "own", "own_amount": "99.50"},
        {"amount": "own", "own_amount": "9" * 5_000},
        {"amount": "own", "own_amount": "two hundred"},
    ],
)
def test_any_other_amount_is_refused_beside_its_field(client, here, box, typed):
    page = client.post(f"{here}/pay", data=sent(client.get(here), here, **typed))

    assert page.status_code == 422
    assert "Choose whole rupees, ₹50 to ₹5,000." in words(page)
    assert box.sessions() == []


def test_contact_is_kept_for_the_invoice_if_it_was_given(client, here, database):
    typed = {"email": " Ravi@example.com ", "phone": "98450 12345"}

    client.post(f"{here}/pay", data=sent(client.get(here), here, **typed))

    with database.reading() as session:
        found = session.query(GuestRow).one()
    assert (found.email, found.phone) == ("Ravi@example.com", "+919845012345")


@pytest.mark.parametrize("typed", [{"email": "ravi@"}, {"phone": "12"}])
def test_contact_that_leads_nowhere_is_refused(client, here, box, typed):
    page = client.post(f"{here}/pay", data=sent(client.get(here), here, **typed))

    assert page.status_code == 422
    assert box.sessions() == []


def test_pressing_twice_is_one_visit_and_one_payment(client, here, box):
    typed = sent(client.get(here), here)

    first, second = (client.post(f"{here}/pay", data=typed) for _ in range(2))

    assert first.location == second.location
    assert len(box.sessions()) == 1


def test_a_form_of_another_point_or_made_up_is_a_visit_of_its_own(
    client, here, box, app
):
    stranger = uuid4()
    with app.app_context():
        forged = [sign("visit at 999", stranger), str(stranger), "x", ""]

    for key in forged[:3]:
        client.post(f"{here}/pay", data={"key": key, "amount": "20000"})

    assert len(box.sessions()) == 3
    assert stranger not in {charge.guest_id for charge in box.sessions()}


def test_a_charger_that_went_offline_takes_no_money(client, database):
    away = a_box(database, seen_at=utc_now())
    here = f"/c/{evse_code(away.evse_id)}"

    page = client.post(f"{here}/pay", data={"amount": "20000"})

    assert page.status_code in (409, 503)
    assert "The charger is not connected just now." in words(page)
    assert away.sessions() == []


def test_no_more_than_some_pay_for_one_point(client, here, box):
    for _ in range(3):
        Guest(box).choose(now=utc_now())

    page = client.post(f"{here}/pay", data=sent(client.get(here), here))

    assert page.status_code == 409
    assert "Others are paying for this charging point just now." in words(page)


def test_whoever_presses_too_often_waits(new_app, here):
    client = new_app(rate_limits=True).test_client()

    answers = [client.post(f"{here}/pay", data={"amount": "0"}) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [422] * 10 + [429]


def test_a_provider_that_is_down_leads_to_the_visit_and_is_tried_again(
    client, here, box, monkeypatch
):
    typed = sent(client.get(here), here)

    def be_down(*_args):
        raise Unavailable

    with monkeypatch.context() as down:
        down.setattr(Simulated, "open_order", be_down)
        answer = client.post(f"{here}/pay", data=typed)
    page = client.get(answer.location)
    again = client.post(f"{answer.location}/pay")

    assert "/visits/" in answer.location
    assert "The payment provider does not answer. Try again in a moment." in words(page)
    assert "Pay ₹200.00 to start." in words(page)
    assert GATEWAY.search(again.location)
    assert len(box.sessions()) == 1


# ── the whole way ────────────────────────────────────────────────────────────────


def test_from_the_code_to_the_running_charge(client, here, box):
    gateway = client.post(f"{here}/pay", data=sent(client.get(here), here)).location
    back = client.post(gateway, data={"choice": "pay", "method": "upi"}).location
    own = client.get(back).location
    paid = client.get(own)
    [charge] = box.sessions()
    box.start(charge.reference, meter=0, at=utc_now())
    running = client.get(own)

    assert "You paid ₹200.00." in words(paid)
    assert "You paid. Plug in now." in words(paid)
    assert [command.kind for command in box.commands()] == [CommandKind.START]
    assert "₹0.00 of ₹200.00 used." in words(running)
    assert "Stop charging" in words(running)


def test_who_lost_their_page_finds_it_at_the_charger(client, here, box):
    gateway = client.post(f"{here}/pay", data=sent(client.get(here), here)).location
    back = client.post(gateway, data={"choice": "pay"}).location
    own = client.get(back).location

    page, strangers = client.get(here), client.application.test_client().get(here)

    assert "Your charge is under way here." in words(page)
    assert f'href="{own}"' in page.text
    assert "Your charge is under way here." not in words(strangers)


def test_who_leaves_the_gateway_can_pay_later(client, here, box):
    gateway = client.post(f"{here}/pay", data=sent(client.get(here), here)).location
    back = client.post(gateway, data={"choice": "fail"}).location
    own = client.get(back).location

    page = client.get(own)

    assert "Pay ₹200.00 to start." in words(page)
    assert GATEWAY.search(client.post(f"{own}/pay").location)


def test_another_amount_is_chosen_at_the_charger(client, here, box):
    client.post(f"{here}/pay", data=sent(client.get(here), here))

    client.post(f"{here}/pay", data=sent(client.get(here), here, amount="50000"))

    [charge] = box.sessions()
    assert charge.prepaid_paise == 50_000


# ── the visit ────────────────────────────────────────────────────────────────────


def test_what_was_not_paid_in_time_says_so(client, guest, own):
    guest.choose(now=utc_now() - HOUR)
    guest.box.database.perform(lambda session: drop_unpaid(session, now=utc_now()))

    page = client.get(own)

    assert "It was not paid in time." in words(page)
    assert "You paid nothing." in words(page)


def test_who_changes_their_mind_is_paid_back(client, guest, own):
    guest.pay(now=utc_now())

    answer = client.post(f"{own}/stop")
    guest.settle(now=utc_now())
    page = client.get(own)

    assert (answer.status_code, answer.location) == (303, own)
    assert "Your money comes back: ₹200.00" in words(page)
    assert "₹200.00 goes back to you" in words(page)


def test_stopping_asks_first_and_then_once(client, guest, own):
    charging(guest)

    page = client.get(f"{own}/stop")
    client.post(f"{own}/stop")
    client.post(f"{own}/stop")

    asked = [command.kind for command in guest.box.commands()]
    assert "Stop charging?" in words(page)
    assert len(forms(page, f"{own}/stop")) == 1
    assert asked == [CommandKind.START, CommandKind.STOP]


def test_the_plug_can_be_unlocked(client, guest, own):
    charging(guest)

    client.post(f"{own}/unlock")

    assert guest.box.commands()[-1].kind == CommandKind.UNLOCK


def test_in_the_end_there_is_a_bill_the_rest_and_an_invoice(client, guest, own):
    number = charging(guest)
    guest.box.stop(number, at=utc_now() + MINUTE, meter=5_000)
    guest.settle(now=utc_now() + MINUTE)

    page = client.get(own)
    [invoice] = re.findall(r'href="(/visits/[^"]+\.pdf)"', page.text)
    pdf = client.get(invoice)

    assert "Total" in words(page)
    assert "₹118.00" in words(page)
    assert "₹82.00 goes back to you" in words(page)
    assert (pdf.status_code, pdf.mimetype) == (200, "application/pdf")
    assert pdf.data.startswith(b"%PDF")


def test_what_is_still_owed_is_paid_on_the_same_page(client, guest, own):
    number = charging(guest)
    guest.box.stop(number, at=utc_now() + MINUTE, meter=9_000)
    guest.settle(now=utc_now() + MINUTE)

    page = client.get(own)
    gateway = client.post(f"{own}/dues/pay").location
    back = client.post(gateway, data={"choice": "pay"}).location
    client.get(back)

    assert "₹12.40 is still to pay." in words(page)
    assert "still to pay" not in words(client.get(own))


def test_a_visit_without_a_due_asks_for_none(client, guest, own):
    guest.pay(now=utc_now())

    assert client.post(f"{own}/dues/pay").location == own


def test_who_has_paid_is_not_asked_again(client, guest, own):
    guest.pay(now=utc_now())

    assert client.post(f"{own}/pay").location == own


def test_the_page_may_be_followed_live(client, guest, own, app):
    charge = guest.pay(now=utc_now())

    page = client.get(own)
    [token] = re.findall(r'data-live-token="([^"]+)"', page.text)

    secret = app.extensions["evcharge.settings"].secret_key
    check_topics(secret, [f"session:{charge.id}"], [token])


def test_its_part_is_the_page_without_the_frame(client, guest, own):
    guest.pay(now=utc_now())

    part = client.get(f"{own}?fragment=1")

    assert "Plug in now." in words(part)
    assert "<html" not in part.text


# ── whose it is ──────────────────────────────────────────────────────────────────

ADDRESSES = [("get", ""), ("get", "/stop")] + [
    ("post", each) for each in ("/pay", "/stop", "/unlock", "/dues/pay")
]


@pytest.mark.parametrize(("method", "rest"), ADDRESSES)
def test_a_link_that_is_not_ours_opens_nothing(client, guest, own, app, method, rest):
    charging(guest)
    with app.app_context():
        other_kind = sign("guest payment", guest.id)
        nobody = sign("visit", UUID(int=7))
    # Not the last letter: two bits of it say nothing, so it may be the same link.
    body, _, signed = own.removeprefix("/visits/").rpartition(".")
    tampered = f"{body}.{'A' if signed[0] != 'A' else 'B'}{signed[1:]}"

    for token in (other_kind, nobody, tampered, str(guest.id), "x"):
        answer = getattr(client, method)(f"/visits/{token}{rest}")
        assert answer.status_code == 404, token
    assert len(guest.box.commands()) == 1


def test_papers_of_another_guest_are_not_found(client, guest, own, app):
    number = charging(guest)
    guest.box.stop(number, at=utc_now() + MINUTE, meter=5_000)
    guest.settle(now=utc_now() + MINUTE)
    [invoice] = re.findall(r'href="(/visits/[^"]+\.pdf)"', client.get(own).text)
    other = Guest(guest.box)
    other.choose(now=utc_now() + 2 * MINUTE)
    with app.app_context():
        theirs = sign("visit", other.id)

    address = re.sub(r"/visits/[^/]+", f"/visits/{theirs}", invoice)

    assert client.get(address).status_code == 404


def test_a_driver_does_not_see_a_guests_charge_among_theirs(driver, guest):
    charge = guest.pay(now=utc_now())

    assert driver.get(f"/sessions/{charge.id}").status_code == 404
    assert charge.reference not in driver.get("/sessions").text


def test_what_was_paid_is_used_up(client, guest, own):
    number = charging(guest)
    guest.box.meter(number, 9_000, at=utc_now())
    guest.box.database.perform(
        lambda session: stop_if_spent(
            session, session_id=guest.charge.id, now=utc_now()
        )
    )
    guest.box.stop(number, at=utc_now(), meter=9_000, reason="Remote")

    assert "What was paid is used up." in words(client.get(own))


def test_an_operator_sees_it_once_it_is_paid(admin, guest):
    charge = guest.choose(now=utc_now())
    before = words(admin.get("/admin/sessions"))
    assert admin.get(f"/admin/sessions/{charge.id}").status_code == 200
    guest.capture(guest.go_to_pay(now=utc_now()), now=utc_now())
    after = words(admin.get("/admin/sessions"))

    assert charge.reference not in before
    assert charge.reference in after
    assert "Guest" in after
    assert admin.get(f"/admin/sessions/{charge.id}").status_code == 200
    assert admin.get("/admin/payments").status_code == 200
