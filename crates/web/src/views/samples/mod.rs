//! Every page in each of its states, rendered by tests; `FALCONER_SAMPLES` names a folder to write them to, for looking at them.

use askama::Template;
use http::StatusCode;

use super::me::Family;
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

fn lifetimes() -> Vec<Lifetime> {
    [("1 hour", false), ("1 day", true), ("3 days", false), ("7 days", false)]
        .into_iter()
        .zip([3600, 86_400, 259_200, 604_800])
        .map(|((label, checked), value)| Lifetime { value, label: label.to_owned(), checked })
        .collect()
}

fn line(scope: &str) -> Line {
    let (words, name) = match scope {
        "notes:read:zap/*" => ("Read ", "zap/"),
        "notes:write:zap/releases" => ("Write ", "zap/releases"),
        "notes:delete:zap/*" => ("Delete ", "zap/"),
        "assume:mozilla-user:ann@example.com" => ("Everything that belongs to the person ", "ann@example.com"),
        _ => ("Create clients named ", "mozilla-ldap/ann@example.com/"),
    };
    let label = [(words, false), (name, true)].map(|(text, strong)| Words { text: text.to_owned(), strong });
    Line { key: scope.to_owned(), label: label.to_vec(), scope: scope.to_owned(), ticked: true, ..Line::default() }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn grant() -> GrantPage {
    GrantPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        form_time: "0.t".to_owned(),
        shown: "s".repeat(22),
        nonce: "n".repeat(22),
        request: "target=https%3A%2F%2Fnotes.example.com%2Flogin&description=x&scope=notes%3A*".to_owned(),
        site: Site { before: "notes.".to_owned(), registrable: "example.com".to_owned(), ..Site::default() },
        description: crate::views::markdown::render(
            "Notes keeps your **build notes** next to the builds. It needs to read and write the notebooks of your projects; \
             see [how it works](https://docs.example.com/notes).",
        ),
        bundles: vec![],
        groups: vec![
            Group {
                service: "notes".to_owned(),
                lines: vec![
                    line("notes:read:zap/*"),
                    Line {
                        details: strings(&["You have only a part of this, and pass on that part."]),
                        ..line("notes:write:zap/releases")
                    },
                    Line { lacking: true, ticked: false, ..line("notes:delete:zap/*") },
                ],
            },
            Group {
                service: "roles".to_owned(),
                lines: vec![Line {
                    details: strings(&["Gives 3 scopes."]),
                    taken_away: strings(&["notes:delete:*"]),
                    gives: strings(&["notes:read:*", "project:zap:build", "queue:create-task:lowest:zap/*"]),
                    ..line("assume:mozilla-user:ann@example.com")
                }],
            },
            Group {
                service: "auth".to_owned(),
                lines: vec![Line { broad: true, ticked: false, ..line("auth:create-client:mozilla-ldap/ann@example.com/*") }],
            },
        ],
        identity: None,
        lifetimes: lifetimes(),
        person: ann(),
        confirm: Some(Confirm { host: "notes.example.com".to_owned(), typed: String::new(), wrong: false }),
        delivers_to: "https://notes.example.com/login".to_owned(),
        error: None,
    }
}

fn everything() -> GrantPage {
    GrantPage {
        groups: vec![],
        bundles: vec![
            Bundle {
                field: "everything",
                label: "Everything that you may do, except what is broad".to_owned(),
                detail: "14 scopes".to_owned(),
                ticked: true,
                broad: false,
                taken_away: vec![],
                scopes: (0..14).map(|at| format!("project:zap:step-{at}:*")).collect(),
            },
            Bundle {
                field: "broad",
                label: "And these".to_owned(),
                detail: "2 scopes that let it change who may do what".to_owned(),
                ticked: false,
                broad: true,
                taken_away: vec![],
                scopes: strings(&["auth:create-client:mozilla-ldap/ann@example.com/*", "auth:update-role:project:zap:*"]),
            },
        ],
        ..grant()
    }
}

