use std::fmt::{self, Write as _};
use std::sync::Arc;

/// The largest length of a type in an error, in bytes.
const SHOWN: usize = 200;

/// A type (CEL, "Language Definition", section "Values").
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Type {
    /// Any type: it is not known before evaluation.
    Dyn,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `null_type`
    Null,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Duration`
    Duration,
    /// `type`, the type of types.
    Type,
    /// `list`
    List(Arc<Type>),
    /// `map`
    Map(Arc<Type>, Arc<Type>),
    /// A message.
    Object(Arc<Object>),
    /// A parameter of an overload, or a type that is not yet known during the check.
    Parameter(usize),
}

/// A type with known fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// The name of the type. Objects with one name are of one type.
    pub name: &'static str,
    /// The fields.
    pub fields: Vec<(&'static str, Type)>,
    /// The functions that are called on such an object.
    pub methods: Vec<(&'static str, Vec<Type>, Type)>,
}

impl Type {
    /// A list of values of this type.
    pub fn list(of: Self) -> Self {
        Self::List(Arc::new(of))
    }

    /// A map between values of these types.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new(key), Arc::new(value))
    }

    /// The type with its parameters replaced by those that follow `first`.
    pub(super) fn shifted(&self, first: usize) -> Self {
        self.replacing(&|parameter| Self::Parameter(first + parameter))
    }

    /// The type with `dyn` for each parameter.
    pub(super) fn without_parameters(&self) -> Self {
        self.replacing(&|_| Self::Dyn)
    }

    fn replacing(&self, with: &dyn Fn(usize) -> Self) -> Self {
        match self {
            Self::Parameter(parameter) => with(*parameter),
            Self::List(of) => Self::list(of.replacing(with)),
            Self::Map(key, value) => Self::map(key.replacing(with), value.replacing(with)),
            other => other.clone(),
        }
    }

    /// The type in an error, which can be large.
    pub(super) fn shown(&self) -> String {
        let mut shown = Short(String::new());
        match write!(shown, "{self}") {
            Ok(()) => shown.0,
            Err(fmt::Error) => shown.0 + "…",
        }
    }

    /// An object without methods.
    pub fn object(name: &'static str, fields: Vec<(&'static str, Self)>) -> Self {
        let methods = Vec::new();
        Self::Object(Arc::new(Object {
            name,
            fields,
            methods,
        }))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dyn | Self::Parameter(_) => "dyn",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Null => "null",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Type => "type",
            Self::List(of) => return write!(f, "list({of})"),
            Self::Map(key, value) => return write!(f, "map({key}, {value})"),
            Self::Object(object) => object.name,
        })
    }
}

/// Text of a limited length.
struct Short(String);

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > SHOWN {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// The declaration of a variable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The type.
    pub kind: Type,
}

impl Variable {
    /// Declares a variable.
    pub fn new(name: &str, kind: Type) -> Self {
        let name = name.to_owned();
        Self { name, kind }
    }
}
