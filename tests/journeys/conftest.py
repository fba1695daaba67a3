"""A demo that really runs, and browsers that notice whatever goes wrong in them."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import browser_support
from journeys.watching import watching
from program import EVCHARGE, Program, free_port

Visit = Callable[..., Page]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories on PostgreSQL share a worker, so that only one starts a demo for them."""
    for item in items:
        if "demo_on_both" in getattr(item, "fixturenames", ()) and (
            "[postgresql]" in item.name
        ):
            item.add_marker(pytest.mark.xdist_group("stories on postgresql"))


@pytest.fixture(scope="session")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Program]]:
    """The demo on a database of the kind asked for, started when it is first needed."""
    demos: dict[str, Program] = {}
    with ExitStack() as stack:

        def demo(dialect: str) -> Program:
            if dialect not in demos:
                folder = tmp_path_factory.mktemp(f"demo-{dialect}")
                settings = {
                    "EVCHARGE_DATA_DIR": str(folder / "data"),
                    "EVCHARGE_PORT": str(free_port()),
                    "EVCHARGE_RATE_LIMITS": "off",
                }
                if dialect == "postgresql":
                    settings["EVCHARGE_DATABASE_URL"] = request.getfixturevalue(
                        "postgresql"
                    )()
                log = folder / "log"
                file = stack.enter_context(log.open("w"))
                process = subprocess.Popen(
                    [EVCHARGE, "demo"],
                    env={"PATH": os.environ["PATH"]} | settings,
                    cwd=folder,
                    stdout=file,
                    stderr=file,
                    text=True,
                )
                stack.callback(_end, process)
                demos[dialect] = Program(process, int(settings["EVCHARGE_PORT"]), log)
                demos[dialect].wait_for("/readyz")
            return demos[dialect]

        yield demo


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    process.wait(20)


@pytest.fixture
def demo(running: Callable[[str], Program]) -> Program:
    """The demo as it runs on a laptop."""
    return running("sqlite")


@pytest.fixture
def demo_on_both(dialect: str, running: Callable[[str], Program]) -> Program:
    return running(dialect)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """Opens the site in a new browser of somebody's; in the end nothing went wrong."""
    complaints: list[list[str]] = []
    with ExitStack() as stack:

        def open_browser(program: Program, **options: Any) -> Page:
            profile = {"base_url": program.url("")} | options
            context = browser_support.new_context(chromium, **profile)
            stack.enter_context(context)
            context.set_default_timeout(10_000)
            page = context.new_page()
            watched = watching(page, home=program.url("/"))
            complaints.append(stack.enter_context(watched))
            return page

        yield open_browser
    assert [wrong for each in complaints for wrong in each] == []
