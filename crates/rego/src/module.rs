use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;
use std::{fmt, thread};

use chrono::{DateTime, Utc};
use regorus::utils::limits::{ExecutionTimerConfig, PolicyLengthConfig};
use regorus::{Engine, Value};

use crate::Error;
use crate::guarded::{self, GUARDED};
use crate::json;

/// Functions whose answers differ between evaluations, or that leave the process.
const REFUSED: [(&str, u8); 4] = [
    ("http.send", 1),
    ("opa.runtime", 0),
    ("rand.intn", 2),
    ("uuid.rfc4122", 1),
];

/// A module, and the rule of it that answers.
#[derive(Clone, Debug)]
pub struct Module {
    engine: Engine,
    rule: String,
}

/// What a module says about a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The rule is `true`. It is the only answer that allows anything.
    True,
    /// The rule has no value.
    Undefined,
    /// The rule has another value, in Rego's notation.
    Other(String),
}

impl Module {
    /// The rule that cosign asks for.
    pub const COSIGN_RULE: &str = "data.signature.allow";
    /// The largest module, in bytes.
    pub const LIMIT: u64 = 1 << 20;
    /// The largest document that a module judges, in bytes of JSON.
    pub const INPUT_LIMIT: u64 = 8 << 20;
    /// The stack of an evaluation, in bytes. It is not that of the caller, so that what a module can judge does not depend on
    /// who asks it.
    const STACK: usize = 64 << 20;
    /// The longest evaluation. It is measured in the time of the machine, so that a slow one may refuse what a fast one
    /// allows, and never the other way around.
    pub const TIME: Duration = Duration::from_secs(5);

    /// Parses a module. It is read in the syntax before OPA 1.0, as cosign does, and otherwise in the one since.
    ///
    /// # Errors
    /// The module is larger than [`Self::LIMIT`], not Rego, or has no rule at `rule`, such as `data.signature.allow`.
    pub fn parse(source: &str, rule: &str) -> Result<Self, Error> {
        Self::parse_within(source, rule, Self::TIME)
    }

    fn parse_within(source: &str, rule: &str, time: Duration) -> Result<Self, Error> {
        let (size, limit) = (source.len() as u64, Self::LIMIT);
        if size > limit {
            return Err(Error::Size { size, limit });
        }
        let mut engine = match load(source, Syntax::V0, time) {
            Ok(engine) => engine,
            Err(v0) => load(source, Syntax::V1, time).map_err(|v1| Error::Syntax { v0, v1 })?,
        };
        let compiled = engine.compile_with_entrypoint(&rule.into());
        compiled.map_err(|_| Error::Rule {
            rule: rule.to_owned(),
        })?;
        let rule = rule.to_owned();
        Ok(Self { engine, rule })
    }

    /// The module with further documents, which it finds under `data`.
    ///
    /// # Errors
    /// `data` is not an object, has a member where the module has a rule, or an object that would be read as a number.
    pub fn with_data(mut self, data: &serde_json::Value) -> Result<Self, Error> {
        let wrong = |error: &dyn fmt::Display| Error::Data(error.to_string());
        json::check(data).map_err(|error| wrong(&error))?;
        let data = Value::from_json_str(&data.to_string()).map_err(|error| wrong(&error))?;
        self.engine.add_data(data).map_err(|error| wrong(&error))?;
        Ok(self)
    }

    /// What the module says about `input`. `now` is the time that `time.now_ns` gives.
    ///
    /// # Errors
    /// `input` is larger than [`Self::INPUT_LIMIT`] or has an object that would be read as a number, a function fails or is
    /// refused, rules contradict each other, the evaluation takes longer than [`Self::TIME`], or `now` is not within the
    /// years 1678 to 2262.
    pub fn evaluate(&self, input: &serde_json::Value, now: DateTime<Utc>) -> Result<Answer, Error> {
        json::check(input).map_err(Error::Evaluation)?;
        let input = input.to_string();
        let (size, limit) = (input.len() as u64, Self::INPUT_LIMIT);
        if size > limit {
            return Err(Error::Input { size, limit });
        }
        let failed = |reason: &dyn fmt::Display| Error::Evaluation(reason.to_string());
        thread::scope(|scope| {
            let own = thread::Builder::new().stack_size(Self::STACK);
            let started = own.spawn_scoped(scope, || self.answer(&input, now));
            let thread = started.map_err(|error| failed(&error))?;
            let ended = thread.join();
            ended.unwrap_or_else(|_| Err(failed(&"the interpreter panicked")))
        })
    }

