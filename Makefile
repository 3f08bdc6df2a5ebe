# SPDX-License-Identifier: GPL-3.0-or-later
# Thin names over the programs that do the work; each target sets up what it needs.
PROFILE ?= core
SWIFT ?= swift
FUZZ_SECONDS ?= 600
NEEDLETAIL = .build/debug/needletail
.DEFAULT_GOAL := help
.PHONY: help set-up tools image lock try test test-parts test-system soak forensics bench fuzz fuzz-coverage lint format clean

help: ## Show what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

set-up: ## Install the Debian packages that this machine lacks (twice does nothing)
	@scripts/set-up

tools: set-up
	$(SWIFT) build

image: tools ## Build out/needletail-$(PROFILE)-amd64.img and .iso
	$(NEEDLETAIL) build --profile $(PROFILE)

lock: tools ## Pin the packages of the profile to what the mirror holds now
	$(NEEDLETAIL) lock --profile $(PROFILE)

try: image ## Start the system on a private Tor network and fetch a page; TRY="--display" or TRY="--console"
	$(NEEDLETAIL) try --profile $(PROFILE) $(TRY)

test: lint test-parts test-system ## Run all tests: the format, the parts, then real boots of the image

test-parts: tools
	scripts/test System --no-parallel
	scripts/test . --skip SystemTests

test-system: image
	scripts/test . --filter SystemTests

soak: image ## Let part after part fail for half an hour, judge every frame, write docs/soak.md; SOAK="--seed 5"
	$(NEEDLETAIL) soak --profile $(PROFILE) $(SOAK)

forensics: image ## End sessions in every way, search memory and disks, write docs/forensics.md; FORENSICS="--at-once 2"
	$(NEEDLETAIL) forensics --profile $(PROFILE) --long --evidence out/forensics $(FORENSICS)

bench: image ## Measure against Debian's own live tools and write docs/benchmarks.md
	$(NEEDLETAIL) bench --profile $(PROFILE)

fuzz: set-up ## Fuzz what reads hostile input, FUZZ_SECONDS=600 for each target (see Fuzz/README.md)
	scripts/fuzz $(FUZZ_SECONDS)

fuzz-coverage: set-up ## Tell which lines the seeds and the inputs found by fuzzing reach
	scripts/fuzz-coverage

lint: ## Check the format and the rules
	$(SWIFT) format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests System/Package.swift System/Sources System/Tests Fuzz/Package.swift Fuzz/Sources

format: ## Format the sources
	$(SWIFT) format --in-place --recursive --configuration .swift-format Package.swift Sources Tests System/Package.swift System/Sources System/Tests Fuzz/Package.swift Fuzz/Sources

clean: ## Remove what was built here; the cache stays
	rm -rf .build out System/.build
