# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_emulator_global_optspecs
    string join \n h/help V/version
end

function __fish_emulator_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_emulator_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_emulator_using_subcommand
    set -l cmd (__fish_emulator_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c emulator -n "__fish_emulator_needs_command" -s h -l help -d 'Print help'
complete -c emulator -n "__fish_emulator_needs_command" -s V -l version -d 'Print version'
complete -c emulator -n "__fish_emulator_needs_command" -f -a "serve" -d 'Serve registry, attestation and Google Cloud\'s services, Compute Engine among them, on loopback until interrupted'
complete -c emulator -n "__fish_emulator_needs_command" -f -a "launch" -d 'Launch an image as Confidential Space launches it'
complete -c emulator -n "__fish_emulator_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c emulator -n "__fish_emulator_using_subcommand serve" -l state -d 'Folder that keeps all state between runs [default: a temporary folder]' -r -F
complete -c emulator -n "__fish_emulator_using_subcommand serve" -l project -d 'A project to set up; its owner\'s credentials are written below the state folder; can be repeated' -r
complete -c emulator -n "__fish_emulator_using_subcommand serve" -l parent -d 'What a project is in: an organisation, and folders from the outermost to the innermost, whose policies the project inherits; the owners of all projects in an organisation administer it; can be repeated' -r
complete -c emulator -n "__fish_emulator_using_subcommand serve" -l registry-writers -d 'Who may write to the registry: anyone, or those with roles/artifactregistry.writer on the repository or on the project that its path begins with, the project\'s owner among them; an access token is the password' -r -f -a "anyone\t'Anyone, without credentials'
owners\t'Those with the role of a writer on the repository, or on the project that its path begins with, as the project\'s owner has'"
complete -c emulator -n "__fish_emulator_using_subcommand serve" -l registry-readers -d 'Who may read the registry: anyone, or those with roles/artifactregistry.reader on the repository or on the project that its path begins with, the project\'s owner among them; an access token is the password' -r -f -a "anyone\t'Anyone, without credentials, as from a repository that `allUsers` may read'
granted\t'Those with the role of a reader on the repository, or on the project that its path begins with, as the project\'s owner has'"
complete -c emulator -n "__fish_emulator_using_subcommand serve" -l port-base -d 'Port of the registry; those of the other services follow, in the order of their names in the output [default: free ports]' -r
complete -c emulator -n "__fish_emulator_using_subcommand serve" -l metadata-address -d 'Address of the metadata server of the machine that runs, on loopback; the terms of a rehearsal name it' -r
complete -c emulator -n "__fish_emulator_using_subcommand serve" -s h -l help -d 'Print help'
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l attestation -d 'Address of the attestation service' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l project -d 'Project of the operator' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l project-number -d 'Number of the project [default: derived from its ID]' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l zone -d 'Zone of the machine' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l instance-name -d 'Name of the machine' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l instance-id -d 'ID of the machine, a number [default: derived from project, zone and name]' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l service-account -d 'Service account that the machine runs as; can be repeated' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l signed-image-repos -d 'Repositories that hold signatures of the image, separated by commas' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l cmd -d 'Replace the command of the image; a JSON array of strings' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l env -d 'Environment variable for the workload; can be repeated' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l image-family -d 'Family of the machine image' -r -f -a "production\t''
debug\t''"
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l hwmodel -d 'Hardware model of the machine, as attestation tokens name it' -r -f -a "GCP_INTEL_TDX\t'Intel TDX'
GCP_AMD_SEV\t'AMD SEV'
GCP_AMD_SEV_ES\t'AMD SEV-ES'
GCP_SHIELDED_VM\t'A shielded VM, without confidential computing'"
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l log-redirect -d 'Request the output of the workload, which the launch policy of the image must allow' -r -f -a "true\t''
false\t''"
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l metadata -d 'Attribute of the instance, served by a metadata server; a file is read at each request, so that it can be changed while the workload runs; can be repeated' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l metadata-address -d 'Address of the metadata server, on loopback; the terms of a rehearsal name it' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l runtime -d 'Folder for the token socket; if it exists, the user of the image must have access [default: a temporary folder]' -r -F
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l grace -d 'Time that the workload has to end after the SIGTERM that it gets when the launcher is interrupted, in seconds; a second signal kills it at once' -r
complete -c emulator -n "__fish_emulator_using_subcommand launch" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c emulator -n "__fish_emulator_using_subcommand launch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c emulator -n "__fish_emulator_using_subcommand help; and not __fish_seen_subcommand_from serve launch help" -f -a "serve" -d 'Serve registry, attestation and Google Cloud\'s services, Compute Engine among them, on loopback until interrupted'
complete -c emulator -n "__fish_emulator_using_subcommand help; and not __fish_seen_subcommand_from serve launch help" -f -a "launch" -d 'Launch an image as Confidential Space launches it'
complete -c emulator -n "__fish_emulator_using_subcommand help; and not __fish_seen_subcommand_from serve launch help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
