# `make` lists what there is to make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
# The targets share SwiftPM's build folder and its lock: `make -j` would only wait.
.NOTPARALLEL:

# Looked up when a recipe runs, so that `make help` works without a toolchain.
SWIFT = "$$(deploy/find-swift.sh)"

# The system's Python is the one that install-dependencies.sh gives venv to.
PYTHON ?= /usr/bin/python3
python_requirements := Tests/IntegrationTests/python/requirements.txt
swift_sources := Sources examples bench Tests Package.swift

# Every test is a Swift Testing test. The XCTest run that `swift test` adds by default would find nothing, and leaks in
# XCTest itself would fail the address sanitizer.
swift_test_flags := --disable-xctest

# Swift's libraries inside the binary: nothing to install beside it, less memory, and cheaper calls into them. And no
# exclusivity checks in the packages either: docs/decisions/0003-release-exclusivity.md.
release_flags := -c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked

# The gateway and its stand-in for Azure, for release: what is shown and what is measured.
build_programs = swift=$(SWIFT); for product in sluice mock-azure; do "$$swift" build $(release_flags) --product "$$product"; done

.PHONY: help demo build dist sbom test fuzz token-cost front-door budgets test-differential test-fleet test-crash test-failures test-flapping test-partition test-exactness test-usage test-books test-sinks test-routing scripts-cost record-cost reload-load test-asan test-tsan compare soak fleet quota rolling load-rate load-agreement verify-image schema manual format lint lint-deploy clean dependencies build-dependencies

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)$$/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

demo: build-dependencies ## build, start a stand-in for Azure OpenAI and the gateway, send two chat requests; KEEP=1 leaves both up
	$(build_programs)
	KEEP="$(KEEP)" deploy/demo.sh .build/release

build: build-dependencies ## build the gateway and its tools for release
	swift=$(SWIFT); "$$swift" build $(release_flags)

# What is shipped: the release build, its symbols beside it for a debugger, the commit stamped into it. Copies: the build
# folder stays as the build left it, so neither a commit nor this target makes anything build again.
dist: build-dependencies ## build what is shipped into .build-dist: stripped, stamped; COMMIT=... where there is no .git
	$(build_programs)
	mkdir -p .build-dist
	for program in sluice mock-azure; do \
	objcopy --only-keep-debug ".build/release/$$program" ".build-dist/$$program.debug"; \
	objcopy --strip-all --add-gnu-debuglink=".build-dist/$$program.debug" ".build/release/$$program" ".build-dist/$$program"; \
	done
	deploy/stamp .build-dist/sluice $(COMMIT)

verify-image: dist ## prove the image's runtime stage without a container engine, as root: what it holds, serves, and takes to start
	deploy/docker/verify.sh .build-dist

# Beside one another, but not all at once, as `swift test` would begin them: on two cores those that wait for something would wait for
# a minute first for those that compute. `swift test` has no option for it; the tests' own program has.
at_once := 8

# The budgets are of a release build, and counted when no other test keeps the machine busy.
test: dependencies .venv/.stamp ## install what the tests need and run all of them
	swift=$(SWIFT); "$$swift" build --build-tests; \
	"$$("$$swift" build --show-bin-path)/sluicePackageTests.xctest" --testing-library swift-testing \
	--experimental-maximum-parallelization-width $(at_once) --skip BudgetTests
	$(build_programs)
	swift=$(SWIFT); "$$swift" test $(swift_test_flags) --filter BudgetTests

budgets: build-dependencies ## count what a request and an event cost, print it, and write Tests/BudgetTests/budgets.json anew
	$(build_programs)
	bench/counters/count --write-budgets Tests/BudgetTests/budgets.json

instructions: build-dependencies ## count the instructions of a request and of an event under valgrind; OPTIONS=--help lists the choices
	deploy/install-dependencies.sh compare
	$(build_programs)
	bench/counters/instructions $(OPTIONS)

test-differential: dependencies ## compare the Redis scripts with the model in Swift for a million random steps; STEPS and SEED choose others
	swift=$(SWIFT); "$$swift" build --build-tests; \
	SLUICE_DIFFERENTIAL_STEPS="$(or $(STEPS),1000000)" SLUICE_DIFFERENTIAL_SEED="$(or $(SEED),1)" \
	"$$swift" test $(swift_test_flags) --filter DifferentialTests

