# Every habit of the project; `make` or `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

PYTEST := $(BIN)/python -m pytest --dist worksteal -q
# The tests start hundreds of interpreters, which would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo check test fast-tests all-tests test-at lint format types docs man goldens pictures tools peers browser bench prove build smoke release-notes release clean

help: ## List what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Install, then show the whole path on real photographs, in demo/
	@$(BIN)/python examples/demo.py demo

# mypy uses one core, so it runs while the tests begin.
check: lint ## Check style and types and run the fast tests, for the minutes between two edits
	@$(MAKE) --no-print-directory --jobs=2 types fast-tests

test: lint tools ## Install, then run every check and test (those of real servers too)
	@$(MAKE) --no-print-directory --jobs=2 types all-tests

# All of tests/acceptance is slow: a fast run need not even read it.
fast-tests: $(VENV)/.dev
	@$(PYTEST) -n 2 -m "not slow and not servers" --ignore=tests/acceptance

# Tests of servers wait more than they compute: in one run with all others, four at a time keep two cores busy.
all-tests: $(VENV)/.dev
	@$(PYTEST) -n 4 --durations=10

test-at: $(VENV)/.dev ## Run tests as if it were another time: make test-at AT="2028-02-29 23:58" TESTS="tests/store -n 2"
	@$(BIN)/python tools/run_tests_at.py "$(AT)" $(TESTS)

lint: $(VENV)/.dev ## Check style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types, strictly
	@$(BIN)/mypy

format: $(VENV)/.dev ## Put the code into its one style
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

tools: $(VENV)/.dev ## Fetch Prometheus, Alertmanager, Pushgateway, node-exporter, linters, libfaketime, moto, rclone and test photographs into .tools/
	@$(BIN)/python tools/fetch_servers.py || [ "$${CI:-}" != true ]
	@$(BIN)/python tools/fetch_newer_servers.py || [ "$${CI:-}" != true ]
	@$(BIN)/python tools/fetch_faketime.py || [ "$${CI:-}" != true ]
	@$(BIN)/python tools/fetch_photographs.py || [ "$${CI:-}" != true ]
	@$(BIN)/python tools/fetch_linters.py || [ "$${CI:-}" != true ]
	@$(BIN)/python tools/fetch_object_stores.py || [ "$${CI:-}" != true ]
	@$(BIN)/python tools/fetch_rclone.py || [ "$${CI:-}" != true ]

docs: $(VENV)/.dev ## Write the pages and pictures of docs/ that are made from the code, and build the site into site/
	@$(BIN)/python tools/write_docs.py
	@$(BIN)/python tools/fetch_peers.py zensical
	@$(BIN)/python tools/build_site.py

man: $(VENV)/.dev ## Write the manual page of the commands to dist/man1/facemon.1
	@$(BIN)/python tools/write_man.py

goldens: $(VENV)/.dev ## Write the golden files anew; look at the difference before you commit it
	@PYTHONPATH=examples $(BIN)/python -m tests.golden.regenerate

pictures: browser ## Make the pictures of docs/pictures.md anew, by real commands and Chromium; look at them before you commit
	@$(BIN)/python tools/fetch_servers.py
	@$(BIN)/python tools/fetch_panels.py
	@PYTHONPATH=.:examples $(BIN)/python tools/make_pictures.py

peers: $(VENV)/.dev ## Install what the bench compares with, and Airflow and Ray for the tests, each apart, into .tools/peers/
	@$(BIN)/python tools/fetch_peers.py

browser: $(VENV)/.dev ## Fetch headless Chromium and axe-core for the tests of pages into .tools/browser/
	@$(BIN)/python tools/fetch_browser.py

# Only some parts need the peers, which take long to install.
bench: tools $(if $(PART),$(if $(filter peers api wait load ray,$(PART)),peers),peers) ## Measure facemon beside its limits and others, or one PART=…; writes benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks $(PART)

prove: tools $(if $(PART),$(if $(filter ray tests,$(PART)),peers),peers) $(if $(filter tests,$(or $(PART),tests)),browser) ## Prove the rendered stack at length, or one PART=…; writes benchmarks/PROVEN.md
	@$(BIN)/python -m benchmarks.prove $(PART)

build: $(VENV)/.dev ## Build the wheel and the source distribution into dist/
	@$(BIN)/python tools/distributions.py

smoke: build ## Install both and run each command once, on each Python from 3.11 to 3.13 that is here, or on PYTHONS=3.12
	@PYTHONPATH=examples $(BIN)/python tools/smoke.py dist $(addprefix --python ,$(PYTHONS))

release-notes: $(VENV)/.dev ## Date the unreleased changes in CHANGELOG.md as those of the version: today, or DATE=2026-12-01
	@$(BIN)/python tools/release_notes.py $(DATE)

release: $(VENV)/.dev ## Check a clean tree, build and try what is to be published, into dist/VERSION; uploads nothing
	@PYTHONPATH=examples $(BIN)/python tools/make_release.py $(PYTHONS)

clean: ## Remove what make made
	rm -rf $(VENV) .tools .cache build demo dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "facemon needs Python 3.11 or newer; name one with make PYTHON=…")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing facemon with its demo into $(VENV) …"
	@$(INSTALL) '.[age-gender,demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing facemon for development into $(VENV) …"
	@$(INSTALL) '.[dev]'
	@touch $@ $(VENV)/.demo
