# Sourced by run.sh. Other tools read what the builder publishes: cosign verifies signature and attestations by key, crane
# and skopeo copy the image, and all digests stay the same. The registries are one with the referrers API (the emulator's)
# and one without (Debian's), over HTTP and HTTPS.

publish() { # repository, flags...
  local repository="$1"; shift
  "$bin/builder" push "$work/layout" "$repository:v1" "$@" &&
  "$bin/builder" sign "$repository@$digest" --key "$work/ours.key" "$@" &&
  "$bin/builder" attest "$repository@$digest" --key "$work/ours.key" --type slsaprovenance1 \
    --predicate "$work/layout/provenance.json" "$@" &&
  "$bin/builder" attest "$repository@$digest" --key "$work/ours.key" --type cyclonedx \
    --predicate "$work/layout/sbom.cdx.json" "$@"
}

policy() { # repository; the policy asks for a signature and for nothing else
  cat <<POLICY
repository = "$1"
[builder]
id = "https://builder.example"
build_type = "https://build.example"
[source]
uri = "git+https://source.example"
[signatures]
require = ["builder"]
[attestations]
require = []
by = ["builder"]
[rebuild]
require = false
[[principal]]
name = "builder"
key = "ours.pub"
POLICY
}
verify() { "$bin/verifier" verify "$1" --policy "$work/saved.toml"; }
# An archive of images has no signatures, so the verdict is a refusal, but it is about this image.
archived() { { verify "docker-archive:$1" || true; } 2>&1 | grep -q "^fail: .*@$digest: signatures$"; }

judge() { # name of the registry, repository
  local name="$1" image="$2@$digest" saved="$work/saved-$1"
  policy "$2" >"$work/saved.toml"
  check "$name: publish" publish "$2" --plain-http
  check "$name: publish again changes nothing" publish "$2" --plain-http
  if need "$name: cosign" cosign; then
    local by="--insecure-ignore-tlog --allow-http-registry"
    check "$name: cosign verify" cosign verify --key "$work/ours.pub" $by "$image"
    refuse "$name: cosign verify refuses another key" cosign verify --key "$work/other.pub" $by "$image"
    check "$name: cosign verify, legacy tag" cosign verify --new-bundle-format=false --key "$work/ours.pub" $by "$image"
    for type in slsaprovenance1 cyclonedx; do
      check "$name: cosign verify-attestation $type" cosign verify-attestation --type "$type" --key "$work/ours.pub" $by "$image"
      refuse "$name: cosign verify-attestation $type refuses another key" \
        cosign verify-attestation --type "$type" --key "$work/other.pub" $by "$image"
    done
    check "$name: cosign save" cosign save --allow-http-registry --dir "$saved" "$image"
    check "$name: what cosign saved is verified" verify "oci:$saved"
    tar -C "$saved" -czf "$saved.tar.gz" .
    check "$name: an archive of it is verified" verify "oci-archive:$saved.tar.gz"
  fi
  if need "$name: crane" crane; then
    check "$name: crane validate" crane validate --insecure --remote "$image"
    check "$name: crane copy" crane copy --insecure "$image" "$2/copied:v1"
    check "$name: crane pull" crane pull --insecure "$image" "$saved-crane.tar"
    check "$name: the verifier finds the image in crane's archive" archived "$saved-crane.tar"
    check "$name: crane keeps the digest" same "$digest" "$(crane digest --insecure "$2/copied:v1")"
  fi
  if need "$name: skopeo" skopeo; then
    check "$name: skopeo copy" skopeo copy --src-tls-verify=false "docker://$image" "oci:$work/skopeo-$name:v1"
    check "$name: skopeo copy to an archive" skopeo copy --src-tls-verify=false "docker://$image" "docker-archive:$saved-skopeo.tar:a/b:v1"
    check "$name: the verifier finds the image in skopeo's archive" archived "$saved-skopeo.tar:a/b:v1"
    check "$name: skopeo keeps the digest" grep -q "$digest" "$work/skopeo-$name/index.json"
  fi
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
judge "emulator" "$address/builder/workload"

if need "registry without referrers" docker-registry; then
  registry "$work/plain" ""
  judge "docker-registry" "127.0.0.1:$port/builder/workload"
fi

if need "registry over HTTPS" docker-registry openssl; then
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
