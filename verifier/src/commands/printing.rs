//! What commands print: data to standard output, notes to standard error.

use console::hint::Hinted;
use console::{Status, print};
use serde_json::Value;
use verifier::error::Error;

use crate::cli::grants::Said;

/// Prints what a command has to say.
pub fn say(said: &Said, as_json: bool) -> Result<Status, Error> {
    for note in &said.notes {
        print::note(note);
    }
    match (&said.data, as_json) {
        (_, true) => print_json(&said.json)?,
        (Some(data), false) => print_line(&console::text::lines(data))?,
        (None, false) => {}
    }
    Ok(said.status)
}

pub fn print_json(value: &Value) -> Result<(), Error> {
    Ok(print::json(&format!("{value:#}")).map_err(Hinted::printing)?)
}

pub fn print_line(line: &str) -> Result<(), Error> {
    Ok(print::line(line).map_err(Hinted::printing)?)
}
