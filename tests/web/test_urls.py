import pytest
from sqlalchemy import select, text

import make
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Location
from evcharge.web.context import public, reading


@pytest.fixture
def app(new_app):
    """A program of its own, for tests that add a route."""
    return new_app()


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("7", "7"),
        ("007", "7"),
        (str(2**31 - 1), str(2**31 - 1)),
        (str(2**31), None),
        ("9" * 19, None),
        ("1" + "0" * 30, None),
        ("9" * 5000, None),
        ("-1", None),
        (str(2**31 - 10), str(2**31 - 10)),
        ("2099999999", "2099999999"),
        ("2200000000", None),
        ("7.0", None),
        ("७", None),
    ],
)
def test_an_id_no_row_can_have_is_not_found_on_any_page(app, number, found):
    @app.get("/things/<int:thing_id>")
    @public
    def thing(thing_id):
        reading().scalar(select(Location.id).where(Location.id == thing_id))
        return str(thing_id)

    answer = app.test_client().get(f"/things/{number}")

    assert answer.status_code == (200 if found else 404)
    assert found is None or answer.text == found


def test_an_id_no_row_can_have_is_not_found_by_any_method(app):
    app.patch("/things/<int:thing_id>")(public(lambda thing_id: str(thing_id)))
    app.get("/things/<int:thing_id>", endpoint="look")(public(lambda thing_id: ""))
    client = app.test_client()

    assert client.patch("/things/7").text == "7"
    assert client.patch(f"/things/{2**31}").status_code == 404
    assert client.post("/things/7").status_code == 405


@pytest.mark.parametrize("raises", ["number", "text", "date"])
def test_what_the_database_cannot_hold_is_refused_and_not_a_crash(app, dialect, raises):
    @app.get("/things")
    @public
    def things():
        if raises == "date":
            return str(utc_now().replace(year=9999, month=12) + make.HOUR * 24 * 99)
        if raises == "text" and dialect == "postgresql":
            return str(reading().scalar(text("SELECT :it"), {"it": "\0"}))
        statement = text("SELECT CAST(:it AS INTEGER)")
        return str(reading().scalar(statement, {"it": 10**30}))

    answer = app.test_client().get("/things")

    assert answer.status_code == 400
    assert "Your browser sent something we could not read." in answer.text
