# The verbs of the house. Each sets up what it needs; nothing has to be done by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: setup serve test check bench model clean browser

setup: $(VENV)/serve.stamp

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Kennismatch needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Name another with: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/serve.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing what serving needs into $(VENV) (once)…"
	$(PIP) --editable .
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing what the tests need into $(VENV) (once)…"
	$(PIP) --editable '.[test]'
	@touch $(VENV)/serve.stamp $@

serve: setup
	$(BIN)/kennismatch serve

test: $(VENV)/test.stamp browser
	$(BIN)/python -m pytest

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks.run

# A day on two cores; stop and call again as you like. Needs KENNISMATCH_EVALUATION_DATA.
model: $(VENV)/test.stamp
	$(BIN)/python -m embeddings.training rebuild --folder build/model

browser:
	@sh tests/browser/install-chromium

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
