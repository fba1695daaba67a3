"""`make run` on a fresh clone: python3, make and the registries, nothing else."""

import pytest

from tooling.conftest import Browser

LOGINS = ["driver@example.com", "operator@example.com", "admin@example.com"]
ASHA = {"email": "asha@example.net", "password": "four green kettles"}


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("fresh clones")
def test_make_run_serves_the_demo_and_a_second_run_keeps_the_data(start):
    first = start("make", "run")
    first.wait_until_ready(seconds=90)

    assert first.url in first.printed
    assert "charge-demo-1" in first.printed
    assert [login for login in LOGINS if login not in first.printed] == []

    visitor = Browser(first.url)
    assert visitor.status("/") == 200
    visitor.submit("/signup", name="Asha", **ASHA)
    assert ASHA["email"] in visitor.get("/account")
    first.stop()

    second = start("make", "run")
    second.wait_until_ready(seconds=15)

    returning = Browser(second.url)
    returning.submit("/login", **ASHA)
    assert ASHA["email"] in returning.get("/account")
