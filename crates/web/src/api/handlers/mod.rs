//! The methods of both APIs, a file a kind, and what they share: the call they answer, pages of lists, instants.

pub(crate) mod audit;
pub(crate) mod brokers;
pub(crate) mod check;
pub(crate) mod clients;
mod dispatch;
pub(crate) mod falconer;
pub(crate) mod hawk;
pub(crate) mod plain;
pub(crate) mod roles;
pub(crate) mod scopes;
pub(crate) mod service;

use falconer_auth::{Auth, Authentication, PageQuery, Start};
use falconer_wire::continuation::{Place, Scheme, after};
use falconer_wire::{Code, date_time};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::request::body::Payload;
use crate::api::request::query::Query;
use crate::api::request::route::PathParams;
use crate::api::request::signed::Signed;
use crate::metrics::Metrics;

/// What a handler answers.
pub(crate) type Answer = Result<Reply, Failure>;

/// Listings of clients and of the audit hold at most this many at once.
const LARGEST_PAGE: u64 = 1000;

/// One call, checked as far as the table says.
pub(crate) struct Request<'r> {
    pub(crate) auth: &'r Auth,
    pub(crate) metrics: &'r Metrics,
    pub(crate) params: &'r PathParams,
    pub(crate) query: &'r Query,
    pub(crate) body: &'r mut Payload,
    pub(crate) signed: &'r Signed<'r>,
    pub(crate) headers: &'r http::HeaderMap,
    /// Who asks; nobody for public methods.
    pub(crate) who: &'r Authentication,
    /// Seconds since the node started.
    pub(crate) uptime_seconds: f64,
}

impl Request<'_> {
    /// A path parameter. The table has it, or the route would not have matched.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value.as_str())
    }

    /// The body as a shape; it has passed its schema.
    pub(crate) fn input<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&self.body.json)
            .map_err(|error| Failure::new(Code::InputValidationError, format!("\nSchema Validation Failed!\nErrors:\n  * {error}")))
    }

    /// The page that listClients and the audit methods are asked for.
    pub(crate) fn page(&self) -> Result<PageQuery, Failure> {
        let limit = match self.query.get("limit") {
            None => LARGEST_PAGE,
            // More digits than fit are a large number too.
            Some(text) => text.parse().unwrap_or(u64::MAX).min(LARGEST_PAGE),
        };
        if limit == 0 {
            return Err(Failure::new(Code::InvalidRequestArguments, "Query-string parameter: limit must be at least 1"));
        }
        let place = match self.query.get("continuationToken") {
            None => None,
            Some(token) => Scheme::ClientsAndAudit.place(token).map_err(|_| Failure::input("Invalid continuation token"))?,
        };
        Ok(PageQuery { start: start(place), limit })
    }

    /// The page that listRoles2 and listRoleIds are asked for; `None`: everything.
    pub(crate) fn role_page(&self) -> Result<Option<PageQuery>, Failure> {
        let invalid = || Failure::input("Invalid continuationToken");
        let place = match self.query.get("continuationToken") {
            None => None,
            Some(token) => Some(Scheme::Roles.place(token).ok().flatten().ok_or_else(invalid)?),
        };
        let limit = self.query.get("limit").map_or(0, |text| text.parse().unwrap_or(u64::MAX));
        Ok((limit > 0).then(|| PageQuery { start: start(place), limit }))
    }
}

fn start(place: Option<Place>) -> Start {
    match place {
        None => Start::Offset(0),
        Some(Place::Offset(offset)) => Start::Offset(offset),
        Some(Place::After(id)) => Start::After(id),
    }
}

/// The token that leads to where the next page begins.
pub(crate) fn token(next: Option<Start>, scheme: Scheme) -> Option<String> {
    next.map(|start| match start {
        Start::Offset(offset) => scheme.encode(offset),
        Start::After(id) => after(&id),
    })
}

/// An instant of an answer.
pub(crate) fn time(ms: i64) -> String {
    date_time::format_ms(ms)
}

/// A list of scopes may be this long; a role of a real installation has hundreds.
pub(crate) const MOST_SCOPES: usize = 10_000;

/// Limits on a body that its schema does not know.
pub(crate) fn check_limits(json: &Value) -> Result<(), Failure> {
    let Value::Object(map) = json else { return Ok(()) };
    for (key, value) in map {
        if value.as_array().is_some_and(|items| items.len() > MOST_SCOPES) {
            return Err(Failure::new(Code::InputTooLarge, format!("{key} may hold at most {MOST_SCOPES} entries")));
        }
    }
    Ok(())
}
