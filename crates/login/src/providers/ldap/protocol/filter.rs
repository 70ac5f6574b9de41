//! Filters with places for values. A value goes into the encoded filter as the bytes that it is: it never passes through the text of a filter, so that
//! nothing in it can mean a bracket, a star or an operator.

use super::ber::{OCTETS, SEQUENCE, element};
use super::filter_text::{self, FilterError};

/// A filter as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Equal(String, Value),
    Substrings { name: String, first: Value, inside: Vec<Value>, last: Value },
    AtLeast(String, Value),
    AtMost(String, Value),
    About(String, Value),
    Present(String),
    ByRule { name: Option<String>, rule: Option<String>, of_dn: bool, value: Value },
}

/// A value, in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Value(pub(super) Vec<Part>);

/// What is there, or what will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Bytes(Vec<u8>),
    Named(&'static str),
}

/// What the places stand for; a name without a value is not in the list.
pub(crate) type Values<'a> = &'a [(&'static str, &'a [u8])];

/// A filter that was read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterTemplate(Filter);

impl FilterTemplate {
    /// Reads it; `known` are the names that it may have between braces.
    pub(crate) fn parse(text: &str, known: &[&'static str]) -> Result<FilterTemplate, FilterError> {
        filter_text::parse(text, known).map(FilterTemplate)
    }

    /// Whether a name stands between braces somewhere.
    pub(crate) fn names(&self, name: &str) -> bool {
        let mut rest = vec![&self.0];
        while let Some(filter) = rest.pop() {
            let values: Vec<&Value> = match filter {
                Filter::And(list) | Filter::Or(list) => {
                    rest.extend(list);
                    continue;
                }
                Filter::Not(inside) => {
                    rest.push(inside);
                    continue;
                }
                Filter::Present(_) => continue,
                Filter::Substrings { first, inside, last, .. } => [first, last].into_iter().chain(inside).collect(),
                Filter::Equal(_, value) | Filter::AtLeast(_, value) | Filter::AtMost(_, value) | Filter::About(_, value) => vec![value],
                Filter::ByRule { value, .. } => vec![value],
            };
            if values.iter().flat_map(|value| &value.0).any(|part| matches!(part, Part::Named(named) if *named == name)) {
                return true;
            }
        }
        false
    }

    /// The filter of everybody whom it finds with some value: where a name stands between braces, it is enough that the attribute is there. Encoded; `None`: it
    /// can't be said.
    pub(crate) fn anybody(&self) -> Option<Vec<u8>> {
        encode(&self.0, Fill::WithAnything)
    }

    /// The filter with these values, encoded. A part that needs a value which is not there is neither true nor false, as RFC 4511 section 4.5.1.7 has it of
    /// attributes that are not there. `None`: the whole filter is neither, and finds nothing.
    pub(crate) fn fill(&self, values: Values<'_>) -> Option<Vec<u8>> {
        encode(&self.0, Fill::With(values))
    }
}

impl Value {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push_byte(&mut self, byte: u8) {
        match self.0.last_mut() {
            Some(Part::Bytes(bytes)) => bytes.push(byte),
            _ => self.0.push(Part::Bytes(vec![byte])),
        }
    }

    pub(super) fn push_text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.push_byte(byte));
    }

    fn is_fixed(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Bytes(_)))
    }

    fn fill(&self, fill: Fill<'_>) -> Option<Vec<u8>> {
        let values = match fill {
            Fill::With(values) => values,
            Fill::WithAnything => &[],
        };
        let mut filled = Vec::new();
        for part in &self.0 {
            match part {
                Part::Bytes(bytes) => filled.extend_from_slice(bytes),
                Part::Named(name) => {
                    let (_, value) = values.iter().find(|(named, value)| named == name && !value.is_empty())?;
                    filled.extend_from_slice(value);
                }
            }
        }
        Some(filled)
    }
}

/// What a filter is encoded with.
#[derive(Clone, Copy)]
enum Fill<'a> {
    With(Values<'a>),
    WithAnything,
}

