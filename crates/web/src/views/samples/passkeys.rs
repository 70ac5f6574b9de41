//! Passkeys, recovery codes, forgotten passwords.

use super::*;

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
        ("recovery", page(&recovery())),
        ("recovery-codes", page(&codes())),
        ("passkeys", page(&passkeys())),
        ("passkeys-none", page(&none())),
        ("again", page(&reauthentication())),
        ("again-kept", page(&reauthentication_kept())),
        ("again-nothing", page(&reauthentication_nothing())),
        ("again-continue", page(&reauthentication_continue())),
        ("onward", page(&onward())),
        ("again-done", page(&ReauthenticationDonePage { layout: signed_in() })),
    ]
}

pub(super) fn form() -> PasskeyForm {
    PasskeyForm {
        action: "/login/passkey",
        button: "Sign in with a passkey",
        conditional: true,
        token_name: "form",
        token: "f".repeat(43),
        next: "/".to_owned(),
        challenge: "c".repeat(43),
        ceremony: "1.x".to_owned(),
        relying_party: "auth.example.com".to_owned(),
        kept: Vec::new(),
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

pub(super) fn forgotten(sent: bool) -> ForgottenPage {
    let error = (!sent).then(|| "Too many mails were asked for. Use the newest one that you got, or wait 15 minutes.".to_owned());
    ForgottenPage { layout: anonymous(), form: "f".repeat(43), next: "/".to_owned(), who: "ann".to_owned(), sent, error }
}

pub(super) fn recovery() -> RecoveryPage {
    let error = Some("The name or the code is wrong.".to_owned());
    RecoveryPage { layout: anonymous(), form: "f".repeat(43), next: "/".to_owned(), name: "ann".to_owned(), error }
}

pub(super) fn reauthentication() -> ReauthenticationPage {
    let token = "c".repeat(22);
    let passkey =
        PasskeyForm { action: "/me/again", button: "Continue with a passkey", conditional: false, token_name: "csrf", token, ..form() };
    ReauthenticationPage {
        layout: signed_in(),
        csrf: "c".repeat(22),
        next: "/me/passkeys".to_owned(),
        identity: "local/ann".to_owned(),
        password: true,
        passkey: Some(passkey),
        provider: None,
        kept: Vec::new(),
        cancel: "/",
        error: Some("The password is wrong.".to_owned()),
    }
}

/// With a provider, while a form waits.
pub(super) fn reauthentication_kept() -> ReauthenticationPage {
    let provider = ProviderButton { label: "A <b>Company</b>".to_owned(), href: "/login/company?for=again&next=%2F".to_owned() };
    let kept = vec![("kept".to_owned(), "/grant".to_owned()), ("kept-request".to_owned(), "a <b>request</b>".to_owned())];
    ReauthenticationPage { password: false, passkey: None, provider: Some(provider), kept, error: None, ..reauthentication() }
}

pub(super) fn reauthentication_nothing() -> ReauthenticationPage {
    ReauthenticationPage { password: false, passkey: None, error: None, ..reauthentication() }
}

fn onward() -> OnwardPage {
    OnwardPage { layout: signed_in(), next: "/login/oauth/authorize?client_id=wiki&state=\"><b>".to_owned() }
}

pub(super) fn reauthentication_continue() -> ContinuePage {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let fields = vec![field("csrf", "cccccccccccccccccccccc"), field("request", "a <b>request</b>")];
    ContinuePage { layout: signed_in(), path: "/grant", button: "Grant", fields, cancel: "/" }
}
