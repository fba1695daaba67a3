"""Where was it measured, and with what?"""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter

PACKAGES = (
    "flask",
    "sqlalchemy",
    "psycopg",
    "uvicorn",
    "a2wsgi",
    "granian",
    "uvloop",
)
SYNCS = 50


def machine(folder: Path) -> dict[str, str]:
    """Return facts in the order to show them. `folder` lies where the databases do."""
    found = {
        "Cores": str(os.cpu_count()),
        "CPU": _cpu_model(),
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Saving 8 KB for good (fsync)": f"{_sync_ms(folder):.2f} ms",
        "Load before": f"{os.getloadavg()[0]:.1f}",
    }
    return found | {name: text for name in PACKAGES if (text := _version(name))}


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _sync_ms(folder: Path) -> float:
    """Durable commits wait for this; on a disk without it they are for show."""
    path = folder / "sync"
    seconds = []
    with path.open("wb") as file:
        for _ in range(SYNCS):
            file.write(bytes(8192))
            began = perf_counter()
            file.flush()
            os.fsync(file.fileno())
            seconds.append(perf_counter() - began)
    path.unlink()
    return median(seconds) * 1000
