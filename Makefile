# Brinkwatch: the commands of a user and a developer. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install run test faults lint format bench schemas dashboards pictures clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(STAMP) ## Create .venv and install the pinned dependencies

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Brinkwatch needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned dependencies into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: install ## Start the whole service on loopback and show it at work: make run ARGS="--feeds none --seconds 120"
	@$(BIN)/brinkwatch up $(ARGS)

test: install ## Run the whole suite, with a real broker, a real runner and real HTTP: make test ARGS="-k seed"
	$(BIN)/python -m pytest $(ARGS)

faults: install ## Kill everything again and again under load, and compare: make faults ARGS="--rounds 5 --seed 2"
	$(BIN)/python -m tests.faults.run $(ARGS)

lint: install ## ruff, mypy strict, and drift of what is generated
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## Measure speed, latency, memory and start-up; writes build/bench.json
	$(BIN)/python -m tests.bench.run $(ARGS)

schemas: install ## Generate docs/reference/schemas and what else is made from the code
	$(BIN)/python -m pipeline.records.schema
	$(BIN)/python -m config.reference

dashboards: install ## Generate deploy/grafana/dashboards from their Python
	$(BIN)/python -m deploy.grafana.write

pictures: install ## Make the pictures in docs/images from the real thing
	$(BIN)/python -m tests.pictures

clean: ## Remove the environment and what tools left
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
