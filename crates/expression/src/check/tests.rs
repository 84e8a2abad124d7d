use super::*;
use crate::google::{attribute_condition, attribute_mapping, iam_condition};
use crate::{compile, compile_condition};

fn refusal(expression: &str) -> String {
    match compile_condition(expression, &attribute_condition()) {
        Ok(_) => format!("{expression} is accepted"),
        Err(error) => error.to_string(),
    }
}

fn kind(expression: &str) -> Result<String, Error> {
    compile(expression, &attribute_condition()).map(|program| program.kind().to_string())
}

#[test]
fn types_follow_from_literals_variables_and_functions() {
    for (expression, expected) in [
        ("1", "int"),
        ("1u", "uint"),
        ("-1.5", "double"),
        ("b'a'", "bytes"),
        ("null", "null"),
        ("[]", "list(dyn)"),
        ("[1, 2]", "list(int)"),
        ("[1, 'a']", "list(dyn)"),
        ("{}", "map(dyn, dyn)"),
        ("{'a': 1, 'b': 'c'}", "map(string, dyn)"),
        ("[[], ['a']]", "list(list(string))"),
        ("assertion", "map(string, dyn)"),
        ("assertion.a.b['c'][0]", "dyn"),
        ("assertion.a + 'b'", "string"),
        ("assertion.a + assertion.b", "dyn"),
        ("assertion.a == 1", "bool"),
        ("google.subject", "string"),
        ("google.groups.map(g, g.size())", "list(int)"),
        ("google.groups.filter(g, g != '')", "list(string)"),
        ("attribute.a", "string"),
        ("attribute.exists(k, k == 'a')", "bool"),
        ("has(assertion.a.b)", "bool"),
        ("assertion.a ? 1 : 2", "int"),
        ("assertion.a ? assertion.b : 2", "dyn"),
        ("[1][0] < 2.5", "bool"),
        ("type(1) == int && type(int) == type", "bool"),
        ("type(assertion.a) == google.protobuf.Timestamp", "bool"),
        ("timestamp(1) - timestamp(0)", "duration"),
        ("timestamp('2026-01-01T00:00:00Z').getHours('UTC')", "int"),
        ("'a,b'.split(',')", "list(string)"),
        ("dyn('a')", "dyn"),
        ("[].map(x, x.a)", "list(dyn)"),
        ("[1].map(x, x > 0, [x])", "list(list(int))"),
        ("{'a': 1}.map(k, k)", "list(string)"),
        ("[[1]].all(l, l.exists(x, x == 1))", "bool"),
    ] {
        assert_eq!(kind(expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn faults_are_refused_beside_any_operand_of_or() {
    for (fault, reason) in [
        ("x", "undeclared reference to 'x'"),
        ("x.y == 'a'", "undeclared reference to 'x'"),
        ("f(1)", "undeclared reference to 'f'"),
        ("assertion.a.f()", "undeclared reference to 'f'"),
        ("5", "expected type 'bool' but found 'int'"),
        (
            "'a' + 1 == 'a1'",
            "found no matching overload for '_+_' applied to '(string, int)'",
        ),
        (
            "1 == 'a'",
            "found no matching overload for '_==_' applied to '(int, string)'",
        ),
        (
            "google.subject == 1",
            "found no matching overload for '_==_' applied to '(string, int)'",
        ),
        (
            "'a' in 'abc'",
            "found no matching overload for '@in' applied to '(string, string)'",
        ),
        (
            "1 in ['a']",
            "found no matching overload for '@in' applied to '(int, list(string))'",
        ),
        (
            "!1",
            "found no matching overload for '!_' applied to '(int)'",
        ),
        (
            "-'a' == 'a'",
            "found no matching overload for '-_' applied to '(string)'",
        ),
        (
            "size(1) == 1",
            "found no matching overload for 'size' applied to '(int)'",
        ),
        (
            "'a'.size(1) == 1",
            "found no matching overload for 'size' applied to 'string.(int)'",
        ),
        (
            "startsWith('a', 'a')",
            "found no matching overload for 'startsWith' applied to '(string, string)'",
        ),
        (
            "'a'.startsWith('a', 'b')",
            "found no matching overload for 'startsWith' applied to 'string.(string, string)'",
        ),
        (
            "google.groups.contains('a')",
            "found no matching overload for 'contains' applied to 'list(string).(string)'",
        ),
        (
            "attribute.a[0] == 'a'",
            "found no matching overload for '_[_]' applied to '(string, int)'",
        ),
        (
            "assertion[0] == 'a'",
            "found no matching overload for '_[_]' applied to '(map(string, dyn), int)'",
        ),
        ("google.nothing == 'a'", "undefined field 'nothing'"),
        (
            "google.subject.a == 'a'",
            "type 'string' does not support field selection",
        ),
        (
            "has(google.subject.a)",
            "type 'string' does not support field selection",
        ),
        (
            "google.subject.all(c, true)",
            "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)",
        ),
        (
            "assertion.l.all(x, 1)",
            "expected type 'bool' but found 'int'",
        ),
        (
            "assertion.l.filter(x, 'a') == []",
            "found no matching overload for '_?_:_' applied to '(string, list(dyn), list(dyn))'",
        ),
        ("assertion.l.all(x)", "undeclared reference to 'x'"),
        ("all(assertion.l, 1, true)", "undeclared reference to 'all'"),
        (
            "has(assertion.a, assertion.b)",
            "undeclared reference to 'has'",
        ),
        (
            "(assertion.a ? true : 1)",
            "found no matching overload for '_?_:_' applied to '(dyn, bool, int)'",
        ),
        ("'a'.matches('(')", "invalid argument of 'matches': "),
        (
            "timestamp('2026') < timestamp(0)",
            "invalid argument of 'timestamp': ",
        ),
        (
            "duration('1') < duration('1s')",
            "invalid argument of 'duration': ",
        ),
        ("{'a': 1, 'a': 2} == {}", "repeated key"),
        ("Foo{} == 1", "undeclared reference to 'Foo'"),
    ] {
        for expression in [
            fault.to_owned(),
            format!("true || ({fault})"),
            format!("assertion.a == 'b' || ({fault})"),
            format!("false && ({fault})"),
            format!("[1].exists(i, true || ({fault}))"),
        ] {
            let refused = refusal(&expression);
            let is_whole = expression == fault;
            assert!(
                refused.contains(reason) || is_whole && refused.contains("is not boolean"),
                "{expression}: {refused}"
            );
        }
    }
}

#[test]
fn a_literal_is_refused_with_one_reason() {
    let refused = refusal("'a'.matches('(')");
    let of = "compiling expression: invalid argument of 'matches': ";
    assert!(refused.starts_with(of), "{refused}");
    assert!(!refused.contains("evaluating"), "{refused}");
}

#[test]
fn macros_need_names_and_selections() {
    for expression in [
        "assertion.l.all(1, true)",
        "assertion.l.exists(x.y, true)",
        "has(assertion)",
    ] {
        let refused = refusal(expression);
        assert!(
            refused.starts_with("compiling expression: ERROR"),
            "{refused}"
        );
    }
}

#[test]
fn conditions_are_boolean() {
    for (expression, kind) in [
        ("1", "int"),
        ("assertion", "map(string, dyn)"),
        ("google.groups", "list(string)"),
    ] {
        let expected =
            format!("compiling expression: the condition is not boolean, its type is '{kind}'");
        assert_eq!(refusal(expression), expected);
    }
    assert!(compile_condition("assertion.a", &attribute_condition()).is_ok());
}

#[test]
fn mappings_see_claims_only_and_have_a_type() {
    use crate::{compile_as, google::mapped};
    let compiled = |target: &str, expression: &str| {
        compile_as(expression, &attribute_mapping(), &mapped(target).unwrap()).map(drop)
    };
    assert_eq!(compiled("google.subject", "assertion.sub"), Ok(()));
    assert_eq!(
        compiled("google.groups", "assertion.sub.split(',')"),
        Ok(())
    );
    for (target, expression, reason) in [
        (
            "google.subject",
            "1",
            "the expected type is 'string', the type is 'int'",
        ),
        (
            "attribute.a",
            "['a']",
            "the expected type is 'string', the type is 'list(string)'",
        ),
        (
            "google.groups",
            "'a'",
            "the expected type is 'list(string)', the type is 'string'",
        ),
        (
            "attribute.a",
            "google.subject",
            "undeclared reference to 'google'",
        ),
    ] {
        let refused = compiled(target, expression).unwrap_err().to_string();
        assert_eq!(refused, format!("compiling expression: {reason}"));
    }
}

#[test]
fn bindings_see_resource_and_request() {
    let compiled = |expression: &str| compile_condition(expression, &iam_condition()).map(drop);
    for expression in [
        "request.time < timestamp('2027-01-01T00:00:00Z')",
        "resource.name.startsWith('projects/p') && resource.type == 'a'",
        "resource.matchTag('1/env', 'prod') || resource.hasTagKey('1/env')",
        "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['a'])",
        "resource.name.extract('keys/{key}') == 'k' && destination.port == 22",
        "'accessPolicies/1/accessLevels/a' in request.auth.access_levels",
    ] {
        assert_eq!(compiled(expression), Ok(()), "{expression}");
    }
    for expression in [
        "resource.time < request.time",
        "request.time < 1",
        "resource.matchTag('a')",
        "matchTag('a', 'b')",
    ] {
        assert!(compiled(expression).is_err(), "{expression}");
    }
}

#[test]
fn types_that_grow_exponentially_are_refused() {
    let doubling = format!("[1]{} == []", ".map(x, {x: x})".repeat(100));
    assert_eq!(kind(&doubling), Err(Error::Complexity));
    let mut chained = "true".to_owned();
    for depth in (0..40).rev() {
        let next = depth + 1;
        chained = format!("[[]].all(v{depth}, v{depth} == [{{v{next}: v{next}}}] && {chained})");
    }
    let chained = format!("[[]].all(v40, {chained})");
    let checked = kind(&chained);
    assert!(
        matches!(
            checked,
            Err(Error::Undeclared(_) | Error::Complexity | Error::Depth)
        ),
        "{checked:?}"
    );
}

#[test]
fn the_deepest_expression_is_checked_on_a_small_stack() {
    let deep = format!("1{} > 0", "+1".repeat(248));
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let checked = small.spawn(move || kind(&deep)).unwrap().join().unwrap();
    assert_eq!(checked.as_deref(), Ok("bool"));
}
