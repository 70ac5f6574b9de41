//! Every page in each of its states, rendered by tests; `FALCONER_SAMPLES` names a folder to write them to, for looking at them.

mod console;
mod granting;
mod me;
mod passkeys;
mod people;

use askama::Template;
use http::StatusCode;

use self::console::{confirm, draft, form, plan, record, records};
use self::granting::{everything, grant, line, token, tool_client};
use self::me::{identities, link, link_confirm, me, unlink};
use super::me::Family;
use super::people::{MapPage, PasswordLinkPage, PeopleListPage, PersonFormPage, PersonPage};
use super::*;
use crate::http::problem::Problem;

fn anonymous() -> Layout {
    Layout::anonymous(&PublicOrigin::parse("https://auth.example.com").unwrap())
}

fn signed_in() -> Layout {
    Layout { account: Some("Ann Example".to_owned()), ..anonymous() }
}

fn ann() -> PersonLine {
    PersonLine { name: "Ann Example".to_owned(), identity: "mozilla-ldap/ann@example.com".to_owned() }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Name and HTML of every sample.
fn samples() -> Vec<(&'static str, String)> {
    let login = || LoginPage {
        layout: anonymous(),
        providers: Vec::new(),
        passkey: None,
        form: "f".repeat(43),
        continue_to: None,
        next: "/".to_owned(),
        name: String::new(),
        error: None,
        notice: None,
    };
    let directory = || DirectoryPage {
        layout: anonymous(),
        provider: "company".to_owned(),
        label: "A <b>Company</b>".to_owned(),
        form: "f".repeat(43),
        purpose: String::new(),
        csrf: String::new(),
        continue_to: None,
        next: "/".to_owned(),
        others: "/login?next=%2F".to_owned(),
        name: String::new(),
        error: None,
    };
    let email_address = || EmailAddressPage {
        layout: anonymous(),
        provider: "mail".to_owned(),
        label: "a <b>code</b> by mail".to_owned(),
        form: "f".repeat(43),
        purpose: String::new(),
        csrf: String::new(),
        continue_to: None,
        next: "/".to_owned(),
        others: "/login?next=%2F".to_owned(),
        address: String::new(),
        error: None,
    };
    let email_code = || EmailCodePage {
        layout: anonymous(),
        provider: "mail".to_owned(),
        form: "f".repeat(43),
        flow: "f".repeat(43),
        address: "ann@example.com".to_owned(),
        again: "/login/mail?next=%2F".to_owned(),
        error: None,
    };
    let setup = || SetupPage {
        layout: anonymous(),
        form: "f".repeat(43),
        token: "t".repeat(43),
        error: None,
        name: String::new(),
        display_name: String::new(),
        email: String::new(),
    };
    let password = || PasswordPage { layout: signed_in(), csrf: "c".repeat(22), name: "ann".to_owned(), asks_old: true, error: None };
    let error = |problem: Problem| ErrorPage { layout: anonymous(), problem, id: "7kq2-x9mf".to_owned() };
    let page = |page: &dyn askama::DynTemplate| page.dyn_render().unwrap();
    vec![
        ("login", page(&login())),
        (
            "login-providers",
            page(&LoginPage {
                providers: ["Company", "A <b>long</b> name of an organisation"]
                    .map(|label| ProviderButton { label: label.to_owned(), href: "/login/company?next=%2F".to_owned() })
                    .into(),
                ..login()
            }),
        ),
        ("login-passkey", page(&LoginPage { passkey: Some(passkeys::form()), ..login() })),
        ("recovery", page(&passkeys::recovery())),
        ("recovery-codes", page(&passkeys::codes())),
        ("passkeys", page(&passkeys::passkeys())),
        ("passkeys-none", page(&passkeys::none())),
        ("again", page(&passkeys::again())),
        ("again-kept", page(&passkeys::again_kept())),
        ("again-nothing", page(&passkeys::again_nothing())),
        ("again-continue", page(&passkeys::go_on())),
        ("again-done", page(&AgainDonePage { layout: signed_in() })),
        ("password-forgotten", page(&PasswordPage { asks_old: false, ..password() })),
        ("directory-again", page(&DirectoryPage { purpose: "again".to_owned(), csrf: "c".repeat(22), layout: signed_in(), ..directory() })),
        (
            "email-address-link",
            page(&EmailAddressPage { purpose: "link".to_owned(), csrf: "c".repeat(22), layout: signed_in(), ..email_address() }),
        ),
        ("login-continue", page(&LoginPage { continue_to: Some("notes.example.com".to_owned()), ..login() })),
        (
            "login-wrong",
            page(&LoginPage { error: Some("The name or the password is wrong.".to_owned()), name: "ann".to_owned(), ..login() }),
        ),
        ("directory", page(&directory())),
        ("directory-continue", page(&DirectoryPage { continue_to: Some("notes.example.com".to_owned()), ..directory() })),
        (
            "directory-wrong",
            page(&DirectoryPage { error: Some("The name or the password is wrong.".to_owned()), name: "ann".to_owned(), ..directory() }),
        ),
        ("email-address", page(&email_address())),
        (
            "email-address-wrong",
            page(&EmailAddressPage {
                continue_to: Some("notes.example.com".to_owned()),
                error: Some("That is no e-mail address.".to_owned()),
                ..email_address()
            }),
        ),
        ("email-code", page(&email_code())),
        ("email-code-wrong", page(&EmailCodePage { error: Some("That is not the code.".to_owned()), ..email_code() })),
        ("setup", page(&setup())),
        ("setup-wrong", page(&SetupPage { error: Some("The two passwords differ.".to_owned()), name: "ann".to_owned(), ..setup() })),
        ("grant", page(&grant())),
        ("grant-everything", page(&everything())),
        (
            "grant-registered",
            page(&GrantPage {
                site: Site { registered: Some("Notes".to_owned()), initial: "N".to_owned(), ..grant().site },
                confirm: None,
                identity: Some(IdentityLine {
                    person: "Ann Example, mozilla-ldap/ann@example.com, ann@example.com".to_owned(),
                    origins: strings(&["https://notes.example.com", "https://api.notes.example.com"]),
                    ticked: true,
                }),
                ..grant()
            }),
        ),
        (
            "grant-loopback",
            page(&GrantPage {
                site: Site {
                    scheme: "http://".to_owned(),
                    registrable: "localhost".to_owned(),
                    after: ":41873".to_owned(),
                    loopback: true,
                    ..Site::default()
                },
                description: String::new(),
                delivers_to: "http://localhost:41873/".to_owned(),
                confirm: Some(Confirm { host: "localhost".to_owned(), typed: "localhosts".to_owned(), wrong: true }),
                error: Some("Nothing was granted yet: type the name of the site to confirm.".to_owned()),
                ..everything()
            }),
        ),
        (
            "grant-international",
            page(&GrantPage {
                site: Site {
                    before: "notizen.".to_owned(),
                    registrable: "xn--bcher-kva.example".to_owned(),
                    after: ":8443".to_owned(),
                    unicode: Some("notizen.bücher.example".to_owned()),
                    ..Site::default()
                },
                ..grant()
            }),
        ),
        (
            "grant-long",
            page(&GrantPage {
                site: Site {
                    before: format!("{}.", "a-very-long-name".repeat(5)),
                    registrable: "example.com".to_owned(),
                    ..Site::default()
                },
                groups: vec![Group { service: "notes".to_owned(), lines: vec![line(&format!("notes:{}", "x".repeat(200)))] }],
                ..grant()
            }),
        ),
        ("grant-nothing", page(&GrantPage { groups: vec![], ..grant() })),
        (
            "news",
            page(&NewsPage {
                layout: signed_in(),
                host: "notes.example.com".to_owned(),
                gives: falconer_grants::in_words(["notes:write:zap/releases"]),
                identity_for: strings(&["https://notes.example.com"]),
                fields: vec![("csrf", "c".repeat(22)), ("tick", "k".repeat(22))],
            }),
        ),
        (
            "nothing-granted",
            page(&NothingGrantedPage {
                layout: signed_in(),
                host: "notes.example.com".to_owned(),
                origin: "https://notes.example.com".to_owned(),
            }),
        ),
        ("me", page(&me())),
        ("identities", page(&identities())),
        ("identities-one", page(&IdentitiesPage { identities: me().identities.split_off(2), is_pending: true, ..identities() })),
        ("link", page(&link())),
        ("link-provider", page(&LinkPage { own: None, ..link() })),
        (
            "link-wrong",
            page(&LinkPage { error: Some("Your password as local/ann is wrong.".to_owned()), name: "bob".to_owned(), ..link() }),
        ),
        ("link-confirm", page(&link_confirm())),
        ("link-confirm-too-soon", page(&LinkConfirmPage { error: Some(falconer_login::TOO_SOON.to_owned()), ..link_confirm() })),
        ("unlink", page(&unlink())),
        ("unlink-signs-out", page(&UnlinkPage { signs_out: true, ..unlink() })),
        (
            "me-searched",
            page(&MePage {
                query: "notes".to_owned(),
                families: Family::sort(["notes:read:*", "notes:write:zap/*"], ""),
                notice: Some("The grant was revoked.".to_owned()),
                roles_to_review: strings(&["team:red", "team:*"]),
                ..me()
            }),
        ),
        (
            "me-empty",
            page(&MePage {
                email: None,
                groups: vec![],
                total: 0,
                families: vec![],
                grants: vec![],
                origins: vec![],
                can_change_password: false,
                ..me()
            }),
        ),
        ("records", page(&records())),
        ("records-nothing", page(&RecordsPage { rows: vec![], next: None, query: String::new(), ..records() })),
        ("record", page(&record())),
        ("record-empty", page(&RecordPage { scopes: vec![], expanded: vec![], state: vec![], ..record() })),
        (
            "record-static",
            page(&RecordPage {
                actions: vec![],
                fixed: Some("It comes from the configuration, and is changed there."),
                scopes: (0..30).map(|at| format!("assume:project:zap:step-{at}")).collect(),
                history_needs: Some("auth:audit-history:client".to_owned()),
                history_next: None,
                notice: None,
                ..record()
            }),
        ),
        ("form-client", page(&form(Kind::Client))),
        ("form-role", page(&form(Kind::Role))),
        (
            "form-new",
            page(&RecordFormPage {
                draft: Draft { seen_ms: None, ..draft(Kind::Client) },
                error: Some("`é` is not a scope: it may hold printable ASCII only.".to_owned()),
                ..form(Kind::Client)
            }),
        ),
        (
            "form-changed",
            page(&RecordFormPage {
                error: Some("Nothing was saved: the role was changed after you opened this page.".to_owned()),
                changed: true,
                ..form(Kind::Role)
            }),
        ),
        ("plan", page(&plan())),
        ("plan-client", page(&PlanPage { draft: draft(Kind::Client), affected: vec![], ..plan() })),
        ("plan-delete", page(&PlanPage { draft: Draft { deletes: true, ..draft(Kind::Role) }, ..plan() })),
        ("confirm", page(&confirm())),
        ("confirm-refused", page(&ConfirmPage { error: Some("You need `auth:delete-client:x`.".to_owned()), ..confirm() })),
        ("people", page(&people::list())),
        (
            "people-nothing",
            page(&PeopleListPage { rows: vec![], next: None, query: String::new(), disabled: false, notice: None, ..people::list() }),
        ),
        ("person", page(&people::person())),
        (
            "person-empty",
            page(&PersonPage {
                state: vec![],
                expanded: vec![],
                grants: vec![],
                sessions: vec![],
                clients: vec![],
                history_is_hidden: true,
                ..people::person()
            }),
        ),
        ("person-edit", page(&people::person_form())),
        (
            "person-invite",
            page(&PersonFormPage {
                identity: String::new(),
                error: Some("Nothing was done: you need `notes:read:*`, and don't have it.".to_owned()),
                ..people::person_form()
            }),
        ),
        ("person-plan", page(&people::person_plan())),
        ("person-confirm", page(&people::person_confirm())),
        ("person-link", page(&people::person_link())),
        ("password-link", page(&people::password_link())),
        (
            "password-link-wrong",
            page(&PasswordLinkPage {
                is_invitation: false,
                error: Some("The two passwords differ.".to_owned()),
                ..people::password_link()
            }),
        ),
        ("map", page(&people::map())),
        ("map-nothing", page(&MapPage { providers: vec![], found: None, ..people::map() })),
        ("tool-client", page(&tool_client())),
        ("tool-client-everything", page(&ToolClientPage { bundles: everything().bundles, groups: vec![], ..tool_client() })),
        (
            "tool-client-refused",
            page(&ToolClientPage {
                error: Some("Nothing was done: you need `auth:create-client:local/ann/cli`, and don't have it.".to_owned()),
                ..tool_client()
            }),
        ),
        ("tool-client-shown", page(&ToolClientPage { callback: None, groups: vec![], ..tool_client() })),
        ("token", page(&token())),
        ("password", page(&password())),
        ("password-wrong", page(&PasswordPage { error: Some("The present password is wrong.".to_owned()), ..password() })),
        ("error-not-found", page(&error(Problem::not_found()))),
        ("error-internal", page(&error(Problem::internal()))),
        (
            "error-request",
            page(&error(Problem::new(
                StatusCode::BAD_REQUEST,
                "This request can't be granted",
                "The site that sent you here made a mistake: `target` must be https. Nothing was given to it.",
            ))),
        ),
    ]
}

#[test]
fn every_page_holds_what_every_page_must() {
    let samples = samples();
    assert!(samples.len() >= 20);
    for (name, html) in &samples {
        assert_eq!(html.matches("<h1").count(), 1, "{name}: one title");
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}: language");
        assert!(html.contains("<main id=\"main\"") && html.contains("href=\"#main\""), "{name}: landmark and skip link");
        // One script of ours, word for word; nothing else may run.
        let script = format!("<script>{}</script>", crate::pages::assets::VISIBLE);
        let html = &html.replace(&script, "");
        // And one in a file of ours, where passkeys are asked for.
        let html = &html.replace(&format!("<script src=\"{}\" defer></script>", crate::pages::assets::passkey()), "");
        for foreign in ["<script", " style=", "javascript:", "<img", "<style", " onclick", "src=\"http", "@import"] {
            assert!(!html.contains(foreign), "{name}: {foreign}");
        }
        // Whatever a page loads comes from here.
        for (at, _) in html.match_indices("<link") {
            assert!(html[at..].split('>').next().unwrap().contains("href=\"/assets/"), "{name}");
        }
    }
}

