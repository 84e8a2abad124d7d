# Sourced by run.sh, after registries.sh. syft reads the image and the bill of materials that the builder writes, and the verifier
# reads those that syft writes about the image, alone and attested by cosign.

syft() { SYFT_CHECK_FOR_APP_UPDATE=false "$work/python/bin/syft" "$@"; }
scan() { syft scan --quiet "oci-dir:$work/layout" -o "syft-json=$work/syft.json" \
  -o "cyclonedx-json=$work/syft.cdx.json" -o "cyclonedx-xml=$work/syft.cdx.xml" -o "spdx-json=$work/syft.spdx.json" -o "spdx-tag-value=$work/syft.spdx"; }
image_of_syft() {
  python3 - "$work/syft.json" <<'PYTHON'
import json, sys
found = json.load(open(sys.argv[1]))
print(found["source"]["metadata"]["manifestDigest"], *(file["location"]["path"] for file in found["files"]),
      *(f'{part["type"]} {part["name"]} {part["version"]}' for part in found["artifacts"]))
PYTHON
}
# syft converts the document, so it has read each component that has a name and a version.
same_components() {
  syft convert --quiet "$work/layout/sbom.cdx.json" -o "syft-json=$work/converted.json" &&
    python3 - "$work/layout/sbom.cdx.json" "$work/converted.json" <<'PYTHON'
import json, sys
ours, syft = (json.load(open(path)) for path in sys.argv[1:])
ours = {(part["name"], part["version"], part["purl"]) for part in ours["components"] if part["type"] == "library"}
syft = {(part["name"], part["version"], part["purl"]) for part in syft["artifacts"]}
assert ours and ours == syft, (ours ^ syft)
PYTHON
}
attest_for_syft() { # repository
  push_bare "$1" && "$bin/builder" sign "$1@$digest" --key "$work/ours.key" --plain-http &&
    cosign attest --key "$work/cosign.key" $write --use-signing-config=false --type cyclonedx --predicate "$work/syft.cdx.json" "$1@$digest" &&
    cosign attest --key "$work/cosign.key" $write --use-signing-config=false --type spdxjson --predicate "$work/syft.spdx.json" "$1@$digest" &&
    verify "$1" "$1@$digest" cyclonedx spdxjson
}

if need "syft" python3; then
  check "syft: scan the image" scan
  check "syft: it found this image, its program, and the crate that the program lists" same "$digest /hello rust-crate hello 0.1.0" "$(image_of_syft)"
  check "syft: it reads the builder's bill of materials" same_components
  for written in syft.cdx.json syft.cdx.xml syft.spdx.json syft.spdx; do
    check "syft: the verifier reads $written" "$bin/verifier" check sbom "$work/$written"
  done
  if need "syft: attested" cosign; then
    check "syft: the verifier counts them when they are attested" attest_for_syft "$address/builder/syft"
  fi
fi
