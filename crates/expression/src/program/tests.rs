use super::*;
use crate::limits;
use serde_json::json;

fn condition(expression: &str, variables: Variables) -> Result<bool, Error> {
    Program::parse(expression)?.holds(variables)
}

fn text(expression: &str, variables: Variables) -> Result<String, Error> {
    Program::parse(expression)?.text(variables)
}

fn assertion(claims: serde_json::Value) -> Variables {
    Variables::default().with("assertion", &claims).unwrap()
}

#[test]
fn an_absent_claim_is_an_error_unless_tested_by_has() {
    let holds = |expression| condition(expression, assertion(json!({"a": {"b": "c"}})));
    assert_eq!(holds("assertion.a.b == 'c'"), Ok(true));
    let absent = holds("assertion.a.x == 'c'").unwrap_err().to_string();
    assert_eq!(absent, "evaluating expression: No such key: x");
    assert_eq!(holds("!has(assertion.a.x)"), Ok(true));
    let text = holds("assertion.a.b").unwrap_err().to_string();
    assert_eq!(
        text,
        "evaluating expression: expected bool, found String(\"c\")"
    );
    let open = holds("assertion.a.").unwrap_err().to_string();
    assert!(open.starts_with("compiling expression: "), "{open}");
}

fn compile(expression: &str) -> Result<(), Error> {
    super::compile(expression, &[Variable::new("a", Type::Dyn)]).map(drop)
}

#[test]
fn deep_nesting_is_an_error() {
    let chain = format!("1{}", "?1:1".repeat(1000));
    for text in ["(".repeat(2000), chain] {
        let error = compile(&text).unwrap_err();
        let by_parser = error.to_string().contains("Recursion limit");
        assert!(error == Error::Depth || by_parser, "{error}");
    }
    let error = compile(&" ".repeat(5000)).unwrap_err();
    assert_eq!(error, Error::Length);
    // The parser cancels pairs of negations.
    let negated = format!("{}true", "!".repeat(4092));
    assert_eq!(condition(&negated, Variables::default()), Ok(true));
}

#[test]
fn a_deep_tree_without_brackets_is_an_error() {
    for (first, more) in [
        ("1", "+1"),
        ("1", "<1"),
        ("a", ".a"),
        ("a", "[0]"),
        ("a", ".f()"),
    ] {
        let refused = compile(&format!("{first}{}", more.repeat(800)));
        assert_eq!(refused, Err(Error::Depth), "{first}{more}…");
    }
    let deepest = |more: &str| format!("1{}>0", more.repeat(limits::DEPTH - 2));
    assert_eq!(condition(&deepest("+1"), Variables::default()), Ok(true));
    let most = format!("true{}", "&&true".repeat(600));
    assert_eq!(condition(&most, Variables::default()), Ok(true));
}

#[test]
fn comprehensions_have_a_limit_on_items() {
    let list = |items: usize| assertion(json!({"l": vec![1; items]}));
    let nested = "assertion.l.all(x, assertion.l.all(y, assertion.l.all(z, z == 1)))";
    assert_eq!(condition(nested, list(20)), Ok(true));
    let error = condition(nested, list(200)).unwrap_err();
    assert!(error.to_string().contains("100000 items"), "{error}");
    let filtered = "size(assertion.l.filter(x, {'a': 1}.exists(k, k == 'a'))) == 200";
    assert_eq!(condition(filtered, list(200)), Ok(true));
}

#[test]
fn comprehensions_have_a_limit_on_growth() {
    let none = || Variables::default();
    let text = format!("size(['x']{}) == 1", ".map(a, a + a)".repeat(100));
    let error = condition(&text, none()).unwrap_err().to_string();
    assert!(error.contains("more than "), "{error}");
    let lists = format!("size([1]{}) == 1", ".map(a, [a, a])".repeat(100));
    let error = condition(&lists, none()).unwrap_err().to_string();
    assert!(error.contains("more than "), "{error}");
    let few = "[['x', 'y']].map(l, l + l)[0].size() == 4";
    assert_eq!(condition(few, none()), Ok(true));
}

