//! An application asks that the person signs out.

use askama::Template;

use crate::views::{Layout, PersonLine};

#[derive(Template)]
#[template(path = "logout.html")]
pub(crate) struct LogoutPage {
    pub layout: Layout,
    pub csrf: String,
    /// The query of the application, checked again on POST.
    pub request: String,
    pub application: Option<String>,
    pub person: PersonLine,
}
