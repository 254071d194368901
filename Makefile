# make demo: the whole chain on text that is here already    make test: the tests
# make lint, make bench, make bench-quick, make clean
# Each makes its own .venv if there is none. PYTHON=python3.12 chooses another interpreter.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint format bench bench-quick clean

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

clean:
	rm -rf .venv .bench demo-out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

# torch is pinned in constraints.txt; where only the CPU build is wanted, see README.
.venv/ready: setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,dev]'
	touch $@
