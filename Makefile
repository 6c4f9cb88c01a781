# `make` alone prints what can be done.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
# Where bytecode is not kept, every process of the demo and the tests compiles its libraries anew: a third of the time of `make check`.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-tests setup-airflow demo test check lint quick-tests drill test-minio test-airflow test-cluster airflow bench bench-reports bench-match bench-catalog bench-contracts docs format lock lock-airflow clean

help: ## print this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## the environment: packages, Java, JARs
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh tests

setup-airflow:
	@scripts/setup.sh airflow

demo: setup ## a synthetic label's two months, from reports to verified statements, in demo-lake/
	@LAKEHOUSE_ENVIRONMENT=demo $(BIN)/lakehouse demo --root demo-lake --dir demo-label

test: setup-tests ## the whole suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not drill and not minio and not airflow and not cluster"

check: setup-tests ## lint, types and the tests that need no JVM, in under a minute
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint quick-tests

lint:
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

quick-tests:
	@HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -n 2 -m "not spark and not drill and not slow and not minio and not airflow and not cluster"

drill: setup-tests ## long fault drills: kills, corruption, many seeds
	@$(BIN)/python -m pytest -m drill

test-minio: setup-tests ## the tests of lakes on S3, on a real MinIO (built if Go is there)
	@MINIO_BINARY=$$(scripts/minio.sh) && export MINIO_BINARY && $(BIN)/python -m pytest -m "minio and not drill"

test-airflow: setup-tests setup-airflow ## every DAG in a real Airflow, to verified statements
	@$(BIN)/python -m pytest -m airflow tests/airflow

test-cluster: setup-tests ## the same roots on a standalone cluster as on one machine
	@$(BIN)/python -m pytest -m cluster tests/cluster

airflow: setup setup-airflow ## a local Airflow with its UI, on the lake LAKEHOUSE_ROOT (the demo's by default)
	@scripts/airflow.sh

bench: setup ## a run of a million lines, timed by stage
	@$(BIN)/python scripts/bench.py

bench-reports: setup ## a report of 1 GB from landing to silver, beside polars
	@$(BIN)/uv pip install --quiet --python $(BIN)/python "polars==2.1.0"
	@$(BIN)/python scripts/bench_reports.py

bench-match: setup ## linking beside Splink, on the tables in LINKAGE_DATA; writes docs/matching.md
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[bench]'
	@$(BIN)/python scripts/bench_match.py

bench-catalog: setup ## usage keys against a synthetic catalog; writes docs/matching.md (CATALOG=, KEYS=)
	@$(BIN)/python scripts/bench_catalog.py

bench-contracts: setup ## contracts at size beside DuckDB; writes docs/benchmarks.md (LINES=, CONTRACTS=)
	@$(BIN)/python scripts/bench_contracts.py

docs: setup ## regenerate docs/reference from the declarations
	@$(BIN)/python scripts/reference.py

format: setup ## format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

lock: setup ## resolve conf/lock/dev.txt anew from setup.py
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes setup.py --extra dev -o conf/lock/dev.txt

lock-airflow: setup ## resolve conf/lock/airflow.txt anew from the extra of setup.py
	@$(BIN)/python scripts/extra.py airflow | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock-airflow" - -o conf/lock/airflow.txt

clean: ## remove what the demo and the tests left
	@rm -rf demo-lake demo-label .pytest_cache .hypothesis .mypy_cache .ruff_cache build *.egg-info
