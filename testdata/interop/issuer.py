"""Writes the documents of an OpenID Connect issuer, and an identity token by it, with openssl: issuer.py FOLDER URL EMAIL."""

import base64
import json
import pathlib
import subprocess
import sys
import time

folder, url, email = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def openssl(*arguments, given=b""):
    return subprocess.run(("openssl", *arguments), input=given, capture_output=True, check=True).stdout


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def written(name, document):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))


key = folder / "issuer.pem"
openssl("genrsa", "-out", str(key), "2048")
modulus = openssl("rsa", "-in", str(key), "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
written("jwks", {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "test",
                           "n": encoded(bytes.fromhex(modulus)), "e": "AQAB"}]})
written(".well-known/openid-configuration", {
    "issuer": url, "jwks_uri": f"{url}/jwks", "response_types_supported": ["id_token"],
    "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]})
now = int(time.time())
claims = {"iss": url, "sub": email, "aud": "sigstore", "email": email, "email_verified": True,
          "iat": now, "nbf": now, "exp": now + 600}
parts = [{"alg": "RS256", "kid": "test", "typ": "JWT"}, claims]
signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
written("token", f"{signed}.{encoded(openssl('dgst', '-sha256', '-sign', str(key), given=signed.encode()))}")
