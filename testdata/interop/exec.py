"""Programs in Go, Python and shell, started by the workload in a launched image, with secrets that a party lends.

Usage: exec.py ENDPOINTS WORK BIN WORKLOAD GO_PROGRAM, where ENDPOINTS is the line that `emulator serve` prints for the projects
keyholder and operator, WORK a folder with the keys `ours` and `other`, BIN the folder of the programs, and WORKLOAD the workload,
linked statically.
"""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import urllib.request

ENDPOINTS, WORK, BIN, WORKLOAD, GO_PROGRAM = json.loads(sys.argv[1]), *sys.argv[2:6]
OWNER = ENDPOINTS["projects"]["keyholder"]
LOCATION = "projects/keyholder/locations/global"
KEY = f"{LOCATION}/keyRings/exec/cryptoKeys/data"
POOL = f"projects/{OWNER['number']}/locations/global/workloadIdentityPools/exec-pool"
AUDIENCE = "https://bank.example/countersign"
HERE = os.path.dirname(os.path.abspath(__file__))
# Debian's, whose packages say which files it needs.
PYTHON = os.path.realpath("/usr/bin/python3")
SECRET, VARIABLE = b"the model key", b"the api token"
results = []


def check(name, condition, found=""):
    results.append(bool(condition))
    print(("ok      " if condition else "FAILED  ") + name, "" if condition else found)


def call(service, path, body=None, data=None, method=None):
    """Calls a service as the owner of keyholder; returns its answer."""
    with open(OWNER["access_token"], encoding="ascii") as file:
        headers = {"Authorization": f"Bearer {file.read()}"}
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    request = urllib.request.Request(ENDPOINTS[service] + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"{}")


def encrypt(secret, aad):
    aad = json.dumps(aad, separators=(",", ":"), sort_keys=True).encode()
    body = {"plaintext": base64.b64encode(secret).decode(), "additionalAuthenticatedData": base64.b64encode(aad).decode()}
    return base64.b64decode(call("kms", f"/v1/{KEY}:encrypt", body)["ciphertext"])


def set_up():
    call("kms", f"/v1/{LOCATION}/keyRings?keyRingId=exec", {})
    call("kms", f"/v1/{LOCATION}/keyRings/exec/cryptoKeys?cryptoKeyId=data", {"purpose": "ENCRYPT_DECRYPT"})
    pools = f"/v1/{LOCATION}/workloadIdentityPools"
    call("iam", f"{pools}?workloadIdentityPoolId=exec-pool", {})
    call("iam", f"{pools}/exec-pool/providers?workloadIdentityPoolProviderId=attest", {
        "oidc": {"issuerUri": "https://confidentialcomputing.googleapis.com", "allowedAudiences": [AUDIENCE]},
        "attributeMapping": {"google.subject": "assertion.sub",
                             "attribute.image_digest": "assertion.submods.container.image_digest"},
        "attributeCondition": "assertion.swname == 'CONFIDENTIAL_SPACE'",
    })
    call("storage", "/storage/v1/b?project=keyholder", {"name": "exec-bucket"})


def key_id(name):
    with open(f"{WORK}/{name}.pub", encoding="ascii") as file:
        lines = [line for line in file.read().splitlines() if not line.startswith("-")]
    return hashlib.sha256(base64.b64decode("".join(lines))).hexdigest()


def add(tar, source, path=None):
    """Adds a program with the libraries that it needs."""
    once(tar, source, path or source)
    said = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
    for word in said.split():
        if word.startswith("/"):
            once(tar, word, word)


def once(tar, source, path):
    if path.lstrip("/") not in tar.getnames():
        tar.add(os.path.realpath(source), arcname=path.lstrip("/"))


def base_layer(path):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.add(WORKLOAD, arcname="workload")
        add(tar, GO_PROGRAM, "/app/go")
        for program in ["/bin/sh", "/bin/cat", "/bin/sleep", "/usr/bin/tr", "/usr/bin/stat", PYTHON]:
            add(tar, program)
        version = os.path.basename(PYTHON)
        packages = [f"lib{version}-minimal", f"lib{version}-stdlib"]
        files = subprocess.run(["dpkg", "-L", *packages], capture_output=True, text=True, check=True).stdout.split("\n")
        for file in files:
            if file.startswith(f"/usr/lib/{version}") and os.path.isfile(file):
                tar.add(file, arcname=file.lstrip("/"))
        for name in ["supervised.py", "supervised.sh"]:
            tar.add(f"{HERE}/supervised/{name}", arcname=f"app/{name}")


def terms(command, secret, generation):
    service = ENDPOINTS
    return {
        "job": {"exec": {"command": command, "secrets": [
            {"name": "model-key", "collaborator": "bank", "ciphertext": "/etc/countersign/model-key.enc"},
            {"name": "api-token", "collaborator": "bank", "secret": f"projects/keyholder/secrets/{secret}/versions/1",
             "kms": True, "give": {"environment": "API_TOKEN"}},
            {"name": "weights", "collaborator": "bank", "give": "descriptor",
             "object": {"bucket": "exec-bucket", "name": "v1/weights", "generation": generation}},
        ]}},
        "collaborators": [{"name": "bank", "audience": AUDIENCE, "kms_key": KEY,
                           "sts_audience": f"//iam.googleapis.com/{POOL}/providers/attest"}],
        "signers": [{"name": "acme", "key_id": key_id("ours")}, {"name": "bank", "key_id": key_id("other")}],
        "attestation": {"issuer": "https://confidentialcomputing.googleapis.com",
                        "discovery": f"{service['attestation']}/.well-known/openid-configuration"},
        "endpoints": {"sts": service["sts"], "kms": service["kms"], "secret_manager": service["secret_manager"],
                      "storage": service["storage"]},
    }


