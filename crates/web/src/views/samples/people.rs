//! People: the list, one of them, forms, questions, links, what somebody would get.

use zeroize::Zeroizing;

use super::*;
use crate::views::people::{
    IdentityCard, MapPage, PasswordLinkPage, PeopleListPage, PersonConfirmPage, PersonFormPage, PersonGrantRow, PersonLinkPage,
    PersonListRow, PersonPage, PersonPlanPage, RefusedRow, WouldGetView,
};

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
        ("people", page(&list())),
        (
            "people-nothing",
            page(&PeopleListPage { rows: vec![], next: None, query: String::new(), disabled: false, notice: None, ..list() }),
        ),
        ("person", page(&person())),
        (
            "person-empty",
            page(&PersonPage {
                state: vec![],
                expanded: vec![],
                grants: vec![],
                sessions: vec![],
                clients: vec![],
                history_is_hidden: true,
                ..person()
            }),
        ),
        ("person-edit", page(&person_form())),
        (
            "person-invite",
            page(&PersonFormPage {
                identity: String::new(),
                error: Some("Nothing was done: you need `notes:read:*`, and don't have it.".to_owned()),
                ..person_form()
            }),
        ),
        ("person-plan", page(&person_plan())),
        ("person-confirm", page(&person_confirm())),
        ("person-link", page(&person_link())),
        ("password-link", page(&password_link())),
        (
            "password-link-wrong",
            page(&PasswordLinkPage { is_invitation: false, error: Some("The two passwords differ.".to_owned()), ..password_link() }),
        ),
        ("map", page(&map())),
        ("map-nothing", page(&MapPage { providers: vec![], found: None, ..map() })),
    ]
}

pub(super) fn list() -> PeopleListPage {
    PeopleListPage {
        layout: signed_in(),
        others: vec![("/auth/clients", "Clients"), ("/auth/roles", "Roles")],
        may_invite: true,
        may_map: true,
        query: "ann".to_owned(),
        group: String::new(),
        disabled: true,
        rows: vec![PersonListRow {
            identity: "local/ann".to_owned(),
            href: "/auth/people?id=local%2Fann".to_owned(),
            display_name: "Ann Example".to_owned(),
            email: Some("ann@example.com".to_owned()),
            groups: "hr, staff".to_owned(),
            linked_with: Some("company/4711".to_owned()),
            disabled: true,
        }],
        next: Some("/auth/people?q=ann&group=&from=local%2Fann".to_owned()),
        notice: Some("Deleted."),
    }
}

pub(super) fn person() -> PersonPage {
    PersonPage {
        layout: signed_in(),
        id: "local/bob".to_owned(),
        lists: vec![("/auth/people", "People")],
        display_name: "Bob Example".to_owned(),
        state: vec!["disabled", "invited"],
        facts: vec![("Known since", "5 March 2026, 17:05 UTC".to_owned())],
        actions: vec![
            ("/auth/people/edit?id=local%2Fbob".to_owned(), "Edit", false),
            ("/auth/people/confirm?id=local%2Fbob&action=delete".to_owned(), "Delete", true),
        ],
        identities: vec![
            IdentityCard {
                identity: "local/bob".to_owned(),
                href: None,
                facts: vec![("Signs in with", "a password".to_owned())],
                groups: strings(&["hr"]),
                scopes: strings(&["assume:login-identity:local/bob", "assume:local-group:hr", "notes:read:*"]),
                actions: vec![],
            },
            IdentityCard {
                identity: "company/4711".to_owned(),
                href: Some("/auth/people?id=company%2F4711".to_owned()),
                facts: vec![("Provider", "company".to_owned())],
                groups: vec![],
                scopes: vec![],
                actions: vec![
                    ("/auth/people/confirm?id=company%2F4711&action=refresh".to_owned(), "Ask the provider now", false),
                    ("/auth/people/confirm?id=company%2F4711&action=unlink".to_owned(), "Unlink", true),
                ],
            },
        ],
        expanded: Family::sort(["notes:read:*", "auth:list-clients"], ""),
        grants: vec![PersonGrantRow {
            id: "AbCdEfGhIjKlMnOpQrStUv".to_owned(),
            name: Some("The <telly>".to_owned()),
            site: "device://tv".to_owned(),
            about: "ends in 3 days · never used · granted 2 days ago".to_owned(),
            count: "1 scope".to_owned(),
            scopes: strings(&["notes:read:*"]),
            href: Some("/auth/people/confirm?id=local%2Fbob&action=revoke&grant=AbCdEfGhIjKlMnOpQrStUv".to_owned()),
        }],
        sessions: vec![("Firefox on Linux".to_owned(), "as local/bob · signed in 2 days ago · seen now".to_owned())],
        sign_out: Some("/auth/people/confirm?id=local%2Fbob&action=sign-out".to_owned()),
        clients: strings(&["local/bob/laptop"]),
        more_clients: true,
        history: vec![HistoryRow {
            what: "created".to_owned(),
            who: "local/ann".to_owned(),
            at: "5 March 2026, 17:05 UTC".to_owned(),
            at_machine: "2026-03-05T17:05:00Z".to_owned(),
        }],
        history_next: Some("/auth/people?id=local%2Fbob&history=50#history".to_owned()),
        history_is_hidden: false,
        notice: Some("Saved."),
    }
}

