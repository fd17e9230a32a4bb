# Targets anyone can guess: `make demo`, `make quick`, `make test`, `make check`. Everything else is listed by `make`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo quick test slow spark check format bench simulate fuzz crash kernel docs lock wheel clean

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := 0.13.9
READY  := $(VENV)/.ready

# Tests start some hundred processes: none need compile the package again.
export PYTHONDONTWRITEBYTECODE :=

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "pqlkit needs Python 3.11 or newer: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

setup: $(READY) ## make .venv with the locked dependencies

demo: $(READY) ## make a sample product and run every step on it
	$(BIN)/pqlkit demo $(DEMO)

check: $(READY) ## ruff and mypy
	$(BIN)/ruff check pqlkit tests examples
	$(BIN)/ruff format --check pqlkit tests examples
	$(BIN)/mypy

test: check ## lint, types and the test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not slow" $(ARGS)
	$(BIN)/python -m tests.kernel --short
	@$(BIN)/python tests/tools.py

slow: $(READY) ## the tests of many seconds that `make test` leaves out: misleading worlds, simulations, kills
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m slow tests

spark: $(READY) ## the engine on a real Apache Spark Connect server (Java 17; about 500 MB into .venv-spark)
	@$(PYTHON) tests/engines/apache.py $(BIN)/python

quick: check ## lint, types, and the tests that a change touches, under a minute
	@$(BIN)/python tests/quick.py

format: $(READY) ## apply the formatter and the safe fixes
	$(BIN)/ruff check --fix pqlkit tests examples
	$(BIN)/ruff format pqlkit tests examples

bench: $(READY) ## the benchmarks, side by side, into tests/benchmarks/RESULTS.md
	$(BIN)/python -m tests.benchmarks

simulate: $(READY) ## the statistical promises, into tests/simulation/RESULTS.md
	$(BIN)/python -m tests.simulation

fuzz: $(READY) ## 100,000 hostile files, damaged stores and senseless options
	$(BIN)/python -m tests.fuzz --inputs 100000

crash: $(READY) ## kill and fail five commands at every file call, several writers at once
	$(BIN)/python -m tests.crash

kernel: $(READY) ## the tests of numbers once more, as another processor computes them
	$(BIN)/python -m tests.kernel

docs: $(READY) ## write the generated pages of docs/ and the schemas of configs/
	$(BIN)/python -m tests.documentation docs
	$(BIN)/pqlkit schema definition --out configs/pqlkit-definition.schema.json
	$(BIN)/pqlkit schema project --out configs/pqlkit-project.schema.json

lock: $(READY) ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock

wheel: $(READY) ## build both wheels into dist/: pqlkit, and pqlkit-validate for hooks and CI
	$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python
	$(BIN)/python -m tests.packaging dist

clean: ## remove what the targets made
	rm -rf $(VENV) dist build .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis
