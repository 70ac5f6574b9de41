//! SCIM 2.0 for the directories of organisations (RFC 7644), at `/scim/v2/`: whose token it is, what is asked for, and the answers. Nothing of a request but its head
//! is looked at before its token holds.

mod answer;
mod documents;
mod request;

use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use falconer_login::{Patched, ScimError, ScimKind, ScimSettings, ShowMembers};
use http::request::Parts;
use http::{Method, StatusCode};

use self::answer::Page;
pub(crate) use self::answer::of_problem;
use self::request::{Query, Shape};
use crate::Web;
use crate::metrics::Answered;

/// Where all of it is.
const ROOT: &str = "/scim/v2";

/// Whether a raw path is answered here.
pub(crate) fn owns(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'p> {
    Config,
    Types(Option<&'p str>),
    Schemas(Option<&'p str>),
    All(ScimKind),
    One(ScimKind, &'p str),
}

impl<'p> Place<'p> {
    fn of(path: &'p str) -> Option<Place<'p>> {
        let mut parts = path.strip_prefix(ROOT)?.split('/').skip(1);
        let (first, second) = (parts.next()?, parts.next().filter(|part| !part.is_empty()));
        if parts.next().is_some() {
            return None;
        }
        Some(match (first, second) {
            ("ServiceProviderConfig", None) => Place::Config,
            ("ResourceTypes", id) => Place::Types(id),
            ("Schemas", id) => Place::Schemas(id),
            ("Users", None) => Place::All(ScimKind::User),
            ("Users", Some(id)) => Place::One(ScimKind::User, id),
            ("Groups", None) => Place::All(ScimKind::Group),
            ("Groups", Some(id)) => Place::One(ScimKind::Group, id),
            _ => return None,
        })
    }

    fn methods(self) -> &'static [Method] {
        match self {
            Place::Config | Place::Types(_) | Place::Schemas(_) => &[Method::GET],
            Place::All(_) => &[Method::GET, Method::POST],
            Place::One(..) => &[Method::GET, Method::PUT, Method::PATCH, Method::DELETE],
        }
    }
}

/// Answers one request.
pub(crate) async fn answer(web: &Web, request: Request) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let response = respond(web, &parts, body).await;
    web.metrics.answered(Answered::Api, response.status(), began.elapsed());
    response
}

async fn respond(web: &Web, parts: &Parts, body: Body) -> Response {
    let Some(scim) = web.login.scim_directory(request::token(&parts.headers).unwrap_or_default()) else { return answer::unauthorized() };
    let Some(place) = Place::of(parts.uri.path()) else { return answer::not_found() };
    if !place.methods().contains(&parts.method) {
        return answer::method_not_allowed(place.methods());
    }
    let response = match serve(web, scim, place, parts, body).await {
        Ok(response) => response,
        Err(error) => answer::of_error(error),
    };
    if parts.method != Method::GET {
        web.metrics.people.pushed(&scim.provider, response.status());
    }
    response
}

async fn serve(web: &Web, scim: &ScimSettings, place: Place<'_>, parts: &Parts, body: Body) -> Result<Response, answer::Refused> {
    let origin = web.settings.public_origin.as_str();
    let query = Query::read(parts.uri.query().unwrap_or_default())?;
    let (kind, id) = match place {
        Place::Config => return Ok(answer::json(StatusCode::OK, &documents::config(origin))),
        Place::Types(id) => return document(documents::types(origin), id),
        Place::Schemas(id) => return document(documents::schemas(origin), id),
        Place::All(kind) => (kind, None),
        Place::One(kind, id) => (kind, Some(id)),
    };
    let shape = Shape { origin, query: &query };
    let versions = request::versions(&parts.headers);
    let Some(id) = id else {
        if parts.method == Method::POST {
            let body = request::body(&parts.headers, body).await?;
            let created = web.login.create_scim(scim, kind, &body).await?;
            return Ok(answer::resource(StatusCode::CREATED, &created, &shape));
        }
        let terms = query.filter.as_deref().map(falconer_login::read_filter).transpose()?.unwrap_or_default();
        let place = (query.start.saturating_sub(1), query.count);
        let (total, records) = web.login.list_scim(scim, kind, &terms, place, shape.shows("members")).await?;
        return Ok(answer::list(&Page { total, start: query.start }, &records, &shape));
    };
    let login = &web.login;
    let show = match (shape.shows("members"), query.names_attributes()) {
        (false, _) => ShowMembers::Never,
        (true, true) => ShowMembers::Always,
        (true, false) => ShowMembers::Few,
    };
    let changed = match parts.method {
        Method::GET => {
            let record = login.show_scim(scim, kind, id, shape.shows("members")).await?;
            if request::has_already(&parts.headers, record.version) {
                return Ok(answer::not_modified(record.version));
            }
            record
        }
        Method::DELETE => {
            login.delete_scim(scim, kind, id, versions.as_deref()).await?;
            return Ok(answer::empty(StatusCode::NO_CONTENT));
        }
        Method::PUT => {
            let body = request::body(&parts.headers, body).await?;
            login.replace_scim(scim, kind, id, &body, versions.as_deref()).await?
        }
        _ => {
            let body = request::body(&parts.headers, body).await?;
            match login.patch_scim(scim, kind, id, &body, versions.as_deref(), show).await? {
                Patched::Resource(record) => *record,
                Patched::Version(version) => return Ok(answer::changed(version)),
            }
        }
    };
    Ok(answer::resource(StatusCode::OK, &changed, &shape))
}

/// One of several documents, or all of them.
fn document(documents: Vec<serde_json::Value>, id: Option<&str>) -> Result<Response, answer::Refused> {
    let Some(id) = id else { return Ok(answer::list_of(&Page { total: documents.len() as u64, start: 1 }, documents)) };
    let found = documents.iter().find(|document| document.get("id").and_then(|id| id.as_str()) == Some(id));
    found.map(|document| answer::json(StatusCode::OK, document)).ok_or_else(|| ScimError::NotFound.into())
}
