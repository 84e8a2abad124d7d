//! The types of an expression, by the rules of cel-go's checker (`checker/checker.go`).

mod bindings;
mod literals;
mod overloads;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue,
    SelectExpr, operators,
};

use crate::{Error, Type, Variable};
use bindings::Bindings;
use overloads::{Overload, Style};

/// The names of types, which every expression can name (CEL, "Language Definition", section "Values").
const TYPES: [&str; 10] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
];
/// Names of types that are selections by form.
const QUALIFIED: [&str; 2] = ["google.protobuf.Duration", "google.protobuf.Timestamp"];

/// The type of an expression, with [`Type::Dyn`] for each part that is not known before evaluation.
pub(super) fn check(tree: &IdedExpr, declared: &[Variable]) -> Result<Type, Error> {
    let declared = declared.iter();
    let mut checker = Checker {
        known: declared
            .map(|v| (v.name.as_str(), v.kind.clone()))
            .collect(),
        bindings: Bindings::default(),
    };
    let kind = checker.kind(tree)?;
    Ok(kind.without_parameters())
}

/// Whether a value of the type `found` can be used as `expected`.
pub(super) fn is_assignable(found: &Type, expected: &Type) -> bool {
    Bindings::default()
        .accepts(found, expected)
        .unwrap_or(false)
}

struct Checker<'a> {
    /// Variables, innermost last.
    known: Vec<(&'a str, Type)>,
    bindings: Bindings,
}

impl<'a> Checker<'a> {
    fn kind(&mut self, tree: &'a IdedExpr) -> Result<Type, Error> {
        let kind = match &tree.expr {
            Expr::Unspecified => Type::Dyn,
            Expr::Literal(literal) => of_literal(literal),
            Expr::Ident(name) => self.ident(name)?,
            Expr::Select(select) => self.select(select)?,
            Expr::Call(call) => self.call(call)?,
            Expr::List(list) => self.list(&list.elements)?,
            Expr::Map(map) => self.map(&map.entries)?,
            // No message can be written.
            Expr::Struct(message) => return Err(Error::Undeclared(message.type_name.clone())),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension)?,
        };
        self.bindings.resolve(&kind)
    }

    fn kinds(&mut self, trees: &'a [IdedExpr]) -> Result<Vec<Type>, Error> {
        trees.iter().map(|tree| self.kind(tree)).collect()
    }

    fn ident(&self, name: &str) -> Result<Type, Error> {
        // A leading dot names the same variable outside of any package.
        let name = name.trim_start_matches('.');
        let known = self.known.iter().rev().find(|(known, _)| *known == name);
        match known {
            Some((_, kind)) => Ok(kind.clone()),
            None if TYPES.contains(&name) => Ok(Type::Type),
            None => Err(Error::Undeclared(name.to_owned())),
        }
    }

    fn select(&mut self, select: &'a SelectExpr) -> Result<Type, Error> {
        if let Some(kind) = self.qualified(select) {
            return Ok(kind);
        }
        let operand = self.kind(&select.operand)?;
        let field = match &operand {
            Type::Map(_, value) => (**value).clone(),
            Type::Object(object) => {
                let mut fields = object.fields.iter();
                let field = fields.find(|(name, _)| *name == select.field);
                let field = field.map(|(_, kind)| kind.clone());
                field.ok_or_else(|| Error::Field(select.field.clone()))?
            }
            Type::Dyn => Type::Dyn,
            Type::Parameter(_) => {
                self.bindings.accepts(&Type::Dyn, &operand)?;
                Type::Dyn
            }
            other => return Err(Error::NoFields(other.shown())),
        };
        Ok(match select.test {
            true => Type::Bool,
            false => field,
        })
    }

    /// The type of a variable or type whose name contains dots.
    fn qualified(&self, select: &SelectExpr) -> Option<Type> {
        let name = qualified_name(select).filter(|_| !select.test)?;
        let mut known = self.known.iter();
        match known.find(|(known, _)| *known == name) {
            Some((_, kind)) => Some(kind.clone()),
            None => QUALIFIED.contains(&name.as_str()).then_some(Type::Type),
        }
    }

    fn call(&mut self, call: &'a CallExpr) -> Result<Type, Error> {
        literals::check_call(call)?;
        let name = call.func_name.as_str();
        let mut arguments = self.kinds(&call.args)?;
        if [operators::LOGICAL_AND, operators::LOGICAL_OR].contains(&name) {
            for argument in &arguments {
                self.expect(argument, &Type::Bool)?;
            }
            return Ok(Type::Bool);
        }
        let Some(target) = &call.target else {
            let overloads = overloads::of(name).ok_or_else(|| undeclared(name))?;
            return self.overload(name, Style::Global, overloads, &arguments);
        };
        arguments.insert(0, self.kind(target)?);
        let methods = methods(&arguments[0], name);
        let overloads = match methods.is_empty() {
            true => overloads::of(name).ok_or_else(|| undeclared(name))?,
            false => &methods,
        };
        self.overload(name, Style::Member, overloads, &arguments)
    }

    /// The type of a call: dyn if several overloads with different results match.
    fn overload(
        &mut self,
        name: &str,
        style: Style,
        overloads: &[Overload],
        arguments: &[Type],
    ) -> Result<Type, Error> {
        let mut result = None;
        for overload in overloads {
            if overload.style != style || overload.arguments.len() != arguments.len() {
                continue;
            }
            let first = self.bindings.fresh_many(overloads::PARAMETERS);
            let expected = overload.arguments.iter().map(|kind| kind.shifted(first));
            let expected: Vec<_> = expected.collect();
            if !self.bindings.unify_all(arguments.iter().zip(&expected))? {
                continue;
            }
            let found = self.bindings.resolve(&overload.result.shifted(first))?;
            result = Some(match result {
                None => found,
                Some(kind) if kind == found => kind,
                Some(_) => Type::Dyn,
            });
        }
        result.ok_or_else(|| no_overload(name, style, arguments))
    }

    fn list(&mut self, elements: &'a [IdedExpr]) -> Result<Type, Error> {
        let mut joined = None;
        for element in elements {
            let kind = self.kind(element)?;
            joined = Some(self.join(joined, kind)?);
        }
        let of = joined.unwrap_or_else(|| self.bindings.fresh());
        Ok(Type::list(of))
    }

    fn map(&mut self, entries: &'a [IdedEntryExpr]) -> Result<Type, Error> {
        literals::check_keys(entries)?;
        let (mut keys, mut values) = (None, None);
        for entry in entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                continue;
            };
            let key = self.kind(&entry.key)?;
            keys = Some(self.join(keys, key)?);
            let value = self.kind(&entry.value)?;
            values = Some(self.join(values, value)?);
        }
        let key = keys.unwrap_or_else(|| self.bindings.fresh());
        let value = values.unwrap_or_else(|| self.bindings.fresh());
        Ok(Type::map(key, value))
    }

    fn join(&mut self, joined: Option<Type>, kind: Type) -> Result<Type, Error> {
        match joined {
            None => Ok(kind),
            Some(joined) => self.bindings.join(joined, kind),
        }
    }

    fn comprehension(&mut self, loops: &'a ComprehensionExpr) -> Result<Type, Error> {
        let range = self.kind(&loops.iter_range)?;
        let result = self.kind(&loops.accu_init)?;
        let outer = self.known.len();
        self.known.push((&loops.accu_var, result.clone()));
        let items = self.items(&range, loops.iter_var2.is_some())?;
        self.known.push((&loops.iter_var, items.0));
        if let Some(second) = &loops.iter_var2 {
            self.known.push((second, items.1));
        }
        let condition = self.kind(&loops.loop_cond)?;
        self.expect(&condition, &Type::Bool)?;
        let step = self.kind(&loops.loop_step)?;
        self.expect(&step, &result)?;
        self.known.truncate(outer + 1);
        let kind = self.kind(&loops.result)?;
        self.known.truncate(outer);
        Ok(kind)
    }

    /// The types of the first and second variable of a loop.
    fn items(&mut self, range: &Type, has_two: bool) -> Result<(Type, Type), Error> {
        Ok(match range {
            Type::List(of) if has_two => (Type::Int, (**of).clone()),
            Type::List(of) => ((**of).clone(), Type::Dyn),
            Type::Map(key, value) => ((**key).clone(), (**value).clone()),
            Type::Dyn => (Type::Dyn, Type::Dyn),
            Type::Parameter(_) => {
                self.bindings.accepts(&Type::Dyn, range)?;
                (Type::Dyn, Type::Dyn)
            }
            other => return Err(Error::Range(other.shown())),
        })
    }

    fn expect(&mut self, found: &Type, expected: &Type) -> Result<(), Error> {
        match self.bindings.accepts(found, expected)? {
            true => Ok(()),
            false => Err(Error::Mismatch {
                expected: self.bindings.resolve(expected)?.shown(),
                found: found.shown(),
            }),
        }
    }
}

