//! What every page and every form answers to whom, as a table that can be read (`page_verdicts.md`, beside this file).
//!
//! The routes are read out of `src/pages/mod.rs`, so that a new one is in the table at once: the test fails until somebody has read its row.
//! `UPDATE_VERDICTS=1 cargo test -p falconer-web --test page_verdicts` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod site;
mod snapshot;

use std::fmt::Write as _;

use http::Method;
use site::{Browser, Page, Site, encode, site};

const ROUTES: &str = include_str!("../src/pages/mod.rs");

/// Method and path of every route, in the order of the file; a parameter is `there`.
fn routes() -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for route in ROUTES.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        let handlers = route.split(".fallback(").next().unwrap();
        let filled: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "there" } else { part }).collect();
        for (word, method) in [("get(", Method::GET), ("post(", Method::POST)] {
            if handlers.contains(word) {
                found.push((method, filled.join("/")));
            }
        }
    }
    found
}

#[test]
fn the_routes_are_found() {
    let routes = routes();
    for (method, path) in
        [(Method::GET, "/"), (Method::GET, "/login"), (Method::POST, "/login"), (Method::POST, "/grant"), (Method::POST, "/me/revoke")]
    {
        assert!(routes.iter().any(|(m, p)| *m == method && p == path), "{method} {path}");
    }
    assert_eq!(ROUTES.matches(".route(").count(), routes.iter().map(|(_, path)| path).collect::<std::collections::BTreeSet<_>>().len());
}

/// A kind of visitor: the head of its column, and what that is.
const KINDS: [(&str, &str); 6] = [
    ("nobody", "not signed in, from a page of ours"),
    ("nobody, elsewhere", "not signed in, from a page of another site"),
    ("signed in", "signed in, from a page of ours, with the session's token and nothing else in the form"),
    ("elsewhere", "signed in, from a page of another site, with the session's token"),
    ("no token", "signed in, from a page of ours, without the session's token"),
    ("wrong token", "signed in, from a page of ours, with a token that is not the session's"),
];

async fn visit(site: &Site, kind: &str, method: &Method, path: &str) -> Page {
    let mut browser: Browser<'_> = site.browser();
    let mut token = String::new();
    if !kind.starts_with("nobody") {
        browser = site.ann().await;
        let page = browser.get("/").await;
        token = page.form("/logout").into_iter().find(|(name, _)| name == "csrf").expect("a page of ours has the token in its forms").1;
    }
    let fields = match kind {
        "nobody" | "nobody, elsewhere" | "no token" => Vec::new(),
        "wrong token" => vec![("csrf".to_owned(), token.chars().rev().collect())],
        _ => vec![("csrf".to_owned(), token)],
    };
    let (origin, fetch) =
        if kind.ends_with("elsewhere") { ("https://evil.example", "cross-site") } else { (site.origin.as_str(), "same-origin") };
    let headers = [("origin", origin), ("sec-fetch-site", fetch)];
    // A browser sends no Origin with a link that is followed.
    let headers = if *method == Method::GET { &headers[1..] } else { &headers[..] };
    browser.send(method.clone(), path, headers, (*method == Method::POST).then(|| encode(&fields))).await
}

fn word(page: &Page) -> String {
    match page.status.as_u16() {
        200 => "page".to_owned(),
        status if page.status.is_redirection() => {
            let to = page.location();
            format!("{status} to `{}`", to.split('?').next().unwrap())
        }
        status => format!("no {status}"),
    }
}

const HEAD: &str = "\
# Who may visit what

Each line is one page or form, each column one kind of visitor, each cell what really happened: `page`, a status that leads elsewhere, or `no` with the
HTTP status. Forms are sent with no field but the token, so that `no 400` is a form that is let in and lacks something.
Written by the test `page_verdicts`; do not edit.

";

async fn table() -> String {
    let mut text = String::from(HEAD);
    for (head, about) in KINDS {
        writeln!(text, "- **{head}**: {about}").unwrap();
    }
    writeln!(text).unwrap();
    write!(text, "| visit |").unwrap();
    KINDS.iter().for_each(|(head, _)| write!(text, " {head} |").unwrap());
    writeln!(text, "\n|{}", " --- |".repeat(KINDS.len() + 1)).unwrap();
    for (method, path) in routes() {
        write!(text, "| `{method} {path}` |").unwrap();
        for (kind, _) in KINDS {
            // A link knows of no token.
            if method == Method::GET && kind.contains("token") {
                write!(text, " - |").unwrap();
                continue;
            }
            let site = site().await;
            write!(text, " {} |", word(&visit(&site, kind, &method, &path).await)).unwrap();
        }
        writeln!(text).unwrap();
    }
    text
}

#[tokio::test]
async fn the_table_of_pages_is_as_it_was_read() {
    snapshot::is_as_it_was_read("page_verdicts.md", &table().await);
}

/// What must hold of every form, whatever forms there are.
#[tokio::test]
async fn no_form_is_taken_from_elsewhere_or_without_its_token() {
    for (method, path) in routes().into_iter().filter(|(method, _)| *method == Method::POST) {
        let site = site().await;
        let before = site.auth.revision();
        for kind in ["nobody, elsewhere", "elsewhere", "no token", "wrong token"] {
            let page = visit(&site, kind, &method, &path).await;
            // What applications send from pages of their own brings the browser to the page that asks, and does nothing.
            let only_asks = path == "/login/oauth/logout" && page.header("location").split('?').next() == Some(path.as_str());
            let does_nothing = only_asks && page.status == http::StatusCode::SEE_OTHER && page.header("set-cookie").is_empty();
            assert!(page.status.is_client_error() || does_nothing, "{method} {path} as {kind}: {}", page.status);
        }
        assert_eq!(site.auth.revision(), before, "{path} changed something");
    }
}
