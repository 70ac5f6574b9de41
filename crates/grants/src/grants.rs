//! The node's access grants: what all use cases of this crate share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use falconer_auth::Auth;
use falconer_login::{Login, LoginError};
use falconer_store::{Store, StoreError};

use crate::applications::application::Application;
use crate::applications::command_line::{COMMAND_LINE, CommandLine};
use crate::applications::documents::fetch::{Documents, is_url};
use crate::applications::documents::hosts::NamedHosts;
use crate::applications::known::KnownApplications;
use crate::applications::register::Register;
use crate::oauth::signed::services::OfflineServices;
use crate::openid::backchannel::LogoutCounts;
use crate::settings::GrantSettings;
use crate::targets::registered::Registered;
use crate::targets::target::Target;
use crate::words::known::KnownWords;
use crate::words::published::ScopeWords;

/// The use cases of access grants on one node. One for a process, behind an [`Arc`].
pub struct Grants {
    pub(crate) auth: Arc<Auth>,
    pub(crate) login: Arc<Login>,
    pub(crate) store: Arc<dyn Store>,
    configured: ArcSwap<Configured>,
    pub(crate) applications: KnownApplications,
    pub(crate) known_words: KnownWords,
    pub(crate) logouts: LogoutCounts,
}

/// What the operator has configured and may change while the server runs.
pub(crate) struct Configured {
    pub(crate) settings: GrantSettings,
    pub(crate) registered: Registered,
    /// What `[[scope]]` says, without what services have published.
    pub(crate) words: Arc<ScopeWords>,
    pub(crate) documents: Documents,
    /// Which hosts are told that somebody has signed out.
    pub(crate) logout_hosts: NamedHosts,
    /// Services that verify tokens by themselves.
    pub(crate) offline: OfflineServices,
    /// Falconer's own command.
    command_line: Option<Arc<Application>>,
}

impl Configured {
    fn of(settings: GrantSettings, auth: &Auth) -> Result<Configured, LoginError> {
        let words = Arc::new(ScopeWords::new(&settings.scopes)?);
        let (registered, documents) = (Registered::new(&settings.registered_targets)?, Documents::new(&settings)?);
        let logout_hosts = NamedHosts::of_logouts(&settings.logout_hosts)?;
        let is_own = |target: &Target| auth.is_own_address(target.host(), target.effective_port());
        let offline = OfflineServices::new(&settings.offline_services, &is_own)?;
        Ok(Configured { words, offline, registered, documents, logout_hosts, command_line: settings.command_line.application(), settings })
    }
}

impl Grants {
    /// Checks the settings. Errors ([`LoginError::Invalid`]): a registered target that is none, an application that can't be one, or a sentence
    /// about a scope that can't be used.
    pub fn open(auth: Arc<Auth>, login: Arc<Login>, store: Arc<dyn Store>, settings: GrantSettings) -> Result<Grants, LoginError> {
        let register = Register::new(&settings.applications, |target| auth.is_own_address(target.host(), target.effective_port()))?;
        let applications = KnownApplications::new(register, Arc::clone(&auth));
        let configured = ArcSwap::from_pointee(Configured::of(settings, &auth)?);
        Ok(Grants { auth, login, store, configured, applications, known_words: KnownWords::default(), logouts: LogoutCounts::default() })
    }

    /// From now on these hold; applications stay those of the start. Requests that are being answered go on with what they have begun with. Errors as of
    /// [`Grants::open`], and all stays as it was.
    pub fn reconfigure(&self, settings: GrantSettings) -> Result<(), LoginError> {
        self.configured.store(Arc::new(Configured::of(settings, &self.auth)?));
        Ok(())
    }

    /// What is configured at this moment.
    pub(crate) fn configured(&self) -> Arc<Configured> {
        self.configured.load_full()
    }

    /// The application of this `client_id`, however it is known. One that is known by a document may be known by its address only.
    pub(crate) fn known_application(&self, id: &str) -> Option<Arc<Application>> {
        if is_url(id) {
            self.configured().documents.find(id, self.now_ms())
        } else if id == COMMAND_LINE {
            // The store has none of this id: whoever may make applications there can't say that theirs is Falconer's.
            self.applications.configured.find(id).cloned().or_else(|| self.configured().command_line.clone())
        } else {
            self.applications.find(id)
        }
    }

    /// How Falconer's own command may ask for grants, whoever has said so.
    pub fn command_line(&self) -> CommandLine {
        match self.known_application(COMMAND_LINE) {
            None => CommandLine::Off,
            Some(application) if application.settings.device => CommandLine::BrowserAndDevice,
            Some(_) => CommandLine::Browser,
        }
    }

    /// Counts one of something, of which there may be so many within a time, on however many nodes. Beyond that the store is only read.
    pub(crate) async fn count(&self, key: &str, most: u32, window_ms: i64) -> Result<(), LoginError> {
        let now_ms = self.now_ms();
        let throttled = || LoginError::Throttled { retry_after_seconds: u64::try_from(window_ms / 1000).unwrap_or(1) };
        if self.store.attempts(key, now_ms, window_ms).await.map_err(|error| self.read_error(error))? >= most {
            return Err(throttled());
        }
        let count = self.store.note_attempt(key, now_ms, window_ms).await.map_err(|error| self.store_error(error))?;
        if count > most { Err(throttled()) } else { Ok(()) }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.login.now_ms()
    }

    /// Whether a target is a page of Falconer itself.
    pub(crate) fn is_own(&self, target: &Target) -> bool {
        self.auth.is_own_address(target.host(), target.effective_port())
    }

    pub(crate) fn read_error(&self, error: StoreError) -> LoginError {
        self.login.read_error(error)
    }

    pub(crate) fn store_error(&self, error: StoreError) -> LoginError {
        self.login.store_error(error)
    }
}

#[cfg(test)]
mod tests {
    use falconer_login::Session;

    use super::*;
    use crate::{Choices, GrantRequest};

    /// Web servers move futures between threads; this does not compile when one of them can't be moved.
    #[test]
    fn use_cases_can_move_between_threads() {
        fn moves<T: Send>(_: T) {}
        fn hold(grants: &Grants, session: &Session, request: &GrantRequest, choices: &Choices) {
            moves(grants.offer(session, request));
            moves(grants.grant(session, request, choices, |_| ()));
        }
        let _ = hold;
    }
}
