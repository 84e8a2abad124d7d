//! The messages in `testdata/messages`, which the client makes too (docs/messages.md).

use std::path::Path;

use serde_json::Value;

use super::*;

/// The vectors by file name.
fn vectors() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/messages");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let vector = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        (name, vector)
    };
    std::fs::read_dir(folder).unwrap().map(read).collect()
}

#[test]
fn counts_a_message_as_it_is_documented() {
    let right = vectors()
        .into_iter()
        .filter(|(name, _)| !name.ends_with("_fail"));
    let mut count = 0;
    for (file, vector) in right {
        let services = Services::new();
        let sender = vector["collaborator"].as_str().unwrap();
        let other = ["one", "two"].into_iter().find(|name| *name != sender);
        services.send(other.unwrap(), "m", "alice");
        let name = vector["message"].as_str().unwrap();
        services.publish(name, vector["published"].clone());
        let outcome = services.run();
        outcome.result.unwrap();
        let line = format!("counted: message {name} of {sender}");
        assert!(outcome.log.contains(&line), "{file}: {}", outcome.log);
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn refuses_a_message_with_other_associated_data() {
    let wrong = vectors()
        .into_iter()
        .filter(|(name, _)| name.ends_with("_fail"));
    let mut count = 0;
    for (file, vector) in wrong {
        let services = Services::new();
        both_send(&services);
        let name = vector["message"].as_str().unwrap();
        services.publish(name, vector["published"].clone());
        // The run ends when both have sent: the vector's message comes first.
        services.state.lock().unwrap().queue.rotate_right(1);
        let outcome = services.run();
        outcome.result.unwrap();
        let reason = vector["reason"].as_str().unwrap();
        let is_refused = |line: &str| line.contains("refusing message") && line.contains(reason);
        assert!(
            outcome.log.lines().any(is_refused),
            "{file}: {}",
            outcome.log
        );
        assert_eq!(services.left(), [name], "{file}");
        count += 1;
    }
    assert_eq!(count, 3);
}
