//! The pages for a device that shows a short code.

use askama::Template;

use crate::views::{Layout, PersonLine};

#[derive(Template)]
#[template(path = "device.html")]
pub(crate) struct DevicePage {
    pub layout: Layout,
    pub csrf: String,
    /// As the link had it, or as it was typed before.
    pub code: String,
    pub person: PersonLine,
    pub error: Option<String>,
}

#[derive(Template)]
#[template(path = "device_done.html")]
pub(crate) struct DeviceDonePage {
    pub layout: Layout,
    pub granted: bool,
}
