//! Jobs: the computations. A job takes data and returns a result; it does not depend on the source of the data.

pub mod count;
pub mod exec;

use serde_json::Value;

use count::Counts;
use exec::{InvalidProgram, Program};

/// The computation of an image.
pub trait Job {
    /// Adds the data of one message, all of it or none.
    ///
    /// # Errors
    /// The data are not valid input for the job.
    fn take(&mut self, data: &[u8]) -> Result<(), Unfit>;

    /// The result over all data that was taken, as it is written to the output.
    fn result(&self) -> String;
}

/// Why a job does not accept data.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("its data {0}")]
pub struct Unfit(&'static str);

/// The computation that terms name.
pub enum Work {
    /// One over the messages of the collaborators.
    Messages(Box<dyn Job>),
    /// A program of its own.
    Program(Program),
}

/// Why terms name no job.
#[derive(Debug, thiserror::Error)]
pub enum InvalidJob {
    /// This image does not contain the job.
    #[error("job: expected \"count\" or {{\"exec\": …}}, found {0}")]
    Unknown(String),
    /// The description of the program is invalid.
    #[error("job: exec: {0}")]
    Program(#[from] InvalidProgram),
}

/// The job that `terms` name, where `terms` is the value of `job` in the terms.
///
/// # Errors
/// This image does not contain the job, or its own part is invalid.
pub fn of(terms: &Value) -> Result<Work, InvalidJob> {
    let members = terms.as_object().into_iter().flatten();
    let members: Vec<_> = members
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    match (terms.as_str(), &members[..]) {
        (Some("count"), _) => Ok(Work::Messages(Box::new(Counts::default()))),
        (None, [("exec", program)]) => Ok(Work::Program(Program::parse(program)?)),
        _ => Err(InvalidJob::Unknown(
            terms.to_string().chars().take(80).collect(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_its_own_jobs_only() {
        assert!(of(&Value::from("count")).is_ok());
        let program = serde_json::json!({"exec": {"command": ["/app"]}});
        assert!(matches!(of(&program), Ok(Work::Program(_))));
        let object = serde_json::json!({"count": {}});
        for other in [
            Value::from("sum"),
            Value::from("Count"),
            Value::Null,
            object,
        ] {
            let error = of(&other).err().unwrap().to_string();
            assert!(error.ends_with(&format!("found {other}")), "{error}");
        }
        let wrong = serde_json::json!({"exec": {"command": "/app"}});
        let error = of(&wrong).err().unwrap().to_string();
        assert!(error.starts_with("job: exec: "), "{error}");
    }
}
