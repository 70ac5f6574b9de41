//! What is new for a site since last time, before it is granted: where no script told how long the grant page was visible.

use askama::Template;
use falconer_grants::ScopeGroup;

use crate::pages::granting::Places;
use crate::views::Layout;

#[derive(Template)]
#[template(path = "news.html")]
pub(crate) struct NewsPage {
    pub layout: Layout,
    pub host: String,
    pub places: Places,
    pub gives: Vec<ScopeGroup>,
    pub identity_for: Vec<String>,
    /// With the names of the person's groups.
    pub tells_groups: bool,
    /// The choices as they were made, to be sent once more.
    pub fields: Vec<(String, String)>,
}
