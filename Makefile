# Two commands do everything on a fresh machine: `make demo` and `make test`. Both set up what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
# An empty value means that Python keeps what it compiled, the rewritten assertions of the tests too:
# without them each of the processes that run tests compiles all files again (13 s of CPU each).
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup browser demo test check quick lint format example docs tour pictures bench-log bench-catalogue bench-store bench-store-far bench-store-known bench-store-clients bench-kafka bench-clean bench-people bench-train simulate-scale fuzz clean compiled

help:
	@echo "make demo    the whole pipeline against a small web on this machine, offline"
	@echo "make test    all tests (installs the test tools and, as root on Debian, a browser)"
	@echo "make check   lint and the tests that need no service, in a minute"
	@echo "make lint    ruff, mypy strict, import rules"
	@echo "make setup   the virtual environment $(VENV) with everything for development"
	@echo "make docs    write config.example.toml and the generated parts of the docs from the code"
	@echo "make tour    run the README's tour again and write its output there"
	@echo "make pictures   take the pictures of the gallery and of the terminal again (docs/)"
	@echo "make bench-people FOLDER=...   how good the face engines are for your own people (docs/faces.md)"
	@echo "make bench-log, bench-catalogue, bench-kafka, bench-clean, bench-train: measure (docs/benchmarks.md)"

setup: $(READY) compiled browser

# What the demonstration needs, which goes without faces where there are no packages for this machine; the tools for development come on top.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[faces]' || $(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(READY): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

# pip compiles what it copies; what is installed where it lies would be compiled at every start where Python may not write (PYTHONDONTWRITEBYTECODE).
compiled: $(INSTALLED)
	@$(BIN)/python -m compileall -q src

# A browser is Debian's, installed only as root and only when none is there.
browser:
	@sh scripts/browser.sh

demo: $(INSTALLED) compiled browser
	$(BIN)/celebcollect demo
	@echo "To type celebcollect as shown: . $(BIN)/activate"

# All tests. None is tried again: one that fails now and then hides a race, in the program or in itself.
test: setup
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

# For between two edits: under a minute on two cores. What needs a service or takes long is left to `make test`.
check: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 lint quick

quick: $(READY)
	$(BIN)/python -m pytest -q -n 4 --dist loadfile -m "not (kafka or mongo or browser or slow)"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

example: $(READY)
	$(BIN)/python -c "from celebcollect.config.example import example; from celebcollect.configuration import config_model; print(example(config_model()), end='')" > config.example.part
	mv config.example.part config.example.toml

# The tables of the README, docs/errors.md, docs/reasons.md and docs/schemas, from the code.
docs: $(READY) example
	$(BIN)/python scripts/docs.py

tour: $(READY) browser
	$(BIN)/python scripts/docs.py --tour

# docs/gallery.png from a real browser, docs/run-all.svg and docs/terminal from a real terminal (tmux).
pictures: $(READY) browser
	$(BIN)/python scripts/gallery_picture.py
	$(BIN)/python scripts/terminal_pictures.py

bench-log bench-catalogue bench-kafka bench-train: bench-%: $(READY)
	$(BIN)/python benchmarks/$*.py

# cleanvision gets a virtual environment of its own in the system's folder for temporary files; ARGS="FOLDER" for other photographs.
# BASE=CHECKOUT, with an environment of its own, measures face work there too.
bench-clean: $(READY)
	$(BIN)/python benchmarks/clean.py $(ARGS)
	$(BIN)/python benchmarks/clean_cost.py $(if $(BASE),--base $(BASE))
	$(BIN)/python benchmarks/clean_duplicates.py
	$(BIN)/python benchmarks/clean_face_copies.py
	$(BIN)/python benchmarks/clean_portraits.py
	$(BIN)/python benchmarks/poor_portraits.py
	$(BIN)/python benchmarks/fair_albums.py
	$(BIN)/python benchmarks/fair_folds.py
	$(BIN)/python benchmarks/fair_identify.py

# One's own people: a folder for each, and labels.csv (person, group, sex) where there are groups; make bench-people FOLDER=...
bench-people: $(READY)
	$(BIN)/python benchmarks/people.py "$(FOLDER)"

# img2dataset gets a virtual environment of its own in the system's folder for temporary files; ARGS="--rounds 1" and so on.
bench-store: $(READY)
	$(BIN)/python benchmarks/store.py $(ARGS)

# Downloads alone, ours beside the libraries; ARGS="--other PYTHON" for another checkout's.
bench-store-clients: $(READY)
	$(BIN)/python benchmarks/store_clients.py $(ARGS)

# The same program against itself: near hosts and far ones, few known pictures and a million.
bench-store-far bench-store-known: bench-store-%: $(READY)
	$(BIN)/python benchmarks/store_beside.py $* $(ARGS)

# Simulated against real runs; then what collections of several sizes need (docs/scale.md).
simulate-scale: $(READY)
	$(BIN)/python benchmarks/simulate_scale.py $(ARGS)

fuzz: $(READY)
	$(BIN)/python benchmarks/fuzz.py

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
