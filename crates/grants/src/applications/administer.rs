//! What administrators and owners do about applications of the store. What they may do is looked at when it is decided, in `auth`.

use std::sync::Arc;

use falconer_auth::{ApiError, ApplicationInput, ApplicationRecord, Authentication, DAY_MS, Page, PageQuery, Revision, Secret};
use falconer_login::{Login, LoginError, Session, sha256_hex};

use crate::applications::application::Application;
use crate::applications::command_line::COMMAND_LINE;
use crate::applications::register::check_input;
use crate::applications::registration::register::is_id_of_registered;
use crate::grants::Grants;

/// In front of secrets, so that one that lies about is recognised.
const PREFIX: &str = "falconer_as_";
/// For so long a secret counts after the next one was made, where nothing else is asked for.
pub const SECRET_OVERLAP_MS: i64 = DAY_MS;
/// And for so long at most.
pub const LONGEST_SECRET_OVERLAP_MS: i64 = 7 * DAY_MS;

/// An application that was made or changed.
pub struct PutApplication {
    /// As it is from now on.
    pub record: ApplicationRecord,
    /// Its secret, where it has just got one. Nobody can read it later.
    pub secret: Option<Secret>,
    /// At which it holds.
    pub revision: Revision,
}

impl Grants {
    /// One page of the applications of the store, by id. It takes `auth:list-applications`.
    pub fn list_applications(&self, who: &Authentication, query: &PageQuery) -> Result<Page<Arc<ApplicationRecord>>, ApiError> {
        self.auth.list_applications(who, query)
    }

    /// One application of the store. It takes the same, or to own it.
    pub fn application(&self, who: &Authentication, id: &str) -> Result<Arc<ApplicationRecord>, ApiError> {
        self.auth.application(who, id)
    }

    /// The applications of the configuration, by id.
    pub fn configured_applications(&self) -> impl Iterator<Item = &Arc<Application>> {
        self.applications.configured.iter()
    }

    /// Makes an application, or changes it. It takes `auth:create-application:<id>` or `auth:update-application:<id>` (or to own it), each scope that it may ask
    /// for, and `auth:skip-consent:<id>` where nobody is asked.
    ///
    /// `seen_ms`: when it was last changed as whoever asks has seen it; 0: that there is none. 409 when it is otherwise, and when the configuration has one of this
    /// id; 400 for what can't be.
    pub async fn put_application(
        &self,
        who: &Authentication,
        id: &str,
        input: &ApplicationInput,
        seen_ms: Option<i64>,
    ) -> Result<PutApplication, ApiError> {
        let input = &check_input(id, input, &|target| self.is_own(target)).map_err(ApiError::InputError)?;
        self.check_logout_host(&input.backchannel_logout_uri).map_err(ApiError::InputError)?;
        if !self.signs_by(input.id_token_alg) {
            let text = format!(
                "idTokenAlg: this server has no key for {}: falconer keys rotate-openid --rsa brings one",
                input.id_token_alg.as_str()
            );
            return Err(ApiError::InputError(text));
        }
        if is_id_of_registered(id) && self.auth.directory().applications().get(id).is_none() {
            self.auth.check_application_scope(who, id)?;
            return Err(ApiError::InputError(format!(
                "{id}: applications that register themselves have ids like that; choose another one"
            )));
        }
        if id == COMMAND_LINE {
            self.auth.check_application_scope(who, id)?;
            return Err(ApiError::RequestConflict(format!("{id} is Falconer's own command; `grant.command_line` says how it may ask")));
        }
        let secret = new_secret(&self.login);
        // Whoever may not make it is not told what the configuration has.
        if self.applications.configured.find(id).is_some() {
            self.auth.check_application_scope(who, id)?;
            return Err(ApiError::RequestConflict(format!("The application {id} is in the configuration, and is changed there")));
        }
        let (put, revision) = self.auth.put_application(who, id, input, &sha256_hex(secret.expose()), seen_ms).await?;
        Ok(PutApplication { record: put.record, secret: put.has_new_secret.then_some(secret), revision })
    }

    /// The same as the session's person, who has to have proved a short while ago to be there: where answers go, and a secret that is shown, go on without them.
    /// `seen_ms` as in [`Grants::put_application`].
    pub async fn put_application_from(
        &self,
        session: &Session,
        id: &str,
        input: &ApplicationInput,
        seen_ms: i64,
    ) -> Result<Result<PutApplication, ApiError>, LoginError> {
        self.login.check_fresh(session)?;
        Ok(self.put_application(&Authentication::person(&session.identity), id, input, Some(seen_ms)).await)
    }

    /// [`Grants::reset_application_secret`] as the session's person, who has to have proved a short while ago to be there.
    pub async fn reset_application_secret_from(
        &self,
        session: &Session,
        id: &str,
        overlap_ms: i64,
    ) -> Result<Result<PutApplication, ApiError>, LoginError> {
        self.login.check_fresh(session)?;
        Ok(self.reset_application_secret(&Authentication::person(&session.identity), id, overlap_ms).await)
    }

    /// Gives a confidential application another secret. The one before counts for `overlap_ms` more. It takes what changing takes.
    pub async fn reset_application_secret(&self, who: &Authentication, id: &str, overlap_ms: i64) -> Result<PutApplication, ApiError> {
        if !(0..=LONGEST_SECRET_OVERLAP_MS).contains(&overlap_ms) {
            return Err(ApiError::InputError("overlapSeconds: a secret counts for 7 days at most after the next one was made".to_owned()));
        }
        let secret = new_secret(&self.login);
        let (record, revision) = self.auth.reset_application_secret(who, id, &sha256_hex(secret.expose()), overlap_ms).await?;
        Ok(PutApplication { record, secret: Some(secret), revision })
    }

    /// Deletes an application; fine when there is none. It takes `auth:delete-application:<id>`, or to own it. `seen_ms` as in [`Grants::put_application`]. What one was
    /// granted that has registered itself ends with it.
    pub async fn delete_application(&self, who: &Authentication, id: &str, seen_ms: Option<i64>) -> Result<Revision, ApiError> {
        let known = self.auth.directory().applications().get(id).cloned();
        let is_by_itself = match &known {
            Some(known) => known.registration.is_some(),
            // Where its grants could not be ended, whoever deletes it once more ends them: by then only its id says that it had registered itself.
            None => is_id_of_registered(id) && self.applications.configured.find(id).is_none(),
        };
        let is_as_seen = known.is_none_or(|known| seen_ms.is_none_or(|seen_ms| seen_ms == known.last_modified_ms));
        // Before too: an owner who repeats it would have no right to what is gone.
        let ends_before = is_by_itself && is_as_seen && self.auth.application_acts(who, id)?.delete;
        let has_ended_some = ends_before && self.end_grants_for(id).await?;
        let deleted = self.auth.delete_application(who, id, seen_ms).await;
        let revision = deleted.map_err(|error| if has_ended_some { error.after_a_change() } else { error })?;
        if is_by_itself {
            self.end_grants_for(id).await.map_err(LoginError::after_a_change)?;
        }
        Ok(revision)
    }
}

pub(crate) fn new_secret(login: &Login) -> Secret {
    Secret::new(format!("{PREFIX}{}", login.draw::<32>()))
}
