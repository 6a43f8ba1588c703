# make run    set everything up, start a cloud on 127.0.0.1:4566 and show it at work
# make test   set everything up and run the whole suite; PYTEST_ARGS="-k name" for a part of it
# make lint   style, types, import rules        make bench   measure (BENCH=control-plane for a part)        make stop   stop the cloud
# make coverage   write docs/coverage.md, the operations and their proofs     make options   write docs/options.md
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := run
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
ROOMS := actors api snapshots store
RUNTIME ?= python3.11
TEST_RUNTIMES := python3.11 python3.13 nodejs20.x nodejs22.x nodejs24.x provided.al2023
PYTEST_ARGS ?=
# Tests wait for containers more than they compute: a few side by side.
TEST_WORKERS ?= 3
PYTEST := $(BIN)/python -P -m pytest
# pytest's exit code when a part of the suite that was asked for has no test of a kind; the whole suite has both.
NONE_SELECTED := $(if $(PYTEST_ARGS),5,0)

# The JavaScript SDK's walk, and the mark that npm leaves when it has installed what its lock says.
JAVASCRIPT := tests/parity/walks/javascript
JAVASCRIPT_INSTALLED := $(JAVASCRIPT)/node_modules/.package-lock.json

.PHONY: run test lint bench coverage options stop clean engine image images registry compose compiler emulator aws-cli javascript links

run: $(VENV)/run.stamp engine image
	@RELAMBDA_DEMO_RUNTIME=$(RUNTIME) $(BIN)/python -P -m relambda.api.cli.demo

test: $(VENV)/dev.stamp engine images registry compose compiler emulator aws-cli javascript
	@$(PYTEST) -n $(TEST_WORKERS) --dist worksteal -m "not alone" $(PYTEST_ARGS) || [ $$? -eq $(NONE_SELECTED) ]
	@$(PYTEST) -m alone $(PYTEST_ARGS) || [ $$? -eq $(NONE_SELECTED) ]

lint: $(VENV)/dev.stamp links
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(ROOMS:%=-p relambda.%)
	@$(BIN)/mypy tests
	@PYTHONPATH=build/links $(BIN)/lint-imports --no-cache

bench: $(VENV)/dev.stamp engine image
	@$(BIN)/python -P tests/bench/run.py $(BENCH)

coverage: $(VENV)/dev.stamp
	@$(BIN)/python -P tests/coverage_table.py

options: $(VENV)/dev.stamp
	@$(BIN)/python -P tests/options_page.py

stop:
	@if [ -x $(BIN)/relambda ]; then $(BIN)/relambda stop; fi

clean:
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache $(VENV)

$(BIN)/python:
	@.ci/setup-python.sh $(PYTHON) $(VENV)

$(VENV)/run.stamp: pyproject.toml | $(BIN)/python
	@echo "installing Relambda into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	@echo "installing Relambda and its development tools into $(VENV)"
	@$(PIP) --editable . --group dev
	@touch $(VENV)/run.stamp $@

engine:
	@sh docker/setup-engine.sh

image: $(VENV)/run.stamp engine
	@$(BIN)/relambda images pull $(RUNTIME) --or-build

# All that can be built from packages; side by side, since a new machine has none of them.
images: $(VENV)/run.stamp engine
	@$(BIN)/relambda images pull $(TEST_RUNTIMES) --or-build

# A real registry on loopback, for the tests that pull; Debian's own package.
registry:
	@if ! command -v docker-registry >/dev/null; then .ci/setup-package.sh docker-registry; fi

# Docker's own plugin, or the program; Debian packages the latter.
compose:
	@if ! docker compose version >/dev/null 2>&1 && ! command -v docker-compose >/dev/null; then \
	  .ci/setup-package.sh docker-compose; fi

# For the tests of a compiled runtime, and of images with another shell.
compiler:
	@if ! command -v busybox >/dev/null; then .ci/setup-package.sh busybox-static; fi
	@if ! command -v gcc >/dev/null; then .ci/setup-package.sh gcc libc6-dev; fi

# For the tests of other architectures; the package switches nothing on, the tests do, and off again.
emulator:
	@if ! ls /usr/bin/qemu-*-static >/dev/null 2>&1; then .ci/setup-package.sh qemu-user-static; fi

# The AWS CLI version 2, where none is: Debian's own package. The `aws` of the virtual environment is version 1.
aws-cli:
	@for aws in $$(type -ap aws) /usr/bin/aws /usr/local/bin/aws; do \
	  if [[ "$$($$aws --version 2>&1)" == aws-cli/2.* ]]; then exit; fi; \
	done; .ci/setup-package.sh awscli

javascript: $(JAVASCRIPT_INSTALLED)

$(JAVASCRIPT_INSTALLED): $(JAVASCRIPT)/package-lock.json
	@.ci/setup-javascript.sh $(JAVASCRIPT)

# The type checker and the import rules see the rooms under their import names through these.
links:
	@mkdir -p build/links/relambda
	@for room in $(ROOMS); do ln -sfn ../../../$$room build/links/relambda/$$room; done
