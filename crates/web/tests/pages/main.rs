//! The pages, as a browser without JavaScript walks through them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod admin_pages;
mod applications;
mod broken_off;
mod console;
mod directories;
mod ended_sessions;
mod giving_more;
mod going_on;
mod granting;
mod grants;
mod identities;
mod inspection;
mod offered;
mod pages;
mod people_pages;
mod providers;
mod scope_registries;
mod signing_in;
mod signing_in_again;
#[path = "../site/mod.rs"]
mod site;
mod tool_page;
mod ways_in;
