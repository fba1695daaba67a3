"""Every address of the console, asked for by everybody who might."""

from dataclasses import dataclass

import pytest
from flask import url_for

import make
import money_rows
import papers
import tariff_rows
from charging_rows import a_session
from console import a_world
from evcharge.invoices.service import invoice
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Evse, Location

HIDDEN_FROM_OPERATORS = {"accounts_admin", "reports_admin.jobs", "reports_admin.retry"}
HIDDEN_FROM_OPERATORS |= {"payments_admin.retry", "network_admin.turn_parked_away"}

HIDDEN_FROM_OPERATORS |= {"tariffs_admin.set_ceiling"}
HIDDEN_FROM_OPERATORS |= {
    f"finance_admin.{name}"
    for name in (
        "add_agreement",
        "check",
        "drop_agreement",
        "pay_out",
        "reconciliation",
        "reconciliation_csv",
        "resolve",
    )
}


@dataclass(frozen=True)
class Charging:
    """A world in which somebody charges, and money does not agree."""

    ids: dict[str, object]


@pytest.fixture
def world(database):
    made = a_world(database)
    with database.transaction() as session:
        found = {
            "session_id": a_session(session, made.evse_id, made.driver_id).id,
            "due_id": money_rows.a_due(session, made.location_id, made.driver_id).id,
            "difference_id": money_rows.a_difference(session).id,
            "agreement_id": money_rows.an_agreement(session, made.operator_id).id,
        }
        tariff = tariff_rows.a_tariff(session, terms=tariff_rows.per_kwh(1_800))
        found["tariff_id"] = tariff.id
        found["assignment_id"] = tariff.assignments[0].id
        found |= {"current": "DC", "period": "solar"}
        site = session.get_one(Location, made.location_id)
        found["registration_id"] = papers.a_registration(session, site).id
        bill = papers.a_bill(
            session,
            session.get_one(Evse, made.evse_id),
            registration_id=found["registration_id"],
            user_id=made.driver_id,
        )
        paper = invoice(session, bill.id, now=utc_now())
        assert paper is not None
        found["document_id"] = paper.id
    return Charging(made.ids | found)


@pytest.fixture
def own(sign_in, database, world):
    return sign_in("operator", operator=operator_of(database, "Test Power"))


@pytest.fixture
def stranger(sign_in, database):
    return sign_in("operator", operator=operator_of(database, "Other Power"))


def operator_of(database, name):
    with database.transaction() as session:
        return make.an_operator(session, name)


def console_rules(app, method):
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin/") and method in rule.methods
    ]


def address(app, rule, world):
    values = {name: world.ids[name] for name in rule.arguments}
    with app.test_request_context():
        return url_for(rule.endpoint, **values)


def addresses(app, method, world, *, for_operators=None):
    for rule in console_rules(app, method):
        feature = rule.endpoint.split(".")[0]
        hidden = {feature, rule.endpoint} & HIDDEN_FROM_OPERATORS
        if for_operators is None or for_operators != bool(hidden):
            yield rule, address(app, rule, world)


def names_something(rule):
    return bool(rule.arguments)


def test_there_are_many_addresses_to_ask_for(app):
    assert len(console_rules(app, "GET")) > 25
    assert len(console_rules(app, "POST")) > 20


def test_strangers_are_asked_to_log_in(app, client, world):
    for _, url in addresses(app, "GET", world):
        answer = client.get(url)
        assert (answer.status_code, "/login" in answer.location) == (303, True), url
    for _, url in addresses(app, "POST", world):
        assert client.post(url).status_code == 401, url


def test_drivers_are_turned_away(app, driver, world):
    for _, url in addresses(app, "GET", world):
        assert driver.get(url).status_code == 403, url
    for _, url in addresses(app, "POST", world):
        assert driver.post(url).status_code == 403, url


def test_pages_for_admins_turn_operators_away(app, own, world):
    for _, url in addresses(app, "GET", world, for_operators=False):
        assert own.get(url).status_code == 403, url
    for _, url in addresses(app, "POST", world, for_operators=False):
        assert own.post(url).status_code == 403, url


def test_operators_and_admins_see_what_is_theirs(app, own, admin, world):
    for _, url in addresses(app, "GET", world, for_operators=True):
        assert own.get(url).status_code == 200, url
    for _, url in addresses(app, "GET", world):
        assert admin.get(url).status_code == 200, url


def test_other_operators_find_nothing(app, stranger, world):
    for rule, url in addresses(app, "GET", world, for_operators=True):
        answer = stranger.get(url)
        if names_something(rule):
            assert answer.status_code == 404, url
        else:
            assert answer.status_code == 200, url
            assert "Test Power" not in answer.text, url


def test_other_operators_change_nothing(app, stranger, world):
    for rule, url in addresses(app, "POST", world, for_operators=True):
        if names_something(rule):
            assert stranger.post(url).status_code == 404, url


def test_what_is_posted_empty_is_never_our_fault(app, own, admin, world):
    for _, url in addresses(app, "POST", world, for_operators=True):
        assert own.post(url).status_code < 500, url
    for _, url in addresses(app, "POST", world):
        assert admin.post(url).status_code < 500, url


def test_no_form_is_taken_without_its_token(app, admin, world):
    app.config["WTF_CSRF_ENABLED"] = True

    for _, url in addresses(app, "POST", world):
        assert admin.post(url).status_code == 400, url
