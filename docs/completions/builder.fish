# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_builder_global_optspecs
    string join \n h/help V/version
end

function __fish_builder_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_builder_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_builder_using_subcommand
    set -l cmd (__fish_builder_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c builder -n "__fish_builder_needs_command" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_needs_command" -s V -l version -d 'Print version'
complete -c builder -n "__fish_builder_needs_command" -f -a "init" -d 'Write Image.toml, terms.json, policies and cloudbuild.yaml for a program of yours'
complete -c builder -n "__fish_builder_needs_command" -f -a "lock" -d 'Resolve the inputs that Image.toml names, and write Image.lock: each by path, size and digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "build" -d 'Build the image of the last commit, or each of several, without network access; prints its digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "digest" -d 'Build the image, print both of its digests, and write no layout'
complete -c builder -n "__fish_builder_needs_command" -f -a "capsule" -d 'Put every input that Image.lock names into one OCI artifact, for builds without network; prints its digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "publish" -d 'Push, sign and attest an image in one command; prints its reference by digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "push" -d 'Push a layout to a registry; prints the image\'s reference by digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "sign" -d 'Sign an image in a registry, in the layouts that Confidential Space and cosign read'
complete -c builder -n "__fish_builder_needs_command" -f -a "attest" -d 'Attach a signed statement to an image in a registry, in both layouts'
complete -c builder -n "__fish_builder_needs_command" -f -a "payload" -d 'Print the bytes to sign, for a key that signs elsewhere: with openssl, an HSM or cosign sign-blob'
complete -c builder -n "__fish_builder_needs_command" -f -a "attach" -d 'Publish a signature over what `payload` printed, or an envelope, that was made elsewhere'
complete -c builder -n "__fish_builder_needs_command" -f -a "attach-sbom" -d 'Publish a bill of materials under the tag sha256-….sbom, as `cosign attach sbom` does; prints its name'
complete -c builder -n "__fish_builder_needs_command" -f -a "tree" -d 'Show what is attached to an image in a registry: signatures, attestations, SBOMs, and which reader sees which'
complete -c builder -n "__fish_builder_needs_command" -f -a "deploy" -d 'Print what an operator runs to launch an image in Confidential Space: commands of gcloud, or a Terraform configuration'
complete -c builder -n "__fish_builder_needs_command" -f -a "keygen" -d 'Make a key pair: PREFIX.key and PREFIX.pub; prints their paths and the key ID'
complete -c builder -n "__fish_builder_needs_command" -f -a "key" -d 'Print the key ID of a key: the SHA-256 of its SubjectPublicKeyInfo, in hex, by which terms, policies and tokens name it'
complete -c builder -n "__fish_builder_needs_command" -f -a "store" -d 'Maintain the store of inputs'
complete -c builder -n "__fish_builder_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand init" -l exec -d 'Let this image of the workload\'s program start yours: it checks all signatures first' -r
complete -c builder -n "__fish_builder_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand lock" -l store -d 'The store of inputs [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand lock" -l store-limit -d 'Largest size of the store: it is pruned as by `store prune`' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l archive -d 'The package archive [default: the one in the host\'s apt sources]' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l keyring -d 'The archive\'s keyring, in a format that gpgv reads [default: the one in the host\'s apt sources]' -r -F
complete -c builder -n "__fish_builder_using_subcommand lock" -l module-proxy -d 'The proxies for Go modules, separated by `,` or `|` as for go [default: those of the user\'s go]' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l wheel-index -d 'The package index for Python packages, as for pip [default: that of the user\'s pip]' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l archive-key -d 'Trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c builder -n "__fish_builder_using_subcommand lock" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand build" -l image -d 'Build only this image, of several that Image.toml describes with [[image]] [default: all of them]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l store -d 'The store of inputs [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l store-limit -d 'Largest size of the store: it is pruned as by `store prune`' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l archive -d 'The package archive [default: the one in the host\'s apt sources]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l keyring -d 'The archive\'s keyring, in a format that gpgv reads [default: the one in the host\'s apt sources]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l module-proxy -d 'The proxies for Go modules, separated by `,` or `|` as for go [default: those of the user\'s go]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l wheel-index -d 'The package index for Python packages, as for pip [default: that of the user\'s pip]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l archive-key -d 'Trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l evidence -d 'The locked package index: the folder `evidence` of a layout, or a folder with the files that are published with the image [default: the archive\'s index, if it is still the locked one]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l capsule -d 'Take all inputs from this capsule, as `builder capsule` made it, and use no network: a file, or REPOSITORY@DIGEST, which is fetched from the registry. Crates and modules are not compared with their registry then, which the result says' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l builder-id -d 'The builder\'s name in provenance' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l source-uri -d 'The source\'s name in provenance [default: the repository\'s path]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l jobs -d 'Number of compilers that run in parallel; it does not affect the image [default: number of processors]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l time-limit -d 'Time limit for compiling' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-memory -d 'Largest amount of memory that a build may use, not counting files' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-files -d 'Largest total size of the files that a build writes; they are kept in memory' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-processes -d 'Largest number of processes and threads of a build at the same time' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-output -d 'Largest amount that cargo may write to standard output, and to standard error; output of build scripts counts as files' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c builder -n "__fish_builder_using_subcommand build" -s o -l output -d 'The OCI layout to write, or a folder with a layout for each of several images; an earlier one is replaced' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l json -d 'Print JSON'
complete -c builder -n "__fish_builder_using_subcommand build" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand digest" -l image -d 'Build only this image, of several that Image.toml describes with [[image]] [default: all of them]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l store -d 'The store of inputs [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l store-limit -d 'Largest size of the store: it is pruned as by `store prune`' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l archive -d 'The package archive [default: the one in the host\'s apt sources]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l keyring -d 'The archive\'s keyring, in a format that gpgv reads [default: the one in the host\'s apt sources]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l module-proxy -d 'The proxies for Go modules, separated by `,` or `|` as for go [default: those of the user\'s go]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l wheel-index -d 'The package index for Python packages, as for pip [default: that of the user\'s pip]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l archive-key -d 'Trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l evidence -d 'The locked package index: the folder `evidence` of a layout, or a folder with the files that are published with the image [default: the archive\'s index, if it is still the locked one]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l capsule -d 'Take all inputs from this capsule, as `builder capsule` made it, and use no network: a file, or REPOSITORY@DIGEST, which is fetched from the registry. Crates and modules are not compared with their registry then, which the result says' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l builder-id -d 'The builder\'s name in provenance' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l source-uri -d 'The source\'s name in provenance [default: the repository\'s path]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l jobs -d 'Number of compilers that run in parallel; it does not affect the image [default: number of processors]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l time-limit -d 'Time limit for compiling' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-memory -d 'Largest amount of memory that a build may use, not counting files' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-files -d 'Largest total size of the files that a build writes; they are kept in memory' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-processes -d 'Largest number of processes and threads of a build at the same time' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-output -d 'Largest amount that cargo may write to standard output, and to standard error; output of build scripts counts as files' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c builder -n "__fish_builder_using_subcommand digest" -l json -d 'Print JSON'
complete -c builder -n "__fish_builder_using_subcommand digest" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand capsule" -s o -l output -d 'The file to write; an earlier one is replaced' -r -F
complete -c builder -n "__fish_builder_using_subcommand capsule" -l push -d 'Push the capsule, as REPOSITORY:TAG; prints its reference by digest' -r
complete -c builder -n "__fish_builder_using_subcommand capsule" -l attach -d 'Push the capsule to the repository of this image, as its referrer; prints its reference by digest' -r
complete -c builder -n "__fish_builder_using_subcommand capsule" -l store -d 'The store of inputs [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand capsule" -l store-limit -d 'Largest size of the store: it is pruned as by `store prune`' -r
complete -c builder -n "__fish_builder_using_subcommand capsule" -l archive -d 'The package archive [default: the one in the host\'s apt sources]' -r
complete -c builder -n "__fish_builder_using_subcommand capsule" -l keyring -d 'The archive\'s keyring, in a format that gpgv reads [default: the one in the host\'s apt sources]' -r -F
complete -c builder -n "__fish_builder_using_subcommand capsule" -l module-proxy -d 'The proxies for Go modules, separated by `,` or `|` as for go [default: those of the user\'s go]' -r
complete -c builder -n "__fish_builder_using_subcommand capsule" -l wheel-index -d 'The package index for Python packages, as for pip [default: that of the user\'s pip]' -r
complete -c builder -n "__fish_builder_using_subcommand capsule" -l archive-key -d 'Trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand capsule" -l evidence -d 'The locked package index, as for `build`' -r -F
complete -c builder -n "__fish_builder_using_subcommand capsule" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand capsule" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c builder -n "__fish_builder_using_subcommand capsule" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand capsule" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand publish" -l key -d 'The private key: a PEM file, which cosign may have encrypted, gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…' -r
complete -c builder -n "__fish_builder_using_subcommand publish" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c builder -n "__fish_builder_using_subcommand publish" -l pkcs11-module -d 'The module for keys of PKCS #11 [default: module-path of the key]' -r -F
complete -c builder -n "__fish_builder_using_subcommand publish" -l algorithm -d 'The algorithm to sign with, for example rsa-pss-sha256 [default: that of the key\'s type]' -r
complete -c builder -n "__fish_builder_using_subcommand publish" -s a -l annotation -l annotations -d 'Sign this annotation too; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand publish" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand publish" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c builder -n "__fish_builder_using_subcommand publish" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand publish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand push" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand push" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c builder -n "__fish_builder_using_subcommand push" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand push" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand sign" -s a -l annotation -l annotations -d 'Sign this annotation too; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand sign" -l key -d 'The private key: a PEM file, which cosign may have encrypted, gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…' -r
complete -c builder -n "__fish_builder_using_subcommand sign" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c builder -n "__fish_builder_using_subcommand sign" -l pkcs11-module -d 'The module for keys of PKCS #11 [default: module-path of the key]' -r -F
complete -c builder -n "__fish_builder_using_subcommand sign" -l algorithm -d 'The algorithm to sign with, for example rsa-pss-sha256 [default: that of the key\'s type]' -r
complete -c builder -n "__fish_builder_using_subcommand sign" -l identity-token -d 'In place of --key: sign with a new key that a Sigstore instance certifies for the holder of this identity token of OpenID Connect, and logs. Only the bundle is written, which cosign reads and Confidential Space does not' -r -F
complete -c builder -n "__fish_builder_using_subcommand sign" -l signing-config -d 'The addresses of the Sigstore instance: a signing_config.json of version 0.2, with logs of Rekor 2' -r -F
complete -c builder -n "__fish_builder_using_subcommand sign" -l trusted-root -d 'The keys and certificates of the instance: a trusted_root.json. A signature that does not verify with it is not published' -r -F
complete -c builder -n "__fish_builder_using_subcommand sign" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand sign" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand sign" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand attest" -l type -d 'The type of the predicate: one of cosign\'s names, or any URI' -r -f -a "slsaprovenance1\t'SLSA provenance: how the image was built'
cyclonedx\t'CycloneDX bill of materials: what the image contains'
custom\t'any text, with the time of the attestation'
slsaprovenance\t'SLSA provenance v0.2'
slsaprovenance02\t'SLSA provenance v0.2'
spdx\t'SPDX document as text'
spdxjson\t'SPDX document in JSON'
vuln\t'result of a vulnerability scan'
link\t'in-toto link'
openvex\t'OpenVEX document'"
complete -c builder -n "__fish_builder_using_subcommand attest" -l predicate -d 'The file with the predicate: a JSON object, except for the types custom and spdx' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l key -d 'The private key: a PEM file, which cosign may have encrypted, gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…' -r
complete -c builder -n "__fish_builder_using_subcommand attest" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c builder -n "__fish_builder_using_subcommand attest" -l pkcs11-module -d 'The module for keys of PKCS #11 [default: module-path of the key]' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l algorithm -d 'The algorithm to sign with, for example rsa-pss-sha256 [default: that of the key\'s type]' -r
complete -c builder -n "__fish_builder_using_subcommand attest" -l identity-token -d 'In place of --key: sign with a new key that a Sigstore instance certifies for the holder of this identity token of OpenID Connect, and logs. Only the bundle is written, which cosign reads and Confidential Space does not' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l signing-config -d 'The addresses of the Sigstore instance: a signing_config.json of version 0.2, with logs of Rekor 2' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l trusted-root -d 'The keys and certificates of the instance: a trusted_root.json. A signature that does not verify with it is not published' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand attest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand payload" -l layout -d 'Where the signature is to be published. Sign for both, as `sign` does' -r -f -a "legacy\t'The tag sha256-….sig, which Confidential Space and cosign read: the payload itself'
bundle\t'A bundle among the referrers, which cosign 3 reads: a statement in its DSSE encoding'"
complete -c builder -n "__fish_builder_using_subcommand payload" -s a -l annotation -l annotations -d 'Sign this annotation too; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand payload" -l type -d 'Print what is signed to attest a predicate of this type, in both layouts' -r -f -a "slsaprovenance1\t'SLSA provenance: how the image was built'
cyclonedx\t'CycloneDX bill of materials: what the image contains'
custom\t'any text, with the time of the attestation'
slsaprovenance\t'SLSA provenance v0.2'
slsaprovenance02\t'SLSA provenance v0.2'
spdx\t'SPDX document as text'
spdxjson\t'SPDX document in JSON'
vuln\t'result of a vulnerability scan'
link\t'in-toto link'
openvex\t'OpenVEX document'"
complete -c builder -n "__fish_builder_using_subcommand payload" -l predicate -d 'The file with the predicate' -r -F
complete -c builder -n "__fish_builder_using_subcommand payload" -l key -d 'The public key, in PEM' -r -F
complete -c builder -n "__fish_builder_using_subcommand payload" -l algorithm -d 'The algorithm that the key signs with, for example rsa-pss-sha256 [default: that of the key\'s type]' -r
complete -c builder -n "__fish_builder_using_subcommand payload" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand attach" -l to -d 'Publish in this repository, HOST/REPO, in place of the image\'s' -r
complete -c builder -n "__fish_builder_using_subcommand attach" -l payload -d 'The file with the bytes that were signed' -r -F
complete -c builder -n "__fish_builder_using_subcommand attach" -l signature -d 'The file with the signature: its bytes, their base64, or the bundle that cosign sign-blob wrote' -r -F
complete -c builder -n "__fish_builder_using_subcommand attach" -l envelope -d 'The file with a DSSE envelope, or a bundle with one, in place of payload and signature' -r -F
complete -c builder -n "__fish_builder_using_subcommand attach" -l key -d 'The public key, in PEM' -r -F
complete -c builder -n "__fish_builder_using_subcommand attach" -l algorithm -d 'The algorithm that the key signs with, for example rsa-pss-sha256 [default: that of the key\'s type]' -r
complete -c builder -n "__fish_builder_using_subcommand attach" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand attach" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand attach-sbom" -l sbom -d 'The file with the bill of materials, in CycloneDX or SPDX' -r -F
complete -c builder -n "__fish_builder_using_subcommand attach-sbom" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand attach-sbom" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand attach-sbom" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand tree" -l evidence -d 'Show also what this repository, HOST/REPO, has about the image; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand tree" -l key -d 'Call this public key by a name, and look for its signatures; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand tree" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand tree" -l json -d 'Print JSON'
complete -c builder -n "__fish_builder_using_subcommand tree" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand tree" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand deploy" -l format -d 'The format to print' -r -f -a "gcloud\t'Commands of gcloud'
terraform\t'Terraform resources, for a file NAME.tf.json'"
complete -c builder -n "__fish_builder_using_subcommand deploy" -l project -d 'The project that the instance runs in' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l zone -d 'The zone that the instance runs in, which must offer its technology and machine type' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l service-account -d 'The service account that the instance runs as; it is created if it belongs to the project' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l signed-image-repository -d 'A repository in which other parties\' signatures of the image are, beside the image\'s own; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l policy -d 'A release policy for the image, such as a collaborator\'s: the repositories in its [evidence] are added to those with signatures; repeatable' -r -F
complete -c builder -n "__fish_builder_using_subcommand deploy" -l confidential-compute -d 'The technology that protects the instance' -r -f -a "tdx\t'Intel TDX'
sev\t'AMD SEV'"
complete -c builder -n "__fish_builder_using_subcommand deploy" -l machine-type -d 'The machine type [default: a small one with that technology]' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l instance-name -d 'The name of the instance' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l network -d 'The name of the network, its subnet, router and NAT gateway, which are created' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l image-family -d 'The image of the machine. Debug is for trials: the operator can read everything, and no production grant admits it' -r -f -a "production\t'Logging in is not possible'
debug\t'The operator can log in'"
complete -c builder -n "__fish_builder_using_subcommand deploy" -l restart-policy -d 'What happens when the workload ends' -r -f -a "never\t'The machine stops'
onfailure\t'The machine starts again if the workload has failed'
always\t'The machine starts again'"
complete -c builder -n "__fish_builder_using_subcommand deploy" -l log-redirect -d 'Whether the workload\'s output is written to Cloud Logging [default: if the image\'s labels allow it]' -r -f -a "true\t'It is'
false\t'It is not'"
complete -c builder -n "__fish_builder_using_subcommand deploy" -l cmd -d 'Replace the image\'s command with this JSON array of strings, which its labels must allow' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l env -d 'Set this environment variable, which the image\'s labels must allow; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand deploy" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c builder -n "__fish_builder_using_subcommand deploy" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c builder -n "__fish_builder_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand keygen" -l algorithm -d 'The type of the key: ecdsa-p256, ecdsa-p384, ecdsa-p521, rsa-2048, rsa-3072, rsa-4096 or ed25519' -r
complete -c builder -n "__fish_builder_using_subcommand keygen" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand key" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c builder -n "__fish_builder_using_subcommand key" -l pkcs11-module -d 'The module for keys of PKCS #11 [default: module-path of the key]' -r -F
complete -c builder -n "__fish_builder_using_subcommand key" -l algorithm -d 'The algorithm that the key signs with, for example rsa-pss-sha256 [default: that of the key\'s type]' -r
complete -c builder -n "__fish_builder_using_subcommand key" -l json -d 'Print JSON: the key ID, the type, the algorithm, its name in Confidential Space, and the public key in PEM'
complete -c builder -n "__fish_builder_using_subcommand key" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from size prune help" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from size prune help" -f -a "size" -d 'Show how large the store is, by kind of input'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from size prune help" -f -a "prune" -d 'Remove inputs until the store is small enough'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from size prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from size" -l store -d 'The store [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from size" -l json -d 'Print JSON'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from size" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -l store -d 'The store [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -l keep -d 'Largest size of the store after pruning [default: 0; without a limit if --keep-days or --unused is given]' -r
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -l keep-days -d 'Remove what was not used in the last N days' -r
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -l unused -d 'Remove what no Image.lock names of the projects that were locked or built with this store and are still there. A lock that cannot be read is an error, and nothing is removed'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "size" -d 'Show how large the store is, by kind of input'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove inputs until the store is small enough'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "init" -d 'Write Image.toml, terms.json, policies and cloudbuild.yaml for a program of yours'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "lock" -d 'Resolve the inputs that Image.toml names, and write Image.lock: each by path, size and digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "build" -d 'Build the image of the last commit, or each of several, without network access; prints its digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "digest" -d 'Build the image, print both of its digests, and write no layout'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "capsule" -d 'Put every input that Image.lock names into one OCI artifact, for builds without network; prints its digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "publish" -d 'Push, sign and attest an image in one command; prints its reference by digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "push" -d 'Push a layout to a registry; prints the image\'s reference by digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "sign" -d 'Sign an image in a registry, in the layouts that Confidential Space and cosign read'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "attest" -d 'Attach a signed statement to an image in a registry, in both layouts'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "payload" -d 'Print the bytes to sign, for a key that signs elsewhere: with openssl, an HSM or cosign sign-blob'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "attach" -d 'Publish a signature over what `payload` printed, or an envelope, that was made elsewhere'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "attach-sbom" -d 'Publish a bill of materials under the tag sha256-….sbom, as `cosign attach sbom` does; prints its name'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "tree" -d 'Show what is attached to an image in a registry: signatures, attestations, SBOMs, and which reader sees which'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "deploy" -d 'Print what an operator runs to launch an image in Confidential Space: commands of gcloud, or a Terraform configuration'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "keygen" -d 'Make a key pair: PREFIX.key and PREFIX.pub; prints their paths and the key ID'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "key" -d 'Print the key ID of a key: the SHA-256 of its SubjectPublicKeyInfo, in hex, by which terms, policies and tokens name it'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "store" -d 'Maintain the store of inputs'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from init lock build digest capsule publish push sign attest payload attach attach-sbom tree deploy keygen key store help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "size" -d 'Show how large the store is, by kind of input'
complete -c builder -n "__fish_builder_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "prune" -d 'Remove inputs until the store is small enough'
