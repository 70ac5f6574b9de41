//! The grant page and the page of a program on the person's machine.

use super::*;
use crate::pages::granting::Places;
use crate::pages::sign_in::reauthentication::KeptForm;

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
        ("grant", page(&grant())),
        ("grant-everything", page(&everything())),
        (
            "grant-registered",
            page(&GrantPage {
                site: Site { registered: Some("Notes".to_owned()), initial: "N".to_owned(), ..grant().site },
                confirm: None,
                remember: Some(Remember { ticked: false, label: "30 days".to_owned() }),
                identity: Some(IdentityLine {
                    person: "Ann Example, mozilla-ldap/ann@example.com, ann@example.com, and the names of your 2 groups".to_owned(),
                    groups: strings(&["staff", "<b>union</b>"]),
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
                confirm: Some(Confirm {
                    host: "localhost".to_owned(),
                    typed: "localhosts".to_owned(),
                    wrong: Some("That is not the name of this site."),
                }),
                error: Some("Nothing was granted yet: type the name of the site to confirm.".to_owned()),
                ..everything()
            }),
        ),
        (
            "grant-documented",
            page(&GrantPage {
                site: Site {
                    before: "agent.".to_owned(),
                    loopback: true,
                    document: Some(DocumentedSite {
                        address: "https://agent.example.com/oauth/client.json".to_owned(),
                        name: Some("Helpful <agent>".to_owned()),
                    }),
                    ..grant().site
                },
                description: String::new(),
                purpose: Some("Sum up the books of <today>".to_owned()),
                delivers_to: "http://127.0.0.1:41873/back".to_owned(),
                resources: strings(&["notes.example.com", "https://shelf.example.com/api"]),
                ..grant()
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
                groups: vec![Group {
                    service: "notes".to_owned(),
                    lines: vec![line(&format!("notes:{}", "x".repeat(200)))],
                    folded: false,
                }],
                ..grant()
            }),
        ),
        (
            "grant-many",
            page(&GrantPage {
                search: Some(Search { find: "read".to_owned(), found: Some((1, 41)) }),
                groups: vec![Group {
                    service: "notes".to_owned(),
                    lines: vec![Line {
                        star: Some(StarField {
                            prefix: "notes:read:".to_owned(),
                            written: "<b>".to_owned(),
                            wrong: Some("You don't have it.".to_owned()),
                        }),
                        ..line("notes:read:zap/*")
                    }],
                    folded: true,
                }],
                others: Some(Others {
                    count: 40,
                    ticked: 40,
                    groups: vec![Group {
                        service: "notes".to_owned(),
                        lines: (0..40)
                            .map(|at| Line {
                                taken_away: strings(if at == 7 { &["notes:y"] } else { &[] }),
                                ..line(&format!("notes:x{at}"))
                            })
                            .collect(),
                        folded: true,
                    }],
                }),
                ..grant()
            }),
        ),
        (
            "grant-device",
            page(&GrantPage {
                places: Places { page: "/device", form: KeptForm::DeviceGrant, cancel: "/device/decision" },
                site: Site { registered: Some("Notes on TV".to_owned()), initial: "N".to_owned(), ..Site::default() },
                confirm: None,
                description: String::new(),
                name: "laptop".to_owned(),
                proposes_name: true,
                device: Some(RequestingDevice {
                    code: "BCDF-GHJK".to_owned(),
                    address: "203.0.113.9".to_owned(),
                    since: "2 minutes ago".to_owned(),
                    asked_at: "1 August 2026, 12:00 UTC".to_owned(),
                }),
                ..grant()
            }),
        ),
        ("logout", page(&logout(Some(LogoutAsker { registered: Some("Notes".to_owned()), own_name: None })))),
        ("logout-unchecked", page(&logout(Some(LogoutAsker { registered: None, own_name: Some("your bank".to_owned()) })))),
        ("logout-unknown", page(&logout(None))),
        ("device", page(&device(None))),
        ("device-refused", page(&device(Some("No device waits for this code.")))),
        ("device-granted", page(&DeviceDonePage { layout: signed_in(), granted: true })),
        ("device-cancelled", page(&DeviceDonePage { layout: signed_in(), granted: false })),
        ("grant-nothing", page(&GrantPage { groups: vec![], ..grant() })),
        (
            "news",
            page(&NewsPage {
                layout: signed_in(),
                host: "notes.example.com".to_owned(),
                places: Places::OF_SITES,
                gives: falconer_grants::ScopeWords::default().group(["notes:write:zap/releases"]),
                identity_for: strings(&["https://notes.example.com"]),
                tells_groups: true,
                fields: vec![("csrf".to_owned(), "c".repeat(22)), ("tick".to_owned(), "k".repeat(22))],
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
    ]
}

fn logout(asker: Option<LogoutAsker>) -> LogoutPage {
    LogoutPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        request: "client_id=notes".to_owned(),
        leads_to: asker.as_ref().map(|_| "notes.example.com".to_owned()),
        asker,
        person: ann(),
    }
}

fn device(error: Option<&str>) -> DevicePage {
    DevicePage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        code: if error.is_some() { "BCDF".to_owned() } else { String::new() },
        person: ann(),
        error: error.map(str::to_owned),
    }
}

pub(super) fn lifetimes() -> Vec<Lifetime> {
    [("1 hour", false), ("1 day", true), ("3 days", false), ("7 days", false)]
        .into_iter()
        .zip([3600, 86_400, 259_200, 604_800])
        .map(|((label, checked), value)| Lifetime { value, label: label.to_owned(), checked })
        .collect()
}

pub(super) fn line(scope: &str) -> Line {
    let (words, name) = match scope {
        "notes:read:zap/*" => ("Read ", "zap/"),
        "notes:write:zap/releases" => ("Write ", "zap/releases"),
        "notes:delete:zap/*" => ("Delete ", "zap/"),
        "assume:mozilla-user:ann@example.com" => ("Learn who you are: ", "ann@example.com"),
        _ => ("Create clients named ", "mozilla-ldap/ann@example.com/"),
    };
    let label = [(words, false), (name, true)].map(|(text, strong)| Words { text: text.to_owned(), strong });
    Line { key: scope.to_owned(), label: label.to_vec(), scope: scope.to_owned(), ticked: true, ..Line::default() }
}

pub(super) fn grant() -> GrantPage {
    GrantPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        form_time: "0.t".to_owned(),
        shown: "s".repeat(22),
        nonce: "n".repeat(22),
        request: "target=https%3A%2F%2Fnotes.example.com%2Flogin&description=x&scope=notes%3A*".to_owned(),
        places: Places::OF_SITES,
        site: Site { before: "notes.".to_owned(), registrable: "example.com".to_owned(), ..Site::default() },
        description: crate::views::markdown::render(
            "Notes keeps your **build notes** next to the builds. It needs to read and write the notebooks of your projects; \
             see [how it works](https://docs.example.com/notes).",
        ),
        purpose: None,
        bundles: vec![],
        groups: vec![
            Group {
                service: "notes".to_owned(),
                lines: vec![
                    line("notes:read:zap/*"),
                    Line {
                        has: strings(&["notes:write:zap/releases"]),
                        gets: strings(&["notes:write:zap/releases"]),
                        new: true,
                        ..line("notes:write:zap/releases")
                    },
                    Line { lacking: true, ticked: false, ..line("notes:delete:zap/*") },
                ],
                folded: false,
            },
            Group {
                service: "roles".to_owned(),
                lines: vec![Line {
                    details: strings(&["Gives 3 scopes."]),
                    taken_away: strings(&["notes:delete:*"]),
                    gives: strings(&["notes:read:*", "project:zap:build", "queue:create-task:lowest:zap/*"]),
                    ..line("assume:mozilla-user:ann@example.com")
                }],
                folded: false,
            },
            Group {
                service: "auth".to_owned(),
                lines: vec![Line { broad: true, ticked: false, ..line("auth:create-client:mozilla-ldap/ann@example.com/*") }],
                folded: false,
            },
        ],
        identity: None,
        summary: Some("It asks for 5 scopes. You have 3 as asked for, 1 in part, 1 not at all.".to_owned()),
        search: None,
        others: None,
        name: String::new(),
        proposes_name: false,
        longest_name: 60,
        remember: None,
        lifetimes: lifetimes(),
        person: ann(),
        confirm: Some(Confirm { host: "notes.example.com".to_owned(), typed: String::new(), wrong: None }),
        delivers_to: "https://notes.example.com/login".to_owned(),
        resources: Vec::new(),
        device: None,
        more: None,
        error: None,
    }
}

