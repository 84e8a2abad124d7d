# Sourced by run.sh. Policies for the verifier, which take the same image from a registry or from a layout.

# A policy that asks for a signature of the builder, and for what is read from standard input.
policy() { # repository
  cat <<POLICY
repository = "$1"
[builder]
id = "https://builder.example"
build_type = "https://build.example"
[source]
uri = "git+https://source.example"
[signatures]
require = ["builder"]
[attestations]
require = []
by = ["builder"]
[rebuild]
require = false
[[principal]]
name = "builder"
key = "ours.pub"
POLICY
}
attested() { printf '[[attestation]]\ntype = "%s"\nfrom = ["builder"]\n' "$@"; }

# The image in a repository or layout, by a policy for `repository` that asks for attestations of these types as well.
verify() { # repository, image, types...
  policy "$1" >"$work/policy.toml"
  [ $# = 2 ] || attested "${@:3}" >>"$work/policy.toml"
  "$bin/verifier" verify "$2" --policy "$work/policy.toml" --plain-http
}
# The same, by a policy that counts signatures without a repository.
verify_unnamed() { # repository, image
  policy "$1" | sed 's/^\[signatures\]/&\nwithout_repository = "count"/' >"$work/unnamed.toml"
  "$bin/verifier" verify "$2" --policy "$work/unnamed.toml" --plain-http
}