    fn answer(&self, input: &str, now: DateTime<Utc>) -> Result<Answer, Error> {
        let wrong = |error: &dyn fmt::Display| Error::Evaluation(error.to_string());
        let mut engine = self.engine.clone();
        extend(&mut engine, now).map_err(|error| wrong(&error))?;
        let input = Value::from_json_str(input).map_err(|error| wrong(&error))?;
        engine.set_input(input);
        let results = engine.eval_query(self.rule.clone(), false);
        let results = results.map_err(|error| wrong(&error))?.result;
        match &results[..] {
            [] => Ok(Answer::Undefined),
            [one] => match &one.expressions[..] {
                [expression] => Ok(answer(&expression.value)),
                _ => Err(Error::Evaluation("more than one expression".to_owned())),
            },
            _ => Err(Error::Evaluation("more than one result".to_owned())),
        }
    }
}

impl Answer {
    /// Whether the answer is `true`.
    pub fn allows(&self) -> bool {
        *self == Self::True
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::True => out.write_str("true"),
            Self::Undefined => out.write_str("undefined"),
            Self::Other(value) => out.write_str(value),
        }
    }
}

enum Syntax {
    V0,
    V1,
}

fn load(source: &str, syntax: Syntax, time: Duration) -> Result<Engine, String> {
    let mut engine = Engine::new();
    engine.set_rego_v0(matches!(syntax, Syntax::V0));
    engine.set_strict_builtin_errors(true);
    // Otherwise `print` writes to standard error.
    engine.set_gather_prints(true);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::MAX,
        max_file_bytes: NonZeroUsize::MAX,
        max_lines: NonZeroUsize::MAX,
    });
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: time,
        check_interval: NonZeroU32::MIN,
    });
    let added = engine.add_policy("module".to_owned(), source.to_owned());
    added.map_err(|error| error.to_string())?;
    Ok(engine)
}

