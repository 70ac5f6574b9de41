//! What is said of a person: accounts that nobody can be, and members of nothing.

use falconer_login::ProviderError as E;
use falconer_login::github::GithubError as G;
use serde_json::{Value, json};

use crate::case::Case;
use crate::emulator::{json_answer, with_header};
use crate::{Row, row};

fn user(case: &mut Case, name: &str, value: Value) {
    case.says.user[name] = value;
}

pub const ACCOUNTS: &[Row] = &[
    row!("an id as text", |c| user(c, "id", json!("583231")), E::Malformed { .. }),
    row!("an id as words", |c| user(c, "id", json!("octocat")), E::Malformed { .. }),
    row!("no id", |c| c.says.user = json!({"login": "octocat", "type": "User"}), E::Malformed { .. }),
    row!("an id that is null", |c| user(c, "id", Value::Null), E::Malformed { .. }),
    row!("an id of zero", |c| user(c, "id", json!(0)), E::Subject(_)),
    row!("an id below zero", |c| user(c, "id", json!(-1)), E::Malformed { .. }),
    row!("half an id", |c| user(c, "id", json!(583_231.5)), E::Malformed { .. }),
    row!("an id with a fraction of nothing", |c| user(c, "id", json!(583_231.0)), E::Malformed { .. }),
    row!("an id beyond numbers", |c| user(c, "id", json!(1e30)), E::Malformed { .. }),
    row!("an id that is true", |c| user(c, "id", json!(true)), E::Malformed { .. }),
    row!("a list of ids", |c| user(c, "id", json!([583_231])), E::Malformed { .. }),
    row!(
        "two ids",
        |c| c.says.answer("/user", crate::emulator::bytes_answer(200, br#"{"id":1,"login":"octocat","type":"User","id":583231}"#)),
        E::Malformed { .. }
    ),
    row!("no login", |c| user(c, "login", Value::Null), E::Malformed { .. }),
    row!("an empty login", |c| user(c, "login", json!("")), E::Github(G::Login(_))),
    row!("a login that is a number", |c| user(c, "login", json!(1)), E::Malformed { .. }),
    row!("a login with a slash", |c| user(c, "login", json!("octocat/x")), E::Github(G::Login(_))),
    row!("a login with a star", |c| user(c, "login", json!("octo*")), E::Github(G::Login(_))),
    row!("a login with a space", |c| user(c, "login", json!("octo cat")), E::Github(G::Login(_))),
    row!("a login with a line end", |c| user(c, "login", json!("octocat\n")), E::Github(G::Login(_))),
    row!("a login with a zero", |c| user(c, "login", json!("octocat\0")), E::Github(G::Login(_))),
    row!("a login that looks like another", |c| user(c, "login", json!("оctocat")), E::Github(G::Login(_))),
    row!("a login that turns around", |c| user(c, "login", json!("\u{202e}tacotco")), E::Github(G::Login(_))),
    row!("a login with a parameter", |c| user(c, "login", json!("<..>")), E::Github(G::Login(_))),
    row!("a login with a bar", |c| user(c, "login", json!("583231|octocat")), E::Github(G::Login(_))),
    row!("a login of 101 characters", |c| user(c, "login", json!("x".repeat(101))), E::Github(G::Login(_))),
    row!("a program", |c| (c.says.user["login"], c.says.user["type"]) = (json!("app"), json!("Bot")), E::Github(G::NoPerson(_))),
    row!("a program by its name", |c| user(c, "login", json!("dependabot[bot]")), E::Github(G::Login(_))),
    row!("an organisation", |c| user(c, "type", json!("Organization")), E::Github(G::NoPerson(_))),
    row!("a person in capitals", |c| user(c, "type", json!("USER")), E::Github(G::NoPerson(_))),
    row!("a suspended person", |c| user(c, "suspended_at", json!("2026-01-01T00:00:00Z")), E::Github(G::Suspended)),
    row!("a name that is a list", |c| user(c, "name", json!(["x"])), E::Malformed { .. }),
    row!("a list of people", |c| c.says.user = json!([c.says.user]), E::Malformed { .. }),
    row!("two primary addresses", |c| c.says.emails[0]["primary"] = json!(true), E::Github(G::TwoPrimaries)),
    row!("verified as text", |c| c.says.emails[1]["verified"] = json!("true"), E::Malformed { .. }),
    row!("verified as a number", |c| c.says.emails[1]["verified"] = json!(1), E::Malformed { .. }),
    row!("verified not at all", |c| c.says.emails[1]["verified"] = Value::Null, E::Malformed { .. }),
    row!("primary as text", |c| c.says.emails[1]["primary"] = json!("true"), E::Malformed { .. }),
    row!("a list for an address", |c| c.says.emails[1]["email"] = json!(["you@example.com"]), E::Malformed { .. }),
    row!("addresses as text, as they once were", |c| c.says.emails = json!(["you@example.com"]), E::Malformed { .. }),
    row!("one address, no list", |c| c.says.emails = c.says.emails[1].clone(), E::Malformed { .. }),
];

fn orgs(case: &mut Case, orgs: Value) {
    case.says.orgs = orgs;
}

pub const MEMBERS: &[Row] = &[
    row!("no organisation", |c| orgs(c, json!([])), E::Github(G::NoMember { hidden: false })),
    row!("other organisations", |c| orgs(c, json!([{"id": 666, "login": "evil"}])), E::Github(G::NoMember { .. })),
    row!("a team of one, but no member", |c| orgs(c, json!([{"id": 666, "login": "evil"}])), E::Github(G::NoMember { .. })),
    row!(
        "an organisation that took over the name of one",
        |c| orgs(c, json!([{"id": 666, "login": "taskcluster"}])),
        E::Github(G::NoMember { .. })
    ),
    row!("a name that begins so", |c| orgs(c, json!([{"id": 666, "login": "mozilla-x"}])), E::Github(G::NoMember { .. })),
    row!("a name with a slash", |c| orgs(c, json!([{"id": 666, "login": "mozilla/releng"}])), E::Github(G::NoMember { .. })),
    row!("a name that looks like one", |c| orgs(c, json!([{"id": 666, "login": "mоzilla"}])), E::Github(G::NoMember { .. })),
    row!("the number in the name", |c| orgs(c, json!([{"id": 666, "login": "3838"}])), E::Github(G::NoMember { .. })),
    row!("the whole entry in the name", |c| orgs(c, json!([{"id": 666, "login": "taskcluster:3838"}])), E::Github(G::NoMember { .. })),
    row!("a number as text", |c| orgs(c, json!([{"id": "3838", "login": "taskcluster"}])), E::Malformed { .. }),
    row!("no number", |c| orgs(c, json!([{"login": "mozilla"}])), E::Malformed { .. }),
    row!("no name", |c| orgs(c, json!([{"id": 3838}])), E::Malformed { .. }),
    row!("names alone", |c| orgs(c, json!(["mozilla"])), E::Malformed { .. }),
    row!("an object of organisations", |c| orgs(c, json!({"mozilla": 131_524})), E::Malformed { .. }),
    row!("null", |c| orgs(c, Value::Null), E::Malformed { .. }),
    row!("a team without its organisation", |c| c.says.teams = json!([{"slug": "releng"}]), E::Malformed { .. }),
    row!("a team's organisation by name", |c| c.says.teams[0]["organization"] = json!("mozilla"), E::Malformed { .. }),
    row!("a team that is a number", |c| c.says.teams[0]["slug"] = json!(1), E::Malformed { .. }),
    row!(
        "all of them want a single sign-on",
        |c| {
            let answer = json_answer(403, &json!({"message": "Resource protected by organization SAML enforcement."}));
            c.says.answer("/user/orgs", with_header(answer, "x-github-sso", "required; url=https://github.com/orgs/mozilla/sso?x=1"));
        },
        E::Github(G::NoMember { hidden: true })
    ),
    row!(
        "those that count are hidden",
        |c| {
            orgs(c, json!([{"id": 666, "login": "evil"}]));
            c.says.headers.push(("x-github-sso", "partial-results; organizations=131524,3838".into()));
        },
        E::Github(G::NoMember { hidden: true })
    ),
];
