"""`python app.py` starts the demo, as `make run` does."""

import sys
from pathlib import Path
from subprocess import run

from evcharge.cli import cli

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    if run([sys.executable, "-m", "scripts.assets"], cwd=here, check=False).returncode:
        sys.exit(1)
    cli(["demo"])
