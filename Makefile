# `make help` lists the targets. Every target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
WORKERS ?= auto
MINUTES ?= 10
SEED ?= 0

.DEFAULT_GOAL := help
.PHONY: help demo test check types lint format bench bench-engines bench-replay bench-service world model engines stack stack-cluster clean

help:  ## This list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "airside needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)  ## Two months of households, from commands to answers, on the embedded engines.
	@$(BIN)/airside demo

test: $(READY)  ## All tests, in two processes where there is room (WORKERS=0: in one).
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: lint types  ## Lint and strict types.

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy

format: $(READY)  ## Put the code into the house format.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY)  ## Measure, as ratios against a floor in the same run.
	@$(BIN)/python -m benchmarks

bench-engines: $(READY)  ## The same on real Kafka, Cassandra and Valkey.
	@$(BIN)/python -m benchmarks.engines

bench-replay: $(READY)  ## How fast a read model is rebuilt, in one process and in two.
	@$(BIN)/python -m benchmarks.replay

bench-service: $(READY)  ## How fast questions over HTTP are answered; uses wrk where it is there.
	@$(BIN)/python -m benchmarks.service

world: $(READY)  ## Seeded worlds under faults, for MINUTES (10): laws, rate, coverage.
	@$(BIN)/airside simulate-world --minutes $(MINUTES) --seed $(SEED)

model: $(READY)  ## The protocol as a model: every state within bounds, each rule left out.
	@$(BIN)/python -m tests.protocol_model

engines: $(READY)  ## Fetch Kafka and Cassandra (jars, by Maven, once; needs Java 17).
	@$(BIN)/python -m stack --fetch

stack: $(READY)  ## Kafka, Cassandra and Valkey on this machine, until Ctrl-C; says where.
	@$(BIN)/python -m stack

stack-cluster: $(READY)  ## The same, three of each (6 GB of memory).
	@$(BIN)/python -m stack --cluster

clean:  ## Remove what the targets made (not .engines, nor your data in .airside).
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