#[test]
fn maps_to_text() {
    let claims = json!({"d": "sha256:1", "n": "7", "email": "A@b.example", "name": "x/keys/k/y"});
    for (expression, expected) in [
        (
            "'gcpcs::'+assertion.d+'::'+assertion.n",
            "gcpcs::sha256:1::7",
        ),
        ("assertion.email.split('@')[0].lowerAscii()", "a"),
        ("assertion.name.split('/').join('-')", "x-keys-k-y"),
        ("assertion.name.extract('keys/{key}/')", "k"),
        ("assertion.name.extract('keys/{rest}')", "k/y"),
        ("assertion.name.extract('{first}/')", "x"),
        ("assertion.name.extract('rings/{ring}/')", ""),
        ("assertion.name.extract('x/{rest}/none')", ""),
    ] {
        let mapped = text(expression, assertion(claims.clone()));
        assert_eq!(mapped.as_deref(), Ok(expected), "{expression}");
    }
    let refused = text("assertion.name.extract('x')", assertion(claims));
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("\"x\" has no part in braces"), "{error}");
}

#[test]
fn nested_replacements_have_a_limit_on_growth() {
    let once = ".replace('a', 'aaaaaaaaaaaaaaaa')";
    let error = text(&format!("'a'{}", once.repeat(100)), Variables::default());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("more than 100000 items"), "{error}");
    for (expression, expected) in [
        ("'abab'.replace('b', 'cc')", "accacc"),
        ("'abab'.replace('b', 'c', 1)", "acab"),
        ("'abab'.replace('b', 'c', 0)", "abab"),
        ("'abab'.replace('b', 'c', -1)", "acac"),
        ("'ab'.replace('', '-')", "-a-b-"),
    ] {
        let replaced = text(expression, Variables::default());
        assert_eq!(replaced.as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn nested_joins_have_a_limit_on_growth() {
    let once = ".split('').join('aaaaaaaaaaaaaaaa')";
    let error = text(&format!("'ab'{}", once.repeat(50)), Variables::default());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("more than 100000 items"), "{error}");
    let claims = json!({"long": "x".repeat(1 << 20)});
    let split = condition(
        "(assertion.long + assertion.long).split('') == []",
        assertion(claims),
    );
    let error = split.unwrap_err().to_string();
    assert!(error.contains("more than 100000 items"), "{error}");
    for (expression, expected) in [
        ("['a', 'b'].join()", "ab"),
        ("['a', 'b'].join(', ')", "a, b"),
        ("[].join('-')", ""),
        ("'a,b,c'.split(',', 2).join('-')", "a-b,c"),
    ] {
        let joined = text(expression, Variables::default());
        assert_eq!(joined.as_deref(), Ok(expected), "{expression}");
    }
    assert!(text("['a', 1].join('-')", Variables::default()).is_err());
}

#[test]
fn no_operator_passes_over_the_limit() {
    let nested = "assertion.l.all(x, assertion.l.all(y, assertion.l.all(z, z == 1)))";
    let variables = assertion(json!({"l": vec![1; 200]}));
    let either = condition(&format!("{nested} || true"), variables);
    let error = either.unwrap_err().to_string();
    assert!(error.contains("more than 100000 items"), "{error}");
}

#[test]
fn patterns_have_a_limit_on_number() {
    let list: Vec<_> = (0..2000).map(|n| format!("a{{{n}}}")).collect();
    let variables = || assertion(json!({"l": list}));
    let all = condition("assertion.l.map(p, 'a'.matches(p)) == []", variables());
    let error = all.unwrap_err().to_string();
    assert!(error.contains("more than 100000 items"), "{error}");
    let one = "assertion.l.all(p, !p.matches('^b$') && !matches(p, '^b$'))";
    assert_eq!(condition(one, variables()), Ok(true));
}