/// Calls itself as deep as the text was allowed to be.
fn encode(filter: &Filter, fill: Fill<'_>) -> Option<Vec<u8>> {
    let pair = |tag: u8, name: &str, value: &Value| match fill {
        Fill::WithAnything if !value.is_fixed() => Some(present(name)),
        _ => Some(assertion(tag, name, &value.fill(fill)?)),
    };
    match filter {
        Filter::And(list) => {
            let parts: Option<Vec<Vec<u8>>> = list.iter().map(|inside| encode(inside, fill)).collect();
            Some(joined(0xa0, &parts?))
        }
        Filter::Or(list) => {
            let parts: Vec<Vec<u8>> = list.iter().filter_map(|inside| encode(inside, fill)).collect();
            (!parts.is_empty()).then(|| joined(0xa1, &parts))
        }
        Filter::Not(inside) => Some(element(0xa2, &[&encode(inside, fill)?]).to_vec()),
        Filter::Equal(name, value) => pair(0xa3, name, value),
        Filter::AtLeast(name, value) => pair(0xa5, name, value),
        Filter::AtMost(name, value) => pair(0xa6, name, value),
        Filter::About(name, value) => pair(0xa8, name, value),
        Filter::Present(name) => Some(present(name)),
        Filter::Substrings { name, first, inside, last } => {
            let values = || [first, last].into_iter().chain(inside);
            if matches!(fill, Fill::WithAnything) && !values().all(Value::is_fixed) {
                return Some(present(name));
            }
            let mut pieces = Vec::new();
            let ends = [(0x80, first)].into_iter().chain(inside.iter().map(|value| (0x81, value))).chain([(0x82, last)]);
            for (tag, value) in ends.filter(|(_, value)| !value.is_empty()) {
                pieces.push(element(tag, &[&value.fill(fill)?]).to_vec());
            }
            let name = element(OCTETS, &[name.as_bytes()]);
            Some(element(0xa4, &[&name, &joined(SEQUENCE, &pieces)]).to_vec())
        }
        Filter::ByRule { name: Some(name), value, .. } if matches!(fill, Fill::WithAnything) && !value.is_fixed() => Some(present(name)),
        Filter::ByRule { name, rule, of_dn, value } => {
            let mut parts = Vec::new();
            parts.extend(rule.as_ref().map(|rule| element(0x81, &[rule.as_bytes()]).to_vec()));
            parts.extend(name.as_ref().map(|name| element(0x82, &[name.as_bytes()]).to_vec()));
            parts.push(element(0x83, &[&value.fill(fill)?]).to_vec());
            parts.extend(of_dn.then(|| element(0x84, &[&[0xff]]).to_vec()));
            Some(joined(0xa9, &parts))
        }
    }
}

fn assertion(tag: u8, name: &str, value: &[u8]) -> Vec<u8> {
    element(tag, &[&element(OCTETS, &[name.as_bytes()]), &element(OCTETS, &[value])]).to_vec()
}

fn joined(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    element(tag, &parts).to_vec()
}

/// Everything of these, encoded already.
pub(crate) fn and(parts: &[Vec<u8>]) -> Vec<u8> {
    joined(0xa0, parts)
}

/// One of these, encoded already; at least one has to be there.
pub(crate) fn or(parts: &[Vec<u8>]) -> Vec<u8> {
    joined(0xa1, parts)
}

/// This attribute has this value.
pub(crate) fn equal(name: &str, value: &[u8]) -> Vec<u8> {
    assertion(0xa3, name, value)
}

