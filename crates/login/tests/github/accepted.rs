//! The same sign-in where it is as it should be, and what people get who are less than they say.

use falconer_login::http::HttpError as H;
use falconer_login::{LoginError, ProviderError as E, ProviderSignInError};
use serde_json::{Value, json};

use crate::case::{Case, ID, SCOPES, Site, says};
use crate::emulator::{json_answer, with_header};

type Accepted = (&'static str, fn(&mut Case));

const ACCEPTED: &[Accepted] = &[
    ("as it is", |_| ()),
    ("a callback that names GitHub", |c| c.callback.issuer = Some("https://github.com/login/oauth".into())),
    ("a callback that names its host", |c| c.callback.issuer = Some("https://github.com".into())),
    ("a cookie of another sign-in beside it", |c| c.cookies.insert(0, c.of_somebody_else.0.clone())),
    ("almost ten minutes later", |c| c.later_ms = 10 * 60_000 - 1),
    ("a kind in capitals", |c| c.says.token = json!({"token_type": "Bearer"})),
    ("tokens that end", |c| c.says.tokens_end = true),
    ("one entry a page", |c| c.says.page = 1),
    ("an old server that does not say what an account is", |c| c.says.user["type"] = Value::Null),
    ("an organisation that was renamed counts under its number", |c| c.says.orgs[1]["login"] = json!("renamed")),
    ("names in other capitals", |c| c.says.orgs[0]["login"] = json!("MOZILLA")),
    ("an odd team beside them", |c| team(c, "rel eng", 131_524)),
    ("a team with a slash", |c| team(c, "releng/x", 131_524)),
    ("a team with a star", |c| team(c, "*", 131_524)),
    ("a team without a name", |c| team(c, "", 131_524)),
    ("a team that looks like another", |c| team(c, "rеleng2", 131_524)),
    ("a team of 256 characters", |c| team(c, &"x".repeat(256), 131_524)),
    ("a team of a foreign organisation that has a name of ours", |c| team_of(c, "admins", json!({"id": 666, "login": "mozilla"}))),
    ("a team of an organisation that the person is not in", |c| team_of(c, "admins", json!({"id": 999, "login": "mozilla"}))),
    ("a team whose organisation calls itself as a team", |c| team_of(c, "x", json!({"id": 666, "login": "mozilla/admins"}))),
    ("a team that is there twice", |c| team(c, "releng", 131_524)),
    ("an organisation with an odd name beside them", |c| org(c, 667, "a/b*")),
    ("some are hidden", |c| c.says.headers.push(("x-github-sso", "partial-results; organizations=1,2".into()))),
];

fn team(case: &mut Case, slug: &str, org: u64) {
    team_of(case, slug, json!({"id": org, "login": "Mozilla"}));
}

fn team_of(case: &mut Case, slug: &str, organization: Value) {
    case.says.teams.as_array_mut().unwrap().push(json!({"slug": slug, "organization": organization}));
}

fn org(case: &mut Case, id: u64, login: &str) {
    case.says.orgs.as_array_mut().unwrap().push(json!({"id": id, "login": login}));
}

#[tokio::test]
async fn what_is_right_is_accepted() {
    for (name, change) in ACCEPTED {
        let site = Site::new().await;
        let inbound = site.sign_in(change).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(inbound.next, "/?a=b", "{name}");
        assert_eq!(inbound.signed_in.session.person.identity, format!("github/{ID}"), "{name}");
        let record = site.record(&format!("github/{ID}")).unwrap();
        assert_eq!(record.scopes, SCOPES, "{name}");
        assert!(record.email_verified && record.display_name == "The Octocat", "{name}");
        assert_eq!(record.groups, ["mozilla", "mozilla/releng", "taskcluster", "taskcluster/core"], "{name}");
    }
}

/// What is changed, and the scopes that are missing then.
type Less = (&'static str, fn(&mut Case), &'static [&'static str]);

/// Each of them is the person, but without what is not proved.
#[tokio::test]
async fn what_is_not_proved_gives_nothing() {
    let table: [Less; 9] = [
        ("an address that is not verified", |c| c.says.emails[1]["verified"] = json!(false), &["assume:mail:you@example.com"]),
        ("no primary address", |c| c.says.emails[1]["primary"] = json!(false), &["assume:mail:you@example.com"]),
        ("no address", |c| c.says.emails = json!([]), &["assume:mail:you@example.com"]),
        ("an address that ends in a star", |c| c.says.emails[1]["email"] = json!("you@example.com*"), &["assume:mail:you@example.com"]),
        ("an address of two", |c| c.says.emails[1]["email"] = json!("a@b.example,you@example.com"), &["assume:mail:you@example.com"]),
        ("no team", |c| c.says.teams = json!([]), &["assume:team:mozilla/releng", "assume:team:taskcluster/core"]),
        (
            "teams that want a single sign-on",
            |c| {
                let answer = json_answer(403, &json!({"message": "Resource protected by organization SAML enforcement."}));
                c.says.answer("/user/teams", with_header(answer, "x-github-sso", "required; url=https://github.com/orgs/x/sso"));
            },
            &["assume:team:mozilla/releng", "assume:team:taskcluster/core"],
        ),
        (
            "an organisation that hides",
            |c| {
                c.says.orgs.as_array_mut().unwrap().remove(0);
                c.says.headers.push(("x-github-sso", "partial-results; organizations=131524".into()));
            },
            &["assume:org:mozilla", "assume:team:mozilla/releng"],
        ),
        (
            "an organisation that took over a name",
            |c| c.says.orgs[1]["id"] = json!(667),
            &["assume:org:taskcluster", "assume:team:taskcluster/core"],
        ),
    ];
    for (name, change, missing) in table {
        let site = Site::new().await;
        site.sign_in(change).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let expected: Vec<&str> = SCOPES.into_iter().filter(|scope| !missing.contains(scope)).collect();
        assert_eq!(site.record(&format!("github/{ID}")).unwrap().scopes, expected, "{name}");
    }
}

/// Somebody gives their name up, and somebody else takes it.
#[tokio::test]
async fn whoever_takes_over_a_name_gets_nothing_of_the_one_before() {
    let site = Site::new().await;
    site.sign_in(|_| ()).await.unwrap();
    let before = site.record(&format!("github/{ID}")).unwrap();
    let stranger = |c: &mut Case| {
        c.says.user["id"] = json!(666);
        c.says.emails = json!([{"email": "stranger@example.com", "primary": true, "verified": true}]);
        c.says.orgs = json!([{"id": 3838, "login": "taskcluster"}]);
        c.says.teams = json!([]);
    };
    let inbound = site.sign_in(stranger).await.unwrap();
    assert_eq!(inbound.signed_in.session.person.identity, "github/666");
    let theirs = site.record("github/666").unwrap();
    assert_ne!(theirs.person, before.person);
    let own = ["assume:login-identity:github/666", "assume:person:666/octocat", "assume:mail:stranger@example.com"];
    for scope in &theirs.scopes {
        assert!(own.contains(&scope.as_str()) || ["assume:everybody", "assume:org:taskcluster"].contains(&scope.as_str()), "{scope}");
    }
    // And the one before, under another name, is the same person as ever.
    let renamed = site.sign_in(|c| c.says.user["login"] = json!("octocat-2")).await.unwrap();
    assert_eq!(renamed.signed_in.session.person.identity, format!("github/{ID}"));
    let after = site.record(&format!("github/{ID}")).unwrap();
    assert_eq!(after.person, before.person);
    assert!(
        after.scopes.contains(&format!("assume:person:{ID}/octocat-2")) && !after.scopes.contains(&format!("assume:person:{ID}/octocat"))
    );
}

/// Whoever takes the name of somebody of the staff at GitHub is not taken for them by a directory that goes by names.
#[tokio::test]
async fn a_name_at_github_says_nothing_to_another_directory() {
    let site = Site::new().await;
    site.sign_in(|_| ()).await.unwrap();
    site.refresh(|_| ()).await.unwrap();
    let requests = site.believing.0.lock().unwrap().clone();
    assert_eq!(requests, vec![(None, Some("you@example.com".to_owned())); 2]);
    assert!(site.record(&format!("github/{ID}")).unwrap().additions.is_empty());
}

/// The same number at another GitHub is somebody else.
#[tokio::test]
async fn an_enterprise_server_has_people_of_its_own() {
    let site = Site::new().await;
    site.sign_in(|_| ()).await.unwrap();
    site.emulator.requests();
    let inbound = site.sign_in_with("enterprise", |_| ()).await.unwrap();
    assert_eq!(inbound.signed_in.session.person.identity, format!("enterprise/{ID}"));
    let record = site.record(&format!("enterprise/{ID}")).unwrap();
    assert_ne!(record.person, site.record(&format!("github/{ID}")).unwrap().person);
    // Without a list every organisation counts, as it calls itself.
    assert_eq!(record.groups, ["Mozilla", "Mozilla/releng", "evil", "evil/releng", "taskcluster", "taskcluster/core"]);
    let mut requests = site.emulator.requests();
    requests.sort();
    assert_eq!(requests, ["/login/oauth/access_token", "/user", "/user/emails", "/user/orgs", "/user/teams"]);
}

/// Each answer comes in time, and all of them together do not. The clock of the test jumps to whatever is waited for.
#[tokio::test(start_paused = true)]
async fn github_has_twenty_seconds_in_all() {
    let slow = |case: &mut Case, answer_ms: u64| (case.says.answer_ms, case.says.page) = (answer_ms, 1);
    let site = Site::new().await;
    let begun = tokio::time::Instant::now();
    let refused = site.sign_in(|case| slow(case, 7000)).await.err().unwrap();
    let too_slow = E::Http { what: "the API", error: H::TooSlow };
    assert_eq!((refused, begun.elapsed().as_secs()), (ProviderSignInError::Provider(too_slow), 27));
    site.sign_in(|case| slow(case, 4000)).await.unwrap();
}

/// Whoever was disabled here is let in by no provider.
#[tokio::test]
async fn a_person_who_is_disabled_stays_outside() {
    let site = Site::new().await;
    site.sign_in(|_| ()).await.unwrap();
    site.disable(&format!("github/{ID}")).await;
    let refused = site.sign_in(|_| ()).await.err().unwrap();
    assert_eq!(refused, ProviderSignInError::Login(LoginError::SignedOut));
}

/// `falconer provider map` reads the four answers in one object.
#[tokio::test]
async fn answers_can_be_tried_without_github() {
    let site = Site::new().await;
    let says = says();
    let answers = json!({"user": says.user, "emails": says.emails, "orgs": says.orgs, "teams": says.teams});
    let provider = site.world.login.provider("github").unwrap();
    let attributes = provider.kind.attributes(answers.as_object().unwrap()).unwrap();
    assert_eq!(provider.mapping.map("github", &attributes).scopes, SCOPES);
    assert!(provider.kind.attributes(json!({"user": {"id": 1}}).as_object().unwrap()).is_err());
    assert!(provider.kind.attributes(json!({"user": says.user, "groups": []}).as_object().unwrap()).is_err());
}
