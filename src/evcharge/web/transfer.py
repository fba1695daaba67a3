"""How little travels to a phone: text is compressed, assets are fetched once."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask_compress import Compress

A_MONTH = 30 * 24 * 3600
A_YEAR = 365 * 24 * 3600


def install(app: Flask) -> None:
    app.config.update(
        COMPRESS_ALGORITHM=["br", "gzip"],
        # Above this, a page's worth of time is spent for a few bytes.
        COMPRESS_BR_LEVEL=4,
        COMPRESS_LEVEL=5,
        COMPRESS_STREAMS=False,
    )
    Compress(app)
    app.url_defaults(_name_version)
    app.after_request(_keep_assets)


def _name_version(endpoint: str, values: dict[str, Any]) -> None:
    """Put what a file holds into its address, so that a new one is a new address.

    `v=none` leaves it out, where a stylesheet names the same file.
    """
    if endpoint == "static" and "filename" in values:
        values.setdefault("v", _version(values["filename"]))


@cache
def _version(filename: str) -> str:
    path = Path(__file__).parent / "static" / filename
    return sha256(path.read_bytes()).hexdigest()[:10] if path.is_file() else "missing"


def _keep_assets(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code == 200:
        response.direct_passthrough = False  # Read it here: compressing a stream
        response.make_sequence()  # leaves the file open.
        response.headers["Cache-Control"] = _lifetime()
    return response


def _lifetime() -> str:
    if request.args.get("v"):
        return f"public, max-age={A_YEAR}, immutable"
    if request.path.endswith(".woff2"):
        # The stylesheet cannot name its version; it changes with releases of Inter.
        return f"public, max-age={A_MONTH}"
    # Modules import each other without a version: those ask again each time.
    return "no-cache"
