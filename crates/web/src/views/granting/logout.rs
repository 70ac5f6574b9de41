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
    pub asker: Option<LogoutAsker>,
    /// The host that the browser goes to afterwards.
    pub leads_to: Option<String>,
    pub person: PersonLine,
}

/// Which application the request names.
pub(crate) struct LogoutAsker {
    /// Its name, where an administrator has registered it.
    pub registered: Option<String>,
    /// What it calls itself, where none has.
    pub own_name: Option<String>,
}
