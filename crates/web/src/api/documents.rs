//! What describes the APIs to machines: references, schemas and the OpenAPI document, as static files.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use axum::http::Method;
use falconer_wire::{openapi, published};
use http::header::{ALLOW, CACHE_CONTROL};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::WebSettings;
use crate::api::answer::reply::{Document, Reply};
use crate::api::request::route;

/// Where the OpenAPI document is.
const OPENAPI: &str = "/openapi.json";

/// The files by their paths, written when the first is asked for.
#[derive(Default)]
pub(super) struct Documents(OnceLock<HashMap<String, Arc<Document>>>);

impl Documents {
    /// Whether a path is answered here. Unlike the API's it is matched exactly.
    pub(super) fn own(path: &str) -> bool {
        path == OPENAPI
            || ["/references", "/schemas"].iter().any(|folder| path.starts_with(folder) && route::path_after(path, folder).is_some())
    }

    /// Answers one request below the paths of [`Documents::own`].
    pub(super) fn answer(&self, method: &Method, path: &str, settings: &WebSettings) -> Reply {
        let Some(document) = self.0.get_or_init(|| write(settings)).get(path) else { return Reply::unknown_path() };
        if method != Method::GET && method != Method::HEAD {
            return Reply::json_with(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "Method not allowed" }))
                .with(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        // They change with an upgrade; the etag makes asking again cheap.
        Reply::document(Arc::clone(document)).with(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
    }
}

fn write(settings: &WebSettings) -> HashMap<String, Arc<Document>> {
    let root = settings.public_origin.as_str();
    let openapi = published::Document { path: OPENAPI.to_owned(), json: openapi::document(root, &settings.version.version) };
    let files = published::documents(root).into_iter().chain([openapi]);
    // Values in memory can't fail to be written.
    files.map(|file| (file.path, Arc::new(Document::new(serde_json::to_vec_pretty(&file.json).unwrap_or_default())))).collect()
}