fn me() -> MePage {
    let scopes = [
        "assume:login-identity:mozilla-ldap/ann@example.com",
        "assume:mozilla-group:releng",
        "assume:mozilla-user:ann@example.com",
        "auth:create-client:mozilla-ldap/ann@example.com/*",
        "auth:current-scopes",
        "auth:delete-client:mozilla-ldap/ann@example.com/*",
        "auth:expand-scopes",
        "auth:get-client:*",
        "notes:read:*",
        "notes:write:zap/*",
        "project:zap:build",
        "queue:create-task:lowest:zap/*",
    ];
    MePage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        notice: None,
        roles_to_review: vec![],
        person: ann(),
        email: Some("ann@example.com".to_owned()),
        groups: strings(&["releng", "zap-team", "everybody"]),
        can_change_password: true,
        query: String::new(),
        total: scopes.len(),
        families: Family::sort(scopes, ""),
        grants: vec![
            GrantRow {
                id: "a".to_owned(),
                name: Some("Notes".to_owned()),
                site: "https://notes.example.com".to_owned(),
                may: "may use 2 scopes".to_owned(),
                knows_identity: true,
                scopes: strings(&["notes:read:zap/*", "notes:write:zap/releases"]),
                ends: "in 22 hours".to_owned(),
                ends_exact: "5 March 2026, 17:05 UTC".to_owned(),
                ends_machine: "2026-03-05T17:05:00Z".to_owned(),
                used: "used 2 minutes ago".to_owned(),
                created: "1 hour ago".to_owned(),
            },
            GrantRow {
                id: "b".to_owned(),
                site: "http://localhost:41873".to_owned(),
                may: "may do everything that you may do, except what is broad".to_owned(),
                ends: "in 5 hours".to_owned(),
                used: "never used".to_owned(),
                created: "yesterday".to_owned(),
                ..GrantRow::default()
            },
        ],
        origins: vec![OriginRow { origin: "https://notes.example.com".to_owned(), since: "3 days ago".to_owned() }],
        sessions: vec![
            SessionRow {
                id: "1".to_owned(),
                browser: "Firefox on Linux".to_owned(),
                created: "1 hour ago".to_owned(),
                seen: "just now".to_owned(),
                this_one: true,
            },
            SessionRow {
                id: "2".to_owned(),
                browser: "Chrome on Android".to_owned(),
                created: "2 days ago".to_owned(),
                seen: "1 day ago".to_owned(),
                this_one: false,
            },
        ],
    }
}

fn records() -> RecordsPage {
    RecordsPage {
        layout: signed_in(),
        title: "Clients",
        path: "/auth/clients",
        other: ("/auth/roles", "Roles"),
        query: "local/".to_owned(),
        scope: String::new(),
        rows: vec![RecordRow {
            id: "local/ann/laptop".to_owned(),
            href: "/auth/clients?id=local%2Fann%2Flaptop".to_owned(),
            description: "The laptop".to_owned(),
            scopes: 3,
            state: vec!["disabled", "expired"],
            time: "ended 2 days ago".to_owned(),
        }],
        next: Some("/auth/clients?q=local%2F&scope=&from=50".to_owned()),
        notice: None,
    }
}

fn record() -> RecordPage {
    RecordPage {
        layout: signed_in(),
        kind: "Client",
        list: ("/auth/clients", "Clients"),
        id: "local/ann/laptop".to_owned(),
        description: "The laptop".to_owned(),
        state: vec!["disabled"],
        facts: vec![("Ends", "2027-01-01 00:00 UTC".to_owned()), ("At its end", "may be deleted".to_owned())],
        scopes: strings(&["notes:read:*"]),
        expanded: Family::sort(["notes:read:*"], ""),
        actions: vec![
            ("/auth/clients/edit?id=local%2Fann%2Flaptop".to_owned(), "Edit", false),
            ("/auth/clients/confirm?id=local%2Fann%2Flaptop&action=reset".to_owned(), "New access token", false),
            ("/auth/clients/confirm?id=local%2Fann%2Flaptop&action=enable".to_owned(), "Enable", false),
            ("/auth/clients/confirm?id=local%2Fann%2Flaptop&action=delete".to_owned(), "Delete", true),
        ],
        fixed: None,
        history: vec![
            HistoryRow {
                what: "created".to_owned(),
                who: "local/ann".to_owned(),
                at: "5 March 2026, 17:05 UTC".to_owned(),
                at_machine: "2026-03-05T17:05:00Z".to_owned(),
            };
            2
        ],
        history_next: Some("/auth/clients?id=local%2Fann%2Flaptop&history=50#history".to_owned()),
        history_needs: None,
        notice: Some("Saved."),
    }
}

fn draft(kind: Kind) -> Draft {
    Draft {
        kind,
        id: if kind.is_client() { "project/zap/build" } else { "project-admin:zap" }.to_owned(),
        description: "Builds zap.\nAsk in #zap.".to_owned(),
        scopes: "assume:project:zap:*\nqueue:create-task:lowest:zap/*\nnotes:read:*".to_owned(),
        expires: "2027-01-31T12:00:00.000Z".to_owned(),
        delete_on_expiration: true,
        seen_ms: Some(1_785_585_600_000),
        shown_ms: 1_785_585_600_000,
        deletes: false,
    }
}

