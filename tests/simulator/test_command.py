"""The simulator as a program, against a server in this one."""

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager

import pytest

from evcharge.simulator.spec import BadSpec, made_up, read_spec
from loops import run_apart
from simulator.csms import a_csms

LINE = {
    "identity": "CP-1",
    "key": "k" * 20,
    "version": "1.6",
    "evses": [
        {
            "number": 1,
            "connectors": [{"number": 1, "kind": "ccs2", "power_w": 60_000}],
        }
    ],
}
CALM = ("--trouble", "0", "--spread", "0")


@asynccontextmanager
async def a_program(csms, *words):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "evcharge.simulator", "--url", csms.url, *CALM, *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process):
    async with asyncio.timeout(15):
        said, complaints = await process.communicate()
    return process.returncode, said.decode(), complaints.decode()


def test_chargers_connect_with_their_key_and_go_when_told_to():
    async def run():
        async with a_csms() as csms:
            words = ("--chargers", "4", "--key", "secret-secret-1234", "--busy", "0")
            async with a_program(csms, *words) as process:
                await csms.hear("BootNotification", 4)
                keys = {
                    socket.request.headers["Authorization"].startswith("Basic ")
                    for socket in csms.sockets.values()
                }
                process.send_signal(signal.SIGTERM)
                code, said, complaints = await ended(process)

        assert keys == {True}
        assert csms.sockets.keys() == {f"SIM-{n:04d}" for n in (1, 2, 3, 4)}
        assert (code, complaints) == (0, "")
        assert "of 4 chargers connected" in said

    run_apart(run())


def test_a_fleet_by_standard_input_ends_with_it():
    async def run():
        async with a_csms() as csms, a_program(csms, "--fleet", "-") as process:
            process.stdin.write(b"nonsense\n" + json.dumps(LINE).encode() + b"\n")
            await csms.hear("BootNotification")
            process.stdin.close()
            code, _, complaints = await ended(process)

        assert code == 0
        assert "not a charger: 'nonsense" in complaints

    run_apart(run())


def test_the_ledger_is_there_after_a_sudden_death(tmp_path):
    async def run():
        fleet, ledger = tmp_path / "fleet.jsonl", tmp_path / "ledger.jsonl"
        start = {"state": "charging", "connector": 1, "since": 1_790_000_000.0}
        evse = LINE["evses"][0] | {"at_start": start}
        fleet.write_text(json.dumps(LINE | {"evses": [evse]}) + "\n")
        words = ("--fleet", str(fleet), "--ledger", str(ledger))
        async with a_csms() as csms, a_program(csms, *words) as process:
            await csms.hear("StartTransaction")
            process.kill()
            await process.wait()
        [line] = [json.loads(text) for text in ledger.read_text().splitlines()]

        assert (line["what"], line["charger"]) == ("started", "CP-1")

    run_apart(run())


def test_a_fleet_that_makes_no_sense_is_refused(tmp_path):
    async def run():
        fleet = tmp_path / "fleet.jsonl"
        fleet.write_text('{"identity": "CP-1"}\n')
        async with a_csms() as csms, a_program(csms, "--fleet", str(fleet)) as process:
            code, _, complaints = await ended(process)

        assert code == 1
        assert "not a charger" in complaints

    run_apart(run())


@pytest.mark.parametrize(
    "change", [{"version": "1.5"}, {"evses": []}, {"evses": [{"number": 1}]}]
)
def test_a_line_that_describes_no_charger_is_refused(change):
    with pytest.raises(BadSpec):
        read_spec(json.dumps(LINE | change))


def test_the_same_seed_makes_the_same_chargers():
    one, same, other = (
        list(made_up(9, prefix="SIM", key="", version="mixed", cards=(), seed=seed))
        for seed in (1, 1, 2)
    )

    assert one == same != other
    assert {spec.version for spec in one} == {"1.6", "2.0.1"}
