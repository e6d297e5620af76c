# The project's habits. Needs make and Python 3.11 or newer; everything else is brought by `make setup`.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup services demo test fast lint types simulate mutations bench faults schema docs vendor-extract images

# The first Python on the PATH that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
DOCKER ?= docker
ARGS ?=

# Where the home directory cannot be written, data stays inside the project.
ifneq ($(shell [ -n "$$HOME" ] && [ -w "$$HOME" ] && echo yes),yes)
export BRIDGE_DATA_DIR ?= $(CURDIR)/.demo
endif
export PYTHONUNBUFFERED := 1
# Where Python may not keep what it compiled, each process of the tests (some hundred) compiles all it imports: 3 s instead of 1.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Make .venv hold exactly what uv.lock says; quick when it already does
ifeq ($(strip $(PYTHON)),)
	@echo "Python 3.11 or newer is needed: install python3.11, or name one with PYTHON=/path/to/python3." >&2; exit 2
endif
	@$(PYTHON) ops/scripts/setup.py

services: setup ## Find or install PostgreSQL and RabbitMQ for the tests, and say which
	@PYTHONPATH=tests $(BIN)/python -m services

demo: setup ## Run a small company's day through the bridge; ONCE=1 ends by itself
	@$(BIN)/severa-bridge demo $(if $(filter-out 0 no false,$(ONCE)),--once) $(ARGS)

test: services lint ## Everything: lint, types and all tests against real PostgreSQL and RabbitMQ
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS) || { \
		echo "What failed beside other tests runs once more, alone; a real failure fails again:"; \
		$(BIN)/pytest --last-failed --last-failed-no-failures none $(ARGS); }

fast: setup ## The tests that start nothing: no service, no process, no server
	@$(BIN)/pytest tests/unit --ignore=tests/unit/connectors $(ARGS)

lint: setup types ## Style, types, complexity, docstrings, direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo

types: setup ## mypy, strict
	@$(BIN)/mypy
	@$(BIN)/mypy ops/scripts tests/conftest.py tests/services

simulate: setup ## Plays against both simulators, scheduled by seeds: SEEDS=1000 FROM=1 JOBS=2; ARGS=--help
	@PYTHONPATH=tests:. $(BIN)/python -m simulation --seeds $(or $(SEEDS),100) --from $(or $(FROM),1) --jobs $(or $(JOBS),2) $(ARGS)

mutations: setup ## Takes each protection out in a copy and runs the tests that must miss it: ONLY=name REST=1
	@PYTHONPATH=.:tests $(BIN)/python -m mutations $(if $(ONLY),--only=$(ONLY)) $(if $(REST),--rest)

bench: setup ## Events per second beside the same machine's floor
	@$(BIN)/python -m benchmarks $(ARGS)

faults: setup ## A whole installation under fire, one ledger at the end; MINUTES=30 SEED=… INVOICES=…
	@$(BIN)/python tests/faults/firing.py --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED)) $(if $(INVOICES),--invoices $(INVOICES)) $(ARGS)

schema: setup ## Write db/schema.sql from the migrations again
	@PYTHONPATH=. $(BIN)/python ops/scripts/dump_schema.py

docs: setup ## Write the pages that repeat the code again; ARGS=--check only compares
	@$(BIN)/python ops/scripts/docs.py $(ARGS)

vendor-extract: setup ## Write tests/data/vendor from the vendors' documents again; ARGS=--check only compares
	@$(BIN)/python ops/scripts/vendor_extract.py $(ARGS)

images: ## Build the container image that docker-compose.yml runs
	$(DOCKER) build --network $${BRIDGE_BUILD_NETWORK:-default} --file ops/Dockerfile --tag severa-bridge:local .