fn form(kind: Kind) -> RecordFormPage {
    RecordFormPage { layout: signed_in(), csrf: "c".repeat(22), draft: draft(kind), error: None, changed: false }
}

fn plan() -> PlanPage {
    let change = |title: &str| Change {
        title: title.to_owned(),
        added: strings(&["notes:write:zap/*", "queue:create-task:lowest:zap/*"]),
        removed: strings(&["notes:*"]),
    };
    let kind =
        |words, count, first: &[&str]| AffectedKind { words, count, first: first.iter().map(|id| change(id)).collect(), names_need: None };
    PlanPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        draft: draft(Kind::Role),
        action: "/auth/roles/edit".to_owned(),
        back: "/auth/roles?id=project-admin%3Azap".to_owned(),
        parts: vec![change("Scopes as written"), Change { title: "What they come to".to_owned(), ..Change::default() }],
        affected: vec![
            kind(("client", "clients"), 23, &["project/zap/build", "project/zap/release"]),
            kind(("role", "roles"), 0, &[]),
            AffectedKind { names_need: Some("auth:list-clients"), ..kind(("person", "people"), 2, &[]) },
        ],
    }
}

fn confirm() -> ConfirmPage {
    ConfirmPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        path: "/auth/clients/confirm".to_owned(),
        id: "project/zap/build".to_owned(),
        action: "delete".to_owned(),
        question: "Delete this client?".to_owned(),
        consequence: "Its credentials stop working at once. It can't be brought back.".to_owned(),
        button: "Delete client".to_owned(),
        dangerous: true,
        back: "/auth/clients?id=project%2Fzap%2Fbuild".to_owned(),
        error: None,
    }
}

fn tool_client() -> ToolClientPage {
    ToolClientPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        form_time: "0.t".to_owned(),
        shown: "s".repeat(22),
        request: "scope=%2A&name=cli-KOZ75V&expires=1d&callback_url=http%3A%2F%2Flocalhost%3A36811".to_owned(),
        asked_at_ms: 1_785_585_600_000,
        asked_at: "1 August 2026, 12:00 UTC".to_owned(),
        callback: Some("http://localhost:36811".to_owned()),
        error: None,
        person: ann(),
        name: "cli-KOZ75V".to_owned(),
        description: "Temporary client for use on the command line".to_owned(),
        bundles: vec![],
        groups: grant().groups,
        lifetimes: lifetimes(),
        again: "/auth/clients/create?name=cli".to_owned(),
    }
}

fn token() -> TokenPage {
    TokenPage {
        layout: signed_in(),
        title: "The client was created".to_owned(),
        client_id: "mozilla-ldap/ann@example.com/laptop".to_owned(),
        access_token: "tokentokentokentokentokentokentokentokentoke".to_owned(),
        ends: Some("5 March 2026, 17:05 UTC".to_owned()),
    }
}

/// Name and HTML of every sample.
fn samples() -> Vec<(&'static str, String)> {
    let login = || LoginPage {
        layout: anonymous(),
        form: "f".repeat(43),
        continue_to: None,
        next: "/".to_owned(),
        name: String::new(),
        error: None,
        notice: None,
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
    let password = || PasswordPage { layout: signed_in(), csrf: "c".repeat(22), name: "ann".to_owned(), error: None };
    let error = |problem: Problem| ErrorPage { layout: anonymous(), problem, id: "7kq2-x9mf".to_owned() };
    let page = |page: &dyn askama::DynTemplate| page.dyn_render().unwrap();
    vec![
        ("login", page(&login())),
        ("login-continue", page(&LoginPage { continue_to: Some("notes.example.com".to_owned()), ..login() })),
        (
            "login-wrong",
            page(&LoginPage { error: Some("The name or the password is wrong.".to_owned()), name: "ann".to_owned(), ..login() }),
        ),
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
            "nothing-granted",
            page(&NothingGrantedPage {
                layout: signed_in(),
                host: "notes.example.com".to_owned(),
                origin: "https://notes.example.com".to_owned(),
            }),
        ),
        ("me", page(&me())),
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
            let before_session = form.contains("action=\"/login\"") || form.contains("action=\"/setup\"");
            assert_eq!(posts && !before_session, form.contains("name=\"csrf\" value=\"cc"), "{name}: {form}");
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
    assert!(!page.render().unwrap().contains("<script"));
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
    assert!(!page.render().unwrap().contains("<script"));
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