/// Replaces the functions that do not depend on the input alone, and those that need a limit.
fn extend(engine: &mut Engine, now: DateTime<Utc>) -> Result<(), String> {
    let nanoseconds = now.timestamp_nanos_opt();
    let now = Value::from(nanoseconds.ok_or_else(|| format!("{now} is out of range"))?);
    let clock = move |_: Vec<Value>| Ok(now.clone());
    let added = engine.add_extension("time.now_ns".to_owned(), 0, Box::new(clock));
    added.map_err(|error| error.to_string())?;
    for guarded in GUARDED {
        let (name, arguments, _) = guarded;
        let call = move |arguments: Vec<Value>| {
            guarded::call(guarded, &arguments).map_err(|error| std::io::Error::other(error).into())
        };
        let added = engine.add_extension(name.to_owned(), arguments, Box::new(call));
        added.map_err(|error| error.to_string())?;
    }
    for (name, arguments) in REFUSED {
        let refuse =
            move |_: Vec<Value>| Err(std::io::Error::other(format!("{name} is refused")).into());
        let added = engine.add_extension(name.to_owned(), arguments, Box::new(refuse));
        added.map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn answer(value: &Value) -> Answer {
    match value {
        Value::Bool(true) => Answer::True,
        Value::Undefined => Answer::Undefined,
        other => Answer::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000, 0).unwrap()
    }

    fn module(source: &str) -> Result<Module, Error> {
        let source = format!("package signature\n{source}");
        Module::parse_within(&source, Module::COSIGN_RULE, Duration::from_millis(200))
    }

    fn ask(source: &str, input: &serde_json::Value) -> Result<Answer, Error> {
        module(source).unwrap().evaluate(input, now())
    }

    #[track_caller]
    fn check(source: &str, expected: &Answer) {
        assert_eq!(ask(source, &json!({"a": 1})).unwrap(), *expected);
    }

    #[track_caller]
    fn check_error(source: &str, reason: &str) {
        let error = ask(source, &json!({"a": 1})).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn both_syntaxes_are_read() {
        check("allow { input.a == 1 }", &Answer::True);
        check("allow if input.a == 1", &Answer::True);
        check("import rego.v1\nallow if { input.a == 1 }", &Answer::True);
        check(
            "import future.keywords\nallow if 1 in [input.a]",
            &Answer::True,
        );
        let error = module("allow {").unwrap_err().to_string();
        assert!(
            error.contains("as Rego v0") && error.contains("as Rego v1"),
            "{error}"
        );
    }

    #[test]
    fn only_true_allows() {
        check("allow { input.a == 2 }", &Answer::Undefined);
        check("allow { input.b }", &Answer::Undefined);
        check("default allow = false", &Answer::Other("false".to_owned()));
        check("allow = \"true\"", &Answer::Other("\"true\"".to_owned()));
        check("allow = 1", &Answer::Other("1".to_owned()));
        let set = ask("allow[m] { m := \"x\" }", &json!({})).unwrap();
        assert!(matches!(set, Answer::Other(_)), "{set:?}");
        for answer in [Answer::Undefined, Answer::Other("true ".to_owned()), set] {
            assert!(!answer.allows());
        }
    }

    #[test]
    fn an_error_is_never_undefined() {
        check_error("allow { not to_number(\"x\") }", "to_number");
        check_error(
            "bad { json.unmarshal(\"{\").x }\nallow { not bad }",
            "json.unmarshal",
        );
        check_error(
            "allow = true { input.a == 1 }\nallow = false { input.a == 1 }",
            "conflict",
        );
    }

    #[test]
    fn the_time_is_an_argument_and_nothing_else_is_read() {
        check("allow { time.now_ns() == 1000000000000000 }", &Answer::True);
        check_error(
            "allow { http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1\"}) }",
            "http.send",
        );
        check_error("allow { not opa.runtime().env.HOME }", "opa.runtime");
        check_error("allow { rand.intn(\"x\", 2) < 3 }", "rand.intn");
        check_error("allow { uuid.rfc4122(\"x\") != \"\" }", "uuid.rfc4122");
    }

    #[test]
    fn an_evaluation_ends() {
        let source =
            "allow { count([1 | numbers.range(1, 3000)[_]; numbers.range(1, 3000)[_]]) > 0 }";
        let begun = std::time::Instant::now();
        assert!(matches!(ask(source, &json!({})), Err(Error::Evaluation(_))));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_large_document_is_refused() {
        let module = module("allow { input.a }").unwrap();
        let sized = |size: u64| {
            let text = "x".repeat(usize::try_from(size).unwrap() - r#"{"a":""}"#.len());
            module.evaluate(&json!({ "a": text }), now())
        };
        assert_eq!(sized(Module::INPUT_LIMIT).unwrap(), Answer::True);
        let error = sized(Module::INPUT_LIMIT + 1).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Input {
                    size: 8_388_609,
                    ..
                }
            ),
            "{error}"
        );
    }

    /// A function that calls itself for each level of the document needs more stack than a thread may have.
    #[test]
    fn the_stack_is_not_that_of_the_caller() {
        let source = "depth(x) = 1 { not x.a }\ndepth(x) = y { x.a; y := depth(x.a) + 1 }\nallow { depth(input) == 60 }";
        let module = module(source).unwrap();
        let deep = (0..59).fold(json!({}), |inner, _| json!({ "a": inner }));
        let small = thread::Builder::new().stack_size(128 << 10);
        let asked = small.spawn(move || module.evaluate(&deep, now())).unwrap();
        assert_eq!(asked.join().unwrap().unwrap(), Answer::True);
    }

    #[test]
    fn a_module_without_the_rule_is_refused() {
        for source in ["", "deny { true }", "allowed { true }"] {
            let refused = module(source);
            assert!(matches!(refused, Err(Error::Rule { .. })), "{refused:?}");
        }
        let refused = Module::parse("package other\nallow { true }", Module::COSIGN_RULE);
        assert!(matches!(refused, Err(Error::Rule { .. })), "{refused:?}");
        let large = format!(
            "package signature\nallow {{ true }}\n#{}",
            "x".repeat(1 << 20)
        );
        let refused = Module::parse(&large, Module::COSIGN_RULE);
        assert!(matches!(refused, Err(Error::Size { .. })), "{refused:?}");
    }

    #[test]
    fn print_writes_nothing_and_refuses_nothing() {
        check("allow { print(\"x\"); input.a == 1 }", &Answer::True);
    }

    #[test]
    fn deep_expressions_are_refused() {
        let deep = format!(
            "allow {{ {}1{} == 1 }}",
            "(".repeat(10_000),
            ")".repeat(10_000)
        );
        assert!(matches!(module(&deep), Err(Error::Syntax { .. })));
    }

    #[test]
    fn data_is_beside_the_input() {
        let module = module("allow { input.a == data.wanted }").unwrap();
        let module = |data| module.clone().with_data(&data);
        let answer = module(json!({"wanted": 1}))
            .unwrap()
            .evaluate(&json!({"a": 1}), now());
        assert_eq!(answer.unwrap(), Answer::True);
        assert!(matches!(module(json!([1])), Err(Error::Data(_))));
    }
}
