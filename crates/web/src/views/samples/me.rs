//! A person's own page.

use super::*;

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
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
                grant_total: 0,
                origins: vec![],
                can_change_password: false,
                ..me()
            }),
        ),
    ]
}

pub(super) fn me() -> MePage {
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
        lists: vec![("/auth/clients", "Clients"), ("/auth/roles", "Roles"), ("/auth/people", "People")],
        may_list_clients: true,
        email: Some("ann@example.com".to_owned()),
        groups: strings(&["releng", "zap-team", "everybody"]),
        can_change_password: true,
        passkeys: 2,
        codes: "9 of 10 are left. One was used 2 hours ago.".to_owned(),
        by_recovery_code: true,
        form_time: "0.x".to_owned(),
        identities: vec![
            IdentityRow { identity: "local/ann".to_owned(), display_name: "Ann".to_owned(), names: false, this_one: false, active: true },
            IdentityRow {
                identity: "local/old-ann".to_owned(),
                display_name: "Ann, before".to_owned(),
                names: false,
                this_one: false,
                active: false,
            },
            IdentityRow {
                identity: "mozilla-ldap/ann@example.com".to_owned(),
                display_name: "Ann Example".to_owned(),
                names: true,
                this_one: true,
                active: true,
            },
        ],
        query: String::new(),
        total: scopes.len(),
        families: Family::sort(scopes, ""),
        grant_total: 2,
        waiting: 1,
        grants: vec![
            GrantRow {
                called: Some("My <laptop>".to_owned()),
                id: "a".to_owned(),
                purpose: Some("Sum up the books of <today>".to_owned()),
                name: Some("Notes".to_owned()),
                calls_itself: None,
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
                called: Some("My <laptop>".to_owned()),
                id: "b".to_owned(),
                name: Some("https://agent.example.com/client.json".to_owned()),
                calls_itself: Some("The <helpful> agent".to_owned()),
                site: "https://agent.example.com".to_owned(),
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
                by: "mozilla-ldap/ann@example.com with a password".to_owned(),
                browser: "Firefox on Linux".to_owned(),
                address: "192.0.2.7".to_owned(),
                created: "1 hour ago".to_owned(),
                seen: "just now".to_owned(),
                this_one: true,
            },
            SessionRow {
                id: "2".to_owned(),
                by: "local/ann with a password".to_owned(),
                browser: "Chrome on Android".to_owned(),
                address: String::new(),
                created: "2 days ago".to_owned(),
                seen: "1 day ago".to_owned(),
                this_one: false,
            },
        ],
    }
}

pub(super) fn link() -> LinkPage {
    LinkPage { layout: signed_in(), csrf: "c".repeat(22), own: Some("local/ann".to_owned()), name: String::new(), error: None }
}

pub(super) fn link_confirm() -> LinkConfirmPage {
    LinkConfirmPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        form_time: "0.x".to_owned(),
        own: strings(&["local/ann", "mozilla-ldap/ann@example.com"]),
        other: "local/old-ann".to_owned(),
        other_name: "Ann, before".to_owned(),
        gained: Family::sort(["notes:read:*", "queue:ping"], ""),
        given: vec![],
        error: None,
    }
}

pub(super) fn unlink() -> UnlinkPage {
    UnlinkPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        form_time: "0.x".to_owned(),
        identity: "local/old-ann".to_owned(),
        others: strings(&["local/ann", "mozilla-ldap/ann@example.com"]),
        signs_out: false,
        error: None,
    }
}

pub(super) fn identities() -> IdentitiesPage {
    let provider = |label: &str| ProviderButton { label: label.to_owned(), href: "/login/company?for=link".to_owned() };
    IdentitiesPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        form_time: "0.x".to_owned(),
        identities: me().identities,
        providers: vec![provider("A <b>Company</b>"), provider("GitHub")],
        is_pending: false,
    }
}
