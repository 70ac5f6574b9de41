//! Pages offer what whoever looks may do, and nothing else: each act, on each page, for somebody who may do just that, who may do nothing, and who may do it to
//! something else only. What is not offered is refused where it is sent all the same.

use std::collections::BTreeSet;

use crate::site::{Browser, Page, START_MS, Site, client, site};
use falconer_login::{Administrator, NewAccount};
use falconer_store::IdentityRecord;
use http::StatusCode;

/// Whoever may see everything that is looked at here.
const SEES: [&str; 6] =
    ["auth:list-clients", "auth:list-roles", "auth:list-people", "auth:get-client:*", "auth:get-role:*", "auth:get-person:*"];
const MACHINE: Administrator<'_> = Administrator::OnTheMachine("test");

/// Something that can be done: on which page, how the page offers it, the scopes that it takes, and the form that does it.
struct Act {
    page: &'static str,
    offered: &'static str,
    scopes: &'static [&'static str],
    form: (&'static str, &'static [(&'static str, &'static str)]),
}

const fn act(
    page: &'static str,
    offered: &'static str,
    scopes: &'static [&'static str],
    path: &'static str,
    fields: &'static [(&'static str, &'static str)],
) -> Act {
    Act { page, offered, scopes, form: (path, fields) }
}

const CLIENT: &str = "/auth/clients?id=robots%2Fone";
const OFF: &str = "/auth/clients?id=robots%2Foff";
const REPLACED: &str = "/auth/clients?id=robots%2Freplaced";
const ROLE: &str = "/auth/roles?id=team";
const BOB: &str = "/auth/people?id=local%2Fbob";
const EMPLOYEE: &str = "/auth/people?id=sso%2F42";
const STOPPED: &str = "/auth/people?id=local%2Fstopped";
const CLIENT_DO: &str = "/auth/clients/confirm";
const PERSON_DO: &str = "/auth/people/confirm";

const ACTS: [Act; 26] = [
    act(
        "/auth/clients",
        "/auth/clients/add",
        &["auth:create-client:robots/*"],
        "/auth/clients/edit",
        &[("id", "robots/new"), ("expires", "1 day"), ("do", "save")],
    ),
    act("/auth/roles", "/auth/roles/add", &["auth:create-role:new"], "/auth/roles/edit", &[("id", "new"), ("do", "save")]),
    act(
        "/auth/people",
        "/auth/people/add",
        &["auth:create-person:local/*"],
        "/auth/people/add",
        &[("name", "new"), ("display_name", "New"), ("do", "save")],
    ),
    act(
        CLIENT,
        "/auth/clients/edit?",
        &["auth:update-client:robots/one"],
        "/auth/clients/edit",
        &[("id", "robots/one"), ("expires", "1 day"), ("seen", "1785585600000"), ("do", "save")],
    ),
    act(CLIENT, "action=reset", &["auth:reset-access-token:robots/one"], CLIENT_DO, &[("id", "robots/one"), ("action", "reset")]),
    act(
        REPLACED,
        "action=end-old-token",
        &["auth:reset-access-token:robots/replaced"],
        CLIENT_DO,
        &[("id", "robots/replaced"), ("action", "end-old-token")],
    ),
    act(CLIENT, "action=disable", &["auth:disable-client:robots/one"], CLIENT_DO, &[("id", "robots/one"), ("action", "disable")]),
    act(OFF, "action=enable", &["auth:enable-client:robots/off"], CLIENT_DO, &[("id", "robots/off"), ("action", "enable")]),
    act(CLIENT, "action=delete", &["auth:delete-client:robots/one"], CLIENT_DO, &[("id", "robots/one"), ("action", "delete")]),
    act(
        CLIENT,
        "action=revoke-certificates",
        &["auth:revoke-certificates:robots/one"],
        CLIENT_DO,
        &[("id", "robots/one"), ("action", "revoke-certificates")],
    ),
    act(
        ROLE,
        "/auth/roles/edit?",
        &["auth:update-role:team"],
        "/auth/roles/edit",
        &[("id", "team"), ("seen", "1785585600000"), ("do", "save")],
    ),
    act(ROLE, "/auth/roles/confirm?", &["auth:delete-role:team"], "/auth/roles/confirm", &[("id", "team"), ("action", "delete")]),
    act(
        BOB,
        "/auth/people/edit?",
        &["auth:update-person:local/bob"],
        "/auth/people/edit",
        &[("id", "local/bob"), ("display_name", "Bob"), ("do", "save")],
    ),
    act(BOB, "id=local%2Fbob&action=reset", &["auth:reset-person:local/bob"], PERSON_DO, &[("id", "local/bob"), ("action", "reset")]),
    act(BOB, "id=local%2Fbob&action=unlock", &["auth:unlock-person:local/bob"], PERSON_DO, &[("id", "local/bob"), ("action", "unlock")]),
    act(
        BOB,
        "id=local%2Fbob&action=sign-out",
        &["auth:sign-out-person:local/bob"],
        PERSON_DO,
        &[("id", "local/bob"), ("action", "sign-out")],
    ),
    act(BOB, "id=local%2Fbob&action=disable", &["auth:disable-person:local/bob"], PERSON_DO, &[("id", "local/bob"), ("action", "disable")]),
    act(STOPPED, "action=enable", &["auth:enable-person:local/stopped"], PERSON_DO, &[("id", "local/stopped"), ("action", "enable")]),
    act(
        BOB,
        "id=local%2Fbob&action=delete",
        &["auth:delete-person:local/bob"],
        PERSON_DO,
        &[("id", "local/bob"), ("action", "delete"), ("typed", "local/bob")],
    ),
    act(
        EMPLOYEE,
        "id=sso%2F42&action=disable",
        &["auth:disable-person:sso/42", "auth:disable-person:local/carl"],
        PERSON_DO,
        &[("id", "sso/42"), ("action", "disable")],
    ),
    act(
        EMPLOYEE,
        "id=local%2Fcarl&action=unlink",
        &["auth:unlink-person:sso/42", "auth:unlink-person:local/carl"],
        PERSON_DO,
        &[("id", "local/carl"), ("action", "unlink")],
    ),
    act(
        EMPLOYEE,
        "id=sso%2F42&action=unlink",
        &["auth:unlink-person:sso/42", "auth:unlink-person:local/carl"],
        PERSON_DO,
        &[("id", "sso/42"), ("action", "unlink")],
    ),
    act(
        EMPLOYEE,
        "id=sso%2F42&action=name",
        &["auth:name-person:sso/42", "auth:name-person:local/carl"],
        PERSON_DO,
        &[("id", "sso/42"), ("action", "name")],
    ),
    act(EMPLOYEE, "id=sso%2F42&action=refresh", &["auth:refresh-person:sso/42"], PERSON_DO, &[("id", "sso/42"), ("action", "refresh")]),
    act(
        EMPLOYEE,
        "id=sso%2F42&action=sign-out",
        &["auth:sign-out-person:sso/42", "auth:sign-out-person:local/carl"],
        PERSON_DO,
        &[("id", "sso/42"), ("action", "sign-out")],
    ),
    act(
        "/auth/clients?id=local%2Fbob%2Ftool",
        "action=delete",
        &["auth:delete-client:local/bob/tool"],
        CLIENT_DO,
        &[("id", "local/bob/tool"), ("action", "delete")],
    ),
];

