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
complete -c verifier -n "__fish_verifier_needs_command" -f -a "verify" -d 'Check an image against a policy; publishes nothing and grants nothing'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "countersign" -d 'Verify an image; on a pass, sign the verdict and the image'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "authorize" -d 'Verify an image and the countersignatures that the policy requires; on a pass, print or apply the binding'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "provider" -d 'Print the pool and the provider that a grant needs: who is admitted, and under which condition'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "rotate" -d 'Verify an image as `authorize` does; on a pass, bind it and then take the role from all other images'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "revoke" -d 'Remove the binding of an image\'s digest from a key, and measure when the key refuses'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "audit" -d 'Compare a key, its policy, the pool and its providers with a grant and with verdicts; changes nothing'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "rebuild" -d 'Build an image again from source, and compare it with the published one'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "check" -d 'Check one file offline'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "trusted-root" -d 'Fetch the newest trusted root of a Sigstore instance from its TUF repository'
complete -c verifier -n "__fish_verifier_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l policy -d 'The release policy' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l source -d 'Rebuild from this directory or URL' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l rebuilt -d 'Compare with the layout of an earlier `verifier rebuild`' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l commit -d 'Build this commit instead of the one that provenance names' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l store -d 'The builder\'s store of inputs' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l capsule -d 'Let the builder take all inputs from this capsule, which `builder capsule` made, and use no network: a file, or REPOSITORY@DIGEST. Crates and modules are not compared with their registry then, which the report notes' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l archive -d 'The package archive that the builder fetches from' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l archive-key -d 'Let the builder trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l jobs -d 'Number of compilers that the builder runs in parallel; it does not affect the image [default: number of processors]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l time-limit -d 'Time limit for compiling [default: 60]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-repository -d 'Largest amount of data that git may fetch, compressed' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-source -d 'Largest total size of the files of the commit' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-memory -d 'Largest amount of memory that a build may use, not counting files [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-files -d 'Largest total size of the files that a build writes; they are kept in memory [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-processes -d 'Largest number of processes and threads of a build at the same time [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l limit-output -d 'Largest amount that cargo may write to standard output, and to standard error [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l builder -d 'The builder program [default: `builder` in the directory of this program]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand verify" -l signatures-only -d 'Check only that the principals that the policy requires have signed the image and its attestations. Config and layers are not fetched, nothing is rebuilt, and what provenance and SBOM say is not compared. This is not a verdict'
complete -c verifier -n "__fish_verifier_using_subcommand verify" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l policy -d 'The release policy' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l source -d 'Rebuild from this directory or URL' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l rebuilt -d 'Compare with the layout of an earlier `verifier rebuild`' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l commit -d 'Build this commit instead of the one that provenance names' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l store -d 'The builder\'s store of inputs' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l capsule -d 'Let the builder take all inputs from this capsule, which `builder capsule` made, and use no network: a file, or REPOSITORY@DIGEST. Crates and modules are not compared with their registry then, which the report notes' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l archive -d 'The package archive that the builder fetches from' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l archive-key -d 'Let the builder trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l jobs -d 'Number of compilers that the builder runs in parallel; it does not affect the image [default: number of processors]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l time-limit -d 'Time limit for compiling [default: 60]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l limit-repository -d 'Largest amount of data that git may fetch, compressed' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l limit-source -d 'Largest total size of the files of the commit' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l limit-memory -d 'Largest amount of memory that a build may use, not counting files [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l limit-files -d 'Largest total size of the files that a build writes; they are kept in memory [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l limit-processes -d 'Largest number of processes and threads of a build at the same time [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l limit-output -d 'Largest amount that cargo may write to standard output, and to standard error [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l builder -d 'The builder program [default: `builder` in the directory of this program]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l key -d 'The private key that signs verdict and image: a PEM file, which cosign may have encrypted, gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l pkcs11-module -d 'The module for keys of PKCS #11 [default: module-path of the key]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l algorithm -d 'The algorithm to sign with, for example rsa-pss-sha256 [default: that of the key\'s type]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l verifier-id -d 'The verifier\'s URI in the signed verdict [default: verifier.id in the policy]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l to -d 'Publish signature and verdict in this repository, HOST/REPO, in place of the image\'s' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -s o -l output -d 'Publish nothing, and write signature and verdict into this new folder, for `builder attach`. Without this option, that happens in a folder countersignature-DIGEST if the registry does not permit to publish them' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand countersign" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l policy -d 'The release policy' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l source -d 'Rebuild from this directory or URL' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l rebuilt -d 'Compare with the layout of an earlier `verifier rebuild`' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l commit -d 'Build this commit instead of the one that provenance names' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l store -d 'The builder\'s store of inputs' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l capsule -d 'Let the builder take all inputs from this capsule, which `builder capsule` made, and use no network: a file, or REPOSITORY@DIGEST. Crates and modules are not compared with their registry then, which the report notes' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l archive -d 'The package archive that the builder fetches from' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l archive-key -d 'Let the builder trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l jobs -d 'Number of compilers that the builder runs in parallel; it does not affect the image [default: number of processors]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l time-limit -d 'Time limit for compiling [default: 60]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-repository -d 'Largest amount of data that git may fetch, compressed' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-source -d 'Largest total size of the files of the commit' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-memory -d 'Largest amount of memory that a build may use, not counting files [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-files -d 'Largest total size of the files that a build writes; they are kept in memory [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-processes -d 'Largest number of processes and threads of a build at the same time [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l limit-output -d 'Largest amount that cargo may write to standard output, and to standard error [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l builder -d 'The builder program [default: `builder` in the directory of this program]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l grant -d 'The file that describes the grant: key, role and pool' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l format -d 'The format in which the binding is printed' -r -f -a "gcloud\t'A gcloud command'
iam\t'The bindings of an IAM policy, as JSON'
terraform\t'A Terraform resource, for a file NAME.tf.json'
vault\t'Commands that write a role of Vault\'s method jwt'
openbao\t'Commands that write a CEL role of OpenBao\'s method jwt'
vpc-sc\t'An ingress policy of a perimeter, for gcloud --set-ingress-policies'
vpc-sc-terraform\t'The same as a Terraform resource, for a file NAME.tf.json'"
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l plan -d 'Print what the binding would change in the IAM policy of the key, in place of the binding'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -l apply -d 'Add the binding to the IAM policy of the key'
complete -c verifier -n "__fish_verifier_using_subcommand authorize" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c verifier -n "__fish_verifier_using_subcommand provider" -l grant -d 'The file that describes the grant, with a table [provider]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand provider" -l format -d 'The format in which the provider is printed' -r -f -a "gcloud\t'Commands of gcloud, and the file that they read'
iam\t'The body of a request to create a provider, as JSON'
terraform\t'Terraform resources, for a file NAME.tf.json'
vault\t'The command that configures Vault\'s method jwt'
openbao\t'The command that configures OpenBao\'s method jwt'
vpc-sc\t'The ingress policy of a perimeter for the token exchange'
vpc-sc-terraform\t'The same as a Terraform resource, for a file NAME.tf.json'"
complete -c verifier -n "__fish_verifier_using_subcommand provider" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l policy -d 'The release policy' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l source -d 'Rebuild from this directory or URL' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l rebuilt -d 'Compare with the layout of an earlier `verifier rebuild`' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l commit -d 'Build this commit instead of the one that provenance names' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l store -d 'The builder\'s store of inputs' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l capsule -d 'Let the builder take all inputs from this capsule, which `builder capsule` made, and use no network: a file, or REPOSITORY@DIGEST. Crates and modules are not compared with their registry then, which the report notes' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l archive -d 'The package archive that the builder fetches from' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l archive-key -d 'Let the builder trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l jobs -d 'Number of compilers that the builder runs in parallel; it does not affect the image [default: number of processors]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l time-limit -d 'Time limit for compiling [default: 60]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l limit-repository -d 'Largest amount of data that git may fetch, compressed' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l limit-source -d 'Largest total size of the files of the commit' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l limit-memory -d 'Largest amount of memory that a build may use, not counting files [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l limit-files -d 'Largest total size of the files that a build writes; they are kept in memory [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l limit-processes -d 'Largest number of processes and threads of a build at the same time [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l limit-output -d 'Largest amount that cargo may write to standard output, and to standard error [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l builder -d 'The builder program [default: `builder` in the directory of this program]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l grant -d 'The file that describes the grant: key, role and pool' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l keep -d 'How long other images keep the role, such as 24h; without this option, they lose it as soon as the new image has it' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -l apply -d 'Change the IAM policy of the key; without this option, the changes are printed'
complete -c verifier -n "__fish_verifier_using_subcommand rotate" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l grant -d 'The file that describes the grant: key, role and pool' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l probe -d 'Ask the key with the access token in this file, of a workload that runs the image, until it refuses: at most 15 minutes' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l apply -d 'Remove the binding from the IAM policy of the key; without this option, a gcloud command is printed'
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand revoke" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand audit" -l grant -d 'The file that describes the grant, with a table [provider]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand audit" -l verdicts -d 'A folder of verdicts: reports of `--json` as *.json, and folders that `countersign` has written. Without it, the images that are bound are listed and not compared' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand audit" -l kms-endpoint -d 'The endpoint of Cloud KMS [default: Google\'s public endpoint]' -r
complete -c verifier -n "__fish_verifier_using_subcommand audit" -l iam-endpoint -d 'The endpoint of IAM [default: Google\'s public endpoint]' -r
complete -c verifier -n "__fish_verifier_using_subcommand audit" -l resource-manager-endpoint -d 'The endpoint of Resource Manager [default: Google\'s public endpoint]' -r
complete -c verifier -n "__fish_verifier_using_subcommand audit" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand audit" -l without-ancestors -d 'Do not read who inherits a role from the project of the key, its folders and its organisation; the report says so'
complete -c verifier -n "__fish_verifier_using_subcommand audit" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l source -d 'Rebuild from this directory or URL' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l directory -d 'The directory of the source that contains Image.toml' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l image -d 'The name of the image, if Image.toml describes several [default: the one that provenance names]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -s o -l output -d 'The OCI layout to write; it must not exist' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l commit -d 'Build this commit instead of the one that provenance names' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l store -d 'The builder\'s store of inputs' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l capsule -d 'Let the builder take all inputs from this capsule, which `builder capsule` made, and use no network: a file, or REPOSITORY@DIGEST. Crates and modules are not compared with their registry then, which the report notes' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l archive -d 'The package archive that the builder fetches from' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l archive-key -d 'Let the builder trust package indexes signed by this key or subkey, in addition to Debian\'s keys; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l jobs -d 'Number of compilers that the builder runs in parallel; it does not affect the image [default: number of processors]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l time-limit -d 'Time limit for compiling [default: 60]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-repository -d 'Largest amount of data that git may fetch, compressed' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-source -d 'Largest total size of the files of the commit' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-memory -d 'Largest amount of memory that a build may use, not counting files [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-files -d 'Largest total size of the files that a build writes; they are kept in memory [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-processes -d 'Largest number of processes and threads of a build at the same time [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l limit-output -d 'Largest amount that cargo may write to standard output, and to standard error [default: the builder\'s]' -r
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l builder -d 'The builder program [default: `builder` in the directory of this program]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l progress -d 'How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or auto, which is tty on a terminal and plain elsewhere' -r -f -a "auto\t'As `tty` if standard error is a terminal, otherwise as `plain`'
plain\t'A line for each event'
tty\t'A block of the current steps, with the last lines of compilers, that is redrawn'
quiet\t'No steps; of a step that fails, what its program said'
rawjson\t'A JSON document for each event'"
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l plain-http -d 'Connect to registries by HTTP, without TLS'
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -l json -d 'Report as JSON on standard output; otherwise the rebuilt image\'s digest is printed'
complete -c verifier -n "__fish_verifier_using_subcommand rebuild" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "signature" -d 'Check a signature over a file'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "envelope" -d 'Check a DSSE envelope'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "bundle" -d 'Check a Sigstore bundle'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "image" -d 'Check a document of an image, or a layout with all that it names'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "layer" -d 'Check a layer of an image'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "statement" -d 'Check an in-toto statement without its signature'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "token" -d 'Check an attestation token of Confidential Space'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "condition" -d 'Check the attribute condition of an identity provider, and evaluate it for claims'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "sbom" -d 'Check a software bill of materials: CycloneDX as JSON (1.2 to 1.7) or XML (1.0 to 1.7), SPDX 2.2 or 2.3 as JSON or tag-value'
complete -c verifier -n "__fish_verifier_using_subcommand check; and not __fish_seen_subcommand_from signature envelope bundle image layer statement token condition sbom help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from signature" -l signature -d 'The signature: its bytes, their base64, or the bundle that cosign sign-blob wrote' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from signature" -l key -d 'A public key in PEM; repeatable, and one that signed is enough' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from signature" -l algorithm -d 'The only algorithm of the keys: ecdsa-der-HASH, ecdsa-p1363-HASH, rsa-pkcs1-HASH, rsa-pss-HASH or rsa-pss-HASH-saltBYTES, with sha256, sha384 or sha512 for HASH; or ed25519 or ed25519ph [default: those of each key\'s type]' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from signature" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from signature" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from envelope" -l key -d 'A public key in PEM; repeatable, and one that signed is enough' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from envelope" -l algorithm -d 'The only algorithm of the keys: ecdsa-der-HASH, ecdsa-p1363-HASH, rsa-pkcs1-HASH, rsa-pss-HASH or rsa-pss-HASH-saltBYTES, with sha256, sha384 or sha512 for HASH; or ed25519 or ed25519ph [default: those of each key\'s type]' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from envelope" -l payload-type -d 'The only type that the payload may have [default: any]' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from envelope" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from envelope" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l bundle -d 'The bundle' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l certificate-identity -d 'The subject that the certificate must name, exactly' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l certificate-identity-regexp -d 'A regular expression that the whole subject must match; it begins with ^ and ends with $' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l certificate-oidc-issuer -d 'The issuer that the certificate must name, exactly' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l key -d 'The public key that must have signed, in PEM' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l trusted-root -d 'The trusted root [default: that of Sigstore\'s public instance, as of this version]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l certificate-without-issuer -d 'The certificate must name no issuer, as those of GitHub for private repositories'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l staging -d 'Without --trusted-root, trust Sigstore\'s instance for tests'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from bundle" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from image" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from image" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from layer" -l json -d 'Report as JSON on standard output, with the diff ID and all entries'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from layer" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from statement" -l json -d 'Report as JSON on standard output, with subjects and predicate type'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from statement" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from token" -l jwks -d 'The keys of the issuer, as a JSON Web Key Set' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from token" -l root -d 'The root certificate in PEM, for a PKI token: one with certificates' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from token" -l at -d 'The time at which the token must be valid, in Unix seconds or RFC 3339 [default: now]' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from token" -l audience -d 'The only audience [default: any single one]' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from token" -l nonce -d 'A nonce that the token must contain; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from token" -l require-production -d 'Refuse the token of an image that the operator can debug'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from token" -l json -d 'Report as JSON on standard output, with the claims if the signature verifies'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from token" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from condition" -l claims -d 'The claims of a token in JSON; the condition must be true for them [default: the condition is only compiled]' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from condition" -l mapping -d 'An attribute and the expression that is mapped to it, such as google.subject=assertion.sub; repeatable' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from condition" -l json -d 'Report as JSON on standard output, with the attributes that the claims are mapped to'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from condition" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from sbom" -l image -d 'Compare it with the image in this layout, or archive of a layout: each file belongs to a component with its digest, and each component has a file, or is a crate that a program of the image lists' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from sbom" -l lock -d 'Compare its crates, and those that programs of the image list, with this Cargo.lock' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from sbom" -l advisories -d 'Compare its packages with the advisories in this directory, in the format of OSV; all but informational ones are refused' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from sbom" -l debian -d 'The release of packages of Debian whose URL names none, such as 12' -r
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from sbom" -l vex -d 'A document in OpenVEX or CycloneDX that answers advisories; repeatable' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from sbom" -l json -d 'Report as JSON on standard output'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from sbom" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "signature" -d 'Check a signature over a file'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "envelope" -d 'Check a DSSE envelope'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "bundle" -d 'Check a Sigstore bundle'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "image" -d 'Check a document of an image, or a layout with all that it names'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "layer" -d 'Check a layer of an image'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "statement" -d 'Check an in-toto statement without its signature'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "token" -d 'Check an attestation token of Confidential Space'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "condition" -d 'Check the attribute condition of an identity provider, and evaluate it for claims'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "sbom" -d 'Check a software bill of materials: CycloneDX as JSON (1.2 to 1.7) or XML (1.0 to 1.7), SPDX 2.2 or 2.3 as JSON or tag-value'
complete -c verifier -n "__fish_verifier_using_subcommand check; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -l mirror -d 'The URL below which the TUF repository is: of a Sigstore instance, or of a copy of its repository' -r
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -l root -d 'Root metadata that you trust, of any version; the repository must continue it' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -l root-checksum -d 'The SHA-256 that this file must have, as hex' -r
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -l store -d 'The directory that keeps the newest metadata, so that older metadata is refused the next time' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -s o -l output -d 'The trusted root to write, for `keyless.trusted_root` in a policy and for --trusted-root' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -l signing-config -d 'Write the signing config as well, for `builder sign --signing-config`' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -l ca -d 'Trust the certificate authorities in this PEM file, in addition to the system\'s' -r -F
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -l json -d 'Report as JSON on standard output; otherwise the digest of the trusted root is printed'
complete -c verifier -n "__fish_verifier_using_subcommand trusted-root" -s h -l help -d 'Print help'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "verify" -d 'Check an image against a policy; publishes nothing and grants nothing'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "countersign" -d 'Verify an image; on a pass, sign the verdict and the image'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "authorize" -d 'Verify an image and the countersignatures that the policy requires; on a pass, print or apply the binding'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "provider" -d 'Print the pool and the provider that a grant needs: who is admitted, and under which condition'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "rotate" -d 'Verify an image as `authorize` does; on a pass, bind it and then take the role from all other images'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "revoke" -d 'Remove the binding of an image\'s digest from a key, and measure when the key refuses'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "audit" -d 'Compare a key, its policy, the pool and its providers with a grant and with verdicts; changes nothing'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "rebuild" -d 'Build an image again from source, and compare it with the published one'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "check" -d 'Check one file offline'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "trusted-root" -d 'Fetch the newest trusted root of a Sigstore instance from its TUF repository'
complete -c verifier -n "__fish_verifier_using_subcommand help; and not __fish_seen_subcommand_from verify countersign authorize provider rotate revoke audit rebuild check trusted-root help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "signature" -d 'Check a signature over a file'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "envelope" -d 'Check a DSSE envelope'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "bundle" -d 'Check a Sigstore bundle'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "image" -d 'Check a document of an image, or a layout with all that it names'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "layer" -d 'Check a layer of an image'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "statement" -d 'Check an in-toto statement without its signature'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "token" -d 'Check an attestation token of Confidential Space'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "condition" -d 'Check the attribute condition of an identity provider, and evaluate it for claims'
complete -c verifier -n "__fish_verifier_using_subcommand help; and __fish_seen_subcommand_from check" -f -a "sbom" -d 'Check a software bill of materials: CycloneDX as JSON (1.2 to 1.7) or XML (1.0 to 1.7), SPDX 2.2 or 2.3 as JSON or tag-value'
