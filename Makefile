# Two commands on a fresh machine: `make demo` and `make test`. What they install and build lies in
# $FERSNET_HOME (default ~/.cache/fersnet); see tools/setup.sh.
SHELL := bash
NATIVE := tools/in-env.sh native
WEB := tools/in-env.sh web
# nextest where the machine has it; cargo's own runner asks for nothing more.
RUN_TESTS = $(shell command -v cargo-nextest >/dev/null && echo nextest run --no-fail-fast || echo test --no-fail-fast --lib --bins --tests)

.PHONY: help demo test setup setup-web build-web build-bench check test-native test-web test-torch bench clean
# The steps share build directories and two cores: in order, whatever -j says.
.NOTPARALLEL:

help:
	@echo 'make demo       install what is missing, build the page, serve it on 127.0.0.1:8080'
	@echo 'make test       install what the tests need and run them all'
	@echo 'make check      formatting, lints and the documentation only'
	@echo 'make build-web  the page into dist/'
	@echo 'make test-torch  lints and tests of the LibTorch trainer, where PyTorch 2.11.0 is installed'
	@echo 'make bench      the speed, natively and in the page, beside others (PARTS="native page" for some)'
	@echo 'make clean      remove dist/ and dist-bench/ (the cache stays: rm -r ~/.cache/fersnet)'

demo: setup-web
	@tools/demo.sh

test: setup check test-native build-web test-web

setup:
	@tools/setup.sh test

setup-web:
	@tools/setup.sh web

check: setup
	$(NATIVE) cargo fmt --check
	$(NATIVE) cargo clippy --release --all-targets --features bench -- -D warnings
	$(NATIVE) cargo clippy --release --all-targets --no-default-features --features native -- -D warnings
	for features in web web,gpu,bench; do \
		CLIPPY_CONF_DIR=tools/clippy-web $(WEB) tools/if-there.sh cargo clippy --profile web \
			--target wasm32-unknown-unknown --no-default-features --features $$features -- -D warnings || exit 1; \
	done
	RUSTDOCFLAGS='-D warnings' $(NATIVE) cargo doc --release --no-deps
	$(NATIVE) tools/if-there.sh cargo-deny check bans licenses sources
	tools/if-there.sh shellcheck -x tools/*.sh tools/gpu/*.sh .ci/run
	node_modules/.bin/tsc -p www

test-native: setup
	$(NATIVE) cargo $(RUN_TESTS) --release
	$(NATIVE) cargo test --release --doc

build-web: setup-web
	$(WEB) trunk build --release

# The page's program with what measures it, for the benches alone.
build-bench: setup-web
	$(WEB) trunk build --release --dist dist-bench www/bench.html

test-web: build-web
	tools/web-test.sh

# Not part of `test`, nor of CI: it needs PyTorch 2.11.0, a download of 2.9 GB and a build of 20 minutes. Its
# environment is that of docs/training.md.
test-torch: setup
	$(NATIVE) cargo clippy --release --features tch --all-targets -- -D warnings
	$(NATIVE) cargo test --release --features tch --test torch

# Not part of `test`: it wants a machine of its own for up to three hours; see docs/performance.md.
bench: setup build-web build-bench
	tools/bench.sh $(PARTS)

clean:
	rm -rf dist dist-bench
