//! Telling applications that somebody has signed out (OpenID Connect Back-Channel Logout 1.0).
//!
//! The store keeps which applications know of a session, and makes a queue of them in the step that ends it. Whatever server is there takes what is due from the queue
//! and sends it, so that a restart loses nothing and no two send the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use falconer_auth::{HOUR_MS, MINUTE_MS};
use falconer_login::LoginError;
use falconer_login::http::{AllowedAddresses, HttpError, ProviderHttp, ProviderRequest};
use falconer_store::LogoutRecord;
use serde_json::json;
use tokio::task::JoinSet;
use url::Url;
use zeroize::Zeroizing;

use crate::applications::documents::fetch::is_url;
use crate::grants::Grants;
use crate::targets::target::Target;

/// The `typ` of logout tokens.
const LOGOUT_TOKEN: &str = "logout+jwt";
/// What they say has happened.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// A logout token is looked at when it comes.
const LIFE_MS: i64 = 2 * MINUTE_MS;
/// How long one is a server's own that it has taken to send: far more than sending takes.
const CLAIM_MS: i64 = MINUTE_MS;
/// So many are sent at a time, and so many of them to one application.
const AT_A_TIME: u32 = 32;
const OF_ONE: u32 = 4;
/// The pauses after tries that came to nothing. After one more it is given up.
const PAUSES_MS: [i64; 5] = [10_000, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS];

/// What became of telling applications, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogoutFigures {
    /// The application knows.
    pub delivered: u64,
    /// It said that it could not do it.
    pub refused: u64,
    /// It was not reached, and is told later.
    pub failed: u64,
    /// It was not reached, and is told no more.
    pub given_up: u64,
}

/// The same, while it is counted.
#[derive(Default)]
pub(crate) struct LogoutCounts {
    delivered: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
}

/// Why an application does not know yet.
enum Untold {
    /// It has answered so.
    Status(u16),
    Http(HttpError),
    /// There is nothing to sign with.
    Unsigned(LoginError),
}

impl Grants {
    /// Tells applications of which it is time to be told that somebody has signed out, each in a try of a few seconds. Answers how many there were: where there were
    /// any, there may be more. `issuer` is Falconer's own origin.
    pub async fn send_logouts(self: &Arc<Self>, issuer: &str) -> Result<usize, LoginError> {
        let Some(http) = self.configured().settings.applications_http.clone() else { return Ok(0) };
        let now_ms = self.now_ms();
        let due = self.store.claim_due_logouts(now_ms, now_ms.saturating_add(CLAIM_MS), AT_A_TIME, OF_ONE).await;
        let due = due.map_err(|error| self.store_error(error))?;
        let count = due.len();
        let mut sending = JoinSet::new();
        for logout in due {
            let (grants, http, issuer) = (Arc::clone(self), Arc::clone(&http.0), issuer.to_owned());
            sending.spawn(async move { grants.send_logout(http.as_ref(), &logout, &issuer).await });
        }
        while sending.join_next().await.is_some() {}
        Ok(count)
    }

    /// What became of it so far.
    pub fn logout_figures(&self) -> LogoutFigures {
        let LogoutCounts { delivered, refused, failed, given_up } = &self.logouts;
        let [delivered, refused, failed, given_up] = [delivered, refused, failed, given_up].map(|count| count.load(Ordering::Relaxed));
        LogoutFigures { delivered, refused, failed, given_up }
    }

    /// Whether an address may be told at all. Errors say what to write instead.
    pub(crate) fn check_logout_host(&self, uri: &str) -> Result<(), String> {
        match Target::parse(uri) {
            Ok(target) if self.configured().logout_hosts.addresses(&target).is_none() => Err(format!(
                "backchannel_logout_uri: {} is no name of the internet at the port 443; an operator may name it in grant.logout_hosts",
                target.host_and_port()
            )),
            // What is no address is said elsewhere.
            _ => Ok(()),
        }
    }

    /// Whether the session has ended in which a grant was made, and the application was told so.
    pub(crate) async fn has_signed_out(&self, grant: &str) -> Result<bool, LoginError> {
        match self.grant_identity(grant).await?.and_then(|identity| identity.sid) {
            None => Ok(false),
            Some(sid) => Ok(!self.store.knows_session(&sid).await.map_err(|error| self.read_error(error))?),
        }
    }

