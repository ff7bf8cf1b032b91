# One verb per task, the same on a desk and in CI. `make help` lists them.

GO      ?= go
BIN     ?= bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
DATE    ?= $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)
STAMP    = -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)
LINT     = $(BIN)/golangci-lint

.PHONY: image image-test fmt-check vet figures help build test simulate chaos judges bench verify lint generate check-generated tidy-check demo clean chart chart-install chart-docs

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

build: ## the program, as bin/consumer
	$(GO) build -trimpath -ldflags '-s -w $(STAMP)' -o $(BIN)/consumer ./cmd/consumer

image: ## the container image without Docker: bin/sluice-image.tar (OCI archive, amd64 and arm64) and its SBOMs
	cd tools/image && $(GO) build -o ../../$(BIN)/image . && cd ../.. && \
		$(BIN)/image -version '$(VERSION)' -commit '$(COMMIT)' -date '$(DATE)' -out $(BIN)/sluice-image.tar

image-test: ## the image: built twice, opened, run, and compared with the Dockerfile (a module of its own)
	cd tools/image && $(GO) vet ./... && $(GO) test -count=1 -timeout 20m ./...

test: ## all tests, with the race detector
	$(GO) test -race -timeout 15m ./...

simulate: ## the engine on simulated broker, clouds and time: 100,000 commands, then the mutated engines
	$(GO) test -count=1 -timeout 15m -v ./internal/simulation

chaos: ## crashes, lost answers, freezes and broken brokers with real processes, in full; prints a table
	$(GO) test -count=1 -timeout 60m -v ./internal/chaos -chaos.full
	$(GO) test -count=1 -timeout 15m -v -run 'TestLostAnswer|TestVolcengineToken' ./cmd/consumer

demo: ## the main job on the embedded server and the emulated clouds
	$(GO) run ./cmd/consumer demo

judges: ## the vendors' official SDKs drive the emulated clouds, the real Alertmanager feeds the program, a real collector takes its traces (modules of their own)
	cd judges && $(GO) vet ./... && $(GO) test ./...
	cd judges/alertmanager && $(GO) vet ./... && $(GO) test -timeout 20m ./...
	cd judges/collector && $(GO) vet ./... && $(GO) test -count=1 -timeout 20m ./...

chart: ## the Helm chart linted, rendered and judged (a module of its own; long to compile the first time)
	cd deploy/helm/check && $(GO) vet ./... && $(GO) test -count=1 -timeout 30m ./...

chart-install: ## the chart installed, upgraded and removed in a real API server (which takes minutes to build the first time)
	cd deploy/helm/check && $(GO) test -count=1 -timeout 30m -v ./install -install

chart-docs: ## write the chart's README from the comments of its values
	cd deploy/helm/check && $(GO) run ./cmd/chartdocs ../sluice

bench: ## Sluice beside its rivals: goals, figures and plots (a module of its own; BENCH takes flags, such as -quick)
	cd bench && $(GO) build -o ../$(BIN)/bench . && ../$(BIN)/bench $(BENCH)

verify: fmt-check vet lint check-generated tidy-check ## everything a reviewer should not have to look for

fmt-check:
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not gofmt-ed:"; echo "$$out"; exit 1; }

vet:
	$(GO) vet ./...
	$(GO) vet -tags faults ./cmd/consumer

$(LINT): tools/go.mod tools/go.sum
	cd tools && $(GO) build -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: $(LINT) ## golangci-lint, from the pinned tool module
	$(LINT) run ./...

generate: ## write the reference documents from the code
	$(GO) run ./cmd/consumer reference docs/reference

check-generated: ## the reference documents are up to date
	@tmp=$$(mktemp -d) && $(GO) run ./cmd/consumer reference $$tmp && diff -ru docs/reference $$tmp && rm -r $$tmp || \
		{ echo "docs/reference is out of date: run 'make generate'"; exit 1; }

tidy-check: ## go.mod and go.sum are tidy, in every module
	@for m in $$(git ls-files '*go.mod' | xargs -n1 dirname); do (cd $$m && $(GO) mod tidy -diff) || { echo "$$m: run 'go mod tidy' there"; exit 1; }; done

clean: ## remove what was built
	rm -rf $(BIN)

figures: ## latency, start-up and size of the program, measured
	$(GO) test -run '^$$' -bench IdleLatency -benchtime 300x ./cmd/consumer
	$(GO) test -run '^$$' -bench StartToReady -benchtime 10x ./cmd/consumer
