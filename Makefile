.PHONY: demo test test-cluster faults schedules tools fiftyone check fuzz docs site constraints clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# a checkout's own environment; the stamp is newer than the files it was made from
$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.demo
	$(BIN)/clipmill label sample_data -o demo --model demo --max-failed-share 0.5
	@echo
	@echo "look next at:"
	@echo "  $(BIN)/clipmill inspect demo                     # cameras, categories, events, failures"
	@echo "  $(BIN)/clipmill report demo -o demo/report.html  # all of it on one page, for a browser"
	@echo "  $(BIN)/clipmill inspect demo --clip 00-front --to demo/pictures   # labels drawn on frames"
	@echo "  $(BIN)/clipmill sql demo 'SELECT category, count(*) FROM detections GROUP BY ALL'"
	@echo "  $(BIN)/clipmill budget demo --workload fsd --cluster cortex"

test: $(VENV)/.dev
	$(BIN)/pytest -n auto --dist worksteal $(PYTEST_ARGS)

# the same job on Flink, Prism and in this process; fetches some 220 MB into CLIPMILL_ENGINES the first time
test-cluster: $(VENV)/.dev
	$(BIN)/pytest -m cluster -rs tests/cluster $(PYTEST_ARGS)

faults: $(VENV)/.dev
	CLIPMILL_KILLS=$(or $(KILLS),50) $(BIN)/pytest tests/e2e/test_kills.py tests/e2e/test_faults.py

# examples for schedulers against Airflow itself and Kubernetes' schemas, which pip installs for it; CLIPMILL_AIRFLOW
# names an environment that has Airflow already
schedules: $(VENV)/.dev
	CLIPMILL_INSTALLS=1 $(BIN)/pytest tests/e2e/test_schedules.py tests/e2e/test_airflow.py

# exports read by other tools, which pip installs for it; CLIPMILL_TOOLS names an environment that has them already
tools: $(VENV)/.dev
	CLIPMILL_INSTALLS=1 $(BIN)/pytest tests/e2e/test_export_round_trips.py

# exports read by FiftyOne itself, which pip installs for it with its database (some 300 MB); CLIPMILL_FIFTYONE names an
# environment that has both already
fiftyone: $(VENV)/.dev
	CLIPMILL_INSTALLS=1 $(BIN)/pytest tests/e2e/test_fiftyone_export.py

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# MINUTES for each reader; what is found is written to tests/fuzz/corpus
MINUTES ?= 5
fuzz: $(VENV)/.dev
	CLIPMILL_FUZZ_MINUTES=$(MINUTES) $(BIN)/pytest -n auto --dist worksteal --timeout=0 tests/fuzz $(PYTEST_ARGS)

# all that is made from the code: pages of commands and of TOML files' keys, tables, figures
docs: $(VENV)/.dev
	$(BIN)/python -m pipelines.reference docs
	$(BIN)/python -m transforms.tables.describe > docs/tables.md
	$(BIN)/python -m transforms.budget.evidence.describe > docs/backtest.md
	$(BIN)/python tests/benchmarks/fleet_simulation.py --renew

# the same pages as a site that needs no connection, in build/site; a link that leads nowhere ends it
site: $(VENV)/.dev
	$(BIN)/sphinx-build -q -W --keep-going -d build/site-read docs build/site

constraints:
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/pip install --quiet -e '.[dev]'
	build/constraints/bin/pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf $(VENV) build demo
