//! The headers that keep pages from being framed, sniffed, cached or leaked: the table of rule 7, one row a kind of answer.

use std::sync::LazyLock;

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::PublicOrigin;
use crate::pages::assets;

/// What kind of answer it is; each has its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A page, with or without forms that lead back to Falconer.
    Page,
    /// The same with scripts, which come from here too: those that ask for a passkey.
    Script,
    /// The grant page: its form leads, by a redirect, to the target. `loopback` when the target is http on this machine.
    Grant {
        /// Whether the target is http on a loopback host.
        loopback: bool,
    },
    /// The page that makes a client for a program on the person's machine: its form leads, by a redirect, to that program.
    Tool,
    /// The redirect that carries credentials to the target.
    Deliver,
    /// The browser SDK; `versioned` when its path names the version.
    Sdk {
        /// Whether the content under this path never changes.
        versioned: bool,
    },
    /// The stylesheet and the icon, under names that change with their content.
    Asset,
}

const PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const PAGE_WITH_SCRIPTS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
// Chromium applies form-action to the redirect after the POST too.
static GRANT: LazyLock<HeaderValue> = LazyLock::new(|| with_script("https:"));
static GRANT_LOOPBACK: LazyLock<HeaderValue> = LazyLock::new(|| with_script("https: http:"));
// A port of this machine, whichever the program listens on.
static TOOL: LazyLock<HeaderValue> = LazyLock::new(|| with_script("http://localhost:* https://localhost:*"));

/// A page with the one script that tells how long it was visible, and a form that leads there.
fn with_script(form_action: &str) -> HeaderValue {
    let script = assets::visible_source();
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src 'self'; img-src 'self'; form-action 'self' {form_action}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(NOTHING)
}

const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'");

const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");
const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

impl Row {
    /// Writes this row; [`always`] writes the last line of the table.
    pub fn apply(self, headers: &mut HeaderMap) {
        match self {
            Row::Page | Row::Script | Row::Grant { .. } | Row::Tool => {
                let policy = match self {
                    Row::Grant { loopback: true } => GRANT_LOOPBACK.clone(),
                    Row::Grant { loopback: false } => GRANT.clone(),
                    Row::Tool => TOOL.clone(),
                    Row::Script => PAGE_WITH_SCRIPTS,
                    _ => PAGE,
                };
                headers.insert(CONTENT_SECURITY_POLICY, policy);
                headers.insert(REFERRER_POLICY, SAME_ORIGIN);
                headers.insert(CACHE_CONTROL, NO_STORE);
                headers.insert(COOP, SAME_ORIGIN);
                headers.insert(CORP, SAME_ORIGIN);
            }
            Row::Deliver => {
                headers.insert(CONTENT_SECURITY_POLICY, NOTHING);
                headers.insert(REFERRER_POLICY, NO_REFERRER);
                headers.insert(CACHE_CONTROL, NO_STORE);
            }
            Row::Sdk { versioned } => {
                headers.insert(CACHE_CONTROL, if versioned { IMMUTABLE } else { FIVE_MINUTES });
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                headers.insert(CORP, HeaderValue::from_static("cross-origin"));
            }
            Row::Asset => {
                // A picture opened by itself is a document too.
                headers.insert(CONTENT_SECURITY_POLICY, NOTHING);
                headers.insert(CACHE_CONTROL, IMMUTABLE);
                headers.insert(CORP, SAME_ORIGIN);
            }
        }
    }
}

/// What every answer carries, the API's too.
pub fn always(headers: &mut HeaderMap, origin: &PublicOrigin) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if origin.is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(row: Row) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        row.apply(&mut headers);
        let mut pairs: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        pairs.sort();
        pairs
    }

    fn text(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_row_is_the_tables() {
        let script = format!("script-src {}; ", assets::visible_source());
        let page = |form_action: &str| {
            let script = if form_action == "'self'" { "" } else { script.as_str() };
            text(&[
                ("cache-control", "no-store"),
                (
                    "content-security-policy",
                    &format!(
                        "default-src 'none'; {script}style-src 'self'; img-src 'self'; form-action {form_action}; base-uri 'none'; \
                         frame-ancestors 'none'"
                    ),
                ),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("referrer-policy", "same-origin"),
            ])
        };
        assert_eq!(row(Row::Page), page("'self'"));
        let with_scripts = row(Row::Script).into_iter().map(|(name, value)| (name, value.replace("script-src 'self'; ", "")));
        assert_eq!(with_scripts.collect::<Vec<_>>(), page("'self'"));
        assert_eq!(row(Row::Grant { loopback: false }), page("'self' https:"));
        assert_eq!(row(Row::Grant { loopback: true }), page("'self' https: http:"));
        assert_eq!(row(Row::Tool), page("'self' http://localhost:* https://localhost:*"));
        assert_eq!(
            row(Row::Deliver),
            text(&[("cache-control", "no-store"), ("content-security-policy", "default-src 'none'"), ("referrer-policy", "no-referrer"),])
        );
        assert_eq!(
            row(Row::Sdk { versioned: true }),
            text(&[
                ("access-control-allow-origin", "*"),
                ("cache-control", "public, max-age=31536000, immutable"),
                ("cross-origin-resource-policy", "cross-origin"),
            ])
        );
        assert!(!row(Row::Sdk { versioned: false }).iter().any(|(_, value)| value.contains("immutable")));
    }

    #[test]
    fn hsts_only_where_the_origin_is_https() {
        for (origin, expected) in [("https://auth.example.com", true), ("http://localhost:8080", false)] {
            let mut headers = HeaderMap::new();
            always(&mut headers, &PublicOrigin::parse(origin).unwrap());
            assert_eq!(headers.contains_key(STRICT_TRANSPORT_SECURITY), expected);
            assert_eq!(headers.get(X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
        }
    }
}
