//! Requests of sites: what is read, what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use falconer_grants::request::{GrantRequest, parse};
use falconer_grants::{Delivery, ResponseMode};

const NOW_MS: i64 = 1_767_225_600_000;
const HEAD: &str = "target=https%3A%2F%2Fnotes.example.com%2Fcb&description=Notes";

fn read(query: &str) -> GrantRequest {
    parse(query, NOW_MS).unwrap_or_else(|error| panic!("{query}: {error}")).unwrap()
}

fn refused(query: &str) -> String {
    parse(query, NOW_MS).expect_err(query).to_string()
}

#[test]
fn without_target_and_description_it_is_no_request() {
    for query in ["", "x=1", "scope=a", "&&", "identity=maybe", "targe%74=1&x=%zz"] {
        if query.starts_with("targe") {
            // A name may be encoded, too.
            assert_eq!(refused(query), "The request has a target but no description.");
        } else {
            assert_eq!(parse(query, NOW_MS), Ok(None), "{query}");
        }
    }
}

#[test]
fn one_without_the_other_and_one_twice_are_errors() {
    assert_eq!(refused("target=https%3A%2F%2Fa.example%2F"), "The request has a target but no description.");
    assert_eq!(refused("description=x"), "The request has a description but no target.");
    for name in ["target", "description", "identity", "expires", "response_mode", "tell_cancel"] {
        let query = format!("{HEAD}&identity=true&expires=1d&response_mode=query&tell_cancel=true&{name}=x");
        assert_eq!(refused(&query), format!("The request has `{name}` more than once."));
    }
    assert!(refused("target=https%3A%2F%2Fa.example%2F&target=https%3A%2F%2Fa.example%2F&description=").contains("more than once"));
}

#[test]
fn a_plus_is_a_space_but_in_the_target() {
    let request = read("description=a+b%2Bc&target=https://a.example/x+y%2Bz&scope=notes:read:a+b");
    assert_eq!(request.description, "a b+c");
    assert_eq!(request.target.href(), "https://a.example/x+y+z");
    assert_eq!(request.scopes, ["notes:read:a b"]);
}

#[test]
fn a_raw_equals_sign_stays_in_the_value() {
    let request = read("target=https://a.example/?a=b&description=x=y");
    assert_eq!(request.target.href(), "https://a.example/?a=b");
    assert_eq!(request.description, "x=y");
}

#[test]
fn the_seeds_form_gives_the_seeds_defaults() {
    let request = read("description=&target=https%3A%2F%2Fnotes.example.com%2Fcb");
    assert_eq!(request.description, "");
    assert!(request.scopes.is_empty() && request.audience.is_empty() && !request.identity);
    assert_eq!(request.delivery, Delivery::Credentials { mode: ResponseMode::Query, tell_cancel: false });
    assert_eq!((request.ttl_ms_wish, request.expires_ms_wish), (None, None));
}

#[test]
fn everything_optional_is_read() {
    let query = format!(
        "{HEAD}&scope=b&scope=a%20c&scope=b&identity=true&audience=https://api.example.com&audience=https%3A%2F%2Fapi.example.com%2F\
         &audience=http://localhost:99&expires=3+days&response_mode=fragment&unknown=1"
    );
    let request = read(&query);
    assert_eq!(request.scopes, ["b", "a c"]);
    assert_eq!(request.audience, ["https://api.example.com", "http://localhost:99"]);
    assert!(request.identity);
    assert_eq!(request.ttl_ms_wish, Some(3 * 86_400_000));
    assert_eq!(request.expires_ms_wish, Some(NOW_MS + 3 * 86_400_000));
    assert_eq!(request.delivery, Delivery::Credentials { mode: ResponseMode::Fragment, tell_cancel: false });
}

