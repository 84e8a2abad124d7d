"""Judges bundles with sigstore-python. Reads a JSON array of argument lists, those of the sigstore-conformance client, on
standard input and prints an array of answers: "accept", "reject: WHY" or "unsupported: WHY"."""

import hashlib
import json
import pathlib
import re
import sys

from sigstore.errors import Error
from sigstore.hashes import Hashed
from sigstore.models import Bundle, InvalidBundle, TrustedRoot
from sigstore.verify import Verifier, policy
from sigstore_models.common.v1 import HashAlgorithm

DIGEST = re.compile("sha256:([0-9a-f]{64})$")
IN_TOTO = "application/vnd.in-toto+json"


def argument(words, name):
    return words[words.index(name) + 1] if name in words else None


def names(kind, payload, digest):
    """The library verifies an envelope's signature only: to compare the subject is the caller's part."""
    if kind != IN_TOTO:
        return f"reject: payload of type {kind}"
    subjects = json.loads(payload)["subject"]
    named = any(subject["digest"].get("sha256") == digest for subject in subjects)
    return "accept" if named else "reject: another subject"


def judge(words):
    if "--key" in words:
        return "unsupported: a key in place of a certificate"
    bundle = Bundle.from_json(pathlib.Path(argument(words, "--bundle")).read_bytes())
    given = DIGEST.match(words[-1])
    if ":" in words[-1] and not given:
        return "unsupported: a digest that is not SHA-256"
    digest = given[1] if given else hashlib.sha256(pathlib.Path(words[-1]).read_bytes()).hexdigest()
    verifier = Verifier(trusted_root=TrustedRoot.from_file(argument(words, "--trusted-root")))
    signer = policy.Identity(
        identity=argument(words, "--certificate-identity"), issuer=argument(words, "--certificate-oidc-issuer"))
    if bundle._dsse_envelope:
        return names(*verifier.verify_dsse(bundle, signer), digest)
    verifier.verify_artifact(Hashed(digest=bytes.fromhex(digest), algorithm=HashAlgorithm.SHA2_256), bundle, signer)
    return "accept"


def answer(words):
    try:
        return judge(words)
    except (Error, InvalidBundle, ValueError) as error:
        return f"reject: {type(error).__name__}: {error}"


print(json.dumps([answer(words) for words in json.load(sys.stdin)]))
