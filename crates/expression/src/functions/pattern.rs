//! The function `matches`. Google's patterns are those of RE2, which differ from those of the crate `regex` in
//! classes of characters, which are of ASCII, in escapes and in repetitions (RE2, "Syntax").

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::{Arc, Mutex, PoisonError};

use cel::extractors::This;
use cel::{ExecutionError, ResolveResult, Value};
use regex::{Regex, RegexBuilder};

use self::nesting::{Nesting, Times};
use crate::cost::Budget;

mod nesting;

/// The largest size of a compiled pattern, in bytes.
const SIZE: usize = 2 << 20;
/// The number of items that count for compiling a pattern.
const COMPILE: usize = 100;
const MATCHES: &str = "matches";
/// The largest number of repetitions, also of one in others.
const REPETITIONS: u32 = 1000;
/// The classes with a name, which are of ASCII.
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];
/// The categories of characters by the names that RE2 has. Scripts have others.
const CATEGORIES: &str = "Any C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs";
/// The escapes that stand for more than one character.
const SETS: &str = "dDpPsSwW";

/// The function, for one evaluation, which compiles each pattern once.
pub(super) fn matcher(
    budget: &Budget,
) -> impl Fn(This<Arc<String>>, Arc<String>) -> ResolveResult + Send + Sync + 'static {
    let budget = budget.clone();
    let compiled = Mutex::new(HashMap::<Arc<String>, Regex>::new());
    move |This(text), pattern| {
        budget.spend_text(MATCHES, text.len())?;
        let mut compiled = compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = compiled.get(&pattern) {
            return Ok(Value::Bool(regex.is_match(&text)));
        }
        budget.spend(MATCHES, COMPILE)?;
        budget.spend_text(MATCHES, pattern.len())?;
        let regex = compile(&pattern)?;
        let is_match = regex.is_match(&text);
        compiled.insert(pattern, regex);
        Ok(Value::Bool(is_match))
    }
}

fn compile(pattern: &str) -> Result<Regex, ExecutionError> {
    let invalid = |reason: String| {
        ExecutionError::function_error(MATCHES, format!("{pattern:?} is not a pattern: {reason}"))
    };
    let translated =
        translate(pattern).map_err(|escape| invalid(format!("RE2 has no {escape:?}")))?;
    let regex = RegexBuilder::new(&translated).size_limit(SIZE).build();
    regex.map_err(|error| invalid(error.to_string()))
}

/// The pattern of RE2 as one of the crate `regex`, or what RE2 does not have.
fn translate(pattern: &str) -> Result<String, String> {
    let mut rest = pattern.chars().peekable();
    let mut out = String::new();
    let mut was_repetition = false;
    let mut nesting = Nesting::default();
    while let Some(c) = rest.next() {
        let is_repetition = match c {
            '*' | '+' | '?' => {
                out.push(c);
                true
            }
            '{' => match count(&mut rest, &mut out)? {
                Some(times) => {
                    nesting.repeat(times)?;
                    true
                }
                None => {
                    nesting.see(c);
                    false
                }
            },
            _ => {
                nesting.see(c);
                part(c, &mut rest, &mut out)?;
                false
            }
        };
        if is_repetition && was_repetition {
            return Err(format!("{c} after a repetition"));
        }
        if is_repetition {
            out.extend(rest.next_if_eq(&'?'));
        }
        was_repetition = is_repetition;
    }
    Ok(out)
}

/// A part of a pattern that is not a repetition.
fn part(c: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    match c {
        '\\' if rest.peek() == Some(&'Q') => quoted(rest, out),
        '\\' => escape(rest, out)?,
        '[' => class(rest, out)?,
        '(' if rest.peek() == Some(&'?') => {
            out.push(c);
            flags(rest, out)?;
        }
        _ => out.push(c),
    }
    Ok(())
}

/// What follows a brace: the rest of `{n}`, `{n,}` or `{n,m}`, in numbers without leading zeros. Any other brace is a
/// character; then there is no result. Otherwise it is how often the part is there at most, or if that has no limit, at least.
fn count(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<Option<Times>, String> {
    // Two numbers of four digits and a comma, and more to see that a number is too large.
    let text: String = rest.clone().take(24).collect();
    let bounds = text.split_once('}').map(|(bounds, _)| bounds);
    let is_number = |text: &str| {
        let has_zero_first = text.len() > 1 && text.starts_with('0');
        !text.is_empty() && !has_zero_first && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_count = |bounds: &&str| match bounds.split_once(',') {
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
        None => is_number(bounds),
    };
    let Some(bounds) = bounds.filter(is_count) else {
        out.push_str(r"\{");
        return Ok(None);
    };
    let small = |number: &str| number.parse().ok().filter(|n: &u32| *n <= REPETITIONS);
    let numbers = bounds.split(',').filter(|number| !number.is_empty());
    let numbers: Option<Vec<u32>> = numbers.map(small).collect();
    let last = numbers.and_then(|numbers| numbers.last().copied());
    let last = last.ok_or_else(|| format!("{{{bounds}}}"))?;
    out.push('{');
    copy_to('}', rest, out);
    Ok(Some(match bounds.ends_with(',') {
        true => Times::AtLeast(last),
        false => Times::AtMost(last),
    }))
}

/// `\Q` to `\E`, or to the end.
fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    rest.next();
    while let Some(c) = rest.next() {
        if c == '\\' && rest.next_if_eq(&'E').is_some() {
            return;
        }
        literal(c, out);
    }
}

fn literal(c: char, out: &mut String) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

/// What follows a backslash outside of a class.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    match rest.next() {
        Some('b') => out.push_str(r"(?-u:\b)"),
        Some('B') => out.push_str(r"(?-u:\B)"),
        Some(c) => {
            out.push_str(&escaped(c)?);
            match c {
                'p' | 'P' => property(rest, out)?,
                'x' if rest.peek() == Some(&'{') => copy_to('}', rest, out),
                _ => (),
            }
        }
        None => out.push('\\'),
    }
    Ok(())
}

