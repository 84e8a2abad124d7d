# Sourced by run.sh, after registries.sh has published the image in the emulator's registry. Google's own programs
# against the emulator: client libraries, with the attestation token of an image that prints it, and gcloud, with the
# commands that the verifier prints for people to run. And the code of the attestation service that verifies signatures.

endpoint() { python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$endpoints" "$1"; }

number_of() { python3 -c 'import json, sys; print(json.loads(sys.argv[1])["projects"][sys.argv[2]]["number"])' "$endpoints" "$1"; }

# Builds an image whose only program prints the token that every workload gets; its reference is in $printer.
push_printer() {
  mkdir "$work/printer"
  cat >"$work/printer.c" <<'C'
#include <stdio.h>
int main(void) {
  FILE *token = fopen("/run/container_launcher/attestation_verifier_claims_token", "r");
  if (!token) return 1;
  for (int c; (c = getc(token)) != EOF;) putchar(c);
  return 0;
}
C
  gcc -static -o "$work/printer/printer" "$work/printer.c"
  tar -C "$work/printer" -cf "$work/printer.tar" printer
  crane append --insecure --oci-empty-base --platform linux/amd64 -f "$work/printer.tar" -t "$address/operator/printer:v1" &&
  printer="$(crane mutate --insecure "$address/operator/printer:v1" -t "$address/operator/printer:v2" \
    --entrypoint /printer --label tee.launch_policy.log_redirect=always)"
}

launch_printer() {
  "$bin/emulator" launch --plain-http --attestation "$(endpoint attestation)" --project operator "$printer" >"$work/token"
}

# Google's own code reads the event log that a launcher sends to the attestation service, for each kind of hardware.
read_event_log() { # hardware, its kind of register
  local proxy launched=0
  mkfifo "$work/eventlog.out"
  "$programs/eventlog" "$(endpoint attestation)" >"$work/eventlog.out" &
  proxy=$!
  exec 5<"$work/eventlog.out"
  rm "$work/eventlog.out"
  read -r proxied <&5
  "$bin/emulator" launch --plain-http --attestation "$proxied" --project operator --hwmodel "$1" "$address/operator/printer:v2" \
    >"$work/eventlog.token" || launched=$?
  read -r -t 30 said <&5 || said="no event log"
  exec 5<&-
  kill "$proxy"
  echo "$said"
  [ "$launched" = 0 ] && [ "$said" = "$2 $address/operator/printer:v2 ${printer##*@} [/printer]" ]
}

if need "google's verifier of signatures" go openssl; then
  check "google's verifier of signatures: each kind of key" every_kind_counts "$address/builder/kinds"
  check "google's verifier of signatures: a kind that it does not read" another_kind_does_not "$address/builder/ed25519"
fi

if need "google clients" python3 crane gcc tar; then
  check "crane: push an image of another program" push_printer
  check "emulator launch: an image of another program" launch_printer
  check "google clients" "$work/python/bin/python" testdata/interop/google_clients.py "$endpoints" "$work/token" "${printer##*@}"
  sed 's/^/        /' "$work/out"
  if need "google's reader of event logs" go; then
    check "google's reader of event logs: TDX" read_event_log GCP_INTEL_TDX TDX
    check "google's reader of event logs: SEV" read_event_log GCP_AMD_SEV TPM
  fi
fi

google_cloud() { # words of a gcloud command...
  CLOUDSDK_CONFIG="$work/gcloud" CLOUDSDK_CORE_DISABLE_PROMPTS=1 \
  CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS="$(endpoint kms)/" \
  CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM="$(endpoint iam)/" \
  CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER="$(endpoint secret_manager)/" \
  CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE="$(endpoint storage)/storage/v1/" \
  CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE="$(endpoint compute)/compute/v1/" \
  CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY="$(endpoint artifact_registry)/" \
  CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER="$(endpoint resource_manager)/" \
  CLOUDSDK_AUTH_ACCESS_TOKEN_FILE="$work/cloud/projects/keyholder/access_token" "$@"
}

write_policy() {
  cat >"$work/policy.toml" <<POLICY
repository = "$address/builder/hello"
[builder]
id = "$(sed -nE 's/.*"builder": *\{"id": *"([^"]+)".*/\1/p' "$work/layout/provenance.json")"
build_type = "https://countersign.dev/hermetic-build/v1"
[source]
uri = "git+file://$work/source"
directory = "."
[[principal]]
name = "builder"
key = "ours.pub"
[signatures]
require = ["builder"]
threshold = 1
[attestations]
require = ["provenance", "sbom"]
by = ["builder"]
[rebuild]
require = true
POLICY
  cat >"$work/grant.toml" <<GRANT
key = "projects/keyholder/locations/global/keyRings/people/cryptoKeys/data"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/$(number_of keyholder)/locations/global/workloadIdentityPools/people"
other_members = ["serviceAccount:owner@keyholder.iam.gserviceaccount.com"]
[provider]
project = "keyholder"
id = "attest"
audience = "https://keyholder.example/countersign"
hardware = ["INTEL_TDX"]
operators = ["operator"]
[vpc_sc]
perimeter = "accessPolicies/1/servicePerimeters/people"
operators = ["$(number_of operator)"]
GRANT
}

print_provider() { # format
  "$bin/verifier" provider --grant "$work/grant.toml" --format "$1"
}
create_provider() {
  print_provider gcloud >"$work/create" && (cd "$work" && google_cloud bash -e "$work/create")
}
provider_is_as_printed() {
  google_cloud gcloud iam workload-identity-pools providers describe attest --project=keyholder --location=global \
    --workload-identity-pool=people --format=json >"$work/described" &&
    print_provider iam >"$work/printed" && python3 - "$work/described" "$work/printed" <<'PY'
import json, sys
described, printed = (json.load(open(path)) for path in sys.argv[1:])
for name, value in printed.items():
    assert described[name] == value, (name, described[name], value)
PY
}
as_keyholder() { GOOGLE_APPLICATION_CREDENTIALS="$work/cloud/projects/keyholder/credentials.json" "$@"; }
audit() {
  as_keyholder "$bin/verifier" audit --grant "$work/grant.toml" --kms-endpoint "$(endpoint kms)" \
    --iam-endpoint "$(endpoint iam)" --resource-manager-endpoint "$(endpoint resource_manager)"
}
create_role() {
  google_cloud gcloud iam roles create opener --project=keyholder --permissions=cloudkms.cryptoKeyVersions.useToDecrypt
}
# A role on what the project is in, or on itself, and what the audit says while it is bound.
audit_finds() { # words of the command for the resource, its name, a role, what the audit finds
  local binding=(--role="$3" --member=user:people@example.com --condition=None)
  google_cloud gcloud $1 add-iam-policy-binding "$2" "${binding[@]}" && says_no "$4" audit &&
    google_cloud gcloud $1 remove-iam-policy-binding "$2" "${binding[@]}" && audit
}
create_second() {
  google_cloud gcloud iam workload-identity-pools providers create-oidc second --project=keyholder --location=global \
    --workload-identity-pool=people --issuer-uri=https://confidentialcomputing.googleapis.com \
    --attribute-mapping=google.subject=assertion.sub
}
change_second() { # verb
  google_cloud gcloud iam workload-identity-pools providers "$1" second --project=keyholder --location=global \
    --workload-identity-pool=people --quiet
}
# The command that a revocation prints, to stop all images of the pool.
disable_pool() {
  google_cloud gcloud iam workload-identity-pools update people --project=keyholder --location=global --disabled
}
# Terraform reads the configuration and names the provider that it needs; that provider is not installed.
terraform_reads() { # format
  mkdir -p "$work/$1" && print_provider "$1" >"$work/$1/main.tf.json" &&
    CHECKPOINT_DISABLE=1 terraform -chdir="$work/$1" providers >"$work/providers" && grep -q hashicorp/google "$work/providers"
}

print_binding() {
  "$bin/verifier" authorize "$address/builder/hello@$digest" --plain-http --source "$work/source" \
    --policy "$work/policy.toml" --grant "$work/grant.toml" >"$work/add"
}
bound() {
  google_cloud gcloud kms keys get-iam-policy data --project=keyholder --location=global --keyring=people --format=json |
    grep -q "attribute.image_digest/$digest"
}

secret_is() { same "$1" "$(google_cloud gcloud secrets versions access 1 --secret=people-key --project=keyholder)"; }
secret_labels_are() { same "$1" "$(google_cloud gcloud secrets describe people-key --project=keyholder --format='value(labels)')"; }
bucket_labels_are() {
  same "$1" "$(google_cloud gcloud storage buckets describe gs://keyholder-people --project=keyholder --format='value(labels)')"
}
readers_are() {
  same "$1" "$(google_cloud gcloud artifacts repositories get-iam-policy images --project=keyholder --location=us \
    --format='value(bindings.members.flatten())')"
}
object_is() { same "$1" "$(google_cloud gcloud storage cat gs://keyholder-people/v1/key --project=keyholder)"; }

keys_are() { same "$1" "$(google_cloud gcloud kms keys list --project=keyholder --location=global --keyring=people --format='value(name.basename())')"; }
make_account_key() {
  google_cloud gcloud iam service-accounts create people --project=keyholder &&
    google_cloud gcloud iam service-accounts keys create "$work/people.json" --project=keyholder \
      --iam-account=people@keyholder.iam.gserviceaccount.com
}
# gcloud signs in with the key file, and asks its token_uri for an access token.
sign_in() {
  CLOUDSDK_CONFIG="$work/people" gcloud auth activate-service-account --key-file="$work/people.json"
}
# An instance that is no Confidential VM.
create_plain_instance() {
  google_cloud gcloud compute instances create plain --project=keyholder --zone=us-central1-a --machine-type=e2-micro \
    --image-project=confidential-space-images --image-family=confidential-space --no-service-account --no-scopes
}

if need "gcloud" gcloud python3; then
  printf 'the key' >"$work/people.key"
  check "gcloud: secrets create" google_cloud gcloud secrets create people-key --project=keyholder --replication-policy=automatic
  check "gcloud: secrets versions add" google_cloud gcloud secrets versions add people-key --project=keyholder \
    --data-file="$work/people.key"
  check "gcloud: secrets versions access" secret_is "the key"
  check "gcloud: secrets add-iam-policy-binding" google_cloud gcloud secrets add-iam-policy-binding people-key --project=keyholder \
    --role=roles/secretmanager.secretAccessor --member=user:people@example.com
  check "gcloud: secrets update" google_cloud gcloud secrets update people-key --project=keyholder --update-labels=team=people
  check "gcloud: the labels of the secret" secret_labels_are "team=people"
  check "gcloud: storage buckets create" google_cloud gcloud storage buckets create gs://keyholder-people --project=keyholder
  check "gcloud: storage buckets update" google_cloud gcloud storage buckets update gs://keyholder-people --project=keyholder \
    --update-labels=team=people,cost=1
  check "gcloud: remove a label" google_cloud gcloud storage buckets update gs://keyholder-people --project=keyholder \
    --remove-labels=cost
  check "gcloud: the labels of the bucket" bucket_labels_are "team=people"
  check "gcloud: storage cp" google_cloud gcloud storage cp "$work/people.key" gs://keyholder-people/v1/key --project=keyholder
  check "gcloud: storage cat" object_is "the key"
  check "gcloud: storage buckets add-iam-policy-binding" google_cloud gcloud storage buckets add-iam-policy-binding \
    gs://keyholder-people --project=keyholder --role=roles/storage.objectViewer --member=user:people@example.com
  check "gcloud: artifacts repositories add-iam-policy-binding" google_cloud gcloud artifacts repositories add-iam-policy-binding images \
    --project=keyholder --location=us --role=roles/artifactregistry.reader --member=user:people@example.com --condition=None
  check "gcloud: the reader of the repository" readers_are user:people@example.com
  write_policy
  check "gcloud: kms keyrings create" google_cloud gcloud kms keyrings create people --project=keyholder --location=global
  check "gcloud: kms keys create" google_cloud gcloud kms keys create data --project=keyholder --location=global \
    --keyring=people --purpose=encryption
  check "gcloud: kms keys list" keys_are data
  check "gcloud: iam service-accounts keys create" make_account_key
  check "gcloud: auth activate-service-account" sign_in
  refuse_for "gcloud: an instance that is no Confidential VM" "confidential-compute-type must be TDX or SEV" create_plain_instance
  check "gcloud: the printed commands that create pool and provider" create_provider
  check "gcloud: the provider is as printed" provider_is_as_printed
  refuse "gcloud: nothing is bound" bound
  check "verifier: print the binding" print_binding
  check "gcloud: the printed command" google_cloud bash "$work/add"
  check "gcloud: the image is bound" bound
  check "verifier: what gcloud made is as granted" audit
  check "gcloud: iam roles create" create_role
  check "verifier: a custom role on the project" audit_finds projects keyholder projects/keyholder/roles/opener \
    "in projects/keyholder: user:people@example.com has projects/keyholder/roles/opener without attestation"
  check "verifier: a role on the folder" audit_finds "resource-manager folders" 12 roles/cloudkms.cryptoKeyDecrypter \
    "in folders/12: user:people@example.com has roles/cloudkms.cryptoKeyDecrypter without attestation"
  check "verifier: a role on the organisation" audit_finds organizations 3 roles/iam.workloadIdentityPoolAdmin \
    "in organizations/3: user:people@example.com has roles/iam.workloadIdentityPoolAdmin, can change who may decrypt"
  check "gcloud: create a second provider" create_second
  refuse_for "verifier: a pool with a second provider" "the pool has another provider" audit
  check "gcloud: delete the second provider" change_second delete
  check "verifier: a second provider that is deleted" audit
  check "gcloud: undelete the second provider" change_second undelete
  refuse_for "verifier: a second provider that is undeleted" "the pool has another provider" audit
  check "gcloud: delete it again" change_second delete
  "$bin/verifier" revoke "$address/builder/hello@$digest" --grant "$work/grant.toml" >"$work/remove"
  check "gcloud: the printed command that revokes" google_cloud bash "$work/remove"
  refuse "gcloud: the image is not bound any more" bound
  check "gcloud: disable the pool" disable_pool
  refuse_for "verifier: a pool that is disabled" "it is disabled" audit
fi

if need "terraform" terraform; then
  write_policy
  check "terraform: the printed provider" terraform_reads terraform
  check "terraform: the printed perimeter" terraform_reads vpc-sc-terraform
fi
