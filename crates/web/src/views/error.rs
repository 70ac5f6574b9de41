//! An error, for people.

use askama::Template;

use super::Layout;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    pub layout: Layout,
    pub problem: Problem,
    pub id: String,
}
