# Sourced by run.sh, after google.sh. A real OpenBao server reads the roles that the verifier prints, and workloads log in with their tokens.
# It has Vault's kind of roles too, so that it also reads those for Vault.

# An image whose only program prints the token for an audience of the collaborator, as the launcher's socket answers it. Each name is an
# image of its own: its reference is in $asker.
push_asker() { # name, label
  [ -f "$work/asker.tar" ] || compile_asker
  [ -f "$work/asker.tar" ] && crane append --insecure --oci-empty-base --platform linux/amd64 -f "$work/asker.tar" -t "$address/operator/asker:$1" &&
  asker="$(crane mutate --insecure "$address/operator/asker:$1" -t "$address/operator/asker:$1" --entrypoint /asker \
    --label tee.launch_policy.log_redirect=always --label tee.launch_policy.allow_cmd_override=true --label "name=$1")"
}
compile_asker() {
  mkdir "$work/asker"
  cat >"$work/asker.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(void) {
  struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "/run/container_launcher/teeserver.sock"};
  const char *body = "{\"audience\":\"https://keyholder.example/countersign\",\"token_type\":\"OIDC\"}";
  char answer[65536];
  size_t length = 0;
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(server, (struct sockaddr *)&at, sizeof at)) return 1;
  dprintf(server, "POST /v1/token HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
          strlen(body), body);
  for (ssize_t n; (n = read(server, answer + length, sizeof answer - 1 - length)) > 0;) length += n;
  answer[length] = 0;
  char *token = strstr(answer, "\r\n\r\n");
  if (!token || strncmp(answer + 9, "200", 3)) return 1;
  printf("%s", token + 4);
}
C
  gcc -static -o "$work/asker/asker" "$work/asker.c" && tar -C "$work/asker" -cf "$work/asker.tar" asker
}
ask() { # file, image, options of the launch...
  "$bin/emulator" launch --plain-http --attestation "$(endpoint attestation)" --project operator "${@:3}" "$2" >"$work/$1.jwt"
}

start_bao() {
  local port
  port="$(python3 -c 'import socket; free = socket.create_server(("127.0.0.1", 0)); print(free.getsockname()[1])')"
  bao server -dev -dev-no-store-token -dev-root-token-id=root -dev-listen-address="127.0.0.1:$port" >"$work/bao.log" 2>&1 &
  export BAO_ADDR="http://127.0.0.1:$port" BAO_TOKEN=root
  for _ in $(seq 100); do
    ! bao status >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  tail "$work/bao.log"
  return 1
}
# As printed, but that the keys are the emulator's: the issuer itself is Google.
configure_bao() {
  local keys
  keys="$(curl -sf "$(endpoint attestation)/.well-known/openid-configuration" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["jwks_uri"])')"
  "$bin/verifier" provider --grant "$work/bao.toml" --format openbao |
    sed "s|\"oidc_discovery_url\": .*|\"jwks_url\": \"$keys\"|" >"$work/bao.sh" && bash -e "$work/bao.sh"
}
write_role() { # format
  policy "$address/operator/asker" >"$work/bao-policy.toml"
  "$bin/verifier" authorize "$right" --plain-http --policy "$work/bao-policy.toml" --grant "$work/bao.toml" --format "$1" |
    sed 's/^vault /bao /' >"$work/role.sh" && bash -e "$work/role.sh"
}
log_in() { # path, token
  bao write -field=token_policies "auth/jwt/$1" role="countersign-$(cut -d: -f3 <<<"$right" | cut -c-12)" jwt="@$work/$2.jwt" >"$work/policies" &&
    same "[data]" "$(cat "$work/policies")"
}

if need "openbao" bao crane curl gcc python3 tar; then
  number="$(number_of keyholder)"
  cat >"$work/bao.toml" <<GRANT
key = "projects/keyholder/locations/global/keyRings/people/cryptoKeys/data"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/$number/locations/global/workloadIdentityPools/people"
[provider]
project = "keyholder"
id = "attest"
audience = "https://keyholder.example/countersign"
hardware = ["INTEL_TDX"]
operators = ["operator"]
[vault]
policies = ["data"]
accepts_overrides = true
GRANT
  check "openbao: push an image" push_asker right
  right="$asker"
  check "openbao: push another image" push_asker wrong
  check "openbao: sign the image" "$bin/builder" sign "$right" --key "$work/ours.key" --plain-http
  check "openbao: the image's token" ask right "$right"
  check "openbao: the other image's token" ask wrong "$asker"
  check "openbao: the token of a debug machine" ask debug "$right" --image-family debug
  check "openbao: the token of an overridden command" ask overridden "$right" --cmd '["x"]'
  check "openbao: start" start_bao
  check "openbao: the printed configuration" configure_bao
  check "openbao: the printed role" write_role openbao
  check "openbao: the printed role again" write_role openbao
  check "openbao: the image logs in" log_in cel/login right
  for token in wrong debug overridden; do
    refuse_for "openbao: refused: $token" "blocked authorization" log_in cel/login "$token"
  done
  check "openbao: the role printed for vault" write_role vault
  check "openbao: the image logs in by the role for vault" log_in login right
  for token in wrong debug; do
    refuse_for "openbao: refused by the role for vault: $token" "error validating claims" log_in login "$token"
  done
  check "openbao: what a role for vault cannot refuse: an overridden command" log_in login overridden
fi
