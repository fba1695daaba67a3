"""`evcharge bench` as somebody runs it, and how it ends when they stop it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from evcharge.bench.command import NAMES, bench
from evcharge.bench.rows import ROWS
from program import EVCHARGE

QUICK = ("bench", "--quick", "--database", "sqlite")


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    """Runs the command; all it makes is below the folder `made`."""
    made = tmp_path / "made"
    made.mkdir()
    started = []
    # What a shell runs in the background ignores Ctrl+C, and so would all below it.
    heeded = signal.signal(signal.SIGINT, signal.default_int_handler)

    def run(*words: str) -> subprocess.Popen[str]:
        # Settings of this shell are none of those that are measured.
        mine = {"TMPDIR": str(made), "EVCHARGE_PORT": "nonsense", "PORT": "1"}
        process = subprocess.Popen(
            [EVCHARGE, *words],
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"} | mine,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    signal.signal(signal.SIGINT, heeded)
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def working_below(folder: Path) -> list[str]:
    """Return what runs in that folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if folder in (each / "cwd").readlink().parents:
                found.append((each / "cmdline").read_text())
        except OSError:  # It has just ended.
            continue
    return found


@pytest.mark.timeout(120)
def test_a_row_is_measured_and_nothing_is_left(start, tmp_path):
    process = start(*QUICK, "--only", "race", "--out", "found/bench.json")
    said, _ = process.communicate(timeout=100)

    assert process.returncode == 0, said
    found = json.loads((tmp_path / "found" / "bench.json").read_text())
    assert list(found["results"]) == ["race"]
    winners, _, audit = found["results"]["race"]["facts"]
    assert (winners["value"], winners["is_met"]) == ("1", True)
    assert (audit["value"], audit["is_met"]) == ("0", True)
    assert "### 64 clients on one slot" in said
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_leaves_nothing(start, tmp_path, number):
    process = start(*QUICK, "--only", "race")
    made = tmp_path / "made"
    deadline = time.monotonic() + 60
    while not working_below(made):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)

    process.send_signal(number)
    said, _ = process.communicate(timeout=60)

    assert process.returncode != 0
    assert "Traceback" not in said
    assert working_below(made) == []
    assert list(made.iterdir()) == []
    assert not (tmp_path / "build").exists()


def test_tables_in_the_document_come_from_a_full_run(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text("words")

    for words in (
        ["--quick"],
        ["--only", "race"],
        ["--database", "sqlite"],
        ["--set", "web_threads=2"],
    ):
        refused = CliRunner().invoke(bench, [*words, "--docs", str(document)])
        assert (refused.exit_code, document.read_text()) == (2, "words")
        assert "one full run" in refused.output


def test_settings_are_handed_on(start, tmp_path):
    """The program refuses this one, and what it says is told."""
    process = start(*QUICK, "--only", "race", "--set", "web_threads=none")
    said, _ = process.communicate(timeout=100)

    assert process.returncode == 1
    assert "EVCHARGE_WEB_THREADS" in said
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize("words", ["web_threads", "=2", "Web-Threads=2"])
def test_a_setting_has_a_name_and_a_value(words):
    assert CliRunner().invoke(bench, ["--set", words]).exit_code == 2


def test_every_row_has_its_name():
    assert list(ROWS) == list(NAMES)


def test_help_does_not_load_what_only_measuring_needs():
    code = "import sys, evcharge.cli; print('evcharge.bench.lab' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert said.stdout == "False\n"
