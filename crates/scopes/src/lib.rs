//! Scopes, scope sets, expressions, roles.
