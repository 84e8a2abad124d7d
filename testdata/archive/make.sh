#!/bin/sh
# Makes the small signed package index for the builder's tests, each of which breaks one link of the chain of
# trust. New keys are made each time and then deleted.
#
#   InRelease         signed by `own` and by `other`; valid until 5 December 2026
#   Packages.xz       two packages
#   keyring.gpg       the key `own` alone, so that gpgv complains about the other signature
#   other.gpg         the key `other`
#   expired.gpg       the key `expired`, which signed InRelease.expired before it expired
#   revoked.gpg       the key `own`, revoked
#   signers           the fingerprints, by name
set -eu
cd "$(dirname "$0")"
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
at() { time=$1; shift; gpg --batch --quiet --yes --faked-system-time "$time!" "$@"; }
new() {
    at 20260701T000000 --pinentry-mode loopback --passphrase '' --quick-gen-key "$1" ed25519 sign "$2"
    gpg --batch --with-colons --list-keys "=$1" | awk -F: '$1 == "fpr" { print $10; exit }'
}
own=$(new own never)
other=$(new other never)
expired=$(new expired 20260801T000000)
printf 'own %s\nother %s\nexpired %s\n' "$own" "$other" "$expired" >signers

digest() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }
for name in one two; do
    printf 'Package: %s\nVersion: 1.0-1\nArchitecture: amd64\nFilename: pool/main/%s_1.0-1_amd64.deb\nSize: 7\nSHA256: %s\n\n' \
        "$name" "$name" "$(digest "$name")"
done | xz >Packages.xz

cat >"$GNUPGHOME/Release" <<END
Origin: Test
Suite: stable
Codename: test
Date: Mon, 06 Jul 2026 12:00:00 UTC
Valid-Until: Sat, 05 Dec 2026 12:00:00 UTC
Acquire-By-Hash: yes
SHA256:
 $(sha256sum Packages.xz | cut -d' ' -f1) $(stat -c %s Packages.xz) main/binary-amd64/Packages.xz
END
at 20260706T120000 --digest-algo SHA256 -u "$own" -u "$other" -o InRelease --clear-sign "$GNUPGHOME/Release"
at 20260706T120000 --digest-algo SHA256 -u "$expired" -o InRelease.expired --clear-sign "$GNUPGHOME/Release"
gpg --batch --yes -o keyring.gpg --export "$own"
gpg --batch --yes -o other.gpg --export "$other"
gpg --batch --yes -o expired.gpg --export "$expired"
sed 's/^:-----BEGIN/-----BEGIN/' "$GNUPGHOME/openpgp-revocs.d/$own.rev" | gpg --batch --quiet --import
gpg --batch --yes -o revoked.gpg --export "$own"