#[test]
fn every_control_has_a_name_for_screen_readers() {
    for (name, html) in samples() {
        for piece in html.split("<input").skip(1).chain(html.split("<select").skip(1)).chain(html.split("<textarea").skip(1)) {
            let tag = piece.split('>').next().unwrap();
            if tag.contains("type=\"hidden\"") || tag.contains("aria-hidden") {
                continue;
            }
            let labelled =
                tag.split("id=\"").nth(1).and_then(|rest| rest.split('"').next()).is_some_and(|id| html.contains(&format!("for=\"{id}\"")));
            let before = &html[..html.find(piece).unwrap()];
            let inside = before.rfind("<label") > before.rfind("</label>");
            assert!(labelled || inside, "{name}: {tag}");
        }
        let mut ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: an id stands twice");
    }
}

#[test]
fn every_form_that_posts_with_a_session_carries_its_token() {
    for (name, html) in samples() {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let posts = form.contains("method=\"post\"");
            let before_session = [
                "/login",
                "/login/company",
                "/login/mail/address",
                "/login/mail/code",
                "/login/passkey",
                "/login/recovery",
                "/setup",
                "/password-link",
            ]
            .iter()
            .any(|path| form.contains(&format!("action=\"{path}\"")));
            // What is done for a session with a form of before one carries both.
            let within = !before_session || form.contains("name=\"for\"");
            assert_eq!(posts && within, form.contains("name=\"csrf\" value=\"cc"), "{name}: {form}");
            assert_eq!(before_session, form.contains("name=\"form\" value=\"ff"), "{name}: {form}");
        }
    }
}

