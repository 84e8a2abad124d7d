//! What is computed. A job takes data and gives a result; it knows nothing of where data come from.

pub mod count;

use serde_json::Value;

use count::Counts;

/// What an image computes.
pub trait Job {
    /// Takes the data of one message, all or none of it.
    ///
    /// # Errors
    /// The data are not what the job works on.
    fn take(&mut self, data: &[u8]) -> Result<(), Unfit>;

    /// The result over all that was taken, as it is handed out.
    fn result(&self) -> String;
}

/// Why data are not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unfit {
    /// Not UTF-8.
    #[error("its data are not UTF-8")]
    Text,
    /// Characters that are not printed.
    #[error("its data have control characters")]
    Control,
}

/// A job that this image does not know.
#[derive(Debug, thiserror::Error)]
#[error("job: expected \"count\", found {0}")]
pub struct UnknownJob(String);

/// The job that `terms` name: what the terms have under `job`.
///
/// # Errors
/// It is not one of this image.
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
    fn knows_its_jobs_and_no_others() {
        assert!(of(&Value::from("count")).is_ok());
        for other in [Value::from("sum"), Value::from("Count"), Value::Null] {
            let error = of(&other).err().unwrap().to_string();
            assert!(error.ends_with(&format!("found {other}")), "{error}");
        }
        assert!(of(&serde_json::json!({"count": {}})).is_err());
    }
}
