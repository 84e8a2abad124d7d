# A module for an [[attestation]] of a release policy, as `cosign verify-attestation --policy` takes it. It allows an attestation
# of type custom whose text is, for example, {"review": "approved", "open": []}.
package signature

default allow = false

allow {
    input.predicate.Data.review == "approved"
    count(input.predicate.Data.open) == 0
}