# Four real gateways, one real redis-server and a load with random usage: docs/fleet-proof.md.
prove = $(build_programs); "$$swift" build $(release_flags) --product sluice-load; \
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.proof --binaries .build/release

test-fleet: dependencies ## four gateways and 256 callers for two minutes: limits, slots and books, from the log of all calls to Redis
	$(prove) fleet $(OPTIONS)

test-crash: dependencies ## kill a replica that holds slots: they are free within 90 s, and the others never notice
	$(prove) crash $(OPTIONS)

test-failures: dependencies ## every way in which Redis fails: answers in time, nothing lost; OPTIONS='BUSY READONLY' takes some rows
	$(prove) failures $(OPTIONS)

test-flapping: dependencies ## Redis up and down by turns for a minute: what is admitted stays within its bound
	$(prove) flapping $(OPTIONS)

test-partition: dependencies ## one replica of four cannot reach Redis: at most 1.25 times the limit passes
	$(prove) partition $(OPTIONS)

test-exactness: dependencies ## a retry one millisecond early is refused, on time it is admitted
	$(prove) exactness $(OPTIONS)

test-usage: dependencies ## read a million random answers in random pieces as usage, against Foundation; CASES and SEED choose others
	swift=$(SWIFT); "$$swift" build --build-tests; \
	SLUICE_USAGE_CASES="$(or $(CASES),1000000)" SLUICE_USAGE_SEED="$(or $(SEED),1)" \
	"$$swift" test $(swift_test_flags) --filter UsagePropertyTests

ROUTING_SECONDS ?= 120
test-routing: build-dependencies ## gateways at three times what a deployment takes, through its outage, with queues; ROUTING_SECONDS=120, PROOFS=spill
	$(build_programs)
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.routing --binaries .build/release --seconds $(ROUTING_SECONDS) $(PROOFS)

# The first half is in the process, of the gateway's own code; the second compares gateways that differ in what they record.
record-cost: dependencies ## print what metrics, access log, usage sink and traces cost a request, in microseconds of CPU time
	$(build_programs)
	swift=$(SWIFT); SLUICE_RECORD_COST=1 "$$swift" test -c release --scratch-path .build-record -Xswiftc -enable-testing \
	$(swift_test_flags) --filter RecordCostTests
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.record --binaries .build/release $(OPTIONS)

MINUTES ?= 10
test-books: dependencies ## four gateways under mixed load and a kill -9: do events, Redis and Azure agree; MINUTES=10
	$(build_programs)
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.books --binaries .build/release --seconds $$((60 * $(MINUTES))) --replicas 4 --kill

test-sinks: dependencies ## p99 of exchanges while sinks are blocked, slow, failing or out of disk, and what comes of their events; as root
	$(build_programs); "$$swift" build $(release_flags) --product sluice-load
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.books.sinks --binaries .build/release $(OPTIONS)

scripts-cost: dependencies ## print what the Redis scripts cost, in microseconds of Redis time by `INFO commandstats`
	swift=$(SWIFT); "$$swift" build --build-tests; \
	SLUICE_SCRIPTS_COST=1 "$$swift" test $(swift_test_flags) --filter ScriptCostTests

# The leak check stays on: it works with `swift test`, and a forgotten easy handle shows up nowhere else. It runs when the
# test process exits and fails the run. Suppressed are only leaks of the platform, each with its reason in the file.
test-asan: dependencies .venv/.stamp ## run the tests under the address sanitizer, with leak detection
	swift=$(SWIFT); \
	ASAN_OPTIONS=detect_leaks=1 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/sanitizers/leaks.supp:print_suppressions=0 \
	"$$swift" test $(swift_test_flags) --skip BudgetTests --sanitize=address --scratch-path .build-asan

