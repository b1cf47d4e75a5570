# Brinkwatch: the commands of a user and a developer. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install run monitoring test faults outages alarms check-deploy image lint format bench schemas dashboards sbom audit pictures clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(STAMP) ## Create .venv and install the pinned dependencies

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Brinkwatch needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned dependencies into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: install ## Start the whole service on loopback and show it at work: make run ARGS="--feeds none --seconds 120"
	@$(BIN)/brinkwatch up $(ARGS)

monitoring: install ## Prometheus and Alertmanager beside it, from PATH, on loopback: 127.0.0.1:9090 and :9093
	@$(BIN)/brinkwatch prometheus $(ARGS)

test: install ## Run the whole suite, with a real broker, a real runner and real HTTP: make test ARGS="-k seed"
	$(BIN)/python -m pytest $(ARGS)

faults: install ## Kill everything again and again under load, and compare: make faults ARGS="--rounds 5 --seed 2"
	$(BIN)/python -m tests.faults.run $(ARGS)

outages: install ## Take away the broker, its disk, the time of day: make outages ARGS="gone hanging --seconds 120"
	$(BIN)/python -m tests.faults.outage $(ARGS)

alarms: install ## Break everything that an alert of Prometheus tells of, for real: each must fire, and end (10 minutes)
	$(BIN)/python -m tests.faults.alerts $(ARGS)

# Image, compose and chart: hadolint, Compose's parser, helm, kubernetes-validate, the operators' schemas, kube-score. Rules and
# routes: promtool and amtool. Dashboards: every query asked of a real Prometheus.
check-deploy: install ## Check all of deploy/ with its own tools (needs Go, which builds three of them once; Prometheus, Alertmanager)
	deploy/tools/install
	$(BIN)/python -m pytest tests/deploy/check tests/deploy/image tests/deploy/prometheus tests/deploy/grafana $(ARGS)

image: ## Build the container image, brinkwatch:dev (needs Docker)
	docker build --file deploy/image/Dockerfile --tag brinkwatch:dev --build-arg REVISION=$$(git rev-parse HEAD) .

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
	$(BIN)/python -m pipeline.metrics_reference
	$(BIN)/python -m deploy.dependencies
	$(BIN)/python -m deploy.chart

sbom: install ## Write build/sbom.cdx.json: packages, jars and Prism, with versions and licences (CycloneDX)
	$(BIN)/python -m deploy.sbom build/sbom.cdx.json

audit: install ## Ask for known vulnerabilities of the pinned packages; says so where nobody can be asked
	@$(BIN)/python -m deploy.audit

dashboards: install ## Generate deploy/grafana/dashboards from their Python
	$(BIN)/python -m deploy.grafana.write

pictures: install ## Make the pictures in docs/images from the real thing
	$(BIN)/python -m tests.pictures

clean: ## Remove the environment and what tools left
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
