# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later

MAKEFLAGS += --no-print-directory
PLAYBOOKS := provision destroy verify outputs status connect stop start unlock
DEV := build/venv-dev/bin
VARS = $(if $(STACK),-e matcha_stack=$(STACK)) $(if $(PREFIX),-e matcha_prefix=$(PREFIX)) $(ARGS)
PYTEST = tools/bootstrap dev && exec $(DEV)/python -m pytest
# Three at a time: on the test cluster, on local stacks, on all else. PYTEST_ARGS="-n 0" for one after another.
BESIDE = -n 3 --dist loadscope --no-loadscope-reorder

.PHONY: help setup $(PLAYBOOKS) lint test test-fast test-full test-aks bench simulator rehearse rehearse-down lock build clean

help: ## show this
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo
	@echo 'For a playbook: STACK=llm, PREFIX=name, and any other argument in ARGS, e.g. make destroy ARGS="-e matcha_confirm=true"'
	@echo 'For tests: TESTS="tests/unit ..." and PYTEST_ARGS="-k name"'

setup: ## make the environment in .venv (everything else does so too)
	@tools/bootstrap

provision: ## create, repair or resume a deployment, or change nothing
destroy: ## remove a deployment
verify: ## use every component as a client would
outputs: ## show addresses and names
status: ## show what is recorded, running and healthy
connect: ## open connections to a deployment on Azure, and show what to export
stop: ## stop every component
start: ## start every component again
unlock: ## show who holds the lock, and free it

$(PLAYBOOKS): setup
	@.venv/bin/ansible-playbook playbooks/$@.yml $(VARS)

lint: ## run the gates: linters, sanity tests, documentation, artifact
	@$(PYTEST) $(or $(TESTS),tests/lint) $(PYTEST_ARGS)

test-fast: ## run the unit tests and the quick gates
	@$(PYTEST) --fast $(or $(TESTS),$(wildcard tests/unit tests/lint)) $(PYTEST_ARGS)

test: ## run every test
	@$(PYTEST) $(BESIDE) $(TESTS) $(PYTEST_ARGS)

test-full: ## run every test, with every round of what is sampled otherwise
	@$(PYTEST) $(BESIDE) --full $(TESTS) $(PYTEST_ARGS)

test-aks: ## run the end-to-end tests of the stack on AKS alone, on a rehearsal
	@$(PYTEST) $(or $(TESTS),tests/rehearsal tests/aks) $(PYTEST_ARGS)

bench: ## measure, into build/bench*.json; TESTS=tests/bench/bench_azure.py for one
	@tools/bootstrap dev
	@set -e; for bench in $(or $(TESTS),$(wildcard tests/bench/bench*.py)); do $(DEV)/python $$bench $(ARGS); done

simulator: ## run a simulated Azure until Ctrl-C, and print what to export; ARGS=--help
	@tools/bootstrap dev && exec $(DEV)/python -m tests.simulator $(ARGS)

rehearse: ## provision STACK onto a simulated Azure with a real Kubernetes, and leave it running
	@tools/bootstrap dev && exec $(DEV)/python -m tests.rehearsal up $(if $(STACK),--stack $(STACK)) $(ARGS)

rehearse-down: ## remove what `make rehearse` left running
	@tools/bootstrap dev && exec $(DEV)/python -m tests.rehearsal down $(ARGS)

lock: setup ## lock all dependencies again; ARGS=--upgrade takes newer versions
	@tools/lock-tools $(ARGS)
	@.venv/bin/python tools/lock $(ARGS)
	@tools/bootstrap dev && exec $(DEV)/python -m tests.kubernetes.images --lock

build: setup ## make the collection's artifact, in build/
	@.venv/bin/ansible-galaxy collection build --force --output-path build .

clean: ## remove what tests and builds left; .venv and deployments stay
	@rm -rf build .ansible .pytest_cache .mypy_cache .ruff_cache
