//! Whoever has a grant asks its person for more: by its own credentials, or by an access token of it.

use std::sync::Arc;

use falconer_auth::{ApiError, Authentication, DEEPEST_DERIVED, MINUTE_MS, wrong_text};
use falconer_login::{LoginError, RequestMail, hash_of_token, in_a_task};
use falconer_scopes::is_valid_scope;
use falconer_store::{DeviceRequestRecord, GrantRecord, StoreError};
use falconer_wire::{scope_text, time_expression};

use crate::applications::application::Application;
use crate::consent::lifetime::of_what_is_left;
use crate::consent::request::{LONGEST_SCOPE, MOST_SCOPES};
use crate::device::authorization::{DEVICE_CODE, INTERVAL_MS};
use crate::grants::Grants;
use crate::oauth::client::client_proof::ClientProof;
use crate::oauth::error::ExchangeError;
use crate::oauth::proof::SentProof;
use crate::oauth::request::parameters::Parameters;
use crate::oauth::token::{required, subject_token};
use crate::records::granted::name_of;
use crate::targets::in_words::place;

/// Where a person answers a request for more: `?id=`.
pub const GRANT_REQUEST_PAGE: &str = "/me/grants/request";

/// A request waits so long for its answer, and no longer than the grant lasts.
const LIFE_MS: i64 = 30 * MINUTE_MS;
/// So many requests for more than one grant are taken while one of them can wait.
const MOST_BY_GRANT: u32 = 5;
/// So many for more than one grant that a person gave and all that was derived from it: whoever has one grant leaves room for what others ask.
const MOST_BY_GIVEN: u32 = 10;
/// So many for more than the grants of one person.
const MOST_BY_PERSON: u32 = 30;
/// So many mails one person gets about them. The others are on their page.
const MOST_MAILS: u32 = 5;

/// What is wanted beyond a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedMore {
    /// Scopes that the grant does not give. Empty: only more time.
    pub scopes: Vec<String>,
    /// For how long, in milliseconds. `None`: for as long as the grant still lasts.
    pub life_ms: Option<i64>,
    /// Why, in plain text for the person.
    pub reason: String,
}

/// This server, as people know it.
#[derive(Clone, Copy, Debug)]
pub struct ServerAddress<'a> {
    /// `auth.example.com`
    pub authority: &'a str,
    /// `https://auth.example.com`
    pub origin: &'a str,
}

/// A request that waits: the code is a secret, so no `Debug`.
pub struct WaitingCode {
    /// What the address of the person's page names it by.
    pub id: String,
    /// The address of that page.
    pub page: String,
    /// For whoever has asked alone.
    pub code: String,
    /// From then on it is worth nothing, milliseconds since 1970.
    pub expires_ms: i64,
    /// How long to wait between two polls.
    pub interval_seconds: i64,
}

/// Why nobody is asked.
enum NotRequested {
    /// A scope that can't be asked for.
    Scope(String),
    /// Something else of the request.
    Input(String),
    Login(LoginError),
}

impl From<LoginError> for NotRequested {
    fn from(error: LoginError) -> Self {
        NotRequested::Login(error)
    }
}

impl Grants {
    /// Asks for more than the grant whose own credentials have signed.
    pub async fn request_more(
        &self,
        who: &Authentication,
        wanted: &WantedMore,
        server: ServerAddress<'_>,
    ) -> Result<WaitingCode, ApiError> {
        let grant = self.auth.own_grant(who).await?;
        let application = match self.application_of(&grant).await? {
            None => None,
            Some(id) => Some(self.known_application(&id).ok_or_else(|| {
                ApiError::InputError("The application that the grant was made for is known no more, and gets nothing more".to_owned())
            })?),
        };
        self.wait_for_more(&grant, application.as_ref(), wanted, None, server).await.map_err(|refused| match refused {
            NotRequested::Scope(text) | NotRequested::Input(text) => ApiError::InputError(text),
            NotRequested::Login(error) => error.into(),
        })
    }

