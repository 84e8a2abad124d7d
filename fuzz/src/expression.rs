use expression::{Error, Program, Type, Value, Variable, Variables, compile};

use crate::check::{accepted, with_text};

/// An expression that compiles has a value of the type that the check found, if it has a value. No error of names or
/// overloads is left to evaluation if no part is dynamic.
pub fn expression(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        let claims = serde_json::json!({"a": {"b": "c"}, "list": ["x", "y"], "n": 3, "t": true});
        let declared = Variable::new("assertion", Type::map(Type::String, Type::Dyn));
        let variables = Variables::default().with("assertion", &claims);
        let variables = variables.expect("JSON has a value in CEL");
        accepted(compile(text, &[declared]), |program| {
            let value = program.evaluate(variables.clone());
            if let Ok(value) = &value {
                assert!(
                    is_of(value, program.kind()),
                    "{value:?}: {}",
                    program.kind()
                );
            }
            let parsed = Program::parse(text).and_then(|program| program.evaluate(variables));
            assert!(is_same(&parsed, &value), "{parsed:?}, {value:?}");
        })
    })
}

fn is_same(one: &Result<Value, Error>, other: &Result<Value, Error>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => is_equal(one, other),
        (one, other) => one.is_ok() == other.is_ok(),
    }
}

fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // Not a number is not equal to itself.
        (Value::Float(one), Value::Float(other)) => one == other || one.is_nan() && other.is_nan(),
        (Value::List(one), Value::List(other)) => {
            // A list that is made of a map has no defined order (CEL, macros).
            let mut items = one.iter();
            one.len() == other.len()
                && items.all(|item| other.iter().any(|other| is_equal(item, other)))
        }
        (Value::Map(one), Value::Map(other)) => {
            let same = |key, value| {
                other
                    .map
                    .get(key)
                    .is_some_and(|found| is_equal(value, found))
            };
            one.map.len() == other.map.len() && one.map.iter().all(|(key, value)| same(key, value))
        }
        _ => one == other,
    }
}

fn is_of(value: &Value, kind: &Type) -> bool {
    match (value, kind) {
        (_, Type::Dyn)
        | (Value::Bool(_), Type::Bool)
        | (Value::Int(_), Type::Int)
        | (Value::UInt(_), Type::Uint)
        | (Value::Float(_), Type::Double)
        | (Value::String(_), Type::String | Type::Type)
        | (Value::Bytes(_), Type::Bytes)
        | (Value::Null, Type::Null | Type::Duration | Type::Timestamp)
        | (Value::Timestamp(_), Type::Timestamp)
        | (Value::Duration(_), Type::Duration) => true,
        (Value::List(items), Type::List(of)) => items.iter().all(|item| is_of(item, of)),
        (Value::Map(map), Type::Map(key, value)) => {
            let mut entries = map.map.iter();
            entries.all(|(k, v)| is_of(&k.into(), key) && is_of(v, value))
        }
        _ => false,
    }
}
