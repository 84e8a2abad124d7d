//! The condition under which an image that was rotated out keeps the role until a time: the only condition that counts.

use chrono::{DateTime, SecondsFormat, Utc};

/// The title of our conditions.
pub const TITLE: &str = "countersign: rotated out";
const BEFORE: &str = "request.time < timestamp('";
const END: &str = "')";

/// The condition that is met before a time.
pub fn before(time: DateTime<Utc>) -> String {
    let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!("{BEFORE}{time}{END}")
}

/// The time before which a condition is met, if it is one of ours and nothing more.
pub fn until(condition: &str) -> Option<DateTime<Utc>> {
    let time = condition.strip_prefix(BEFORE)?.strip_suffix(END)?;
    let time = DateTime::parse_from_rfc3339(time).ok()?.to_utc();
    (before(time) == condition).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_our_condition_and_nothing_more() {
        let time = "2026-11-29T09:00:00Z".parse().unwrap();
        let ours = before(time);
        assert_eq!(ours, "request.time < timestamp('2026-11-29T09:00:00Z')");
        assert_eq!(until(&ours), Some(time));
        for other in [
            format!("{ours} "),
            format!("(true) || (true) && {ours}"),
            ours.replace('<', ">"),
            ours.replace("09:00:00Z", "10:00:00+01:00"),
            "request.time < timestamp('soon')".to_owned(),
            String::new(),
        ] {
            assert_eq!(until(&other), None, "{other}");
        }
    }
}
