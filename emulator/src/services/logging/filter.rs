//! Filters of log entries ("Logging query language"): comparisons that must all hold. `OR`, `NOT`, parentheses, functions and
//! regular expressions are not emulated.

use std::cmp::Ordering;
use std::str::FromStr;

use chrono::DateTime;
use serde_json::Value;

use crate::status::Status;

/// The severities, least first (Cloud Logging v2, `LogSeverity`).
const SEVERITIES: [&str; 9] = [
    "DEFAULT",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
];
/// Comparison operators, longer ones first.
const OPERATORS: [&str; 7] = [">=", "<=", "!=", "=", ":", ">", "<"];

/// Comparisons that must all hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Filter(Vec<Comparison>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Comparison {
    /// The names of the field, outermost first; none for a word that some field contains.
    path: Vec<String>,
    operator: String,
    value: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Operator(&'static str),
}

impl FromStr for Filter {
    type Err = Status;

    fn from_str(text: &str) -> Result<Self, Status> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let mut all = Vec::new();
        while let Some(token) = tokens.next() {
            let left = match token {
                Token::Word(word) if word == "AND" => continue,
                Token::Word(word) if ["OR", "NOT"].contains(&word.as_str()) => {
                    return Err(not_emulated(&word));
                }
                Token::Operator(operator) => return Err(unparseable(operator)),
                left => left,
            };
            let Some(operator) = tokens.next_if(|next| matches!(next, Token::Operator(_))) else {
                all.push(Comparison::anywhere(left));
                continue;
            };
            let (Token::Word(path), Token::Operator(operator)) = (left, operator) else {
                return Err(unparseable(text));
            };
            match tokens.next() {
                Some(Token::Word(value) | Token::Quoted(value)) => {
                    all.push(Comparison::of(&path, operator, value));
                }
                _ => return Err(unparseable(operator)),
            }
        }
        Ok(Self(all))
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Status> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let operator = OPERATORS
            .iter()
            .find(|operator| rest.starts_with(**operator));
        let token = match (first, operator) {
            ('(' | ')' | '-' | '~', _) => return Err(not_emulated(&first.to_string())),
            ('"', _) => {
                let (value, after) = quoted(&rest[1..]).ok_or_else(|| unparseable(rest))?;
                rest = after;
                Token::Quoted(value)
            }
            (_, Some(operator)) => {
                rest = &rest[operator.len()..];
                Token::Operator(operator)
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || "()\"=<>!:~".contains(c);
                let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                if word.is_empty() {
                    return Err(unparseable(rest));
                }
                rest = after;
                Token::Word(word.to_owned())
            }
        };
        found.push(token);
        rest = rest.trim_start();
    }
    Ok(found)
}

/// The text up to the closing quotation mark, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !is_escaped => return Some((value, &text[at + 1..])),
            '\\' if !is_escaped => is_escaped = true,
            c => {
                value.push(c);
                is_escaped = false;
            }
        }
    }
    None
}

impl Comparison {
    fn of(path: &str, operator: &str, value: String) -> Self {
        let path = path.split('.').map(|name| match name {
            "log_name" => "logName".to_owned(),
            "insert_id" => "insertId".to_owned(),
            name => name.to_owned(),
        });
        let (path, operator) = (path.collect(), operator.to_owned());
        Self {
            path,
            operator,
            value,
        }
    }

    fn anywhere(token: Token) -> Self {
        let value = match token {
            Token::Word(value) | Token::Quoted(value) => value,
            Token::Operator(operator) => operator.to_owned(),
        };
        Self {
            path: Vec::new(),
            operator: ":".to_owned(),
            value,
        }
    }

    fn holds(&self, entry: &Value) -> bool {
        if self.path.is_empty() {
            return contains(entry, &self.value.to_lowercase());
        }
        let found = self
            .path
            .iter()
            .fold(entry, |value, name| &value[name.as_str()]);
        let Some(found) = text(found) else {
            return self.operator == "!=";
        };
        let order = || self.order(&found);
        match self.operator.as_str() {
            "=" => found == self.value,
            "!=" => found != self.value,
            ":" => found.to_lowercase().contains(&self.value.to_lowercase()),
            ">=" => order().is_some_and(Ordering::is_ge),
            "<=" => order().is_some_and(Ordering::is_le),
            ">" => order().is_some_and(Ordering::is_gt),
            _ => order().is_some_and(Ordering::is_lt),
        }
    }

    fn order(&self, found: &str) -> Option<Ordering> {
        let rank = |text: &str| SEVERITIES.iter().position(|severity| *severity == text);
        match self.path[0].as_str() {
            "timestamp" | "receiveTimestamp" => {
                let time = |text: &str| DateTime::parse_from_rfc3339(text).ok();
                Some(time(found)?.cmp(&time(&self.value)?))
            }
            "severity" => Some(rank(found)?.cmp(&rank(&self.value)?)),
            _ => found
                .parse::<f64>()
                .ok()?
                .partial_cmp(&self.value.parse().ok()?),
        }
    }
}

impl Filter {
    pub(super) fn admits(&self, entry: &Value) -> bool {
        self.0.iter().all(|comparison| comparison.holds(entry))
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn contains(value: &Value, word: &str) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(|value| contains(value, word)),
        Value::Array(values) => values.iter().any(|value| contains(value, word)),
        value => text(value).is_some_and(|text| text.to_lowercase().contains(word)),
    }
}

fn unparseable(text: &str) -> Status {
    Status::invalid(format!("Unparseable filter: syntax error at '{text}'."))
}

fn not_emulated(what: &str) -> Status {
    Status::unimplemented(format!("{what} in filters of log entries is not emulated."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn admits(filter: &str) -> Result<bool, u16> {
        let entry = json!({
            "logName": "projects/p/logs/confidential-space-launcher",
            "timestamp": "2026-11-29T10:00:00Z",
            "severity": "ERROR",
            "resource": {"type": "gce_instance", "labels": {"instance_id": "12"}},
            "jsonPayload": {"_HOSTNAME": "vm1", "message": "it said \"no\""},
        });
        let filter: Result<Filter, Status> = filter.parse();
        filter
            .map(|filter| filter.admits(&entry))
            .map_err(|error| error.code)
    }

    #[test]
    fn all_comparisons_must_hold() {
        for (filter, expected) in [
            ("", true),
            ("resource.type=gce_instance", true),
            (
                "resource.type=\"gce_instance\" jsonPayload._HOSTNAME=\"vm1\"\nlog_name=\"projects/p/logs/confidential-space-launcher\"",
                true,
            ),
            (
                "resource.type=gce_instance AND jsonPayload._HOSTNAME=vm2",
                false,
            ),
            ("timestamp>=\"2026-11-29T09:59:59.123Z\"", true),
            ("timestamp<\"2026-11-29T10:00:00Z\"", false),
            ("severity>=WARNING", true),
            ("severity>ERROR", false),
            ("resource.labels.instance_id=\"12\"", true),
            ("resource.labels.zone!=x", true),
            ("jsonPayload.message:\"\\\"NO\\\"\"", true),
            ("said", true),
            ("\"did not\"", false),
        ] {
            assert_eq!(admits(filter), Ok(expected), "{filter}");
        }
    }

    #[test]
    fn other_filters_are_refused() {
        for (filter, code) in [
            ("severity>=", 400),
            ("= x", 400),
            ("a=\"b", 400),
            ("a OR b", 501),
            ("NOT a", 501),
            ("(a)", 501),
            ("-a", 501),
            ("a=~\"b\"", 501),
        ] {
            assert_eq!(admits(filter), Err(code), "{filter}");
        }
    }
}
