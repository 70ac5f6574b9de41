//! The first administrator: a link that is valid for an hour and works once.

use falconer_auth::HOUR_MS;
use falconer_store::SignInMethod;
use zeroize::Zeroizing;

use crate::accounts::account::identity_of;
use crate::accounts::manage::NewAccount;
use crate::error::LoginError;
use crate::fingerprint::hash_of_token;
use crate::login::Login;
use crate::sessions::attempts::Visitor;
use crate::sessions::session::SignedIn;

/// A new set-up link's token: to be shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct SetupLink {
    /// 43 characters of `A-Za-z0-9_-`.
    pub token: Zeroizing<String>,
    /// Milliseconds since 1970.
    pub expires_ms: i64,
}

impl Login {
    /// Makes a link. It is the caller's to show it to nobody but the operator.
    pub async fn create_setup_link(&self) -> Result<SetupLink, LoginError> {
        let token = Zeroizing::new(self.draw::<32>());
        let expires_ms = self.now_ms().saturating_add(HOUR_MS);
        let kept = self.store.put_setup_link(&hash(&token), expires_ms).await;
        kept.map_err(|error| self.store_error(error))?;
        Ok(SetupLink { token, expires_ms })
    }

    /// Whether the link still works.
    pub async fn setup_link_valid(&self, token: &str) -> Result<bool, LoginError> {
        self.check_clock()?;
        let hash = hash(token);
        let valid = self.store.setup_link_valid(&hash, self.now_ms());
        valid.await.map_err(|error| self.read_error(error))
    }

    /// Makes the first administrator, with `auth:*` and what the configuration lists, and signs them in. Conflict: the link is over or used, or the name is
    /// taken (then the link stays usable).
    pub async fn complete_setup(
        &self,
        token: &str,
        name: &str,
        display_name: &str,
        email: Option<&str>,
        password: &str,
        visitor: &Visitor<'_>,
    ) -> Result<SignedIn, LoginError> {
        // Before any hashing: a stranger without a link costs nothing.
        if !self.setup_link_valid(token).await? {
            return Err(LoginError::Conflict("The set-up link was used or is over. `falconer setup-link` makes another.".to_owned()));
        }
        let mut scopes = vec!["auth:*".to_owned()];
        scopes.extend(self.settings.administrator_scopes.iter().cloned());
        scopes.dedup();
        let account = self.new_account(&NewAccount {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            email: email.map(str::to_owned),
            groups: Vec::new(),
            scopes,
        })?;
        let password_hash = self.hash_password(password).await?;
        let identity = identity_of(&account, &self.new_person_id(), account.created_ms);
        self.auth.complete_setup(&hash(token), &account, &identity, Some(&password_hash)).await?;
        let signed_in = self.begin_session(&identity.identity, SignInMethod::SetupLink, visitor).await;
        signed_in.map_err(LoginError::after_a_change)
    }
}

fn hash(token: &str) -> String {
    hash_of_token("set-up", token)
}