# Suppressed is only what the sanitizer cannot see into, with its reason in the file. halt_on_error ends the run at the
# first race, where the report is still readable.
test-tsan: dependencies .venv/.stamp ## run the tests under the thread sanitizer
	swift=$(SWIFT); \
	TSAN_OPTIONS=halt_on_error=1:suppressions=$(CURDIR)/Tests/sanitizers/races.supp \
	"$$swift" test $(swift_test_flags) --skip BudgetTests --sanitize=thread --scratch-path .build-tsan

# A peer that cannot be installed is named in the report and left out, so its installation may fail.
compare: build-dependencies ## measure the same load through nginx, HAProxy, Envoy and the gateway; OPTIONS=--help lists the choices
	-deploy/install-dependencies.sh compare
	-$(MAKE) --no-print-directory .venv/.compare-stamp
	$(build_programs); "$$swift" build $(release_flags) --product sluice-load
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) bench/compare $(OPTIONS)

# What is found beyond the kept corpus stays in .build/fuzz; a finding stops the run and leaves its input there.
FUZZ_SECONDS ?= 300
fuzz: build-dependencies ## let libFuzzer try tokens and JSON documents for five minutes each; FUZZ_SECONDS=300
	Tests/Fuzz/build .build/fuzz
	for kind in token json; do \
		mkdir -p .build/fuzz/corpus-$$kind; tar -xzf Tests/Fuzz/corpus/$$kind.tar.gz -C .build/fuzz/corpus-$$kind; \
		.build/fuzz/fuzz-$$kind -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=512 -max_len=20000 -print_final_stats=1 \
			-artifact_prefix=.build/fuzz/ .build/fuzz/corpus-$$kind Tests/Fuzz/corpus/$$kind; \
	done

token-cost: build-dependencies ## print what checking a token costs, in microseconds of CPU time, and what a remembered one takes
	bench/tokens/build .build/token-cost
	.build/token-cost/token-cost

front-door: dependencies ## what Front Door's probes cost, and whether its connections are kept, in two minutes of a real clock
	swift=$(SWIFT); "$$swift" build --build-tests; \
	$(build_programs); \
	SLUICE_FRONT_DOOR=1 SLUICE_BINARIES="$(CURDIR)/.build/release" "$$swift" test $(swift_test_flags) --filter FrontDoorCostTests

reload-load: dependencies ## reload the configuration 100 times in a minute with 200 streams open, and lose nothing
	swift=$(SWIFT); "$$swift" build --build-tests; \
	SLUICE_RELOADS=100 SLUICE_RELOAD_STREAMS=200 SLUICE_RELOAD_PAUSE=0 SLUICE_RELOAD_WORDS=2000 \
	"$$swift" test $(swift_test_flags) --filter ReloadUnderLoadTests

# Half an hour of everything at once, checked to the byte: what a leak or a rare mistake needs to show itself.
SOAK_MINUTES ?= 30
soak: build-dependencies ## half an hour of mixed load with faults behind ten minutes of warm-up, all checked; SOAK_MINUTES=30, OPTIONS=--record keeps the report
	$(build_programs)
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.soak --binaries .build/release --minutes $(SOAK_MINUTES) $(OPTIONS)

REPLICAS ?= 1
SCENARIO ?= smoke
fleet: build-dependencies ## Redis, stand-ins for Azure and REPLICAS=1 gateways under SCENARIO=smoke, with a report; OPTIONS=-- and more for sluice-load
	$(build_programs); "$$swift" build $(release_flags) --product sluice-load
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.fleet --binaries .build/release --replicas $(REPLICAS) --scenario $(SCENARIO) $(OPTIONS)

quota: build-dependencies ## do limits hold in every window, with 1, 2 and 4 replicas: five minutes; OPTIONS='--record FILE' keeps the table
	$(build_programs); "$$swift" build $(release_flags) --product sluice-load
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.fleet.quota --binaries .build/release $(OPTIONS)

rolling: build-dependencies ## restart four gateways one after the other behind nginx, under load with streams: nobody notices, the books are exact
	$(build_programs); "$$swift" build $(release_flags) --product sluice-load
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.fleet.rolling --binaries .build/release $(OPTIONS)

load-rate: build-dependencies ## how many plain requests a second one core of sluice-load sends
	swift=$(SWIFT); "$$swift" build $(release_flags) --product sluice-load
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.fleet.rate --binaries .build/release $(OPTIONS)

