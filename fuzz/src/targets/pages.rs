//! What a site sends a person's browser with.

use falconer_grants::{GrantRequest, Target, request};
use falconer_web::markdown;

use super::{Outcome, magnitude, text};
use crate::site::NOW_MS;

/// The address to which credentials would go: exactly where it says that it is.
pub(super) fn target(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    match Target::parse(&text) {
        Ok(target) => format!("{} {} {}", target.scheme(), target.is_loopback(), holds(&target)),
        Err(error) => format!("{error:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned(),
    }
}

fn holds(target: &Target) -> &'static str {
    let (href, origin) = (target.href(), target.origin());
    assert!(href.strip_prefix(&origin).is_some_and(|rest| rest.starts_with('/')), "{href} is not below {origin}");
    assert!(href.bytes().all(|byte| (0x21..0x7f).contains(&byte)), "{href:?} would not go into a header");
    assert!(target.scheme() == "https" || target.is_loopback(), "{href} goes over the network in the clear");
    let authority = href.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    assert!(!authority.contains('@'), "{href} names a user");
    match Target::parse(href) {
        Ok(reread) => assert_eq!(reread.href(), href, "a target is the same when it is read again"),
        Err(error) => panic!("{href} is a target and is none: {error}"),
    }
    if target.registrable_domain().is_some() { "registrable" } else { "of its own" }
}

/// The query of a request for a grant.
pub(super) fn grant_query(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let parsed = match request::parse(&text, NOW_MS) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return "no request".to_owned(),
        Err(error) => {
            let said = error.to_string();
            assert!(said.len() <= 8 * text.len() + 1_024, "{} bytes of error for {} sent", said.len(), text.len());
            return format!("{error:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        }
    };
    holds(&parsed.target);
    let canonical = parsed.canonical_query();
    match request::parse(canonical, NOW_MS) {
        Ok(Some(reread)) => assert!(same(&parsed, &reread), "{canonical} is read as something else"),
        _ => panic!("{canonical} is a request and is none"),
    }
    format!("{} scopes, {} for", magnitude(parsed.scopes.len()), magnitude(parsed.audience.len()))
}

fn same(one: &GrantRequest, other: &GrantRequest) -> bool {
    one.canonical_query() == other.canonical_query() && one.scopes == other.scopes && one.target.href() == other.target.href()
}

/// Tags of rendered Markdown, as they are written.
const TAGS: &[&str] = &[
    "p",
    "/p",
    "br",
    "em",
    "/em",
    "strong",
    "/strong",
    "s",
    "/s",
    "code",
    "/code",
    "pre",
    "/pre",
    "ul",
    "/ul",
    "ol",
    "/ol",
    "li",
    "/li",
    "blockquote",
    "/blockquote",
    "hr",
    "/a",
    "span class=\"host\"",
    "span class=\"hidden\"",
    "/span",
];

/// A description in Markdown: whatever it is, the page around it stays what it was.
pub(super) fn markdown(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let html = markdown::render(&text);
    assert!(html.len() <= 64 * markdown::MAX_BYTES, "{} bytes of page", html.len());
    let (mut links, mut open) = (0, 0_i64);
    for piece in html.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else { panic!("a tag that does not end: {piece:?}") };
        if TAGS.contains(&tag) {
            open += if tag.starts_with('/') { -1 } else { i64::from(!["br", "hr"].contains(&tag)) };
            continue;
        }
        let Some(rest) = tag.strip_prefix("a href=\"") else { panic!("a tag that is not on the list: {tag:?}") };
        let (href, attributes) = rest.split_once('"').unwrap_or((rest, ""));
        assert!(href.starts_with("http://") || href.starts_with("https://"), "a link to {href}");
        assert!(attributes.contains("noopener") && !attributes.contains(" on"), "{attributes}");
        links += 1;
        open += 1;
    }
    assert_eq!(open, 0, "tags are closed: {html}");
    format!("{links} links, {} bytes", magnitude(html.len()))
}
