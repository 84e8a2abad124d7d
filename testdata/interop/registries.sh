# Sourced by run.sh. The image with its evidence in three registries: the emulator's and go-containerregistry's have the referrers
# API, Debian's has not.

push_bare() { "$bin/builder" push "$work/bare" "$1:v1" --plain-http >/dev/null 2>&1; } # repository: the image alone
publish() { # repository, flags...
  local repository="$1"; shift
  "$bin/builder" push "$work/layout" "$repository:v1" "$@" &&
  "$bin/builder" sign "$repository@$digest" --key "$work/ours.key" -a stage=test "$@" &&
  "$bin/builder" attest "$repository@$digest" --key "$work/ours.key" --type slsaprovenance1 \
    --predicate "$work/layout/provenance.json" "$@" &&
  "$bin/builder" attest "$repository@$digest" --key "$work/ours.key" --type cyclonedx \
    --predicate "$work/layout/sbom.cdx.json" "$@"
}

judge() { # name, repository
  local name="$1" image="$2@$digest"
  check "$name: publish" publish "$2" --plain-http
  check "$name: publish again changes nothing" publish "$2" --plain-http
  check "$name: the verifier passes" verify "$2" "$image" cyclonedx slsaprovenance1
  if need "$name: google's verifier of signatures" go; then
    check "$name: google's verifier of signatures" counted "$image" "ECDSA_P256_SHA256 $(key_id ours)"
  fi
  if need "$name: cosign" cosign cosign2; then
    read_by_cosign_3 "$name" "$image"
  fi
}
judge_more() { # name, repository
  judge "$1" "$2"
  if need "$1: cosign writes" cosign cosign2; then
    push_bare "$2/legacy"
    check "$1: cosign signs what the builder prints" sign_blob "$2/legacy"
    read_by_cosign_2 "$1" "$2@$digest" "$2/legacy@$digest"
    written_by_cosign "$1" "$2"
    attested_by_cosign "$1" "$2"
  fi
  saved "$1" "$2"
}

registry() { # folder, further configuration; the port of the registry is in $port
  mkdir -p "$1"
  cat >"$1/config.yml" <<CONFIG
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $1/data}}
http:
  addr: 127.0.0.1:0
$2
CONFIG
  : >"$1/log"
  docker-registry serve "$1/config.yml" >>"$1/log" 2>&1 &
  for _ in $(seq 100); do
    port="$(sed -nE 's/.*listening on 127\.0\.0\.1:([0-9]+).*/\1/p' "$1/log")"
    [ -z "$port" ] || return 0
    sleep 0.05
  done
  echo "docker-registry did not start"; return 1
}

if need "format v1" python3; then
  check "format v1: another program writes the same bytes" same "$digest" \
    "$(python3 testdata/format-v1/format_v1.py "$work/layout")"
fi
judge "emulator" "$address/builder/hello"

with="" without=""
if need "registry with referrers" go; then
  mkfifo "$work/registry"
  "$programs/registry" >"$work/registry" &
  read -r with <"$work/registry"
  judge_more "go-containerregistry" "$with/builder/hello"
fi
if need "registry without referrers" docker-registry; then
  registry "$work/plain" ""
  without="127.0.0.1:$port"
  judge_more "docker-registry" "$without/builder/hello"
fi
if [ -n "$with" ] && [ -n "$without" ]; then
  copies "with referrers to without" "$with/builder/hello" "$without/from" with
  copies "without referrers to with" "$without/builder/hello" "$with/from" without
fi

if need "registry over HTTPS" docker-registry openssl; then
  curve="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
  openssl req -x509 $curve -days 2 -subj /CN=authority -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
  openssl req $curve -subj /CN=registry -keyout "$work/tls.key" -out "$work/tls.csr" 2>/dev/null
  printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' >"$work/tls.ext"
  openssl x509 -req -in "$work/tls.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
    -extfile "$work/tls.ext" -out "$work/tls.crt" 2>/dev/null
  registry "$work/tls" "  tls: {certificate: $work/tls.crt, key: $work/tls.key}"
  check "https: publish" publish "127.0.0.1:$port/builder/hello" --ca "$work/ca.crt"
  refuse_for "https: an unknown authority is refused" "certificate" publish "127.0.0.1:$port/builder/hello"
fi
