# make setup | train | test | docs: each does everything it needs from a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TORCH := torch==2.13.0
TASK ?= reach
ROBOTS ?= 2
SEED ?= 0
JOBS ?= 2

.PHONY: help setup train test lint docs clean

help:
	@echo "make setup   virtual environment with pinned dependencies in $(VENV)/"
	@echo "make train   two simulated arms learn to reach (TASK=$(TASK) ROBOTS=$(ROBOTS) SEED=$(SEED))"
	@echo "make test    linters, types, documentation and the test suite, JOBS=$(JOBS) test files at a time"
	@echo "make docs    the documentation as a site, site/index.html"

setup: $(READY)

$(READY): setup.py constraints.txt Makefile
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 10) else "make: $(PYTHON) is Python %d.%d; 3.10 or newer is needed (make PYTHON=/path/to/python3.11)" % v[:2])'
	@echo "== setting up $(VENV) (about 2 minutes and 2 GB the first time)"
	@$(PYTHON) -m venv $(VENV)
	@echo "== installing $(TORCH)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt $(TORCH)
	@echo "== installing naf_robot with ROS 2 messages, the simulator, the view, bags, cameras, export, the compared libraries, the test tools and MkDocs"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[ros,sim,view,bags,camera,export,compare,test,docs]'
	@touch $(READY)
	@echo "== ready: $(BIN)/naf-robot"

train: setup
	@echo "== $(ROBOTS) robots learn $(TASK), seed $(SEED)"
	@$(BIN)/naf-robot train --task $(TASK) --robots $(ROBOTS) --seed $(SEED)

lint: setup
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== mypy"
	@$(BIN)/mypy

test: lint
	@echo "== pytest, $(JOBS) files at a time"
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not ros"
	@echo "== pytest, what has deadlines of a running graph: one by one"
	@$(BIN)/python -m pytest -m ros

docs: setup
	@echo "== mkdocs"
	@$(BIN)/mkdocs build --strict
	@echo "== site/index.html"

clean:
	rm -rf $(VENV) build install log site *.egg-info
