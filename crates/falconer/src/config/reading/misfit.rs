//! Which name does not fit, as a value. The reader of TOML says that in words alone; serde itself knows the name and those that there are, and hands both
//! to the type of the error. So what could not be read is read once more with a type of our own.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use toml::Value;

use super::near;

/// Why a value is not what it should be.
#[derive(Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A name that there is not.
    UnknownName {
        /// As it is written.
        name: String,
        /// Those that there are.
        known: &'static [&'static str],
    },
    /// Something else, for which the words of the reader are all that is said.
    Other,
}

impl Misfit {
    /// Why `value` is no `T`, if it is none.
    pub fn of<T: DeserializeOwned>(value: Value) -> Option<Misfit> {
        T::deserialize(Read(value)).err()
    }

    /// A line that names what was meant, or nothing. `besides` are names that there are too.
    pub fn meant(&self, besides: &[&str]) -> String {
        let Misfit::UnknownName { name, known } = self else { return String::new() };
        let meant = near::nearest(name, known.iter().chain(besides).copied());
        meant.map(|meant| format!("\ndid you mean `{meant}`?")).unwrap_or_default()
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::UnknownName { name, .. } => write!(f, "unknown name `{name}`"),
            Misfit::Other => f.write_str("a value does not fit"),
        }
    }
}

impl std::error::Error for Misfit {}

impl Error for Misfit {
    fn custom<T: fmt::Display>(_: T) -> Misfit {
        Misfit::Other
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Misfit {
        Misfit::UnknownName { name: name.to_owned(), known }
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Misfit {
        Misfit::UnknownName { name: name.to_owned(), known }
    }
}

/// A value that is read with such an error.
struct Read(Value);

impl IntoDeserializer<'_, Misfit> for Read {
    type Deserializer = Read;

    fn into_deserializer(self) -> Read {
        self
    }
}

impl<'de> Deserializer<'de> for Read {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Boolean(value) => visitor.visit_bool(value),
            // No setting is a time.
            Value::Datetime(_) => Err(Misfit::Other),
            Value::Array(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(Read))),
            Value::Table(table) => visitor.visit_map(MapDeserializer::new(table.into_iter().map(|(name, value)| (name, Read(value))))),
        }
    }

    /// A value that is there is one.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.into_deserializer()),
            _ => Err(Misfit::Other),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn misfit(text: &str) -> Option<Misfit> {
        Misfit::of::<Config>(Value::Table(toml::from_str(text).unwrap()))
    }

    #[test]
    fn an_unknown_name_comes_with_those_that_there_are() {
        let unknown = |text| match misfit(text) {
            Some(Misfit::UnknownName { name, known }) => (name, known.len() > 1),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(unknown("listne = 'a'"), ("listne".to_owned(), true));
        assert_eq!(unknown("[grant]\nmax_tll = '1 day'"), ("max_tll".to_owned(), true));
        assert_eq!(unknown("[log]\nformat = 'jsno'"), ("jsno".to_owned(), true));
        assert_eq!(unknown("[[provider]]\nkind = 'oidk'"), ("oidk".to_owned(), true));
        assert_eq!(misfit("[limits]\nconnections = 'lots'"), Some(Misfit::Other));
        assert_eq!(misfit("listen = '127.0.0.1:9000'\ntrusted_proxies = ['10.0.0.0/8']\n[grant]\nmax_ttl = '1 day'"), None);
    }

    #[test]
    fn what_was_meant_may_be_one_of_the_others() {
        let unknown = Misfit::UnknownName { name: "scope".to_owned(), known: &["issuer"] };
        assert_eq!((unknown.meant(&["name", "scopes"]).as_str(), unknown.meant(&[]).as_str()), ("\ndid you mean `scopes`?", ""));
        assert_eq!(Misfit::Other.meant(&["scopes"]), "");
    }
}
