//! URLs below a root URL (all cases of `vectors/urls.json`).
//!
//! A root URL may carry trailing slashes, a path may carry leading ones: both are dropped where they meet.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `<root>/api/<service>/<version>/<path>`; `path` is already percent-encoded and may hold a query.
pub fn api(root: &str, service: &str, version: &str, path: &str) -> String {
    format!("{}/api/{service}/{version}/{}", base(root), relative(path))
}

/// `<root>/references/<service>/<version>/api.json`
pub fn api_reference(root: &str, service: &str, version: &str) -> String {
    format!("{}/references/{service}/{version}/api.json", base(root))
}

/// `<root>/references/<service>/<version>/exchanges.json`
pub fn exchange_reference(root: &str, service: &str, version: &str) -> String {
    format!("{}/references/{service}/{version}/exchanges.json", base(root))
}

/// `<root>/schemas/<service>/<schema>`, `schema` like `v1/scopeset.json#`.
pub fn schema(root: &str, service: &str, schema: &str) -> String {
    format!("{}/schemas/{service}/{}", base(root), relative(schema))
}

/// `<root>/<path>`: a page.
pub fn ui(root: &str, path: &str) -> String {
    format!("{}/{}", base(root), relative(path))
}

/// `<root>/docs/<path>`
pub fn docs(root: &str, path: &str) -> String {
    format!("{}/docs/{}", base(root), relative(path))
}

/// `<root>/references/manifest.json`
pub fn api_manifest(root: &str) -> String {
    format!("{}/references/manifest.json", base(root))
}

/// A value as one path segment, or as one query value: everything but letters, digits and `-_.~` is percent-encoded, so that `a/b` stays one segment.
pub fn encode_segment(value: &str) -> String {
    utf8_percent_encode(value, SEGMENT).to_string()
}

fn base(root: &str) -> &str {
    root.trim_end_matches('/')
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}
