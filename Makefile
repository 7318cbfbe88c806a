# Two commands: `make demo` and `make test`. Each sets up .venv on its first call and uses it again afterwards.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test slow test-browser lint setup audit-deps sbom fuzz clean

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
	@for name in chromium chromium-browser google-chrome chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ -z "$$WORKBENCH_CHROMIUM" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing Debian's chromium for the browser tests"; apt-get update -qq && apt-get install -qq --no-install-recommends chromium >/dev/null; fi || true
	OMP_NUM_THREADS=1 $(BIN)/pytest -m browser -rs tests/widgets

setup: $(VENV)/.dev

# The stored list is held against what is installed wherever tests run; the second half asks PyPI, and fails where PyPI
# does not answer for a package: what was not looked at has not passed.
audit-deps: $(VENV)/.dev ## known advisories: those of docs/security, then all that PyPI knows
	$(BIN)/pytest tests/test_security.py -k advisory
	@mkdir -p out
	$(BIN)/pip freeze --exclude-editable | grep -v ' @ ' | sed 's/+.*//' > out/installed.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip --progress-spinner off --requirement out/installed.txt

sbom: $(VENV)/.dev ## CycloneDX list of all that the core package brings: out/sbom.cdx.json
	@mkdir -p out
	rm -rf out/core && $(PYTHON) -m venv out/core && out/core/bin/python -m pip install --quiet .
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file out/sbom.cdx.json out/core/bin/python
	rm -rf out/core

fuzz: $(VENV)/.dev ## 100,000 hostile files for all readers, some 20 minutes of CPU: out/fuzz
	PYTHONPATH=. $(BIN)/python benchmarks/fuzz.py --n 100000

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
