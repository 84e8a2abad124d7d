#!/usr/bin/env bash
# Tests the programs with other tools; docs/interop.md lists them. A tool that is missing is named and skipped; with STRICT=1 it
# is a failure, except for those that Debian 12 does not have: gcloud, terraform, OpenBao, and a node that is new enough for @sigstore/verify;
# and for the services of Sigstore, which take minutes to compile.
set -euo pipefail
cd "$(dirname "$0")/../.."

# The whole workspace, so that shared crates have the same features as in the ceremony, and compile once.
cargo build --quiet --locked --workspace --bins
bin="$PWD/${CARGO_TARGET_DIR:-target}/debug"
case "${CARGO_TARGET_DIR:-}" in /*) bin="$CARGO_TARGET_DIR/debug" ;; esac
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
# Whether a command fails and says why: a command that could not even start is no refusal.
says_no() { # pattern, command...
  local pattern="$1"; shift
  if "$@" >"$work/said" 2>&1; then echo "accepted"; return 1; fi
  grep -qE "$pattern" "$work/said" || { cat "$work/said"; return 1; }
}
refuse_for() { local name="$1"; shift; check "$name" says_no "$@"; }
need() { # name of the test, the tools that it needs...
  local name="$1" tool; shift
  for tool in "$@"; do
    if command -v "$tool" >/dev/null; then continue; fi
    case "${STRICT:-} $tool" in
      "1 gcloud" | "1 terraform" | "1 npm" | "1 node" | "1 bao") ;;
      "1 "*) failed=$((failed + 1)); echo "FAILED  $name: no $tool"; return 1 ;;
    esac
    skipped=$((skipped + 1)); echo "skipped $name: no $tool"; return 1
  done
}
same() { [ "$1" = "$2" ] || { echo "expected $1, found $2"; return 1; }; }

# Packages of other languages are installed while the image is built. CI has compiled the programs in Go.
programs="${INTEROP_PROGRAMS:-$work/programs}"
install_packages() {
  if command -v python3 >/dev/null; then
    python3 -m venv "$work/python" && "$work/python/bin/pip" install --quiet --disable-pip-version-check \
      -r testdata/interop/requirements.txt
  fi
  if command -v npm >/dev/null; then
    npm ci --prefix "$work/node" --silent --no-audit --no-fund
  fi
  if [ -z "${INTEROP_PROGRAMS:-}" ] && command -v go >/dev/null; then
    go -C testdata/interop/programs build -o "$programs/" ./...
  fi
}
cp -r testdata/interop/bundles "$work/node"
install_packages >"$work/installed" 2>&1 &
installing=$!

# The smallest program that can be built: all tools read the same image.
cp -r ceremony/tests/rehearsal/hello "$work/source"
commit() {
  git -C "$work/source" add --all &&
    git -C "$work/source" -c user.name=interop -c user.email=interop@localhost commit --quiet -m "$1"
}
git init --quiet "$work/source"
commit source
"$bin/builder" lock "$work/source" 2>/dev/null >"$work/locked"
commit lock
"$bin/builder" build "$work/source" --source-uri "git+file://$work/source" -o "$work/layout" 2>/dev/null >"$work/digest"
digest="$(cat "$work/digest")"
cp -r "$work/layout" "$work/bare"
rm -r "$work/bare/evidence"
"$bin/builder" keygen "$work/ours" >/dev/null 2>&1
"$bin/builder" keygen "$work/other" >/dev/null 2>&1
echo "image   $digest"

mkfifo "$work/endpoints"
"$bin/emulator" serve --state "$work/cloud" --project keyholder --project operator --project acme-build --project bank-data \
  --project clinic-data --parent keyholder=organizations/3/folders/12 >"$work/endpoints" &
read -r endpoints <"$work/endpoints"
address="$(sed -E 's/.*"registry":"([^"]+)".*/\1/' <<<"$endpoints")"
check "install packages" wait "$installing"
[ "$failed" = 0 ] || sed 's/^/        /' "$work/installed" | tail -20

. testdata/interop/policies.sh
. testdata/interop/signatures.sh
. testdata/interop/cosign.sh
. testdata/interop/copies.sh
. testdata/interop/registries.sh
. testdata/interop/bundles.sh
. testdata/interop/syft.sh
. testdata/interop/google.sh
. testdata/interop/openbao.sh
. testdata/interop/exec.sh
. testdata/interop/deploy.sh
. testdata/interop/tutorial.sh
. testdata/interop/sigstore.sh

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
