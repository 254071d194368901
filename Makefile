# make demo: the whole chain on text that is here already    make test: the tests
# make lint, make bench, make bench-quick, make clean; make bench-NAME runs bench/NAME.py
# Each makes its own .venv if there is none. PYTHON=python3.12 chooses another interpreter.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint format bench bench-quick bench-limits clean

demo: .venv/ready
	$(BIN)/assay demo -o demo-out

test: .venv/ready
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready
	$(BIN)/python -m bench.run

bench-quick: .venv/ready
	$(BIN)/python -m bench.run --quick

# The limits of single parts: stages, clusters, memory, startup, growth, accuracy.
bench-%: .venv/ready
	$(BIN)/python -m bench.$*

bench-limits: bench-stages bench-clusters bench-startup bench-accuracy bench-growth bench-memory

clean:
	rm -rf .venv .bench demo-out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

# torch is pinned in constraints.txt; where only the CPU build is wanted, see README.
.venv/ready: setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,dev]'
	touch $@
