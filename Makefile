# What a person types. Each target says in one line what it does; the work is in scripts/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Lambda's processor; Graviton costs a fifth less. The local cloud always runs what this machine can run.
ARCHITECTURE ?= arm64
TRIPLE_arm64 := aarch64-unknown-linux-gnu
TRIPLE_x86_64 := x86_64-unknown-linux-gnu
TRIPLE := $(TRIPLE_$(ARCHITECTURE))
# The C library of Amazon Linux 2023, older than that of most build machines.
GLIBC := 2.34
FUNCTIONS := -p maintainer-lifecycle -p maintainer-health -p maintainer-cost -p maintainer-performance --bins
export ARCHITECTURE

.PHONY: help setup demo test lint pages validate build run bench bench-nab deploy replay savings destroy

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: ## installs what a fresh clone lacks, mostly into .tools (quiet, repeatable)
	@scripts/setup all

demo: setup build ## an application gets sick and is healed, live in the terminal; SCENARIO=name or path/to/file
	@"$${CARGO_TARGET_DIR:-target}/debug/demo" $(or $(SCENARIO),load_surge)

test: ## everything that must be true before a change lands; PARTS="format lint infra cloud unit pages e2e"
	@scripts/test $(PARTS)

lint: ## format, lints, purity of the rules, template, state machine
	@scripts/test format lint infra

pages: ## looks at the approval page and the widget in a browser; screenshots in target/pages
	@scripts/pages

validate: ## checks a configuration without AWS and says what it means; CONFIG=maintainer.yaml
	@cargo run --quiet --locked -p maintainer-config --bin maintainer-validate -- $(or $(CONFIG),maintainer.yaml)

bench: ## measures speed, size, memory and calls; one JSON line per figure
	@scripts/bench

bench-nab: ## quality of the anomaly detector on the Numenta Anomaly Benchmark; DIR=path/to/data
	@cargo run --quiet --release --locked -p maintainer-nab -- $(or $(DIR),$(error say where the data is: make bench-nab DIR=path/to/data))

# Everything at once, as the tests build it: what the programs share is then compiled once, and cargo shows how far it is.
build: ## builds the functions and programs for the local cloud and packages them; the first time takes a quarter of an hour
	@cargo build --locked --workspace --bins
	@scripts/package debug

run: build ## a local cloud with the stack in it, until Ctrl-C; PORT=4566 SPEED=120 CONFIG=maintainer.yaml
	@scripts/run

deploy: ## to the AWS account of your credentials; STACK= NOTIFICATION_EMAIL= CONFIG= PARAMETERS=, see scripts/deploy
	@scripts/setup deploy
	@if command -v rustup >/dev/null; then rustup --quiet target add $(TRIPLE); fi
	@PATH="$$PWD/.tools/aws/bin:$$PATH" cargo-zigbuild zigbuild --release --locked --target $(TRIPLE).$(GLIBC) $(FUNCTIONS)
	@scripts/package release $(TRIPLE)
	@scripts/deploy

replay: ## lists events that were parked with the reason, or sends them to dispatch again; ID=… or ID=--all, STACK=
	@scripts/replay $(ID)

savings: ## what was saved, spent and used, from the records of the cost cycle; WHAT="spend 14" or WHAT="use APP", STACK=
	@scripts/savings $(WHAT)

destroy: ## removes the stack and its records from the account; KEEP_DATA=1 keeps the records
	@scripts/setup deploy
	@scripts/destroy
