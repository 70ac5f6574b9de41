//! The JSON document in `ext`, as far as anybody asks for it.
//!
//! All texts go into one buffer, so that reading a certificate takes a handful of allocations. Everything is read as strictly as
//! [`serde_json::Value`] reads it, also what nobody asks for: whether a document is readable may not depend on what is looked at.

use crate::certificate::field::{Field, NotScopes};
use falconer_scopes::is_valid_scope;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use std::fmt;

/// The outermost object. Of several equal keys the last counts; absent is the same as null.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    /// All texts, one behind the other.
    pub texts: String,
    pub certificate: Value,
    pub authorized_scopes: Value,
}

/// The object that is the certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    version: Value,
    seed: Value,
    start: Value,
    expiry: Value,
    scopes: Value,
    issuer: Value,
    signature: Value,
    pub has_client_id: bool,
}

/// Where a text is in the buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    Text(Span),
    /// `None` if some member is no valid scope.
    Array(Option<Vec<Span>>),
    Object,
    Certificate(Box<Fields>),
    Document(Box<Document>),
}

impl Fields {
    pub(crate) fn get(&self, field: Field) -> &Value {
        match field {
            Field::Version => &self.version,
            Field::Seed => &self.seed,
            Field::Start => &self.start,
            Field::Expiry => &self.expiry,
            Field::Scopes => &self.scopes,
            Field::Issuer => &self.issuer,
            Field::Signature => &self.signature,
        }
    }
}

impl Span {
    fn of(self, texts: &str) -> &str {
        texts.get(self.start..self.end).unwrap_or_default()
    }
}

impl Value {
    /// JavaScript's truth: everything but null, false, zero and the empty text.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::Text(span) => span.start < span.end,
            Value::Array(_) | Value::Object | Value::Certificate(_) | Value::Document(_) => true,
        }
    }

    pub(crate) fn text<'t>(&self, texts: &'t str) -> Option<&'t str> {
        match self {
            Value::Text(span) => Some(span.of(texts)),
            _ => None,
        }
    }

    /// The members of an array in which every element is a valid scope.
    pub(crate) fn scopes<'t>(&self, texts: &'t str) -> Result<Vec<&'t str>, NotScopes> {
        match self {
            Value::Array(Some(spans)) => Ok(spans.iter().map(|span| span.of(texts)).collect()),
            Value::Array(None) => Err(NotScopes::NotAll),
            _ => Err(NotScopes::NoArray),
        }
    }
}

/// Reads a document; the buffer with its texts comes beside it.
pub(crate) fn read(json: &str) -> serde_json::Result<(Value, String)> {
    // No text is longer unescaped than escaped.
    let mut texts = String::with_capacity(json.len());
    let mut input = serde_json::Deserializer::from_str(json);
    let value = Reader { texts: &mut texts, place: Place::Document }.deserialize(&mut input)?;
    input.end()?;
    Ok((value, texts))
}

/// What an object that is met would be.
#[derive(Clone, Copy)]
enum Place {
    Document,
    Certificate,
    Elsewhere,
}

struct Reader<'t> {
    texts: &'t mut String,
    place: Place,
}

impl<'t> Reader<'t> {
    fn inner(&mut self, place: Place) -> Reader<'_> {
        Reader { texts: self.texts, place }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        let start = self.texts.len();
        self.texts.push_str(text);
        Ok(Value::Text(Span { start, end: self.texts.len() }))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut scopes = Some(Vec::with_capacity(16));
        while let Some(member) = members.next_element_seed(self.inner(Place::Elsewhere))? {
            match (member, &mut scopes) {
                (Value::Text(span), Some(spans)) if is_valid_scope(span.of(self.texts)) => spans.push(span),
                _ => scopes = None,
            }
        }
        Ok(Value::Array(scopes))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        match self.place {
            Place::Document => {
                let mut document = Document::default();
                while let Some(key) = members.next_key_seed(Key)? {
                    match key {
                        Name::Certificate => document.certificate = members.next_value_seed(self.inner(Place::Certificate))?,
                        Name::AuthorizedScopes => document.authorized_scopes = members.next_value_seed(self.inner(Place::Elsewhere))?,
                        _ => drop(members.next_value_seed(self.inner(Place::Elsewhere))?),
                    }
                }
                Ok(Value::Document(Box::new(document)))
            }
            Place::Certificate => {
                let mut fields = Box::<Fields>::default();
                while let Some(key) = members.next_key_seed(Key)? {
                    let value = members.next_value_seed(self.inner(Place::Elsewhere))?;
                    match key {
                        Name::Field(Field::Version) => fields.version = value,
                        Name::Field(Field::Seed) => fields.seed = value,
                        Name::Field(Field::Start) => fields.start = value,
                        Name::Field(Field::Expiry) => fields.expiry = value,
                        Name::Field(Field::Scopes) => fields.scopes = value,
                        Name::Field(Field::Issuer) => fields.issuer = value,
                        Name::Field(Field::Signature) => fields.signature = value,
                        Name::ClientId => fields.has_client_id = true,
                        Name::Certificate | Name::AuthorizedScopes | Name::Other => (),
                    }
                }
                Ok(Value::Certificate(fields))
            }
            Place::Elsewhere => {
                while members.next_key_seed(Key)?.is_some() {
                    members.next_value_seed(self.inner(Place::Elsewhere))?;
                }
                Ok(Value::Object)
            }
        }
    }
}

