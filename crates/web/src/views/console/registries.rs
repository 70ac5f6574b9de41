//! What services have published about their scopes.

use askama::Template;

use crate::views::Layout;

/// All of it, or what one service says.
#[derive(Template)]
#[template(path = "console/registries.html")]
pub(crate) struct RegistriesPage {
    pub layout: Layout,
    /// The lists that this person may see: where, and the title.
    pub lists: Vec<(&'static str, &'static str)>,
    /// What has just been done.
    pub notice: Option<&'static str>,
    pub rows: Vec<RegistryRow>,
}

/// What one service says.
#[derive(Clone, Debug, Default)]
pub(crate) struct RegistryRow {
    pub namespace: String,
    /// Its own page.
    pub href: String,
    /// Where it is asked whether to delete it; `None`: this person may not.
    pub delete: Option<String>,
    /// `3 sentences`
    pub count: String,
    pub published_by: String,
    pub created: String,
    /// `2 hours ago`
    pub changed: String,
    /// The configuration says something else, so that it is not used.
    pub is_configured: bool,
    /// Template, sentence, and whether it is a high risk; on its own page only.
    pub sentences: Vec<(String, String, bool)>,
}
