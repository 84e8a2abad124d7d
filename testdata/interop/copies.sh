# Sourced by run.sh. Other clients copy the image with all evidence: from one registry to another, to layouts and archives, and
# back. What a client leaves behind is checked too. Digests stay the same, and the verifier reads layouts with the evidence.

tags() { printf 'sha256-%s.%s\n' "${digest#sha256:}" sig "${digest#sha256:}" att; }
bundles() { cosign2 verify --new-bundle-format --trusted-root "$work/root.json" --key "$work/ours.pub" $offline "$1@$digest"; }
legacy() { cosign verify --new-bundle-format=false --key "$work/ours.pub" $offline "$1@$digest"; }
no_legacy() { says_no "no signatures found|MANIFEST_UNKNOWN" crane digest --insecure "$1:$(tags | head -1)"; }
no_bundles() { says_no "no valid bundles exist|no signatures found" bundles "$1"; }

oras_copy() { # source, destination
  oras copy --recursive --from-plain-http --to-plain-http "$1:v1" "$2:v1"
}
crane_copy_tags() { # source, destination
  local tag
  for tag in $(tags); do crane copy --insecure "$1:$tag" "$2:$tag" || return 1; done
}
skopeo_sync() { # source, destination
  skopeo sync --all --src-tls-verify=false --dest-tls-verify=false --src docker --dest docker "$1" "${2%/*}"
}

# A client that copies tags copies bundles only from a registry without the referrers API, where their list is a tag.
copies() { # name, source, destination, whether the source has the referrers API: with or without
  local name="$1" from="$2" to="$3/${2##*/}" held=bundles
  [ "$4" = without ] || held=no_bundles
  if need "$name: oras" oras crane cosign2; then
    check "$name: oras copies" oras_copy "$from" "$3/oras"
    check "$name: oras copies bundles" bundles "$3/oras"
    check "$name: oras leaves the legacy tags" no_legacy "$3/oras"
    check "$name: crane copies the legacy tags beside them" crane_copy_tags "$from" "$3/oras"
    check "$name: both are all evidence" legacy "$3/oras"
  fi
  if need "$name: crane" crane cosign2; then
    check "$name: crane copies all tags" crane copy --insecure --all-tags "$from" "$3/crane"
    check "$name: crane copies legacy signatures" legacy "$3/crane"
    check "$name: crane copies the list of bundles, if it is a tag" "$held" "$3/crane"
    check "$name: crane keeps the digest" same "$digest" "$(crane digest --insecure "$3/crane:v1")"
  fi
  if need "$name: skopeo" skopeo crane cosign2; then
    check "$name: skopeo copies all tags" skopeo_sync "$from" "$to"
    check "$name: skopeo copies legacy signatures" legacy "$to"
    check "$name: skopeo copies the list of bundles, if it is a tag" "$held" "$to"
    check "$name: skopeo keeps the digest" same "$digest" "$(crane digest --insecure "$to:v1")"
  fi
}

skopeo_layout() { # source, layout
  local tag
  for tag in v1 $(tags); do skopeo copy --quiet --src-tls-verify=false "docker://$1:$tag" "oci:$2:$tag" || return 1; done
}
crane_layout() { # source, layout
  crane pull --insecure --format=oci --annotate-ref "$1:v1" $(tags | sed "s|^|$1:|") "$2"
}
# An archive of images has no signatures, so the verdict is a refusal, but it is about this image.
archived() { # repository, archive
  { verify "$1" "docker-archive:$2" || true; } 2>&1 | grep -q "^fail: .*@$digest: signatures$"
}

saved() { # name, repository
  local image="$2@$digest" at="$work/saved-$1"
  if need "$1: oras, to a layout" oras; then
    check "$1: oras copies to a layout" oras copy --recursive --from-plain-http "$2:v1" --to-oci-layout "$at-oras:v1"
    check "$1: the verifier reads oras's layout" verify "$2" "oci:$at-oras" cyclonedx slsaprovenance1
    check "$1: oras copies it back" oras copy --recursive --from-oci-layout "$at-oras:v1" --to-plain-http "$2/back:v1"
    check "$1: its bundles are there again" bundles "$2/back"
  fi
  if need "$1: crane, to files" crane; then
    check "$1: crane copies to a layout" crane_layout "$2" "$at-crane"
    check "$1: the verifier reads crane's layout" verify "$2" "oci:$at-crane" cyclonedx slsaprovenance1
    check "$1: crane copies to an archive" crane pull --insecure "$image" "$at-crane.tar"
    check "$1: the verifier finds the image in crane's archive" archived "$2" "$at-crane.tar"
    check "$1: crane finds the image valid" crane validate --insecure --remote "$image"
  fi
  if need "$1: skopeo, to files" skopeo; then
    check "$1: skopeo copies to a layout" skopeo_layout "$2" "$at-skopeo"
    check "$1: the verifier reads skopeo's layout" verify "$2" "oci:$at-skopeo:v1" cyclonedx slsaprovenance1
    check "$1: skopeo copies to an archive" skopeo copy --src-tls-verify=false "docker://$image" "docker-archive:$at-skopeo.tar:a/b:v1"
    check "$1: the verifier finds the image in skopeo's archive" archived "$2" "$at-skopeo.tar:a/b:v1"
  fi
  if need "$1: cosign save" cosign cosign2; then
    local version
    for version in cosign cosign2; do
      check "$1: $version saves" "$version" save --allow-http-registry --dir "$at-$version" "$image"
      check "$1: the verifier reads what $version saved" verify "$2" "oci:$at-$version" cyclonedx slsaprovenance1
    done
    tar -C "$at-cosign" -czf "$at-cosign.tar.gz" .
    check "$1: the verifier reads an archive of it" verify "$2" "oci-archive:$at-cosign.tar.gz"
  fi
}