/// Clients, one of which has an old token, a role, and people: bob, who is signed in; somebody of a directory with a local account; somebody who is stopped.
async fn furnished() -> Site {
    let site = site().await;
    for id in ["robots/one", "robots/off", "robots/replaced", "local/bob/tool"] {
        client::make_client(site.store.as_ref(), &site.auth, START_MS, id, &[]).await;
    }
    let chief = site.somebody("chief", &["auth:*"]).await;
    drop(chief);
    let chief = falconer_auth::Authentication::person("local/chief");
    site.auth.disable_client(&chief, "robots/off").await.unwrap();
    site.auth.reset_access_token_keeping(&chief, "robots/replaced", falconer_auth::HOUR_MS).await.unwrap();
    let role = falconer_auth::RoleInput { scopes: Vec::new(), description: String::new() };
    site.auth.create_role(&chief, "team", &role).await.unwrap();
    for name in ["carl", "stopped"] {
        let account = NewAccount { name: name.to_owned(), display_name: name.to_owned(), ..NewAccount::default() };
        site.login.create_account("test", &account, Some(crate::site::PASSWORD)).await.unwrap();
    }
    drop(site.somebody("bob", &[]).await);
    site.login.disable_whole_person(MACHINE, "local/stopped").await.unwrap();
    let carl = site.auth.directory().identity("local/carl").unwrap().record.clone();
    let (identity, person) = ("sso/42".to_owned(), "person-of-sso".to_owned());
    let employee = IdentityRecord { identity, person, provider: "sso".to_owned(), subject: "42".to_owned(), scopes: Vec::new(), ..carl };
    site.auth.put_identity("test", &employee).await.unwrap();
    site.login.link_people(MACHINE, "sso/42", "local/carl").await.unwrap();
    let mut carl = site.browser();
    let form = carl.get("/login").await.form("/login");
    carl.post("/login", &crate::site::with(form, &[("name", "carl"), ("password", crate::site::PASSWORD)])).await;
    drop(carl);
    site
}

/// The links of a page that do something.
fn offers(page: &Page) -> BTreeSet<String> {
    let links = page.text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"));
    let acts = |link: &String| ["/add", "/edit?", "/confirm?"].iter().any(|part| link.contains(part));
    links.filter(acts).collect()
}

