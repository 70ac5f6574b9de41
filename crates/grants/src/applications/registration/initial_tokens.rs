//! What administrators give out, so that applications can register themselves (RFC 7591 section 1.2).

use falconer_auth::{ApiError, ApplicationInput, Authentication, Creator, DAY_MS, InitialTokenRecord, Revision, Secret};
use falconer_login::{LoginError, Session, hash_of_token};

use crate::applications::register::check_input;
use crate::grants::Grants;

/// In front of each, so that one that lies about is recognised.
const PREFIX: &str = "falconer_it_";
/// What the hash of one is for.
const PURPOSE: &str = "initial access token";
/// It lasts so long at most.
const LONGEST_MS: i64 = 366 * DAY_MS;
/// It is used so often at most.
const MOST_USES: i64 = 1000;

/// What an initial access token is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialTokenInput {
    /// Markdown, for administrators.
    pub description: String,
    /// Who owns what is registered; empty: nobody.
    pub owner: String,
    /// What may be asked for by what is registered, at most.
    pub scopes: Vec<String>,
    /// The longest life of grants to it, in milliseconds.
    pub max_life_ms: i64,
    /// How often it can be used.
    pub max_uses: i64,
    /// For how long it counts, in milliseconds.
    pub life_ms: i64,
}

/// An initial access token that was made.
pub struct NewInitialToken {
    /// As it is kept.
    pub record: InitialTokenRecord,
    /// The token. Nobody can read it later.
    pub token: Secret,
    /// At which it holds.
    pub revision: Revision,
}

pub(crate) fn hash_of_initial_token(token: &str) -> String {
    hash_of_token(PURPOSE, token)
}

impl Grants {
    /// Makes an initial access token. It takes `auth:create-initial-token:<id>`, and each scope that may be asked for by what is registered with it.
    pub async fn create_initial_token(
        &self,
        who: &Authentication,
        id: &str,
        input: &InitialTokenInput,
    ) -> Result<NewInitialToken, ApiError> {
        check(id, input).map_err(ApiError::InputError)?;
        let token = Secret::new(format!("{PREFIX}{}", self.login.draw::<32>()));
        let record = InitialTokenRecord {
            id: id.to_owned(),
            hash: hash_of_initial_token(token.expose()),
            description: input.description.clone(),
            created_by: String::new(),
            creator: Creator::Either,
            owner: input.owner.clone(),
            scopes: input.scopes.clone(),
            max_life_ms: input.max_life_ms,
            max_uses: input.max_uses,
            uses: 0,
            created_ms: 0,
            expires_ms: self.now_ms().saturating_add(input.life_ms),
        };
        let (record, revision) = self.auth.create_initial_token(who, record).await?;
        Ok(NewInitialToken { record, token, revision })
    }

    /// The same as the session's person, who has to have proved a short while ago to be there: what is shown goes on without them.
    pub async fn create_initial_token_from(
        &self,
        session: &Session,
        id: &str,
        input: &InitialTokenInput,
    ) -> Result<Result<NewInitialToken, ApiError>, LoginError> {
        self.login.check_fresh(session)?;
        Ok(self.create_initial_token(&Authentication::person(&session.identity), id, input).await)
    }

    /// Those that have not ended, by id. It takes `auth:list-initial-tokens`.
    pub async fn list_initial_tokens(&self, who: &Authentication) -> Result<Vec<InitialTokenRecord>, ApiError> {
        self.auth.list_initial_tokens(who).await
    }

    /// Revokes one; fine when there is none. It takes `auth:delete-initial-token:<id>`.
    pub async fn delete_initial_token(&self, who: &Authentication, id: &str) -> Result<Revision, ApiError> {
        self.auth.delete_initial_token(who, id).await
    }
}

/// What is registered with it is checked by the rules of applications, which need a name and a place for answers. Errors say what to write instead.
fn check(id: &str, input: &InitialTokenInput) -> Result<(), String> {
    if !(1..=MOST_USES).contains(&input.max_uses) {
        return Err(format!("uses: give 1 to {MOST_USES}"));
    }
    if !(1..=LONGEST_MS).contains(&input.life_ms) {
        return Err("expires: give more than nothing and at most 366 days".to_owned());
    }
    let like = ApplicationInput {
        name: id.to_owned(),
        description: input.description.clone(),
        owner: input.owner.clone(),
        redirect_uris: vec!["https://example.com/".to_owned()],
        scopes: input.scopes.clone(),
        max_life_ms: input.max_life_ms,
        ..ApplicationInput::default()
    };
    check_input(id, &like, &|_| false).map(drop)
}
