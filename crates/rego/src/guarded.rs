//! Functions of Rego that make a large value of small numbers. They are limited, take numbers of 64 bits only, and otherwise do
//! what they do.

use regorus::{Engine, Value};

/// The longest range, in numbers.
const RANGE: i64 = 1 << 20;
/// The farthest shift to the left, in bits.
const SHIFT: i64 = 1 << 12;

/// A function, the number of its arguments, and what they must be.
pub(crate) type Guarded = (&'static str, u8, fn(&[i64]) -> Result<(), String>);

pub(crate) const GUARDED: [Guarded; 3] = [
    ("numbers.range", 2, range),
    ("numbers.range_step", 3, range),
    ("bits.lsh", 2, shift),
];

fn range(numbers: &[i64]) -> Result<(), String> {
    let [first, last, ..] = *numbers else {
        return Err("expected two numbers".to_owned());
    };
    // The step is at least 1.
    match first.abs_diff(last) < RANGE.unsigned_abs() {
        true => Ok(()),
        false => Err(format!("a range of more than {RANGE} numbers is refused")),
    }
}

fn shift(numbers: &[i64]) -> Result<(), String> {
    match numbers {
        [_, bits] if *bits <= SHIFT => Ok(()),
        _ => Err(format!("a shift of more than {SHIFT} bits is refused")),
    }
}

/// Calls the function of `regorus`, which extensions hide, in an engine without them.
pub(crate) fn call((name, _, check): Guarded, arguments: &[Value]) -> Result<Value, String> {
    let refused = |reason: String| format!("{name}: {reason}");
    let numbers = arguments.iter().map(Value::as_i64);
    let numbers: Vec<i64> = numbers
        .collect::<Result<_, _>>()
        .map_err(|_| refused("expected numbers of 64 bits".to_owned()))?;
    check(&numbers).map_err(refused)?;
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    let query = format!("{name}({})", numbers.join(", "));
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    let results = engine.eval_query(query, false);
    let results = results.map_err(|error| error.to_string())?.result;
    let first = results.into_iter().flat_map(|one| one.expressions).next();
    Ok(first.map_or(Value::Undefined, |expression| expression.value))
}
