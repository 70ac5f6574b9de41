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
use sha2::{Digest, Sha256, Sha384};

use crate::http::headers::Row;

/// The stylesheet of all pages.
pub(crate) const STYLE: &str = include_str!("../../assets/style.css");
/// The script of the pages whose button counts a moment after they appeared. It stands in the page, and nothing else may run there.
pub(crate) const VISIBLE: &str = include_str!("../../assets/visible.js");
/// The script of the pages that ask for a passkey.
pub(crate) const PASSKEY: &str = include_str!("../../assets/passkey.js");
/// The icon of all pages.
pub(crate) const ICON: &str = include_str!("../../assets/icon.svg");
/// What the browser SDK is made of, as it stands in the repository: a file stands behind those that it imports.
const SDK_FILES: [&str; 14] = [
    include_str!("../../../../sdk/js/parts/error.js"),
    include_str!("../../../../sdk/js/parts/credentials.js"),
    include_str!("../../../../sdk/js/parts/signing.js"),
    include_str!("../../../../sdk/js/parts/calls.js"),
    include_str!("../../../../sdk/js/parts/request.js"),
    include_str!("../../../../sdk/js/parts/storage.js"),
    include_str!("../../../../sdk/js/parts/renewal.js"),
    include_str!("../../../../sdk/js/parts/answer.js"),
    include_str!("../../../../sdk/js/parts/forms.js"),
    include_str!("../../../../sdk/js/parts/ending.js"),
    include_str!("../../../../sdk/js/parts/oauth/code.js"),
    include_str!("../../../../sdk/js/parts/oauth/token_store.js"),
    include_str!("../../../../sdk/js/parts/oauth/tokens.js"),
    include_str!("../../../../sdk/js/falconer.js"),
];
/// Its types.
const SDK_TYPES: &str = include_str!("../../../../sdk/js/falconer.d.ts");

/// The browser SDK in one file: one thing to load before the address is clean, and one hash for a page that names it.
static SDK: LazyLock<String> = LazyLock::new(|| one_file(&SDK_FILES));
/// Where it is under its version, and the hashes of both files.
static SDK_INTEGRITY: LazyLock<String> = LazyLock::new(|| {
    let of = |path: &str, content: &str| serde_json::json!({ "path": path, "integrity": integrity(content) });
    serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "module": of(sdk(), &SDK), "types": of(sdk_types(), SDK_TYPES) }).to_string()
});

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

/// `/sdk/falconer-<version>.d.ts`: its types.
pub fn sdk_types() -> &'static str {
    concat!("/sdk/falconer-", env!("CARGO_PKG_VERSION"), ".d.ts")
}

/// Modules in one: the last one exports, and what the others import and export holds between them only.
fn one_file(files: &[&str]) -> String {
    let (sign_in_start, parts) = files.split_last().map_or(("", files), |(last, rest)| (*last, rest));
    let mut text = String::new();
    let mut push = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    for part in parts {
        part.lines().filter(|line| !line.starts_with("import ")).for_each(|line| push(line.strip_prefix("export ").unwrap_or(line)));
        push("");
    }
    for line in sign_in_start.lines().filter(|line| !line.starts_with("import ")) {
        // `export { name } from './parts/file.js';`
        match line.split_once(" } from ").filter(|(names, _)| names.starts_with("export { ")) {
            Some((names, _)) => push(&format!("{names} }};")),
            None => push(line),
        }
    }
    text
}

/// What a page names a file by: `sha384-...` ([Subresource Integrity](https://www.w3.org/TR/SRI/)).
fn integrity(content: &str) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(content.as_bytes()).as_slice()))
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

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const TYPES: &str = "text/plain; charset=utf-8";

/// `/assets/*` and `/sdk/*`.
pub(crate) fn router() -> Router {
    Router::new()
        .route(style(), get(|| async { file(Row::Asset, "text/css; charset=utf-8", STYLE) }))
        .route(passkey(), get(|| async { file(Row::Asset, JAVASCRIPT, PASSKEY) }))
        .route(icon(), get(|| async { file(Row::Asset, "image/svg+xml", ICON) }))
        .route("/favicon.ico", get(|| async { axum::response::Redirect::temporary(icon()) }))
        .route("/sdk/falconer.js", get(|| async { file(Row::Sdk { versioned: false }, JAVASCRIPT, &SDK) }))
        .route("/sdk/falconer.d.ts", get(|| async { file(Row::Sdk { versioned: false }, TYPES, SDK_TYPES) }))
        .route("/sdk/falconer.json", get(|| async { file(Row::Sdk { versioned: false }, "application/json", &SDK_INTEGRITY) }))
        .route(sdk(), get(|| async { file(Row::Sdk { versioned: true }, JAVASCRIPT, &SDK) }))
        .route(sdk_types(), get(|| async { file(Row::Sdk { versioned: true }, TYPES, SDK_TYPES) }))
}

fn file(row: Row, kind: &'static str, content: &'static str) -> Response {
    let mut response = Response::new(Body::from(content));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    row.apply(response.headers_mut());
    response
}
