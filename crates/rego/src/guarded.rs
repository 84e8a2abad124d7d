//! Functions of Rego that make a large value of a small one. They are limited, and otherwise do what they do.

use regorus::{Engine, Value};

use crate::json;

/// The longest range, in numbers.
const RANGE: i64 = 1 << 20;
/// The farthest shift to the left, in bits.
const SHIFT: i64 = 1 << 12;
/// The most digits of an exponent.
const EXPONENT: usize = 3;

/// A function, the number of its arguments, and what it does.
pub(crate) type Guarded = (&'static str, u8, Function);

type Function = fn(&str, &[Value]) -> Result<Value, String>;

pub(crate) const GUARDED: [Guarded; 8] = [
    ("numbers.range", 2, range),
    ("numbers.range_step", 3, range),
    ("bits.lsh", 2, shift),
    ("json.is_valid", 1, is_valid),
    ("json.unmarshal", 1, parse),
    ("to_number", 1, parse),
    ("units.parse", 1, unit),
    ("units.parse_bytes", 1, unit),
];

/// Calls a function, and names it in an error.
pub(crate) fn call((name, _, function): Guarded, arguments: &[Value]) -> Result<Value, String> {
    function(name, arguments).map_err(|reason| format!("{name}: {reason}"))
}

fn range(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let numbers = numbers(arguments)?;
    let [first, last, ..] = numbers[..] else {
        return Err("expected two numbers".to_owned());
    };
    // The step is at least 1.
    match first.abs_diff(last) < RANGE.unsigned_abs() {
        true => original(name, arguments),
        false => Err(format!("a range of more than {RANGE} numbers is refused")),
    }
}

fn shift(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let numbers = numbers(arguments)?;
    match numbers[..] {
        [_, bits] if bits <= SHIFT => original(name, arguments),
        _ => Err(format!("a shift of more than {SHIFT} bits is refused")),
    }
}

fn numbers(arguments: &[Value]) -> Result<Vec<i64>, String> {
    let mut numbers = Vec::new();
    for argument in arguments {
        let number = argument.as_i64();
        numbers.push(number.map_err(|_| "expected numbers of 64 bits".to_owned())?);
    }
    Ok(numbers)
}

fn is_valid(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let [Value::String(text)] = arguments else {
        return original(name, arguments);
    };
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(document) => json::check(&document).map(|()| Value::from(true)),
        Err(_) => Ok(Value::from(false)),
    }
}

/// Parses text as JSON. `regorus` is not given other text: it reads the numbers before it sees the fault.
fn parse(name: &str, arguments: &[Value]) -> Result<Value, String> {
    if let [Value::String(text)] = arguments {
        let document =
            serde_json::from_str::<serde_json::Value>(text).map_err(|error| error.to_string())?;
        json::check(&document)?;
    }
    original(name, arguments)
}

/// Parses text as a number with a unit.
fn unit(name: &str, arguments: &[Value]) -> Result<Value, String> {
    if let [Value::String(text)] = arguments {
        let exponent = text.split_once(['e', 'E']).map_or("", |(_, rest)| rest);
        if exponent.bytes().filter(u8::is_ascii_digit).count() > EXPONENT {
            return Err(format!(
                "an exponent of more than {EXPONENT} digits is refused"
            ));
        }
    }
    original(name, arguments)
}

/// The function of `regorus`, which extensions hide, in an engine without them.
fn original(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let inputs: Vec<String> = (0..arguments.len())
        .map(|index| format!("input[{index}]"))
        .collect();
    let query = format!("{name}({})", inputs.join(", "));
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    engine.set_input(Value::from(arguments.to_vec()));
    let results = engine.eval_query(query, false);
    let results = results.map_err(|error| error.to_string())?.result;
    let first = results.into_iter().flat_map(|one| one.expressions).next();
    Ok(first.map_or(Value::Undefined, |expression| expression.value))
}
