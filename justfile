set shell := ["bash", "-euo", "pipefail", "-c"]

# Lists the recipes.
default:
    @just --list --unsorted

# All that CI runs.
check: lint doc test deny ceremony interop

# Formatting and lints of both workspaces.
lint:
    cargo fmt --all --check
    cargo fmt --all --check --manifest-path workload/Cargo.toml
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked --all-targets --manifest-path workload/Cargo.toml -- -D warnings

# The documentation of all crates; a warning fails.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --manifest-path workload/Cargo.toml

# The README's test command.
test:
    cargo test --locked --workspace

# Licences, sources and banned crates of both workspaces.
deny:
    cargo deny --locked check bans licenses sources
    cargo deny --locked --manifest-path workload/Cargo.toml --config workload/deny.toml check bans licenses sources

# The story and every attack on it.
ceremony:
    cargo ceremony --attack all

# The real cosign, crane, skopeo, gcloud and Google client libraries as the other party.
interop:
    testdata/interop/run.sh

# Seconds and peak memory of what people wait for, beside what they would use instead.
bench:
    testdata/bench/run.sh

# Rewrites the golden files, the man pages and the shell completions; read the diff.
golden:
    GOLDEN=write cargo test --locked --package builder --package verifier --test golden
    GOLDEN=write cargo test --locked --package builder --package verifier --package emulator --bins manual_is_current

# The programs as people would install them, in target/release.
release:
    cargo build --locked --release --package builder --package verifier --package emulator
