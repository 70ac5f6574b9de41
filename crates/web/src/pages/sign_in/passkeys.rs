//! A person's passkeys and recovery codes. Changing them needs a sign-in that is fresh: whoever finds a browser signed in must not add a way in of their own.

use axum::response::Response;
use falconer_login::{LoginError, NewPasskey, PasskeyError, Session};
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::browser;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit, go};
use crate::views::words;
use crate::views::{PasskeyRow, PasskeysPage, RecoveryCodesPage, html, secret_html};

/// `GET /me/passkeys`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(go("/login?next=/me/passkeys")) };
    if session.account_name().is_none() {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "Not with this account",
            "Only local accounts have passkeys and recovery codes here.",
        )
        .with_link("/", "Go to your own page"));
    }
    if !visit.web.login.is_fresh(session) {
        return Ok(reauthentication::first("/me/passkeys"));
    }
    page(&visit, session, StatusCode::OK, None).await
}

/// `POST /me/passkeys`: what the browser's authenticator has made.
pub(crate) async fn add(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let new = NewPasskey {
        ceremony: form.field("ceremony"),
        id: form.field("id"),
        client_data: form.field("client_data"),
        attestation: form.field("attestation"),
        transports: form.field("transports"),
        resident: form.ticked("resident"),
        label: form.field("label"),
    };
    match visit.web.login.register_passkey(session, &new).await {
        Ok(()) => Ok(go("/me/passkeys?done=added")),
        Err(PasskeyError::Login(LoginError::SignInAgain)) => reauthentication::keep(&form, session, KeptForm::Passkey).await,
        Err(error) => {
            let (status, text) = refusal(error)?;
            page(visit, session, status, Some(text)).await
        }
    }
}

/// `POST /me/passkeys/rename`
pub(crate) async fn rename(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let outcome = visit.web.login.rename_passkey(session, form.field("id"), form.field("label")).await;
    changed(&form, session, outcome, "renamed").await
}

/// `POST /me/passkeys/remove`
pub(crate) async fn remove(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let outcome = visit.web.login.remove_passkey(session, form.field("id")).await;
    changed(&form, session, outcome, "removed").await
}

/// `POST /me/recovery-codes`: makes ten, and shows them this once.
pub(crate) async fn make_codes(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let codes = match visit.web.login.make_recovery_codes(session).await {
        Err(LoginError::SignInAgain) => return reauthentication::keep(&form, session, KeptForm::RecoveryCodes).await,
        codes => codes?,
    };
    Ok(secret_html(Row::Page, &RecoveryCodesPage { layout: visit.layout(), codes }))
}

async fn changed(form: &Posted, session: &Session, outcome: Result<(), LoginError>, done: &str) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go(&format!("/me/passkeys?done={done}"))),
        Err(LoginError::SignInAgain) => {
            let kept = if done == "renamed" { KeptForm::PasskeyRename } else { KeptForm::PasskeyRemove };
            reauthentication::keep(form, session, kept).await
        }
        Err(error) => {
            let (status, text) = refusal(error.into())?;
            page(&form.visit, session, status, Some(text)).await
        }
    }
}

/// What a person is told beside the form. The reason itself goes to the log.
pub(super) fn refusal(error: PasskeyError) -> Result<(StatusCode, String), Problem> {
    let (status, text) = match error {
        PasskeyError::Login(LoginError::Invalid(text)) => (StatusCode::BAD_REQUEST, sentence(&text)),
        PasskeyError::Login(LoginError::Conflict(text)) => (StatusCode::CONFLICT, sentence(&text)),
        PasskeyError::Login(error) => return Err(error.into()),
        PasskeyError::NotHere => (StatusCode::NOT_FOUND, "There are no passkeys here.".to_owned()),
        error @ PasskeyError::TooMany(_) => (StatusCode::CONFLICT, format!("Nothing was added: {error}.")),
        PasskeyError::Over => (StatusCode::BAD_REQUEST, "That took too long. Try once more.".to_owned()),
        PasskeyError::Used => (StatusCode::BAD_REQUEST, "That was answered before. Try once more.".to_owned()),
        PasskeyError::NotVerified | PasskeyError::NotPresent => {
            let text = "Your device did not make sure that it is you. Set up its PIN, fingerprint or face first, then try once more.";
            (StatusCode::BAD_REQUEST, text.to_owned())
        }
        PasskeyError::Unknown => (StatusCode::FORBIDDEN, "Nobody has this passkey here, or not any more.".to_owned()),
        PasskeyError::UnknownAlgorithm(_) | PasskeyError::WrongKey(_) => {
            (StatusCode::BAD_REQUEST, "Keys of this device can't be used here.".to_owned())
        }
        error @ (PasskeyError::Counter | PasskeyError::WrongSignature | PasskeyError::WrongUser) => {
            tracing::warn!(%error, "a passkey was refused");
            (StatusCode::FORBIDDEN, "This passkey can't be accepted. Take another way to sign in, and tell your administrator.".to_owned())
        }
        error @ (PasskeyError::TooLarge(_)
        | PasskeyError::Malformed { .. }
        | PasskeyError::WrongType
        | PasskeyError::NotBegunHere
        | PasskeyError::WrongOrigin
        | PasskeyError::CrossOrigin
        | PasskeyError::WrongRelyingParty
        | PasskeyError::WrongBackup
        | PasskeyError::WrongKeyFlag
        | PasskeyError::WrongId) => {
            tracing::info!(%error, "what a browser said of a passkey was refused");
            (StatusCode::BAD_REQUEST, "The answer does not belong to this page. Try once more, in this browser.".to_owned())
        }
    };
    Ok((status, text))
}

async fn page(visit: &Visit, session: &Session, status: StatusCode, error: Option<String>) -> Result<Response, Problem> {
    let login = &visit.web.login;
    let name = session.account_name().unwrap_or_default();
    let now_ms = visit.web.clock.now_ms();
    let stand = login.recovery_codes(name).await?;
    let row = |passkey: falconer_login::PasskeyView| PasskeyRow {
        id: passkey.id,
        label: passkey.label,
        created: words::since(passkey.created_ms, now_ms),
        used: passkey.last_used_ms.map_or("never used".to_owned(), |at_ms| format!("used {}", words::since(at_ms, now_ms))),
    };
    let notice = match visit.parameter("done").as_deref() {
        Some("added") => Some("The passkey was added."),
        Some("renamed") => Some("The passkey has another name."),
        Some("removed") => Some("The passkey was removed, and your other sessions were ended."),
        _ => None,
    };
    let page = PasskeysPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        notice: notice.filter(|_| error.is_none()).map(str::to_owned),
        error,
        identity: session.identity.clone(),
        passkeys: login.passkeys(name).await?.into_iter().map(row).collect(),
        offer: login.offer_registration(session).await?.map(Into::into),
        suggested: browser::name(&visit.user_agent),
        codes: codes(&stand, now_ms),
    };
    Ok(html(status, Row::Script, &page))
}

/// How somebody stands with their codes, in a sentence.
pub(crate) fn codes(stand: &falconer_login::RecoveryCodesView, now_ms: i64) -> String {
    if stand.total == 0 {
        return "None yet. Ten codes sign you in, once each, when nothing else is at hand.".to_owned();
    }
    let used = stand.last_used_ms.map(|at_ms| format!(" One was used {}.", words::since(at_ms, now_ms))).unwrap_or_default();
    format!("{} of {} are left.{used}", stand.left, stand.total)
}
