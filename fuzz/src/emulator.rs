use emulator::cel::{self, CelError, Variables};

use crate::check::{accepted, with_text};

/// An expression that has a value compiles, even if it names a variable that it does not need.
pub fn cel(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        let claims = serde_json::json!({"a": {"b": "c"}, "list": ["x", "y"], "n": 3, "t": true});
        let variables = Variables::default().with("assertion", &claims);
        let variables = variables.expect("JSON has a value in CEL");
        accepted(cel::condition(text, variables), |_| {
            let compiled = cel::compile(text, &["assertion"]);
            assert!(matches!(compiled, Ok(()) | Err(CelError::Undeclared(_))));
        })
    })
}
