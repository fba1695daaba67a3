"""Build what browsers load from us into src/evcharge/web/static/vendor/.

Run as `make assets`, or `python -m scripts.assets`. Does nothing when the files
are there and nothing that they are made from has changed.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from scripts import places
from scripts.npm import install

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[1]
LOCKED = ROOT / "assets"
SCRATCH = ROOT / "build" / "assets"
ICONS = ROOT / "src/evcharge/web/icons.txt"
VENDOR = ROOT / "src/evcharge/web/static/vendor"
STAMP = SCRATCH / "stamp"
MADE_FROM = [
    LOCKED / "package-lock.json",
    ICONS,
    Path(__file__),
    Path(__file__).with_name("npm.py"),
    Path(places.__file__),
    places.HINDI,
    ROOT / "src/evcharge/places/rules.py",
]

COPIED = {
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    "bootstrap.bundle.min.js": "bootstrap/dist/js/bootstrap.bundle.min.js",
    "uplot.min.css": "uplot/dist/uPlot.min.css",
    "uplot.min.js": "uplot/dist/uPlot.iife.min.js",
}
SPRITE = "icons.svg"
FONT = "inter.woff2"
FONT_SOURCE = "inter-ui/variable/InterVariable.woff2"
# What PDFs are set in: typst reads neither WOFF nor variable fonts.
PAPER_WEIGHTS = {"regular": 400, "bold": 700}
PAPER_FONTS = [
    f"paper-{family}-{weight}.ttf"
    for family in ("inter", "devanagari")
    for weight in PAPER_WEIGHTS
]
DEVANAGARI = "@fontsource/noto-sans-devanagari"
LICENCES = "licenses.txt"
LICENCES_FROM = [
    "bootstrap/LICENSE",
    "@popperjs/core/LICENSE.md",
    "bootstrap-icons/LICENSE",
    "uplot/LICENSE",
    "inter-ui/LICENSE.txt",
    f"{DEVANAGARI}/LICENSE",
]
PRODUCTS = [*COPIED, SPRITE, FONT, *PAPER_FONTS, LICENCES]

SVG = "http://www.w3.org/2000/svg"
# A map that we do not ship would be asked for, and not found, by developer tools.
SOURCE_MAP = re.compile(rb"\n?(/\*|//)# sourceMappingURL=.*")

# Latin, Latin-1 and Latin Extended-A: English and the names of Indian places.
LETTERS = [*range(0x20, 0x7F), *range(0xA0, 0x180)]
SIGNS = "₹€–—‘’“”…·•→←↑↓−×≤≥½✓″′\u2009\u2011\u202f"
# tnum keeps changing numbers from jumping; case lifts dashes between capitals.
FEATURES = ["calt", "case", "ccmp", "kern", "locl", "mark", "mkmk", "tnum"]
# The optical size stays that of text; nothing is set lighter than 400.
AXES = {"opsz": 14, "wght": (400, 700)}


def main() -> None:
    fingerprint = _fingerprint()
    if _is_current(fingerprint):
        return
    started = time.perf_counter()
    modules = install(LOCKED, SCRATCH)
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, source in COPIED.items():
        _write(name, SOURCE_MAP.sub(b"", (modules / source).read_bytes()))
    _write(SPRITE, sprite(modules / "bootstrap-icons/icons", icon_names()))
    _write(FONT, font(modules / FONT_SOURCE))
    for name, content in paper_fonts(modules):
        _write(name, content)
    _write(LICENCES, licences(modules))
    places.build()
    STAMP.write_text(fingerprint)
    shutil.rmtree(modules)
    seconds = time.perf_counter() - started
    size = sum((VENDOR / name).stat().st_size for name in PRODUCTS)
    print(f"Built {len(PRODUCTS)} assets, {size / 1000:.0f} kB, in {seconds:.1f} s.")


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in MADE_FROM:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_current(fingerprint: str) -> bool:
    return (
        STAMP.exists()
        and STAMP.read_text() == fingerprint
        and all((VENDOR / name).exists() for name in PRODUCTS)
        and places.PRODUCT.exists()
    )


def _write(name: str, content: bytes) -> None:
    """Put the file in place at once: a running server never reads half of it."""
    unfinished = VENDOR / f".{name}.{os.getpid()}"
    unfinished.write_bytes(content)
    unfinished.replace(VENDOR / name)


def icon_names() -> list[str]:
    return sorted(set(ICONS.read_text().split()))


def sprite(icons: Path, names: list[str]) -> bytes:
    """Return one SVG with a symbol per icon, its id the icon's name."""
    ElementTree.register_namespace("", SVG)
    root = ElementTree.Element(f"{{{SVG}}}svg")
    for name in names:
        path = icons / f"{name}.svg"
        if not path.exists():
            raise SystemExit(
                f"{ICONS.relative_to(ROOT)} lists '{name}', an icon that "
                "bootstrap-icons does not have. Correct the name and run again."
            )
        drawing = ElementTree.parse(path).getroot()  # noqa: S314 - from our lock file
        symbol = ElementTree.SubElement(root, f"{{{SVG}}}symbol", id=name)
        symbol.set("viewBox", drawing.attrib["viewBox"])
        symbol.set("fill", "currentColor")
        symbol.extend(drawing)
    return ElementTree.tostring(root, encoding="utf-8")


def font(source: Path) -> bytes:
    """Return Inter, variable in weight, with the letters that our pages use."""
    return _saved(_inter(source, AXES), "woff2")


def paper_fonts(modules: Path) -> Iterator[tuple[str, bytes]]:
    """Yield Inter and Noto Sans Devanagari as PDFs take them in: a file per weight."""
    from fontTools.ttLib import TTFont

    for word, weight in PAPER_WEIGHTS.items():
        inter = _inter(modules / FONT_SOURCE, AXES | {"wght": weight})
        inter["OS/2"].usWeightClass = weight
        yield f"paper-inter-{word}.ttf", _saved(inter, None)
        file = f"files/noto-sans-devanagari-devanagari-{weight}-normal.woff2"
        hindi = TTFont(modules / DEVANAGARI / file)
        yield f"paper-devanagari-{word}.ttf", _saved(hindi, None)


def _inter(source: Path, axes: dict[str, Any]) -> "TTFont":
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    options = subset.Options(layout_features=FEATURES, hinting=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[*LETTERS, *map(ord, SIGNS)])
    inter = TTFont(source)
    subsetter.subset(inter)
    return instancer.instantiateVariableFont(inter, axes)


def _saved(made: "TTFont", flavor: str | None) -> bytes:
    made.flavor = flavor
    buffer = BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def licences(modules: Path) -> bytes:
    texts = (f"{name}\n\n{(modules / name).read_text()}" for name in LICENCES_FROM)
    return "\n\n".join(texts).encode()


if __name__ == "__main__":
    main()
