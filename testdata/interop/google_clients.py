"""Google's own client libraries against the emulator: each call gets what Google Cloud would answer.

Usage: google_clients.py ENDPOINTS TOKEN IMAGE_DIGEST, where ENDPOINTS is the line that `emulator serve --project keyholder`
prints, and TOKEN a file with an attestation token for https://sts.googleapis.com of the image with that digest.
"""

import base64
import hashlib
import json
import sys

import google_crc32c
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth import identity_pool, jwt
from google.auth.transport import requests
from google.cloud import kms_v1, secretmanager_v1, storage
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceRestTransport
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceRestTransport
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.oauth2 import service_account
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherRestTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberRestTransport

endpoints, token_file, digest = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
OWNER = endpoints["projects"]["keyholder"]
LOCATION = "projects/keyholder/locations/global"
POOL = f"projects/{OWNER['number']}/locations/global/workloadIdentityPools/pool"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
results = []


def check(name, condition=True):
    results.append(bool(condition))
    print(("ok      " if condition else "FAILED  ") + name)


def refuses(name, status, call):
    """The refusal must have this status in its body: an error code of Google's, or of OAuth."""
    try:
        call()
    except exceptions.GoogleAPICallError as refusal:
        found = refusal.response.json()["error"]["status"]
    except (auth_exceptions.OAuthError, auth_exceptions.RefreshError) as refusal:
        found = refusal.args[0]
    else:
        found = "no refusal"
    check(f"{name}: {found}", status in found)


def host(service):
    return {"host": endpoints[service].removeprefix("http://"), "url_scheme": "http"}


def owner_credentials():
    credentials = service_account.Credentials.from_service_account_file(OWNER["credentials"], scopes=SCOPES)
    return credentials.with_always_use_jwt_access(True)


def key_file_credentials():
    """What every client does with a key file that does not sign its own access tokens: asks its token_uri."""
    return service_account.Credentials.from_service_account_file(OWNER["credentials"], scopes=SCOPES)


def ask_token_uri():
    credentials = key_file_credentials()
    credentials.refresh(requests.Request())
    check("oauth2: google-auth exchanges an assertion of a key file", credentials.token and not credentials.expired)
    other = key_file_credentials().with_subject("other@example.com")
    refuses("oauth2: an assertion for another account", "unauthorized_client", lambda: other.refresh(requests.Request()))
    narrow = service_account.Credentials.from_service_account_file(
        OWNER["credentials"], scopes=["https://www.googleapis.com/auth/pubsub"])
    refuses("oauth2: a token of another service's scope", "PERMISSION_DENIED",
            lambda: kms(narrow).create_key_ring(parent=LOCATION, key_ring_id="narrow", key_ring={}))


def kms(credentials):
    transport = KeyManagementServiceRestTransport(credentials=credentials, **host("kms"))
    return kms_v1.KeyManagementServiceClient(transport=transport)


def make_keys(client):
    ring = client.create_key_ring(parent=LOCATION, key_ring_id="ring", key_ring={})
    check("kms: create_key_ring", ring.name == f"{LOCATION}/keyRings/ring")
    refuses("kms: create_key_ring again", "ALREADY_EXISTS",
            lambda: client.create_key_ring(parent=LOCATION, key_ring_id="ring", key_ring={}))
    data = client.create_crypto_key(parent=ring.name, crypto_key_id="data", crypto_key={"purpose": "ENCRYPT_DECRYPT"})
    template = {"algorithm": "EC_SIGN_P256_SHA256"}
    signing = client.create_crypto_key(
        parent=ring.name, crypto_key_id="signing",
        crypto_key={"purpose": "ASYMMETRIC_SIGN", "version_template": template})
    check("kms: create_crypto_key", signing.name == f"{ring.name}/cryptoKeys/signing")
    refuses("kms: an unknown location", "NOT_FOUND",
            lambda: client.create_key_ring(parent="projects/keyholder/locations/nowhere-1", key_ring_id="r", key_ring={}))
    refuses("kms: an unknown key", "NOT_FOUND",
            lambda: client.encrypt(name=f"{ring.name}/cryptoKeys/none", plaintext=b"x"))
    return data.name, signing.name


