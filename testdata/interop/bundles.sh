# Sourced by run.sh, after registries.sh. sigstore-python and @sigstore/verify judge bundles as `verifier check bundle` does: those of
# other projects in the folder that VECTORS names, and those that the builder wrote.

# The builder's bundles in the layout that oras copied, each with the builder's key and with another.
our_bundles() { # layout, folder for the bundles and the cases
  python3 - "$1" "$2" "$digest" "$work" <<'PYTHON'
import json, pathlib, shutil, sys
layout, folder, digest, work = sys.argv[1:]
blobs, folder = pathlib.Path(layout, "blobs", "sha256"), pathlib.Path(folder)
folder.mkdir()
found = [blob for blob in blobs.iterdir() if blob.stat().st_size < 1 << 20 and b'"dsseEnvelope"' in blob.read_bytes()]
assert len(found) == 3, found
with (folder / "cases.jsonl").open("w") as cases:
    for blob in found:
        shutil.copy(blob, folder)
        for key, expect in ("ours", "accept"), ("other", "reject"):
            argv = ["verify-bundle", "--bundle", blob.name, "--key", f"{work}/{key}.pub", digest]
            print(json.dumps({"id": f"{blob.name} by {key}", "argv": argv, "expect": expect}), file=cases)
PYTHON
}
compare() { # files with cases...
  "$work/python/bin/python" "$work/node/compare.py" "$bin/verifier" "$@"
}

need "bundles: @sigstore/verify" npm node || true
if need "bundles" python3 go oras; then
  check "bundles: the builder's" our_bundles "$work/saved-go-containerregistry-oras" "$work/bundles"
  check "bundles: other readers agree on the builder's" compare "$work/bundles/cases.jsonl"
  sed 's/^/        /' "$work/out"
  if [ -d "${VECTORS:-}" ]; then
    check "bundles: other readers agree on other projects'" compare "$VECTORS"/sigstore-{conformance,extra}-bundles/cases.jsonl \
      "$VECTORS/slsa-verifier-attestations/bundle_cases.jsonl"
    sed 's/^/        /' "$work/out"
  else
    skipped=$((skipped + 1)); echo "skipped bundles of other projects: no VECTORS"
  fi
fi
