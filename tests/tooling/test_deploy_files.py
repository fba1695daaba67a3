"""What the files for hosts name exists: commands, settings, paths, images."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from evcharge.cli import cli
from evcharge.kernel.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
RENDER = yaml.safe_load((ROOT / "render.yaml").read_text())
RAILWAY = json.loads((ROOT / "railway.json").read_text())
FILES = [
    *(ROOT / name for name in ("Dockerfile", "compose.yaml", "render.yaml")),
    *(ROOT / name for name in ("railway.json", ".env.example", "docs/operating.md")),
    *(path for path in (ROOT / "deploy").iterdir() if path.is_file()),
]

SECRET = "0123456789-abcdefgh-ABCDEFGH-xyz"
VARIABLE = re.compile(r"\$\{(\w+)(:[?-][^}]*)?\}")
# What PostgreSQL leaves to others of its usual hundred connections, and to chores.
CONNECTIONS_LEFT = 100 - 3 - 2
OURS = {name for name, service in COMPOSE["services"].items() if "build" in service}


def commands() -> Iterator[Any]:
    """Every `evcharge …` that a file starts, and that the handbook tells to type."""
    yield from (
        pytest.param(shlex.split(COMPOSE["services"][name]["command"]), id=name)
        for name in sorted(OURS)
    )
    cmd = json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE, re.M)[-1])
    yield pytest.param(cmd, id="Dockerfile")
    [service] = RENDER["services"]
    deploy = RAILWAY["deploy"]
    for host, command in (
        ("Render, before", service["preDeployCommand"]),
        ("Render", service["dockerCommand"]),
        ("Railway, before", deploy["preDeployCommand"][0]),
        ("Railway", deploy["startCommand"]),
    ):
        yield pytest.param(shlex.split(command), id=host)
    units = (ROOT / "deploy").glob("*.service")
    for path in (ROOT / "docs" / "operating.md", *units):
        said = re.findall(r"^[^#`|\n]*?\b(evcharge [a-z].*)$", told(path), re.M)
        for line in said:
            words = shlex.split(line, comments=True)
            yield pytest.param(words, id=" ".join(words))


def told(path: Path) -> str:
    """Return what is to be typed, or for a machine to read."""
    text = path.read_text()
    if path.suffix != ".md":
        return text
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S))


def check_command(command: click.Command, words: list[str]) -> None:
    """Raises: click.UsageError, for names and options that do not exist."""
    context = click.Context(command, info_name=words[0])
    _, left, _ = command.make_parser(context).parse_args(words[1:])
    if isinstance(command, click.Group):
        _, subcommand, _ = command.resolve_command(context, left)
        assert subcommand is not None
        check_command(subcommand, left)
    else:
        assert left == []


@pytest.mark.parametrize("words", list(commands()))
def test_every_command_exists(words: list[str]) -> None:
    assert words[0] == "evcharge"

    check_command(cli, words)


def test_a_command_that_does_not_exist_is_found_out() -> None:
    for words in (["evcharge", "wep"], ["evcharge", "web", "--worker-count", "2"]):
        with pytest.raises(click.UsageError):
            check_command(cli, words)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_exists(path: Path) -> None:
    named = set(re.findall(r"EVCHARGE_[A-Z_]+", path.read_text()))

    known = {f"EVCHARGE_{name.upper()}" for name in Settings.model_fields}
    assert named - known == set()


def filled_in(settings: dict[str, object]) -> dict[str, str]:
    """As compose reads them from a .env in which everything is said."""
    said = {"EVCHARGE_SECRET_KEY": SECRET, "POSTGRES_PASSWORD": "aF3"}
    return {
        name: VARIABLE.sub(lambda found: said.get(found[1], ""), str(value))
        for name, value in settings.items()
    }


def read_with(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Settings:
    for name in (
        "PORT",
        *(f"EVCHARGE_{each.upper()}" for each in Settings.model_fields),
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return read_settings()


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_settings_of_compose_are_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    environment = filled_in(COMPOSE["services"][name]["environment"])

    settings = read_with(monkeypatch, environment)

    assert settings.database_url == "postgresql://evcharge:aF3@postgres/evcharge"
    assert settings.valkey_url.startswith("redis://valkey:")
    assert settings.proxies == 1


def test_the_settings_of_render_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    [service], [database] = RENDER["services"], RENDER["databases"]
    made = {"generateValue": SECRET, "fromDatabase": "postgresql://a:b@c/d"}
    environment = {}
    for variable in service["envVars"]:
        [kind] = variable.keys() - {"key"}
        environment[variable["key"]] = made.get(kind, variable.get("value"))

    settings = read_with(monkeypatch, environment | {"PORT": "10000"})

    assert settings.port == 10000
    assert settings.database_url == made["fromDatabase"]
    [attached] = [
        each["fromDatabase"] for each in service["envVars"] if "fromDatabase" in each
    ]
    assert attached == {"name": database["name"], "property": "connectionString"}


def test_all_that_compose_needs_is_in_the_example_and_is_missed() -> None:
    text = (ROOT / "compose.yaml").read_text()
    example = (ROOT / ".env.example").read_text()
    offered = dict(re.findall(r"^(\w+)=(.*)$", example, re.M))
    wanted = dict(VARIABLE.findall(text))

    assert offered == dict.fromkeys(wanted, "")
    assert {name for name, rule in wanted.items() if rule.startswith(":?")} == {
        "SITE_ADDRESS",
        "EVCHARGE_SECRET_KEY",
        "POSTGRES_PASSWORD",
    }


@pytest.mark.parametrize("ignored_by", [".gitignore", ".dockerignore"])
def test_secrets_stay_on_the_machine(ignored_by: str) -> None:
    lines = (ROOT / ignored_by).read_text().splitlines()

    assert ".env" in lines or "*" in lines
    assert "!.env" not in lines


def test_images_are_pinned_to_a_version() -> None:
    images = [service["image"] for service in COMPOSE["services"].values()]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)

    of_others = {image for image in images if image != "evcharge:local"}
    assert len(of_others) == 4
    assert [each for each in of_others if not re.search(r":\d+[\d.]*(-|$)", each)] == []


def final_stage() -> str:
    return DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def test_the_image_runs_as_nobody_in_particular() -> None:
    users = re.findall(r"^USER (.+)$", final_stage(), re.M)

    assert users
    assert int(users[-1]) > 0
    assert f"--uid {users[-1]} " in final_stage()


def test_the_image_carries_no_tools() -> None:
    run = " ".join(re.findall(r"^RUN (.*)$", final_stage(), re.M))

    assert re.findall(r"\b(apt|apt-get|pip|uv|npm|curl|wget)\b", run) == []


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    open_to_all = {
        name for name, service in COMPOSE["services"].items() if "ports" in service
    }

    assert open_to_all == {"caddy"}


def test_tables_are_migrated_before_anything_uses_them() -> None:
    waiting = {
        name: COMPOSE["services"][name]["depends_on"]["migrate"]["condition"]
        for name in OURS - {"migrate"}
    }

    assert set(waiting.values()) == {"service_completed_successfully"}
    assert waiting.keys() == {"web", "gateway", "worker"}


def test_whoever_is_waited_for_says_how_it_is() -> None:
    """The pages and the gateway have the check of the image."""
    services = COMPOSE["services"]
    awaited = {
        name
        for service in services.values()
        for name, wait in service.get("depends_on", {}).items()
        if wait["condition"] == "service_healthy"
    }

    assert awaited == {"postgres", "valkey", "web", "gateway"}
    assert {name for name in awaited if "healthcheck" in services[name]} == {
        "postgres",
        "valkey",
    }
    assert "HEALTHCHECK" in final_stage()


def test_compose_keeps_within_the_connections_of_its_database() -> None:
    each = Settings(secret_key=SECRET).connections  # type: ignore[arg-type]
    words = shlex.split(COMPOSE["services"]["web"]["command"])
    programs = int(words[words.index("--workers") + 1]) + 1  # The worker.

    assert programs * each <= CONNECTIONS_LEFT


def test_hosts_ask_whether_we_are_alive_where_we_answer(app: Any) -> None:
    paths = {
        RENDER["services"][0]["healthCheckPath"],
        RAILWAY["deploy"]["healthcheckPath"],
        *re.findall(r"\{port\}(/\w+)", (ROOT / "deploy/healthcheck.py").read_text()),
    }

    assert paths == {"/healthz"}
    assert app.test_client().get("/healthz").status_code == 200


def test_docker_itself_can_read_the_files_git_has() -> None:
    """No file that the Dockerfile copies is left out of the repository."""
    wanted = [
        source
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
        for source in sources.split()
    ]
    tracked = subprocess.run(
        ["git", "ls-files", *wanted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert [
        each for each in wanted if not any(t.startswith(each) for t in tracked)
    ] == []
