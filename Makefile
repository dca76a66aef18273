PYTHON ?= python3.11
VENV := .venv
export PYTHONWARNINGS ?= default

.PHONY: help dev check test lock
help:  ## say what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements-dev.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

dev: $(VENV)/.dev  ## create .venv from the lock file, with everything that tests and checks need

check: dev  ## ruff, ruff format, mypy --strict, import-linter
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test: dev  ## the whole test suite on a throw-away database
	$(VENV)/bin/pytest -n 2 --dist loadfile

lock: dev  ## renew the lock files from pyproject.toml (needs uv, which `pip install uv` brings)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q -o requirements-dev.lock
	uv pip compile pyproject.toml -c requirements-dev.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q -o requirements.lock