/// The category or script after `\p`: a letter, or a name in braces. The crate `regex` knows more names.
fn property(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    if rest.peek() != Some(&'{') {
        out.extend(rest.next());
        return Ok(());
    }
    let mut braced = String::new();
    copy_to('}', rest, &mut braced);
    let name = braced.trim_start_matches('{').trim_end_matches('}');
    let is_category = CATEGORIES.split(' ').any(|category| category == name);
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let is_script = || is_name && Regex::new(&format!(r"\p{{Script={name}}}")).is_ok();
    if !is_category && !is_script() {
        return Err(format!(r"\p{braced}"));
    }
    out.push_str(&braced);
    Ok(())
}

/// The character after a backslash, which can be in a class.
fn escaped(c: char) -> Result<String, String> {
    Ok(match c {
        'd' => "[0-9]".to_owned(),
        'D' => "[^0-9]".to_owned(),
        's' => r"[\t\n\f\r ]".to_owned(),
        'S' => r"[^\t\n\f\r ]".to_owned(),
        'w' => "[0-9A-Za-z_]".to_owned(),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        '<' | '>' => c.to_string(),
        'u' | 'U' => return Err(format!("\\{c}")),
        c => format!("\\{c}"),
    })
}

/// The rest of a class. RE2 has no classes in classes, except those with colons, and no operators.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.peek() == Some(&']') {
        range(rest, out)?;
    }
    while let Some(c) = rest.peek().copied() {
        let mut after = rest.clone().skip(1);
        match (c, after.next()) {
            (']', _) => {
                out.extend(rest.next());
                return Ok(());
            }
            ('[', Some(':')) => named_class(rest, out)?,
            ('\\', Some(c)) if SETS.contains(c) => set(rest, out)?,
            _ => range(rest, out)?,
        }
    }
    Ok(())
}

/// A class with a name, such as `[:digit:]`. Without the end of such a name, the bracket is a character.
fn named_class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    let text: String = rest.clone().skip(2).take_while(|c| *c != ']').collect();
    let Some(name) = text.strip_suffix(':') else {
        return range(rest, out);
    };
    let known = name.strip_prefix('^').unwrap_or(name);
    if !CLASSES.contains(&known) {
        return Err(format!("[:{name}:]"));
    }
    copy_to(']', rest, out);
    Ok(())
}

/// An escape such as `\d` or `\p{Greek}`.
fn set(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    rest.next();
    let Some(c) = rest.next() else {
        return Ok(());
    };
    out.push_str(&escaped(c)?);
    match c {
        'p' | 'P' => property(rest, out),
        _ => Ok(()),
    }
}

/// A character of a class, or two with a hyphen between them.
fn range(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    member(rest, out)?;
    let mut after = rest.clone();
    if after.next() == Some('-') && after.next().is_some_and(|c| c != ']') {
        out.extend(rest.next());
        member(rest, out)?;
    }
    Ok(())
}

/// A character of a class, or an escape that stands for one.
fn member(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    match rest.next() {
        Some('\\') => (),
        Some(c) => {
            literal(c, out);
            return Ok(());
        }
        None => return Ok(()),
    }
    match rest.next() {
        Some(c) if SETS.contains(c) => return Err(format!("-\\{c}")),
        Some(c) => out.push_str(&escaped(c)?),
        None => out.push('\\'),
    }
    if out.ends_with("\\x") && rest.peek() == Some(&'{') {
        copy_to('}', rest, out);
    }
    Ok(())
}

/// Copies up to and with `last`, or to the end.
fn copy_to(last: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    for c in rest.by_ref() {
        out.push(c);
        if c == last {
            return;
        }
    }
}

/// The flags after `(?`, of which RE2 has i, m, s and U. A name of a group stays as it is.
fn flags(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    while let Some(c) = rest.next_if(|c| !":)<".contains(*c)) {
        if ['x', 'u', 'R'].contains(&c) {
            return Err(format!("flag {c}"));
        }
        out.push(c);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
