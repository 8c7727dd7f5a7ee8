# The verbs: run, test, check, bench. Each only wraps the ordinary way: a virtual environment,
# `pip install -r requirements.txt`, then the tool itself.

PYTHON ?= python3
PLATEN_HOME ?= .platen
# A read-only checkout keeps its environment with the rest of the state.
VENV ?= $(shell if test -w .; then echo .venv; else echo "$(PLATEN_HOME)/venv"; fi)
IN_VENV = "$(VENV)/bin/python"

export PLATEN_HOME

.PHONY: run test check bench bench-quick openapi install
.DEFAULT_GOAL := run

run: install
	@$(IN_VENV) -m infra.local

test: install
	@$(IN_VENV) -m pytest

check: install
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m ruff format --check .
	@$(IN_VENV) -m mypy
	@PYTHONPATH=. "$(VENV)/bin/lint-imports"

bench: install
	@$(IN_VENV) -m benchmarks.intake

openapi: install
	@$(IN_VENV) -m infra.openapi

install:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@test -x $(IN_VENV) || { mkdir -p "$(VENV)" && $(PYTHON) -m venv "$(VENV)"; }
	@cmp -s requirements.txt "$(VENV)/requirements.installed" || { \
		echo "Installing what requirements.txt names into $(VENV) ..."; \
		$(IN_VENV) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore -r requirements.txt \
		&& cp requirements.txt "$(VENV)/requirements.installed"; }