def sign(client, key):
    version = f"{key}/cryptoKeyVersions/1"
    public = serialization.load_pem_public_key(client.get_public_key(name=version).pem.encode())
    signed = client.asymmetric_sign(name=version, digest={"sha256": hashlib.sha256(b"message").digest()})
    public.verify(signed.signature, b"message", ec.ECDSA(hashes.SHA256()))
    check("kms: asymmetric_sign, verified by another library")
    try:
        public.verify(signed.signature, b"another", ec.ECDSA(hashes.SHA256()))
        check("kms: a signature is of one message", False)
    except InvalidSignature:
        check("kms: a signature is of one message")


def encrypt(client, key):
    context = {"name": key, "additional_authenticated_data": b"context"}
    ciphertext = client.encrypt(context | {"plaintext": b"secret"}).ciphertext
    plaintext = client.decrypt(context | {"ciphertext": ciphertext}).plaintext
    check("kms: decrypt returns the plaintext", plaintext == b"secret")
    refuses("kms: decrypt with other authenticated data", "INVALID_ARGUMENT",
            lambda: client.decrypt({"name": key, "ciphertext": ciphertext, "additional_authenticated_data": b"other"}))
    changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    refuses("kms: decrypt of changed ciphertext", "INVALID_ARGUMENT",
            lambda: client.decrypt(context | {"ciphertext": changed}))
    return client.encrypt(name=key, plaintext=b"secret").ciphertext


def make_provider():
    """The pools' API has no client library of its own; google-auth's session speaks for the owner."""
    session = requests.AuthorizedSession(owner_credentials())
    pools = f"{endpoints['iam']}/v1/{LOCATION}/workloadIdentityPools"
    session.post(pools, params={"workloadIdentityPoolId": "pool"}, json={}).raise_for_status()
    provider = {
        "oidc": {
            "issuerUri": "https://confidentialcomputing.googleapis.com/",
            "allowedAudiences": ["https://sts.googleapis.com"],
        },
        "attributeMapping": {
            "google.subject": "assertion.submods.container.image_digest",
            "attribute.image_digest": "assertion.submods.container.image_digest",
        },
        "attributeCondition": "assertion.swname == 'CONFIDENTIAL_SPACE' && "
        "'STABLE' in assertion.submods.confidential_space.support_attributes",
    }
    for name, condition in [("provider", provider["attributeCondition"]), ("closed", "assertion.swname == 'OTHER'")]:
        answer = session.post(f"{pools}/pool/providers", params={"workloadIdentityPoolProviderId": name},
                              json=provider | {"attributeCondition": condition})
        answer.raise_for_status()
    check("iam: workload identity pool and providers")


def federated(provider="provider", file=token_file):
    return identity_pool.Credentials.from_info({
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{POOL}/providers/{provider}",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{endpoints['sts']}/v1/token",
        "credential_source": {"file": file},
    }, scopes=SCOPES)


def exchange():
    credentials = federated()
    credentials.refresh(requests.Request())
    check("sts: google-auth exchanges an attestation token", credentials.token and not credentials.expired)
    refuses("sts: a condition that it does not meet", "unauthorized_client",
            lambda: federated("closed").refresh(requests.Request()))
    refuses("sts: an unknown provider", "invalid_target", lambda: federated("none").refresh(requests.Request()))
    token = open(token_file, encoding="ascii").read()
    header, payload, signature = token.split(".")
    claims = jwt.decode(token, verify=False)
    claims["swname"] = "CHANGED"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    with open(f"{token_file}.forged", "w", encoding="ascii") as file:
        file.write(f"{header}.{forged}.{signature}")
    refuses("sts: a changed token", "invalid_grant",
            lambda: federated(file=f"{token_file}.forged").refresh(requests.Request()))


