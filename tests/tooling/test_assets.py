"""What `make assets` makes, and that it is made only when it must be."""

from xml.etree import ElementTree

import pytest
from fontTools.ttLib import TTFont

from scripts import assets


@pytest.fixture(scope="module")
def inter():
    with TTFont(assets.VENDOR / assets.FONT) as font:
        yield font


@pytest.mark.parametrize("sign", [*assets.SIGNS, *"Aaāŝ09"])
def test_the_font_has_every_sign_our_pages_use(inter, sign):
    assert ord(sign) in inter.getBestCmap()


def test_the_font_is_variable_and_its_figures_can_stand_in_columns(inter):
    records = inter["GSUB"].table.FeatureList.FeatureRecord

    assert [axis.axisTag for axis in inter["fvar"].axes] == ["wght"]
    assert "tnum" in {record.FeatureTag for record in records}


def test_the_sprite_has_exactly_the_icons_listed():
    sprite = ElementTree.parse(assets.VENDOR / assets.SPRITE).getroot()  # noqa: S314

    assert [symbol.attrib["id"] for symbol in sprite] == assets.icon_names()
    assert all(len(symbol) for symbol in sprite)


def test_an_icon_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(SystemExit, match="no-such-icon"):
        assets.sprite(tmp_path, ["no-such-icon"])


class Made(Exception):
    """Somebody asked npm for the sources."""


@pytest.fixture
def watched(monkeypatch):
    def install(*_):
        raise Made

    monkeypatch.setattr(assets, "install", install)


def test_nothing_is_made_again_while_nothing_changed(watched):
    assets.main()


def test_a_lost_file_is_made_again(watched, monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "VENDOR", tmp_path)

    with pytest.raises(Made):
        assets.main()


def test_they_are_made_again_when_a_source_changes(watched, monkeypatch, tmp_path):
    changed = tmp_path / "icons.txt"
    changed.write_text("alarm")
    monkeypatch.setattr(assets, "MADE_FROM", [*assets.MADE_FROM, changed])

    with pytest.raises(Made):
        assets.main()


@pytest.mark.parametrize("folder", ["assets", "tests/npm"])
def test_lock_files_name_no_registry(folder):
    lock = (assets.ROOT / folder / "package-lock.json").read_text()

    assert '"integrity"' in lock
    assert '"resolved"' not in lock