def build(name, command, user=""):
    """Pushes the image of a program; returns its reference."""
    weights = call("storage", "/upload/storage/v1/b/exec-bucket/o?uploadType=media&name=v1%2Fweights", data=b"the weights")
    folder = f"{WORK}/exec-{name}"
    os.makedirs(f"{folder}/etc/countersign")
    with open(f"{folder}/etc/countersign/terms.json", "w", encoding="utf-8") as file:
        json.dump(terms(command, f"exec-{name}", int(weights["generation"])), file)
    with open(f"{folder}/etc/countersign/model-key.enc", "wb") as file:
        file.write(encrypt(SECRET, {"party": "bank", "secret": "model-key"}))
    subprocess.run(["tar", "-C", folder, "-cf", f"{folder}.tar", "etc"], check=True)
    tag = f"{ENDPOINTS['registry']}/operator/exec:{name}"
    subprocess.run(["crane", "append", "--insecure", "--oci-empty-base", "--platform", "linux/amd64", "-f", f"{WORK}/exec.tar",
                    "-f", f"{folder}.tar", "-t", tag], check=True, capture_output=True)
    said = subprocess.run(["crane", "mutate", "--insecure", tag, "-t", f"{tag}-image", "--entrypoint", "/workload", "--user", user,
                           "--label", "tee.launch_policy.log_redirect=always"], check=True, capture_output=True, text=True)
    return said.stdout.strip()


def lend(name, image):
    """The bank opens its key, its secret and its bucket to the image."""
    digest = image.split("@")[1]
    member = f"principalSet://iam.googleapis.com/{POOL}/attribute.image_digest/{digest}"
    sealed = encrypt(VARIABLE, {"image_digest": digest, "party": "bank", "secret": "api-token"})
    secret = f"/v1/projects/keyholder/secrets/exec-{name}"
    call("secret_manager", f"/v1/projects/keyholder/secrets?secretId=exec-{name}", {"replication": {"automatic": {}}})
    call("secret_manager", f"{secret}:addVersion", {"payload": {"data": base64.b64encode(sealed).decode()}})

    def policy(role):
        return {"bindings": [{"role": role, "members": [member]}]}

    call("secret_manager", f"{secret}:setIamPolicy", {"policy": policy("roles/secretmanager.secretAccessor")})
    call("kms", f"/v1/{KEY}:setIamPolicy", {"policy": policy("roles/cloudkms.cryptoKeyDecrypter")})
    call("storage", "/storage/v1/b/exec-bucket/iam", policy("roles/storage.objectViewer"), method="PUT")


def sign(image, keys):
    for key in keys:
        subprocess.run([f"{BIN}/builder", "sign", image, "--plain-http", "--key", f"{WORK}/{key}.key"], check=True,
                       capture_output=True)


def launch(image):
    repository = image.split("@")[0]
    return subprocess.Popen(
        [f"{BIN}/emulator", "launch", "--plain-http", "--attestation", ENDPOINTS["attestation"], "--project", "operator",
         "--signed-image-repos", repository, image], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_process(launcher):
    """The number, on this machine, of the first process of the container: the grandchild of the launcher."""
    number = launcher
    for _ in range(2):
        with open(f"/proc/{number}/task/{number}/children", encoding="ascii") as file:
            number = int(file.read().split()[0])
    return number


EXPECTED = f"""secret: {SECRET.decode()} <nil>
variable: {VARIABLE.decode()}
descriptor: the weights
token: permission denied
socket: permission denied
supervisor: permission denied
orphan: gone
ready
"""


def runs(name, command):
    image = build(name, command)
    lend(name, image)
    sign(image, ["ours", "other"])
    started = launch(image)
    said = ""
    for line in started.stdout:
        said += line
        if line == "ready\n":
            break
    if not said.endswith("ready\n"):
        said += started.stderr.read()
    check(f"exec: {name}: reads its secrets, and cannot reach the token socket", said == EXPECTED, said)
    if said.endswith("ready\n"):
        os.kill(first_process(started.pid), signal.SIGTERM)
    said, errors = started.communicate(timeout=30)
    check(f"exec: {name}: gets SIGTERM, and its status comes back", (said, started.returncode) == ("terminated\n", 7),
          f"{said}{errors}{started.returncode}")


def refused(name, keys, words, user="", opened=True):
    tag = name.replace(" ", "-")
    image = build(tag, ["/bin/sh", "-c", "echo started"], user)
    if opened:
        lend(tag, image)
    sign(image, keys)
    said, errors = launch(image).communicate(timeout=60)
    check(f"exec: {name}: nothing is handed over", "started" not in said and words in errors, said + errors)


def main():
    set_up()
    base_layer(f"{WORK}/exec.tar")
    runs("go", ["/app/go"])
    runs("python", [PYTHON, "/app/supervised.py"])
    runs("shell", ["/app/supervised.sh"])
    refused("one signature is missing", ["ours"], "not signed by bank")
    refused("the bank has not opened its key", ["ours", "other"], "useToDecrypt", opened=False)
    refused("the image has a user", ["ours", "other"], "this process is user 65532", user="65532:65532")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not all(results))


main()
