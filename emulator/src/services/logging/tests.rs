use std::sync::Arc;

use super::*;
use crate::services::testing::{OWNER, iam};

fn entry(message: &str) -> Value {
    json!({"logName": "projects/project/logs/l", "jsonPayload": {"message": message}})
}

fn logging() -> Logging {
    Logging::new(Log::default(), Arc::new(iam()))
}

fn write(logging: &Logging, entries: Vec<Value>) -> Result<(), u16> {
    let written = logging.write(&OWNER, entries, Effect::Write);
    written.map_err(|status| status.code)
}

fn page(logging: &Logging, filter: &str, order: Order, token: &str) -> (Vec<String>, String) {
    let request = List {
        projects: vec!["projects/project".into()],
        filter: filter.into(),
        order,
        most: 2,
        page_token: token.into(),
    };
    let found = logging.list(&OWNER, &request).unwrap();
    let text = |entry: &Value| entry["jsonPayload"]["message"].as_str().unwrap().to_owned();
    (found.entries.iter().map(text).collect(), found.next)
}

fn messages(logging: &Logging, filter: &str, order: Order) -> Vec<String> {
    page(logging, filter, order, "").0
}

#[test]
fn entries_are_kept_and_read_in_both_orders() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Logging::new(Log::open(folder.path()).unwrap(), Arc::new(iam()));
    let logging = open();
    write(&logging, ["one", "two", "three"].map(entry).into()).unwrap();
    drop(logging);
    let logging = open();
    assert_eq!(messages(&logging, "", Order::Ascending), ["one", "two"]);
    assert_eq!(messages(&logging, "", Order::Descending), ["three", "two"]);
    let only = "jsonPayload.message=\"two\"";
    assert_eq!(messages(&logging, only, Order::Ascending), ["two"]);
    let large = vec![entry(&"x".repeat(ENTRY))];
    assert_eq!(write(&logging, large), Err(400));
}

#[test]
fn insert_ids_do_not_repeat_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = BTreeSet::new();
    for run in 1..=3 {
        let logging = Logging::new(Log::open(folder.path()).unwrap(), Arc::new(iam()));
        write(&logging, vec![entry("one"), entry("two")]).unwrap();
        let log = logging.lock();
        ids.extend(
            log.entries()
                .map(|(_, entry)| entry["insertId"].to_string()),
        );
        assert_eq!(ids.len(), 2 * run);
    }
}

#[test]
fn pages_follow_each_other() {
    let logging = logging();
    write(&logging, ["1", "2", "3", "4", "5"].map(entry).into()).unwrap();
    for (order, expected) in [
        (Order::Ascending, "1 2 3 4 5"),
        (Order::Descending, "5 4 3 2 1"),
    ] {
        let (mut token, mut all) = (String::new(), Vec::new());
        loop {
            let (messages, next) = page(&logging, "", order, &token);
            all.extend(messages);
            token = next;
            if token.is_empty() {
                break;
            }
            // What is newer does not move the pages.
            if order == Order::Descending && all.len() == 2 {
                write(&logging, vec![entry("6")]).unwrap();
            }
        }
        assert_eq!(all.join(" "), expected);
    }
    let request = List {
        projects: vec!["projects/project".into()],
        page_token: "nonsense".into(),
        ..List::default()
    };
    assert_eq!(logging.list(&OWNER, &request).unwrap_err().code, 400);
}

#[test]
fn a_dry_run_checks_and_writes_nothing() {
    let logging = logging();
    let dry = |entry: Value| {
        let checked = logging.write(&OWNER, vec![entry], Effect::DryRun);
        checked.map_err(|status| status.code)
    };
    assert_eq!(dry(entry("one")), Ok(()));
    assert_eq!(dry(json!({"logName": "projects/project"})), Err(400));
    assert_eq!(dry(json!({"logName": "projects/other/logs/l"})), Err(403));
    assert!(messages(&logging, "", Order::Ascending).is_empty());
    // One that is refused refuses all.
    let both = vec![entry("one"), json!({"logName": "l"})];
    assert_eq!(write(&logging, both), Err(400));
    assert!(messages(&logging, "", Order::Ascending).is_empty());
}

#[test]
fn a_project_may_be_named_by_its_number() {
    let logging = logging();
    let number = crate::project::project_number("project");
    let mut one = entry("one");
    one["logName"] = json!(format!("projects/{number}/logs/l"));
    write(&logging, vec![one, entry("two")]).unwrap();
    for project in ["projects/project".to_owned(), format!("projects/{number}")] {
        let request = List {
            projects: vec![project],
            most: 9,
            ..List::default()
        };
        assert_eq!(logging.list(&OWNER, &request).unwrap().entries.len(), 2);
    }
    let filter = "logName=\"projects/project/logs/l\"";
    assert_eq!(messages(&logging, filter, Order::Ascending).len(), 2);
}