/// The key of a member.
enum Name {
    Certificate,
    AuthorizedScopes,
    Field(Field),
    ClientId,
    Other,
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Name;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Name, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Name, E> {
        Ok(match key {
            "certificate" => Name::Certificate,
            "authorizedScopes" => Name::AuthorizedScopes,
            "version" => Name::Field(Field::Version),
            "seed" => Name::Field(Field::Seed),
            "start" => Name::Field(Field::Start),
            "expiry" => Name::Field(Field::Expiry),
            "scopes" => Name::Field(Field::Scopes),
            "issuer" => Name::Field(Field::Issuer),
            "signature" => Name::Field(Field::Signature),
            "clientId" => Name::ClientId,
            _ => Name::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What serde_json's own tree says about a value of the certificate, in the terms of this reader.
    fn same(ours: &Value, theirs: Option<&serde_json::Value>, texts: &str) -> bool {
        use serde_json::Value as Tree;
        match (ours, theirs) {
            (Value::Null, None | Some(Tree::Null)) => true,
            (Value::Bool(a), Some(Tree::Bool(b))) => a == b,
            (Value::Number(a), Some(Tree::Number(b))) => a == b,
            (Value::Text(span), Some(Tree::String(b))) => span.of(texts) == b,
            (Value::Array(spans), Some(Tree::Array(b))) => {
                let scopes: Option<Vec<&str>> = b.iter().map(|member| member.as_str().filter(|text| is_valid_scope(text))).collect();
                spans.as_ref().map(|spans| spans.iter().map(|span| span.of(texts)).collect::<Vec<_>>()) == scopes
            }
            (Value::Object | Value::Certificate(_), Some(Tree::Object(_))) => true,
            _ => false,
        }
    }

    fn check(json: &str) {
        let tree: Result<serde_json::Value, _> = serde_json::from_str(json);
        let (Ok((ours, texts)), Ok(tree)) = (read(json), &tree) else {
            assert_eq!(read(json).is_ok(), tree.is_ok(), "{json}");
            return;
        };
        let Value::Document(document) = ours else {
            assert!(!tree.is_object() && same(&ours, Some(tree), &texts), "{json}");
            return;
        };
        let certificate = tree.get("certificate");
        assert!(same(&document.certificate, certificate, &texts), "{json}");
        assert!(same(&document.authorized_scopes, tree.get("authorizedScopes"), &texts), "{json}");
        if let Value::Certificate(fields) = &document.certificate {
            let at = |key: &str| certificate.and_then(|certificate| certificate.get(key));
            for (field, key) in [
                (Field::Version, "version"),
                (Field::Seed, "seed"),
                (Field::Start, "start"),
                (Field::Expiry, "expiry"),
                (Field::Scopes, "scopes"),
                (Field::Issuer, "issuer"),
                (Field::Signature, "signature"),
            ] {
                assert!(same(fields.get(field), at(key), &texts), "{key} of {json}");
            }
            assert_eq!(fields.has_client_id, at("clientId").is_some(), "{json}");
        }
    }

    fn value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("0".to_owned()),
            Just("-0.0".to_owned()),
            Just("1e400".to_owned()),
            Just("\"\\ud800\"".to_owned()),
            Just("\"\\u00e9\\n\"".to_owned()),
            Just("\"\"".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<u64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| format!("{number:e}")),
            "[ -~]{0,6}".prop_map(|text| serde_json::Value::from(text).to_string()),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            let key = prop::sample::select(vec![
                "certificate",
                "authorizedScopes",
                "version",
                "seed",
                "start",
                "expiry",
                "scopes",
                "issuer",
                "signature",
                "clientId",
                "\\u0073eed",
                "x",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(|members| format!("[{}]", members.join(","))),
                prop::collection::vec((key, inner), 0..6).prop_map(|members| {
                    let members: Vec<String> = members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                    format!("{{{}}}", members.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn reads_what_the_tree_reads(certificate in value(), authorized in value(), other in value(), cut in 0_usize..4000) {
            let whole = format!("{{\"certificate\":{certificate},\"authorizedScopes\":{authorized},\"x\":{other}}}");
            check(&whole);
            check(&other);
            check(whole.get(..cut).unwrap_or(&whole));
        }
    }
}