    async fn send_logout(&self, http: &dyn ProviderHttp, logout: &LogoutRecord, issuer: &str) {
        let (application, tries) = (&logout.application, logout.tries.saturating_add(1));
        let Some((url, allowed_addresses)) = self.recipient(logout) else {
            tracing::info!(%application, "an application is told nothing of a session that has ended: it has no address for that any more");
            return self.forget_logout(logout).await;
        };
        let counts = &self.logouts;
        let count = match self.tell(http, logout, url, allowed_addresses, issuer).await {
            Ok(()) => {
                tracing::debug!(%application, tries, "an application was told that somebody has signed out");
                self.forget_logout(logout).await;
                &counts.delivered
            }
            // It has looked at the token, and would say the same of the next one.
            Err(Untold::Status(400)) => {
                tracing::warn!(%application, tries, "an application refuses to be told that somebody has signed out");
                self.forget_logout(logout).await;
                &counts.refused
            }
            Err(untold) => {
                let error = untold.in_words();
                let pause_ms = usize::try_from(logout.tries).ok().and_then(|tries| PAUSES_MS.get(tries));
                if let Some(pause_ms) = pause_ms {
                    tracing::info!(%application, tries, error, pause_ms, "an application could not be told that somebody has signed out; trying later");
                    let put_off = self.store.put_logout_off(&logout.sid, self.now_ms().saturating_add(*pause_ms)).await;
                    self.note_failure(put_off);
                    &counts.failed
                } else {
                    tracing::warn!(%application, tries, error, "an application could not be told that somebody has signed out, and is told no more");
                    self.forget_logout(logout).await;
                    &counts.given_up
                }
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Where an application is told now. `None`: nowhere any more.
    fn recipient(&self, logout: &LogoutRecord) -> Option<(Url, AllowedAddresses)> {
        let configured = self.configured();
        // What its document says now nobody knows without asking for it.
        let (uri, is_of_document) = match is_url(&logout.application) {
            true => (logout.uri.clone(), true),
            false => (self.known_application(&logout.application)?.settings.backchannel_logout_uri.clone(), false),
        };
        let target = Target::parse(&uri).ok().filter(|target| !self.is_own(target))?;
        let allowed_addresses = if is_of_document {
            configured.documents.addresses(&target)?
        } else if self.applications.configured.find(&logout.application).is_some() {
            // The operator has written it.
            AllowedAddresses::Own
        } else {
            configured.logout_hosts.addresses(&target)?
        };
        Some((Url::parse(target.href()).ok()?, allowed_addresses))
    }

    async fn tell(
        &self,
        http: &dyn ProviderHttp,
        logout: &LogoutRecord,
        url: Url,
        allowed_addresses: AllowedAddresses,
        issuer: &str,
    ) -> Result<(), Untold> {
        let token = self.logout_token(logout, issuer).await.map_err(Untold::Unsigned)?;
        let form = Some(vec![("logout_token", Zeroizing::new(token))]);
        let answer = http.send(ProviderRequest { form, ..ProviderRequest::new(url, allowed_addresses) }).await.map_err(Untold::Http)?;
        if matches!(answer.status, 200..=299) { Ok(()) } else { Err(Untold::Status(answer.status)) }
    }

    /// A logout token (section 2.4): each try has one of its own.
    async fn logout_token(&self, logout: &LogoutRecord, issuer: &str) -> Result<String, LoginError> {
        let algorithm = self.known_application(&logout.application).map(|known| known.settings.id_token_alg).unwrap_or_default();
        let now_ms = self.now_ms();
        let claims = json!({
            "iss": issuer,
            "aud": logout.application,
            "iat": now_ms / 1000,
            "exp": now_ms.saturating_add(LIFE_MS) / 1000,
            "jti": self.login.draw::<16>(),
            "events": { EVENT: {} },
            "sub": logout.subject,
            "sid": logout.sid,
        });
        let signed = self.signing_key(algorithm).await?.sign(algorithm, LOGOUT_TOKEN, &claims);
        signed.ok_or_else(|| LoginError::Internal("a logout token could not be signed".to_owned()))
    }

    async fn forget_logout(&self, logout: &LogoutRecord) {
        let deleted = self.store.delete_logout(&logout.sid).await;
        self.note_failure(deleted);
    }

    /// At worst an application is told twice.
    fn note_failure(&self, written: falconer_store::Result<()>) {
        if let Err(error) = written {
            tracing::warn!(error = %self.store_error(error), "what came of telling an application could not be kept");
        }
    }
}

impl Untold {
    fn in_words(&self) -> String {
        match self {
            Untold::Status(status) => format!("it answered with the status {status}"),
            Untold::Http(error) => error.to_string(),
            Untold::Unsigned(error) => error.to_string(),
        }
    }
}
