# `make demo` and `make test` are all a fresh Debian machine needs; the rest is for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet install -c constraints.txt
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# An editable install finds sim and boards beside the package.
INSTALLED := pyproject.toml constraints.txt

.PHONY: demo test test-fast lint simulator peers oracle-sparsepixels clean

demo: $(VENV)/installed
	$(BIN)/python -m lgn_hdl build examples/digits.lgn -o build/digits --board icebreaker \
	  --fold sums --clock-mhz 30 --samples examples/digits.npz

test: $(VENV)/installed-dev simulator
	$(BIN)/python -m pytest

test-fast: $(VENV)/installed-dev simulator
	$(BIN)/python -m pytest -m "not slow"

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check lgn_hdl sim boards benchmarks examples tests
	$(BIN)/pyright

# Icarus Verilog, the shared libpython that cocotb loads into it, OpenSTA for standard cells, and
# the Tcl of Python that LibreLane reads its configurations with.
simulator: $(VENV)/installed-dev
	@missing=""; \
	  command -v iverilog >/dev/null || missing="$$missing iverilog"; \
	  command -v sta >/dev/null || missing="$$missing opensta"; \
	  $(BIN)/python -c 'import tkinter' 2>/dev/null || missing="$$missing python3-tk"; \
	  [ -n "$$($(BIN)/find_libpython)" ] || missing="$$missing $$($(BIN)/python -c \
	    'import sys; print("libpython%d.%d" % sys.version_info[:2])')"; \
	  [ -z "$$missing" ] || \
	  { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $$missing; }

# Compare live with the original libraries; they need Python 3.12 and fetch several GB once.
peers: .venv-peers/installed
	.venv-peers/bin/python tests/golden/make_torchlogix.py --check
	.venv-peers/bin/python tests/golden/make_difflogic.py --check

# Compare live with sparsepixels on HGQ2, Keras 3 and torch; Python 3.11 or newer, several GB once.
oracle-sparsepixels: .venv-sparsepixels/installed
	KERAS_BACKEND=torch .venv-sparsepixels/bin/python tests/golden/make_sparsepixels.py --check

$(BIN)/pip:
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || \
	  { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/pip $(INSTALLED)
	$(PIP) -e ".[native,bitstream]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) -e ".[native,bitstream,smartpixels,dev]"
	@touch $@

.venv-peers/installed: tests/golden/requirements.txt
	$${PEERS_PYTHON:-python3.13} -m venv .venv-peers
	.venv-peers/bin/pip --quiet install -r tests/golden/requirements.txt
	.venv-peers/bin/pip --quiet install --no-deps torchlogix==0.2.2
	.venv-peers/bin/pip --quiet install -c constraints.txt amaranth cocotb jinja2 pyosys \
	  matplotlib pyarrow
	.venv-peers/bin/pip --quiet install --no-deps -e .
	PYTHONPATH=$(CURDIR)/tests/golden/no_cuda .venv-peers/bin/pip --quiet install \
	  --no-cache-dir --no-deps --no-build-isolation difflogic==0.1.0
	@touch $@

.venv-sparsepixels/installed: tests/golden/requirements-sparsepixels.txt
	$${PEERS_PYTHON:-python3.13} -m venv .venv-sparsepixels
	.venv-sparsepixels/bin/pip --quiet install --no-deps sparsepixels==0.3.2 HGQ2==0.2.0
	.venv-sparsepixels/bin/pip --quiet install -r tests/golden/requirements-sparsepixels.txt
	@touch $@

clean:
	rm -rf build dist .venv .venv-peers .venv-sparsepixels
