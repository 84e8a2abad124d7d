//! What a marker says.

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Expression {
    Compare(Operand, Operator, Operand),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Operand {
    Variable(Variable),
    Text(String),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Variable {
    PythonVersion,
    PythonFullVersion,
    ImplementationVersion,
    ImplementationName,
    PlatformPythonImplementation,
    OsName,
    SysPlatform,
    PlatformSystem,
    PlatformMachine,
    Extra,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operator {
    /// One of `==`, `<=` and so on.
    Version(&'static str),
    In,
    NotIn,
}

/// The variables by name. The version of the kernel is not among them: it is not known before the image runs.
pub(super) const VARIABLES: [(&str, Variable); 15] = [
    ("python_version", Variable::PythonVersion),
    ("python_full_version", Variable::PythonFullVersion),
    ("implementation_version", Variable::ImplementationVersion),
    ("implementation_name", Variable::ImplementationName),
    (
        "platform_python_implementation",
        Variable::PlatformPythonImplementation,
    ),
    ("os_name", Variable::OsName),
    ("sys_platform", Variable::SysPlatform),
    ("platform_system", Variable::PlatformSystem),
    ("platform_machine", Variable::PlatformMachine),
    ("extra", Variable::Extra),
    // As older wheels name them.
    ("os.name", Variable::OsName),
    ("sys.platform", Variable::SysPlatform),
    ("platform.machine", Variable::PlatformMachine),
    (
        "platform.python_implementation",
        Variable::PlatformPythonImplementation,
    ),
    (
        "python_implementation",
        Variable::PlatformPythonImplementation,
    ),
];