load-agreement: build-dependencies ## the same load by wrk and by sluice-load, in turns: do throughput and median agree within 5 %
	deploy/install-dependencies.sh compare
	$(build_programs); "$$swift" build $(release_flags) --product sluice-load
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bench.fleet.agreement --binaries .build/release $(OPTIONS)

schema: build-dependencies ## write the JSON Schema and the reference of the configuration file anew
	swift=$(SWIFT); "$$swift" build --product sluice; sluice="$$("$$swift" build --show-bin-path)/sluice"; \
	"$$sluice" config schema > config/sluice.schema.json; \
	"$$sluice" config schema --markdown > docs/configuration-reference.md

manual: build-dependencies ## write docs/manual.md, what the help of every command says, anew
	swift=$(SWIFT); "$$swift" build --product sluice; \
	$(PYTHON) docs/make-manual.py "$$("$$swift" build --show-bin-path)/sluice" > docs/manual.md

format: ## rewrite the Swift sources in the project's format
	swift=$(SWIFT); "$$swift" format --in-place --recursive --parallel $(swift_sources)

lint: ## check the format of the Swift sources, and the shell scripts where shellcheck is installed
	swift=$(SWIFT); "$$swift" format lint --strict --recursive --parallel $(swift_sources)
	if command -v shellcheck >/dev/null; then shellcheck .ci/run deploy/*.sh bench/counters/build-library bench/tokens/build Tests/Fuzz/build; fi

# Every exception stands beside what it excuses, with its reason; those of checkov that cannot are below.
# CKV_K8S_43 wants tags besides digests, CKV_K8S_11 a CPU limit, which would delay every stream of a throttled event loop;
# CKV_K8S_35 wants keys as files, and the configuration takes either; CKV_DOCKER_7 does not see a digest that is an argument.
checkov = .venv-deploy/bin/checkov --quiet --compact --skip-download
lint-deploy: .venv-deploy/.stamp ## check the image, the chart, the Bicep, the alerts and the scripts under deploy/
	.venv-deploy/bin/hadolint deploy/docker/Dockerfile
	$(checkov) --framework dockerfile --file deploy/docker/Dockerfile --skip-check CKV_DOCKER_7
	rendered="$$(mktemp -d)"; trap 'rm -rf "$$rendered"' EXIT; \
	.venv-deploy/bin/python deploy/lint.py "$$rendered"; \
	for manifest in "$$rendered"/*.yaml; do \
	[[ "$$manifest" == */servicemonitor.yaml ]] || .venv-deploy/bin/kubernetes-validate --strict "$$manifest"; done; \
	$(checkov) --framework kubernetes --directory "$$rendered" --skip-check CKV_K8S_43,CKV_K8S_11,CKV_K8S_35
	$(checkov) --framework bicep --directory deploy/bicep
	if command -v promtool >/dev/null; then promtool check rules deploy/observability/alerts.yaml; \
	promtool test rules deploy/observability/alerts.test.yaml; fi
	shellcheck deploy/*.sh deploy/stamp deploy/docker/verify.sh

.venv-deploy/.stamp: deploy/lint-requirements.txt
	$(PYTHON) -m venv --clear .venv-deploy
	.venv-deploy/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

sbom: ## write what is shipped into .build-dist/sluice.spdx.json (SPDX 2.3); after a build
	mkdir -p .build-dist
	$(PYTHON) deploy/sbom.py "$(or $(COMMIT),$$(git rev-parse HEAD))" >.build-dist/sluice.spdx.json

clean: ## remove everything that was built
	rm -rf .build .build-asan .build-tsan .build-dist .venv .venv-deploy

dependencies:
	@deploy/install-dependencies.sh all

build-dependencies:
	@deploy/install-dependencies.sh build

# The pinned Python packages of the integration tests. The stamp makes it happen again only when the pins change.
.venv/.stamp: $(python_requirements) | dependencies
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# Making the tests' environment anew takes this away, stamp and all.
.venv/.compare-stamp: bench/compare/requirements.txt .venv/.stamp
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@
