"""The simulated gateway's own page: another party's, so it knows nothing of ours."""

from typing import cast

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.payments.models import SimulatedOrder
from evcharge.payments.providers import Providers
from evcharge.payments.providers.simulated import Method, Simulated
from evcharge.payments.providers.simulated_choices import Choice
from evcharge.payments.rules import OrderOver, PaymentStatus
from evcharge.web.context import public

gateway_pages = Blueprint("simulated_gateway", __name__, template_folder="../templates")


def gateway() -> Simulated:
    providers = cast(Providers, current_app.extensions["evcharge.providers"])
    return cast(Simulated, providers.named(Simulated.name))


@gateway_pages.get("/simulated-gateway/<ref>")
@public
def show(ref: str) -> ResponseReturnValue:
    return _page(gateway().order(ref))


@gateway_pages.post("/simulated-gateway/<ref>")
@public
def act(ref: str) -> ResponseReturnValue:
    try:
        choice = Choice(request.form.get("choice", ""))
    except ValueError:
        return _page(gateway().order(ref), problem="Choose one of the buttons."), 422
    try:
        address = gateway().choose(ref, choice, _method(request.form.get("method")))
    except OrderOver:
        return _page(gateway().order(ref)), 409
    return redirect(address or url_for(".show", ref=ref), code=303)


def _method(text: str | None) -> Method:
    """Whatever else is asked for is UPI: it decides nothing but a word."""
    return "card" if text == "card" else "upi"


def _page(order: SimulatedOrder, problem: str | None = None) -> str:
    is_open = gateway().is_open(order)
    told = None if order.status == PaymentStatus.PENDING else order.status
    return render_template(
        "payments/simulated_gateway.html",
        order=order,
        is_open=is_open,
        problem=problem,
        method=_method(request.form.get("method")),
        way_back=gateway().way_back(order, told),
    )
