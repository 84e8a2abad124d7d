use super::*;

fn is_match(pattern: &str, text: &str) -> bool {
    let regex = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    regex.is_match(text)
}

#[test]
fn classes_are_of_ascii() {
    let arabic = "\u{663}";
    for (pattern, text, expected) in [
        (r"^\d$", "3", true),
        (r"^\d$", arabic, false),
        (r"^\D$", arabic, true),
        (r"^[\d]$", arabic, false),
        (r"^[^\d]$", arabic, true),
        (r"^[\Da]$", arabic, true),
        (r"^\w+$", "a_1", true),
        (r"^\w$", "\u{e9}", false),
        (r"^\s$", "\u{b}", false),
        (r"^\s$", "\u{a0}", false),
        (r"a\b", "a\u{e9}", true),
        (r"a\Bb", "ab", true),
        (r"^.$", "\u{e9}", true),
    ] {
        assert_eq!(is_match(pattern, text), expected, "{pattern}");
    }
}

#[test]
fn brackets_and_operators_in_classes_are_characters() {
    for (pattern, text, expected) in [
        ("^[a[b]$", "[", true),
        ("^[]a]$", "]", true),
        ("^[^]a]$", "]", false),
        ("^[a&&b]$", "&", true),
        ("^[[:digit:]x]+$", "1x", true),
        (r"^\Qa.b\E.$", "a.bc", true),
        (r"^\Qa.b", "axb", false),
        (r"^\<a\>$", "<a>", true),
        (r"^\Qa\E\Q.\E\d$", "a.1", true),
        (r"^\Qa\\E$", r"a\", true),
        ("^[+--]$", ",", true),
        ("^[^!--]$", ",", false),
        ("^[--/]$", ".", true),
        ("^[a-]$", "-", true),
        (r"^[a-c\-{]$", "{", true),
        (r"^[\w{]$", "{", true),
        (r"^[\x{61}-\x63]$", "b", true),
        (r"^[\p{Greek}\pN]+$", "\u{3b1}1", true),
        ("^(?i)ABC$", "abc", true),
        ("^(?P<x>a)$", "a", true),
    ] {
        assert_eq!(is_match(pattern, text), expected, "{pattern}");
    }
}

#[test]
fn repetitions_and_names_are_those_of_re2() {
    for (pattern, text, expected) in [
        ("^a{2}$", "aa", true),
        ("^a{2,}?$", "aaa", true),
        ("^a{0,1000}$", "aaa", true),
        ("^(?:a*)*$", "aaa", true),
        ("^a+?b??$", "ab", true),
        // Other braces are characters.
        ("^a{,2}$", "a{,2}", true),
        ("^a{,2}$", "aa", false),
        ("^{a}$", "{a}", true),
        ("^a{1$", "a{1", true),
        ("^a{01}$", "a{01}", true),
        ("^a{01}$", "a", false),
        ("^a{1,02}$", "a{1,02}", true),
        (r"^\x{61}{2}$", "aa", true),
        (r"^\x61*$", "aaa", true),
        (r"^\p{Greek}{2}\pN\P{Lu}$", "\u{3b1}\u{3b1}1a", true),
        (r"^\p{Old_Italic}$", "\u{10300}", true),
        ("^[[:^digit:][:upper:]]$", "A", true),
        ("^[[:a]$", ":", true),
    ] {
        assert_eq!(is_match(pattern, text), expected, "{pattern}");
    }
}

#[test]
fn what_re2_does_not_have_is_refused() {
    for pattern in [
        "(?x)a b",
        r"\u0041",
        "(?=a)",
        r"(a)\1",
        "(",
        "[a",
        r"\",
        "(?u:a)",
        r"[!-\d]",
        r"\Qa\E\u0041",
        // Repetitions.
        "a**",
        "a+*",
        "a*??",
        "a{2}{3}",
        "a{2}*",
        "a{1001}",
        "a{1,1001}",
        "a{1001,}",
        "a{99999999999}",
        // Names.
        "[[:foo:]]",
        "[[:Digit:]]",
        "[[:^:]]",
        r"\p{Letter}",
        r"\p{Alphabetic}",
        r"\p{gc=L}",
        r"[\p{letter}]",
        r"\p{greek}",
        r"\P{}",
    ] {
        assert!(compile(pattern).is_err(), "{pattern}");
    }
    assert!(compile(&"(a{100}){100}{100}".repeat(10)).is_err());
}

#[test]
fn many_quotes_are_read_on_a_small_stack() {
    assert!(is_match(&r"\Q\E".repeat(100_000), ""));
}

#[test]
fn repetitions_inside_each_other_are_a_thousand_at_most() {
    for pattern in [
        "(a{100}){10}",
        "(?:(?:a{10}){10}){10}",
        "(a{100}|b{10}){10}",
        "a{1000}b{1000}",
        "(a{1000})*",
        "(a{1000}){1}",
        "(a{1000}){0}",
        "(a{500}b{2}){2}",
        r"(\(a{100}){10}",
        "[(]a{1000}",
    ] {
        assert!(translate(pattern).is_ok(), "{pattern}");
    }
    for pattern in [
        "(a{100}){11}",
        "(?:(?:a{10}){10}){11}",
        "(b|a{600}){2}",
        "(a{600}){2,}",
        "((a{501})?){0,2}",
        "(?i:a{501}){2}",
        "((a{1000})){1000}",
        "(?P<x>a{334}){3}",
    ] {
        let fault = translate(pattern).unwrap_err();
        assert!(fault.contains("inside each other"), "{pattern}: {fault}");
    }
}
