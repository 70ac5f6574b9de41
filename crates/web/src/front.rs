//! What the listener hands each request to: the API by its raw path, the pages through their router.
//!
//! Calls of the API never meet the router: every call of every service comes through here, and a client's id in a path may hold what a
//! router would take apart.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use crate::api::{self, Api};
use crate::edge::guard;
use crate::{Web, assets, pages};

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
}

impl Front {
    /// The API, the pages, what they load. Whatever the API does not own is a page. Around each request: an id, limits, one log line, and no panic
    /// that gets out.
    pub fn new(web: Arc<Web>) -> Front {
        let api = Api::new(Arc::clone(&web.auth), web.settings.clone(), Arc::clone(&web.random));
        let pages = assets::router().merge(pages::router(Arc::clone(&web)));
        Front(Behind::Falconer(Arc::new(Falconer { web, api, pages })))
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response {
        match &self.0 {
            Behind::Falconer(falconer) => guard(&falconer.web, request, |request| falconer.answer(request)).await,
            Behind::Routes(routes) => routes.clone().oneshot(request).await.into_response(),
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
    async fn answer(&self, request: Request) -> Response {
        if api::owns(request.uri().path()) {
            self.api.answer(request).await
        } else {
            self.pages.clone().oneshot(request).await.into_response()
        }
    }
}
