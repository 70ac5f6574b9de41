use axum::Router;
use axum::routing::get;
use http::header;

use crate::Guard;

impl Guard {
    /// The route that tells clients of OAuth 2 where tokens come from, to be merged into the router at the root of the origin. Without
    /// [`Guard::with_protected_resource`] there is nothing to tell, and no route.
    pub fn metadata<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let Some(resource) = self.verifier.protected_resource().cloned() else { return Router::new() };
        let path = resource.path().to_owned();
        let answer = async move || {
            // Pages of every origin may read it: it is the same for everybody.
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "public, max-age=300"),
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            ];
            (headers, resource.document().to_owned())
        };
        Router::new().route(&path, get(answer))
    }
}