/// This attribute is there.
pub(crate) fn present(name: &str) -> Vec<u8> {
    element(0x87, &[name.as_bytes()]).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["name", "email"];

    fn fill(text: &str, name: &str) -> Option<Vec<u8>> {
        let template = FilterTemplate::parse(text, KNOWN).unwrap_or_else(|error| panic!("{text}: {error}"));
        template.fill(&[("name", name.as_bytes())])
    }

    /// The examples of RFC 4515 section 4, and Active Directory's rules.
    #[test]
    fn filters_are_read() {
        for fine in [
            "(cn=Babs Jensen)",
            "(!(cn=Tim Howes))",
            "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
            "(o=univ*of*mich*)",
            "(seeAlso=)",
            "(cn:caseExactMatch:=Fred Flintstone)",
            "(cn:=Betty Rubble)",
            "(sn:dn:2.4.6.8.10:=Barney Rubble)",
            "(o:dn:=Ace Industry)",
            "(:1.2.3:=Wilma Flintstone)",
            "(:DN.2.4.6.8.10:=Dino)",
            r"(o=Parens R Us \28for all your parenthetical needs\29)",
            r"(cn=*\2A*)",
            r"(bin=\00\00\00\04)",
            r"(sn=Lu\c4\8di\c4\87)",
            "(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))",
            "(member:1.2.840.113556.1.4.1941:={name})",
            "( & (a=b) (c=d) )".trim_start_matches("( ").trim(),
            "(cn=*)",
            "(a>=1)",
            "(a<=1)",
            "(a~=x)",
        ] {
            let fine = if fine.starts_with('(') { fine.to_owned() } else { format!("({fine}") };
            assert!(fill(&fine, "you").is_some(), "{fine}");
        }
        for wrong in [
            "",
            "()",
            "cn=a",
            "(cn=a",
            "(cn=a))",
            "(cn)",
            "(&)",
            "(|)",
            "(!)",
            "(cn=a(b)",
            "(c n=a)",
            "(=a)",
            "(cn=a**b)",
            r"(cn=\2)",
            r"(cn=\zz)",
            "(:=a)",
            "(a>=*)",
            "(cn={nam})",
            "(cn={name)",
            "(cn=name})",
            "({name}=x)",
            "(cn:{name}:=x)",
            "(a:b:c:d:=x)",
            "(cn=a)(cn=b)",
        ] {
            assert!(FilterTemplate::parse(wrong, KNOWN).is_err(), "{wrong}");
        }
        let deep = format!("{}(a=b){}", "(!".repeat(17), ")".repeat(17));
        assert!(
            FilterTemplate::parse(&deep, KNOWN).is_err() && FilterTemplate::parse(&format!("(a={})", "b".repeat(5000)), KNOWN).is_err()
        );
    }

    /// Whatever somebody types stays one value: the filter has the same shape, and the bytes are in it as they are.
    #[test]
    fn values_stay_values() {
        let plain = fill("(&(uid={name})(objectClass=person))", "you").unwrap();
        for typed in ["*", "*)(uid=*", "you)(|(uid=*", r"\2a", "\0", "a\0b", "{name}", "{email}", "é", "(", ")", "&", "you*"] {
            let filled = fill("(&(uid={name})(objectClass=person))", typed).unwrap();
            let expected = and(&[equal("uid", typed.as_bytes()), equal("objectClass", b"person")]);
            assert_eq!(filled, expected, "{typed}");
            assert_eq!(filled.len() - typed.len(), plain.len() - 3, "{typed}");
        }
    }

    /// A person without an address is not everybody without that address.
    #[test]
    fn what_is_not_there_finds_nothing() {
        assert_eq!(fill("(mail={email})", "you"), None);
        assert_eq!(fill("(!(mail={email}))", "you"), None);
        assert_eq!(fill("(&(uid={name})(!(mail={email})))", "you"), None);
        assert_eq!(fill("(|(uid={name})(mail={email}))", "you"), Some(or(&[equal("uid", b"you")])));
        assert_eq!(fill("(uid={name})", ""), None);
        assert_eq!(fill("(uid=a{name}*)", ""), None);
    }

    /// Who is found with some name is who may stay.
    #[test]
    fn anybody() {
        let anybody = |text: &str| FilterTemplate::parse(text, KNOWN).unwrap().anybody();
        assert_eq!(anybody("(&(objectClass=person)(uid={name}))"), Some(and(&[equal("objectClass", b"person"), present("uid")])));
        assert_eq!(anybody("(|(uid={name})(mail={name}*)(cn:x:={name}))"), Some(or(&[present("uid"), present("mail"), present("cn")])));
        assert_eq!(anybody("(:1.2:={name})"), None);
    }

    #[test]
    fn what_a_filter_names() {
        let template = FilterTemplate::parse("(|(a=b)(!(c=*x{name}*)))", KNOWN).unwrap();
        assert!(template.names("name") && !template.names("email"));
    }
}
