//! Registering, reading, changing and deleting by the application itself (RFC 7591 section 3, RFC 7592 section 2).

use std::net::IpAddr;

use falconer_auth::{
    ANYTHING, ApiError, ApplicationInput, ApplicationRecord, HOUR_MS, InitialTokenRecord, MINUTE_MS, NewRegistration, Secret,
    SigningAlgorithm,
};
use falconer_login::{LoginError, hash_of_token, network, network_around, sha256_hex};
use falconer_scopes::ScopeSet;
use falconer_wire::scope_text;
use serde_json::{Map, Value};

use crate::applications::administer::new_secret;
use crate::applications::client_metadata::text;
use crate::applications::logout_uri::check_logout_uri;
use crate::applications::register::{check_input, check_redirect};
use crate::applications::registration::error::RegistrationError;
use crate::applications::registration::initial_tokens::hash_of_initial_token;
use crate::applications::registration::metadata::{self, ClientMetadata, ProofMethod};
use crate::consent::lifetime::LONGEST_MS;
use crate::grants::Grants;
use crate::oauth::request::parameters::Parameters;
use crate::oauth::request::refusal::AuthorizationError;
use crate::settings::Registration;

/// In front of each token with which an application is read, changed and deleted.
const PREFIX: &str = "falconer_ra_";
/// What the hash of one is for.
const PURPOSE: &str = "registration access token";
/// In front of each id of an application that has registered itself.
const ID_PREFIX: &str = "registered-";
/// And so many characters follow.
const ID_LENGTH: usize = 22;
/// So many registrations are read in a minute from one network.
const MOST_BY_NETWORK: u32 = 60;
/// And so many in an hour where nothing is needed for one.
const MOST_OPEN_BY_NETWORK: u32 = 20;
/// And so many from around it.
const MOST_OPEN_AROUND: u32 = 60;
/// So often in an hour an application changes itself.
const MOST_CHANGES: u32 = 60;
/// So many grants are ended in one step.
const STEP: usize = 200;

/// Whether an application of this id has registered itself, as far as the id can tell: nobody else's has one like that.
pub(crate) fn is_id_of_registered(id: &str) -> bool {
    let drawn =
        |rest: &str| rest.len() == ID_LENGTH && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    id.strip_prefix(ID_PREFIX).is_some_and(drawn)
}

/// What an application is told of itself. Secrets, so no `Debug`.
pub struct RegisteredApplication {
    /// As it is kept.
    pub id: String,
    /// When it was registered, milliseconds since 1970.
    pub created_ms: i64,
    /// What it calls itself.
    pub name: String,
    /// Where its answers go.
    pub redirect_uris: Vec<String>,
    /// How it proves who it is.
    pub method: ProofMethod,
    /// The public keys that it proves that with, each a JWK as JSON.
    pub keys: Vec<String>,
    /// What it may ask for, as a value of `scope`; where it may ask for anything, what it asks for where its request names nothing. `None`: nothing particular.
    pub scope: Option<String>,
    /// Whether its requests have to be pushed.
    pub pushed_only: bool,
    /// What its ID tokens are signed with.
    pub id_token_alg: SigningAlgorithm,
    /// It gets no token that is bound to no key.
    pub dpop_bound_access_tokens: bool,
    /// Where it is told that a session has ended. `None`: nowhere.
    pub backchannel_logout_uri: Option<String>,
    /// Its secret, where it has just got one.
    pub secret: Option<Secret>,
    /// With which it is read, changed and deleted.
    pub access_token: String,
}

impl Grants {
    /// Whether applications register themselves.
    pub fn registration(&self) -> Registration {
        self.configured().settings.registration
    }

