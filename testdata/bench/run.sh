#!/usr/bin/env bash
# Compares time (seconds) and peak memory (MiB, of the largest single process) of common tasks with those of other tools: both in
# one run, alternating, medians of RUNS (3). No number is a target. A tool that is missing is named and skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs="${RUNS:-3}"
[ -x /usr/bin/time ] || { echo "/usr/bin/time is missing: install the package time" >&2; exit 2; }

echo "compiling our programs, optimised" >&2
cargo build --quiet --locked --release --bins -p builder -p verifier -p emulator -p ceremony
cargo build --quiet --locked --release --example assemble -p builder
bin="$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)"
work="$(mktemp -d)"
chmod 755 "$work"
mkdir "$work/times"
cleanup() { kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT

# A row: median seconds and MiB of the lines "seconds KiB" in $work/times/NAME, and how many times those of another row.
row() { # label, name, name of the row to compare with
  perl -e '
    my ($label, $own, $other) = @ARGV;
    sub medians { my @rows = map { [split] } do { open my $f, "<", $_[0] or return; <$f> };
      map { my $i = $_; (sort { $a <=> $b } map { $_->[$i] } @rows)[$#rows / 2] } 0, 1 }
    my ($seconds, $memory) = medians($own);
    my ($peer) = $other ? medians($other) : ();
    my $ratio = $peer ? sprintf("%6.2f", $seconds / $peer) : "";
    my $digits = $seconds < 0.1 ? 4 : 2;
    printf "%-52s %9.${digits}f %8.1f %8s\n", $label, $seconds, $memory / 1024, $ratio' "$1" "$work/times/$2" "${3:+$work/times/$3}"
}

# Times each of several commands once, in turn, RUNS times: `name preparation command` for each, separated by `;`.
compare() {
  local words=("$@" ";") run
  for run in $(seq "$runs"); do
    local one=() word
    for word in "${words[@]}"; do
      if [ "$word" != ";" ]; then one+=("$word"); continue; fi
      measure "${one[@]}"; one=()
    done
  done
}
# Short commands are run REPEAT times, since time(1) counts in hundredths of a second.
measure() { # name, preparation, command...
  local name="$1" prepare="$2" all='n=$1; shift; while [ "$n" -gt 0 ]; do "$@" || exit 1; n=$((n - 1)); done'
  shift 2
  command -v "$1" >/dev/null || return 0
  bash -c "$prepare" >"$work/out" 2>&1 || { cat "$work/out"; echo "preparing $name failed"; return 1; }
  /usr/bin/time -q -f '%e %M' -o "$work/time" sh -c "$all" sh "${REPEAT:-1}" "$@" >"$work/out" 2>&1 ||
    { tail -5 "$work/out"; echo "$name failed"; return 1; }
  awk -v n="${REPEAT:-1}" '{ print $1 / n, $2 }' "$work/time" >>"$work/times/$name"
}
rows() { # label, name, then label and name of each peer; above 1, it is slower than ours
  local own="$2"
  row "$1" "$2"; shift 2
  while [ $# -gt 0 ]; do
    if [ -f "$work/times/$2" ]; then row "  $1" "$2" "$own"; else printf '%-52s %9s\n' "  $1" "not installed"; fi
    shift 2
  done
}

printf '%-52s %9s %8s %8s\n' "" "seconds" "MiB" "ours = 1"
git clone --quiet . "$work/source"
compare lock "git -C $work/source checkout --quiet -- ." "$bin/builder" lock "$work/source/workload"
git -C "$work/source" checkout --quiet -- .
rows "builder lock (inputs in the store)" lock

# The same compiler, flags, crates and number of jobs, but without lock, checks of inputs and sandbox.
# A separate store, so that it contains only the build root that is used.
mkdir "$work/store"
cp -a "${XDG_CACHE_HOME:-$HOME/.cache}/countersign/sha256" "$work/store/sha256"
"$bin/builder" build "$work/source/workload" -o "$work/layout" --store "$work/store" >/dev/null 2>&1
root="$(echo "$work"/store/roots/*)"
cargo vendor --quiet --locked --manifest-path "$work/source/workload/Cargo.toml" "$work/vendor" >/dev/null
mkdir "$work/root"
cat >"$work/plain.sh" <<PLAIN
set -e
mount -t overlay -o "userxattr,lowerdir=$root,upperdir=$work/upper,workdir=$work/overlay" overlay "$work/root" 2>/dev/null ||
  mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/overlay" overlay "$work/root"
mkdir -p "$work/root/proc" "$work/root/dev" "$work/root/tmp/source" "$work/root/tmp/vendor"
mount --rbind /proc "$work/root/proc"
mount --rbind /dev "$work/root/dev"
mount --bind "$work/source" "$work/root/tmp/source"
mount --bind "$work/vendor" "$work/root/tmp/vendor"
gcc=/usr/bin/\$(cd "$root/usr/bin" && echo x86_64-linux-gnu-gcc-[0-9]*)
exec env -i PATH=/usr/bin HOME=/tmp CARGO_HOME=/tmp/cargo CARGO_TARGET_DIR=/tmp/target \
  CARGO_INCREMENTAL=0 CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=\$gcc CC=\$gcc AR=/usr/bin/x86_64-linux-gnu-ar \
  RUSTFLAGS="-Ctarget-feature=+crt-static -Ctarget-cpu=x86-64" /usr/sbin/chroot "$work/root" /usr/bin/cargo build --release --locked --offline \
  --config 'source.crates-io.replace-with="vendored"' --config 'source.vendored.directory="/tmp/vendor"' \
  --manifest-path /tmp/source/workload/Cargo.toml --target x86_64-unknown-linux-gnu
PLAIN
compare \
  build "rm -rf $work/layout" "$bin/builder" build "$work/source/workload" -o "$work/layout" --store "$work/store" ";" \
  plain "rm -rf $work/upper $work/overlay && mkdir $work/upper $work/overlay" unshare -Urm bash "$work/plain.sh"
rows "builder build (hermetic)" build "cargo build, same compiler, no sandbox" plain

mkdir "$work/tree"
for i in $(seq 50); do
  head -c 2097152 /dev/urandom >"$work/tree/random-$i"
  yes "line of text that compresses, as programs and documents do, number $i" | head -c 2097152 >"$work/tree/text-$i" || true
done
# 50,000 files in folders of 100.
for i in $(seq 500); do
  mkdir -p "$work/many/$i"
  head -c 409600 /dev/urandom | split -b 4096 -a 2 - "$work/many/$i/f"
done

# Text as people write it: the sources of the crates that were compiled.
mkdir "$work/sources"
find "${CARGO_HOME:-$HOME/.cargo}/registry/src" -name '*.rs' -print0 | sort -z | xargs -0 cat 2>/dev/null | head -c 209715200 |
  split -b 2097152 -a 2 - "$work/sources/text-" || true

# Assembles the folder $2 into an image, beside other programs.
assemble() { # name, folder, label
  compare \
    "$1" "rm -rf $work/assembled" "$bin/examples/assemble" "$2" "$work/assembled" ";" \
    "umoci-$1" "rm -rf $work/umoci; command -v umoci && umoci init --layout $work/umoci && umoci new --image $work/umoci:v1 || true" \
      umoci insert --rootless --image "$work/umoci:v1" "$2" /tree ";" \
    "tar-$1" true bash -c "tar -C $2 -cf - . | gzip >$work/tarred" ";" \
    "copy-$1" "rm -rf $work/copied" bash -c "cp -r $2 $work/copied && find $work/copied -type f -exec cat {} + | sha256sum" ";" \
    "limit-$1" true bash -c "find $2 -type f -exec cat {} + | tee >(openssl sha256) >(openssl sha256) >$work/copied-bytes"
  # These take minutes: once is enough.
  if command -v crane >/dev/null; then
    runs=1 compare "crane-$1" true bash -c \
      "tar -C $2 -cf $work/archive . && crane append --new_layer $work/archive --new_tag tree:v1 --output $work/appended"
  fi
  if command -v buildah >/dev/null; then
    runs=1 compare "buildah-$1" true bash -c 'folder="$1" layout="$2"; shift 2
      from="$("$@" from scratch)" && "$@" copy "$from" "$folder" /tree && "$@" commit --rm "$from" "oci:$layout"' \
      buildah "$2" "$work/built" buildah --root "$work/containers" --runroot "$work/run" --storage-driver vfs
  fi
  rm -rf "$work/archive" "$work/appended" "$work/built" "$work/containers" "$work/run"
  rows "$3" "$1" "umoci insert" "umoci-$1" "crane append (of tar)" "crane-$1" "buildah copy and commit" "buildah-$1" "tar and gzip" "tar-$1" \
    "cp, then sha256sum" "copy-$1" "cat, tee, openssl sha256 twice: side by side" "limit-$1"
}
assemble many "$work/many" "assembly of 50,000 files of 4 KiB"
assemble sources "$work/sources" "assembly of 100 files of 2 MiB of Rust"
assemble large "$work/tree" "assembly of 100 files of 2 MiB"

# Memory must not grow with the size. A layer has at most 4 GiB.
for layer in 1 2 3; do
  mkdir -p "$work/huge/$layer"
  for file in 1 2 3; do truncate -s 1150M "$work/huge/$layer/$file-of-$layer"; done
done
runs=1 compare huge true "$bin/examples/assemble" "$work"/huge/* "$work/huge-layout"
rm -rf "$work/huge" "$work/huge-layout"
rows "assembly of 10.1 GiB in three layers (see the memory)" huge

# Each in a process of its own, which reads the trusted root too.
bundles="$PWD/testdata/bench/bundles"
root=(--trusted-root "$bundles/trusted_root.json")
certificate=(--certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity
  https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main)
for signer in key keyless; do
  if [ "$signer" = key ]; then by=(--key "$bundles/key.pub"); else by=("${certificate[@]}"); fi
  REPEAT=50 compare \
    "check-$signer" true "$bin/verifier" check bundle --bundle "$bundles/$signer.json" "${by[@]}" "${root[@]}" "$bundles/artifact.txt" ";" \
    "blob-$signer" true cosign verify-blob --bundle "$bundles/$signer.json" "${by[@]}" "${root[@]}" "$bundles/artifact.txt"
done

if command -v docker-registry >/dev/null; then
  registry="$work/registry"
  mkdir "$registry"
  printf 'version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %s/data}}\nhttp: {addr: 127.0.0.1:0}\n' \
    "$registry" >"$registry/config.yml"
  docker-registry serve "$registry/config.yml" >"$registry/log" 2>&1 &
  for _ in $(seq 100); do
    port="$(sed -nE 's/.*listening on 127\.0\.0\.1:([0-9]+).*/\1/p' "$registry/log")"
    [ -z "$port" ] || break
    sleep 0.05
  done
  there="127.0.0.1:$port/bench"
  # Uploads the layers of a layout and nothing else, side by side.
  cat >"$work/put" <<'PUT'
put() {
  place="$(curl --no-progress-meter --fail -X POST -D - "http://$1/blobs/uploads/" | sed -nE 's/^[Ll]ocation: ([^\r]*).*/\1/p')"
  curl --no-progress-meter --fail -H 'Expect:' -H 'Content-Type: application/octet-stream' -T "$2" \
    "$place&digest=sha256:$(basename "$2")"
}
for blob in $(find "$1/blobs/sha256" -size +1M); do put "${2/\//\/v2/}" "$blob" & all+=($!); done
for one in "${all[@]}"; do wait "$one" || exit 1; done
PUT
  compare \
    push "rm -rf $registry/data" "$bin/builder" push "$work/assembled" "$there/image:v1" --plain-http ";" \
    curl "rm -rf $registry/data" bash "$work/put" "$work/assembled" "$there/image" ";" \
    skopeo "rm -rf $registry/data" skopeo copy --dest-tls-verify=false "oci:$work/assembled" "docker://$there/image:v1" ";" \
    crane "rm -rf $registry/data" crane push --insecure "$work/assembled" "$there/image:v1"
  rows "push of these 200 MiB" push "curl, PUT alone" curl "skopeo copy" skopeo "crane push" crane
  for i in 1 2 3 4; do mkdir "$work/layer-$i" && head -c 52428800 /dev/urandom >"$work/layer-$i/file-$i"; done
  "$bin/examples/assemble" "$work"/layer-? "$work/layers" >/dev/null
  compare \
    push-layers "rm -rf $registry/data" "$bin/builder" push "$work/layers" "$there/layers:v1" --plain-http ";" \
    curl-layers "rm -rf $registry/data" bash "$work/put" "$work/layers" "$there/layers" ";" \
    skopeo-layers "rm -rf $registry/data" skopeo copy --dest-tls-verify=false "oci:$work/layers" "docker://$there/layers:v1" ";" \
    crane-layers "rm -rf $registry/data" crane push --insecure "$work/layers" "$there/layers:v1"
  rows "push of four layers of 50 MiB" push-layers "curl, PUT alone, side by side" curl-layers "skopeo copy" skopeo-layers \
    "crane push" crane-layers

  image="$("$bin/builder" push "$work/layout" "$there/workload:v1" --plain-http)"
  "$bin/builder" keygen "$work/key" >/dev/null 2>&1
  "$bin/builder" sign "$image" --key "$work/key.key" --plain-http >/dev/null 2>&1
  cat >"$work/policy.toml" <<POLICY
repository = "$there/workload"
[builder]
id = "https://builder.example"
build_type = "https://countersign.dev/hermetic-build/v1"
[source]
uri = "git+https://source.example"
[[principal]]
name = "builder"
key = "key.pub"
[signatures]
require = ["builder"]
[attestations]
require = []
by = []
[rebuild]
require = false
POLICY
  compare \
    verify true "$bin/verifier" verify "$image" --policy "$work/policy.toml" --plain-http ";" \
    cosign true cosign verify --key "$work/key.pub" --insecure-ignore-tlog --allow-http-registry "$image"
  rows "verifier verify (a signature, and every byte)" verify "cosign verify (a signature)" cosign
  REPEAT=20 compare \
    signatures true "$bin/verifier" verify "$image" --policy "$work/policy.toml" --plain-http --signatures-only ";" \
    cosign-short true cosign verify --key "$work/key.pub" --insecure-ignore-tlog --allow-http-registry "$image"
  rows "verifier verify --signatures-only (of a registry)" signatures "cosign verify" cosign-short
else
  echo "push and verify: docker-registry is not installed"
fi

rows "verifier check bundle (key, log entry)" check-key "cosign verify-blob" blob-key "cosign verify (of a registry)" cosign-short
rows "verifier check bundle (keyless)" check-keyless "cosign verify-blob" blob-keyless "cosign verify (of a registry)" cosign-short

# The ceremony runs the workload: its peak memory is measured from outside, and its start is read from the ceremony's output.
cat >"$work/watch" <<'WATCH'
my ($log, $rows) = @ARGV;
my $peak = 0;
until (-e "$log.done") {
  for my $status (glob "/proc/[0-9]*/status") {
    open my $file, "<", $status or next;
    my $text = join "", <$file>;
    $peak = $1 if $text =~ /^Name:\s+workload\n/ && $text =~ /^VmHWM:\s+(\d+)/m && $1 > $peak;
  }
  select undef, undef, undef, 0.01;
}
open my $said, "<", $log;
while (<$said>) { print "$1 $peak\n" if /late binding: .*?([0-9.]+) s after/ }
WATCH
perl "$work/watch" "$work/story" >"$work/times/late" &
"$bin/ceremony" >"$work/story" 2>&1 || { tail -5 "$work/story"; exit 1; }
touch "$work/story.done"
wait $!
[ -s "$work/times/late" ] || { echo "the ceremony reported no late binding"; exit 1; }
rows "late-binding start: launch to signatures checked" late
