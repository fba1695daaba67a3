"""A charger that is not ours: npm's ocpp-rpc, which checks everything by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import make
from charger import KEY
from evcharge.accounts.models import RfidTag
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import SessionStatus
from scripts.browser import SCRATCH
from talk import CARD

SCRIPT = Path(__file__).with_name("rpc_charger.cjs")
NODE = Path(sys.executable).with_name("node")
MODULES = SCRATCH / "node_modules"
CHANGED = {
    "ocpp1.6": ["GetConfiguration", *["ChangeConfiguration"] * 3],
    "ocpp2.0.1": ["GetVariables", *["SetVariables"] * 5],
}


def charge_by_npm(port: int, protocol: str) -> dict:
    assert (MODULES / "ocpp-rpc").exists(), "run `make browser` first"
    done = subprocess.run(
        [NODE, SCRIPT, f"ws://127.0.0.1:{port}/ocpp", "CP-1", KEY, protocol],
        env=os.environ | {"NODE_PATH": str(MODULES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
def test_a_charger_of_others_boots_charges_and_leaves(served, protocol):
    gateway = served()
    gateway.add_charger("CP-1")
    with gateway.database.transaction() as session:
        driver = make.a_user(session)
        session.add(RfidTag(uid=CARD, user_id=driver.id, created_at=make.NOON))

    told = charge_by_npm(gateway.port, protocol)

    said = [json.dumps(answer) for _, answer in told["answers"]]
    assert '"Accepted"' in said[0]
    assert '"Accepted"' in said[2]
    assert "UnknownVendorId" in said[-2]
    assert told["asked"] == CHANGED[protocol]
    with gateway.database.reading() as session:
        (charge,) = session.query(ChargingSession).all()
        assert charge.status == SessionStatus.COMPLETED
        assert charge.energy_wh == 2000
        assert charge.user_id == driver.id
        assert charge.flags == []
