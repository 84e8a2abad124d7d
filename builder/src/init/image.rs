//! `Image.toml` for a program.

use oci::ImageRef;
use toml::Value;

use super::found::{Build, Content, Found, Open};
use super::{entries, python, terms};
use crate::spec;

/// The release of Debian with the compilers and interpreters.
const SUITE: &str = "trixie";

/// The text. With the image of the workload's own program as `base`, that program starts the found one.
pub(super) fn text(found: &Found, base: Option<&ImageRef>) -> String {
    let start = match base {
        Some(base) => started_by(base),
        None => format!(
            "# Nothing checks signatures before this program starts: it does so itself, as with crates/tee, or `builder init --exec`\n\
             # puts the workload before it.\n[image]\nentrypoint = {}\nuser = \"65532:65532\"\n",
            words(&found.start)
        ),
    };
    let start = start + &variables(found, base);
    let files = found.files.iter().map(file).collect::<Vec<_>>();
    let terms = file(&(
        "/etc/countersign/terms.json".to_owned(),
        Content::Source(terms::FILE.to_owned()),
    ));
    [
        vec![
            build(&found.build),
            root(&found.build) + &wheels(&found.build),
            start,
            LABELS.to_owned(),
        ],
        files,
        vec![terms],
        temporary(&found.build),
    ]
    .concat()
    .join("\n")
}

/// What is left to the user.
pub(super) fn open(found: &Found) -> Vec<Open> {
    let open = found.open.iter();
    let open = open.map(|(entry, what)| Open::new(spec::FILE, entry, what));
    open.chain([Open::new(
        spec::FILE,
        "image.labels",
        "decide what the operator may change, and whether the operator may read the output",
    )])
    .collect()
}

/// The defaults of Confidential Space, so that they are seen.
const LABELS: &str = "\
# What the operator may change. With log_redirect = \"always\" the operator can read the output.
[image.labels]
\"tee.launch_policy.allow_cmd_override\" = \"false\"
\"tee.launch_policy.log_redirect\" = \"debugonly\"
";

/// The entry point is that of the base, and starts as root: it gives the program the user that the terms name.
fn started_by(base: &ImageRef) -> String {
    format!(
        "# The base has the entry point, which checks all signatures and starts the program that terms.json names.\n\
         [image]\nbase = {}\nuser = \"0:0\"\n",
        quoted(&base.to_string())
    )
}

fn build(build: &Build) -> String {
    let lines = match build {
        Build::Cargo {
            package,
            features,
            configured,
            ..
        } => {
            let package = format!("package = {}\n", quoted(package));
            let features = match features.is_empty() {
                true => String::new(),
                false => format!("features = {}\n", words(features)),
            };
            package + &features + &configured.entries() + &configured.variables()
        }
        Build::Go { package, version } => {
            let go = version.map(|version| format!("go = {}\n", quoted(version)));
            let go = go.unwrap_or_default();
            format!("kind = \"go\"\n{go}package = {}\n", quoted(package))
        }
        Build::Interpreted { .. } => "kind = \"command\"\n".to_owned(),
    };
    format!("[build]\n{lines}")
}

fn root(build: &Build) -> String {
    let certificates = "# For certificate authorities, or anything else of Debian, in the image:\n";
    match build {
        Build::Cargo { packages, .. } => {
            let packages = match packages.is_empty() {
                true => String::new(),
                false => format!("packages = {}\n", words(packages)),
            };
            format!(
                "[root]\nsuite = \"{SUITE}\"\ntoolchain = \"rust\"\n{packages}\n{certificates}\
                 # [runtime]\n# packages = [\"ca-certificates\"]\n"
            )
        }
        Build::Go { .. } => format!(
            "{certificates}# [root]\n# suite = \"{SUITE}\"\n# [runtime]\n# packages = [\"ca-certificates\"]\n"
        ),
        Build::Interpreted { packages, .. } => format!(
            "[root]\nsuite = \"{SUITE}\"\n\n[runtime]\npackages = {}\n",
            words(packages)
        ),
    }
}

/// Where the Python packages of an image are.
const PACKAGES: &str = "/app/site-packages";

fn wheels(build: &Build) -> String {
    match build {
        Build::Interpreted {
            requirements: Some(file),
            ..
        } => format!(
            "\n[[wheels]]\nrequirements = {}\npath = {}\n",
            quoted(file),
            quoted(PACKAGES)
        ),
        _ => String::new(),
    }
}

/// The variables that Python needs to find its modules and a home: its user is in no `/etc/passwd`.
///
/// There is no home if the workload starts the program: the workload has the same variables, and trusts what is in its home.
fn variables(found: &Found, base: Option<&ImageRef>) -> String {
    let starter = found.start.first();
    if starter.is_none_or(|program| program != python::PYTHON) {
        return String::new();
    }
    let path = match wheels(&found.build).is_empty() {
        true => entries::HOME.to_owned(),
        false => format!("{}:{PACKAGES}", entries::HOME),
    };
    let home = match base {
        Some(_) => "",
        None => "HOME = \"/tmp\", ",
    };
    format!(
        "env = {{ {home}PYTHONPATH = {}, PYTHONUNBUFFERED = \"1\" }}\n",
        quoted(&path)
    )
}

/// The directory that programs of an interpreter expect for temporary files.
fn temporary(build: &Build) -> Vec<String> {
    match build {
        Build::Cargo { .. } | Build::Go { .. } => Vec::new(),
        Build::Interpreted { .. } => vec![TEMPORARY.to_owned()],
    }
}

const TEMPORARY: &str = "\
# For temporary files.
[[file]]
path = \"/tmp\"
directory = true
mode = \"1777\"
";

fn file((path, content): &(String, Content)) -> String {
    let (key, value) = match content {
        Content::Binary(name) => ("binary", name),
        Content::Source(path) => ("source", path),
        Content::Tree(path) => ("tree", path),
    };
    format!(
        "[[file]]\npath = {}\n{key} = {}\n",
        quoted(path),
        quoted(value)
    )
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn words<W: AsRef<str>>(words: &[W]) -> String {
    let words = words.iter().map(|word| quoted(word.as_ref()));
    format!("[{}]", words.collect::<Vec<_>>().join(", "))
}
