# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_verifier_global_optspecs
    string join \n h/help V/version
end

function __fish_verifier_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_verifier_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_verifier_using_subcommand
    set -l cmd (__fish_verifier_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c verifier -n "__fish_verifier_needs_command" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_needs_command" -s V -l version -d 'Print version'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "verify" -d 'Fetch, rebuild, appraise: a verdict, and nothing written anywhere'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "authorize" -d 'Verify; on a pass sign the verdict and the image, and print or apply the binding'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "revoke" -d 'Take the binding for a digest away'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "rebuild" -d 'Build the image again from source and compare'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l policy -d 'The release policy' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l source -d 'Rebuild from this directory or URL' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l rebuilt -d 'Compare with what an earlier `verifier rebuild` left' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l commit -d 'Build this commit instead of the one that provenance names' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l store -d 'The builder\'s store of inputs' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l archive -d 'The package archive that the builder fetches from' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l archive-key -d 'Let the builder trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l jobs -d 'How many compilers the builder runs at once; the bytes do not depend on it [default: processors]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l time-limit -d 'When the builder gives up a compiler that does not end [default: 60]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-repository -d 'How much git may fetch of the source, compressed' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-source -d 'How much the files of the commit may take' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-memory -d 'How much memory a build may use, without its files [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-files -d 'How much a build may keep in files, which are in memory as well [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-processes -d 'How many processes and threads of a build there may be at the same time [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-output -d 'How much a build may write to each of standard output and standard error [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l builder -d 'The builder program [default: beside this one]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l plain-http -d 'Use HTTP to reach registries'
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand verify" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l policy -d 'The release policy' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l source -d 'Rebuild from this directory or URL' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l rebuilt -d 'Compare with what an earlier `verifier rebuild` left' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l commit -d 'Build this commit instead of the one that provenance names' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l store -d 'The builder\'s store of inputs' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l archive -d 'The package archive that the builder fetches from' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l archive-key -d 'Let the builder trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l jobs -d 'How many compilers the builder runs at once; the bytes do not depend on it [default: processors]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l time-limit -d 'When the builder gives up a compiler that does not end [default: 60]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-repository -d 'How much git may fetch of the source, compressed' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-source -d 'How much the files of the commit may take' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-memory -d 'How much memory a build may use, without its files [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-files -d 'How much a build may keep in files, which are in memory as well [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-processes -d 'How many processes and threads of a build there may be at the same time [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-output -d 'How much a build may write to each of standard output and standard error [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l builder -d 'The builder program [default: beside this one]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l grant -d 'What is granted' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l key -d 'Sign verdict and image with this: a PEM file or gcpkms://projects/…/cryptoKeyVersions/N' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l format -d 'How the binding is printed' -r -f -a "gcloud\t'As a gcloud command'
iam\t'As the bindings of an IAM policy'"
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l verifier-id -d 'Who verified, as a URI [default: the policy\'s verifier.id]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l kms-endpoint -d 'Cloud KMS is here instead of at its public address' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l plain-http -d 'Use HTTP to reach registries'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l apply -d 'Write the binding into the key\'s policy'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l grant -d 'What was granted' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l kms-endpoint -d 'Cloud KMS is here instead of at its public address' -r
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l apply -d 'Write to the key\'s policy; otherwise the command is printed'
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l source -d 'Rebuild from this directory or URL' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l directory -d 'The directory of the source that is built' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -s o -l output -d 'Write the rebuilt image here' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l commit -d 'Build this commit instead of the one that provenance names' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l store -d 'The builder\'s store of inputs' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l archive -d 'The package archive that the builder fetches from' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l archive-key -d 'Let the builder trust a package index that this key or subkey has signed, besides Debian\'s; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l jobs -d 'How many compilers the builder runs at once; the bytes do not depend on it [default: processors]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l time-limit -d 'When the builder gives up a compiler that does not end [default: 60]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-repository -d 'How much git may fetch of the source, compressed' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-source -d 'How much the files of the commit may take' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-memory -d 'How much memory a build may use, without its files [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-files -d 'How much a build may keep in files, which are in memory as well [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-processes -d 'How many processes and threads of a build there may be at the same time [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-output -d 'How much a build may write to each of standard output and standard error [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l builder -d 'The builder program [default: beside this one]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l ca -d 'Trust the certificate authorities in this PEM file as well' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l plain-http -d 'Use HTTP to reach registries'
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l json -d 'Report as JSON on standard output; otherwise the rebuilt image\'s digest is printed'
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify authorize revoke rebuild help" -f -a "verify" -d 'Fetch, rebuild, appraise: a verdict, and nothing written anywhere'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify authorize revoke rebuild help" -f -a "authorize" -d 'Verify; on a pass sign the verdict and the image, and print or apply the binding'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify authorize revoke rebuild help" -f -a "revoke" -d 'Take the binding for a digest away'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify authorize revoke rebuild help" -f -a "rebuild" -d 'Build the image again from source and compare'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify authorize revoke rebuild help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
