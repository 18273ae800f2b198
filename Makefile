# Everything that a newcomer types; each target does its own set-up, and a second run is quick.
#   make demo    train a closure, run it inside the Fortran solver, and open demo/report.html
#   make test    the test suite (fast part)
#   make build   the Fortran programs and the bridge library, release
#   make debug   the same with run-time checks, and the Fortran tests
#   make lint    style, layers and format; make format mends what can be mended
# PYTHON=python3.12 chooses the interpreter, JOBS=8 the number of parallel jobs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := _build/stamps
INSTALLED := $(VENV)/subgrid-installed
JOBS   ?= 2
# A file of tests stays with one worker: what it compiles and makes is made once.
PYTEST ?= -n $(JOBS) --dist loadfile -q

.PHONY: demo test test-slow build debug python lint format clean

demo: build
	$(BIN)/subgrid demo --out demo --overwrite

test: build debug
	$(BIN)/python -m pytest $(PYTEST)

test-slow: build debug
	$(BIN)/python -m pytest $(PYTEST) -m slow

build: $(STAMPS)/release
debug: $(STAMPS)/debug
python: $(INSTALLED)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/fortitude check --quiet benchmarks contracts examples fortran_bridge sims tests workflows

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf _build build *.egg-info

$(STAMPS)/system: .ci/system-packages
	@mkdir -p $(@D)
	@PYTHON=$(PYTHON) .ci/system-packages
	@touch $@

# The system's packages come first, because Debian keeps venv apart, but a change there needs no second pip.
$(INSTALLED): pyproject.toml setup.py | $(STAMPS)/system
	@echo "installing Python packages into $(VENV) (a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable ".[fortran,rl,dev]"
	@touch $@

# CMake decides what has to be built again, so these two always ask it.
.PHONY: $(STAMPS)/release $(STAMPS)/debug
$(STAMPS)/release: CONFIG := Release
$(STAMPS)/release: F90WRAP := ON
$(STAMPS)/debug:   CONFIG := Debug
$(STAMPS)/debug: F90WRAP := OFF
$(STAMPS)/release $(STAMPS)/debug: $(STAMPS)/system $(INSTALLED)
	@echo "building Fortran and C ($(@F))"
	@test -f _build/$(@F)/build.ninja || $(BIN)/cmake -S . -B _build/$(@F) -G Ninja \
	    -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja -DCMAKE_BUILD_TYPE=$(CONFIG) -DSUBGRID_WERROR=ON -DSUBGRID_BUILD_F90WRAP=$(F90WRAP) \
	    -DPython3_EXECUTABLE=$(abspath $(BIN))/python > _build/cmake-$(@F).log \
	    || { cat _build/cmake-$(@F).log; exit 1; }
	@$(BIN)/cmake --build _build/$(@F) --parallel $(JOBS) > _build/build-$(@F).log \
	    || { cat _build/build-$(@F).log; exit 1; }
