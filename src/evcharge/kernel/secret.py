"""The demo's secret: made once, kept beside its database."""

import os
import secrets
from pathlib import Path


def kept_secret(folder: Path) -> str:
    """Return the secret kept in the folder; on the first call, make it."""
    path = folder / "secret_key"
    try:
        # Readable by its owner alone from the first moment on.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(file, "w") as writer:
        secret = secrets.token_hex(32)
        writer.write(secret)
    return secret
