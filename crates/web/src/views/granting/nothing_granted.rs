//! After Cancel.

use askama::Template;

use crate::views::Layout;

#[derive(Template)]
#[template(path = "nothing_granted.html")]
pub(crate) struct NothingGrantedPage {
    pub layout: Layout,
    /// As the browser shows it, with the port where it is not the default.
    pub host: String,
    /// Without a slash at the end.
    pub origin: String,
}
