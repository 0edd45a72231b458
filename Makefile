# One command each; every target makes the environment it needs in .venv, once.
# Uses uv when it is there, else python's own venv and pip. PYTHON=python3.12 chooses another interpreter.

PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: .venv/made-run ## a storm day over New York, live in the browser (flags: make demo ARGS='--speed max --once')
	$(BIN)/sspcore demo $(ARGS)

test: .venv/made-dev ## all tests; narrower: make test ARGS='tests/engine -k join'
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: .venv/made-dev ## lint, format, types, import rules, the documentation's code blocks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture tests/docs

bench: .venv/made-dev ## the benchmarks beside other engines, results checked (flags: make bench ARGS=--quick)
	$(BIN)/sspcore bench engine $(ARGS)

clean: ## everything that was made, .venv included
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist benchmarks/.scratch src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps say what .venv holds: `run` is enough to use sspcore, `dev` to work on it and on the packages in plugins/.
.venv/made-run: pyproject.toml | .venv/made
	$(call install,.[sidecar$(comma)cli])
	@touch $@

.venv/made-dev: pyproject.toml $(wildcard plugins/*/pyproject.toml) | .venv/made
	$(call install,.[dev],$(patsubst %/pyproject.toml,./%,$(wildcard plugins/*/pyproject.toml)))
	@touch $@ .venv/made-run

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "sspcore needs Python 3.11 or newer; $(PYTHON) is not: make PYTHON=python3.12 …" >&2; exit 1; }
ifdef UV
	uv venv --quiet --allow-existing --python $(PYTHON) .venv
else
	$(PYTHON) -m venv .venv
endif
	@touch $@

comma := ,
ifdef UV
install = uv pip install --quiet --python $(BIN)/python -e '$(1)' $(addprefix -e ,$(2))
else
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '$(1)' $(addprefix -e ,$(2))
endif
