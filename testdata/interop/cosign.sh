# Sourced by run.sh. cosign 2.6 (as `cosign2`) and cosign 3.1 (as `cosign`) verify what the builder writes, and the verifier what
# they write: by key, without a transparency log, in both layouts, with annotations.

offline="--insecure-ignore-tlog --allow-http-registry"
write="--tlog-upload=false --allow-http-registry -y"
export COSIGN_PASSWORD=interop

# Runs a command with the public key of the builder in place of KEY, and with that of another, which it must refuse.
by_key() { # name, command...
  local name="$1"; shift
  check "$name" "${@/#KEY/$work/ours.pub}"
  refuse_for "$name, another key" "do not match threshold|no matching|not been verified" "${@/#KEY/$work/other.pub}"
}
annotated() { # name, command...
  local name="$1"; shift
  check "$name" "$@" -a stage=test
  refuse_for "$name, another value" "missing or incorrect annotation" "$@" -a stage=production
}

read_by_cosign_3() { # name of the registry, image
  local verify="cosign verify --key KEY $offline" type
  by_key "$1: cosign 3 reads the bundle" $verify "$2"
  by_key "$1: cosign 3 reads the legacy signature" $verify --new-bundle-format=false "$2"
  annotated "$1: cosign 3 reads annotations of the bundle" ${verify/KEY/$work/ours.pub} "$2"
  annotated "$1: cosign 3 reads annotations of the legacy signature" ${verify/KEY/$work/ours.pub} --new-bundle-format=false "$2"
  for type in slsaprovenance1 cyclonedx; do
    by_key "$1: cosign 3 reads $type" cosign verify-attestation --type "$type" --key KEY $offline "$2"
    by_key "$1: cosign 3 reads legacy $type" cosign verify-attestation --new-bundle-format=false --type "$type" --key KEY $offline "$2"
  done
}

# Beside a bundle, cosign 2.6 reads bundles only, and only with a trusted root. An empty one is enough.
read_by_cosign_2() { # name of the registry, image, image without bundles
  local root="--new-bundle-format --trusted-root $work/root.json" type
  refuse_for "$1: cosign 2 asks for a trusted root beside a bundle" "trusted root is required" \
    cosign2 verify --new-bundle-format=false --key "$work/ours.pub" $offline "$2"
  by_key "$1: cosign 2 reads the bundle" cosign2 verify $root --key KEY $offline "$2"
  for type in slsaprovenance1 cyclonedx; do
    by_key "$1: cosign 2 reads $type" cosign2 verify-attestation $root --type "$type" --key KEY $offline "$2"
  done
  by_key "$1: cosign 2 reads the legacy signature" cosign2 verify --key KEY $offline "$3"
  annotated "$1: cosign 2 reads annotations of the legacy signature" cosign2 verify --key "$work/ours.pub" $offline "$3"
}

# The verifier reads signatures in which cosign names the repository, says what is missing in the others, and counts them if the policy does.
signs() { # name, repository, command that signs...
  local name="$1" image="$2@$digest"
  push_bare "$2"
  check "$name" "${@:3}" --key "$work/cosign.key" $write -a stage=test "$image"
}
written_by_cosign() { # name of the registry, name of the repositories
  local legacy="--new-bundle-format=false --use-signing-config=false" referrer="--registry-referrers-mode=oci-1-1" name
  signs "$1: cosign 3 signs in the legacy layout" "$2/legacy3" cosign sign $legacy
  signs "$1: cosign 2 signs in the legacy layout" "$2/legacy2" cosign2 sign
  signs "$1: cosign 2 signs in a legacy referrer" "$2/referrer2" env COSIGN_EXPERIMENTAL=1 cosign2 sign $referrer
  for name in legacy3 legacy2 referrer2; do
    check "$1: the verifier counts $name" verify "$2/$name" "$2/$name@$digest"
  done
  signs "$1: cosign 3 signs in a bundle" "$2/bundle3" cosign sign --use-signing-config=false
  signs "$1: cosign 2 signs in a bundle" "$2/bundle2" cosign2 sign --new-bundle-format
  for name in bundle3 bundle2; do
    refuse_for "$1: the verifier says what $name does not name" "signature of builder names no repository" \
      verify "$2/$name" "$2/$name@$digest"
    check "$1: the verifier counts $name if the policy does" verify_unnamed "$2/$name" "$2/$name@$digest"
  done
}

attests() { # name, repository, command that attests...
  check "$1" "${@:3}" --key "$work/cosign.key" $write --type cyclonedx --predicate "$work/layout/sbom.cdx.json" "$2@$digest"
  check "$1: the verifier counts it" verify "$2" "$2@$digest" cyclonedx
}
attested_by_cosign() { # name of the registry, name of the repositories
  local repository
  for repository in att3 att2 att3legacy; do
    push_bare "$2/$repository"
    "$bin/builder" sign "$2/$repository@$digest" --key "$work/ours.key" --plain-http 2>/dev/null
  done
  attests "$1: cosign 3 attests in a bundle" "$2/att3" cosign attest --use-signing-config=false
  attests "$1: cosign 3 attests in the legacy layout" "$2/att3legacy" cosign attest --new-bundle-format=false --use-signing-config=false
  attests "$1: cosign 2 attests in a bundle" "$2/att2" cosign2 attest --new-bundle-format
}

# The builder's key, encrypted by cosign; the builder reads it back.
import_key() {
  (cd "$work" && cosign import-key-pair --key ours.key --output-key-prefix cosign -y) && cmp "$work/ours.pub" "$work/cosign.pub"
}
# `builder payload` prints what `cosign sign-blob` signs.
sign_blob() { # repository
  "$bin/builder" payload "$1@$digest" --key "$work/ours.pub" -a stage=test >"$work/payload" &&
    cosign sign-blob --key "$work/cosign.key" --use-signing-config=false --tlog-upload=false -y \
      --bundle "$work/payload.bundle" "$work/payload" &&
    "$bin/builder" attach "$1@$digest" --payload "$work/payload" --signature "$work/payload.bundle" --key "$work/ours.pub" --plain-http
}

if need "cosign" cosign cosign2; then
  check "cosign imports the builder's key" import_key
  check "cosign writes an empty trusted root" cosign trusted-root create --out "$work/root.json"
fi
