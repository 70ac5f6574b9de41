//! The flow with one GitHub.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;
use zeroize::Zeroizing;

use super::api::{Api, List, refusal};
use super::following::Renewed;
use super::person::{Answers, User};
use super::settings::{GithubSettings, GithubSettingsError, Organization, Places};
use super::token::Tokens;
use crate::fingerprint::pkce_challenge;
use crate::providers::error::{ProviderError, malformed, short};
use crate::providers::http::{HttpError, ProviderHttp};
use crate::providers::oauth_error::of_callback;
use crate::providers::provider::{Answer, Attempt, Attributes, Found, IdentityProvider, Keeper, Known, Refreshed, SignInStart, Turn};

/// Sign-ins that wait for GitHub at once; one that hangs holds no more of this node.
const AT_ONCE: usize = 64;
/// All that is asked of one person, over however many pages.
const TOTAL: Duration = Duration::from_secs(20);

/// One GitHub.
pub struct GithubProvider {
    pub(super) settings: GithubSettings,
    pub(super) places: Places,
    pub(super) http: Arc<dyn ProviderHttp>,
    pub(super) organizations: Option<Vec<Organization>>,
    /// New tokens that could not be kept.
    pub(super) renewed: Renewed,
    waiting: Semaphore,
}

impl GithubProvider {
    /// Checks the settings; asks nobody yet.
    pub fn new(settings: GithubSettings, http: Arc<dyn ProviderHttp>) -> Result<GithubProvider, GithubSettingsError> {
        settings.check()?;
        let (places, organizations) = (Places::of(settings.url.as_deref())?, settings.organizations()?);
        Ok(GithubProvider { settings, places, http, organizations, renewed: Renewed::default(), waiting: Semaphore::new(AT_ONCE) })
    }

    fn wait(&self) -> Result<SemaphorePermit<'_>, ProviderError> {
        self.waiting.try_acquire().map_err(|_| ProviderError::Busy)
    }

    /// A page of the web site.
    pub(super) fn page(&self, path: &str) -> Result<Url, ProviderError> {
        Url::parse(&format!("{}/{path}", self.places.web)).map_err(|error| malformed("address of GitHub", &error))
    }

    pub(super) fn api(&self, authorization: Option<String>) -> Api<'_> {
        Api { http: self.http.as_ref(), places: &self.places, authorization: authorization.map(Zeroizing::new) }
    }

    /// All that GitHub says of the person whose token this is.
    pub(super) async fn ask(&self, tokens: &Tokens) -> Result<Answers, ProviderError> {
        let api = self.api(Some(format!("Bearer {}", tokens.access)));
        let all = async {
            let user: User = api.one("the account", "user").await?;
            let none = || List { entries: Vec::new(), hidden: false };
            let emails = async { if self.settings.email { api.list("addresses", "user/emails").await } else { Ok(none()) } };
            let groups = async {
                if !self.settings.groups {
                    return Ok((List { entries: Vec::new(), hidden: false }, List { entries: Vec::new(), hidden: false }));
                }
                tokio::try_join!(api.list("organisations", "user/orgs"), api.list("teams", "user/teams"))
            };
            let (emails, (orgs, teams)) = tokio::try_join!(emails, groups)?;
            let hidden = orgs.hidden || teams.hidden;
            Ok(Answers { user, emails: emails.entries, orgs: orgs.entries, teams: teams.entries, hidden })
        };
        let slow = |_| ProviderError::Http { what: "the API", error: HttpError::TooSlow };
        tokio::time::timeout(TOTAL, all).await.map_err(slow)?
    }
}

#[async_trait]
impl IdentityProvider for GithubProvider {
    fn sign_in_start(&self) -> SignInStart {
        SignInStart::Away
    }

    fn known_by(&self) -> String {
        "github id".to_owned()
    }

    fn names_are_reused(&self) -> bool {
        true
    }

    async fn begin(&self, attempt: &Attempt, _: i64) -> Result<Url, ProviderError> {
        let mut url = self.page("login/oauth/authorize")?;
        let challenge = pkce_challenge(&attempt.verifier);
        let scopes = [(self.settings.groups, "read:org"), (self.settings.email, "user:email")];
        let scopes: Vec<&str> = scopes.into_iter().filter(|(is_requested, _)| *is_requested).map(|(_, scope)| scope).collect();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &attempt.redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &attempt.state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    async fn finish(&self, _: Turn, attempt: &Attempt, answer: &Answer, now_ms: i64) -> Result<Found, ProviderError> {
        let callback = answer.callback()?;
        let _waiting = self.wait()?;
        // GitHub need not name itself; whoever does so in its place is somebody else.
        let own = [self.places.web.clone(), format!("{}/login/oauth", self.places.web)];
        if let Some(issuer) = callback.issuer.as_ref().filter(|issuer| !own.contains(*issuer)) {
            return Err(ProviderError::ForeignCallback(short(issuer)));
        }
        if let Some(error) = &callback.error {
            return Err(of_callback(error));
        }
        let code = callback.code.as_ref().filter(|code| !code.is_empty()).ok_or(ProviderError::NoCode)?;
        let tokens = self.exchange(code, &attempt.verifier, &attempt.redirect_uri, now_ms).await?;
        let attributes = self.ask(&tokens).await?.attributes(self.organizations.as_deref())?;
        // GitHub can't be told to ask somebody again, and says nothing of when it did: coming back from it is all that there is.
        Ok(Found { attributes, handle: tokens.to_keep(), proved_ms: Some(now_ms) })
    }

    async fn refresh(&self, known: &Known<'_>, keeper: &dyn Keeper, now_ms: i64) -> Result<Refreshed, ProviderError> {
        let Some(kept) = known.handle else { return Ok(Refreshed::CannotBeAsked) };
        let _waiting = self.wait()?;
        self.follow(known, kept, keeper, now_ms).await
    }

    async fn probe(&self, now_ms: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        // A code that there is not: GitHub looks at the client first.
        match self.token(&[("code", "made-up-to-try-the-client")], now_ms).await {
            Err(ProviderError::Said(said)) if said == "bad_verification_code" => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(ProviderError::Unsupported("token endpoint that looks at codes")),
        }
        let api = self.api(None);
        let answer = api.ask("meta", api.url("meta")?).await?;
        let state = match answer.status {
            200 => "answers",
            401 => "answers signed-in people only",
            _ => return Err(refusal("meta", &answer)),
        };
        let organizations =
            self.organizations.as_deref().map(|list| list.iter().map(Organization::to_string).collect::<Vec<_>>().join(", "));
        Ok(vec![
            ("people go to", self.places.web.clone()),
            ("its API", format!("{} {state}", self.places.api)),
            ("client", "known, with this secret".to_owned()),
            ("whose members sign in", organizations.unwrap_or_else(|| "everybody".to_owned())),
        ])
    }

    fn attributes(&self, claims: &Map<String, Value>) -> Result<Attributes, ProviderError> {
        Answers::read(claims)?.attributes(self.organizations.as_deref())
    }
}
