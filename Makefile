# Every target makes what it needs, on a machine that has only Python 3.11+, git and make.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
# A process a core, one thread each; the tests of a file share what they set up.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile
READY := .venv/.ready
DEV := .venv/.dev

.PHONY: demo test check browser fix clean help

help:  ## What there is to make.
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*##/\t/'

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tunesmith needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) 'pip>=25.1'
	$(INSTALL) torch==2.13.0
	$(INSTALL) --editable .
	@touch $@

$(DEV): $(READY)
	$(INSTALL) --group dev
	@touch $@

# Pages are tested in a real Chromium, driven by playwright, whose program needs libatomic. Where they are missing and cannot be
# installed, this says so.
browser:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } > /dev/null \
	&& { ! command -v ldconfig || ldconfig -p | grep -q libatomic.so.1; } > /dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq \
	     && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium libatomic1 > /dev/null; } \
	|| echo "the browser tests need Chromium and libatomic (Debian: apt-get install chromium libatomic1)"

demo: $(READY)  ## The whole lifecycle on a real model, in a few minutes.
	$(BIN)/python examples/demo.py

test: $(DEV) browser  ## Pass the tests.
	$(PYTEST)

check: $(DEV) browser  ## Lint, types, tests.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

fix: $(DEV)  ## Format, and mend what can be mended without thought.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove the environment and caches.
	rm -rf .venv demo .pytest_cache .mypy_cache .ruff_cache
