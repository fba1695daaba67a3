import pytest

from evcharge.web.context import current_user


@pytest.fixture
def app(new_app):
    """A program of its own, for a test that adds a route."""
    return new_app()


@pytest.mark.parametrize(
    ("role", "most"), [("driver", 1), ("admin", 1), ("operator", 2)]
)
def test_knowing_who_asks_costs_at_most_two_statements(
    sign_in, app, statements, role, most
):
    client = sign_in(role)
    app.add_url_rule("/who", view_func=lambda: str(current_user().id))
    statements.clear()

    assert client.get("/who").text == str(client.user_id)
    assert len(statements) == most
