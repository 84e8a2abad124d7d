# Sourced by run.sh. The signatures that Confidential Space counts: the code of its attestation service verifies what the builder
# publishes.

# The image with a signature of each kind of key that Confidential Space reads, and of one that it does not.
sign_with() { # repository, type of key and algorithm...
  local kind
  push_bare "$1"
  for kind in "${@:2}"; do
    "$bin/builder" keygen "$work/${kind%:*}" --algorithm "${kind%:*}" &&
      "$bin/builder" sign "$1@$digest" --key "$work/${kind%:*}.key" --algorithm "${kind#*:}" --plain-http || return 1
  done
}
key_id() { openssl pkey -pubin -in "$work/$1.pub" -outform der | sha256sum | cut -c-64; } # name of the key
# Google's code takes the signatures of the image from the registry: it verifies those with these algorithms and keys, no others.
counted() { # image, expected lines
  "$programs/signedcontainer" "$1" >"$work/verified"
  same "$2" "$(sort "$work/verified")"
}
every_kind_counts() { # repository
  local expected
  sign_with "$1" ecdsa-p256:ecdsa-der-sha256 rsa-2048:rsa-pkcs1-sha256 rsa-3072:rsa-pss-sha256 || return 1
  expected="$(printf '%s\n' "ECDSA_P256_SHA256 $(key_id ecdsa-p256)" "RSASSA_PKCS1V15_SHA256 $(key_id rsa-2048)" \
    "RSASSA_PSS_SHA256 $(key_id rsa-3072)")"
  counted "$1@$digest" "$expected"
}
another_kind_does_not() { # repository
  sign_with "$1" ed25519:ed25519 && says_no "public key" "$programs/signedcontainer" "$1@$digest"
}
