# The verbs of the project. `make help` lists them; each may be run again at any time.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

SITE ?= edge-lab
NAME ?=
KEYS ?=
MODEL ?=
OUT ?=
ARCH ?= amd64
REPEATS ?= 5
MINUTES ?= 10
DISTRIBUTION ?=
VERSION ?=
WITH ?=
TABLE ?= components/artifacts.lock.yaml
KEYRING ?=
SIGNATURES ?=
PYTHON := .venv/bin/python
LAB := $(wildcard lab/$(SITE).yaml)
EVENTS := .state/events/$(SITE).jsonl
ENV := eval "$$($(PYTHON) -m toolchain env)"
# The Kubernetes plugin leaves a kubeconfig among its temporary files; it goes when the engine has ended.
FORGETTING := trap 'rm -f .state/tmp/kubeconfig*' EXIT; $(ENV)
UPDATE := PULUMI_DEBUG_COMMANDS=true $(PYTHON) -m components.update $(EVENTS)
TESTING := $(ENV); unset TMPDIR

.PHONY: help setup up preview down test test-fast test-long test-vm fmt lint types bench table3 table4 figure7 env kubeconfig tunnel key site pin images models publish docs

help: ## list the verbs
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the project needs on this machine (called by the others)
	@toolchain/bootstrap.sh

up: setup ## bring SITE up (default: the lab on this machine) and show its first answer
	@$(PYTHON) -m toolchain setup $(if $(LAB),--lab)
	@$(if $(LAB),$(PYTHON) -m lab up --name $(SITE) --definition $(LAB))
	@$(FORGETTING); pulumi stack select --create --stack $(SITE) && \
	  $(UPDATE) pulumi up --yes --skip-preview --stack $(SITE)
	@$(PYTHON) -m experiments.phases $(EVENTS)

preview: setup ## show what differs between SITE's file and its hosts
	@$(PYTHON) -m toolchain setup
	@$(FORGETTING); pulumi stack select --create --stack $(SITE) && $(UPDATE) pulumi preview --diff --stack $(SITE)

# The lab's stack goes with the lab, and so does the salt of this checkout's passphrase, which the engine keeps in the
# site's file: the file of the repository is then as it came. Where hosts that do not answer shall be forgotten, so shall be
# what was in a cluster whose API does not answer.
down: setup ## give SITE's hosts back as they were; take the lab down
	@$(FORGETTING); if pulumi stack select --stack $(SITE) 2>/dev/null; then \
	  $(if $(EDGEHOST_FORGET_UNREACHABLE),PULUMI_K8S_DELETE_UNREACHABLE=true) pulumi destroy --yes --skip-preview --stack $(SITE); \
	  $(if $(LAB),pulumi stack rm --yes --preserve-config --stack $(SITE) && sed -i '/^encryptionsalt:/d' Pulumi.$(SITE).yaml;) \
	fi
	@$(if $(LAB),$(PYTHON) -m lab down --name $(SITE))

test: setup ## run every test: static checks, fast tests, then the lab end to end
	@$(MAKE) lint types
	@$(PYTHON) -m toolchain setup --lab
	@$(TESTING); $(PYTHON) -m pytest tests -m "not lab and not vm"
	@$(TESTING); $(PYTHON) -m pytest tests -m "lab and not vm and not long" --durations=15

test-fast: setup ## run the tests that need neither root nor hosts
	@$(TESTING); $(PYTHON) -m pytest tests -m "not lab and not vm"

test-long: setup ## run the lab's tests that need more hosts or binaries than CI has time for
	@$(PYTHON) -m toolchain setup --lab --earlier-kubernetes
	@$(TESTING); $(PYTHON) -m pytest tests -m "long" --durations=15

test-vm: setup ## run the tests on virtual machines (minutes; outside CI)
	@toolchain/bootstrap.sh toolchain/debian-packages-vm.txt
	@$(TESTING); $(PYTHON) -m toolchain setup --lab --without-kubeadm --architecture amd64 --architecture arm64 && \
	  $(PYTHON) -m pytest tests -m vm

images: setup ## make the images of proxy and model server (ARCH=arm64 for such nodes) and print their archives
	@$(PYTHON) -m toolchain.images --architecture $(ARCH) proxy modelserver

models: setup ## make the example models
	@$(PYTHON) -m toolchain.models

publish: setup ## give a model the signatures of the fewest bytes: make publish MODEL=folder OUT=folder
	@$(PYTHON) -m publisher --model "$(MODEL)" --out "$(OUT)"

fmt: setup ## format the code
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

lint: setup ## check form, imports and shell scripts
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/lint-imports --no-logo
	@git ls-files '*.sh' | xargs -r shellcheck

types: setup ## check types
	@.venv/bin/pyright

bench: setup ## measure the proxy beside its rivals; print every goal beside what was measured
	@$(TESTING); $(PYTHON) -m experiments.bench

table3: setup ## time every step from bare hosts to the answered picture, k3s and kubeadm in turns (as root)
	@$(PYTHON) -m toolchain setup --lab
	@$(TESTING); $(PYTHON) -m experiments.table3 --repeats $(REPEATS) $(if $(DISTRIBUTION),--distribution $(DISTRIBUTION))

table4: setup ## measure CPU and memory of idle sites for MINUTES, k3s beside kubeadm, REPEATS times (as root)
	@$(PYTHON) -m toolchain setup --lab
	@$(TESTING); $(PYTHON) -m experiments.table4 --repeats $(REPEATS) --minutes $(MINUTES) $(if $(DISTRIBUTION),--distribution $(DISTRIBUTION))

figure7: setup ## reproduce the source paper's figure 7 over links of 1 Gbit/s (as root)
	@$(TESTING); $(PYTHON) -m experiments.figure7

env: ## print the shell lines after which `pulumi` works by hand: eval "$(make -s env)"
	@test -x $(PYTHON) || toolchain/bootstrap.sh >&2
	@$(PYTHON) -m toolchain env

kubeconfig: setup ## merge SITE's kubeconfig into ~/.kube/config
	@$(ENV); pulumi stack output --stack $(SITE) --show-secrets kubeconfig | $(PYTHON) -m components.kubeconfig --merge --name $(SITE)

tunnel: setup ## hold the way to the API open, of a SITE with api-access: ssh, until Ctrl-C
	@exec $(PYTHON) -m components.tunnel Pulumi.$(SITE).yaml

key: setup ## make an API key: make key NAME=phone (KEYS=keys.yaml adds its hash to that file)
	@$(PYTHON) -m proxy.access.new_key --name "$(NAME)" $(if $(KEYS),--keys-file "$(KEYS)")

site: setup ## write a starting file for a site of your own: make site NAME=seoul
	@$(PYTHON) -m components.new "$(NAME)"

pin: setup ## write a release's checksums into the lock table: make pin DISTRIBUTION=kubeadm VERSION=v1.34.1
	@$(PYTHON) -m components.pinning --table "$(TABLE)" $(if $(KEYRING),--runc-keyring "$(KEYRING)") \
	  $(if $(SIGNATURES),--require-signatures) $(if $(DISTRIBUTION),"$(DISTRIBUTION)=$(VERSION)") $(WITH)

docs: setup ## write the generated reference pages again
	@$(PYTHON) -m components.reference
