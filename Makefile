# `make` alone lists what there is. Nothing is needed but python3 and make.

PYTHON ?= python3
REQUIREMENTS ?= requirements.txt
DIST ?= dist
UV := $(shell case "$$(uv --version 2>/dev/null)" in \
	("uv 0.13."*) command -v uv ;; (*) echo .uv/bin/uv ;; esac)
BIN := .venv/bin

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
ifneq ($(origin PYTHON),file)
export UV_PYTHON := $(PYTHON)
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## list the commands
	@echo "make …"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s%s\n", $$1, $$2 }' Makefile

.PHONY: run
run: assets ## start the demo network at http://127.0.0.1:5000
	@echo "Starting the demo. Ctrl+C stops it."
	@exec $(BIN)/evcharge demo

.PHONY: test
test: everything ## run all tests (some of them: make test ARGS="tests/bookings -x")
	@echo "Building the browser assets."
	@$(BIN)/python -m scripts.assets
	@echo "Preparing the browser for the tests."
	@$(BIN)/python -m scripts.browser
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

.PHONY: bench
bench: everything ## measure how fast it is here, in some seven minutes
	@echo "Building the browser assets."
	@$(BIN)/python -m scripts.assets
	@$(BIN)/evcharge bench --docs docs/performance.md

.PHONY: check
check: lint test ## what CI runs: lint, then test

.PHONY: lint
lint: everything lock-is-current requirements-are-current ## check style, types, imports, templates and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --check --lint src
	$(BIN)/mypy
	$(BIN)/mypy examples
	$(BIN)/lint-imports
	$(BIN)/deptry src

.PHONY: format
format: everything ## put code and templates into our style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	-$(BIN)/djlint --reformat --quiet src

.PHONY: assets
assets: setup ## build what browsers load from us
	@echo "Building the browser assets."
	@$(BIN)/python -m scripts.assets

.PHONY: browser
browser: everything ## prepare the browser that tests use
	@$(BIN)/python -m scripts.browser

.PHONY: wheel
wheel: assets ## build the package, assets inside, into dist/
	@$(UV) build --quiet --wheel --clear --out-dir $(DIST)
	@ls $(DIST)/*.whl

.PHONY: requirements
requirements: $(UV) ## write requirements.txt from uv.lock
	@{ echo "# Written from uv.lock by 'make requirements'."; \
	$(UV) export --quiet --frozen --no-default-groups --group assets \
		--no-hashes --no-header --no-annotate --no-emit-project && \
	echo "-e ."; } > $(REQUIREMENTS)

.PHONY: clean
clean: ## remove what was built; the environment and the data stay
	rm -rf build dist src/evcharge/web/static/vendor
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Below: what the commands above stand on.

.PHONY: setup
setup: $(UV)
	@echo "Installing what running needs into .venv."
	@$(UV) sync --quiet --frozen --inexact --no-default-groups --group assets

.PHONY: everything
everything: $(UV)
	@echo "Installing everything, tools and tests included, into .venv."
	@$(UV) sync --quiet --frozen --all-extras --all-groups

.PHONY: lock-is-current
lock-is-current: $(UV)
	@$(UV) lock --check --quiet || { \
	echo "uv.lock does not fit pyproject.toml: run '$(UV) lock'."; exit 1; }

.PHONY: requirements-are-current
requirements-are-current:
	@mkdir -p build
	@$(MAKE) requirements REQUIREMENTS=build/requirements.txt
	@diff -u requirements.txt build/requirements.txt || { \
	echo "requirements.txt does not fit uv.lock: run 'make requirements'."; exit 1; }

.uv/bin/uv:
	@command -v $(PYTHON) >/dev/null || { \
	echo "There is no $(PYTHON) here. Install Python 3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); evcharge needs 3.11 or newer."; \
	echo "Name a newer one, like this: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "$(PYTHON) cannot make virtual environments: its venv module is missing."; \
	echo "On Debian and Ubuntu it is the package python3-venv."; exit 1; }
	@echo "Getting uv, which installs the rest, into .uv."
	@$(PYTHON) -m venv --clear .uv
	@.uv/bin/pip install --quiet --quiet "uv>=0.13,<0.14"
