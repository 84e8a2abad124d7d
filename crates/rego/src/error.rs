/// Why a module cannot be used, or gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The module is larger than [`Module::LIMIT`](crate::Module::LIMIT).
    #[error("reading the module: expected at most {limit} bytes, found {size}")]
    Size {
        /// The size, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The document is larger than [`Module::INPUT_LIMIT`](crate::Module::INPUT_LIMIT).
    #[error("evaluating the module: expected an input of at most {limit} bytes, found {size}")]
    Input {
        /// The size as JSON, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The module is in neither syntax.
    #[error("parsing the module: as Rego v0: {v0}; as Rego v1: {v1}")]
    Syntax {
        /// The refusal of the syntax before OPA 1.0.
        v0: String,
        /// The refusal of the syntax since OPA 1.0.
        v1: String,
    },
    /// The module has no such rule.
    #[error("parsing the module: it has no rule {rule}")]
    Rule {
        /// The path of the rule.
        rule: String,
    },
    /// The data is not an object, or has a member where the module has a rule.
    #[error("adding data: {0}")]
    Data(String),
    /// A function failed or was refused, rules contradict each other, or the time limit was reached.
    #[error("evaluating the module: {0}")]
    Evaluation(String),
}
