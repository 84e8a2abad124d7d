use expression::{Program, Type, Variable, Variables, compile};

use crate::check::{accepted, with_text};

/// An expression that compiles has a value of the type that the check found, if it has a value.
pub fn expression(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        let claims = serde_json::json!({"a": {"b": "c"}, "list": ["x", "y"], "n": 3, "t": true});
        let declared = Variable::new("assertion", Type::map(Type::String, Type::Dyn));
        let variables = Variables::default().with("assertion", &claims);
        let variables = variables.expect("JSON has a value in CEL");
        let parsed = Program::parse(text).and_then(|program| program.holds(variables.clone()));
        let compiled = compile(text, &[declared]);
        accepted(compiled.and(parsed), drop)
    })
}
