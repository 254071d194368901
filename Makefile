# `make` prints what can be made; PYTHON=python3.12 chooses the interpreter of a .venv that is new.

PYTHON ?= python3
BIN := .venv/bin
# As many workers as there are cores; each compiles nothing, and has its part of the cores.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal
ROOMS := audit prepare train diagnose reports

.DEFAULT_GOAL := help
.PHONY: help demo lint format test test-quick test-slow test-gpu test-dist release-check \
	bench bench-quick bench-limits clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/ready ## the whole chain, in minutes, on text that is here already
	$(BIN)/assay demo -o demo-out

lint: .venv/ready ## ruff, the format, and mypy over product, benchmarks and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/ready ## what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: .venv/ready ## the tests, but for the slow ones; TESTS=tests/audit for some of them
	$(PYTEST) -m "not slow" $(TESTS)

test-quick: .venv/ready ## without torch and corpora, in a minute and a half
	env -u ASSAY_CORPORA $(PYTEST) -m "not slow and not long and not corpora" --without-torch $(TESTS)

test-slow: .venv/ready ## the tests that take long: kills, compilers, whole corpora
	$(PYTEST) -m slow $(TESTS)

test-gpu: .venv/ready ## the tests that need a CUDA device, one after the other
	$(BIN)/python -m pytest -m gpu -ra $(TESTS)

test-dist: .venv/release ## build sdist and wheel, install and run both away from here
	$(BIN)/python -m pytest tests/release/check_wheel.py tests/release/check_sdist.py

release-check: lint test test-slow test-dist ## all that must hold before a release
	$(BIN)/python -m tests.release

bench: .venv/ready ## peers and us, side by side
	$(BIN)/python -m bench.run

bench-quick: .venv/ready ## the same in minutes
	$(BIN)/python -m bench.run --quick

bench-%: .venv/ready ## bench/NAME.py: stages, clusters, memory, startup, growth, accuracy
	$(BIN)/python -m bench.$*

bench-limits: bench-stages bench-clusters bench-startup bench-accuracy bench-growth bench-memory ## limits of single parts

clean: ## remove .venv, caches and whatever was built
	rm -rf .venv .bench demo-out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# torch is pinned in constraints.txt; where only the CPU build is wanted, see README. The links are
# in no source distribution; type checkers and `python -m assay` from the root need them.
.venv/ready: setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	for room in $(ROOMS); do test -e assay/$$room || ln -s ../$$room assay/$$room; done
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,dev]'
	touch $@

.venv/release: .venv/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,dev,release]'
	touch $@
