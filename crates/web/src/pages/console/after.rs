//! Where somebody goes when something was done: to a page that they may see and that says so. Whoever may do it need not be one who may look at what it was done to.

use axum::response::Response;
use falconer_auth::Authentication;

use super::records::{lists, problem};
use crate::http::problem::Problem;
use crate::pages::visit::{Visit, go};

/// To a list, or to their own page.
pub(crate) fn go_to_list(visit: &Visit, who: &Authentication, list: &str, done: &str) -> Result<Response, Problem> {
    let acts = visit.web.auth.console_acts(who).map_err(problem)?;
    let place = if lists(acts, "").iter().any(|(path, _)| *path == list) { list } else { "/" };
    Ok(go(&format!("{place}?done={done}")))
}

/// To what was saved, at `href`, where they may see it; else to their own page.
pub(crate) fn go_to_saved(may_see: bool, href: &str) -> Response {
    if may_see { go(&format!("{href}&done=saved")) } else { go("/?done=saved") }
}
