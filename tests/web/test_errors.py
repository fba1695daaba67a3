import pytest
from sqlalchemy import text

from evcharge.web.context import public, reading


@pytest.fixture
def app(new_app):
    """A program of its own, for tests that add a route."""
    return new_app()


def test_a_number_no_column_holds_is_refused_with_a_page(app):
    @public
    def ask():
        reading().execute(text("SELECT CAST(:n AS integer)"), {"n": 2**63})
        return "held"

    app.add_url_rule("/ask", view_func=ask)

    page = app.test_client().get("/ask")

    assert page.status_code == 400
    assert "could not read" in page.text


def test_who_is_signed_in_is_known_on_the_page_of_a_refusal(app, sign_in):
    @public
    def ask():
        reading().execute(text("SELECT CAST(:n AS integer)"), {"n": 2**63})
        return "held"

    app.add_url_rule("/ask", view_func=ask)

    page = sign_in("driver").get("/ask")

    assert page.status_code == 400
    assert "Log out" in page.text
