//! Signing in: every way of it, the set-up of the first administrator, the password.

use super::*;

/// Name and HTML of each.
pub(super) fn samples() -> Vec<(&'static str, String)> {
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
        ("login-forgotten", page(&LoginPage { forgotten: true, ..login() })),
        ("forgotten", page(&passkeys::forgotten(false))),
        ("forgotten-sent", page(&passkeys::forgotten(true))),
        ("login-continue", page(&LoginPage { continue_to: Some("notes.example.com".to_owned()), ..login() })),
        (
            "login-wrong",
            page(&LoginPage { error: Some("The name or the password is wrong.".to_owned()), name: "ann".to_owned(), ..login() }),
        ),
        ("directory", page(&directory())),
        ("directory-again", page(&DirectoryPage { purpose: "again".to_owned(), csrf: "c".repeat(22), layout: signed_in(), ..directory() })),
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
        (
            "email-address-link",
            page(&EmailAddressPage { purpose: "link".to_owned(), csrf: "c".repeat(22), layout: signed_in(), ..email_address() }),
        ),
        ("email-code", page(&email_code())),
        (
            "email-code-link",
            page(&EmailCodePage {
                button: "Continue",
                intro: "Nothing is linked before you confirm it.",
                layout: signed_in(),
                ..email_code()
            }),
        ),
        ("email-code-wrong", page(&EmailCodePage { error: Some("That is not the code.".to_owned()), ..email_code() })),
        ("setup", page(&setup())),
        ("setup-wrong", page(&SetupPage { error: Some("The two passwords differ.".to_owned()), name: "ann".to_owned(), ..setup() })),
        ("password", page(&password())),
        ("password-forgotten", page(&PasswordPage { asks_old: false, ..password() })),
        ("password-wrong", page(&PasswordPage { error: Some("The present password is wrong.".to_owned()), ..password() })),
    ]
}

fn login() -> LoginPage {
    LoginPage {
        layout: anonymous(),
        providers: Vec::new(),
        passkey: None,
        form: "f".repeat(43),
        continue_to: None,
        next: "/".to_owned(),
        name: String::new(),
        forgotten: false,
        error: None,
        notice: None,
    }
}

fn directory() -> DirectoryPage {
    DirectoryPage {
        layout: anonymous(),
        provider: "company".to_owned(),
        label: "A <b>Company</b>".to_owned(),
        form: "f".repeat(43),
        continue_to: None,
        next: "/".to_owned(),
        others: "/login?next=%2F".to_owned(),
        name: String::new(),
        purpose: String::new(),
        csrf: String::new(),
        error: None,
    }
}

fn email_address() -> EmailAddressPage {
    EmailAddressPage {
        layout: anonymous(),
        provider: "mail".to_owned(),
        label: "a <b>code</b> by mail".to_owned(),
        form: "f".repeat(43),
        continue_to: None,
        next: "/".to_owned(),
        others: "/login?next=%2F".to_owned(),
        address: String::new(),
        purpose: String::new(),
        csrf: String::new(),
        error: None,
    }
}

fn email_code() -> EmailCodePage {
    EmailCodePage {
        layout: anonymous(),
        provider: "mail".to_owned(),
        form: "f".repeat(43),
        flow: "f".repeat(43),
        address: "ann@example.com".to_owned(),
        start_over: "/login/mail?next=%2F".to_owned(),
        button: "Sign in",
        intro: "",
        error: None,
    }
}

fn setup() -> SetupPage {
    SetupPage {
        layout: anonymous(),
        form: "f".repeat(43),
        token: "t".repeat(43),
        error: None,
        name: String::new(),
        display_name: String::new(),
        email: String::new(),
    }
}

fn password() -> PasswordPage {
    PasswordPage { layout: signed_in(), csrf: "c".repeat(22), name: "ann".to_owned(), asks_old: true, error: None }
}
