//! The grammar of markers.

use super::expression::{Expression, Operand, Operator, VARIABLES};
use crate::untrusted::shown;

/// The deepest nesting of parentheses.
const DEPTH: usize = 32;
/// Operators on versions and texts, the longest first.
const SYMBOLS: [&str; 8] = ["===", "==", "<=", ">=", "!=", "~=", "<", ">"];

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Symbol(&'static str),
    Open,
    Close,
}

/// The words, texts and symbols of a marker that are left.
pub(super) struct Tokens(std::iter::Peekable<std::vec::IntoIter<Token>>);

impl Tokens {
    pub(super) fn of(text: &str) -> Result<Self, String> {
        let mut rest = text.trim_start();
        let mut tokens = Vec::new();
        while let Some(first) = rest.chars().next() {
            let (token, after) = token(first, rest)?;
            tokens.push(token);
            rest = after.trim_start();
        }
        Ok(Self(tokens.into_iter().peekable()))
    }

    /// Expressions with `or` between them.
    pub(super) fn any(&mut self, depth: usize) -> Result<Expression, String> {
        let mut any = vec![self.all(depth)?];
        while self.take_word("or") {
            any.push(self.all(depth)?);
        }
        Ok(Expression::Any(any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, String> {
        let mut all = vec![self.one(depth)?];
        while self.take_word("and") {
            all.push(self.one(depth)?);
        }
        Ok(Expression::All(all))
    }

    fn one(&mut self, depth: usize) -> Result<Expression, String> {
        if self.0.next_if_eq(&Token::Open).is_none() {
            let left = self.operand()?;
            let operator = self.operator()?;
            return Ok(Expression::Compare(left, operator, self.operand()?));
        }
        if depth == DEPTH {
            return Err("too many parentheses".to_owned());
        }
        let inner = self.any(depth + 1)?;
        match self.0.next() {
            Some(Token::Close) => Ok(inner),
            other => Err(expected("\")\"", other)),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        match self.0.next() {
            Some(Token::Text(text)) => Ok(Operand::Text(text)),
            Some(Token::Word(word)) => {
                let known = VARIABLES.iter().find(|(name, _)| *name == word);
                let known = known.map(|(_, variable)| Operand::Variable(*variable));
                known.ok_or_else(|| format!("unknown variable \"{}\"", shown(&word)))
            }
            other => Err(expected("a variable or a quoted text", other)),
        }
    }

    fn operator(&mut self) -> Result<Operator, String> {
        match self.0.next() {
            Some(Token::Symbol(symbol)) => Ok(Operator::Version(symbol)),
            Some(Token::Word(word)) if word == "in" => Ok(Operator::In),
            Some(Token::Word(word)) if word == "not" => match self.take_word("in") {
                true => Ok(Operator::NotIn),
                false => Err(expected("\"in\"", self.0.next())),
            },
            other => Err(expected("an operator", other)),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_it = |token: &Token| matches!(token, Token::Word(found) if found == word);
        self.0.next_if(is_it).is_some()
    }

    pub(super) fn end(&mut self) -> Result<(), String> {
        match self.0.next() {
            None => Ok(()),
            other => Err(expected("the end", other)),
        }
    }
}

/// The first token of a text, and what follows.
fn token(first: char, text: &str) -> Result<(Token, &str), String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    match first {
        '(' => Ok((Token::Open, &text[1..])),
        ')' => Ok((Token::Close, &text[1..])),
        '"' | '\'' => {
            let inner = &text[1..];
            let (inner, rest) = inner
                .split_once(first)
                .ok_or("expected the end of a quoted text")?;
            Ok((Token::Text(inner.to_owned()), rest))
        }
        c if is_word(c) => {
            let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
            Ok((Token::Word(text[..end].to_owned()), &text[end..]))
        }
        _ => {
            let symbol = SYMBOLS.into_iter().find(|symbol| text.starts_with(symbol));
            let symbol = symbol.ok_or_else(|| {
                format!("expected a marker, found \"{}\"", shown(&first.to_string()))
            })?;
            Ok((Token::Symbol(symbol), &text[symbol.len()..]))
        }
    }
}

fn expected(what: &str, found: Option<Token>) -> String {
    let found = match found {
        None => return format!("expected {what}, found the end"),
        Some(Token::Word(text) | Token::Text(text)) => shown(&text),
        Some(Token::Symbol(symbol)) => symbol.to_owned(),
        Some(Token::Open) => "(".to_owned(),
        Some(Token::Close) => ")".to_owned(),
    };
    format!("expected {what}, found \"{found}\"")
}
