//! Jobs: the computations. A job takes data and returns a result; it does not depend on the source of the data.

pub mod count;
pub mod exec;

use serde_json::Value;

use count::Counts;

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

/// The terms name a job that this image does not contain.
#[derive(Debug, thiserror::Error)]
#[error("job: expected \"count\", found {0}")]
pub struct UnknownJob(String);

/// The job that `terms` name, where `terms` is the value of `job` in the terms.
///
/// # Errors
/// This image does not contain the job.
pub fn of(terms: &Value) -> Result<Box<dyn Job>, UnknownJob> {
    match terms.as_str() {
        Some("count") => Ok(Box::new(Counts::default())),
        _ => Err(UnknownJob(terms.to_string().chars().take(80).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_its_own_jobs_only() {
        assert!(of(&Value::from("count")).is_ok());
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
    }
}
