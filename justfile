set shell := ["bash", "-euo", "pipefail", "-c"]

# Lists the recipes.
default:
    @just --list --unsorted

# Runs everything that CI runs.
check: lint doc test deny interop

# Checks formatting and lints of both workspaces.
lint:
    cargo fmt --all --check
    cargo fmt --all --check --manifest-path workload/Cargo.toml
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked --workspace --all-targets --manifest-path workload/Cargo.toml -- -D warnings

# Builds the documentation of all crates; warnings are errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items --manifest-path workload/Cargo.toml

# Runs the tests.
test:
    cargo test --locked --workspace

# Checks licences, sources and banned crates of both workspaces.
deny:
    cargo deny --locked check bans licenses sources
    cargo deny --locked --workspace --manifest-path workload/Cargo.toml --config workload/deny.toml check bans licenses sources

# Runs the ceremony and every attack, as a test does (ceremony/tests/attacks.rs), and shows each step.
ceremony:
    cargo ceremony --attack all

# Tests with other projects' tools: docs/interop.md lists them.
interop:
    testdata/interop/run.sh

# Compares time and peak memory of common tasks with those of other tools.
bench:
    testdata/bench/run.sh

# Rewrites the golden files, the man pages and the shell completions; read the diff.
golden:
    GOLDEN=write cargo test --locked --package builder --package verifier --test golden
    GOLDEN=write cargo test --locked --package ceremony --test transcripts
    GOLDEN=write cargo test --locked --package builder --package verifier --package client --package emulator --bins manual_is_current

# Runs one fuzz target, or without a name all in turn, for so many seconds each. Needs nightly Rust and cargo-fuzz.
fuzz target="" seconds="60":
    #!/usr/bin/env bash
    set -euo pipefail
    cp Cargo.lock fuzz/libfuzzer/Cargo.lock
    for target in {{ if target == "" { "$(ls fuzz/corpus)" } else { target } }}; do
      found="fuzz/libfuzzer/corpus/$target"
      mkdir -p "$found"
      cargo +nightly fuzz run --fuzz-dir fuzz/libfuzzer --sanitizer none "$target" "$found" "fuzz/corpus/$target" -- \
        -max_total_time={{ seconds }} -timeout=10
    done

# Tries mutants of everything that is accepted, from a seed, which is random without an argument. A finding is in target/tmp/soak.
soak mutants="1000000" seed="":
    MUTANTS={{ mutants }} SEED={{ seed }} cargo test --locked --release --package verifier --test soak -- \
      --ignored --exact soak --nocapture

# Builds the programs for installation, in target/release.
release:
    cargo build --locked --release --package builder --package verifier --package client --package emulator