fn of_literal(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Bytes(_) => Type::Bytes,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Null => Type::Null,
        LiteralValue::String(_) => Type::String,
        LiteralValue::UInt(_) => Type::Uint,
    }
}

fn undeclared(name: &str) -> Error {
    Error::Undeclared(name.to_owned())
}

/// The functions of an object with this name.
fn methods(target: &Type, name: &str) -> Vec<Overload> {
    let Type::Object(object) = target else {
        return Vec::new();
    };
    let methods = object.methods.iter();
    let named = methods.filter(|(method, ..)| *method == name);
    let overload = |(_, arguments, result): &(_, Vec<_>, Type)| Overload {
        style: Style::Member,
        arguments: std::iter::once(target).chain(arguments).cloned().collect(),
        result: result.clone(),
    };
    named.map(overload).collect()
}

/// The qualified name that a selection has the form of, such as `a.b.c`.
fn qualified_name(select: &SelectExpr) -> Option<String> {
    let mut parts = vec![select.field.as_str()];
    let mut operand = &select.operand.expr;
    while let Expr::Select(inner) = operand {
        parts.push(&inner.field);
        operand = &inner.operand.expr;
    }
    let Expr::Ident(first) = operand else {
        return None;
    };
    parts.push(first.trim_start_matches('.'));
    parts.reverse();
    Some(parts.join("."))
}

fn no_overload(function: &str, style: Style, arguments: &[Type]) -> Error {
    let shown: Vec<_> = arguments.iter().map(Type::shown).collect();
    let signature = match (style, shown.split_first()) {
        (Style::Member, Some((target, rest))) => format!("{target}.({})", rest.join(", ")),
        _ => format!("({})", shown.join(", ")),
    };
    Error::Overload {
        function: function.to_owned(),
        signature,
    }
}

#[cfg(test)]
mod tests;
