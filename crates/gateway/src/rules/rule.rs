use falconer_middleware::{Expression, Refusal, Requirement};
use falconer_scopes::Params;
use serde_json::Value;

use super::pattern::Pattern;

/// What requests of one path pattern and some methods need.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it stands in the file, from 1.
    pub line: usize,
    /// The paths.
    pub pattern: Pattern,
    /// The methods.
    pub methods: Methods,
    /// What they need.
    pub access: Access,
}

/// The methods of a rule, in upper case. GET is HEAD too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// `["*"]`
    Any,
    /// These.
    Only(Vec<String>),
}

/// What a rule asks for.
#[derive(Clone, Debug)]
pub enum Access {
    /// Nothing: everybody may.
    Public,
    /// Scopes.
    Needs(Box<Needs>),
}

/// What a rule with a scope expression asks for, and what its service is told.
#[derive(Clone, Debug)]
pub struct Needs {
    requirement: Requirement,
    /// The parameters that become part of a scope.
    in_scopes: Vec<String>,
    /// The expression as it was written.
    pub written: Value,
    /// A signed hash of a body that nobody here can compare is passed over.
    pub body_unchecked: bool,
    /// The service behind learns the caller's scopes below these prefixes.
    pub reveal: Vec<String>,
}

/// A parameter of a path that cannot be part of a scope: 400. `Display` is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotAsk {
    /// A character that no scope has.
    #[error("the part of the path that stands for <{0}> has a character that no scope can have")]
    Character(String),
    /// A star at the end, which would ask for more than one thing.
    #[error("the part of the path that stands for <{0}> ends with a star")]
    Star(String),
    /// Its expression and its pattern do not belong together; the check of the file makes that impossible.
    #[error("the rule of this path cannot be asked about")]
    Rule,
}

impl Methods {
    /// Whether a method of a request, in upper case, is one of them.
    #[must_use]
    pub fn have(&self, method: &str) -> bool {
        match self {
            Methods::Any => true,
            Methods::Only(methods) => methods.iter().any(|one| one == method || (method == "HEAD" && one == "GET")),
        }
    }

    /// A method that both have.
    pub(crate) fn common(&self, other: &Methods) -> Option<String> {
        match (self, other) {
            (Methods::Any, Methods::Any) => Some("every method".to_owned()),
            (Methods::Any, Methods::Only(methods)) | (Methods::Only(methods), Methods::Any) => methods.first().cloned(),
            (Methods::Only(methods), other) => methods.iter().find(|method| other.have(method)).cloned(),
        }
    }
}

impl std::fmt::Display for Methods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Methods::Any => f.write_str("*"),
            Methods::Only(methods) => f.write_str(&methods.join(",")),
        }
    }
}

impl Needs {
    pub(crate) fn new(requirement: Requirement, written: Value, pattern: &Pattern) -> Needs {
        let mut texts = Vec::new();
        strings(&written, &mut texts);
        let in_scopes = pattern.names().filter(|name| texts.iter().any(|text| text.contains(&format!("<{name}>"))));
        let in_scopes = in_scopes.map(str::to_owned).collect();
        Needs { requirement, in_scopes, written, body_unchecked: false, reveal: Vec::new() }
    }

    /// The expression for one request, by the parameters of its path.
    pub fn expression(&self, parameters: &Params) -> Result<Expression, CannotAsk> {
        for name in &self.in_scopes {
            let value = parameters.get(name).and_then(Value::as_str).ok_or(CannotAsk::Rule)?;
            if !falconer_scopes::is_valid_scope(value) && !value.is_empty() {
                return Err(CannotAsk::Character(name.clone()));
            }
            if value.ends_with('*') {
                return Err(CannotAsk::Star(name.clone()));
            }
        }
        self.requirement.expression(parameters).map_err(|_: Refusal| CannotAsk::Rule)
    }

    /// Every scope of the expression as it was written, with its parameters.
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        strings(&self.written, &mut texts);
        texts
    }
}

/// The strings of an expression.
fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(values) => values.values().for_each(|value| strings(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
