# Sourced by run.sh. The workload starts programs of other languages in a launched image, and hands them secrets that a party lends.

build_workload() {
  CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --quiet --locked --manifest-path workload/Cargo.toml --target x86_64-unknown-linux-gnu
}

# Only root can give a container the users that the workload changes between.
if [ "$(id -u)" != 0 ]; then
  skipped=$((skipped + 1)); echo "skipped programs of other languages: not root"
elif need "programs of other languages" python3 go crane tar dpkg; then
  check "workload: build it statically" build_workload
  check "programs of other languages" python3 testdata/interop/exec.py "$endpoints" "$work" "$bin" \
    "${CARGO_TARGET_DIR:-workload/target}/x86_64-unknown-linux-gnu/debug/workload" "$programs/supervised"
  sed 's/^/        /' "$work/out"
fi
