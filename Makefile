# Two commands do everything on a machine that has Python 3.11+ and make:
#   make serve   environment, locked dependencies, index, demo ledger, server on :8000 (HOST, PORT, DATA_DIR pass through)
#   make test    the same, and all that the tests need; then the tests

.PHONY: serve test check lint types format clean

PYTHON ?= python3
BIN := .venv/bin

serve: .venv/serve.stamp
	@exec $(BIN)/teller serve

test: .venv/test.stamp
	@tests/support/get_parts.sh
	$(BIN)/pytest
	@tests/support/get_parts.sh --report

check: lint types test

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test.stamp
	$(BIN)/mypy

format: .venv/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .data

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Teller needs Python 3.11 or newer; this is $$($(PYTHON) --version). Set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "This Python cannot make environments: install its venv package (Debian: python3-venv)."; exit 1; }
	@echo "Installing into .venv (about a minute the first time) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9

.venv/serve.stamp: uv.lock pyproject.toml | $(BIN)/uv
	@$(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode
	@touch $@

.venv/test.stamp: uv.lock pyproject.toml | $(BIN)/uv
	@$(BIN)/uv sync --quiet --frozen --group dev --compile-bytecode
	@touch .venv/serve.stamp $@