    /// Registers an application by its metadata. `token`: what came in `Authorization: Bearer`.
    pub async fn register(
        &self,
        token: Option<&str>,
        metadata: &Map<String, Value>,
        address: IpAddr,
    ) -> Result<RegisteredApplication, RegistrationError> {
        let mode = self.registration();
        if mode == Registration::Off {
            return Err(RegistrationError::Off);
        }
        self.login.check_clock()?;
        let (network, around) = (network(address), network_around(address));
        self.count(&format!("registration/network/{network}"), MOST_BY_NETWORK, MINUTE_MS).await?;
        let initial = match (token, mode) {
            (Some(token), _) => {
                let found = self.auth.usable_initial_token(&hash_of_initial_token(token)).await?;
                Some(found.ok_or(RegistrationError::Token)?)
            }
            (None, Registration::Open) => None,
            (None, Registration::Token | Registration::Off) => return Err(RegistrationError::Token),
        };
        let read = self.read_metadata(metadata)?;
        let id = format!("{ID_PREFIX}{}", self.login.draw::<16>());
        let input = self.registered_as(&id, &read, initial.as_ref(), None)?;
        // Last: what could not be registered takes nobody's place.
        if initial.is_none() {
            self.count(&format!("registration/open/{network}"), MOST_OPEN_BY_NETWORK, HOUR_MS).await?;
            self.count(&format!("registration/open/{around}"), MOST_OPEN_AROUND, HOUR_MS).await?;
        }
        let (secret, access_token) = (new_secret(&self.login), format!("{PREFIX}{}", self.login.draw::<32>()));
        let (secret_hash, access_hash) = (sha256_hex(secret.expose()), hash_of_token(PURPOSE, &access_token));
        let initial_token = initial.as_ref();
        let new = NewRegistration {
            id: &id,
            input: &input,
            secret_hash: &secret_hash,
            access_hash: &access_hash,
            initial_token,
            network: &around,
        };
        let Some(record) = self.auth.register_application(&new).await? else {
            let without_a_token = initial_token.is_none();
            tracing::warn!(without_a_token, "an application could not register itself: as many have as there can be");
            return Err(RegistrationError::Full);
        };
        let secret = record.secret_hash.is_some().then_some(secret);
        Ok(RegisteredApplication { method: read.method, secret, ..shown(&record, &access_token) })
    }

    /// Has an application at hand that may have registered itself at another server a moment ago: it goes on at once, at whichever server it comes to.
    pub async fn look_for_application(&self, id: &str) -> Result<(), LoginError> {
        if id.starts_with(ID_PREFIX) && self.auth.directory().applications().get(id).is_none() {
            self.auth.catch_up().await.map_err(|error| self.read_error(error))?;
        }
        Ok(())
    }

    /// The same for the one that asks with this query.
    pub async fn look_for_application_of(&self, query: &str) -> Result<(), AuthorizationError> {
        let Ok(parameters) = Parameters::read(query) else { return Ok(()) };
        let Ok(Some(id)) = parameters.one("client_id") else { return Ok(()) };
        self.look_for_application(id).await.map_err(AuthorizationError::Login)
    }

    /// What an application is registered as.
    pub async fn registered(&self, id: &str, token: Option<&str>) -> Result<RegisteredApplication, RegistrationError> {
        let (record, token) = self.registered_with(id, token).await?;
        Ok(shown(&record, token))
    }

