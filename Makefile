PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
VENV := .venv
# A .venv that is a symbolic link belongs to another checkout: it is used as it is, for the code of this one.
ifneq ($(shell [ -L $(VENV) ] && echo linked),)
export PYTHONPATH := $(CURDIR)
INSTALLED :=
else
INSTALLED := $(VENV)/.dev
endif

#: Rooms whose tests need no database server, and the files next to the rooms.
QUICK := $(addprefix emag_pipeline_tests/,completeness marketplace settings logs charts house sandbox) \
  $(wildcard emag_pipeline_tests/test_*.py)

.PHONY: help up dev check quick test slow services drills soak moving month bench bench-dlt coverage mutants audit docs screenshots lock
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

dev: $(INSTALLED)  ## create .venv from the lock file, including tests' and checks' packages

check: dev  ## ruff, ruff format, mypy --strict, import-linter, Dagster's check of the definitions
	$(VENV)/bin/ruff check . deploy/deploy
	$(VENV)/bin/ruff format --check . deploy/deploy
	$(VENV)/bin/mypy
	MYPYPATH=deploy $(VENV)/bin/mypy --strict --explicit-package-bases deploy/deployer
	$(VENV)/bin/lint-imports
	home=$$(mktemp -d) && echo 'telemetry: {enabled: false}' > $$home/dagster.yaml && export DAGSTER_HOME=$$home && \
	  $(VENV)/bin/dg check defs && $(VENV)/bin/dagster definitions validate; code=$$?; rm -rf $$home; exit $$code

quick: dev  ## the tests that need no database server; another Python: PYTHON=python3.12 VENV=.venv-3.12
	$(VENV)/bin/pytest -n 3 --dist loadfile -m "not slow and not services" $(QUICK)

test: dev  ## the test suite on a temporary database, in parallel (two cores are enough)
	$(VENV)/bin/pytest -n 3 --dist loadfile -m "not slow and not services"

slow: dev  ## slow tests: daemons, kills, long waits, 100,000 offers, random stories
	$(VENV)/bin/pytest -n 3 --dist loadfile -m slow

services: dev  ## the whole `up`, PostgreSQL servers, deployed services and a browser: they start, die, recover, are left alone
	$(VENV)/bin/pytest -n 3 --dist loadfile -m services

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

coverage: dev  ## the whole suite under coverage, a table of lines and branches missed, a total per slice (an hour or two)
	$(VENV)/bin/coverage erase
	code=0; for part in "not slow and not services" slow services; do \
	  $(VENV)/bin/coverage run -m pytest -n 3 --dist loadfile -o timeout=900 -m "$$part" || code=$$?; done; \
	  $(VENV)/bin/coverage combine --quiet && $(VENV)/bin/coverage report --precision=1 && \
	  for slice in emag_pipeline/*/; do [ ! -f "$$slice/__init__.py" ] || printf '%-32s %s %%\n' "$$slice" \
	    "$$($(VENV)/bin/coverage report --precision=1 --include="$$slice*" --format=total)"; done; \
	  [ $$code = 0 ] || echo 'tests failed: the figures are too low' >&2; exit $$code

mutants: dev  ## small changes to the kernel that tests must notice (SAMPLE=5 per file, 0: all; SEED=1 OF="fields lease" ONLY=publish.sql)
	[ -x .venv-mutants/bin/cosmic-ray ] || { $(PYTHON) -m venv .venv-mutants && .venv-mutants/bin/pip install --quiet 'cosmic-ray>=8.7,<9'; }
	PYTHONPATH=. .venv-mutants/bin/python -m emag_pipeline_tests.mutants --python $(VENV)/bin/python \
	  --sample $(or $(SAMPLE),5) --seed $(or $(SEED),1) $(if $(OF),--of $(OF)) $(if $(ONLY),--only $(ONLY))

audit:  ## the locked dependencies against PyPI's list of known vulnerabilities (needs the internet; CI does not run it)
	[ -x .venv-audit/bin/pip-audit ] || { $(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip install --quiet 'pip-audit>=2.10,<3'; }
	@# --strict, because a registry without that list answers as if each package were unknown, which else is a success
	@.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.lock || { \
	  echo 'make audit: FAILED. Either a vulnerability is listed above, or nothing was proven: pip-audit could not read' \
	    'the list of vulnerabilities at pypi.org. Then run it on a machine with access to the internet.' >&2; exit 1; }

docs: dev  ## rewrite docs/data-dictionary.md from the schema's comments
	$(VENV)/bin/python -m emag_pipeline.admin.data_dictionary

screenshots: dev  ## rewrite docs/images from a running `up` (needs chromium)
	$(VENV)/bin/python -m emag_pipeline_tests.browser.screenshots

lock: dev  ## renew the lock files from pyproject.toml (needs uv: `pip install uv`)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q -o requirements-dev.lock
	uv pip compile pyproject.toml -c requirements-dev.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q -o requirements.lock