def bind(client, key, ciphertext):
    """A binding on the image's digest opens the key, and nothing else does."""
    workload = kms(federated())
    decrypt = lambda: workload.decrypt(name=key, ciphertext=ciphertext)  # noqa: E731
    refuses("kms: decrypt before the binding", "PERMISSION_DENIED", decrypt)

    def bound(member):
        policy = client.get_iam_policy(request=iam_policy_pb2.GetIamPolicyRequest(
            resource=key, options={"requested_policy_version": 3}))
        del policy.bindings[:]
        if member:
            policy.bindings.add(role="roles/cloudkms.cryptoKeyDecrypter", members=[member])
        policy.version = 3
        return client.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=key, policy=policy))

    pool = f"principalSet://iam.googleapis.com/{POOL}/attribute.image_digest"
    bound(f"{pool}/sha256:{'0' * 64}")
    refuses("kms: decrypt with another image bound", "PERMISSION_DENIED", decrypt)
    policy = bound(f"{pool}/{digest}")
    check("kms: decrypt with this image bound", decrypt().plaintext == b"secret")
    refuses("kms: encrypt, which the role does not allow", "PERMISSION_DENIED",
            lambda: workload.encrypt(name=key, plaintext=b"x"))
    stale = policy_pb2.Policy(version=3, etag=policy.etag)
    bound(f"{pool}/{digest}")
    refuses("kms: set_iam_policy with a stale etag", "ABORTED", lambda: client.set_iam_policy(
        request=iam_policy_pb2.SetIamPolicyRequest(resource=key, policy=stale)))
    bound(None)
    refuses("kms: decrypt after the binding was removed", "PERMISSION_DENIED", decrypt)


def queue():
    publisher = PublisherClient(transport=PublisherRestTransport(credentials=owner_credentials(), **host("pubsub")))
    subscriber = SubscriberClient(transport=SubscriberRestTransport(credentials=owner_credentials(), **host("pubsub")))
    topic, subscription = "projects/keyholder/topics/data", "projects/keyholder/subscriptions/data"
    publisher.create_topic(name=topic)
    subscriber.create_subscription(name=subscription, topic=topic)
    refuses("pubsub: create_topic again", "ALREADY_EXISTS", lambda: publisher.create_topic(name=topic))
    messages = [{"data": b"one", "attributes": {"key": "a"}}, {"data": b"two"}]
    published = publisher.publish(topic=topic, messages=messages)
    check("pubsub: publish returns an id for each message", len(set(published.message_ids)) == 2)
    received = subscriber.pull(subscription=subscription, max_messages=10).received_messages
    check("pubsub: pull returns the published messages", sorted(m.message.data for m in received) == [b"one", b"two"])
    check("pubsub: messages have attributes and a time",
          all(m.message.publish_time for m in received) and {"key": "a"} in [dict(m.message.attributes) for m in received])
    subscriber.acknowledge(subscription=subscription, ack_ids=[received[0].ack_id])
    subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[received[1].ack_id], ack_deadline_seconds=0)
    again = subscriber.pull(subscription=subscription, max_messages=10).received_messages
    check("pubsub: an unacknowledged message is delivered again", [m.message for m in again] == [received[1].message])
    refuses("pubsub: an unknown topic", "NOT_FOUND",
            lambda: publisher.publish(topic="projects/keyholder/topics/none", messages=[{"data": b"x"}]))
    other = PublisherClient(transport=PublisherRestTransport(credentials=federated(), **host("pubsub")))
    refuses("pubsub: publish without permission", "PERMISSION_DENIED",
            lambda: other.publish(topic=topic, messages=messages))


