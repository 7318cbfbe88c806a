# Two commands: `make demo` and `make test`. Each sets up .venv on its first call and uses it again afterwards.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test slow test-browser lint setup clean

demo: $(VENV)/.core ## audit MiniLM on real text: out/demo/report.html
	$(BIN)/workbench audit --out out/demo

test: $(VENV)/.dev ## linters, types, and all tests that take seconds (they hold the layers too)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --warnings
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

slow: $(VENV)/.dev ## the tests that take minutes
	$(BIN)/pytest -m slow

test-browser: $(VENV)/.browser ## the widgets in a real chromium, JupyterLab and Notebook 7; pictures in out/screenshots
	OMP_NUM_THREADS=1 $(BIN)/pytest -m browser -rs tests/widgets

setup: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

# On Linux without a GPU, PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu keeps the CUDA packages away.
$(VENV)/.core: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(VENV)/.core $@

$(VENV)/.browser: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable '.[browser]'
	@touch $@

clean:
	rm -rf out dist build .pytest_cache .ruff_cache .hypothesis
