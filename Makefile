# Two commands do everything on a machine with Python >= 3.11 and make:
#
#   make demo    set up, then run the quickstart notebook on the embedded model
#   make test    set up, then run all the tests
#
# Everything lives in .venv and .artifacts; the embedded model is stored in your data folder, where every
# checkout and every environment finds it (ALLOS_MODELS names another folder).

VENV    := .venv
PY      := $(VENV)/bin/python
RUN     := $(PY) -m
READY   := $(VENV)/.ready
DEMO    := notebooks/01-quickstart.ipynb
RESULTS := .artifacts

# What notebooks do here stays here: neither your log nor your Jupyter settings are touched.
PRIVATE := ALLOS_LOG="$(CURDIR)/$(RESULTS)/log.db" IPYTHONDIR="$(CURDIR)/$(RESULTS)/ipython"

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without its compiled files Python compiles every test and module anew, which takes longer than running them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo lab test check lint frontend frontend-check types unit suites suite-in-process suite-real-parts \
  notebooks record docs perf format clean model browser services environments test-colab test-lowest test-bare

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

# --- set-up ---------------------------------------------------------------------------------------

setup: $(READY) model  ## Build .venv and fetch the embedded model (once; a few minutes)

# The newest Python that is new enough; PYTHON=... names one by hand.
$(PY):
	@python=; for p in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
	  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { python=$$p; break; }; \
	done; \
	[ -n "$$python" ] || { \
	  echo "allos needs Python 3.11 or newer; found $$($(or $(PYTHON),python3) --version 2>&1). Name another one: make PYTHON=/path/to/python3.11"; exit 1; }; \
	echo "==> Making .venv with $$($$python --version)"; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "    This Python comes without its venv module (Debian: apt-get install python3-venv)"; \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 1; \
	  echo "    installing it"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv >/dev/null || exit 1; }; \
	"$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(READY): pyproject.toml $(PY)
	@echo "==> Installing allos and its tools into .venv (1 to 4 minutes, about 1 GB)"
	@$(RUN) pip install --quiet --upgrade 'pip>=25.1'
	@$(RUN) pip install --quiet -e '.[local]' --group test --group check --group docs || { \
	  echo "    pip could not install everything (its reason is above); run the same command again to go on"; exit 1; }
	@touch $@

model: $(READY)
	@$(RUN) allos local install || $(WITHOUT_MODEL)

# Using allos needs the model; the tests tell what they had to leave out, unless nothing may be.
WITHOUT_MODEL = exit 1
test check suites suite-in-process suite-real-parts: WITHOUT_MODEL = { \
	echo "    the embedded model is not available, so its tests cannot run"; [ -z "$$ALLOS_REQUIRE_ALL" ]; }

browser: $(READY)
	@$(RUN) tests.support.find_chromium --install || [ -z "$$ALLOS_REQUIRE_ALL" ]

services: $(READY)
	@$(RUN) tests.support.find_postgres --install || [ -z "$$ALLOS_REQUIRE_ALL" ]

# --- use ------------------------------------------------------------------------------------------

demo: setup  ## Run the quickstart notebook on the embedded model
	@mkdir -p $(RESULTS)
	@echo "==> Running $(DEMO) on the embedded model (under a minute)"
	@$(PRIVATE) $(RUN) nbconvert --log-level=ERROR --execute --to notebook --output-dir $(RESULTS) \
	  --ExecutePreprocessor.extra_arguments=--log-level=ERROR $(DEMO)
	@$(RUN) nbconvert --log-level=ERROR --to html $(RESULTS)/$(notdir $(DEMO))
	@echo "==> Done. Look at it:"
	@echo "    in a browser      file://$(CURDIR)/$(RESULTS)/$(notdir $(DEMO:.ipynb=.html))"
	@echo "    as a notebook     $(RESULTS)/$(notdir $(DEMO))"
	@echo "    and try it        make lab"

lab: setup  ## Open the notebooks in JupyterLab
	@$(RUN) jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) $(DEMO)

# --- check ----------------------------------------------------------------------------------------

# The cheap checks come first; pytest's own closing lines come last.
test: setup browser services lint types docs suites notebooks  ## Run all checks and tests, with every real part that is there
	@echo "==> All done"

check: test  ## The same as make test

