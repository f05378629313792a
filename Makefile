# `make demo` and `make test` install what they need; everything else builds on the same environment.
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
UV := $(shell command -v uv 2>/dev/null || echo $(VENV)/bin/uv)
STAMP := $(VENV)/.installed
# Compiled modules are kept, whatever the environment says: compiling them anew costs a process up to three seconds.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test long check bench screenshots browser clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(PY):
	@command -v uv >/dev/null 2>&1 && uv venv -q $(VENV) || python3 -m venv $(VENV)

$(STAMP): pyproject.toml | $(PY)
	@command -v uv >/dev/null 2>&1 || $(PY) -m pip install -q uv
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) sync -q --all-groups
	@touch $@

demo: $(STAMP) ## couple two systems on this machine, change both sides, synchronise, and serve the pages
	@$(VENV)/bin/crosstie demo

check: $(STAMP) ## types and style
	@$(VENV)/bin/ruff check src tests benchmarks
	@$(VENV)/bin/ruff format --check -q src tests benchmarks
	@$(VENV)/bin/mypy

browser: # for the tests of the pages
	@scripts/chromium.sh

test: check browser ## types, style and all tests in their short form
	@$(VENV)/bin/pytest -q -n 2 --dist loadgroup || \
		{ [ $$? -eq 1 ] && echo "What failed is tried once more, alone: a starved machine passes then, a defect does not." && \
		$(VENV)/bin/pytest -q --last-failed --last-failed-no-failures none; }

long: $(STAMP) ## the long form of the tests that kill processes, the stories and the selection of 50,000
	@CROSSTIE_EVERY_POINT=1 CROSSTIE_STORIES=2000 CROSSTIE_SELECTED=50000 $(VENV)/bin/pytest -q \
		tests/crash tests/jobs/test_kills.py tests/scenarios tests/unit/app/test_selecting.py

screenshots: $(STAMP) browser ## pictures of every page and dialog, in two widths, light and dark, into out/screenshots
	@$(PY) -m tests.web.screenshots

bench: $(STAMP) ## figures, side by side with the floor; ARGS=--quick for a short look
	@$(PY) -m benchmarks $(ARGS)

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
