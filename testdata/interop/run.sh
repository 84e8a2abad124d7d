#!/usr/bin/env bash
# Tests the programs with other tools. A tool that is missing is named and skipped; with STRICT=1 it is a failure, except for
# gcloud, which Debian does not package, and the services of Sigstore, which take minutes to compile.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --locked --bins -p builder -p verifier -p emulator
bin="${CARGO_TARGET_DIR:-target}/debug"
work="$(mktemp -d)"
passed=0 failed=0 skipped=0
cleanup() { kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT

check() { # name, command...
  local name="$1"; shift
  if "$@" >"$work/out" 2>&1; then passed=$((passed + 1)); echo "ok      $name"
  else failed=$((failed + 1)); echo "FAILED  $name"; sed 's/^/        /' "$work/out" | tail -20; fi
}
negate() { ! "$@"; }
refuse() { local name="$1"; shift; check "$name" negate "$@"; }
need() { # name of the test, the tools that it needs...
  local name="$1" tool; shift
  for tool in "$@"; do
    if command -v "$tool" >/dev/null; then continue; fi
    if [ "${STRICT:-}" = 1 ] && [[ ! " gcloud fulcio posix timestamp-server " == *" $tool "* ]]; then failed=$((failed + 1)); echo "FAILED  $name: no $tool"
    else skipped=$((skipped + 1)); echo "skipped $name: no $tool"; fi
    return 1
  done
}
same() { [ "$1" = "$2" ] || { echo "expected $1, found $2"; return 1; }; }

"$bin/builder" build workload -o "$work/layout" 2>/dev/null >"$work/digest"
digest="$(cat "$work/digest")"
"$bin/builder" keygen "$work/ours"
"$bin/builder" keygen "$work/other"
echo "image   $digest"

mkfifo "$work/endpoints"
"$bin/emulator" serve --state "$work/cloud" --project keyholder --project operator >"$work/endpoints" &
read -r endpoints <"$work/endpoints"
address="$(sed -E 's/.*"registry":"([^"]+)".*/\1/' <<<"$endpoints")"

. testdata/interop/registries.sh
. testdata/interop/google.sh
. testdata/interop/sigstore.sh

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