async fn sent(browser: &mut Browser<'_>, act: &Act) -> Page {
    let page = browser.get("/").await;
    let token = page.form("/logout").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let mut fields = vec![("csrf".to_owned(), token)];
    fields.extend(act.form.1.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    browser.post(act.form.0, &fields).await
}

#[tokio::test]
async fn what_may_be_done_is_offered_and_nothing_else() {
    for act in &ACTS {
        let site = furnished().await;
        let below: Vec<String> = act.scopes.iter().map(|scope| format!("{}/below", scope.trim_end_matches('*'))).collect();
        let without_last = &act.scopes[..act.scopes.len() - 1];
        let everybody: [(&str, Vec<&str>, bool); 4] = [
            ("sees", Vec::new(), false),
            ("below", below.iter().map(String::as_str).collect(), act.form.1.iter().any(|(name, _)| *name == "never")),
            ("part", without_last.to_vec(), false),
            ("may", act.scopes.to_vec(), true),
        ];
        for (name, scopes, may) in everybody {
            let makes = act.offered.ends_with("/add");
            // A list can't tell what is to be made: whoever may make something finds the form.
            if makes && name == "below" {
                continue;
            }
            let mut browser = site.somebody(name, &[&SEES[..], &scopes].concat()).await;
            let page = browser.get(act.page).await;
            assert_eq!(page.status, StatusCode::OK, "{}: {}", act.page, page.text);
            let offers = offers(&page);
            let offered: Vec<&String> = offers.iter().filter(|link| link.contains(act.offered)).collect();
            assert_eq!(offered.len(), usize::from(may), "{name} {:?} on {}: {offers:?}", act.scopes, act.page);
            if !may {
                assert_eq!(offers, BTreeSet::new(), "{name} {:?}", act.scopes);
                assert_eq!(sent(&mut browser, act).await.status, StatusCode::FORBIDDEN, "{name} {:?}", act.scopes);
                continue;
            }
            assert_eq!(browser.get(offered[0]).await.status, StatusCode::OK, "{}", offered[0]);
            assert_ne!(sent(&mut browser, act).await.status, StatusCode::FORBIDDEN, "{:?}", act.scopes);
        }
    }
}

/// Whoever may delete or make something need not be one who may look at it: they read that they may not, after it was done.
#[tokio::test]
async fn whoever_has_done_something_comes_to_a_page_that_they_may_see() {
    let site = furnished().await;
    let acts = [
        ("a", act("", "", &["auth:delete-client:robots/one"], CLIENT_DO, &[("id", "robots/one"), ("action", "delete")]), "Deleted."),
        ("b", act("", "", &["auth:delete-role:team"], "/auth/roles/confirm", &[("id", "team"), ("action", "delete")]), "Deleted."),
        ("c", act("", "", &["auth:create-role:new"], "/auth/roles/edit", &[("id", "new"), ("do", "save")]), "Saved."),
    ];
    for (name, act, said) in acts {
        let mut browser = site.somebody(name, act.scopes).await;
        let done = sent(&mut browser, &act).await;
        let page = browser.get(done.location()).await;
        assert!(page.status == StatusCode::OK && page.text.contains(said), "{name}: {}", page.text);
    }
}

/// Each list leads to the others, as far as whoever looks may see them; so do the pages of one client, role and person, and one's own.
#[tokio::test]
async fn lists_lead_to_what_can_be_seen() {
    let lists = [
        ("/auth/clients", "auth:list-clients"),
        ("/auth/roles", "auth:list-roles"),
        ("/auth/people", "auth:list-people"),
        ("/auth/scopes", "auth:expand-scopes"),
        ("/auth/audit", "auth:audit-history:*"),
        ("/auth/explain", "auth:explain:*"),
    ];
    let site = furnished().await;
    let kinds: [(&str, &[&str]); 5] = [
        (
            "all",
            &["auth:list-clients", "auth:list-roles", "auth:list-people", "auth:expand-scopes", "auth:audit-history:*", "auth:explain:*"],
        ),
        ("inspector", &["auth:expand-scopes", "auth:audit-history:*", "auth:explain:*"]),
        ("records", &["auth:list-clients", "auth:list-roles"]),
        ("people", &["auth:list-people"]),
        ("none", &[]),
    ];
    for (name, scopes) in kinds {
        let gets = ["auth:get-client:*", "auth:get-role:*", "auth:get-person:*"];
        let mut browser = site.somebody(name, &[scopes, &gets].concat()).await;
        let lists_and_others = lists.iter().map(|(list, _)| *list).chain(["/", CLIENT, ROLE, BOB]);
        for path in lists_and_others {
            let page = browser.get(path).await;
            if let Some((_, needed)) = lists.iter().find(|(list, _)| *list == path)
                && !scopes.contains(needed)
            {
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{name} {path}");
                continue;
            }
            assert_eq!(page.status, StatusCode::OK, "{name} {path}: {}", page.text);
            for (list, needed) in lists.iter().filter(|(list, _)| *list != path) {
                assert_eq!(page.text.contains(&format!("href=\"{list}\"")), scopes.contains(needed), "{name} {path} {list}: {}", page.text);
            }
        }
    }
}
