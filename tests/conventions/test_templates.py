"""Templates compile, refuse what they are not given, and fit our strict policy."""

import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import StrictUndefined

SOURCE = Path(__file__).parents[2] / "src" / "evcharge"
TEMPLATES = sorted(SOURCE.glob("**/templates/**/*.html"))
SHARED = SOURCE / "web" / "templates"
# A policy without 'unsafe-inline' drops these silently.
INLINE = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:")
POST_FORM = re.compile(r"<form[^>]*method=\"post\".*?</form>", re.S | re.I)


def name_of(path: Path) -> str:
    """What a view calls it: the path below `templates/`."""
    return path.as_posix().rsplit("/templates/", 1)[1]


EACH = [pytest.param(path, id=name_of(path)) for path in TEMPLATES]


def test_the_templates_of_the_program_are_those_in_the_source(app_once: Flask) -> None:
    ours = {name_of(path) for path in TEMPLATES}

    assert ours <= set(app_once.jinja_env.list_templates())
    assert len(ours) == len(TEMPLATES)  # Two of one name would hide each other.


def test_a_value_that_was_forgotten_is_an_error(app_once: Flask) -> None:
    assert app_once.jinja_env.undefined is StrictUndefined


@pytest.mark.parametrize("path", EACH)
def test_every_template_compiles(app_once: Flask, path: Path) -> None:
    template = app_once.jinja_env.get_template(name_of(path))

    assert template.filename is not None
    assert Path(template.filename) == path


@pytest.mark.parametrize("path", EACH)
def test_nothing_is_inline(path: Path) -> None:
    assert INLINE.findall(path.read_text()) == []


@pytest.mark.parametrize("path", EACH)
def test_every_form_that_changes_something_carries_a_token(path: Path) -> None:
    for form in POST_FORM.findall(path.read_text()):
        assert "csrf()" in form, form


def test_partials_and_pages_can_be_told_apart() -> None:
    for path in TEMPLATES:
        is_page = re.search(r"{%-? extends", path.read_text()) is not None
        is_part = path.name.startswith("_")
        if path.parent != SHARED:  # The shells extend each other.
            assert is_page != is_part, path
