# Every target does the set-up it needs: Python packages into .venv, Node.js among them, and the
# CDK CLI into node_modules. All it takes is Python 3.11 or later, make and git.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The Python that .venv is made with; the newest one on this machine unless named.
PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)

# No target talks to AWS: settings of the caller's accounts stay outside.
$(foreach name,$(filter AWS_% CDK_%,$(.VARIABLES)),$(eval unexport $(name)))

PACKAGES := .venv/.installed
CDK := node_modules/.installed
READY := $(PACKAGES) $(CDK)

.PHONY: help
help: ## Show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(READY) ## Run the whole service on this machine and watch it work
	@python -m local.demo

.PHONY: local
local: $(READY) ## Bring the same stack up and leave it running until Ctrl-C
	@python -m local

.PHONY: test
test: lint ## Check style and types, then run every test but the long ones
	@pytest --numprocesses 3 --no-loadscope-reorder

# With a blank before it pytest would take the page for a folder of tests.
.PHONY: prove
prove: $(READY) ## Run every fault, every crash and the fuzzer, and write docs/proof.md
	@pytest --numprocesses 2 -m "hypothesis and not end_to_end" --hypothesis-profile random
	@pytest -m "prove or measured" --findings=docs/proof.md

.PHONY: pythons
pythons: $(READY) ## Run the fast tests on every Python of this machine, the package on the newest
	@python -m tools.pythons

.PHONY: lint
lint: $(READY) ## Check style and types
	@echo "Checking style and types …"
	@ruff check --quiet
	@ruff format --check --quiet
	@mypy --no-error-summary

.PHONY: format
format: $(PACKAGES) ## Set the style right where that can be done by machine
	@ruff check --fix --quiet
	@ruff format --quiet

.PHONY: bench
bench: $(READY) ## Measure pace, calls, memory and package size
	@python -m tools.bench

.PHONY: soak
soak: $(READY) ## Run an hour under backlog with mixed faults and write docs/soak.md
	@python -m tools.soak --minutes 60 --write docs/soak.md

.PHONY: simulate
simulate: $(READY) ## Run thirty days of mail in virtual time and write docs/simulation.*
	@python -m tools.simulate

# SEEDS= how many, FROM= the first, SEED= one alone with all that happens in it, WRITE= a page. Ctrl-C
# ends it with the figures of what is done.
SEEDS ?= 100000
FROM ?= 0

.PHONY: chaos
chaos: $(READY) ## Run the real code against AWS in memory, a fault possible at every call
	@python -m tools.chaos $(if $(SEED),--seed $(SEED),--first $(FROM) --seeds $(SEEDS) \
		$(if $(WRITE),--write $(WRITE)))

# ONLY= a file or folder below functions/ses_insights.
.PHONY: mutants
mutants: $(READY) ## Change the code in small ways and count what no unit test notices
	@python -m tools.mutants $(if $(ONLY),--only $(ONLY))

.PHONY: costs
costs: $(READY) ## Compute what a month costs and write docs/costs.md
	@python -m tools.costs

.PHONY: pictures
pictures: $(READY) ## Draw docs/architecture.svg, run the demo and keep it as docs/demo.svg
	@python -m tools.architecture
	@python -m local.demo --svg docs/demo.svg

.PHONY: page
page: $(READY) ## Take a picture of the web page in Chromium and keep it as docs/web.webp
	@python -m tools.page

.PHONY: synth
synth: $(READY) ## Write the CloudFormation template into cdk.out
	@cdk synth --quiet --no-notices
	@echo "cdk.out/ holds the template."

.PHONY: insights
insights: $(PACKAGES) ## Install the command line tool as .venv/bin/insights
	@echo "Run it as .venv/bin/insights, or as insights after: source .venv/bin/activate"

.PHONY: clean
clean: ## Remove everything the other targets made
	@rm -rf .venv node_modules cdk.out .local .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Set-up. Each step leaves a stamp and is repeated only when what it was made from changes. The slow
# ones show what they are doing.

PROGRESS := .venv/bin/python tools/progress.py

$(PACKAGES): .venv/bin/python requirements.txt constraints.txt pyproject.toml
	@$(PROGRESS) "Installing the Python packages" \
		.venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
		--only-binary=:all: --requirement requirements.txt --constraint constraints.txt
	@touch $@

$(CDK): package.json package-lock.json $(PACKAGES)
	@$(PROGRESS) "Installing the CDK CLI" \
		npm ci --no-audit --no-fund --no-update-notifier --ignore-scripts --loglevel=error
	@touch $@

.venv/bin/python:
	@$(MAKE_VENV)

# Takes the first Python that is new enough and can make virtual environments.
define MAKE_VENV
found=none; \
for python in $(PYTHON); do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	found=$$("$$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || continue; \
	echo "Making a virtual environment in .venv with $$("$$python" --version) …"; \
	exec "$$python" -m venv --clear .venv; \
done; \
if [ "$$found" = none ]; then \
	echo "Python 3.11 or later is needed, and none was found among: $(PYTHON)." >&2; \
	echo "On Debian: sudo apt-get install python3 python3-venv" >&2; \
	echo "Or name one: make PYTHON=/path/to/python3" >&2; \
else \
	echo "$$found cannot make virtual environments: its venv package is missing." >&2; \
	echo "On Debian: sudo apt-get install $$found-venv" >&2; \
fi; \
exit 1
endef