lint: $(READY) frontend-check  ## Check format, lint, layers, declared packages, and the board's page
	@echo "==> Lint"
	@$(RUN) ruff format --check --quiet . || { echo "    make format fixes the files above"; exit 1; }
	@$(RUN) ruff check --quiet .
	@$(VENV)/bin/lint-imports --cache-dir $(VENV)/.import-linter >$(VENV)/.layers 2>&1 || { cat $(VENV)/.layers; exit 1; }
	@$(RUN) deptry . >$(VENV)/.declared 2>&1 || { cat $(VENV)/.declared; exit 1; }
	@$(RUN) deptry . --exclude '^(allos|[.]venv.*)/' --ignore DEP002,DEP004 >$(VENV)/.declared 2>&1 || { cat $(VENV)/.declared; exit 1; }

# The board's page: small modules in frontend/, bundled into static/, which is committed so that users and
# the other tests need no Node. It is taken from the machine when it is new enough, else from PyPI.
FRONTEND     := allos/notebook/board/frontend
NODE_MODULES := $(FRONTEND)/node_modules/.package-lock.json
# Node trusts certificates of its own only; the system's may be needed as well (a company's proxy).
SYSTEM_CERTS := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt))
NPM          := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" NODE_EXTRA_CA_CERTS="$${NODE_EXTRA_CA_CERTS:-$(SYSTEM_CERTS)}" \
                npm --prefix $(FRONTEND)

$(NODE_MODULES): $(FRONTEND)/package-lock.json $(READY)
	@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null && npm --version >/dev/null 2>&1 || { \
	  echo "==> Installing Node into .venv"; \
	  $(RUN) pip install --quiet --group frontend; }
	@echo "==> Installing the tools of the board's page"
	@$(NPM) ci --loglevel=error >/dev/null
	@touch $@

frontend: $(NODE_MODULES)  ## Check types, test and bundle the board's page
	@$(NPM) run --silent types
	@$(NPM) run --silent test
	@$(NPM) run --silent build

# In lint, so that CI proves that the bundle is what its sources make.
frontend-check: $(READY)
	@echo "==> The board's page"
	@if $(MAKE) -s --no-print-directory $(NODE_MODULES); then \
	  $(NPM) run --silent types && \
	  { $(NPM) run --silent test >$(VENV)/.page 2>&1 || { cat $(VENV)/.page; exit 1; }; } && \
	  $(NPM) run --silent check; \
	else \
	  echo "    its tools are not available, so it is not checked"; [ -z "$$ALLOS_REQUIRE_ALL" ]; \
	fi

types: $(READY)  ## Check types
	@echo "==> Types"
	@$(RUN) mypy --no-error-summary

unit: $(READY)  ## Run the fast tests alone
	@$(RUN) pytest -q --quick tests/unit

suites: suite-in-process suite-real-parts

suite-in-process: setup
	@echo "==> Tests without processes, side by side"
	@$(RUN) pytest -q -n auto --in-process

suite-real-parts: setup browser services
	@echo "==> Tests with real parts: processes, kernels, services, the embedded model, a browser (some minutes)"
	@$(RUN) pytest -q --real-parts

# --- other environments -----------------------------------------------------------------------------
#
# Each has a venv of its own, beside .venv. What runs there is named, so that nothing is skipped: the
# unit, contract and kernel tests. Left out are the tests of the browser (they drive JupyterLab 4) and
# of the embedded model, PostgreSQL and Dask (the same everywhere), notebooks and docs (their recorded outputs
# are today's). The lowest versions and Colab's have the same IPython, so that a part is enough for the
# lowest: a few cases of each unit and contract test, none that starts processes (--quick), and of the
# kernel tests what is shown, and where. .ci/run does all of it, on two cores.

ELSEWHERE := -m 'not model and not browser and not postgres and not dask' tests/unit tests/contract
SHOWN     := $(addprefix tests/kernel/test_,magic.py compare.py terminal.py charts.py)
COLAB     := .venv-colab
LOWEST    := .venv-lowest
BARE      := .venv-bare

