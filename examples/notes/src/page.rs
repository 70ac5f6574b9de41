//! The page and what belongs to it: files in the binary, with Falconer's address put in.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

const HTML: &str = include_str!("../page/index.html");
const START: &str = include_str!("../page/start.js");
const CSS: &str = include_str!("../page/notes.css");
const JS: &str = include_str!("../page/notes.js");
const ICON: &str = include_str!("../page/icon.svg");
const PLACE: &str = "%FALCONER%";

/// Error: a root URL with characters that could end a text in HTML or JavaScript, or that is no http(s) URL.
pub(crate) fn router(falconer_root_url: &str) -> Result<Router, String> {
    let root = falconer_root_url.trim_end_matches('/');
    let plain = root.bytes().all(|b| b.is_ascii_alphanumeric() || b":/.-_[]~%".contains(&b));
    let uri: http::Uri = root.parse().map_err(|error| format!("Falconer's root URL `{root}`: {error}"))?;
    let (Some(scheme), Some(authority), true) = (uri.scheme_str(), uri.authority(), plain) else {
        return Err(format!("Falconer's root URL cannot be used: `{root}`"));
    };
    // The one inline script, allowed by what it says and by nothing else.
    let start = START.replace(PLACE, root);
    let hash = STANDARD.encode(Sha256::digest(start.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}' 'self' {scheme}://{authority}; connect-src 'self' {scheme}://{authority}; style-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).map_err(|error| error.to_string())?;
    Ok(Router::new()
        .route("/", file("text/html; charset=utf-8", HTML.replace("%START%", &start).replace(PLACE, root)))
        .route("/notes.js", file("text/javascript; charset=utf-8", JS.replace(PLACE, root)))
        .route("/notes.css", file("text/css; charset=utf-8", CSS.to_owned()))
        .route("/icon.svg", file("image/svg+xml", ICON.to_owned()))
        .fallback(async || {
            (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "There is nothing here. The notes are at /.\n")
        })
        .layer(from_fn(move |request: Request, next: Next| {
            let policy = policy.clone();
            async move { with_headers(next.run(request).await, policy) }
        })))
}

fn file(content_type: &'static str, text: String) -> axum::routing::MethodRouter {
    let text: axum::body::Bytes = text.into();
    get(async move || ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], text).into_response())
}

fn with_headers(mut response: Response, policy: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        // The page's address may hold credentials for the moment until the module takes them out.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
