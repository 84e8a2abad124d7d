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
complete -c builder -n "__fish_builder_needs_command" -f -a "build" -d 'Compile and assemble the last commit with the network cut; prints the image\'s digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "digest" -d 'Build, print both identities of the image, and keep nothing'
complete -c builder -n "__fish_builder_needs_command" -f -a "push" -d 'Push a layout to a registry; prints the image\'s name by digest'
complete -c builder -n "__fish_builder_needs_command" -f -a "sign" -d 'Sign an image in a registry, in the layouts of Confidential Space and of cosign'
complete -c builder -n "__fish_builder_needs_command" -f -a "attest" -d 'Sign a statement about an image in a registry, in both layouts'
complete -c builder -n "__fish_builder_needs_command" -f -a "keygen" -d 'Make a key pair: PREFIX.key and PREFIX.pub'
complete -c builder -n "__fish_builder_needs_command" -f -a "store" -d 'Look after the store of inputs'
complete -c builder -n "__fish_builder_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand lock" -l store -d 'Where inputs are kept by digest [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand lock" -l store-limit -d 'What the store may hold; what was least recently used goes first, as `store prune` does' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l archive -d 'The package archive [default: what the host\'s apt uses]' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -l keyring -d 'The archive\'s keys, as gpgv reads them [default: what the host\'s apt uses]' -r -F
complete -c builder -n "__fish_builder_using_subcommand lock" -l archive-key -d 'Trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand lock" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand build" -l store -d 'Where inputs are kept by digest [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l store-limit -d 'What the store may hold; what was least recently used goes first, as `store prune` does' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l archive -d 'The package archive [default: what the host\'s apt uses]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l keyring -d 'The archive\'s keys, as gpgv reads them [default: what the host\'s apt uses]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l archive-key -d 'Trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l evidence -d 'The signed package index that was locked: `evidence` of the layout, or what the published image has of it [default: the archive\'s, while it is still the same]' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l builder-id -d 'How provenance names who builds' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l source-uri -d 'How provenance names the source [default: the repository\'s own path]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l jobs -d 'How many compilers run at once; the bytes do not depend on it [default: processors]' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l time-limit -d 'When a compiler that does not end is given up' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-memory -d 'How much memory they may use, without their files' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-files -d 'How much they may keep in files, which are in memory as well' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-processes -d 'How many processes and threads there may be at the same time' -r
complete -c builder -n "__fish_builder_using_subcommand build" -l limit-output -d 'How much cargo may write to each of standard output and standard error. What build scripts print counts as files' -r
complete -c builder -n "__fish_builder_using_subcommand build" -s o -l output -d 'Where the OCI layout goes; an earlier one is replaced' -r -F
complete -c builder -n "__fish_builder_using_subcommand build" -l json -d 'Print JSON'
complete -c builder -n "__fish_builder_using_subcommand build" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand digest" -l store -d 'Where inputs are kept by digest [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l store-limit -d 'What the store may hold; what was least recently used goes first, as `store prune` does' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l archive -d 'The package archive [default: what the host\'s apt uses]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l keyring -d 'The archive\'s keys, as gpgv reads them [default: what the host\'s apt uses]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l archive-key -d 'Trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l evidence -d 'The signed package index that was locked: `evidence` of the layout, or what the published image has of it [default: the archive\'s, while it is still the same]' -r -F
complete -c builder -n "__fish_builder_using_subcommand digest" -l builder-id -d 'How provenance names who builds' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l source-uri -d 'How provenance names the source [default: the repository\'s own path]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l jobs -d 'How many compilers run at once; the bytes do not depend on it [default: processors]' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l time-limit -d 'When a compiler that does not end is given up' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-memory -d 'How much memory they may use, without their files' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-files -d 'How much they may keep in files, which are in memory as well' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-processes -d 'How many processes and threads there may be at the same time' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l limit-output -d 'How much cargo may write to each of standard output and standard error. What build scripts print counts as files' -r
complete -c builder -n "__fish_builder_using_subcommand digest" -l json -d 'Print JSON'
complete -c builder -n "__fish_builder_using_subcommand digest" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand push" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c builder -n "__fish_builder_using_subcommand push" -l plain-http -d 'Use HTTP to reach registries'
complete -c builder -n "__fish_builder_using_subcommand push" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand sign" -l key -d 'A PEM file, or gcpkms://projects/…/cryptoKeyVersions/N' -r
complete -c builder -n "__fish_builder_using_subcommand sign" -l kms-endpoint -d 'Where Cloud KMS answers [default: Google\'s own endpoint]' -r
complete -c builder -n "__fish_builder_using_subcommand sign" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c builder -n "__fish_builder_using_subcommand sign" -l plain-http -d 'Use HTTP to reach registries'
complete -c builder -n "__fish_builder_using_subcommand sign" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand attest" -l type -d 'What the statement says' -r -f -a "slsaprovenance1\t'Where the image came from: provenance.json of a layout'
cyclonedx\t'What is in it: sbom.cdx.json of a layout'"
complete -c builder -n "__fish_builder_using_subcommand attest" -l predicate -d 'The file that says it' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l key -d 'A PEM file, or gcpkms://projects/…/cryptoKeyVersions/N' -r
complete -c builder -n "__fish_builder_using_subcommand attest" -l kms-endpoint -d 'Where Cloud KMS answers [default: Google\'s own endpoint]' -r
complete -c builder -n "__fish_builder_using_subcommand attest" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c builder -n "__fish_builder_using_subcommand attest" -l plain-http -d 'Use HTTP to reach registries'
complete -c builder -n "__fish_builder_using_subcommand attest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand keygen" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from prune help" -s h -l help -d 'Print help'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from prune help" -f -a "prune" -d 'Remove inputs until the store holds no more than it should'
complete -c builder -n "__fish_builder_using_subcommand store; and not __fish_seen_subcommand_from prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -l store -d 'The store [default: countersign in the user\'s cache directory]' -r -F
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -l keep -d 'What may stay' -r
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove inputs until the store holds no more than it should'
complete -c builder -n "__fish_builder_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "lock" -d 'Resolve what Image.toml asks for into Image.lock: every input by path, size and digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "build" -d 'Compile and assemble the last commit with the network cut; prints the image\'s digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "digest" -d 'Build, print both identities of the image, and keep nothing'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "push" -d 'Push a layout to a registry; prints the image\'s name by digest'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "sign" -d 'Sign an image in a registry, in the layouts of Confidential Space and of cosign'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "attest" -d 'Sign a statement about an image in a registry, in both layouts'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "keygen" -d 'Make a key pair: PREFIX.key and PREFIX.pub'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "store" -d 'Look after the store of inputs'
complete -c builder -n "__fish_builder_using_subcommand help; and not __fish_seen_subcommand_from lock build digest push sign attest keygen store help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c builder -n "__fish_builder_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "prune" -d 'Remove inputs until the store holds no more than it should'
