# Everything a person does here starts with make. `make help` lists it.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
DEMO ?=
T ?=
VENV := .venv/bin
LAUNCH := $(PYTHON) config/launcher.py
# The launcher says which Python it needs, to every Python that can read it; this line says it to the others.
FIT := @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || { \
	echo "Python 3.11 or newer is needed, and there is none as $(PYTHON): install it, or name it: make PYTHON=python3.12" >&2; exit 1; }
# What checks and tests run with: keys that open nothing.
QUIET := SECRET_KEY=only-for-checks IDENTITY_KEYS=MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA= DEBUG=0 DEMO=0

.DEFAULT_GOAL := help
.PHONY: help run setup test check types lint texts bench lock docs

help: ## List what can be done
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: ## Start everything: make run [PORT=8000] [DEMO=0] [HOST=0.0.0.0] [VAR_DIR=folder]
	$(FIT)
	@$(LAUNCH) run --port '$(PORT)' --host '$(HOST)' --demo '$(DEMO)' --var '$(VAR_DIR)'

setup: ## Make the virtual environment with what tests and checks need
	$(FIT)
	@$(LAUNCH) setup

test: setup ## Run every test on both databases, in a browser and with real processes: make test [T=path]
	@$(VENV)/python -m tests.everything $(T)

check: setup ## What a change must pass before it is shown to others (under two minutes)
	@$(QUIET) $(VENV)/python -m tests.checks

texts: setup ## Bring locale/km in step with the sources and say what needs translation
	@$(VENV)/python -m config.texts gather
	@$(VENV)/python -m config.texts check

bench: setup ## Measure every promise against a floor of the same run
	@$(VENV)/python -m benchmarks

lock: setup ## Resolve requirements*.in into the locked, hashed files
	@$(VENV)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	@$(VENV)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements-dev.in -o requirements-dev.txt
