# The verbs: run, test, check, bench, bench-quick, quality, soak. Each only wraps the ordinary way: a virtual environment,
# `pip install -r requirements.txt`, then the tool itself.

PYTHON ?= python3
PLATEN_HOME ?= .platen
# A read-only checkout keeps its environment with the rest of the state.
VENV ?= $(shell if test -w .; then echo .venv; else echo "$(PLATEN_HOME)/venv"; fi)
# exec: a signal to make must reach the program, and not a shell in front of it.
IN_VENV = exec "$(VENV)/bin/python"

.PHONY: run test check bench bench-quick quality soak openapi install
.DEFAULT_GOAL := run

# NAS=smb starts a Samba server and files designs there.
run: install
	@$(IN_VENV) -m infra.local $(if $(NAS),--nas="$(NAS)")

test: install
	@$(IN_VENV) -m pytest

check: install
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m ruff format --check .
	@$(IN_VENV) -m mypy
	@PYTHONPATH=. $(IN_VENV) "$(VENV)/bin/lint-imports"

# Every claim of speed; ONLY=intake measures one module, JSON=1 keeps the figures in benchmarks/results.
bench: install
	@$(IN_VENV) -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json)

# Under a minute; fails where a ratio is far below what was measured.
bench-quick: install
	@$(IN_VENV) -m benchmarks --quick

# How well duplicates are told from new designs. Needs npm once, for public art; QUICK=1: a tenth.
quality: install
	@"$(VENV)/bin/python" -m pip install --quiet --disable-pip-version-check \
		--root-user-action=ignore -r benchmarks/requirements.txt
	@$(IN_VENV) -m benchmarks.quality $(if $(QUICK),--quick)

# All functions under load and faults; fails where a promise was not kept. NAS=smb: on a Samba server.
soak: install
	@$(IN_VENV) -m benchmarks.soak --minutes $(or $(MINUTES),20) $(if $(NAS),--nas="$(NAS)")

openapi: install
	@$(IN_VENV) -m infra.openapi

install:
	@exec $(PYTHON) infra/install.py "$(VENV)"
