# Two commands matter: `make course` shows a lesson train, `make test` checks everything. `make` alone lists the rest.
.PHONY: help course test test-gpu bands lab site bench export readme clean install-lab install-site install-dev
.DEFAULT_GOAL := help

JOBS ?= 2
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN := "$(BIN)/python"

# Real data without the network: shared/data beside the checkout, and mirror/ in it, serve as mirrors.
ifeq ($(origin DLCOURSE_MIRROR),undefined)
DLCOURSE_MIRROR := $(shell cd ../shared/data/mirror 2>/dev/null && echo "$$PWD:$${PWD%/mirror}")
endif
export DLCOURSE_MIRROR
export PYTHON

# What runs from the lessons' own source is nobody's progress: the answers stand in it.
test test-gpu bands bench site lab: export DLCOURSE_PROGRESS :=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

course: install-lab export ## install, then train lesson sgd's classifier on real handwritten digits
	@"$(BIN)/dlcourse" run sgd

test: install-dev ## everything CI checks: notebooks, tests, lint, types, layers, wheel, site
	@$(RUN) -m pytest -n $(JOBS)

test-gpu: install-dev ## all that needs an NVIDIA GPU; fails where none works
	@$(RUN) -m pytest -m gpu

bands: install-dev export ## run many seeds on the real sets and write the bands the lessons assert
	@$(RUN) benchmarks/bands.py

lab: install-lab export ## open the notebooks in JupyterLab
	@$(RUN) -m jupyterlab --notebook-dir=nbs $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)

site: install-site export ## render the site
	@"$(BIN)/dlcourse" site

bench: install-dev export ## time the contenders and write the figures of the Numbers page
	@$(RUN) benchmarks/run.py

export: install-lab ## write the notebooks' exported cells to dlcourse/
	@"$(BIN)/nbdev-export"

readme: install-site export ## write README.md from nbs/index.ipynb
	@$(RUN) -c 'from dlcourse.workbook.docs import build_readme; build_readme()'

clean: ## remove what builds and tests left; .venv, data and saved work stay
	@rm -rf build dist _proc _docs _site *.egg-info .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find dlcourse tests benchmarks tools nbs -name __pycache__ -type d -prune -exec rm -rf {} +

install-lab install-site install-dev:
	@sh tools/setup.sh $(@:install-%=%)
