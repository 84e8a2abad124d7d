#!/usr/bin/env bash
# What we publish, in the hands of others: cosign verifies signature and attestations by key, crane and skopeo copy the
# image, and all digests stay. Against a registry with the referrers API (the emulator's) and one without (Debian's), over
# HTTP and HTTPS. A tool that is missing is named and skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --locked --bins -p builder -p emulator
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
refuse() { local name="$1"; shift; check "$name" bash -c '! "$@"' - "$@"; }
need() { # tool, what is skipped without it
  command -v "$1" >/dev/null && return 0
  skipped=$((skipped + 1)); echo "skipped $2: no $1"; return 1
}
same() { [ "$1" = "$2" ] || { echo "expected $1, found $2"; return 1; }; }

"$bin/builder" build workload -o "$work/layout" 2>/dev/null >"$work/digest"
digest="$(cat "$work/digest")"
"$bin/builder" keygen "$work/ours"
"$bin/builder" keygen "$work/other"
echo "image   $digest"

publish() { # repository, flags...
  local repository="$1"; shift
  "$bin/builder" push "$work/layout" "$repository:v1" "$@" &&
  "$bin/builder" sign "$repository@$digest" --key "$work/ours.key" "$@" &&
  "$bin/builder" attest "$repository@$digest" --key "$work/ours.key" --type slsaprovenance1 \
    --predicate "$work/layout/provenance.json" "$@" &&
  "$bin/builder" attest "$repository@$digest" --key "$work/ours.key" --type cyclonedx \
    --predicate "$work/layout/sbom.cdx.json" "$@"
}

judge() { # name of the registry, repository
  local name="$1" image="$2@$digest"
  check "$name: publish" publish "$2" --plain-http
  check "$name: publish again changes nothing" publish "$2" --plain-http
  if need cosign "$name: cosign"; then
    local by="--insecure-ignore-tlog --allow-http-registry"
    check "$name: cosign verify" cosign verify --key "$work/ours.pub" $by "$image"
    refuse "$name: cosign verify refuses another key" cosign verify --key "$work/other.pub" $by "$image"
    check "$name: cosign verify, legacy tag" cosign verify --new-bundle-format=false --key "$work/ours.pub" $by "$image"
    for type in slsaprovenance1 cyclonedx; do
      check "$name: cosign verify-attestation $type" cosign verify-attestation --type "$type" --key "$work/ours.pub" $by "$image"
      refuse "$name: cosign verify-attestation $type refuses another key" \
        cosign verify-attestation --type "$type" --key "$work/other.pub" $by "$image"
    done
  fi
  if need crane "$name: crane"; then
    check "$name: crane validate" crane validate --insecure --remote "$image"
    check "$name: crane copy" crane copy --insecure "$image" "$2/copied:v1"
    check "$name: crane keeps the digest" same "$digest" "$(crane digest --insecure "$2/copied:v1")"
  fi
  if need skopeo "$name: skopeo"; then
    check "$name: skopeo copy" skopeo copy --src-tls-verify=false "docker://$image" "oci:$work/skopeo-$name:v1"
    check "$name: skopeo keeps the digest" grep -q "$digest" "$work/skopeo-$name/index.json"
  fi
}

registry() { # folder, further configuration; leaves the port that the registry chose in $port
  mkdir -p "$1"
  cat >"$1/config.yml" <<CONFIG
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $1/data}}
http:
  addr: 127.0.0.1:0
$2
CONFIG
  docker-registry serve "$1/config.yml" >"$1/log" 2>&1 &
  for _ in $(seq 100); do
    port="$(sed -nE 's/.*listening on 127\.0\.0\.1:([0-9]+).*/\1/p' "$1/log")"
    [ -z "$port" ] || return 0
    sleep 0.05
  done
  echo "docker-registry did not start"; return 1
}

mkfifo "$work/endpoints"
"$bin/emulator" serve --state "$work/cloud" >"$work/endpoints" &
read -r endpoints <"$work/endpoints"
address="$(sed -E 's/.*"registry":"([^"]+)".*/\1/' <<<"$endpoints")"
judge "emulator" "$address/builder/workload"

if need docker-registry "registry without referrers"; then
  registry "$work/plain" ""
  judge "docker-registry" "127.0.0.1:$port/builder/workload"

  curve="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
  openssl req -x509 $curve -days 2 -subj /CN=authority -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
  openssl req $curve -subj /CN=registry -keyout "$work/tls.key" -out "$work/tls.csr" 2>/dev/null
  printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' >"$work/tls.ext"
  openssl x509 -req -in "$work/tls.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
    -extfile "$work/tls.ext" -out "$work/tls.crt" 2>/dev/null
  registry "$work/tls" "  tls: {certificate: $work/tls.crt, key: $work/tls.key}"
  check "https: publish" publish "127.0.0.1:$port/builder/workload" --ca "$work/ca.crt"
  refuse "https: an unknown authority is refused" publish "127.0.0.1:$port/builder/workload"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