    /// For which application a grant was made. Records that were made before they said so do not: then it is the one that got the code of the grant, or of what it was
    /// derived from. `None`: it was made for a site.
    pub(crate) async fn application_of(&self, grant: &GrantRecord) -> Result<Option<String>, LoginError> {
        let mut above = Some(grant.clone());
        for _ in 0..=DEEPEST_DERIVED {
            let Some(grant) = above else { return Ok(None) };
            if grant.application.is_some() {
                return Ok(grant.application);
            }
            let found = self.store.application_of_grant(&grant.id).await.map_err(|error| self.read_error(error))?;
            if found.is_some() {
                return Ok(found);
            }
            let Some(parent) = grant.parent else { return Ok(None) };
            above = self.store.grant(&parent).await.map_err(|error| self.read_error(error))?;
        }
        Ok(None)
    }

    /// The same for an application that shows an access token of the grant.
    pub async fn request_more_by_token(
        &self,
        parameters: &Parameters,
        by: ClientProof<'_>,
        proof: SentProof<'_>,
        server: ServerAddress<'_>,
    ) -> Result<WaitingCode, ExchangeError> {
        let client = self.client(by).await?.ok_or(ExchangeError::InvalidClient)?;
        let sent = subject_token(parameters)?;
        let scopes = match parameters.one("scope")? {
            None => Vec::new(),
            Some(text) => {
                scope_text::read(text).ok_or_else(|| ExchangeError::InvalidScope("The scope is written as no scope is".to_owned()))?
            }
        };
        let life_ms = match parameters.one("expires")?.map(time_expression::parse_ms) {
            None => None,
            Some(Ok(ms)) => Some(ms),
            Some(Err(error)) => return Err(ExchangeError::InvalidRequest(error.to_string())),
        };
        let reason = required(parameters, "reason")?.to_owned();
        let (_, record, grant) = match self.token_and_grant(sent).await {
            // As where a token is exchanged: what a token of others is worth is nothing for whoever shows it here.
            Err(ExchangeError::InvalidToken) => {
                let text = "The subject_token does not count, or it is for some services only, which could ask for more with it";
                return Err(ExchangeError::InvalidRequest(text.to_owned()));
            }
            found => found?,
        };
        if record.application != client.id() {
            return Err(ExchangeError::OtherClient);
        }
        // Whoever only saw a token that is bound to a key asks nobody for anything.
        if record.jkt.is_some() {
            self.proved_key(proof, Some(&client), record.jkt.as_deref()).await?;
        }
        let wanted = WantedMore { scopes, life_ms, reason };
        self.wait_for_more(&grant, Some(&client), &wanted, record.jkt, server).await.map_err(|refused| match refused {
            NotRequested::Scope(text) => ExchangeError::InvalidScope(text),
            NotRequested::Input(text) => ExchangeError::InvalidRequest(text),
            NotRequested::Login(error) => error.into(),
        })
    }

