//! Reading the document of an application: for somebody who has signed in, and so often only.

use std::sync::Arc;
use std::time::Duration;

use falconer_auth::MINUTE_MS;
use falconer_login::http::{AllowedAddresses, HttpError, ProviderHttp, ProviderRequest};
use falconer_login::{LoginError, Session};
use url::Url;

use crate::applications::application::Application;
use crate::applications::documents::cache::{Cache, Outcome, Unusable};
use crate::applications::documents::document::{self, answered_with};
use crate::applications::documents::hosts::{DocumentUrl, NamedHosts};
use crate::applications::register::check_redirect;
use crate::grants::Grants;
use crate::oauth::request::parameters::Parameters;
use crate::oauth::request::refusal::{AuthorizationError, Cause, Unanswerable};
use crate::settings::GrantSettings;
use crate::targets::target::Target;

/// So many documents are read for one person within the window.
const MOST_BY_PERSON: u32 = 30;
/// So many of one host are read for one person.
const MOST_OF_HOST_BY_PERSON: u32 = 10;
/// So many are asked of one host by all: what whoever runs it may be sent from here, far above what a few people can have read.
const MOST_OF_HOST: u32 = 1200;
const WINDOW_MS: i64 = 10 * MINUTE_MS;
/// So long somebody waits until it is their turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Documents of applications on one node.
pub(crate) struct Documents {
    hosts: NamedHosts,
    http: Option<Arc<dyn ProviderHttp>>,
    cache: Cache,
}

impl Documents {
    pub(crate) fn new(settings: &GrantSettings) -> Result<Documents, LoginError> {
        let hosts = NamedHosts::of_documents(&settings.client_documents)?;
        Ok(Documents { hosts, http: settings.applications_http.clone().map(|http| http.0), cache: Cache::default() })
    }

    pub(crate) fn is_on(&self) -> bool {
        self.hosts.is_on()
    }

    /// Which addresses a host may have that is told what an application of a document is told. `None`: it is told nothing.
    pub(crate) fn addresses(&self, target: &Target) -> Option<AllowedAddresses> {
        self.hosts.addresses(target)
    }

    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        self.hosts.has_origin(origin)
    }

    /// The application of a `client_id` that is a URL: as its document has it where that was read, else with nothing but its address. Nobody is asked anything.
    pub(crate) fn find(&self, id: &str, now_ms: i64) -> Option<Arc<Application>> {
        let url = self.hosts.read(id).ok()?;
        let read = self.cache.find(id, now_ms).and_then(Result::ok);
        Some(read.unwrap_or_else(|| Arc::new(document::unread(&url.target))))
    }
}

/// Whether a `client_id` is the address of a document, rather than the id of an application that somebody has registered: these have no colon.
pub(crate) fn is_url(client_id: &str) -> bool {
    client_id.contains("://")
}

impl Grants {
    /// Whether applications can be known by their documents.
    pub fn reads_documents(&self) -> bool {
        self.configured().documents.is_on()
    }

    /// Whether the application that asks is known by its document, which is read for whoever has signed in only. Errors: its `client_id` can't be the address of one.
    pub fn is_by_document(&self, query: &str) -> Result<bool, AuthorizationError> {
        self.document_of(query).map(|found| found.is_some())
    }

    /// Has the document of the application that asks at hand, if it has one. Errors say why there is none.
    pub async fn read_document(&self, session: &Session, query: &str) -> Result<(), AuthorizationError> {
        let Some((id, url)) = self.document_of(query)? else { return Ok(()) };
        let refuse = |Unusable { cause, why }: Unusable| {
            let why = format!("The document at its `client_id`, {id}, can't be used: {why}.");
            AuthorizationError::Unknown(Unanswerable { cause, why })
        };
        let configured = self.configured();
        let Documents { http, cache, .. } = &configured.documents;
        if let Some(known) = cache.find(&id, self.now_ms()) {
            return known.map(drop).map_err(refuse);
        }
        let Some(http) = http else { return Err(refuse(away("this server can't read it"))) };
        let busy = || AuthorizationError::Login(LoginError::TooBusy);
        let host = url.target.host_and_port();
        // Before the turn: one person who asks for many waits for their own, and not in front of all others.
        let person = &session.person.id;
        self.count(&format!("documents/person/{person}"), MOST_BY_PERSON, WINDOW_MS).await?;
        self.count(&format!("documents/person/{person}/host/{host}"), MOST_OF_HOST_BY_PERSON, WINDOW_MS).await?;
        let turn = cache.turn_of(&host);
        let waited = tokio::time::timeout(LONGEST_WAIT, async { (turn.lock().await, cache.turns.acquire().await) }).await;
        let (_of_host, _of_all) = waited.map_err(|_| busy())?;
        // Somebody else may have read it meanwhile.
        if let Some(known) = cache.find(&id, self.now_ms()) {
            return known.map(drop).map_err(refuse);
        }
        self.count(&format!("documents/host/{host}"), MOST_OF_HOST, WINDOW_MS).await?;
        let (outcome, cache_control) = self.fetch(http.as_ref(), &url).await;
        tracing::info!(%id, error = outcome.as_ref().err().map(|unusable| unusable.why.as_str()), "the document of an application was read");
        cache.keep(&id, outcome.clone(), cache_control.as_deref(), self.now_ms());
        outcome.map(drop).map_err(refuse)
    }

    fn document_of(&self, query: &str) -> Result<Option<(String, DocumentUrl)>, AuthorizationError> {
        let parameters = Parameters::read(query).map_err(Unanswerable::from)?;
        let id = parameters.one("client_id").map_err(Unanswerable::from)?;
        let Some(id) = id.filter(|id| is_url(id)) else { return Ok(None) };
        let url = self.configured().documents.hosts.read(id)?;
        // Nothing of Falconer itself is an application.
        if self.is_own(&url.target) {
            return Err(Unanswerable::wrong("The `client_id` leads to Falconer itself.").into());
        }
        Ok(Some((id.to_owned(), url)))
    }

    async fn fetch(&self, http: &dyn ProviderHttp, url: &DocumentUrl) -> (Outcome, Option<String>) {
        let Ok(address) = Url::parse(url.target.href()) else { return (Err(wrong("it is no address")), None) };
        match http.send(ProviderRequest::new(address, url.allowed_addresses)).await {
            Err(error) => (Err(unusable(&error)), None),
            // Its server can't, or not now (RFC 9110 section 15.6, RFC 6585 section 4).
            Ok(answer) if answer.status >= 500 || answer.status == 429 => (Err(away(answered_with(answer.status))), None),
            Ok(answer) => {
                let outcome = document::read(&url.target, &answer, |uri| check_redirect(uri, &|target| self.is_own(target)));
                (outcome.map(Arc::new).map_err(wrong), answer.header("cache-control").map(str::to_owned))
            }
        }
    }
}

/// For somebody who may only want to know what is inside of this network: no more than what its own author needs.
fn unusable(error: &HttpError) -> Unusable {
    match error {
        HttpError::Redirected => wrong("it is answered with a redirect, which is not followed"),
        HttpError::TooLarge => wrong("it is longer than 16 KiB"),
        HttpError::TooSlow => away("it did not come within 5 seconds"),
        HttpError::Inside(_) | HttpError::Unreachable(_) | HttpError::Tls(_) => away("its server can't be reached from here by https"),
    }
}

fn wrong(why: impl Into<String>) -> Unusable {
    Unusable { cause: Cause::Wrong, why: why.into() }
}

fn away(why: impl Into<String>) -> Unusable {
    Unusable { cause: Cause::Away, why: why.into() }
}
