# Everything one does with the course. Needs make and python3 >= 3.11; the rest goes into .venv.
PYTHON ?= python3
EXTRAS ?= book,finance,notebooks,test,tf
# The weekly run on the newest versions sets this to nothing.
CONSTRAINTS ?= -c constraints.txt
# Threads change the order of sums, and with it the last digits: the stored outputs use one.
ONE_THREAD = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

SHELL = /bin/bash
.SHELLFLAGS = -eu -o pipefail -c
BIN = .venv/bin
# The environment is ready when this file is there; other extras or versions are another file.
READY = .venv/ready-$(shell echo '$(EXTRAS) $(CONSTRAINTS)' | cksum | cut -d' ' -f1)
HTML = _build/html
SOURCES = _config.yml _toc.yml pyproject.toml constraints.txt $(shell find book notebooks gancourse \
	-type f -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*' -not -name '*.tmp' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup book test lint unit nbval built lab notebooks bench constraints clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup: $(READY) ## create .venv and install everything into it

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later \
	is needed and $(PYTHON) is older. Install one and run: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "The module venv is \
	missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing the course and what it needs into .venv (once; PyTorch alone is large) ..."
	$(BIN)/python -m pip install --quiet -e '.[$(EXTRAS)]' $(CONSTRAINTS)
	@touch $@

book: $(HTML)/index.html ## build the book as HTML
	@echo "The book:    file://$(CURDIR)/$(HTML)/index.html"
	@echo "To serve it: $(BIN)/python -m http.server --directory $(HTML) 8000   (http://localhost:8000)"

# Always from a clean tree: Sphinx's cache does not see a changed package. Every warning fails.
$(HTML)/index.html: $(READY) $(SOURCES)
	@rm -rf _build
	@echo "Building the book ..."
	@$(BIN)/jupyter-book build . -W --keep-going -n -q || { rm -rf $(HTML); exit 1; }

test: ## lint and types, unit tests, every notebook, a clean build of the book and its checks
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory nbval
	@rm -rf _build
	@$(MAKE) --no-print-directory book
	@$(MAKE) --no-print-directory built
	@echo "All tests passed."

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: $(READY)
	$(ONE_THREAD) $(BIN)/pytest -q -n 2 --dist worksteal -m 'not built' \
		--cov --cov-report=term:skip-covered tests

# Text outputs are compared word for word; an image must be there, its pixels are not compared.
nbval: $(READY)
	$(ONE_THREAD) GANCOURSE_BUDGET=short $(BIN)/pytest -q --nbval --nbval-current-env \
		--nbval-cell-timeout 120 -n 2 --dist loadfile notebooks

built: $(READY)
	$(BIN)/pytest -q -n 2 --dist worksteal -m built tests/book

lab: $(READY) ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

notebooks: $(READY) ## run every notebook and store its outputs as `make test` compares them
	$(ONE_THREAD) $(BIN)/python tools/notebooks.py

bench: $(READY) ## measure speed and cost against peers
	$(BIN)/python -m benchmarks

constraints: $(READY) ## resolve the newest versions and write constraints.txt
	$(BIN)/python tools/constraints.py

clean: ## remove the built book, caches and .venv
	rm -rf _build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build dist *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
