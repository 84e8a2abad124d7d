#!/bin/sh
# A program that the workload starts: it says what it can reach, and waits for SIGTERM.
launcher=/run/container_launcher
reason() { # command...
  said="$("$@" 2>&1 >/dev/null)" || true
  echo "${said##*: }" | tr P p
}
# Starts a process that loses its parent and ends, and says whether a process has waited for it.
orphan() {
  number="$(sleep 0.2 >/dev/null & echo $!)"
  tries=0
  while [ -e "/proc/$number" ] && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
  if [ -e "/proc/$number" ]; then echo left; else echo gone; fi
}
trap 'echo terminated; exit 7' TERM
echo "secret: $(cat /dev/shm/countersign/model-key) <nil>"
echo "variable: $API_TOKEN"
echo "descriptor: $(cat "/proc/self/fd/$COUNTERSIGN_DESCRIPTOR_WEIGHTS")"
echo "token: $(reason cat $launcher/attestation_verifier_claims_token)"
echo "socket: $(reason stat $launcher/teeserver.sock)"
echo "supervisor: $(reason cat /proc/1/environ)"
echo "orphan: $(orphan)"
echo ready
while :; do sleep 0.05; done
