//! What nobody gets, counted. Each group is a table of cases, with what is expected of each, that a test goes through whole; here they are added up, so that a case that
//! is lost fails, and written into `docs/reference/oauth-refusals.md` for whoever wants to see what was thought of.
//!
//! To add a case: a row in the table that it belongs to, in `refused.json`, here, or in the file that is about it; then `UPDATE_VERDICTS=1 cargo test -p falconer-web --test
//! oauth misuse`.

mod forms;
pub mod hints;
mod mixed_up;
mod races;
mod sentences;
mod transport;

use std::fmt::Write as _;

use crate::dpop::section_4_3;
use crate::{devices, documents, oauth_refusals, refused, signed, widening};

/// One case: where it comes from, what is tried, and what is expected.
type Case = (String, String, String);

fn case(section: &str, what: impl Into<String>, comes: impl Into<String>) -> Case {
    (section.to_owned(), what.into(), comes.into())
}

/// A group: its name, the fewest cases that it has, and its cases.
type Group = (&'static str, usize, Vec<Case>);

/// Rows of `refused.json`, by its name for the group.
fn sent(name: &'static str, fewest: usize) -> Group {
    (name, fewest, refused::group(name))
}

fn groups() -> Vec<Group> {
    let posted = forms::FORMS.iter().flat_map(|(form, ..)| {
        forms::SENT.iter().map(move |(how, ..)| case("RFC 9700 4.7", format!("{form}: {how}"), "403, and nothing is done"))
    });
    let shown = oauth_refusals::FORMS.iter().map(|(what, _, status)| {
        case("RFC 6749 10.12", format!("the form of a grant page: {what}"), format!("{}, and no redirect", status.as_u16()))
    });
    let fixed =
        forms::FIXED.iter().map(|what| case("RFC 9700 4.7", format!("a session chosen beforehand: {what}"), "another one, or none"));
    let framed = forms::PAGES.iter().map(|page| case("RFC 9700 4.16", format!("{page} in a frame"), "`frame-ancestors 'none'`"));
    let forged = hints::FORGED.iter().map(|(section, what, _)| case(section, *what, "400, and no redirect"));
    let mixed = mixed_up::BROUGHT.iter().map(|(what, comes)| case("RFC 9700 4.4", format!("of another server: {what}"), *comes));
    let ways = transport::ADDRESSES.iter().flat_map(|address| {
        transport::SENT.iter().map(move |(what, _, statuses)| case("RFC 6749 3.2", format!("{address}: {what}"), format!("{statuses:?}")))
    });
    let requested = devices::REQUESTS.iter().map(|(what, _, status, error)| case("RFC 8628 3.1", *what, format!("{status} `{error}`")));
    let polled =
        devices::POLLS.iter().map(|(what, _, status, error)| case("RFC 8628 3.5", format!("poll: {what}"), format!("{status} `{error}`")));
    let more = widening::refused::REQUESTS
        .iter()
        .map(|(what, _, status, error)| case("ADR 307", format!("a request for more: {what}"), format!("{status} `{error}`")));
    let page = "a page; the browser is sent nowhere";
    let wrong = documents::refused::WRONG.iter().map(|(what, _)| case("client metadata document", format!("it has {what}"), page));
    let answers =
        documents::refused::answers().into_iter().map(|(what, _)| case("client metadata document", format!("instead of it: {what}"), page));
    let inside =
        documents::refused::INSIDE.iter().map(|id| case("client metadata document", format!("`{}`", id.replace(' ', "%20")), page));
    vec![
        sent("PKCE", 24),
        sent("codes", 29),
        sent("redirect URIs", 118),
        sent("scopes", 9),
        sent("state", 3),
        ("forms that somebody else has sent", 94, posted.chain(shown).collect()),
        ("fixation and frames", 14, fixed.chain(framed).collect()),
        ("mix-up", 14, mixed.collect()),
        ("documents of applications", 80, wrong.chain(answers).chain(inside).collect()),
        sent("tokens of others", 41),
        ("proofs of keys", 85, section_4_3::refused_rows()),
        sent("refresh tokens", 33),
        sent("derived grants", 36),
        sent("pushed requests", 21),
        ("devices", 23, requested.chain(polled).collect()),
        ("more than a grant", 31, more.collect()),
        sent("parameters", 36),
        ("methods and bodies", 45, ways.collect()),
        ("forged ID tokens", 36, forged.collect()),
        ("signed access tokens", 53, signed::misuse::rows()),
        sent("requests", 34),
        ("sentences of services", 43, sentences::rows()),
    ]
}

/// What may succeed once, tried 64 times at once: what it is, what comes of it, and the test that tries it with the file that it is in.
const RACES: [(&str, &str, &str, &str); 7] = [
    ("exchanges of one code", ENDS, "of_64_exchanges_of_one_code_at_once_one_succeeds", include_str!("../oauth.rs")),
    ("uses of one refresh token", ENDS, "of_64_uses_at_once_one_succeeds", include_str!("../refresh.rs")),
    ("polls with one device code", ENDS, "of_64_polls_with_one_device_code_one_succeeds", include_str!("../devices.rs")),
    (
        "browsers that bring one pushed request",
        "one goes on",
        "of_64_browsers_that_bring_one_at_once_one_goes_on",
        include_str!("../pushed.rs"),
    ),
    ("presses of one Grant", "one grant", "of_64_presses_of_one_grant_one_makes_a_grant", include_str!("races.rs")),
    (
        "answers to who asks for more, Grant and Refuse",
        "one is the answer",
        "of_64_answers_at_once_one_is_the_answer",
        include_str!("../widening/mod.rs"),
    ),
    (
        "uses of the code of who asked for more",
        ENDS,
        "of_64_who_come_for_it_one_gets_it_and_the_others_end_it",
        include_str!("../widening/mod.rs"),
    ),
];

const ENDS: &str = "one gives tokens, which end because the others were uses too";

const HEAD: &str = "# What nobody gets by OAuth 2\n\n\
    Cases that a test tries on the server each time that it is built, and what it expects of each. None of them is accepted. Written by the test `misuse` of\n\
    `crates/web/tests/oauth`; do not edit. Rows name the RFC and its section; [RFC 9700](https://www.rfc-editor.org/rfc/rfc9700) is the best current practice of security.\n";

#[test]
fn there_are_at_least_300_cases_and_the_page_has_them() {
    let groups = groups();
    let known: std::collections::BTreeSet<String> = groups.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let forgotten: Vec<String> = refused::groups().difference(&known).cloned().collect();
    assert!(forgotten.is_empty(), "not counted: {forgotten:?}");
    let total: usize = groups.iter().map(|(_, _, cases)| cases.len()).sum();
    let mut page = format!("{HEAD}\n| group | cases |\n| --- | --- |\n");
    let mut seen = std::collections::BTreeSet::new();
    for (name, fewest, cases) in &groups {
        assert!(cases.len() >= *fewest, "{name} has lost cases: {} of {fewest}", cases.len());
        let anchor = name.to_lowercase().replace(' ', "-");
        _ = writeln!(page, "| [{name}](#{anchor}) | {} |", cases.len());
        for (section, what, comes) in cases {
            assert!(!section.is_empty() && !comes.is_empty(), "{name}: {what} says not where it comes from, or what is expected");
            assert!(seen.insert((*name, what.clone())), "{name}: {what} is there twice");
        }
    }
    assert!(total >= 720, "{total}");
    _ = writeln!(page, "| all | {total} |\n\n## 64 at once\n\n| what | what comes of it |\n| --- | --- |");
    for (what, comes, test, file) in RACES {
        let body = file.split_once(&format!("fn {test}()")).unwrap_or_else(|| panic!("{test} is gone")).1;
        let body = body.split("#[tokio::test]").next().unwrap();
        assert!(body.contains("0..64"), "{test} does not try it 64 times");
        _ = writeln!(page, "| {what} | {comes} |");
    }
    for (name, _, cases) in &groups {
        _ = writeln!(page, "\n## {name}\n\n| section | what is tried | what comes of it |\n| --- | --- | --- |");
        for (section, what, comes) in cases {
            _ = writeln!(page, "| {section} | {} | {} |", what.replace('|', "\\|"), comes.replace('|', "\\|"));
        }
    }
    crate::snapshot::is_as_it_was_read("../../../docs/reference/oauth-refusals.md", &page);
}