#[test]
fn the_canonical_query_says_the_same() {
    for query in [
        HEAD.to_owned(),
        format!("{HEAD}&scope=a+%26%3D%23%2B%25&scope=*&identity=true&audience=https://b.example&expires=1+hour&response_mode=fragment"),
        "description=%C3%A9%0A**x**&target=https://a.example/%3Fx%3Da%2Bb%23/f+g".to_owned(),
        "description=&target=https://a.example".to_owned(),
    ] {
        let request = read(&query);
        assert_eq!(read(request.canonical_query()), request, "{query}");
        assert!(request.canonical_query().is_ascii());
    }
}

#[test]
fn values_that_can_not_be_are_refused_with_the_reason() {
    for (more, reason) in [
        ("&scope=", "no particular scopes"),
        ("&scope=%C3%A9", "printable ASCII"),
        ("&scope=a%0Ab", "printable ASCII"),
        ("&scope=%zz", "`scope` is not properly percent-encoded"),
        ("&scope=%ff", "`scope` is not properly percent-encoded"),
        ("&identity=yes", "`true` or `false`"),
        ("&identity", "`true` or `false`"),
        ("&response_mode=form_post", "`query` or `fragment`"),
        ("&tell_cancel=yes", "`true` or `false`"),
        ("&expires=soon", "not a time expression"),
        ("&expires=", "not a time to come"),
        ("&expires=-1+day", "not a time to come"),
        ("&expires=99999999999999+years", "not a time expression"),
        ("&audience=https://a.example", "nothing without `identity=true`"),
        ("&identity=true&audience=https://a.example/x", "without path and query"),
        ("&identity=true&audience=https://a.example?", "without path and query"),
        ("&identity=true&audience=http://a.example", "not a loopback host"),
        ("&identity=true&audience=*", "must begin with https://"),
    ] {
        let error = refused(&format!("{HEAD}{more}"));
        assert!(error.contains(reason), "{more}: {error}");
    }
    assert!(refused("description=%&target=x").contains("`description` is not properly"));
    assert!(refused("description=&target=%zz").contains("`target` is not properly"));
    assert!(refused("description=&target=http%3A%2F%2Fa.example%2F").contains("plain http"));
}

#[test]
fn there_is_a_bound_to_everything() {
    let fits = format!("target=https://a.example/&description={}", "a".repeat(2048));
    assert_eq!(read(&fits).description.len(), 2048);
    assert!(refused(&format!("{fits}a")).contains("more than 2 KiB"));
    let many = |count: usize| (0..count).map(|n| format!("&scope=s{n}")).collect::<String>();
    assert_eq!(read(&format!("{HEAD}{}", many(200))).scopes.len(), 200);
    assert!(refused(&format!("{HEAD}{}", many(201))).contains("more than 200 scopes"));
    assert!(refused(&format!("{HEAD}&scope={}", "s".repeat(1025))).contains("more than 1 KiB"));
    let origins = |count: usize| (0..count).map(|n| format!("&audience=https://a{n}.example")).collect::<String>();
    assert_eq!(read(&format!("{HEAD}&identity=true{}", origins(10))).audience.len(), 10);
    assert!(refused(&format!("{HEAD}&identity=true{}", origins(11))).contains("more than 10 origins"));
}

/// A program on this machine that waits for an answer may be told of Cancel; a site elsewhere never is.
#[test]
fn cancel_is_told_to_this_machine_only() {
    let program = read("target=http%3A%2F%2F127.0.0.1%3A99%2Fx%3Fstate%3D1&description=&tell_cancel=true");
    let refusal_url = Some("http://127.0.0.1:99/x?state=1&error=access_denied".to_owned());
    assert_eq!(program.cancelled(), refusal_url);
    assert_eq!(read(program.canonical_query()).cancelled(), refusal_url, "it is carried through sign-in");
    assert_eq!(read("target=http%3A%2F%2F127.0.0.1%3A99%2Fx&description=").cancelled(), None);
    assert_eq!(read("target=https%3A%2F%2Fnotes.example%2F&description=&tell_cancel=true").cancelled(), None);
}
