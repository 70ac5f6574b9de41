//! What monitoring asks, under the API and at the root.

use falconer_auth::{ApiError, Auth};
use falconer_wire::{Ping, Version};
use http::StatusCode;
use serde_json::json;

use crate::WebSettings;
use crate::api::Api;
use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::request::route;

pub(crate) fn ping(uptime_seconds: f64, now_ms: i64) -> Reply {
    Reply::json(&Ping { alive: true, uptime: uptime_seconds }).with_time(now_ms)
}

/// The process takes requests.
pub(crate) fn lbheartbeat() -> Reply {
    Reply::json(&json!({}))
}

impl Api {
    /// This server goes on for a while, and has room; the store behind it answers too and takes changes, and the clock is not behind what it has. Else 503, so that
    /// monitoring and proxies see it.
    async fn is_well(&self) -> Result<(), Failure> {
        if self.is_ending() {
            return Err(Failure::unavailable("The server is ending"));
        }
        let auth = &self.auth;
        match (auth.catch_up().await, auth.cut_off_ms()) {
            (Ok(_), _) => match auth.clock_behind_ms() {
                None if auth.store_is_full() => Err(Failure::unavailable("The store is full, so that nothing can be changed")),
                None => auth.can_change().await.map_err(|error| Failure {
                    detail: Some(error.to_string()),
                    ..Failure::unavailable("Nothing can be changed at present")
                }),
                Some(behind_ms) => Err(ApiError::ClockBehind { behind_ms }.into()),
            },
            (Err(error), Some(for_ms)) => Err(Failure { detail: Some(error.to_string()), ..ApiError::CutOff { for_ms }.into() }),
            (Err(error), None) => {
                Err(Failure { detail: Some(error.to_string()), ..Failure::unavailable("The store does not answer at present") })
            }
        }
    }

    /// The method of the protocol, which says nothing but that all is well.
    pub(crate) async fn heartbeat(&self) -> Result<Reply, Failure> {
        self.is_well().await.map(|()| Reply::json(&json!({})))
    }

    /// The endpoints at the root of the process: any HTTP method, any path below them.
    pub(crate) async fn at_root(&self, path: &str) -> Option<Reply> {
        let is = |prefix: &str| route::path_after(path, prefix).is_some();
        if is("/__version__") {
            Some(version(&self.settings))
        } else if is("/__lbheartbeat__") {
            Some(lbheartbeat())
        } else if is("/__heartbeat__") {
            // There is no method here that an error body could name.
            let away = |failure: Failure| {
                tracing::warn!(reason = failure.text, detail = failure.detail.unwrap_or_default(), "the heartbeat is ill");
                Reply::json_with(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "Service unavailable", "message": failure.text }))
            };
            Some(self.is_well().await.map_or_else(away, |()| Reply::json(&standing(&self.auth))))
        } else if is("/robots.txt") {
            Some(Reply::text(StatusCode::OK, "text/plain; charset=utf-8", "User-Agent: *\nDisallow: /\n"))
        } else {
            None
        }
    }
}

/// What this node answers from: which revision of which history, how old that may be, and what time it takes it to be.
fn standing(auth: &Auth) -> serde_json::Value {
    let directory = auth.directory();
    json!({
        "revision": directory.revision().0,
        "epoch": directory.history().epoch.to_string(),
        "stalenessMs": auth.staleness_ms(),
        "clock": falconer_wire::date_time::format_ms(auth.now_ms()),
    })
}

pub(crate) fn version(settings: &WebSettings) -> Reply {
    let version = &settings.version;
    Reply::json(&Version { version: version.version.clone(), commit: version.commit.clone(), ..Version::default() })
}
