//! What came along with a request: the body and its type, beside the hash that was signed.

pub(super) mod changed_body;
pub(super) mod dropped_body;
pub(super) mod other_content_type;
pub(super) mod unsigned_body;

use crate::case::{Case, Skip};
use crate::place::Body;

fn of<'c>(case: &Case<'c>) -> Result<&'c Body, Skip> {
    case.route.body.as_ref().ok_or(Skip::OnlyFor("routes with a `body`"))
}
