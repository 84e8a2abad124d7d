"""Google's own client libraries against the emulator: each call gets what Google Cloud would answer.

Usage: google_clients.py ENDPOINTS TOKEN IMAGE_DIGEST, where ENDPOINTS is the line that `emulator serve --project keyholder`
prints, and TOKEN a file with an attestation token for https://sts.googleapis.com of the image with that digest.
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth import identity_pool, jwt
from google.auth.transport import requests
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceRestTransport
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


def main():
    client = kms(key_file_credentials())
    data, signing = make_keys(client)
    sign(client, signing)
    ciphertext = encrypt(client, data)
    ask_token_uri()
    make_provider()
    exchange()
    bind(client, data, ciphertext)
    queue()
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not all(results))


main()
