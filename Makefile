# Every target makes what it needs, on a machine that has only Python 3.11+, git and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check fix clean help

help:  ## What there is to make.
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*##/\t/'

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tunesmith needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1' 2>&1 | grep -v WARNING || true
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(READY)  ## The whole lifecycle on a real model, in about ten minutes.
	$(BIN)/python examples/demo.py

test: $(READY)  ## Pass the tests.
	$(BIN)/python -m pytest

check: $(READY)  ## Lint, types, tests.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

fix: $(READY)  ## Format, and mend what can be mended without thought.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove the environment and caches.
	rm -rf .venv demo .pytest_cache .mypy_cache .ruff_cache
