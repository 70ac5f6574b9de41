//! The JSON document in `ext`, as far as anybody asks for it.
//!
//! All texts go into one buffer, so that reading a certificate takes a handful of allocations. Everything is read as strictly as
//! [`serde_json::Value`] reads it, also what nobody asks for: whether a document is readable may not depend on what is looked at.

use crate::ext::{Field, NotScopes};
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
