//! Unification of types, by the rules of cel-go's checker (`checker/types.go`).

use std::sync::Arc;

use crate::{Error, Type};

/// The largest number of steps in one check. Types can be exponentially larger than the expression.
const STEPS: usize = 500_000;

/// The types that parameters stand for.
#[derive(Debug)]
pub(super) struct Bindings {
    bound: Vec<Option<Type>>,
    /// What bindings replaced, in order, so that a failed attempt can be undone.
    replaced: Vec<(usize, Option<Type>)>,
    left: usize,
}

impl Default for Bindings {
    fn default() -> Self {
        Self {
            bound: Vec::new(),
            replaced: Vec::new(),
            left: STEPS,
        }
    }
}

/// Whether a type can stand for a parameter.
enum Standing {
    Possible,
    Impossible,
    /// The parameter stands for another type.
    Taken,
}

impl Bindings {
    /// A parameter that stands for no type yet.
    pub(super) fn fresh(&mut self) -> Type {
        Type::Parameter(self.fresh_many(1))
    }

    /// The first of new parameters.
    pub(super) fn fresh_many(&mut self, count: usize) -> usize {
        let first = self.bound.len();
        self.bound.resize(first + count, None);
        first
    }

    /// Counts a step.
    fn step(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    /// Whether values of `found` can be used as `expected`, for each pair. Binds parameters if so.
    pub(super) fn unify_all<'t>(
        &mut self,
        pairs: impl Iterator<Item = (&'t Type, &'t Type)>,
    ) -> Result<bool, Error> {
        let before = self.replaced.len();
        let mut pairs = pairs;
        let unified = pairs
            .try_fold(true, |all, (found, expected)| {
                Some(all && self.unify(found, expected)?)
            })
            .ok_or(Error::Complexity)?;
        if !unified {
            self.undo(before);
        }
        Ok(unified)
    }

    /// As [`Self::unify_all`], for one pair.
    pub(super) fn accepts(&mut self, found: &Type, expected: &Type) -> Result<bool, Error> {
        self.unify_all(std::iter::once((found, expected)))
    }

    fn undo(&mut self, before: usize) {
        while self.replaced.len() > before {
            if let Some((parameter, previous)) = self.replaced.pop() {
                self.bound[parameter] = previous;
            }
        }
    }

    fn bind(&mut self, parameter: usize, to: Type) {
        let previous = self.bound[parameter].replace(to);
        self.replaced.push((parameter, previous));
    }

    /// `None` if there were too many steps.
    fn unify(&mut self, one: &Type, other: &Type) -> Option<bool> {
        self.step()?;
        if let Type::Parameter(parameter) = other {
            match self.stands(one, *parameter)? {
                Standing::Possible => return Some(true),
                Standing::Taken => return Some(false),
                Standing::Impossible => (),
            }
        }
        if let Type::Parameter(parameter) = one {
            let standing = self.stands(other, *parameter)?;
            return Some(matches!(standing, Standing::Possible));
        }
        Some(match (one, other) {
            (Type::Dyn, _) | (_, Type::Dyn) => true,
            (Type::Null, other) | (other, Type::Null) => is_nullable(other),
            (Type::List(one), Type::List(other)) => self.unify(one, other)?,
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.unify(key, other_key)? && self.unify(value, other_value)?
            }
            (Type::Object(one), Type::Object(other)) => one.name == other.name,
            (one, other) => one == other,
        })
    }

    /// Whether `kind` can stand for a parameter, which is bound to it or to a more general type.
    fn stands(&mut self, kind: &Type, parameter: usize) -> Option<Standing> {
        if *kind == Type::Parameter(parameter) {
            return Some(Standing::Possible);
        }
        let Some(bound) = self.bound[parameter].clone() else {
            return Some(match self.occurs(parameter, kind)? {
                true => Standing::Impossible,
                false => {
                    self.bind(parameter, kind.clone());
                    Standing::Possible
                }
            });
        };
        if !self.unify(kind, &bound)? {
            return Some(Standing::Taken);
        }
        let general = match self.is_general(kind, &bound)? {
            true => kind.clone(),
            false => bound,
        };
        if !self.occurs(parameter, &general)? {
            self.bind(parameter, general);
        }
        Some(Standing::Possible)
    }

    /// Whether a parameter is part of a type.
    fn occurs(&mut self, parameter: usize, within: &Type) -> Option<bool> {
        self.step()?;
        Some(match within {
            Type::Parameter(other) if *other == parameter => true,
            Type::Parameter(other) => match self.bound[*other].clone() {
                Some(bound) => self.occurs(parameter, &bound)?,
                None => false,
            },
            Type::List(of) => self.occurs(parameter, of)?,
            Type::Map(key, value) => {
                self.occurs(parameter, key)? || self.occurs(parameter, value)?
            }
            _ => false,
        })
    }

    /// Whether the first of two types that unify is the more general one, or equal.
    fn is_general(&mut self, one: &Type, other: &Type) -> Option<bool> {
        self.step()?;
        Some(match (one, other) {
            (Type::Dyn | Type::Parameter(_), _) => true,
            (_, Type::Dyn | Type::Parameter(_)) => false,
            (Type::List(one), Type::List(other)) => self.is_general(one, other)?,
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.is_general(key, other_key)? && self.is_general(value, other_value)?
            }
            (Type::Object(one), Type::Object(other)) => one.name == other.name,
            (one, other) => one == other,
        })
    }

    /// The type that holds both.
    pub(super) fn join(&mut self, one: Type, other: Type) -> Result<Type, Error> {
        if !self.accepts(&one, &other)? {
            return Ok(Type::Dyn);
        }
        let is_general = self.is_general(&one, &other);
        Ok(match is_general.ok_or(Error::Complexity)? {
            true => one,
            false => other,
        })
    }

    /// The type with all parameters replaced that stand for a type.
    pub(super) fn resolve(&mut self, kind: &Type) -> Result<Type, Error> {
        self.replace(kind).ok_or(Error::Complexity)
    }

    fn replace(&mut self, kind: &Type) -> Option<Type> {
        self.step()?;
        Some(match kind {
            Type::Parameter(parameter) => match self.bound[*parameter].clone() {
                Some(bound) => self.replace(&bound)?,
                None => kind.clone(),
            },
            Type::List(of) => Type::List(Arc::new(self.replace(of)?)),
            Type::Map(key, value) => Type::map(self.replace(key)?, self.replace(value)?),
            other => other.clone(),
        })
    }
}

/// Whether null can be used as this type.
fn is_nullable(kind: &Type) -> bool {
    matches!(
        kind,
        Type::Null | Type::Timestamp | Type::Duration | Type::Object(_)
    )
}
