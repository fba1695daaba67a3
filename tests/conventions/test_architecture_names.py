"""Documents name what exists: files, functions, tests, links, quoted code."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "evcharge"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EACH = [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in DOCUMENTS]

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)

PATH = re.compile(r"([\w.*-]+/)*([\w.*-]+/|[\w*-]+\.(py|md|html|css|js|toml|txt|json))")
DOTTED = re.compile(r"(evcharge\.)?[a-z]\w*(\.\w+)+")
CALL = re.compile(r"([a-z]\w*)\(.*\)")
# What only code is spelled like: snake_case, CamelCase, CONSTANTS.
CODE_NAME = re.compile(r"[a-z]+_\w+|[A-Z][a-z]+[A-Z]\w+|[A-Z]+_[A-Z_]+")
# "bookings/forms.py     slot_from_form     what it is for"
STEP = re.compile(r"^([a-z]\w*(?:/\w+)*\.py) +([A-Za-z]\w+)  ", re.M)
AFTER = re.compile(r"^After, (.*)\n((?:\n```\w+\n(?:.*\n)*?```\n)+)", re.M)

# Made by running, or there as an example of a name.
NOT_THERE = {
    "build/bench.json",
    "data/",
    "models/",
    "services/",
    "views/",
    "static/vendor/",
}
NOT_THERE |= {"utils.py", "helpers.py", "common.py", "manager.py"}
NOT_THERE |= {"src/evcharge/web/static/vendor/"}
NOT_THERE |= {"migrations/versions/2026_12_01_what_it_does.py"}
OF_OTHERS = {
    "ChargePoint",
    "ocpp.ChargePoint",
    "max_connections",
    "op.batch_alter_table",
    "log.exception",
}
OF_OTHERS |= {
    "synchronous_commit",
    "pg_restore",
    "evcharge_forged_messages_total",
    "evcharge_jobs_total",
    "evcharge_meter_oddities_total",
}


def spans(document: Path) -> set[str]:
    return set(SPAN.findall(FENCE.sub("", document.read_text())))


def missing(names: Iterable[str], exists: Callable[[str], object]) -> list[str]:
    return sorted(name for name in names if not exists(name))


@cache
def source() -> str:
    """Where a name may come from, in one text; this file proves nothing."""
    folders = (PACKAGE, ROOT / "tests", ROOT / "scripts")
    files = [path for folder in folders for path in folder.rglob("*.py")]
    files += [ROOT / "Makefile", ROOT / "docs" / "settings.md"]
    return "\n".join(path.read_text() for path in files if path != Path(__file__))


@cache
def words() -> frozenset[str]:
    return frozenset(re.findall(r"\w+", source()))


def is_a_path(name: str) -> bool:
    """A path below the repository, the package or its web shell; a bare name may be
    that of any file."""
    bases = (ROOT, ROOT / "src", PACKAGE, PACKAGE / "web")
    if any(any(base.glob(name.rstrip("/"))) for base in bases):
        return True
    folders = (ROOT / "src", ROOT / "tests")
    return "/" not in name and any(any(each.rglob(name)) for each in folders)


def is_ours(dotted: str) -> bool:
    """Whether the name leads to something in the package, or is written down there."""
    if f'"{dotted}"' in source():  # The name of a job.
        return True
    module, *rest = dotted.removeprefix("evcharge.").split(".")
    try:
        found = import_module(f"evcharge.{module}")
        for name in rest:
            known = hasattr(found, name)
            found = (
                getattr(found, name)
                if known
                else import_module(f"{found.__name__}.{name}")
            )
    except (ImportError, AttributeError):
        return False
    return True


def slug(heading: str) -> str:
    kept = re.sub(r"[^\w\s-]", "", heading.lower())
    return re.sub(r"\s", "-", kept.strip())


@pytest.mark.parametrize("document", EACH)
def test_every_path_in_a_document_is_there(document: Path) -> None:
    paths = {span for span in spans(document) if PATH.fullmatch(span)}

    assert missing(paths - NOT_THERE, is_a_path) == []


@pytest.mark.parametrize("document", EACH)
def test_every_name_in_a_document_is_one_of_ours(document: Path) -> None:
    mentioned = spans(document) - OF_OTHERS
    named = {span for span in mentioned if CODE_NAME.fullmatch(span)}
    called = {found[1] for span in mentioned if (found := CALL.fullmatch(span))}
    dotted = {
        span
        for span in mentioned
        if DOTTED.fullmatch(span) and not PATH.fullmatch(span)
    }

    assert missing(named | called, words().__contains__) == []
    assert missing(dotted, is_ours) == []


@pytest.mark.parametrize("document", EACH)
def test_every_test_in_a_document_is_there(document: Path) -> None:
    tests = {span for span in spans(document) if re.fullmatch(r"test_\w+", span)}

    assert missing(tests, lambda name: f"def {name}(" in source()) == []


def test_every_step_of_the_journeys_is_in_its_module() -> None:
    steps = STEP.findall((ROOT / "ARCHITECTURE.md").read_text())
    modules = {step: step[0].removesuffix(".py").replace("/", ".") for step in steps}

    assert len(steps) > 15
    wrong = [
        step
        for step, module in modules.items()
        if not hasattr(import_module(f"evcharge.{module}"), step[1])
    ]
    assert wrong == []


def test_the_tree_leaves_nothing_out() -> None:
    tree = FENCE.findall((ROOT / "ARCHITECTURE.md").read_text())[0]
    named = set(re.findall(r"[\w.]+/?", tree))
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for folder in (PACKAGE, PACKAGE / "kernel", PACKAGE / "gateway")
        for path in folder.iterdir()
        if path.suffix in ("", ".py") and not path.name.startswith("__")
    }

    assert there - named == set()
    assert missing({name for name in named if name.endswith(".py")}, is_a_path) == []


@pytest.mark.parametrize("document", EACH)
def test_every_link_leads_somewhere(document: Path) -> None:
    wrong = []
    for path, anchor in LINK.findall(FENCE.sub("", document.read_text())):
        target = document.parent / path if path else document
        is_there = target.exists()
        if is_there and anchor:
            headings = HEADING.findall(FENCE.sub("", target.read_text()))
            is_there = anchor in map(slug, headings)
        if not is_there:
            wrong.append(f"{path}#{anchor}")

    assert wrong == []


def test_the_examples_of_the_style_are_our_code() -> None:
    def flat(text: str) -> str:
        return "\n".join(line.strip() for line in text.splitlines())

    examples = AFTER.findall((ROOT / "STYLE.md").read_text())
    for said, blocks in examples:
        files = [ROOT / path for path in SPAN.findall(said) if "/" in path]
        ours = "\n".join(flat(path.read_text()) for path in files)
        for block in FENCE.findall(blocks):
            assert flat(block) in ours, f"not in {said}:\n{block}"
    assert len(examples) >= 8