def secrets():
    """Secrets and their versions, as the owner and as an image that was let in."""
    def manager(credentials):
        transport = SecretManagerServiceRestTransport(credentials=credentials, **host("secret_manager"))
        return secretmanager_v1.SecretManagerServiceClient(transport=transport)

    owner, workload = manager(owner_credentials()), manager(federated())
    project = "projects/keyholder"
    secret = owner.create_secret(parent=project, secret_id="model-key", secret={"replication": {"automatic": {}}})
    check("secret manager: create_secret", secret.name == f"projects/{OWNER['number']}/secrets/model-key")
    refuses("secret manager: create_secret again", "ALREADY_EXISTS", lambda: owner.create_secret(
        parent=project, secret_id="model-key", secret={"replication": {"automatic": {}}}))
    payload = {"data": b"one", "data_crc32c": int.from_bytes(google_crc32c.Checksum(b"one").digest(), "big")}
    first = owner.add_secret_version(parent=secret.name, payload=payload)
    owner.add_secret_version(parent=secret.name, payload={"data": b"two"})
    refuses("secret manager: a wrong checksum", "INVALID_ARGUMENT",
            lambda: owner.add_secret_version(parent=secret.name, payload={"data": b"x", "data_crc32c": 1}))
    refuses("secret manager: a payload that is too large", "INVALID_ARGUMENT",
            lambda: owner.add_secret_version(parent=secret.name, payload={"data": b"x" * 65537}))
    found = owner.access_secret_version(name=first.name)
    checksum = int.from_bytes(google_crc32c.Checksum(found.payload.data).digest(), "big")
    check("secret manager: access_secret_version", (found.payload.data, found.payload.data_crc32c) == (b"one", checksum))
    latest = owner.access_secret_version(name=f"{secret.name}/versions/latest")
    check("secret manager: latest", (latest.name, latest.payload.data) == (f"{secret.name}/versions/2", b"two"))
    check("secret manager: list_secrets", [s.name for s in owner.list_secrets(parent=project)] == [secret.name])
    versions = [v.name for v in owner.list_secret_versions(parent=secret.name)]
    check("secret manager: list_secret_versions", versions == [f"{secret.name}/versions/{n}" for n in (2, 1)])
    before = secret.etag
    update = lambda etag: owner.update_secret(  # noqa: E731
        secret={"name": secret.name, "labels": {"team": "bank"}, "etag": etag}, update_mask={"paths": ["labels"]})
    updated = update(before)
    check("secret manager: update_secret", dict(updated.labels) == {"team": "bank"} and updated.etag != before)
    refuses("secret manager: update_secret with a stale etag", "FAILED_PRECONDITION", lambda: update(before))
    access = lambda: workload.access_secret_version(name="projects/keyholder/secrets/model-key/versions/1")  # noqa: E731
    refuses("secret manager: access without the role", "PERMISSION_DENIED", access)
    member = f"principalSet://iam.googleapis.com/{POOL}/attribute.image_digest/{digest}"
    policy = policy_pb2.Policy()
    policy.bindings.add(role="roles/secretmanager.secretAccessor", members=[member])
    owner.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=secret.name, policy=policy))
    check("secret manager: access by the image", access().payload.data == b"one")
    refuses("secret manager: add a version, which the role does not allow", "PERMISSION_DENIED",
            lambda: workload.add_secret_version(parent=secret.name, payload={"data": b"x"}))
    owner.disable_secret_version(name=first.name)
    refuses("secret manager: access a disabled version", "FAILED_PRECONDITION", access)
    owner.destroy_secret_version(name=first.name)
    check("secret manager: destroy_secret_version",
          owner.get_secret_version(name=first.name).state == secretmanager_v1.SecretVersion.State.DESTROYED)
    owner.delete_secret(name=secret.name)
    refuses("secret manager: a deleted secret", "NOT_FOUND", lambda: owner.get_secret(name=secret.name))


