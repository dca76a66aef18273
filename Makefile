PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
VENV := .venv

.PHONY: help up dev check test slow drills soak moving month bench bench-dlt docs screenshots lock
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: dev  ## run everything, with a first refresh of every account; Ctrl-C stops it
	@exec $(VENV)/bin/emag-pipeline up

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else \
	  "Python 3.11 to 3.13 is needed, $(PYTHON) is %d.%d: make PYTHON=python3.11" % sys.version_info[:2])'
	@echo 'installing into $(VENV); this takes some minutes'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements-dev.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

dev: $(VENV)/.dev  ## create .venv from the lock file, including tests' and checks' packages

check: dev  ## ruff, ruff format, mypy --strict, import-linter, Dagster's check of the definitions
	$(VENV)/bin/ruff check . deploy/deploy
	$(VENV)/bin/ruff format --check . deploy/deploy
	$(VENV)/bin/mypy
	MYPYPATH=deploy $(VENV)/bin/mypy --strict --explicit-package-bases deploy/deployer
	$(VENV)/bin/lint-imports
	home=$$(mktemp -d) && echo 'telemetry: {enabled: false}' > $$home/dagster.yaml && export DAGSTER_HOME=$$home && \
	  $(VENV)/bin/dg check defs && $(VENV)/bin/dagster definitions validate; code=$$?; rm -rf $$home; exit $$code

test: dev  ## the test suite on a temporary database, in parallel (two cores are enough)
	$(VENV)/bin/pytest -n 3 --dist loadfile -m "not slow"

slow: dev  ## slow tests: daemons, kills, long waits, 100,000 offers
	$(VENV)/bin/pytest -n 3 --dist loadfile -m slow

drills: dev  ## run every fault against a scratch database: 0 lost rows, 0 wrong deletions
	$(VENV)/bin/emag-pipeline drill

soak: dev  ## half an hour with random faults, then a report (MINUTES=30 SEED=1)
	$(VENV)/bin/python -m emag_pipeline_tests.soak --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED))

moving: dev  ## a catalogue of 6,000 offers that changes every 5 s and every 1.5 s, each sync judged (MINUTES=10 each)
	$(VENV)/bin/python -m emag_pipeline_tests.soak.moving --minutes $(or $(MINUTES),10)

month: dev  ## a simulated month, every mart compared with the sandbox's truth (DAYS=30 SEED=1 KEEP=DIR)
	EMAG_LOG_LEVEL=error $(VENV)/bin/python -m emag_pipeline_tests.month --days $(or $(DAYS),30) $(if $(SEED),--seed $(SEED)) \
	  $(if $(KEEP),--keep $(KEEP)) --report docs/month.md

bench: dev  ## rewrite docs/benchmarks.md: figures and their targets (15 minutes, idle machine)
	$(VENV)/bin/python -m benchmarks

bench-dlt:  ## install dlt into .venv-dlt; `make bench` then measures it too
	$(PYTHON) -m venv .venv-dlt
	.venv-dlt/bin/pip install --quiet 'dlt[postgres]>=1.31,<2'

docs: dev  ## rewrite docs/data-dictionary.md from the schema's comments
	$(VENV)/bin/python -m emag_pipeline.admin.data_dictionary

screenshots: dev  ## rewrite docs/images from a running `up` (needs chromium)
	$(VENV)/bin/python -m emag_pipeline_tests.browser.screenshots

lock: dev  ## renew the lock files from pyproject.toml (needs uv: `pip install uv`)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q -o requirements-dev.lock
	uv pip compile pyproject.toml -c requirements-dev.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q -o requirements.lock