    /// Makes an application what its metadata says now. What is left out is as if nothing had been said, but for `scope`, which is never more than it
    /// was, and `dpop_bound_access_tokens` and `require_pushed_authorization_requests`, which stay. One that proves who it is can't become one that does not. So whoever
    /// has the token makes nothing of it less safe.
    pub async fn change_registered(
        &self,
        id: &str,
        token: Option<&str>,
        metadata: &Map<String, Value>,
    ) -> Result<RegisteredApplication, RegistrationError> {
        let (known, token) = self.registered_with(id, token).await?;
        self.login.check_clock()?;
        self.count(&format!("registration/application/{id}"), MOST_CHANGES, HOUR_MS).await?;
        let invalid = |why: &str| RegistrationError::Metadata(why.to_owned());
        if text(metadata, "client_id")? != Some(id) {
            return Err(invalid("client_id: it has to be there, as it was registered."));
        }
        for name in ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"] {
            if metadata.contains_key(name) {
                return Err(invalid(&format!("{name}: leave it out, it is not for the application to say.")));
            }
        }
        let is_its_secret = |secret: &str| known.secret_hash.as_ref().is_some_and(|hash| falconer_login::has_sha256(secret, hash));
        if text(metadata, "client_secret")?.is_some_and(|secret| !is_its_secret(secret)) {
            return Err(invalid("client_secret: it is not the one that the application has."));
        }
        let read = self.read_metadata(metadata)?;
        let secret = new_secret(&self.login);
        // By what it is at the decision: an administrator may have changed what it may ask for since.
        let input = |known: &ApplicationRecord| self.registered_as(id, &read, None, Some(known));
        let changed = self.auth.update_registered(id, &hash_of_token(PURPOSE, token), &input, &sha256_hex(secret.expose())).await?;
        let changed = changed.ok_or(RegistrationError::Token)?;
        let secret = changed.has_new_secret.then_some(secret);
        Ok(RegisteredApplication { method: read.method, secret, ..shown(&changed.record, token) })
    }

    /// Deletes an application as itself wants, and ends what it was granted.
    pub async fn delete_registered(&self, id: &str, token: Option<&str>) -> Result<(), RegistrationError> {
        let (_, token) = self.registered_with(id, token).await?;
        // Before, so that whoever repeats it after a failure still can; and after, for what was granted in between.
        let has_ended_some = self.end_grants_for(id).await?;
        let deleted = self.auth.delete_registered(id, &hash_of_token(PURPOSE, token)).await;
        if !deleted.map_err(|error| if has_ended_some { error.after_a_change() } else { error })? {
            return Err(RegistrationError::Token);
        }
        self.end_grants_for(id).await.map_err(LoginError::after_a_change)?;
        Ok(())
    }

    /// Ends all that codes and tokens of an application stand for. Whether that was anything; an error says that nothing was changed only where that is so.
    pub(crate) async fn end_grants_for(&self, id: &str) -> Result<bool, LoginError> {
        let open = self.store.open_grants_for(id, self.now_ms()).await.map_err(|error| self.read_error(error))?;
        let mut has_ended_some = false;
        for some in open.chunks(STEP) {
            let owners: Vec<String> = some.iter().map(|grant| grant.identity.clone()).collect();
            let ids = some.iter().map(|grant| grant.id.clone()).collect();
            let ended = self.login.revoke_grants(&owners, "registration", ids, "the application was deleted").await;
            ended.map_err(|error| if has_ended_some { error.after_a_change() } else { error })?;
            has_ended_some = true;
        }
        Ok(has_ended_some)
    }

    /// The application of this id and this token, also where another server has registered it a moment ago.
    async fn registered_with<'t>(
        &self,
        id: &str,
        token: Option<&'t str>,
    ) -> Result<(std::sync::Arc<ApplicationRecord>, &'t str), RegistrationError> {
        let token = token.ok_or(RegistrationError::Token)?;
        self.look_for_application(id).await?;
        let hash = hash_of_token(PURPOSE, token);
        let directory = self.auth.directory();
        let known = directory.applications().get(id);
        let known = known.filter(|known| known.registration.as_ref().is_some_and(|registration| registration.access_hash == hash));
        known.map(|known| (std::sync::Arc::clone(known), token)).ok_or(RegistrationError::Token)
    }

    fn read_metadata(&self, metadata: &Map<String, Value>) -> Result<ClientMetadata, RegistrationError> {
        let is_redirect = |uri: &str| check_redirect(uri, &|target| self.is_own(target));
        let is_told_at = |uri: &str| {
            check_logout_uri(uri, &|target| self.is_own(target))?;
            self.check_logout_host(uri)
        };
        metadata::read(metadata, is_redirect, |algorithm| self.signs_by(algorithm), is_told_at)
    }

    /// What it is registered as, by the rules of all applications: one that they refuse would be kept and never found.
    fn registered_as(
        &self,
        id: &str,
        read: &ClientMetadata,
        initial: Option<&InitialTokenRecord>,
        known: Option<&ApplicationRecord>,
    ) -> Result<ApplicationInput, ApiError> {
        let input = registered_as(read, initial, known)?;
        check_input(id, &input, &|target| self.is_own(target)).map_err(ApiError::InputError)
    }
}

