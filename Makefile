# Everything runs in .venv; nothing else on the machine is changed.

# How the tests are spread over processes; `make test PYTEST_ARGS=` runs them one after another.
PYTEST_ARGS ?= -n auto --maxprocesses 4 --dist worksteal

.PHONY: install develop studio run demo test check format bench lock clean

install: .venv/lock.stamp ## set up .venv with the locked dependencies

.venv/lock.stamp: requirements/lock.txt pyproject.toml scripts/install
	@scripts/install

develop: .venv/dev.stamp ## the same, with what the checks and the tests need

.venv/dev.stamp: requirements/lock.txt requirements/dev.txt pyproject.toml scripts/install
	@scripts/install dev

studio: install ## build the web studio into the package, if its sources are newer
	@scripts/studio

run: install studio ## run the tutorial, then keep its API and endpoint up
	@.venv/bin/modelwright demo --serve

demo: install ## run the tutorial and exit
	@.venv/bin/modelwright demo

check: develop ## lint, format, types, layers and the repository's own rules
	@scripts/check

# A finding of the checks does not keep the tests from running, so that one go tells everything.
test: develop studio ## every check and every test
	@status=0; \
	scripts/check || status=1; \
	scripts/studio check || status=1; \
	.venv/bin/python -m pytest --cov $(PYTEST_ARGS) || status=1; \
	exit $$status

format: develop ## mend what ruff can mend by itself
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format --quiet .

# Those that end by themselves in minutes.  By hand: bench/larger.py takes 70 GB of the disk, bench/penalties.py
# chooses figures.
BENCHES = engine expression transformations training learners serving autoscaling chaos scale canvas studio

bench: develop ## every benchmark, as tables
	@set -e; for name in $(BENCHES); do echo "== $$name"; .venv/bin/python -m "bench.$$name"; done

lock: ## rewrite the locks in requirements/ from pyproject.toml
	@scripts/lock

clean: ## remove everything that can be made again
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov build dist
	find $(wildcard src tests bench scripts) -name __pycache__ -type d -prune -exec rm -rf {} +
