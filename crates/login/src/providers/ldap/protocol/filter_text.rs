//! Filters as operators write them (RFC 4515), with places for values.

use thiserror::Error;

use super::filter::{Filter, Part, Value};

/// Characters.
const LONGEST: usize = 4096;
/// Brackets inside of brackets.
const DEEPEST: usize = 16;

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FilterError {
    /// Somewhere in it.
    #[error("{why}, at {at:?}")]
    At {
        /// The rest of the text, from where it is wrong.
        at: String,
        /// What.
        why: &'static str,
    },
    /// Nobody writes so long a filter.
    #[error("it is longer than 4096 characters")]
    TooLong,
    /// A place for what there is not.
    #[error("it names {{{named}}}; there are {known}")]
    Unknown {
        /// What it names.
        named: String,
        /// What it could name.
        known: String,
    },
    /// It would find the same for everybody.
    #[error("it does not name {0}")]
    NamesNot(&'static str),
}

/// Reads a whole filter. `known` are the names that may stand between braces.
pub(super) fn parse(text: &str, known: &[&'static str]) -> Result<Filter, FilterError> {
    if text.len() > LONGEST {
        return Err(FilterError::TooLong);
    }
    let mut reader = Reader { rest: text.trim(), known };
    let filter = reader.filter(0)?;
    if reader.rest.is_empty() { Ok(filter) } else { Err(reader.wrong("something stands behind the filter")) }
}

/// A name of an attribute or a rule: letters, digits, dots, hyphens, options behind semicolons.
pub(crate) fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-;_".contains(&byte))
}

struct Reader<'a> {
    rest: &'a str,
    known: &'a [&'static str],
}

impl<'a> Reader<'a> {
    fn wrong(&self, why: &'static str) -> FilterError {
        FilterError::At { at: self.rest.chars().take(40).collect(), why }
    }

    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Calls itself for brackets inside of brackets, up to a depth.
    fn filter(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if depth > DEEPEST {
            return Err(self.wrong("too many brackets are inside of each other"));
        }
        if !self.skip("(") {
            return Err(self.wrong("a filter begins with a bracket"));
        }
        let filter = if self.skip("&") {
            Filter::And(self.list(depth)?)
        } else if self.skip("|") {
            Filter::Or(self.list(depth)?)
        } else if self.skip("!") {
            Filter::Not(Box::new(self.filter(depth + 1)?))
        } else {
            self.item()?
        };
        self.rest = self.rest.trim_start();
        if self.skip(")") { Ok(filter) } else { Err(self.wrong("a bracket is missing")) }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Filter>, FilterError> {
        let mut list = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('(') {
                break;
            }
            list.push(self.filter(depth + 1)?);
        }
        if list.is_empty() { Err(self.wrong("nothing is inside of the brackets")) } else { Ok(list) }
    }

    fn item(&mut self) -> Result<Filter, FilterError> {
        let Some((left, _)) = self.rest.split_once('=') else { return Err(self.wrong("an equals sign is missing")) };
        let (left, kind) = match left.chars().last() {
            Some(sign @ ('>' | '<' | '~' | ':')) => (left.get(..left.len() - 1).unwrap_or_default(), sign),
            _ => (left, '='),
        };
        let wrong = self.wrong("there is no such name of an attribute");
        if kind == ':' {
            return self.extensible(left, wrong);
        }
        if !is_name(left) {
            return Err(wrong);
        }
        let name = left.to_owned();
        self.go_behind_equals();
        let mut pieces = self.pieces()?;
        let first = pieces.remove(0);
        if kind == '=' && !pieces.is_empty() {
            if first.is_empty() && pieces.len() == 1 && pieces.iter().all(Value::is_empty) {
                return Ok(Filter::Present(name));
            }
            let last = pieces.pop().unwrap_or_default();
            if pieces.iter().any(Value::is_empty) {
                return Err(self.wrong("two stars stand side by side before this"));
            }
            return Ok(Filter::Substrings { name, first, inside: pieces, last });
        }
        if !pieces.is_empty() {
            return Err(self.wrong("a star before this means nothing there; write \\2a for the character"));
        }
        Ok(match kind {
            '>' => Filter::AtLeast(name, first),
            '<' => Filter::AtMost(name, first),
            '~' => Filter::About(name, first),
            _ => Filter::Equal(name, first),
        })
    }

    /// `attribute:dn:rule:=value`, where the attribute or the rule may be missing.
    fn extensible(&mut self, left: &str, wrong: FilterError) -> Result<Filter, FilterError> {
        let mut parts = left.split(':');
        let name = parts.next().filter(|name| !name.is_empty()).map(str::to_owned);
        let mut rule = parts.next();
        let of_dn = rule == Some("dn");
        if of_dn {
            rule = parts.next();
        }
        let fine = parts.next().is_none() && name.as_deref().is_none_or(is_name) && rule.is_none_or(is_name);
        if !fine || (name.is_none() && rule.is_none()) {
            return Err(wrong);
        }
        let rule = rule.map(str::to_owned);
        self.go_behind_equals();
        let mut pieces = self.pieces()?;
        let value = pieces.remove(0);
        if pieces.is_empty() {
            Ok(Filter::ByRule { name, rule, of_dn, value })
        } else {
            Err(self.wrong("a star before this means nothing there; write \\2a for the character"))
        }
    }

    fn go_behind_equals(&mut self) {
        self.rest = self.rest.split_once('=').map(|(_, rest)| rest).unwrap_or_default();
    }

    /// What stands between stars, up to the bracket: at least one piece.
    fn pieces(&mut self) -> Result<Vec<Value>, FilterError> {
        let (mut pieces, mut piece) = (Vec::new(), Value::default());
        loop {
            let Some(next) = self.rest.chars().next() else { return Err(self.wrong("a bracket is missing")) };
            match next {
                ')' => break,
                '(' | '\0' => return Err(self.wrong("a value can't hold this character as it is; write \\28 for a bracket")),
                '*' => {
                    self.skip("*");
                    pieces.push(std::mem::take(&mut piece));
                }
                '\\' => piece.push_byte(self.escaped()?),
                '{' => piece.0.push(Part::Named(self.named()?)),
                '}' => return Err(self.wrong("a brace has no beginning; write \\7d for the character")),
                other => {
                    piece.push_text(self.rest.get(..other.len_utf8()).unwrap_or_default());
                    self.rest = self.rest.get(other.len_utf8()..).unwrap_or_default();
                }
            }
        }
        pieces.push(piece);
        Ok(pieces)
    }

    fn escaped(&mut self) -> Result<u8, FilterError> {
        let digits = self.rest.get(1..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let byte = byte.ok_or_else(|| self.wrong("a backslash has two hexadecimal digits behind it"))?;
        self.rest = self.rest.get(3..).unwrap_or_default();
        Ok(byte)
    }

    fn named(&mut self) -> Result<&'static str, FilterError> {
        let inside = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (named, rest) = inside.ok_or_else(|| self.wrong("a brace has no end; write \\7b for the character"))?;
        let Some(known) = self.known.iter().find(|known| **known == named) else {
            let known: Vec<String> = self.known.iter().map(|known| format!("{{{known}}}")).collect();
            let known = if known.is_empty() { "none here".to_owned() } else { known.join(", ") };
            return Err(FilterError::Unknown { named: named.chars().take(40).collect(), known });
        };
        self.rest = rest;
        Ok(known)
    }
}
