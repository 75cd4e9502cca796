# make report   records to published pages          make test    the whole suite
# make lint     style          make types  types     make study   slow simulations
# make bench    speed          make wheel  packages  make lock    exact versions, with hashes
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
CONFIG ?= config.yaml
export PIP_ROOT_USER_ACTION = ignore

.DEFAULT_GOAL := help
.PHONY: help report test lint types lock bench study wheel browser clean

help:
	@sed -n 's/^# //p' Makefile

# --- Set-up: each stamp is renewed only when what it was made from changes ------------------------------------
$(VENV)/made:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime: requirements/lock.txt pyproject.toml | $(VENV)/made
	$(PIP) --require-hashes -r requirements/lock.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/developer: requirements/dev.txt $(VENV)/runtime
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# Pages are looked at in Chromium; PDFs are set with Pango. Where these are missing and cannot be had, the tests that
# need them say so and skip.
$(VENV)/browser: | $(VENV)/made
	@{ command -v chromium && ldconfig -p | grep -q libpangoft2-1.0; } >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && command -v apt-get >/dev/null && { echo "Installing Chromium and Pango for the tests of the pages"; \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium \
	  libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; } >$(VENV)/browser.log 2>&1; } \
	  || echo "Chromium or Pango is not here: the tests that look at pages or PDFs will be skipped"
	@touch $@

data/sample/encounters.csv.gz: | $(VENV)/runtime
	$(BIN)/profiling sample --folder data/sample

# --- What people ask for --------------------------------------------------------------------------------------
report: $(VENV)/runtime data/sample/encounters.csv.gz
	$(BIN)/profiling run --config $(CONFIG)

test: $(VENV)/developer $(VENV)/browser
	$(BIN)/python -m pytest -n auto -m "not study"

study: $(VENV)/developer
	$(BIN)/python -m pytest -m study

lint: $(VENV)/developer
	$(BIN)/ruff check .

types: $(VENV)/developer
	$(BIN)/mypy

bench: $(VENV)/developer
	$(BIN)/python -m benchmarks

wheel: $(VENV)/developer
	$(BIN)/python -m build --no-isolation

# No setting of the machine at hand enters the lock files: neither its package addresses nor its constraints.
COMPILE := env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u PIP_CONSTRAINT PIP_CONFIG_FILE=/dev/null \
  CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
  --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
  --resolver=backtracking
PROJECT := --build-deps-for wheel --build-deps-for editable --extra postgresql
lock:
	$(COMPILE) $(PROJECT) --output-file requirements/lock.txt pyproject.toml
	$(COMPILE) $(PROJECT) --output-file requirements/dev.txt --extra dev --constraint requirements/lock.txt pyproject.toml
	$(COMPILE) --output-file requirements/bench.txt requirements/bench.in

clean:
	rm -rf $(VENV) build dist site var data/sample .pytest_cache .mypy_cache .ruff_cache .hypothesis