#[test]
fn what_strangers_say_is_escaped() {
    let hostile = "\"><script>alert(1)</script>";
    let mut page = grant();
    page.site.before = hostile.to_owned();
    page.site.unicode = Some(hostile.to_owned());
    page.request = hostile.to_owned();
    page.delivers_to = hostile.to_owned();
    page.groups[0].lines[0].scope = hostile.to_owned();
    page.groups[0].lines[0].key = hostile.to_owned();
    page.groups[0].lines[0].label[0].text = hostile.to_owned();
    page.groups[0].lines[0].taken_away = strings(&[hostile]);
    page.confirm = Some(Confirm { host: hostile.to_owned(), typed: hostile.to_owned(), wrong: true });
    page.person.name = hostile.to_owned();
    assert_eq!(page.render().unwrap().matches("<script").count(), 1, "but for ours");
    let mut page = me();
    page.query = hostile.to_owned();
    page.grants[0].site = hostile.to_owned();
    page.sessions[0].browser = hostile.to_owned();
    page.origins[0].origin = hostile.to_owned();
    page.groups = strings(&[hostile]);
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = tool_client();
    page.name = hostile.to_owned();
    page.description = format!("</textarea>{hostile}");
    page.request = hostile.to_owned();
    page.callback = Some(hostile.to_owned());
    page.again = hostile.to_owned();
    page.error = Some(format!("`{hostile}`"));
    assert_eq!(page.render().unwrap().matches("<script").count(), 1, "but for ours");
    let mut page = records();
    page.query = hostile.to_owned();
    page.scope = hostile.to_owned();
    page.rows[0].id = hostile.to_owned();
    page.rows[0].description = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = form(Kind::Client);
    page.draft.id = hostile.to_owned();
    page.draft.description = format!("</textarea>{hostile}");
    page.draft.scopes = format!("</textarea>{hostile}");
    page.draft.expires = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = plan();
    page.draft.scopes = hostile.to_owned();
    page.parts[0].added = strings(&[hostile]);
    page.affected[0].first[0].title = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = people::person();
    page.display_name = hostile.to_owned();
    page.identities[0].facts[0].1 = hostile.to_owned();
    page.identities[0].groups = strings(&[hostile]);
    page.sessions[0].0 = hostile.to_owned();
    page.grants[0].site = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = people::map();
    page.claims = format!("</textarea>{hostile}");
    page.error = Some(format!("`{hostile}`"));
    if let Some(found) = &mut page.found {
        found.refused[0].value = hostile.to_owned();
        found.groups = strings(&[hostile]);
    }
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = people::person_form();
    page.groups = format!("</textarea>{hostile}");
    page.display_name = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let page = RecordPage { id: hostile.to_owned(), description: hostile.to_owned(), scopes: strings(&[hostile]), ..record() };
    assert!(!page.render().unwrap().contains("<script"));
}

#[test]
fn samples_can_be_looked_at() {
    let Ok(folder) = std::env::var("FALCONER_SAMPLES") else { return };
    let folder = std::path::Path::new(&folder);
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for (name, html) in samples() {
        std::fs::write(folder.join(format!("{name}.html")), html.replace("\"/assets/", "\"assets/")).unwrap();
    }
    std::fs::write(folder.join(assets::style().trim_start_matches('/')), assets::STYLE).unwrap();
    std::fs::write(folder.join(assets::icon().trim_start_matches('/')), assets::ICON).unwrap();
}