/// What it is registered as: by what it has shown, or as what it is known already.
fn registered_as(
    read: &ClientMetadata,
    initial: Option<&InitialTokenRecord>,
    known: Option<&ApplicationRecord>,
) -> Result<ApplicationInput, ApiError> {
    // Its refresh tokens and codes would count for whoever found them: they are bound to no key, because it proved who it was.
    if known.is_some_and(|known| known.confidential) && read.method == ProofMethod::Nothing {
        let text = "token_endpoint_auth_method: an application that proves who it is goes on to do so. Register another one.";
        return Err(ApiError::InputError(text.to_owned()));
    }
    let anything = [ANYTHING.to_owned()];
    let allowed: &[String] = match (initial, known) {
        (Some(initial), _) => &initial.scopes,
        (None, Some(known)) => &known.scopes,
        (None, None) => &anything,
    };
    // Until an administrator says less: what it wants is then what it asks for where its request says nothing.
    let is_anything =
        known.map_or(initial.is_none(), |known| known.needed_no_token() && known.scopes.iter().any(|scope| scope == ANYTHING));
    let scopes = match &read.scopes {
        Some(wanted) => {
            let most = ScopeSet::new(allowed);
            if let Some(more) = wanted.iter().find(|scope| !most.satisfies(scope)) {
                return Err(ApiError::InputError(format!("scope: {more} is more than what this application may ask for.")));
            }
            wanted
                .iter()
                .filter(|scope| !is_anything || *scope != ANYTHING)
                .chain(anything.iter().filter(|_| is_anything))
                .cloned()
                .collect()
        }
        None => allowed.to_vec(),
    };
    let max_life_ms = initial.map_or(LONGEST_MS, |initial| initial.max_life_ms);
    Ok(ApplicationInput {
        name: read.name.clone(),
        description: known.map(|known| known.description.clone()).unwrap_or_default(),
        owner: known.map(|known| &known.owner).or(initial.map(|initial| &initial.owner)).cloned().unwrap_or_default(),
        redirect_uris: read.redirect_uris.clone(),
        scopes,
        max_life_ms: known.map_or(max_life_ms, |known| known.max_life_ms),
        confidential: read.method != ProofMethod::Nothing,
        remember_ms: 0,
        skip_consent: false,
        pushed_only: read.pushed_only || known.is_some_and(|known| known.pushed_only),
        id_token_alg: read.id_token_alg,
        dpop_bound_access_tokens: read.dpop_bound_access_tokens || known.is_some_and(|known| known.dpop_bound_access_tokens),
        backchannel_logout_uri: read.backchannel_logout_uri.clone(),
        keys: read.keys.clone(),
        agent: known.is_some_and(|known| known.agent),
    })
}

fn shown(record: &ApplicationRecord, token: &str) -> RegisteredApplication {
    let said: Vec<&str> =
        record.scopes.iter().map(String::as_str).filter(|scope| !record.needed_no_token() || *scope != ANYTHING).collect();
    RegisteredApplication {
        id: record.id.clone(),
        created_ms: record.created_ms,
        name: record.name.clone(),
        redirect_uris: record.redirect_uris.clone(),
        method: match (record.confidential, record.keys.is_empty()) {
            (false, _) => ProofMethod::Nothing,
            (true, true) => ProofMethod::Basic,
            (true, false) => ProofMethod::Key,
        },
        keys: record.keys.clone(),
        scope: (!said.is_empty()).then(|| scope_text::write(said)),
        pushed_only: record.pushed_only,
        id_token_alg: record.id_token_alg,
        dpop_bound_access_tokens: record.dpop_bound_access_tokens,
        backchannel_logout_uri: Some(record.backchannel_logout_uri.clone()).filter(|uri| !uri.is_empty()),
        secret: None,
        access_token: token.to_owned(),
    }
}
