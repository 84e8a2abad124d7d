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
complete -c builder -n "__fish_builder_needs_command" -f -a "lock" -d 'Resolve what Image.toml asks for into Image.lock: every input by path, size and digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "build" -d 'Compile and assemble the last commit without network; prints the image\'s digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "digest" -d 'Build, print both digests of the image, and keep nothing'
complete -c builder -n "__fish_builder_needs_command" -f -a "push" -d 'Push a layout to a registry; prints the image\'s reference by digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "sign" -d 'Sign an image in a registry, in the layouts of Confidential Space and of cosign'
complete -c builder -n "__fish_builder_needs_command" -f -a "attest" -d 'Sign a statement about an image in a registry, in both layouts'
complete -c builder -n "__fish_builder_needs_command" -f -a "keygen" -d 'Make a key pair: PREFIX.key and PREFIX.pub'
complete -c builder -n "__fish_builder_needs_command" -f -a "store" -d 'Maintain the store of inputs'
complete -c builder -n "__fish_builder_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand lock" -l store -d 'The store of inputs [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand lock" -l store-limit -d 'Prune the store to this much, as `store prune` does' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l archive -d 'The package archive [default: that of the host\'s apt]' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l keyring -d 'The archive\'s keyring, in the format of gpgv [default: that of the host\'s apt]' -r -F
complete -c builder -n "__fish_builder_using_subcommand lock" -l archive-key -d 'Trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand build" -l store -d 'The store of inputs [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l store-limit -d 'Prune the store to this much, as `store prune` does' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l archive -d 'The package archive [default: that of the host\'s apt]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l keyring -d 'The archive\'s keyring, in the format of gpgv [default: that of the host\'s apt]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l archive-key -d 'Trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l evidence -d 'The locked package index: `evidence` of a layout, or the files that are published with the image [default: the archive\'s index, while it is still the same]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l builder-id -d 'The builder\'s name in provenance' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l source-uri -d 'The source\'s name in provenance [default: the repository\'s path]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l jobs -d 'Number of compilers that run at once; the image does not depend on it [default: processors]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l time-limit -d 'Time after which a compiler is ended' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-memory -d 'Most memory of a build, without files' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-files -d 'Most room for files of a build, which are in memory as well' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-processes -d 'Most processes and threads of a build at the same time' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-output -d 'How much cargo may write to each of standard output and standard error. What build scripts print counts as files' -r
complete -c builder -n "__fish_builder_using_subcommand build" -s o -l output -d 'The OCI layout to write; an earlier one is replaced' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l json -d 'Print JSON'
complete -c builder -n "__fish_builder_using_subcommand build" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand digest" -l store -d 'The store of inputs [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l store-limit -d 'Prune the store to this much, as `store prune` does' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l archive -d 'The package archive [default: that of the host\'s apt]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l keyring -d 'The archive\'s keyring, in the format of gpgv [default: that of the host\'s apt]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l archive-key -d 'Trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l evidence -d 'The locked package index: `evidence` of a layout, or the files that are published with the image [default: the archive\'s index, while it is still the same]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l builder-id -d 'The builder\'s name in provenance' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l source-uri -d 'The source\'s name in provenance [default: the repository\'s path]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l jobs -d 'Number of compilers that run at once; the image does not depend on it [default: processors]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l time-limit -d 'Time after which a compiler is ended' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-memory -d 'Most memory of a build, without files' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-files -d 'Most room for files of a build, which are in memory as well' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-processes -d 'Most processes and threads of a build at the same time' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-output -d 'How much cargo may write to each of standard output and standard error. What build scripts print counts as files' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l json -d 'Print JSON'
complete -c builder -n "__fish_builder_using_subcommand digest" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand push" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c builder -n "__fish_builder_using_subcommand push" -l plain-http -d 'Use HTTP to reach registries'
complete -c builder -n "__fish_builder_using_subcommand push" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand sign" -l key -d 'A PEM file, or gcpkms://projects/…/cryptoKeyVersions/N' -r
complete -c builder -n "__fish_builder_using_subcommand sign" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s]' -r
complete -c builder -n "__fish_builder_using_subcommand sign" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c builder -n "__fish_builder_using_subcommand sign" -l plain-http -d 'Use HTTP to reach registries'
complete -c builder -n "__fish_builder_using_subcommand sign" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand attest" -l type -d 'The type of the predicate' -r -f -a "slsaprovenance1\t'Where the image came from: provenance.json of a layout'
cyclonedx\t'What is in it: sbom.cdx.json of a layout'"
complete -c builder -n "__fish_builder_using_subcommand attest" -l predicate -d 'The file with the predicate' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l key -d 'A PEM file, or gcpkms://projects/…/cryptoKeyVersions/N' -r
complete -c builder -n "__fish_builder_using_subcommand attest" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s]' -r
complete -c builder -n "__fish_builder_using_subcommand attest" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l plain-http -d 'Use HTTP to reach registries'
complete -c builder -n "__fish_builder_using_subcommand attest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand keygen" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from prune help" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from prune help" -f -a "prune" -d 'Remove inputs until the store is small enough'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -l store -d 'The store [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -l keep -d 'Keep at most this much' -r
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove inputs until the store is small enough'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "lock" -d 'Resolve what Image.toml asks for into Image.lock: every input by path, size and digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "build" -d 'Compile and assemble the last commit without network; prints the image\'s digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "digest" -d 'Build, print both digests of the image, and keep nothing'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "push" -d 'Push a layout to a registry; prints the image\'s reference by digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "sign" -d 'Sign an image in a registry, in the layouts of Confidential Space and of cosign'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "attest" -d 'Sign a statement about an image in a registry, in both layouts'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "keygen" -d 'Make a key pair: PREFIX.key and PREFIX.pub'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "store" -d 'Maintain the store of inputs'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "prune" -d 'Remove inputs until the store is small enough'
