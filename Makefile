# Every target sets up .venv by itself, once; it needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# the demo goes on with a run that was stopped, and shows one that is done
RESUME = $(if $(wildcard runs/demo/config.json),--resume,--recipe recipes/demo.toml)

.PHONY: demo test browser check format bench docs clean

demo: $(READY)
	$(BIN)/elman train translate --out runs/demo $(RESUME)
	$(BIN)/elman predict runs/demo "French: 1789" --picture runs/demo/pictures/looks.png
	$(BIN)/elman predict runs/demo "Chinese: 4321"

test: $(READY)
	$(BIN)/python -m pytest -n 2

# for the tests of the page, which are skipped without it; Debian's, for who may install it
browser:
	command -v chromium chromedriver || (apt-get update -q && apt-get install -y -q chromium chromium-driver)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[peers]'
	$(BIN)/python benchmarks/parity.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/demo.py
	$(BIN)/python docs/generate.py

docs: $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	$(BIN)/sphinx-build -W -b html docs docs/_build

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) docs/_build .pytest_cache .ruff_cache
