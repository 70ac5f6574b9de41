//! What the form of a stranger may cost, as a table, as `strangers.rs` has one for the API: nobody is signed in, and the form is as long as one may be.
//! What is counted is the memory that answering it asked for, and the bytes of the answer with its headers: both are the same in every run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod site;

use std::alloc::System;

use axum::body::Body;
use falconer_web::RequestLimits;
use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE, ORIGIN};
use site::provider::{FakeProvider, configured, found};
use site::{Site, site_with};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUTES: &str = include_str!("../src/pages/mod.rs");

const KIB: usize = 1024;
/// What a form may have.
const FORM: usize = 256 * KIB;
/// Of memory, asked for in all while one form is answered: the form, its fields, and what is made of them. Most is asked for by a request of OAuth 2 of thousands
/// of scopes.
const MOST_MEMORY: usize = 25 * FORM;
/// Of one answer.
const MOST_ANSWER: usize = 64 * KIB;

/// What answering takes: status, bytes of memory, bytes of the answer.
async fn cost(site: &Site, path: &str, form: String) -> (u16, usize, usize) {
    let request = Request::post(path)
        .header(ORIGIN, &site.origin)
        .header("sec-fetch-site", "same-origin")
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let region = Region::new(ALLOCATOR);
    let page = site.send(request).await;
    let memory = region.change().bytes_allocated;
    let headers: usize = page.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (page.status.as_u16(), memory, headers + page.text.len())
}

/// A field of this name that fills a form, made of this text.
fn full(before: &str, text: &str) -> String {
    format!("{before}{}", text.repeat((FORM - before.len()) / text.len()))
}

/// Fields that forms before a sign-in have, or that a stranger sends as if.
const FIELDS: [&str; 14] =
    ["next", "name", "who", "address", "display_name", "email", "token", "for", "flow", "code", "request", "user_code", "kept", "state"];

/// A form in which each of these fields is as long as there is room for.
fn of_all(fields: &[&str]) -> String {
    let length = FORM / fields.len() - 20;
    let fields = fields.iter().map(|name| format!("{name}=/{}", "\"".repeat(length)));
    fields.collect::<Vec<_>>().join("&")
}

/// Where forms are sent to. The provider is the one that there is.
fn forms() -> Vec<String> {
    let routes = ROUTES.split(".route(").skip(1).filter(|route| route.split(".fallback(").next().unwrap().contains("post("));
    let paths = routes.map(|route| route.split('"').nth(1).unwrap().replace("{provider}", "company"));
    paths.map(|path| path.split('/').map(|part| if part.starts_with('{') { "there" } else { part }).collect::<Vec<_>>().join("/")).collect()
}

/// One test, so that nothing else asks for memory meanwhile.
#[tokio::test]
async fn no_form_of_a_stranger_costs_much() {
    let company = configured("company", "Company", &[], FakeProvider::password(|name, _| Ok(found(name, None))));
    let site = site_with("https://auth.example.com", RequestLimits::default(), vec![company]).await;
    let scopes: String = (0..17_000).map(|at| format!("scope=s{at:05}%26")).collect();
    let rows: Vec<(&str, &str, String, u16)> = vec![
        // Story: each scope was compared with all before it, and the answer led back to all of it.
        ("scopes of a client for a program", "/auth/clients/create", format!("request={scopes}"), 400),
        ("a scope of it that is none", "/auth/clients/create", full("request=scope=%25C3%25A9", "\""), 400),
        ("scopes of a site", "/grant", format!("request=target=https%3A%2F%2Fa.example%26{scopes}"), 400),
        ("scopes of an application", "/login/oauth/authorize/decision", format!("request=client_id=wiki%26{scopes}"), 400),
    ];
    let mut table = String::new();
    let mut over = Vec::new();
    // What is made once is made before anything is counted.
    cost(&site, "/login", "next=/".to_owned()).await;
    for (name, path, form, expected) in rows {
        let sent = form.len();
        assert!(sent <= FORM, "{name}: {sent}");
        let (status, memory, answer) = cost(&site, path, form).await;
        table += &format!("{name}: sent {sent}, status {status}, memory {memory}, answer {answer}\n");
        if status != expected || memory > MOST_MEMORY || answer > MOST_ANSWER {
            over.push(name);
        }
    }
    // Story: what was typed, and where to go next, came back up to eight times, each time in more bytes than it was sent in.
    for path in forms() {
        for fields in FIELDS.iter().map(std::slice::from_ref).chain([&FIELDS[..]]) {
            let (status, memory, answer) = cost(&site, &path, of_all(fields)).await;
            if status >= 500 || memory > MOST_MEMORY || answer > MOST_ANSWER {
                over.push("any field");
                table += &format!("{path}, {fields:?}: status {status}, memory {memory}, answer {answer}\n");
            }
        }
    }
    assert!(over.is_empty(), "{over:?}\n{table}");
}
