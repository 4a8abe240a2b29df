# make demo | test | bench | lint | wheel: each does its own set-up in .venv. Needed beforehand: Swift 6, Python 3.11 or
# newer with headers and venv, a C++ compiler, make. `make doctor` says what is missing.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
SHELL := /bin/sh

VENV ?= .venv
PYTHON ?= $(shell sh scripts/doctor --python)
BIN := $(abspath $(VENV))/bin
STAMP := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet
export PATH := $(BIN):$(PATH)

CORE_SOURCES := pyproject.toml Package.swift $(shell find Sources python/src python/cmake python/CMakeLists.txt -type f 2>/dev/null)
OPENBLAS_DIR = $$($(BIN)/python -c "import scipy_openblas32; print(scipy_openblas32.get_lib_dir())")

.PHONY: help doctor demo test test-swift test-python sanitize fuzz bench lint format wheel stubs clean

help:
	@echo "make demo     infinite-width networks on four data sets: a table, figures, numbers (two minutes)"
	@echo "make test     every Swift test and every Python test"
	@echo "make sanitize Swift tests under the address sanitizer (SANITIZER=thread for data races);  make fuzz  hostile op tables and calls"
	@echo "make bench    ntkswift beside its peers; make bench CASE=name for one case"
	@echo "make lint     formatters, linters, types, spelling;  make format repairs what can be repaired"
	@echo "make wheel    a wheel in dist/ that needs no Swift where it is installed"
	@echo "make stubs    regenerate python/ntkswift/_core.pyi"
	@echo "make doctor   what this machine lacks to build ntkswift, and how to get it"

doctor:
	@sh scripts/doctor

demo: $(STAMP)-demo $(STAMP)-core
	$(BIN)/python -m ntkswift demo $(DEMO_FLAGS)

test: test-swift test-python

test-swift: $(STAMP)-build
	NTKSWIFT_OPENBLAS_DIR="$(OPENBLAS_DIR)" swift test --disable-xctest --scratch-path .build $(SWIFT_TEST_FLAGS)

test-python: $(STAMP)-test $(STAMP)-core
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

SANITIZER ?= address
# What is initialised once and kept counts as a leak.
sanitize: $(STAMP)-build
	ASAN_OPTIONS=detect_leaks=0 NTKSWIFT_OPENBLAS_DIR="$(OPENBLAS_DIR)" swift test --sanitize=$(SANITIZER) --disable-xctest --scratch-path .build-$(SANITIZER) $(SWIFT_TEST_FLAGS)

fuzz: $(STAMP)-test $(STAMP)-core
	scripts/fuzz $(FUZZ_SECONDS)
	$(BIN)/python python/tests/fuzz/fuzz.py $(if $(FUZZ_CALLS),--calls $(FUZZ_CALLS))

bench: $(STAMP)-test $(STAMP)-core
	$(BIN)/python -m benchmarks $(if $(CASE),--case $(CASE)) $(BENCH_FLAGS)

lint: $(STAMP)-dev $(STAMP)-core
	swift format lint --strict --recursive Package.swift Sources Tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

format: $(STAMP)-dev
	swift format --in-place --recursive Package.swift Sources Tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(STAMP)-build
	rm -rf dist
	$(PIP) wheel --quiet --no-build-isolation --no-deps --wheel-dir dist .
	@ls -l dist/*.whl

stubs: $(STAMP)-dev $(STAMP)-core
	$(BIN)/python scripts/stubs.py python/ntkswift/_core.pyi

clean:
	rm -rf $(VENV) .build build dist reports

# ---- set-up ---------------------------------------------------------------------------------------------------------

$(STAMP)-build: pyproject.toml scripts/requirements.py
	@sh scripts/doctor --quiet
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip
	$(INSTALL) --upgrade $$($(BIN)/python scripts/requirements.py build)
	@touch $@

$(STAMP)-core: $(STAMP)-build $(CORE_SOURCES)
	$(INSTALL) "numpy>=1.24"
	@echo "Building the core; the first time takes a few minutes."
	$(INSTALL) --no-build-isolation --no-deps --config-settings=build-dir=build/editable --editable .
	@touch $@

$(STAMP)-demo $(STAMP)-test $(STAMP)-dev: $(STAMP)-%: $(STAMP)-build
	$(INSTALL) --upgrade $$($(BIN)/python scripts/requirements.py $*)
	@touch $@
