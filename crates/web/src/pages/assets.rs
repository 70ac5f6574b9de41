//! What the pages load, and the browser SDK: compiled in, under names that change with the content.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use sha2::{Digest, Sha256};

use crate::http::headers::Row;

/// The stylesheet of all pages.
pub(crate) const STYLE: &str = include_str!("../../assets/style.css");
/// The script of the pages whose button counts a moment after they appeared. It stands in the page, and nothing else may run there.
pub(crate) const VISIBLE: &str = include_str!("../../assets/visible.js");
/// The script of the pages that ask for a passkey.
pub(crate) const PASSKEY: &str = include_str!("../../assets/passkey.js");
/// The icon of all pages.
pub(crate) const ICON: &str = include_str!("../../assets/icon.svg");
/// The browser SDK, as it stands in the repository.
pub(crate) const SDK: &str = include_str!("../../../../sdk/js/falconer.js");
/// Its types.
const SDK_TYPES: &str = include_str!("../../../../sdk/js/falconer.d.ts");

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/style-{}.css", fingerprint(STYLE)));
static PASSKEY_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/passkey-{}.js", fingerprint(PASSKEY)));
static ICON_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/icon-{}.svg", fingerprint(ICON)));

/// `/assets/style-<fingerprint>.css`
pub(crate) fn style() -> &'static str {
    &STYLE_PATH
}

/// `/assets/passkey-<fingerprint>.js`
pub(crate) fn passkey() -> &'static str {
    &PASSKEY_PATH
}

/// `/assets/icon-<fingerprint>.svg`
pub(crate) fn icon() -> &'static str {
    &ICON_PATH
}

/// `/sdk/falconer-<version>.js`: the version of this program.
pub fn sdk() -> &'static str {
    concat!("/sdk/falconer-", env!("CARGO_PKG_VERSION"), ".js")
}

/// What a policy names [`VISIBLE`] by: `'sha256-...'`.
pub(crate) fn visible_source() -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(VISIBLE.as_bytes()).as_slice()))
}

fn fingerprint(content: &str) -> String {
    let digest = Sha256::digest(content.as_bytes());
    let mut text = URL_SAFE_NO_PAD.encode(digest.as_slice());
    text.truncate(12);
    text
}

/// `/assets/*` and `/sdk/*`.
pub(crate) fn router() -> Router {
    Router::new()
        .route(style(), get(|| async { file(Row::Asset, "text/css; charset=utf-8", STYLE) }))
        .route(passkey(), get(|| async { file(Row::Asset, "text/javascript; charset=utf-8", PASSKEY) }))
        .route(icon(), get(|| async { file(Row::Asset, "image/svg+xml", ICON) }))
        .route("/favicon.ico", get(|| async { axum::response::Redirect::permanent(icon()) }))
        .route("/sdk/falconer.js", get(|| async { file(Row::Sdk { versioned: false }, "text/javascript; charset=utf-8", SDK) }))
        .route("/sdk/falconer.d.ts", get(|| async { file(Row::Sdk { versioned: false }, "text/plain; charset=utf-8", SDK_TYPES) }))
        .route(sdk(), get(|| async { file(Row::Sdk { versioned: true }, "text/javascript; charset=utf-8", SDK) }))
}

fn file(row: Row, kind: &'static str, content: &'static str) -> Response {
    let mut response = Response::new(Body::from(content));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    row.apply(response.headers_mut());
    response
}
