//! Scope expression templates: an API method's requirement before its parameters are known.

use crate::expression::Expression;
use serde_json::{Map, Value};
use std::str::FromStr;
use thiserror::Error;

/// Parameters of a template by name: strings, numbers, booleans, arrays of strings.
pub type Params = Map<String, Value>;

/// A parsed template. Its JSON forms: `"auth:get-client:<clientId>"`, `{"AllOf": [..]}`, `{"AnyOf": [..]}`,
/// `{"for": "scope", "in": "scopes", "each": "<scope>"}` (inside the former two only), `{"if": "flag", "then": T, "else": U}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Node);

/// Why a template cannot be parsed or rendered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// Our own fault: not a template.
    #[error("not a scope expression template: {0}")]
    Invalid(String),
    /// A parameter is missing or of another kind.
    #[error("Scope expression template expected parameter '{name}' to be a {kind}")]
    Parameter {
        /// The parameter.
        name: String,
        /// `string or number`, `array` or `boolean`.
        kind: &'static str,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Text(Text),
    AllOf(Vec<Node>),
    AnyOf(Vec<Node>),
    For { variable: String, list: String, each: Text },
    If { flag: String, then: Box<Node>, otherwise: Option<Box<Node>> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Text(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Parameter(String),
}

impl Template {
    /// Reads the JSON form. Errors: `Invalid`.
    pub fn parse(json: &Value) -> Result<Template, TemplateError> {
        match Node::parse(json)? {
            Node::For { .. } => Err(TemplateError::Invalid("a for outside AllOf and AnyOf".to_owned())),
            node => Ok(Template(node)),
        }
    }

    /// The expression for these parameters; `None` when nothing is required (the call is public). Errors: `Parameter`.
    pub fn render(&self, params: &Params) -> Result<Option<Expression>, TemplateError> {
        let mut rendered = Vec::new();
        self.0.render(params, &mut rendered)?;
        Ok(rendered.pop())
    }

    /// The names of the parameters, each once, in order of appearance.
    pub fn param_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        self.0.uses(&mut |name, _| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        names
    }

    /// Whether every parameter is there and of the kind that the template needs, whichever branches would be taken.
    pub fn params_sufficient(&self, params: &Params) -> bool {
        let mut sufficient = true;
        self.0.uses(&mut |name, kind| sufficient &= params.get(name).is_some_and(|value| kind.fits(value)));
        sufficient
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Array,
    Boolean,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Kind::Text => value.is_string() || value.is_number(),
            Kind::Array => value.as_array().is_some_and(|elements| elements.iter().all(Value::is_string)),
            Kind::Boolean => value.is_boolean(),
        }
    }

    fn error(self, name: &str) -> TemplateError {
        let kind = match self {
            Kind::Text => "string or number",
            Kind::Array => "array",
            Kind::Boolean => "boolean",
        };
        TemplateError::Parameter { name: name.to_owned(), kind }
    }
}

impl Node {
    fn parse(json: &Value) -> Result<Node, TemplateError> {
        match json {
            Value::String(text) => Ok(Node::Text(Text::parse(text))),
            Value::Object(object) => Node::parse_object(object),
            _ => Err(TemplateError::Invalid("neither a string nor an object".to_owned())),
        }
    }

    fn parse_object(object: &Map<String, Value>) -> Result<Node, TemplateError> {
        let invalid = |what: &str| TemplateError::Invalid(what.to_owned());
        let member = |key: &str| object.get(key);
        let name = |key: &str| match member(key) {
            Some(Value::String(name)) if is_name(name) => Ok(name.clone()),
            _ => Err(invalid("for, in and if name a parameter")),
        };
        let list = |key: &str| match member(key) {
            Some(Value::Array(members)) => members.iter().map(Node::parse).collect::<Result<Vec<_>, _>>(),
            _ => Err(invalid("AllOf and AnyOf hold an array")),
        };
        let branch = |json: &Value| match Node::parse(json)? {
            Node::For { .. } => Err(invalid("a for outside AllOf and AnyOf")),
            node => Ok(Box::new(node)),
        };
        let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
        keys.sort_unstable();
        match (keys.as_slice(), member("then"), member("else")) {
            (["AllOf"], ..) => Ok(Node::AllOf(list("AllOf")?)),
            (["AnyOf"], ..) => Ok(Node::AnyOf(list("AnyOf")?)),
            (["each", "for", "in"], ..) => match member("each") {
                Some(Value::String(each)) => Ok(Node::For { variable: name("for")?, list: name("in")?, each: Text::parse(each) }),
                _ => Err(invalid("each is not a string")),
            },
            (["if", "then"], Some(then), _) => Ok(Node::If { flag: name("if")?, then: branch(then)?, otherwise: None }),
            (["else", "if", "then"], Some(then), Some(otherwise)) => {
                Ok(Node::If { flag: name("if")?, then: branch(then)?, otherwise: Some(branch(otherwise)?) })
            }
            _ => Err(invalid("unknown keys")),
        }
    }

    /// Adds what the node renders to: nothing, one expression, or for a `for` as many as the list is long.
    fn render(&self, params: &Params, out: &mut Vec<Expression>) -> Result<(), TemplateError> {
        match self {
            Node::Text(text) => out.push(Expression::Scope(text.render(|name| params.get(name))?)),
            Node::AllOf(members) => out.push(Expression::AllOf(Node::render_all(members, params)?)),
            Node::AnyOf(members) => out.push(Expression::AnyOf(Node::render_all(members, params)?)),
            Node::For { variable, list, each } => {
                let elements = params.get(list).filter(|value| Kind::Array.fits(value)).and_then(Value::as_array);
                let elements = elements.ok_or_else(|| Kind::Array.error(list))?;
                for element in elements {
                    let lookup = |name: &str| {
                        if name == variable { Some(element) } else { params.get(name) }
                    };
                    out.push(Expression::Scope(each.render(lookup)?));
                }
            }
            Node::If { flag, then, otherwise } => {
                let flag = params.get(flag).and_then(Value::as_bool).ok_or_else(|| Kind::Boolean.error(flag))?;
                match (flag, otherwise) {
                    (true, _) => then.render(params, out)?,
                    (false, Some(otherwise)) => otherwise.render(params, out)?,
                    (false, None) => {}
                }
            }
        }
        Ok(())
    }

    fn render_all(members: &[Node], params: &Params) -> Result<Vec<Expression>, TemplateError> {
        let mut rendered = Vec::with_capacity(members.len());
        for member in members {
            member.render(params, &mut rendered)?;
        }
        Ok(rendered)
    }

    /// Calls `used` for every use of a parameter, in order of appearance. The variable of a `for` is none.
    fn uses<'a>(&'a self, used: &mut dyn FnMut(&'a str, Kind)) {
        match self {
            Node::Text(text) => text.names().for_each(|name| used(name, Kind::Text)),
            Node::AllOf(members) | Node::AnyOf(members) => members.iter().for_each(|member| member.uses(used)),
            Node::For { variable, list, each } => {
                used(list, Kind::Array);
                each.names().filter(|name| name != variable).for_each(|name| used(name, Kind::Text));
            }
            Node::If { flag, then, otherwise } => {
                used(flag, Kind::Boolean);
                then.uses(used);
                if let Some(otherwise) = otherwise {
                    otherwise.uses(used);
                }
            }
        }
    }
}

impl Text {
    /// Splits at every `<name>`; what only looks similar (`<..>`, `<1a>`, `<a.b>`) is literal.
    fn parse(text: &str) -> Text {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            literal.push_str(before);
            match after.split_once('>') {
                Some((name, after)) if is_name(name) => {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    pieces.push(Piece::Parameter(name.to_owned()));
                    rest = after;
                }
                _ => {
                    literal.push('<');
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        pieces.push(Piece::Literal(literal));
        Text(pieces)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Parameter(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    fn render<'v>(&self, lookup: impl Fn(&str) -> Option<&'v Value>) -> Result<String, TemplateError> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Parameter(name) => match lookup(name) {
                    Some(Value::String(value)) => text.push_str(value),
                    // Integers as they are; a float as its shortest decimal form, without `.0`.
                    Some(Value::Number(value)) => match value.as_f64() {
                        Some(float) if value.is_f64() => text.push_str(&float.to_string()),
                        _ => text.push_str(&value.to_string()),
                    },
                    _ => return Err(Kind::Text.error(name)),
                },
            }
        }
        Ok(text)
    }
}

/// Whether `name` can be a parameter: `[a-zA-Z][a-zA-Z0-9_]*`.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl FromStr for Template {
    type Err = TemplateError;

    /// Reads the JSON text of a template.
    fn from_str(json: &str) -> Result<Template, TemplateError> {
        let json = serde_json::from_str(json).map_err(|error| TemplateError::Invalid(error.to_string()))?;
        Template::parse(&json)
    }
}
