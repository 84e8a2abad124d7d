use cel::Value;
use serde::Serialize;

use crate::Error;

/// The values of variables.
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<(String, Value)>);

impl Variables {
    /// Adds a variable, such as JSON.
    ///
    /// # Errors
    /// CEL cannot represent the value.
    pub fn with<T: Serialize>(self, name: &str, value: &T) -> Result<Self, Error> {
        let value = cel::to_value(value).map_err(|e| Error::Evaluate(e.to_string()))?;
        Ok(self.with_value(name, value))
    }

    /// Adds a variable with a value of CEL.
    #[must_use]
    pub fn with_value(mut self, name: &str, value: Value) -> Self {
        self.0.push((name.to_owned(), value));
        self
    }
}

impl IntoIterator for Variables {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
