# Two commands do everything on a machine that has Python 3.11+ and make:
#   make serve   environment, locked dependencies, index, demo ledger, server on :8000 (HOST, PORT, DATA_DIR pass through)
#   make test    the same, and all that the tests need; then the tests (make test-clients: more clients, 400 MB more)

.PHONY: serve serve-wire test test-clients check lint types format vectors clean

PYTHON ?= python3
BIN := .venv/bin

serve: .venv/serve.stamp
	@exec $(BIN)/teller serve

test: .venv/test.stamp
	@tests/support/get_parts.sh
	$(BIN)/pytest
	@tests/support/get_parts.sh --report

# litellm, llm, LiveKit and Pipecat, which warn of much when they are imported.
test-clients: .venv/test.stamp
	@$(BIN)/uv sync --quiet --frozen --inexact --group dev --group clients
	$(BIN)/pytest tests/clients/test_agents.py -W default

# Nova's path without an account: a Bedrock on the wire beside the server, as the tests have it.
serve-wire: .venv/test.stamp
	@exec $(BIN)/python -m tests.support.bedrock.beside $(BIN)/teller serve

check: lint types test

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test.stamp
	$(BIN)/mypy

format: .venv/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# After a document of the sample bank or an utterance changed: the vectors that a first start begins with.
vectors: .venv/test.stamp
	$(BIN)/python -m bench.ship_vectors

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