    async fn wait_for_more(
        &self,
        grant: &GrantRecord,
        application: Option<&Arc<Application>>,
        wanted: &WantedMore,
        jkt: Option<String>,
        server: ServerAddress<'_>,
    ) -> Result<WaitingCode, NotRequested> {
        check(wanted, application.map(Arc::as_ref))?;
        // What it gives already need not be asked for.
        let held = self.auth.grant_scopes(&grant.id).unwrap_or_default();
        let mut scopes: Vec<String> = Vec::new();
        for scope in &wanted.scopes {
            if !held.satisfies(scope) && !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        if scopes.is_empty() && wanted.life_ms.is_none() {
            return Err(NotRequested::Input("The grant gives that already: ask for other scopes, or for more time".to_owned()));
        }
        self.login.check_clock()?;
        let person = self.auth.directory().identity(&grant.identity).map(|identity| identity.record.person.clone());
        let person = person.unwrap_or_default();
        let bounds = [
            (format!("more/grant/{}", grant.id), MOST_BY_GRANT),
            (format!("more/given/{}", self.given_grant(grant)), MOST_BY_GIVEN),
            (format!("more/person/{person}"), MOST_BY_PERSON),
        ];
        for (key, most) in bounds {
            self.count(&key, most, LIFE_MS).await?;
        }
        let is_mailed = self.mails_about_grants() && self.may_mail(&person).await?;
        let now_ms = self.now_ms();
        let left_ms = grant.expires_ms.saturating_sub(now_ms);
        let (id, code) = (self.login.draw::<16>(), self.login.draw::<32>());
        let expires_ms = now_ms.saturating_add(LIFE_MS).min(grant.expires_ms);
        let record = DeviceRequestRecord {
            device_hash: hash_of_token(DEVICE_CODE, &code),
            user_hash: id.clone(),
            application: application.map(|application| application.id().to_owned()).unwrap_or_default(),
            scopes,
            identity: false,
            address: String::new(),
            created_ms: now_ms,
            expires_ms,
            interval_ms: INTERVAL_MS,
            polled_ms: None,
            grant: None,
            denied_ms: None,
            used_ms: None,
            for_grant: Some(grant.id.clone()),
            reason: Some(wanted.reason.trim().to_owned()),
            life_ms: Some(wanted.life_ms.unwrap_or_else(|| of_what_is_left(left_ms)).max(MINUTE_MS)),
            jkt,
            device_name: None,
        };
        let page = format!("{}{GRANT_REQUEST_PAGE}?id={id}", server.origin);
        let (store, login, identity) = (Arc::clone(&self.store), Arc::clone(&self.login), grant.identity.clone());
        let (authority, page_of_mail) = (server.authority.to_owned(), page.clone());
        let site = is_mailed.then(|| place(&grant.target_origin, name_of(grant)));
        // The person hears of it also where whoever asked waits no more.
        let inserted = in_a_task(async move {
            let inserted = store.insert_device_request(&record).await;
            if let (Ok(()), Some(site)) = (&inserted, &site) {
                login.mail_about_request(&identity, RequestMail { server: &authority, page: &page_of_mail, site });
            }
            inserted
        });
        match inserted.await? {
            Err(StoreError::Conflict) => Err(LoginError::Internal("the random id of a request is taken".to_owned()).into()),
            Err(error) => Err(self.store_error(error).into()),
            Ok(()) => Ok(WaitingCode { id, page, code, expires_ms, interval_seconds: INTERVAL_MS / 1000 }),
        }
    }

    /// The id of the grant that the person gave and this one was derived from, directly or one from the other; its own where it was not derived.
    fn given_grant(&self, grant: &GrantRecord) -> String {
        let directory = self.auth.directory();
        let above = |id: &str| directory.grant(id)?.record.parent.clone();
        let chain = std::iter::successors(grant.parent.clone(), |id| above(id)).take(DEEPEST_DERIVED);
        chain.last().unwrap_or_else(|| grant.id.clone())
    }

    /// Counts one more mail to a person, if there is one.
    async fn may_mail(&self, person: &str) -> Result<bool, LoginError> {
        match self.count(&format!("more/mail/{person}"), MOST_MAILS, LIFE_MS).await {
            Ok(()) => Ok(true),
            Err(LoginError::Throttled { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What can be said without looking anything up.
fn check(wanted: &WantedMore, application: Option<&Application>) -> Result<(), NotRequested> {
    if let Some(problem) = wrong_text("reason", &wanted.reason) {
        return Err(NotRequested::Input(problem));
    }
    if wanted.scopes.len() > MOST_SCOPES {
        return Err(NotRequested::Scope(format!("The request asks for more than {MOST_SCOPES} scopes")));
    }
    for scope in &wanted.scopes {
        if scope.is_empty() || scope.len() > LONGEST_SCOPE || !is_valid_scope(scope) {
            return Err(NotRequested::Scope("A scope is printable ASCII, of at most 1 KiB".to_owned()));
        }
        if application.is_some_and(|application| !application.scopes.satisfies(scope)) {
            return Err(NotRequested::Scope("The request asks for a scope that this application may not ask for".to_owned()));
        }
    }
    if wanted.life_ms.is_some_and(|ms| ms <= 0) {
        return Err(NotRequested::Input("A grant ends in the future".to_owned()));
    }
    Ok(())
}
