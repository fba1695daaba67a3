# syntax=docker/dockerfile:1

# What builds: uv, Node and the font tools. None of it is in the image that runs.
FROM python:3.13-slim AS build

ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir "uv>=0.13,<0.14"

# What seldom changes comes first, so that it is not installed anew for each commit.
WORKDIR /build
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --only-group assets \
 && UV_PROJECT_ENVIRONMENT=/opt/evcharge \
    uv sync --frozen --no-default-groups --all-extras --no-install-project

COPY README.md LICENSE NOTICE ./
COPY assets assets
COPY scripts scripts
COPY src src
RUN PYTHONPATH=src .venv/bin/python -m scripts.assets \
 && UV_PROJECT_ENVIRONMENT=/opt/evcharge \
    uv sync --frozen --no-default-groups --all-extras --no-editable


# The same Python as above: the environment points to it.
FROM python:3.13-slim

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/evcharge evcharge
COPY --from=build /opt/evcharge /opt/evcharge
COPY deploy/healthcheck.py /opt/evcharge/healthcheck.py

# PORT, where a host sets it, decides about the port.
ENV PATH="/opt/evcharge/bin:$PATH" EVCHARGE_HOST=0.0.0.0
EXPOSE 5000
USER 10001
# With SQLite, and for the demo: the folder data in here is what to keep.
WORKDIR /var/lib/evcharge

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "/opt/evcharge/healthcheck.py"]

# No ENTRYPOINT, so that hosts and compose.yaml name whole commands.
CMD ["evcharge", "serve"]
