# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_client_global_optspecs
    string join \n h/help V/version
end

function __fish_client_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_client_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_client_using_subcommand
    set -l cmd (__fish_client_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c client -n "__fish_client_needs_command" -s h -l help -d 'Print help'
complete -c client -n "__fish_client_needs_command" -s V -l version -d 'Print version'
complete -c client -n "__fish_client_needs_command" -f -a "publish" -d 'Check that the key is open to approved images alone, encrypt a file with it, and publish the message'
complete -c client -n "__fish_client_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c client -n "__fish_client_using_subcommand publish" -l grant -d 'The file that describes the grant: key, role, pool and [provider]' -r -F
complete -c client -n "__fish_client_using_subcommand publish" -l digest -d 'The approved image: its digest, or REPOSITORY@DIGEST' -r
complete -c client -n "__fish_client_using_subcommand publish" -l verdicts -d 'A folder of verdicts, as `verifier audit` takes it: all images that they approve may have the key, such as the one that a rotation keeps for a time. Without it, no other image than that of --digest may' -r -F
complete -c client -n "__fish_client_using_subcommand publish" -l topic -d 'The topic that the workload\'s subscription is attached to' -r
complete -c client -n "__fish_client_using_subcommand publish" -l collaborator -d 'The name of the sender in the terms of the workload' -r
complete -c client -n "__fish_client_using_subcommand publish" -l message -d 'The name of the message, which the workload counts once [default: random]' -r
complete -c client -n "__fish_client_using_subcommand publish" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c client -n "__fish_client_using_subcommand publish" -l iam-endpoint -d 'The endpoint of IAM [default: Google\'s public endpoint]' -r
complete -c client -n "__fish_client_using_subcommand publish" -l resource-manager-endpoint -d 'The endpoint of Resource Manager [default: Google\'s public endpoint]' -r
complete -c client -n "__fish_client_using_subcommand publish" -l pubsub-endpoint -d 'The endpoint of Pub/Sub [default: Google\'s public endpoint]' -r
complete -c client -n "__fish_client_using_subcommand publish" -l without-ancestors -d 'Do not read who inherits a role from the project of the key, its folders and its organisation; the report says so'
complete -c client -n "__fish_client_using_subcommand publish" -l json -d 'Report as JSON on standard output; otherwise the name of the message is printed'
complete -c client -n "__fish_client_using_subcommand publish" -s h -l help -d 'Print help'
complete -c client -n "__fish_client_using_subcommand help; and not __fish_seen_subcommand_from publish help" -f -a "publish" -d 'Check that the key is open to approved images alone, encrypt a file with it, and publish the message'
complete -c client -n "__fish_client_using_subcommand help; and not __fish_seen_subcommand_from publish help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
