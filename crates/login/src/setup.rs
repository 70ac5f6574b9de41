//! The set-up link: whoever holds it makes the first administrator, once, within an hour.

use falconer_auth::{HOUR_MS, Revision};

use crate::account_rules::person_of;
use crate::accounts::{NewAccount, name_taken};
use crate::error::LoginError;
use crate::login::{Login, hash_of, is_token};

/// The administrator's own scopes, besides what is configured.
const ADMINISTRATOR: &str = "auth:*";

impl Login {
    /// A new link's token, 256 random bits in 43 characters of base64url, and its end, an hour from now in milliseconds since the epoch.
    /// The store has only a hash of the token.
    pub async fn create_setup_link(&self) -> Result<(String, i64), LoginError> {
        let token = self.new_token();
        let expires_ms = self.now_ms().saturating_add(HOUR_MS);
        self.store.put_setup_link(&hash_of(&token), expires_ms).await.map_err(|error| self.store_error(error))?;
        Ok((token.to_string(), expires_ms))
    }

    /// Whether the link can still be used.
    pub async fn setup_link_valid(&self, token: &str) -> Result<bool, LoginError> {
        self.check_clock()?;
        if !is_token(token) {
            return Ok(false);
        }
        self.store.setup_link_valid(&hash_of(token), self.now_ms()).await.map_err(|error| self.store_error(error))
    }

    /// Makes the administrator and uses the link up, in one step. 400 when something is not as [`NewAccount`] says, 409 when the link is used
    /// or over, or the name was ever used (the link stays usable then).
    pub async fn complete_setup(
        &self,
        token: &str,
        name: &str,
        display_name: &str,
        email: Option<&str>,
        password: &str,
    ) -> Result<Revision, LoginError> {
        if !self.setup_link_valid(token).await? {
            return Err(link_over());
        }
        let mut scopes = vec![ADMINISTRATOR.to_owned()];
        scopes.extend(self.settings.setup_scopes.iter().cloned());
        let new = NewAccount {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            email: email.map(str::to_owned),
            password: Some(password.to_owned()),
            groups: Vec::new(),
            scopes,
        };
        let now_ms = self.now_ms();
        let account = self.account_of(new, now_ms).await?;
        let _turn = self.accounts_turn.lock().await;
        if self.store.account(name).await.map_err(|error| self.store_error(error))?.is_some() {
            return Err(name_taken(name));
        }
        match self.auth.complete_setup(&hash_of(token), &account, &person_of(&account, now_ms)).await.map_err(LoginError::from) {
            Err(LoginError::Conflict(_)) => Err(link_over()),
            outcome => outcome,
        }
    }
}

fn link_over() -> LoginError {
    LoginError::Conflict("This set-up link was used, or its hour is over; `falconer setup-link` makes another".to_owned())
}