def objects():
    """Objects by generation, as the owner and as an image that was let in."""
    def client(credentials):
        return storage.Client(project="keyholder", credentials=credentials,
                              client_options={"api_endpoint": endpoints["storage"]})

    def missing(name, status, call):
        try:
            call()
        except exceptions.GoogleAPICallError as refusal:
            check(f"{name}: {refusal.code}", refusal.code == status)
        else:
            check(f"{name}: no refusal", False)

    owner = client(key_file_credentials())
    bucket = owner.create_bucket("keyholder-models", location="EU")
    check("storage: create_bucket", [b.name for b in owner.list_buckets()] == ["keyholder-models"])
    missing("storage: create_bucket again", 409, lambda: owner.create_bucket("keyholder-models"))
    bucket.labels = {"team": "bank", "cost": "1"}
    bucket.patch()
    bucket.labels = {"team": "clinic"}
    bucket.patch(if_metageneration_match=bucket.metageneration)
    check("storage: patch a bucket", (owner.get_bucket(bucket.name).labels, bucket.metageneration) == ({"team": "clinic"}, 3))
    missing("storage: patch with a stale precondition", 412, lambda: bucket.patch(if_metageneration_match=1))
    blob = bucket.blob("v1/weights ü.bin")
    blob.upload_from_string(b"one", content_type="text/plain")
    first = blob.generation
    blob.upload_from_string(b"two", checksum="crc32c")
    check("storage: another content has another generation", blob.generation > first)
    check("storage: download", bucket.blob(blob.name).download_as_bytes(checksum="crc32c") == b"two")
    missing("storage: an older generation", 404, lambda: bucket.blob(blob.name, generation=first).download_as_bytes())
    missing("storage: a precondition", 412, lambda: blob.upload_from_string(b"three", if_generation_match=first))
    check("storage: list_blobs", [b.name for b in owner.list_blobs(bucket, prefix="v1/")] == [blob.name])
    image = client(federated()).bucket("keyholder-models").blob(blob.name, generation=blob.generation)
    missing("storage: download without the role", 403, image.download_as_bytes)
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.version = 3
    member = f"principalSet://iam.googleapis.com/{POOL}/attribute.image_digest/{digest}"
    policy.bindings = [{"role": "roles/storage.objectViewer", "members": {member}}]
    bucket.set_iam_policy(policy)
    check("storage: download by the image", image.download_as_bytes() == b"two")
    missing("storage: replace, which the role does not allow", 403, lambda: image.upload_from_string(b"x"))
    missing("storage: delete a bucket with objects", 409, bucket.delete)
    large = bytes(range(256)) * 3 * 4096
    parts = bucket.blob("v1/parts.bin", chunk_size=1 << 20)
    parts.upload_from_string(large, checksum="crc32c")
    check("storage: an upload in parts", parts.download_as_bytes(checksum="crc32c") == large)
    whole = bucket.blob("v1/whole.bin")
    whole.upload_from_string(large * 4, checksum="crc32c")
    check("storage: an upload of more than 8 MiB", whole.size == len(large) * 4)
    parts.delete()
    whole.delete()
    blob.delete()
    bucket.delete()
    missing("storage: a deleted bucket", 404, lambda: owner.get_bucket("keyholder-models"))


