use falconer_client::{AccessToken, payload_hash, system};
use falconer_credentials::sign;

use crate::callers::Caller;
use crate::place::{Place, Route};

/// What is signed, each part by itself: an attack changes some of it, and sends the request as it was.
#[derive(Clone)]
pub(crate) struct Signature {
    pub id: String,
    pub token: AccessToken,
    pub ext: Option<String>,
    pub method: String,
    pub resource: String,
    pub host: String,
    pub port: u16,
    pub ts_seconds: i64,
    pub nonce: String,
    pub hash: Option<String>,
}

impl Signature {
    /// As a client of the service signs.
    pub fn of(caller: &Caller, place: &Place, route: &Route, now_seconds: i64) -> Signature {
        Signature {
            id: caller.id.clone(),
            token: caller.token.clone(),
            ext: caller.ext(),
            method: route.method.to_string(),
            resource: route.resource.clone(),
            host: place.host.clone(),
            port: place.port,
            ts_seconds: now_seconds,
            nonce: system::new_id(),
            hash: route.body.as_ref().map(|body| payload_hash(&body.content_type, &body.bytes)),
        }
    }

    /// The value of `Authorization`.
    pub fn header(&self) -> String {
        let request = sign::Request {
            method: &self.method,
            resource: &self.resource,
            host: &self.host,
            port: self.port,
            ts_seconds: self.ts_seconds,
            nonce: &self.nonce,
            hash: self.hash.as_deref(),
            ext: self.ext.as_deref(),
            app: None,
            dlg: None,
        };
        sign::header(&self.id, &self.token, &request)
    }

    /// The path and query that the signature is of, with a bewit in it until `expires_seconds`.
    pub fn with_bewit(&self, expires_seconds: i64) -> String {
        let bewit = sign::bewit(&self.id, &self.token, &self.resource, &self.host, self.port, expires_seconds, self.ext.as_deref());
        let separator = if self.resource.contains('?') { '&' } else { '?' };
        format!("{}{separator}bewit={bewit}", self.resource)
    }
}
