//! What somebody would get.

use askama::Template;

use crate::views::{Family, Layout};

#[derive(Template)]
#[template(path = "people/map.html")]
pub(crate) struct MapPage {
    pub layout: Layout,
    pub csrf: String,
    /// Name and label.
    pub providers: Vec<(String, String)>,
    pub provider: String,
    pub claims: String,
    pub found: Option<WouldGetView>,
    pub error: Option<String>,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct WouldGetView {
    pub identity: String,
    pub facts: Vec<(&'static str, String)>,
    pub groups: Vec<String>,
    pub other_groups: Vec<String>,
    pub scopes: Vec<String>,
    pub expanded: Vec<Family>,
    pub refused: Vec<RefusedRow>,
}

/// A value that gives nothing.
#[derive(Clone, Debug)]
pub(crate) struct RefusedRow {
    pub attribute: &'static str,
    pub value: String,
    pub template: String,
    pub why: &'static str,
}
