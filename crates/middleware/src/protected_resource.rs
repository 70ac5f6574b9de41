use std::sync::Arc;

use falconer_scopes::{Expression, is_valid_scope};
use falconer_wire::scope_text;
use serde_json::{Map, Value, json};

use crate::{Refusal, SettingsError};

/// Where the metadata of a resource stands on its origin (RFC 9728, section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
/// What a service may say of its scopes.
const MOST_SCOPES: usize = 200;
/// A header tells the scopes of a call up to this length. Servers and proxies refuse long ones.
const LONGEST_SCOPE: usize = 2048;

/// The signatures of proofs that count (RFC 9449), as Falconer's own metadata has them.
const ALGORITHMS: &str = "ES256 Ed25519 EdDSA ES384 PS256 RS256";

/// What clients of OAuth 2 have to know of a service that takes access tokens (RFC 9728): where tokens come from, and which scopes there are.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    path: Arc<str>,
    url: Arc<str>,
    document: Arc<str>,
}

impl ProtectedResource {
    pub(crate) fn new(root_url: &str, origin: &str, path: &str, scopes: &[&str]) -> Result<ProtectedResource, SettingsError> {
        let problem = match scopes.iter().find(|scope| scope.is_empty() || !is_valid_scope(scope)) {
            _ if !is_path(path) => format!("its path is `{path}`, and has to look like /mcp, or to be empty for the whole origin"),
            Some(scope) => format!("`{scope}` is not a scope"),
            None if scopes.len() > MOST_SCOPES => format!("it names more than {MOST_SCOPES} scopes"),
            None => {
                let mut document = Map::new();
                document.insert("resource".to_owned(), format!("{origin}{path}").into());
                document.insert("authorization_servers".to_owned(), json!([root_url.trim_end_matches('/')]));
                if !scopes.is_empty() {
                    document.insert("scopes_supported".to_owned(), scopes.iter().map(|scope| scope_text::write([*scope])).collect());
                }
                document.insert("bearer_methods_supported".to_owned(), json!(["header"]));
                document.insert("dpop_signing_alg_values_supported".to_owned(), ALGORITHMS.split(' ').collect());
                let document = Value::Object(document);
                let path = format!("{WELL_KNOWN}{path}");
                let url = format!("{origin}{path}").into();
                return Ok(ProtectedResource { path: path.into(), url, document: document.to_string().into() });
            }
        };
        Err(SettingsError::ProtectedResource(problem))
    }

    /// The path at which the document has to be answered, such as `/.well-known/oauth-protected-resource/mcp`, to everybody, and to pages of every origin.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The document: JSON.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.document
    }

    /// The challenge of a refusal (`WWW-Authenticate`), where a token can mend it. `authorization` is the header of the request that was refused.
    #[must_use]
    pub fn challenge(&self, refusal: &Refusal, authorization: Option<&[u8]>) -> Option<String> {
        let url = &self.url;
        match refusal {
            Refusal::InsufficientScopes { required, .. } => {
                let scope = scope_text(required).map_or_else(String::new, |text| format!(r#"scope="{text}", "#));
                let by = if authorization.is_some_and(shows_bound_token) { "DPoP" } else { "Bearer" };
                Some(format!(r#"{by} error="insufficient_scope", {scope}resource_metadata="{url}""#))
            }
            // Clients of OAuth 2 look at the first challenge. Who showed no token is told of no error (RFC 6750, section 3.1).
            _ if refusal.code().status() == 401 && authorization.is_some_and(shows_bound_token) => {
                let is_proof = refusal.reason().is_some_and(|reason| reason.starts_with("proof-"));
                let error = if is_proof { "invalid_dpop_proof" } else { "invalid_token" };
                Some(format!(r#"DPoP error="{error}", algs="{ALGORITHMS}", resource_metadata="{url}", hawk"#))
            }
            _ if refusal.code().status() == 401 => {
                let error = if authorization.is_some_and(shows_token) { r#"error="invalid_token", "# } else { "" };
                Some(format!(r#"Bearer {error}resource_metadata="{url}", DPoP algs="{ALGORITHMS}", hawk"#))
            }
            _ => None,
        }
    }
}

/// Segments of what needs no encoding. None is `.` or `..`, which clients take away.
fn is_path(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
    let is_segment = |segment: &str| !segment.is_empty() && !matches!(segment, "." | "..") && segment.chars().all(is_plain);
    path.is_empty() || path.strip_prefix('/').is_some_and(|path| path.len() <= 200 && path.split('/').all(is_segment))
}

/// Whether a header shows an access token.
pub(crate) fn shows_token(authorization: &[u8]) -> bool {
    authorization.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer ")) || shows_bound_token(authorization)
}

/// Whether it shows one that is bound to a key.
pub(crate) fn shows_bound_token(authorization: &[u8]) -> bool {
    authorization.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"dpop "))
}

/// The scopes of a call as one of OAuth 2 is written; of alternatives the first. `None`: there are none, or too many for a header.
fn scope_text(required: &Expression) -> Option<String> {
    let mut scopes = Vec::new();
    first_of_each(required, &mut scopes);
    let text = scopes.join(" ");
    (!text.is_empty() && text.len() <= LONGEST_SCOPE).then_some(text)
}

fn first_of_each(required: &Expression, scopes: &mut Vec<String>) {
    match required {
        Expression::Scope(scope) => {
            let scope = scope_text::write([scope.as_str()]);
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Expression::AllOf(parts) => parts.iter().for_each(|part| first_of_each(part, scopes)),
        Expression::AnyOf(parts) => parts.iter().take(1).for_each(|part| first_of_each(part, scopes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_resources() {
        for path in ["", "/mcp", "/a/b-1_2.3~", "/.well"] {
            assert!(is_path(path), "{path}");
        }
        for path in ["/", "mcp", "/mcp/", "//", "/a//b", "/..", "/a/.", "/a b", "/a?b", "/a#b", "/%41", "/\u{e9}", "/a\"b"] {
            assert!(!is_path(path), "{path}");
        }
        assert!(!is_path(&format!("/{}", "a".repeat(201))));
    }

    #[test]
    fn scopes_of_a_challenge() {
        let scope = |text: &str| Expression::Scope(text.to_owned());
        let (a, b) = (scope("notes:read:a b"), scope("100%\\\""));
        assert_eq!(scope_text(&a).as_deref(), Some("notes:read:a%20b"));
        let both = Expression::AllOf(vec![Expression::AnyOf(vec![b.clone(), a.clone()]), a.clone(), a.clone()]);
        assert_eq!(scope_text(&both).as_deref(), Some("100%25%5C%22 notes:read:a%20b"));
        assert_eq!(scope_text(&Expression::AllOf(Vec::new())), None);
        assert_eq!(scope_text(&scope(&"a".repeat(LONGEST_SCOPE + 1))), None, "no header for it");
    }
}
