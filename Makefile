# `make demo` and `make test` are all that a bare Debian machine with Rust needs; both install the packages that they lack.
CARGO ?= cargo
PREFIX ?= /usr/local
# The program that is installed; it is built where it is missing.
BUILT ?= target/release/topo
SHARE = $(DESTDIR)$(PREFIX)/share

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## the main job in a throw-away network: plan, apply, pings, a break and its repair, destroy
	@sh tests/tools.sh
	@$(CARGO) build --quiet
	@sh examples/demo.sh

install: $(BUILT) ## the program, its manual pages and completions, below PREFIX (/usr/local)
	@install -D -m 755 $(BUILT) "$(DESTDIR)$(PREFIX)/bin/topo"
	@install -d "$(SHARE)/man/man1" "$(SHARE)/bash-completion/completions" "$(SHARE)/zsh/site-functions" "$(SHARE)/fish/vendor_completions.d" "$(SHARE)/topo/labs"
	@install -m 644 topologies/*.yaml "$(SHARE)/topo/labs"
	@$(BUILT) man --out "$(SHARE)/man/man1"
	@$(BUILT) completions bash >"$(SHARE)/bash-completion/completions/topo"
	@$(BUILT) completions zsh >"$(SHARE)/zsh/site-functions/_topo"
	@$(BUILT) completions fish >"$(SHARE)/fish/vendor_completions.d/topo.fish"

$(BUILT):
	@$(CARGO) build --release --locked

uninstall: ## take away what install put there
	@rm -f "$(DESTDIR)$(PREFIX)/bin/topo" "$(SHARE)/man/man1/topo.1" "$(SHARE)/man/man1"/topo-*.1
	@rm -rf "$(SHARE)/topo"
	@rm -f "$(SHARE)/bash-completion/completions/topo" "$(SHARE)/zsh/site-functions/_topo" "$(SHARE)/fish/vendor_completions.d/topo.fish"

test: ## every test; the last line counts them
	@sh tests/tools.sh --test
	@sh tests/all.sh

test-quick: ## the tests that touch no kernel
	@sh tests/tools.sh
	@sh tests/all.sh --quick

soak: ## the long forms of the tests, for hours; PART="races fuzz" makes some of them
	@sh tests/tools.sh --test
	@sh tests/soak.sh $(PART)

bench: ## setup, change and destroy of large topologies beside the floor; then parse, check and plan alone, and validate for many of each kind
	@sh tests/tools.sh
	@$(CARGO) build --release --quiet
	@$(MAKE) -s -C benches run
	@$(CARGO) bench --bench plan
	@$(CARGO) bench --bench validate

deny: ## licences, advisories and duplicates of the dependencies (needs cargo-deny)
	@$(CARGO) deny --version >/dev/null 2>&1 || { echo "cargo-deny is missing: cargo install --locked cargo-deny"; exit 1; }
	@$(CARGO) deny check

docs: ## the architecture, as a page in target/doc
	@$(CARGO) doc --no-deps --document-private-items

tools: ## the Debian packages that demo and tests need
	@sh tests/tools.sh --test

.PHONY: help demo install uninstall test test-quick soak bench deny docs tools