pub(super) fn person_form() -> PersonFormPage {
    PersonFormPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        identity: "local/bob".to_owned(),
        name: String::new(),
        display_name: "Bob Example".to_owned(),
        email: "bob@example.com".to_owned(),
        groups: "hr\nstaff".to_owned(),
        scopes: "notes:read:*".to_owned(),
        seen_ms: Some(1),
        can_mail: true,
        mail: false,
        error: None,
    }
}

pub(super) fn person_plan() -> PersonPlanPage {
    let change = |title: &str, added: &[&str], removed: &[&str]| Change {
        title: title.to_owned(),
        added: strings(added),
        removed: strings(removed),
    };
    let parts = vec![
        change("What the account gives", &["assume:local-group:staff"], &["notes:read:*"]),
        change("What the person may do", &[], &[]),
    ];
    PersonPlanPage { layout: signed_in(), form: person_form(), parts }
}

pub(super) fn person_confirm() -> PersonConfirmPage {
    PersonConfirmPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        id: "local/bob".to_owned(),
        action: "delete",
        grant: None,
        question: "Delete this account?",
        consequence: "It is gone for good, and its name is never used again.",
        button: "Delete account",
        dangerous: true,
        typed: true,
        back: "/auth/people?id=local%2Fbob".to_owned(),
        error: Some("Nothing was done: type `local/bob` to confirm.".to_owned()),
    }
}

pub(super) fn person_link() -> PersonLinkPage {
    PersonLinkPage {
        layout: signed_in(),
        title: "They are invited",
        identity: "local/bob".to_owned(),
        url: Zeroizing::new(format!("https://auth.example.com/password-link?token={}", "t".repeat(43))),
        ends: "5 March 2026, 17:05 UTC".to_owned(),
        mail: Some(falconer_wire::LinkMail {
            to: "bob@example.com".to_owned(),
            state: falconer_wire::MailState::Sent,
            text: "It was mailed to bob@example.com.".to_owned(),
        }),
        back: "/auth/people?id=local%2Fbob".to_owned(),
    }
}

pub(super) fn password_link() -> PasswordLinkPage {
    PasswordLinkPage {
        layout: anonymous(),
        form: "f".repeat(43),
        token: "t".repeat(43),
        name: "bob".to_owned(),
        display_name: "Bob Example".to_owned(),
        is_invitation: true,
        error: None,
    }
}

pub(super) fn map() -> MapPage {
    MapPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        providers: vec![("company".to_owned(), "The company".to_owned())],
        provider: "company".to_owned(),
        claims: "{\"sub\": \"4711\"}".to_owned(),
        found: Some(WouldGetView {
            identity: "company/4711".to_owned(),
            facts: vec![("Name", "Ann Example".to_owned())],
            groups: strings(&["hr"]),
            other_groups: strings(&["wheel"]),
            scopes: strings(&["assume:login-identity:company/4711"]),
            expanded: Family::sort(["notes:read:*"], ""),
            refused: vec![RefusedRow {
                attribute: "group",
                value: "a*".to_owned(),
                template: "assume:company-group:{group}".to_owned(),
                why: "it ends in a star",
            }],
        }),
        error: None,
    }
}
