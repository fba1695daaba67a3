"""Who may ask for what: every route with its guard, so that a change is seen."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

OURS = {"GET", "POST"}
# What no form of a page can send; programs can.
FOR_PROGRAMS = OURS | {"PATCH", "DELETE"}
# What programs of others call: they prove themselves by a signature, not a token.
SIGNED = {"/webhooks/<name>"}

GUARDS = """
public   GET  /
login    GET  /account
login    POST /account/cards/block
login    GET  /account/delete
login    POST /account/delete
login    POST /account/logout-everywhere
login    POST /account/password
login    POST /account/profile
login    GET  /account/tax
login    POST /account/tax
login    POST /account/tax/remove
login    GET  /account/tokens
login    POST /account/tokens
login    POST /account/tokens/<uuid:token_id>/revoke
operator GET  /admin/
operator POST /admin/blocks/<uuid:block_id>/lift
operator GET  /admin/bookings
operator GET  /admin/bookings.csv
operator GET  /admin/bookings/<uuid:booking_id>
operator GET  /admin/bookings/<uuid:booking_id>/cancel
operator POST /admin/bookings/<uuid:booking_id>/cancel
operator POST /admin/bookings/<uuid:booking_id>/no-show
operator GET  /admin/chargers
operator GET  /admin/chargers.csv
operator GET  /admin/chargers/<int:charger_id>
operator GET  /admin/chargers/<int:charger_id>/close
operator POST /admin/chargers/<int:charger_id>/close
operator GET  /admin/chargers/<int:charger_id>/commands
operator POST /admin/chargers/<int:charger_id>/commands
operator GET  /admin/chargers/<int:charger_id>/key
operator POST /admin/chargers/<int:charger_id>/key
operator POST /admin/chargers/<int:charger_id>/key/withdraw
operator GET  /admin/chargers/<int:charger_id>/codes
operator GET  /admin/ceilings
admin    POST /admin/ceilings/<current>/<period>
operator GET  /admin/chargers/<int:charger_id>/messages
operator GET  /admin/chargers/<int:charger_id>/messages.csv
operator GET  /admin/chargers/<int:charger_id>/messages.jsonl
operator GET  /admin/chargers/<int:charger_id>/notices
operator GET  /admin/chargers/<int:charger_id>/variables
operator GET  /admin/chargers/<int:charger_id>/edit
operator POST /admin/chargers/<int:charger_id>/edit
operator GET  /admin/chargers/<int:charger_id>/evses/new
operator POST /admin/chargers/<int:charger_id>/evses/new
operator POST /admin/chargers/<int:charger_id>/open
operator GET  /admin/dues
operator POST /admin/dues/<uuid:due_id>/waive
operator GET  /admin/documents
operator GET  /admin/documents.csv
operator GET  /admin/documents/<uuid:document_id>.pdf
operator GET  /admin/evses/<int:evse_id>/block
operator POST /admin/evses/<int:evse_id>/block
operator GET  /admin/evses/<int:evse_id>/close
operator POST /admin/evses/<int:evse_id>/close
operator GET  /admin/evses/<int:evse_id>/connectors/<int:connector_id>/edit
operator POST /admin/evses/<int:evse_id>/connectors/<int:connector_id>/edit
operator POST /admin/evses/<int:evse_id>/connectors/<int:connector_id>/remove
operator GET  /admin/evses/<int:evse_id>/connectors/new
operator POST /admin/evses/<int:evse_id>/connectors/new
operator GET  /admin/evses/<int:evse_id>/edit
operator POST /admin/evses/<int:evse_id>/edit
operator POST /admin/evses/<int:evse_id>/open
operator GET  /admin/evses/<int:evse_id>/remove
operator POST /admin/evses/<int:evse_id>/remove
admin    GET  /admin/jobs
admin    POST /admin/jobs/<int:job_id>/retry
operator GET  /admin/locations
operator GET  /admin/locations.csv
operator GET  /admin/locations/<int:location_id>
operator GET  /admin/locations/<int:location_id>/chargers/new
operator POST /admin/locations/<int:location_id>/chargers/new
operator GET  /admin/locations/<int:location_id>/codes
operator GET  /admin/locations/<int:location_id>/close
operator POST /admin/locations/<int:location_id>/close
operator GET  /admin/locations/<int:location_id>/edit
operator POST /admin/locations/<int:location_id>/edit
operator POST /admin/locations/<int:location_id>/open
operator GET  /admin/locations/new
operator POST /admin/locations/new
admin    GET  /admin/operators
admin    GET  /admin/operators/<int:operator_id>
admin    GET  /admin/operators/<int:operator_id>/edit
admin    POST /admin/operators/<int:operator_id>/edit
admin    POST /admin/operators/<int:operator_id>/members
admin    POST /admin/operators/<int:operator_id>/members/<int:user_id>/remove
admin    GET  /admin/operators/new
admin    POST /admin/operators/new
operator GET  /admin/parked
admin    POST /admin/parked/turn-away
operator GET  /admin/payments
operator GET  /admin/payments.csv
admin    GET  /admin/reconciliation
admin    GET  /admin/reconciliation.csv
admin    POST /admin/reconciliation/<int:difference_id>/resolve
admin    POST /admin/reconciliation/check
admin    POST /admin/refunds/<uuid:refund_id>/retry
operator GET  /admin/sessions
operator GET  /admin/sessions.csv
operator GET  /admin/sessions/<uuid:session_id>
operator GET  /admin/sessions/<uuid:session_id>/stop
operator POST /admin/sessions/<uuid:session_id>/stop
operator POST /admin/sessions/<uuid:session_id>/unlock
operator GET  /admin/settlement
operator GET  /admin/settlement.csv
operator GET  /admin/settlement/<int:operator_id>
admin    POST /admin/settlement/<int:operator_id>/agreements
admin    POST /admin/settlement/<int:operator_id>/agreements/<int:agreement_id>/drop
admin    POST /admin/settlement/<int:operator_id>/payouts
operator GET  /admin/tariffs
operator GET  /admin/tariffs/<int:tariff_id>
operator POST /admin/tariffs/<int:tariff_id>
operator POST /admin/tariffs/<int:tariff_id>/activity
operator POST /admin/tariffs/<int:tariff_id>/assignments
operator POST /admin/tariffs/<int:tariff_id>/assignments/<int:assignment_id>/end
operator POST /admin/tariffs/<int:tariff_id>/terms
operator GET  /admin/tariffs/new
operator POST /admin/tariffs/new
operator GET  /admin/tax
operator POST /admin/tax
operator POST /admin/tax/<int:registration_id>/end
admin    GET  /admin/users
admin    GET  /admin/users.csv
admin    GET  /admin/users/<int:user_id>
admin    POST /admin/users/<int:user_id>/cards
admin    POST /admin/users/<int:user_id>/cards/block
admin    POST /admin/users/<int:user_id>/cards/remove
admin    POST /admin/users/<int:user_id>/operators
admin    POST /admin/users/<int:user_id>/operators/<int:operator_id>/remove
admin    GET  /admin/users/<int:user_id>/reinstate
admin    POST /admin/users/<int:user_id>/reinstate
admin    POST /admin/users/<int:user_id>/role
admin    GET  /admin/users/<int:user_id>/suspend
admin    POST /admin/users/<int:user_id>/suspend
public   GET  /api/docs
operator POST /api/v1/admin/blocks/<uuid:block_id>/lift
operator GET  /api/v1/admin/bookings
operator GET  /api/v1/admin/bookings/<uuid:booking_id>
operator POST /api/v1/admin/bookings/<uuid:booking_id>/cancel
operator POST /api/v1/admin/bookings/<uuid:booking_id>/no-show
operator GET  /api/v1/admin/chargers
operator POST /api/v1/admin/chargers
operator GET  /api/v1/admin/chargers/<int:charger_id>
operator PATCH /api/v1/admin/chargers/<int:charger_id>
operator POST /api/v1/admin/chargers/<int:charger_id>/close
operator GET  /api/v1/admin/chargers/<int:charger_id>/commands
operator POST /api/v1/admin/chargers/<int:charger_id>/commands
operator POST /api/v1/admin/chargers/<int:charger_id>/key
operator DELETE /api/v1/admin/chargers/<int:charger_id>/key
operator GET  /api/v1/admin/chargers/<int:charger_id>/messages
operator POST /api/v1/admin/chargers/<int:charger_id>/open
operator GET  /api/v1/admin/commands/<uuid:command_id>
operator POST /api/v1/admin/evses
operator GET  /api/v1/admin/evses/<int:evse_id>
operator PATCH /api/v1/admin/evses/<int:evse_id>
operator DELETE /api/v1/admin/evses/<int:evse_id>
operator POST /api/v1/admin/evses/<int:evse_id>/blocks
operator POST /api/v1/admin/evses/<int:evse_id>/connectors
operator PATCH /api/v1/admin/evses/<int:evse_id>/connectors/<int:connector_id>
operator DELETE /api/v1/admin/evses/<int:evse_id>/connectors/<int:connector_id>
operator GET  /api/v1/admin/locations
operator POST /api/v1/admin/locations
operator GET  /api/v1/admin/locations/<int:location_id>
operator PATCH /api/v1/admin/locations/<int:location_id>
operator GET  /api/v1/admin/sessions
operator GET  /api/v1/admin/stats
operator GET  /api/v1/admin/tariffs
operator POST /api/v1/admin/tariffs
operator GET  /api/v1/admin/tariffs/<int:tariff_id>
operator PATCH /api/v1/admin/tariffs/<int:tariff_id>
operator POST /api/v1/admin/tariffs/<int:tariff_id>/assignments
operator DELETE /api/v1/admin/tariffs/<int:tariff_id>/assignments/<int:assignment_id>
operator POST /api/v1/admin/tariffs/<int:tariff_id>/preview
login    POST /api/v1/bookings
login    GET  /api/v1/bookings
login    GET  /api/v1/bookings/<uuid:booking_id>
login    POST /api/v1/bookings/<uuid:booking_id>/cancel
login    POST /api/v1/bookings/<uuid:booking_id>/move
login    POST /api/v1/bookings/<uuid:booking_id>/pay
login    POST /api/v1/bookings/<uuid:booking_id>/start
login    GET  /api/v1/dues
login    POST /api/v1/dues/<uuid:due_id>/pay
public   GET  /api/v1/evses/<int:evse_id>/availability
public   GET  /api/v1/locations
public   GET  /api/v1/locations/<int:location_id>
public   GET  /api/v1/places
public   GET  /api/v1/map
public   GET  /api/v1/openapi.json
login    GET  /api/v1/sessions
login    POST /api/v1/sessions
login    GET  /api/v1/sessions/<uuid:session_id>
login    POST /api/v1/sessions/<uuid:session_id>/stop
login    POST /api/v1/sessions/<uuid:session_id>/unlock
public   POST /api/v1/tokens
login    GET  /api/v1/tokens
login    DELETE /api/v1/tokens/<uuid:token_id>
login    DELETE /api/v1/tokens/current
login    GET  /bookings
login    GET  /bookings/<uuid:booking_id>
login    GET  /bookings/<uuid:booking_id>/calendar.ics
login    GET  /bookings/<uuid:booking_id>/cancel
login    POST /bookings/<uuid:booking_id>/cancel
login    GET  /bookings/<uuid:booking_id>/move
login    POST /bookings/<uuid:booking_id>/move
login    POST /bookings/<uuid:booking_id>/pay
login    POST /bookings/<uuid:booking_id>/start
public   GET  /c
public   GET  /c/<code>
login    POST /c/<code>
public   POST /c/<code>/pay
login    GET  /documents/<uuid:document_id>
login    GET  /documents/<uuid:document_id>.pdf
public   GET  /evses/<int:evse_id>/book
public   POST /evses/<int:evse_id>/book
public   GET  /guest-payments/<token>/return
public   GET  /healthz
public   GET  /locations/<int:location_id>
public   GET  /locations/cards
public   GET  /login
public   POST /login
public   POST /logout
public   GET  /metrics
login    GET  /dues
login    GET  /favourites
login    POST /favourites/<int:location_id>
login    POST /favourites/<int:location_id>/remove
login    POST /dues/<uuid:due_id>/pay
login    GET  /payments/<uuid:payment_id>
login    GET  /payments/<uuid:payment_id>/return
public   GET  /readyz
login    GET  /sessions
login    GET  /sessions/<uuid:session_id>
login    GET  /sessions/<uuid:session_id>/stop
login    POST /sessions/<uuid:session_id>/stop
login    POST /sessions/<uuid:session_id>/unlock
public   GET  /signup
public   POST /signup
public   GET  /simulated-gateway/<ref>
public   POST /simulated-gateway/<ref>
public   POST /webhooks/<name>
public   GET  /visits/<token>
public   POST /visits/<token>/dues/pay
public   POST /visits/<token>/pay
public   GET  /visits/<token>/stop
public   POST /visits/<token>/stop
public   POST /visits/<token>/unlock
public   GET  /visits/<token>/documents/<uuid:document_id>
public   GET  /visits/<token>/documents/<uuid:document_id>.pdf
"""


def routes(app: Flask) -> list[Rule]:
    """All but the files below /static, which Flask serves."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def guard(app: Flask, rule: Rule) -> str:
    return getattr(app.view_functions[rule.endpoint], "guard", "unguarded")