def rotate(client, key):
    """A key is listed and rotated, and the version before still decrypts until it is disabled."""
    ring = key.rsplit("/cryptoKeys/", 1)[0]
    check("kms: list_key_rings", [r.name for r in client.list_key_rings(parent=LOCATION)] == [ring])
    check("kms: list_crypto_keys", key in [k.name for k in client.list_crypto_keys(parent=ring)])
    before = client.encrypt(name=key, plaintext=b"before").ciphertext
    second = client.create_crypto_key_version(parent=key, crypto_key_version={})
    changed = client.update_crypto_key_primary_version(name=key, crypto_key_version_id=second.name.rsplit("/", 1)[1])
    check("kms: update_crypto_key_primary_version", changed.primary.name == second.name)
    check("kms: decrypt with the version before", client.decrypt(name=key, ciphertext=before).plaintext == b"before")
    first = kms_v1.CryptoKeyVersion(name=f"{key}/cryptoKeyVersions/1", state="DISABLED")
    client.update_crypto_key_version(crypto_key_version=first, update_mask={"paths": ["state"]})
    refuses("kms: decrypt with a disabled version", "FAILED_PRECONDITION",
            lambda: client.decrypt(name=key, ciphertext=before))
    state = client.destroy_crypto_key_version(name=first.name).state
    check("kms: destroy_crypto_key_version", state == kms_v1.CryptoKeyVersion.CryptoKeyVersionState.DESTROY_SCHEDULED)
    states = {v.name: v.state.name for v in client.list_crypto_key_versions(parent=key)}
    check("kms: list_crypto_key_versions", states == {first.name: "DESTROY_SCHEDULED", second.name: "ENABLED"})


def account_credentials(name):
    """A service account with a key file of its own."""
    session = requests.AuthorizedSession(owner_credentials())
    accounts = f"{endpoints['iam']}/v1/projects/keyholder/serviceAccounts"
    session.post(accounts, json={"accountId": name}).raise_for_status()
    key = session.post(f"{accounts}/{name}@keyholder.iam.gserviceaccount.com/keys", json={}).json()
    info = json.loads(base64.b64decode(key["privateKeyData"]))
    return service_account.Credentials.from_service_account_info(info, scopes=SCOPES)


def least_privilege():
    """A service account publishes, and another one pulls; neither does what the other may."""
    def grant(client, resource, name):
        policy = policy_pb2.Policy()
        policy.bindings.add(role=f"roles/pubsub.{name}", members=[f"serviceAccount:{name}@keyholder.iam.gserviceaccount.com"])
        client.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=policy))

    def publishes(credentials):
        return PublisherClient(transport=PublisherRestTransport(credentials=credentials, **host("pubsub")))

    def pulls(credentials):
        return SubscriberClient(transport=SubscriberRestTransport(credentials=credentials, **host("pubsub")))

    owner, publisher, subscriber = (owner_credentials(), *map(account_credentials, ("publisher", "subscriber")))
    topic, subscription = "projects/keyholder/topics/data", "projects/keyholder/subscriptions/data"
    messages = [{"data": b"three"}]
    refuses("service account: publish before the role", "PERMISSION_DENIED",
            lambda: publishes(publisher).publish(topic=topic, messages=messages))
    grant(publishes(owner), topic, "publisher")
    grant(pulls(owner), subscription, "subscriber")
    publishes(publisher).publish(topic=topic, messages=messages)
    received = pulls(subscriber).pull(subscription=subscription, max_messages=10).received_messages
    check("service account: publish and pull with a role each", b"three" in [m.message.data for m in received])
    refuses("service account: pull with the role of a publisher", "PERMISSION_DENIED",
            lambda: pulls(publisher).pull(subscription=subscription, max_messages=1))
    refuses("service account: delete a topic with the role of a publisher", "PERMISSION_DENIED",
            lambda: publishes(publisher).delete_topic(topic=topic))
    check("pubsub: list_topics", topic in [t.name for t in publishes(owner).list_topics(project="projects/keyholder")])
    pulls(owner).delete_subscription(subscription=subscription)
    publishes(owner).delete_topic(topic=topic)
    refuses("pubsub: a deleted topic", "NOT_FOUND", lambda: publishes(owner).get_topic(topic=topic))


def main():
    client = kms(key_file_credentials())
    data, signing = make_keys(client)
    sign(client, signing)
    ciphertext = encrypt(client, data)
    ask_token_uri()
    make_provider()
    exchange()
    bind(client, data, ciphertext)
    rotate(client, data)
    queue()
    least_privilege()
    secrets()
    objects()
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not all(results))


main()
