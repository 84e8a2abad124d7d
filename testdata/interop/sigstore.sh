# Sourced by run.sh. A Sigstore instance on loopback (Fulcio, Rekor 2, a timestamp authority and an issuer of identity tokens):
# builder signs without a key and cosign verifies, and the other way round.

sigstore="$work/sigstore"
free_ports() { # count
  python3 -c 'import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in held: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))' "$1"
}
answers() { # URL
  local _
  for _ in $(seq 100); do
    python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1])' "$1" 2>/dev/null && return
    sleep 0.1
  done
  echo "no answer from $1"; return 1
}
service() { "$@" >>"$sigstore/log" 2>&1 & }
authority() { # name of its files
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:test -out "$1.key"
  openssl req -x509 -new -key "$1.key" -passin pass:test -days 30 -subj "/O=test/CN=$1" -out "$1.pem" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -addext "basicConstraints=critical,CA:TRUE,pathlen:1"
}
trusted_root() { # name of the certificate authority, name of the file
  cosign trusted-root create --out "$2" --fulcio="url=$fulcio,certificate-chain=$1.pem" \
    --rekor="url=$rekor,public-key=rekor.pub,start-time=$since,origin=127.0.0.1" --tsa="url=$tsa,certificate-chain=tsa.pem"
}

instance() { # ports of: issuer, fulcio and its gRPC and metrics, timestamp authority, rekor and its gRPC and metrics
  local since; since="$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)"
  mkdir -p "$sigstore/issuer" && cd "$sigstore" || return
  issuer="http://127.0.0.1:$1"
  local fulcio="http://127.0.0.1:$2" tsa="http://127.0.0.1:$5/api/v1/timestamp" rekor="http://127.0.0.1:$6"
  authority ca
  authority another
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out rekor.pem
  openssl pkey -in rekor.pem -pubout -out rekor.pub
  printf 'oidc-issuers:\n  %s: {issuer-url: %s, client-id: sigstore, type: email}\n' "$issuer" "$issuer" >fulcio.yaml
  python3 "$root/testdata/interop/issuer.py" issuer "$issuer" signer@example.com
  service python3 -m http.server "$1" --bind 127.0.0.1 --directory issuer
  answers "$issuer/jwks" || return
  service fulcio serve --host 127.0.0.1 --port "$2" --grpc-host 127.0.0.1 --grpc-port "$3" --metrics-port "$4" \
    --ca fileca --fileca-cert ca.pem --fileca-key ca.key --fileca-key-passwd test --fileca-watch=false \
    --ct-log-url= --config-path fulcio.yaml --legacy-unix-domain-socket "@fulcio-$2"
  service timestamp-server serve --host 127.0.0.1 --port "$5" --timestamp-signer memory --disable-ntp-monitoring
  service posix serve --hostname 127.0.0.1 --http-port "$6" --grpc-port "$7" --http-metrics-port "$8" \
    --signer-filepath rekor.pem --storage-dir "$sigstore/entries" --checkpoint-interval 1s --batch-max-age 100ms
  answers "$fulcio/api/v2/configuration" && answers "$tsa/certchain" && answers "$rekor/healthz" || return
  python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())' "$tsa/certchain" >tsa.pem
  trusted_root ca trusted_root.json && trusted_root another another_root.json || return
  cosign signing-config create --out signing_config.json --rekor-config=ANY --tsa-config=ANY \
    --fulcio="url=$fulcio,api-version=1,start-time=$since,operator=test" \
    --rekor="url=$rekor,api-version=2,start-time=$since,operator=test" \
    --tsa="url=$tsa,api-version=1,start-time=$since,operator=test"
}

keyless_policy() { # repository, subject
  policy "$1" | sed '/^\[\[principal\]\]/,$d'
  printf '[keyless]\ntrusted_root = "%s"\n[[principal]]\nname = "builder"\nissuer = "%s"\nsubject = "%s"\n' \
    "$sigstore/trusted_root.json" "$issuer" "$2"
}

if need "sigstore: instance" fulcio posix timestamp-server cosign openssl python3; then
  root="$PWD"
  # In this shell, so that the services end with it.
  if instance $(free_ports 8) >"$sigstore.out" 2>&1; then cd "$root"
    ours="$address/keyless/ours" theirs="$address/keyless/theirs"
    config=(--signing-config "$sigstore/signing_config.json" --identity-token "$sigstore/issuer/token" --trusted-root)
    trusted="$sigstore/trusted_root.json" another="$sigstore/another_root.json"
    # The certificate authority has no log of certificates.
    by=(--trusted-root "$trusted" --insecure-ignore-sct --allow-http-registry
      --certificate-oidc-issuer "$issuer" --certificate-identity)
    for repository in "$ours" "$theirs"; do
      check "sigstore: push" "$bin/builder" push "$work/layout" "$repository:v1" --plain-http
      keyless_policy "$repository" signer@example.com >"$work/keyless-${repository##*/}.toml"
    done
    keyless_policy "$ours" other@example.com >"$work/keyless-other.toml"
    judged() { "$bin/verifier" verify "$1@$digest" --policy "$work/keyless-$2.toml" --plain-http; }

    check "sigstore: builder sign" "$bin/builder" sign "$ours@$digest" "${config[@]}" "$trusted" --plain-http
    check "sigstore: cosign verify" cosign verify "${by[@]}" signer@example.com "$ours@$digest"
    refuse "sigstore: cosign verify refuses another subject" cosign verify "${by[@]}" other@example.com "$ours@$digest"
    check "sigstore: verifier verify" judged "$ours" ours
    refuse "sigstore: verifier verify refuses another subject" judged "$ours" other
    check "sigstore: builder attest" "$bin/builder" attest "$ours@$digest" --type slsaprovenance1 \
      --predicate "$work/layout/provenance.json" "${config[@]}" "$trusted" --plain-http
    check "sigstore: cosign verify-attestation" \
      cosign verify-attestation --type slsaprovenance1 "${by[@]}" signer@example.com "$ours@$digest"
    unsigned() { "$bin/builder" sign "$theirs@$digest" "${config[@]}" "$another" --plain-http; [ $? = 1 ]; }
    check "sigstore: builder sign refuses what the trusted root does not verify" unsigned
    refuse "sigstore: and publishes nothing" cosign verify "${by[@]}" signer@example.com "$theirs@$digest"

    check "sigstore: cosign sign" cosign sign "${config[@]}" "$trusted" --allow-http-registry -y "$theirs@$digest"
    # It names no repository (decision 7).
    refuse_for "sigstore: verifier verify refuses a signature without a repository" "signature of builder names no repository" \
      judged "$theirs" theirs
    sed 's/^\[signatures\]/&\nwithout_repository = "count"/' "$work/keyless-theirs.toml" >"$work/keyless-unnamed.toml"
    check "sigstore: verifier verify counts it if the policy does" judged "$theirs" unnamed
    echo '{}' >"$work/empty.json"
    check "sigstore: cosign attest, as a signature" cosign attest --type https://sigstore.dev/cosign/sign/v1 \
      --predicate "$work/empty.json" "${config[@]}" "$trusted" --allow-http-registry -y "$theirs@$digest"
    check "sigstore: verifier verify counts it" judged "$theirs" theirs
  else
    cd "$root"
    said() { cat "$sigstore.out" "$sigstore/log"; return 1; }
    check "sigstore: instance" said
  fi
fi
