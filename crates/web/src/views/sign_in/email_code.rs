//! Sign in with a code by mail: the address, then the code.

use askama::Template;

use crate::views::Layout;

#[derive(Template)]
#[template(path = "email_address.html")]
pub(crate) struct EmailAddressPage {
    pub layout: Layout,
    /// The name of the provider, as in `/login/<name>`.
    pub provider: String,
    /// What people call it.
    pub label: String,
    /// Goes with the cookie of forms before there is a session.
    pub form: String,
    /// What it is for: `again`, `link` or nothing, and then the token of the session's forms.
    pub purpose: String,
    pub csrf: String,
    /// The host that the person will be asked about afterwards.
    pub continue_to: Option<String>,
    /// Where to go afterwards: a path of ours with its query.
    pub next: String,
    /// The page of all ways to sign in.
    pub others: String,
    /// What was typed before, after a failure.
    pub address: String,
    pub error: Option<String>,
}

#[derive(Template)]
#[template(path = "email_code.html")]
pub(crate) struct EmailCodePage {
    pub layout: Layout,
    /// The name of the provider, as in `/login/<name>`.
    pub provider: String,
    /// Goes with the cookie of forms before there is a session.
    pub form: String,
    /// Which sign-in of this browser.
    pub flow: String,
    /// Where the code went, if anybody is let in there.
    pub address: String,
    /// The page that asks for an address.
    pub start_over: String,
    /// What pressing it does.
    pub button: &'static str,
    /// What is said of it in front; may be empty.
    pub intro: &'static str,
    pub error: Option<String>,
}
