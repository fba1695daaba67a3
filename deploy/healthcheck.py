"""Is the program in this container alive? The exit code is the answer.

Standard library only: the image has no curl.
"""

import os
from urllib.request import ProxyHandler, build_opener

port = os.environ.get("EVCHARGE_PORT") or os.environ.get("PORT") or "5000"
# A proxy that the container is to use for others knows nothing of us.
build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/healthz", timeout=4)
