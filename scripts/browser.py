"""Prepare the browser for the tests: `make browser`.

A Chromium of the machine is used when there is one. Otherwise one is unpacked
from npm, without root and with the libraries it needs beside it. TEST_BROWSER=npm
takes that one in any case.
"""

import hashlib
import io
import os
import platform
import shutil
import tarfile
from pathlib import Path

from scripts.npm import install

ROOT = Path(__file__).resolve().parents[1]
LOCKED = ROOT / "tests" / "npm"
SCRATCH = ROOT / "build" / "browser"
STAMP = SCRATCH / "stamp"
AXE = SCRATCH / "node_modules/axe-core/axe.min.js"
UNPACKED = SCRATCH / "chromium"
NPM_CHROMIUM = UNPACKED / "chromium"
SYSTEM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]

# The npm Chromium names folders of another machine; these are ours.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{unpacked}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{unpacked}/fonts-cache</cachedir>
</fontconfig>
"""


def system_chromium() -> Path | None:
    """Return the machine's own Chromium, if it has one and tests may use it."""
    if os.environ.get("TEST_BROWSER") == "npm":
        return None
    found = (shutil.which(name) for name in SYSTEM_NAMES)
    return next((Path(path) for path in found if path), None)


def main() -> None:
    system = system_chromium()
    fingerprint = _fingerprint(system)
    if STAMP.exists() and STAMP.read_text() == fingerprint:
        return
    if system:
        print(f"The tests use this machine's browser, {system}.")
        install(LOCKED, SCRATCH, "--omit=optional")
    else:
        print("This machine has no Chromium: unpacking the one from npm.")
        _check_machine()
        modules = install(LOCKED, SCRATCH)
        _unpack(modules / "@sparticuz/chromium/bin")
    STAMP.write_text(fingerprint)


def _fingerprint(system: Path | None) -> str:
    digest = hashlib.sha256()
    digest.update((LOCKED / "package-lock.json").read_bytes())
    digest.update(Path(__file__).read_bytes())
    return f"{digest.hexdigest()} {system or 'npm'}"


def _check_machine() -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise SystemExit(
            "The browser tests need Chromium, and npm has it for Linux on x86_64 "
            "only. Install Chromium or Google Chrome and run the same command again."
        )


def _unpack(packed: Path) -> None:
    from brotli import decompress

    shutil.rmtree(UNPACKED, ignore_errors=True)
    UNPACKED.mkdir(parents=True)
    for archive in ("al2023.tar.br", "swiftshader.tar.br", "fonts.tar.br"):
        content = io.BytesIO(decompress((packed / archive).read_bytes()))
        with tarfile.open(fileobj=content) as tar:
            # Python 3.11.0 to 3.11.3 have no filters yet.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(UNPACKED)  # noqa: S202 - from our lock file
    NPM_CHROMIUM.write_bytes(decompress((packed / "chromium.br").read_bytes()))
    NPM_CHROMIUM.chmod(0o755)
    (UNPACKED / "fonts.conf").write_text(FONTS.format(unpacked=UNPACKED))
    shutil.rmtree(packed)  # 70 MB that nobody reads again


if __name__ == "__main__":
    main()
