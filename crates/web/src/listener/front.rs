//! What the listener hands each request to: the API by its raw path, the pages through their router.
//!
//! Calls of the API never meet the router: every call of every service comes through here, and a client's id in a path may hold what a
//! router would take apart.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};
use tower::ServiceExt;

use crate::api::{self, Api};
use crate::http::guard::guard;
use crate::http::problem::Problem;
use crate::metrics::{Answered, Metrics};
use crate::pages::assets;
use crate::{Web, pages};

/// Answers requests. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Front(Behind);

#[derive(Clone)]
enum Behind {
    Falconer(Arc<Falconer>),
    Routes(Router),
}

struct Falconer {
    web: Arc<Web>,
    api: Api,
    pages: Router,
    /// The runtime that everything else lives on.
    home: Option<Handle>,
}

impl Front {
    /// The API, the pages, what they load. Whatever the API does not own is a page. Around each request: an id, limits, one log line, and no panic
    /// that gets out.
    ///
    /// The calls that each request of a service needs are answered on the thread that read them. Everything else may take longer, and has to let
    /// those pass: it is answered on the runtime that this is called on.
    pub fn new(web: Arc<Web>) -> Front {
        let api = Api::new(Arc::clone(&web.auth), web.settings.clone(), Arc::clone(&web.random), Arc::clone(&web.metrics));
        let pages = assets::router().merge(pages::router(Arc::clone(&web)));
        Front(Behind::Falconer(Arc::new(Falconer { web, api, pages, home: Handle::try_current().ok() })))
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response {
        match &self.0 {
            Behind::Falconer(falconer) => guard(&falconer.web, request, |request| Arc::clone(falconer).answer(request)).await,
            Behind::Routes(routes) => routes.clone().oneshot(request).await.into_response(),
        }
    }

    /// Where connections are counted.
    pub(crate) fn metrics(&self) -> Option<&Metrics> {
        match &self.0 {
            Behind::Falconer(falconer) => Some(&falconer.web.metrics),
            Behind::Routes(_) => None,
        }
    }
}

/// Routes of somebody else, as they are.
impl From<Router> for Front {
    fn from(routes: Router) -> Front {
        Front(Behind::Routes(routes))
    }
}

impl Falconer {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        match &self.home {
            Some(home) if !api::is_quick(&request) => {
                let mut task = JoinSet::new();
                // Whoever gives up waiting ends the task.
                task.spawn_on(Arc::clone(&self).answer_here(request), home);
                match task.join_next().await.map(|done| done.map_err(JoinError::try_into_panic)) {
                    Some(Ok(response)) => response,
                    Some(Err(Ok(panic))) => resume_unwind(panic),
                    // The runtime is going down.
                    Some(Err(Err(_))) | None => Problem::unavailable("the server is ending").into_response(),
                }
            }
            _ => self.answer_here(request).await,
        }
    }

    async fn answer_here(self: Arc<Self>, request: Request) -> Response {
        if api::owns(request.uri().path()) {
            self.api.answer(request).await
        } else {
            let began = Instant::now();
            let response = self.pages.clone().oneshot(request).await.into_response();
            self.web.metrics.answered(Answered::Page, response.status(), began.elapsed());
            response
        }
    }
}