pub(super) fn everything() -> GrantPage {
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
                families: Family::sort(
                    (0..14).map(|at| format!("project:zap:step-{at}:*")).collect::<Vec<_>>().iter().map(String::as_str),
                    "",
                ),
                found: false,
                count: 14,
            },
            Bundle {
                field: "broad",
                label: "And these".to_owned(),
                detail: "2 scopes that let it see or change who may do what".to_owned(),
                ticked: false,
                broad: true,
                taken_away: vec![],
                families: Family::sort(["auth:create-client:mozilla-ldap/ann@example.com/*", "auth:update-role:project:zap:*"], ""),
                found: false,
                count: 2,
            },
        ],
        ..grant()
    }
}

pub(super) fn tool_client() -> ToolClientPage {
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
        here: "/auth/clients/create?name=cli".to_owned(),
    }
}

pub(super) fn token() -> TokenPage {
    TokenPage {
        layout: signed_in(),
        title: "The client was created".to_owned(),
        client_id: "mozilla-ldap/ann@example.com/laptop".to_owned(),
        access_token: falconer_auth::Secret::new("tokentokentokentokentokentokentokentokentoke"),
        ends: Some("5 March 2026, 17:05 UTC".to_owned()),
        old_ends: Some("4 March 2026, 18:05 UTC".to_owned()),
    }
}
