# Sourced by run.sh, after deploy.sh. Runs every command of docs/tutorial.md, and then those of README.md, in their order, each role in a folder of its own with its own credentials: the
# real gcloud and our programs, against the emulator, whose Compute Engine launches the image.

# Who acts next.
enter() { # role, page:line
  echo "== $2 ($1)"
  mkdir -p "$tutorial/$1"
  cd "$tutorial/$1"
  [ ! -d common ] || cd common
  local project
  case "$1" in
    acme) project=acme-build ;;
    bank | clinic) project="$1-data" ;;
    *) project=operator ;;
  esac
  export CLOUDSDK_AUTH_ACCESS_TOKEN_FILE="$work/cloud/projects/$project/access_token"
  export GOOGLE_APPLICATION_CREDENTIALS="$work/cloud/projects/$project/credentials.json"
}

# Waits until the machine that the printed command has created is off, and compares its log with that of the page.
settle() {
  local status="" vm=(workload --project=operator --zone=us-central1-a)
  for _ in $(seq 60); do
    status="$(gcloud compute instances describe "${vm[@]}" --format='value(status)')"
    [ "$status" != TERMINATED ] || break
    sleep 1
  done
  [ "$status" = TERMINATED ] || gcloud compute instances get-serial-port-output "${vm[@]}"
  # The page names the image as Acme does, and shortens digests.
  eval "$(grep "^gcloud logging read" "$page")" | sed "s|$address/|us-docker.pkg.dev/|; s/sha256:[0-9a-f]*/sha256:…/" >"$tutorial/printed"
  sed -n '/^TEE container launcher initiating$/,/^```$/p' "$page" | sed '$d' | diff - "$tutorial/printed"
}

# What people do outside of their shells: each sends the others what the page says, and the terms name the emulator in place of Google.
leave() { # role
  cd "$tutorial/$1"
  [ "$1" != operator ] || ! gcloud compute instances describe workload --project=operator --zone=us-central1-a >/dev/null 2>&1 || settle
  local file role
  for role in acme bank clinic; do
    [ "$role" != "$1" ] || continue
    mkdir -p "$tutorial/$role"
    for file in *.pub *.enc *-signed; do
      [ ! -e "$file" ] || cp -r "$file" "$tutorial/$role"
    done
  done
  [ ! -f common/terms.json ] || python3 - common/terms.json <<'PY'
import json, os, sys
terms, endpoints = json.load(open(sys.argv[1])), json.loads(os.environ["endpoints"])
names = ["sts", "kms", "pubsub", "secret_manager", "storage"]
terms["endpoints"] = {name: endpoints[name] for name in names if name in endpoints}
terms["attestation"] = {
    "issuer": "https://confidentialcomputing.googleapis.com",
    "discovery": endpoints["attestation"] + "/.well-known/openid-configuration",
}
json.dump(terms, open(sys.argv[1], "w"), indent=2)
PY
}

play_tutorial() {
  export tutorial="$work/tutorial" page="$PWD/docs/tutorial.md" address work endpoints PATH="$bin:$PATH"
  export GIT_AUTHOR_NAME=acme GIT_AUTHOR_EMAIL=acme@localhost GIT_COMMITTER_NAME=acme GIT_COMMITTER_EMAIL=acme@localhost
  export CLOUDSDK_CONFIG="$work/gcloud" CLOUDSDK_CORE_DISABLE_PROMPTS=1 COUNTERSIGN_KMS_ENDPOINT="$(endpoint kms)" \
    COUNTERSIGN_IAM_ENDPOINT="$(endpoint iam)" COUNTERSIGN_RESOURCE_MANAGER_ENDPOINT="$(endpoint resource_manager)"
  export CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS="$(endpoint kms)/" CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM="$(endpoint iam)/"
  export CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER="$(endpoint secret_manager)/"
  export CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE="$(endpoint compute)/compute/v1/" \
    CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING="$(endpoint logging)/" \
    CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER="$(endpoint resource_manager)/" \
    CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY="$(endpoint artifact_registry)/"
  export -f endpoint enter leave settle
  mkdir -p "$tutorial"
  git init --quiet --bare "$tutorial/source"
  python3 testdata/interop/tutorial.py docs/tutorial.md "SOURCE=file://$tutorial/source" "REPOSITORY=$address/acme-build/images/common" \
    "WORKLOAD_REPOSITORY=$address/acme-build/images/workload" "COUNTERSIGN=$PWD" "BANK_NUMBER=$(number_of bank-data)" \
    "CLINIC_NUMBER=$(number_of clinic-data)" >"$tutorial/commands.sh"
  python3 testdata/interop/tutorial.py README.md >>"$tutorial/commands.sh"
  (bash "$tutorial/commands.sh")
}

if need "tutorial" gcloud python3 git; then
  check "tutorial and README: every command" play_tutorial
fi
