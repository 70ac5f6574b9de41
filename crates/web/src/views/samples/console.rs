//! Clients and roles: lists, records, forms, plans, questions.

use super::*;

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
        ("records", page(&records())),
        (
            "records-nothing",
            page(&RecordsPage { rows: vec![], next: None, query: String::new(), others: vec![], may_create: false, ..records() }),
        ),
        ("record", page(&record())),
        ("record-empty", page(&RecordPage { scopes: vec![], expanded: vec![], state: vec![], actions: vec![], lists: vec![], ..record() })),
        (
            "record-static",
            page(&RecordPage {
                actions: vec![],
                fixed: Some("It comes from the configuration, and is changed there."),
                scopes: (0..30).map(|at| format!("assume:project:zap:step-{at}")).collect(),
                history: RecordHistory { needs: Some("auth:audit-history:client".to_owned()), ..RecordHistory::default() },
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
                wrong_field: Some("scopes"),
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
    ]
}

pub(super) fn records() -> RecordsPage {
    RecordsPage {
        layout: signed_in(),
        title: "Clients",
        path: "/auth/clients",
        others: vec![("/auth/roles", "Roles"), ("/auth/people", "People")],
        may_create: true,
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
        next: Some("/auth/clients?q=local%2F&scope=&from=local%2Fann%2Flaptop".to_owned()),
        stopped: true,
        searched: 2000,
        notice: None,
    }
}

pub(super) fn record() -> RecordPage {
    RecordPage {
        layout: signed_in(),
        kind: "Client",
        path: "/auth/clients",
        lists: vec![("/auth/clients", "Clients"), ("/auth/roles", "Roles")],
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
        history: RecordHistory {
            rows: vec![
                HistoryRow {
                    what: "created".to_owned(),
                    who: "local/ann".to_owned(),
                    at: "5 March 2026, 17:05 UTC".to_owned(),
                    at_machine: "2026-03-05T17:05:00Z".to_owned(),
                };
                2
            ],
            next: Some("/auth/clients?id=local%2Fann%2Flaptop&history=50#history".to_owned()),
            needs: None,
        },
        notice: Some("Saved."),
    }
}

pub(super) fn draft(kind: Kind) -> Draft {
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

pub(super) fn form(kind: Kind) -> RecordFormPage {
    RecordFormPage { layout: signed_in(), csrf: "c".repeat(22), draft: draft(kind), error: None, wrong_field: None, changed: false }
}

pub(super) fn plan() -> PlanPage {
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

pub(super) fn confirm() -> ConfirmPage {
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
        field: None,
        error: None,
    }
}
