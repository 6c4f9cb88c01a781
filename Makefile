# `make` alone prints what can be done.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin

.PHONY: help setup setup-tests demo test check drill bench docs format lock clean

help: ## print this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## the environment: packages, Java, JARs
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh tests

demo: setup ## a synthetic label's two months, from reports to verified statements, in demo-lake/
	@LAKEHOUSE_ENVIRONMENT=demo $(BIN)/lakehouse demo --root demo-lake --dir demo-label

test: setup-tests ## the whole suite
	@$(BIN)/python -m pytest -n 2 -m "not spark and not drill"
	@$(BIN)/python -m pytest -m "spark and not drill"

check: setup-tests ## lint, types and the tests that need no JVM, in under a minute
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -n 2 -m "not spark and not drill and not slow"

drill: setup-tests ## long fault drills: kills, corruption, many seeds
	@$(BIN)/python -m pytest -m drill

bench: setup ## a run of a million lines, timed by stage
	@$(BIN)/python scripts/bench.py

docs: setup ## regenerate docs/reference from the declarations
	@$(BIN)/python scripts/reference.py

format: setup ## format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

lock: setup ## resolve conf/lock/dev.txt anew from setup.py
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes setup.py --extra dev -o conf/lock/dev.txt

clean: ## remove what the demo and the tests left
	@rm -rf demo-lake demo-label .pytest_cache .hypothesis .mypy_cache .ruff_cache build *.egg-info
