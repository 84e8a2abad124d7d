# Sourced by run.sh, after google.sh. gcloud runs the commands that `builder deploy` prints, against a service that records requests;
# Terraform reads the configuration.

deploy() { # format
  "$bin/builder" deploy "$address/operator/printer:v2" --plain-http --format "$1" --project operator --zone us-central1-a \
    --service-account runner@operator.iam.gserviceaccount.com --signed-image-repository us-docker.pkg.dev/operator/signatures/printer \
    2>/dev/null
}
record() {
  mkfifo "$work/recorder.out"
  python3 testdata/interop/recorder.py "$work/requests" >"$work/recorder.out" &
  exec 6<"$work/recorder.out"
  rm "$work/recorder.out"
  read -r -t 30 recorder <&6
  exec 6<&-
}
run_printed() {
  local compute="${recorder}compute/v1/"
  deploy gcloud >"$work/deploy" &&
    CLOUDSDK_CONFIG="$work/gcloud" CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE="$compute" \
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM="$recorder" CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER="$recorder" \
    CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY="$recorder" \
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE="$work/cloud/projects/operator/access_token" bash -e "$work/deploy"
}
# What the services were asked for: an instance by digest that cannot be reached, and roles for its account.
asked_as_printed() {
  python3 - "$work/requests" "$address/operator/printer@${printer##*@}" <<'PY'
import json, sys
asked = [json.loads(line) for line in open(sys.argv[1])]
def only(end):
    [body] = [json.loads(one["body"]) for one in asked if one["method"] == "POST" and one["path"].split("?")[0].endswith(end)]
    return body
instance = only("/zones/us-central1-a/instances")
metadata = {item["key"]: item["value"] for item in instance["metadata"]["items"]}
repository = sys.argv[2].split("@")[0]
assert metadata == {
    "tee-image-reference": sys.argv[2],
    "tee-signed-image-repos": repository + ",us-docker.pkg.dev/operator/signatures/printer",
    "tee-restart-policy": "Never",
    "tee-container-log-redirect": "cloud_logging",
}, metadata
assert instance["confidentialInstanceConfig"] == {"confidentialInstanceType": "TDX"}
assert instance["shieldedInstanceConfig"] == {"enableSecureBoot": True}
assert instance["scheduling"] == {"automaticRestart": False, "onHostMaintenance": "TERMINATE"}
[interface] = instance["networkInterfaces"]
assert "accessConfigs" not in interface, interface
[account] = instance["serviceAccounts"]
assert account["email"] == "runner@operator.iam.gserviceaccount.com", account
[disk] = instance["disks"]
image = disk["initializeParams"]["sourceImage"]
assert image.endswith("/confidential-space-images/global/images/family/confidential-space"), image
assert only("/subnetworks")["privateIpGoogleAccess"]
granted = []
for one in asked:
    if one["path"].split("?")[0].endswith(":setIamPolicy"):
        [binding] = json.loads(one["body"])["policy"]["bindings"]
        assert binding["members"] == ["serviceAccount:" + account["email"]], binding
        granted.append((one["path"].split("/v1/")[1].split(":")[0], binding["role"]))
assert granted == [
    ("projects/operator", "roles/confidentialcomputing.workloadUser"),
    ("projects/operator", "roles/logging.logWriter"),
    ("projects/operator/locations/us/repositories/signatures", "roles/artifactregistry.reader"),
], granted
PY
}
terraform_reads_deployment() {
  mkdir -p "$work/deployment" && deploy terraform >"$work/deployment/main.tf.json" &&
    CHECKPOINT_DISABLE=1 terraform -chdir="$work/deployment" providers >"$work/providers" && grep -q hashicorp/google "$work/providers"
}

if need "gcloud deploy" gcloud python3 crane gcc tar; then
  check "a service that records requests" record
  check "gcloud: the printed commands that deploy" run_printed
  check "gcloud: what they ask for" asked_as_printed
fi
if need "terraform deploy" terraform crane gcc tar; then
  check "terraform: the printed deployment" terraform_reads_deployment
fi
