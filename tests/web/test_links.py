from uuid import UUID

import pytest

from evcharge.web.links import LinkBroken, read, sign

GUEST = UUID("01234567-89ab-7def-8123-456789abcdef")


def test_a_signed_link_leads_to_what_was_signed(app):
    with app.app_context():
        assert read("visit", sign("visit", GUEST)) == GUEST


def test_a_link_of_one_kind_opens_no_page_of_another(app):
    with app.app_context(), pytest.raises(LinkBroken):
        read("visit", sign("guest payment", GUEST))


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: "x" + t, lambda _: ""])
def test_a_link_that_was_changed_or_cut_short_is_refused(app, spoil):
    with app.app_context(), pytest.raises(LinkBroken):
        read("visit", spoil(sign("visit", GUEST)))


def test_a_link_fits_into_an_address_as_it_is(app):
    with app.app_context():
        token = sign("visit", GUEST)
    assert set(token) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
    )