# A Python of this version: by its name, or one of pyenv's; else that of .venv.
python = $$(for p in python$(1) "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$(1).*/bin/python $(PY); do \
  "$$p" -c pass >/dev/null 2>&1 && { echo "$$p"; break; }; done)

environments: $(COLAB)/.ready $(LOWEST)/.ready

test-colab: $(COLAB)/.ready  ## Run the tests beside the packages of Google Colab
	@echo "==> Tests beside the packages of Colab (some minutes)"
	@$(COLAB)/bin/python -m pytest -q -n auto --in-process $(ELSEWHERE)
	@$(COLAB)/bin/python -m pytest -q --real-parts $(ELSEWHERE) tests/kernel

# First the runtime, then allos as a person installs it: a bound that would change one package of the
# runtime is an error here.
$(COLAB)/.ready: pyproject.toml tests/environments/colab.txt $(READY)
	@echo "==> Making $(COLAB): the packages of Colab, then allos (1 minute)"
	@$(call python,3.13) -m venv --clear $(COLAB)
	@$(COLAB)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(COLAB)/bin/python -m pip install --quiet -r tests/environments/colab.txt
	@$(COLAB)/bin/python -m pip install --quiet -c tests/environments/colab.txt -e . --group kernel-test
	@touch $@

test-lowest: $(LOWEST)/.ready  ## Run the tests on the lowest versions that pyproject.toml allows
	@echo "==> Tests on the lowest versions (some minutes)"
	@$(LOWEST)/bin/python -m pytest -q -n auto --quick $(ELSEWHERE)
	@$(LOWEST)/bin/python -m pytest -q $(SHOWN)

# The lowest versions have wheels for the lowest Python alone.
$(LOWEST)/.ready: pyproject.toml $(READY)
	@echo "==> Making $(LOWEST): the lowest versions that pyproject.toml allows (1 minute)"
	@$(call python,3.11) -m venv --clear $(LOWEST)
	@$(RUN) uv pip compile --quiet --system-certs --python $(LOWEST)/bin/python --resolution lowest-direct \
	  $(addprefix --extra ,keyring socks excel plot table) --no-header --no-emit-index-url --output-file $(LOWEST)/versions.txt pyproject.toml
	@$(LOWEST)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(LOWEST)/bin/python -m pip install --quiet -c $(LOWEST)/versions.txt -e . --group kernel-test
	@touch $@

# The wheel, with what it declares and nothing else; from a folder where its source cannot be seen.
test-bare: $(READY)  ## Build the wheel, install it alone, and use every public name
	@echo "==> The wheel in a bare environment"
	@rm -rf $(BARE) && $(PY) -m venv $(BARE) && mkdir $(BARE)/elsewhere
	@$(RUN) hatchling build -t wheel -d $(BARE)/dist
	@$(BARE)/bin/python -m pip install --quiet $(BARE)/dist/*.whl
	@ln -s "$(CURDIR)/tests" $(BARE)/elsewhere/tests
	@cd $(BARE)/elsewhere && PYTHONPATH= ../bin/python -m tests.environments.bare

# On the answers recorded beside each notebook: no model, no network, and every output is compared.
notebooks: $(READY)  ## Run the notebooks and compare their outputs
	@echo "==> Notebooks"
	@mkdir -p $(RESULTS)
	@$(PRIVATE) $(RUN) pytest -q -p tests.support.replayed_notebooks \
	  --nbval --nbval-sanitize-with tests/support/nbval.cfg notebooks

record: setup  ## Ask the embedded model anew for what notebooks and documentation show
	@mkdir -p $(RESULTS)
	@for notebook in notebooks/*.ipynb; do \
	  answers="$(CURDIR)/$${notebook%.ipynb}.replay.jsonl"; \
	  echo "==> Recording $$notebook"; \
	  rm -f "$$answers"; \
	  $(PRIVATE) ALLOS_REPLAY="$$answers" ALLOS_REPLAY_MODE=record $(RUN) nbconvert --log-level=ERROR \
	    --execute --inplace --ExecutePreprocessor.record_timing=False \
	    --ExecutePreprocessor.extra_arguments=--log-level=ERROR "$$notebook" || exit 1; done
	@$(RUN) tests.support.strip_styles notebooks/*.ipynb
	@echo "==> Recording the pages of the documentation"
	@rm -f docs/replay/*.jsonl
	@ALLOS_REPLAY_MODE=record $(RUN) sphinx -E -q -b dummy docs docs/_build/record

docs: $(READY)  ## Build the documentation; warnings are errors
	@echo "==> Documentation"
	@$(RUN) sphinx -W --keep-going -q -j auto -b html docs docs/_build/html
	@echo "    docs/_build/html/index.html"

perf: $(READY)  ## Measure: run every script in tests/perf
	@for script in tests/perf/bench_*.py; do \
	  echo "==> $$script"; $(RUN) tests.perf.$$(basename "$$script" .py) || exit 1; done

format: $(READY)  ## Fix format and lint where a tool can
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

clean:  ## Remove .venv and everything that was built
	@rm -rf $(VENV) $(COLAB) $(LOWEST) $(BARE) $(RESULTS) $(FRONTEND)/node_modules docs/_build docs/tutorials build dist .coverage htmlcov .*_cache .hypothesis
	@find allos tests docs notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
