# Every target works inside .venv, which the first call creates.  Python 3.11 to 3.14 and make are
# the only requirements.  Later calls reuse .venv and need no network.
#
#   make demo PYTHON=python3.12     choose the Python that .venv is made from (first call only)
#   make demo ARGS="--help"         options for the demo
#   make test ARGS="-k naive -x"    options for pytest
#   make bench ARGS="-k step" REPORT="--output docs/benchmarks"
#                                   options for pytest, and for the report

VENV := .venv
PEERS := .venv-peers
# On Windows the programs of an environment are in Scripts.
BIN := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(VENV)/$(BIN)/python
READY := $(VENV)/.ready
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14 python
PIP := $(PY) -m pip --disable-pip-version-check --no-input -qq

# Import this checkout, even if it was moved or copied together with its .venv.
export PYTHONPATH := $(CURDIR)/src
export PYTHONNOUSERSITE := 1
export MPLBACKEND := Agg

.DEFAULT_GOAL := help
.PHONY: help demo demo-cluster docs test test-quick test-processors coverage bench bench-defaults bench-peers \
	bench-solvers bench-uci mutants lint format types clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## Train on a real table with all three engines; draws two plots into build/demo
	@$(PY) examples/demo.py $(ARGS)

demo-cluster: $(READY) ## Train on a Dask cluster of this machine and kill one of its workers
	@$(PY) examples/cluster_demo.py $(ARGS)

# A warning is an error.  The cache of parsed pages makes later builds fast; "make clean" deletes it.
docs: $(READY) ## Build the documentation site in build/docs/html
	$(PY) -m sphinx -W --keep-going -n -q -b html -d build/docs/doctrees docs build/docs/html $(ARGS)
	@echo "Open build/docs/html/index.html"

test: $(READY) ## Run the tests
	$(PY) -m pytest $(ARGS)

# A part of every folder, without long runs and fresh processes: under 60 s of one core's time.
QUICK := tests/blocks/test_blocks.py tests/cli/test_cell_values.py tests/cli/test_table.py \
  tests/dask/test_segment_runs.py tests/dask/test_tables.py \
  tests/compiler/test_kernel_struct.py tests/compiler/test_lowering.py \
  tests/engines/fused/test_hidden_layer.py tests/engines/fused/test_packing.py \
  tests/engines/test_engines_agree.py tests/engines/test_vectorized.py \
  tests/export/test_optional_package.py tests/export/test_safetensors_file.py tests/files/test_atomic_file.py \
  tests/files/test_network_file.py tests/gradient_check/test_gradient_bounds.py \
  tests/gradient_check/test_gradient_methods.py tests/gradient_check/test_gradient_report.py \
  tests/linalg tests/machine tests/plot/test_plot.py tests/predictive/test_calibration.py \
  tests/predictive/test_conformal.py tests/scaling tests/simd tests/sklearn/test_sklearn_tools.py \
  tests/sklearn/test_sklearn_words.py tests/solvers --ignore=tests/solvers/lbfgs/test_against_scipy.py \
  tests/test_documented.py tests/test_house_rules.py tests/test_loss.py tests/test_network.py \
  tests/threads tests/training/test_defaults.py tests/training/test_endings.py \
  tests/training/test_result.py tests/validation --ignore=tests/validation/test_rubbish.py

test-quick: $(READY) ## Run the tests that take a minute in all
	$(PY) -m pytest $(QUICK) $(ARGS)

test-processors: $(READY) ## Run the kernels' tests as if on other processors; ARGS="--whole": all tests
	$(PY) tools/processors.py $(ARGS)

# An empty kernel cache, so that the Python code that compiles kernels runs as well.
coverage: $(READY) ## Run the tests and report the lines and branches of src that they miss
	rm -rf build/coverage
	@mkdir -p build/coverage
	NUMBA_CACHE_DIR=$(CURDIR)/build/coverage/kernels $(PY) -m coverage run -m pytest tests $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report

bench: $(READY) ## Time naive, vectorized and fused; write table, plot and JSON to build/bench
	@mkdir -p build/bench
	$(PY) -m pytest benchmarks --benchmark-enable --benchmark-only --benchmark-quiet -q -r fE \
	  --benchmark-max-time=0.4 --benchmark-json=build/bench/pytest.json $(ARGS)
	@$(PY) -m benchmarks.report build/bench/pytest.json $(REPORT)

bench-peers: $(READY) $(PEERS)/.ready ## Time other libraries: hours; ARGS="--cases seed uci", "--processor avx2"
	@$(PY) -m benchmarks.peers --python $(PEERS)/$(BIN)/python $(ARGS)

bench-solvers: $(READY) $(PEERS)/.ready ## Seconds to a loss, beside other libraries: an hour, or ARGS="--quick"
	@$(PY) -m benchmarks.time_to_loss --python $(PEERS)/$(BIN)/python $(ARGS)

bench-uci: $(READY) ## Errors, NLL and intervals on the UCI tables: ARGS="--data FOLDER"
	@$(PY) -m benchmarks.uci $(ARGS)

bench-defaults: $(READY) ## Calls without arguments beside scikit-learn's: an hour, or ARGS="--quick"
	@$(PY) -m benchmarks.defaults $(ARGS)

mutants: $(READY) ## Change the code in one place at a time: does a test fail? Hours, or ARGS="--only WORDS"
	@$(PY) tools/mutate.py $(ARGS)

lint: $(READY) ## Check style and format (ruff)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(READY) ## Format the code and sort the imports (ruff)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: $(READY) ## Check the types of src (mypy, strict)
	$(PY) -m mypy

clean: ## Delete all generated files except .venv
	rm -rf build dist .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks examples docs -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## Delete .venv too, and that of the other libraries
	rm -rf $(VENV) $(PEERS)

# Created again if its Python does not start; updated when the lock or the metadata change.
$(READY): requirements.lock pyproject.toml
	@$(PY) -c "" 2>/dev/null || { \
	  for base in $(or $(PYTHON),$(CANDIDATES)); do \
	    "$$base" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
	      2>/dev/null && found=$$base && break; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "batchprop needs Python 3.11, 3.12, 3.13 or 3.14; looked for: $(or $(PYTHON),$(CANDIDATES))." >&2; \
	    echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$found"; \
	  "$$found" -m venv --clear $(VENV) || { \
	    rm -rf $(VENV); \
	    echo "$$found could not make an environment. On Debian and Ubuntu its venv module is" >&2; \
	    echo "a package of its own: python3-venv." >&2; \
	    exit 1; \
	  }; \
	}
	@echo "Installing the versions of requirements.lock into $(VENV): once, about a minute"
	@$(PIP) install --only-binary :all: --requirement requirements.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

# The other libraries have their own environment: several GB if a package depends on CUDA.
$(PEERS)/.ready: benchmarks/peers/requirements.txt requirements.lock | $(READY)
	@echo "Installing the libraries of $< into $(PEERS): once, some minutes"
	@$(PY) -m venv --clear $(PEERS)
	@$(PEERS)/$(BIN)/python -m pip --disable-pip-version-check --no-input -qq install \
	  --only-binary :all: --constraint requirements.lock --requirement $<
	@touch $@
