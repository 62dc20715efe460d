# What one does here: make run, make test, make test-gpu, make lint, make bench, make bench-gpu. Each sets itself up
# first, once; but bench-gpu, which takes the Python that a bare GPU machine has (torch, triton, transformers, peft).
PYTHON := .venv/bin/python
READY  := .venv/.ready

.PHONY: run test test-gpu lint bench bench-gpu screenshots starter clean

run: $(READY)
	@$(PYTHON) -m app.cli $(ARGS)

test: $(READY) .venv/.ready-test
	GOSMITH_TEST_CACHE=$${GOSMITH_TEST_CACHE:-$(CURDIR)/.venv/test-cache} $(PYTHON) -m pytest -n 2 $(ARGS)

test-gpu: $(READY)
	GOSMITH_TEST_GPU=1 $(PYTHON) -m pytest tests/kernels $(ARGS)

lint: $(READY)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PYTHON) packaging/check_house.py

bench: $(READY) .venv/.ready-bench
	@for bench in tests/benchmarks/bench_*.py; do $(PYTHON) -m tests.benchmarks.$$(basename $$bench .py) || exit 1; done

bench-gpu:
	@$(or $(wildcard $(PYTHON)),python3) -m tests.benchmarks.gpu_kernels --minutes 4
	@$(or $(wildcard $(PYTHON)),python3) -m tests.benchmarks.gpu_training --minutes 4
	@$(or $(wildcard $(PYTHON)),python3) -m tests.benchmarks.gpu_decode --minutes 4
	@$(or $(wildcard $(PYTHON)),python3) -m tests.benchmarks.gpu_table

screenshots: $(READY)
	$(PYTHON) packaging/screenshots.py resources/screenshots

$(READY): pyproject.toml packaging/constraints.txt packaging/setup.sh
	@sh packaging/setup.sh run

.venv/.ready-test: packaging/setup.sh $(READY)
	@sh packaging/setup.sh test

.venv/.ready-bench: packaging/setup.sh $(READY)
	@sh packaging/setup.sh bench

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
