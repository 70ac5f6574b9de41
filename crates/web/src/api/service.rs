//! What monitoring asks, under the API and at the root (`auth-api.md` sections 1 and 8.8).

use falconer_wire::{Ping, Version};
use http::StatusCode;
use serde_json::json;

use super::respond::Reply;
use super::route;
use crate::WebSettings;

pub(super) fn ping(uptime_seconds: f64) -> Reply {
    Reply::json(&Ping { alive: true, uptime: uptime_seconds })
}

pub(super) fn heartbeat() -> Reply {
    Reply::json(&json!({}))
}

pub(super) fn version(settings: &WebSettings) -> Reply {
    let version = &settings.version;
    Reply::json(&Version { version: version.version.clone(), commit: version.commit.clone(), ..Version::default() })
}

/// The endpoints at the root of the process: any HTTP method, any path below them.
pub(super) fn at_root(settings: &WebSettings, path: &str) -> Option<Reply> {
    let is = |prefix: &str| route::behind(path, prefix).is_some();
    if is("/__version__") {
        Some(version(settings))
    } else if is("/__heartbeat__") || is("/__lbheartbeat__") {
        Some(heartbeat())
    } else if is("/robots.txt") {
        Some(Reply::text(StatusCode::OK, "text/plain; charset=utf-8", "User-Agent: *\nDisallow: /\n"))
    } else {
        None
    }
}
