//! Scope expressions: what a call requires.

use crate::scope_set::ScopeSet;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A scope, `{"AllOf": [..]}` or `{"AnyOf": [..]}`, nested at will. Serializes and deserializes in that JSON form.
///
/// `Display` is what an `InsufficientScopes` message prints: the bare text of a plain scope, otherwise JSON indented by two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Satisfied when a held scope covers it.
    Scope(String),
    /// Satisfied when every member is; without members always.
    AllOf(Vec<Expression>),
    /// Satisfied when some member is; without members never, not even by `*`.
    AnyOf(Vec<Expression>),
}

impl Expression {
    /// All of these scopes, in this order.
    pub fn all_of(scopes: impl IntoIterator<Item = String>) -> Expression {
        Expression::AllOf(scopes.into_iter().map(Expression::Scope).collect())
    }

    /// Whether the set satisfies the expression.
    pub fn satisfied_by(&self, held: &ScopeSet) -> bool {
        self.satisfied(&|scope| held.satisfies(scope))
    }

    /// The part of the expression that the set does not satisfy; `None` when it satisfies all of it. This is what a refused caller is
    /// shown.
    pub fn missing(&self, held: &ScopeSet) -> Option<Expression> {
        self.reduced(&|scope| held.satisfies(scope))
    }

    /// Whether what is held satisfies the expression, where `holds` says of each scope whether it does.
    pub fn satisfied_where(&self, holds: &dyn Fn(&str) -> bool) -> bool {
        self.satisfied(holds)
    }

    /// [`Expression::missing`] of what is held, where `holds` says of each scope whether it is satisfied.
    pub fn missing_where(&self, holds: &dyn Fn(&str) -> bool) -> Option<Expression> {
        self.reduced(holds)
    }

    /// The required scopes that were satisfied, over every satisfied alternative (for the audit log, never on the wire). `None` when the
    /// expression is not satisfied.
    pub fn scopes_used(&self, held: &ScopeSet) -> Option<ScopeSet> {
        let mut used = Vec::new();
        self.collect_used(held, &mut used).then(|| ScopeSet::from_texts(used))
    }

    /// How much text it takes: the bytes of its scopes, and one more for each part.
    pub fn text_bytes(&self) -> usize {
        match self {
            Expression::Scope(scope) => scope.len().saturating_add(1),
            Expression::AllOf(members) | Expression::AnyOf(members) => {
                members.iter().fold(1, |sum: usize, member| sum.saturating_add(member.text_bytes()))
            }
        }
    }

    fn satisfied(&self, holds: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Expression::Scope(scope) => holds(scope),
            Expression::AllOf(members) => members.iter().all(|member| member.satisfied(holds)),
            Expression::AnyOf(members) => members.iter().any(|member| member.satisfied(holds)),
        }
    }

    fn reduced(&self, holds: &dyn Fn(&str) -> bool) -> Option<Expression> {
        match self {
            Expression::Scope(scope) => (!holds(scope)).then(|| self.clone()),
            Expression::AllOf(members) => {
                let mut missing: Vec<_> = members.iter().filter_map(|member| member.reduced(holds)).collect();
                match missing.len() {
                    0 | 1 => missing.pop(),
                    _ => Some(Expression::AllOf(missing)),
                }
            }
            Expression::AnyOf(members) => {
                // One satisfied alternative satisfies the whole: `collect` stops at the first `None`.
                let mut missing: Vec<_> = members.iter().map(|member| member.reduced(holds)).collect::<Option<_>>()?;
                match missing.len() {
                    1 => missing.pop(),
                    _ => Some(Expression::AnyOf(missing)),
                }
            }
        }
    }

    /// Whether satisfied; adds what was used, and leaves `used` as it was when not.
    fn collect_used<'a>(&'a self, held: &ScopeSet, used: &mut Vec<&'a str>) -> bool {
        let before = used.len();
        let satisfied = match self {
            Expression::Scope(scope) => {
                used.push(scope);
                held.satisfies(scope)
            }
            Expression::AllOf(members) => members.iter().all(|member| member.collect_used(held, used)),
            Expression::AnyOf(members) => {
                // Every alternative is visited, a satisfied one does not end the search.
                let mut any = false;
                for member in members {
                    any |= member.collect_used(held, used);
                }
                any
            }
        };
        if !satisfied {
            used.truncate(before);
        }
        satisfied
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Scope(scope) => f.write_str(scope),
            _ => f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?),
        }
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, members) = match self {
            Expression::Scope(scope) => return serializer.serialize_str(scope),
            Expression::AllOf(members) => ("AllOf", members),
            Expression::AnyOf(members) => ("AnyOf", members),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(key, members)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Expression, D::Error> {
        deserializer.deserialize_any(ExpressionVisitor)
    }
}

struct ExpressionVisitor;

impl<'de> Visitor<'de> for ExpressionVisitor {
    type Value = Expression;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scope, {\"AllOf\": [..]} or {\"AnyOf\": [..]}")
    }

    fn visit_str<E: de::Error>(self, scope: &str) -> Result<Expression, E> {
        Ok(Expression::Scope(scope.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expression, A::Error> {
        let expression = match map.next_key::<String>()?.as_deref() {
            Some("AllOf") => Expression::AllOf(map.next_value()?),
            Some("AnyOf") => Expression::AnyOf(map.next_value()?),
            _ => {
                return Err(de::Error::custom("a scope expression object has the key AllOf or AnyOf"));
            }
        };
        match map.next_key::<String>()? {
            None => Ok(expression),
            Some(_) => Err(de::Error::custom("a scope expression object has exactly one key")),
        }
    }
}
