//! Packages with parts in C. Go compiles them without these parts if cgo is off: some then lack functions, others have functions
//! that fail when they are called.

use std::sync::{Mutex, PoisonError};

use crate::compile::error::CompileError;
use crate::order::Order;
use crate::sandbox::{Output, Plan, Sandbox, SandboxError};
use crate::spec::GoSpec;
use crate::untrusted::shown;

/// One line for each package outside the standard library that has files with `import "C"` (`go help list`).
const SHOWN: &str = "-f={{if and .CgoFiles (not .Standard)}}{{.ImportPath}}{{end}}";

/// The packages of the programs that cgo would compile, in Go's order. The inner error is what Go says if it cannot list them: with cgo
/// it may need other packages than without.
///
/// # Errors
/// Go cannot be run to its end.
pub(super) fn packages(
    spec: &GoSpec,
    plan: &Plan,
    order: &Order<'_>,
) -> Result<Result<Vec<String>, String>, CompileError> {
    let mut plan = plan.clone();
    let process = &mut plan.process;
    process.command = command(&process.command, spec);
    // Otherwise Go does not say which files they are. It starts no compiler to list them.
    let on = ("CGO_ENABLED".to_owned(), "1".to_owned());
    process.environment.extend([on]);
    plan.output = Output::Returned;
    plan.products = Vec::new();
    let complaint = Mutex::new(String::new());
    let hear = |line: &str| {
        let mut complaint = complaint.lock().unwrap_or_else(PoisonError::into_inner);
        if complaint.is_empty() {
            *complaint = shown(line.trim());
        }
    };
    let sandbox = Sandbox {
        progress: &hear,
        ..order.sandbox
    };
    match sandbox.run(&plan, &[]) {
        Ok(ran) => {
            let said = String::from_utf8_lossy(&ran.output);
            let lines = said.lines().map(shown);
            Ok(Ok(lines.collect()))
        }
        Err(SandboxError::Exited { .. }) => Ok(Err(complaint
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner))),
        Err(error) => Err(error.into()),
    }
}

/// The command line that lists what another builds.
fn command(build: &[String], spec: &GoSpec) -> Vec<String> {
    let is_shared = |word: &&String| word.starts_with("-mod=") || word.starts_with("-tags=");
    let go = build.first().cloned();
    let list = ["list", "-deps", SHOWN].map(str::to_owned);
    go.into_iter()
        .chain(list)
        .chain(build.iter().filter(is_shared).cloned())
        .chain(spec.packages.iter().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_listed() {
        let spec = content::toml::parse("packages = ['./a', './b']").unwrap();
        let build = "/go build -trimpath -mod=vendor -tags=x -ldflags=-tags=y -o=/out ./a ./b";
        let build: Vec<_> = build.split(' ').map(str::to_owned).collect();
        let expected = [
            "/go",
            "list",
            "-deps",
            SHOWN,
            "-mod=vendor",
            "-tags=x",
            "./a",
            "./b",
        ];
        assert_eq!(command(&build, &spec), expected);
    }
}