def is_for_programs(rule: Rule) -> bool:
    """No cookie is read there, so no page of others can make a browser act there."""
    return rule.rule.startswith("/api/")


def test_every_route_has_the_guard_it_should_have(app_once: Flask) -> None:
    found = [
        f"{guard(app_once, rule):8} {method:4} {rule.rule}"
        for rule in sorted(routes(app_once), key=lambda rule: rule.rule)
        for method in sorted(rule.methods or ())
        if method in FOR_PROGRAMS
    ]

    assert sorted(found) == sorted(GUARDS.strip().splitlines())


def test_nothing_is_changed_by_a_method_that_the_table_does_not_show(
    app_once: Flask,
) -> None:
    for rule in routes(app_once):
        known = FOR_PROGRAMS if is_for_programs(rule) else OURS
        assert (rule.methods or set()) <= known | {"HEAD", "OPTIONS"}, rule


def test_the_console_is_never_public(app_once: Flask) -> None:
    for rule in routes(app_once):
        if rule.rule.startswith(("/admin", "/api/v1/admin")):
            assert guard(app_once, rule) in ("operator", "admin"), rule


@pytest.mark.parametrize("role", ["nobody", "driver", "admin"])
def test_no_form_is_taken_without_its_token(
    app: Flask,
    client: FlaskClient,
    sign_in: Callable[[str], FlaskClient],
    role: str,
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    browser = client if role == "nobody" else sign_in(role)

    for rule in routes(app):
        is_form = "POST" in (rule.methods or ()) and not is_for_programs(rule)
        if is_form and rule.rule not in SIGNED:
            assert browser.post(address(rule)).status_code == 400, rule


def address(rule: Rule) -> str:
    """Of something that need not exist: the token is looked at first."""
    filled = {
        name: "00000000-0000-7000-8000-000000000000"
        if "uuid" in type(converter).__name__.lower()
        else "1"
        for name, converter in rule._converters.items()
    }
    path = rule.rule
    for part in rule.rule.split("/"):
        if part.startswith("<"):
            path = path.replace(part, filled[part.strip("<>").split(":")[-1]])
    return path
