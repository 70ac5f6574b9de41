//! Passkeys and recovery codes.

use super::*;

pub(super) fn form() -> PasskeyForm {
    PasskeyForm {
        action: "/login/passkey",
        conditional: true,
        token_name: "form",
        token: "f".repeat(43),
        next: "/".to_owned(),
        challenge: "c".repeat(43),
        ceremony: "1.x".to_owned(),
        relying_party: "auth.example.com".to_owned(),
    }
}

pub(super) fn passkeys() -> PasskeysPage {
    let row = |id: &str, label: &str, used: &str| PasskeyRow {
        id: id.to_owned(),
        label: label.to_owned(),
        created: "2 days ago".to_owned(),
        used: used.to_owned(),
    };
    PasskeysPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        notice: Some("The passkey was added.".to_owned()),
        error: None,
        identity: "local/ann".to_owned(),
        passkeys: vec![row("a", "Chrome on Android", "used 2 minutes ago"), row("b", "A <b>key</b>", "never used")],
        offer: Some(PasskeyOffer {
            challenge: "c".repeat(43),
            ceremony: "1.x".to_owned(),
            relying_party: "auth.example.com".to_owned(),
            user: "u".repeat(43),
            name: "ann".to_owned(),
            display_name: "Ann".to_owned(),
            exclude: "a b".to_owned(),
            algorithms: "-7 -8 -257".to_owned(),
        }),
        suggested: "Firefox on Linux".to_owned(),
        codes: "9 of 10 are left. One was used 2 hours ago.".to_owned(),
    }
}

pub(super) fn none() -> PasskeysPage {
    let error = Some("Give the passkey a name.".to_owned());
    PasskeysPage { passkeys: Vec::new(), offer: None, notice: None, error, ..passkeys() }
}

pub(super) fn codes() -> RecoveryCodesPage {
    let code = |n: usize| zeroize::Zeroizing::new(format!("{n:04}-abcd-efgh-jkmn"));
    RecoveryCodesPage { layout: signed_in(), codes: (0..10).map(code).collect() }
}

pub(super) fn recovery() -> RecoveryPage {
    let error = Some("The name or the code is wrong.".to_owned());
    RecoveryPage { layout: anonymous(), form: "f".repeat(43), next: "/".to_owned(), name: "ann".to_owned(), error }
}

pub(super) fn again() -> AgainPage {
    let token = "c".repeat(22);
    let passkey = PasskeyForm { action: "/me/again", conditional: false, token_name: "csrf", token, ..form() };
    AgainPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        next: "/me/passkeys".to_owned(),
        identity: "local/ann".to_owned(),
        passkey: Some(passkey),
        error: Some("The password is wrong.".to_owned()),
    }
}
