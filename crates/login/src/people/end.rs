//! What ends with a person: what they let others do, here at once and at every use.

use crate::error::LoginError;
use crate::login::Login;

impl Login {
    /// Takes back everything that a person has granted.
    pub(crate) async fn revoke_all_grants(&self, owner: &str, by: &str, reason: &str) -> Result<(), LoginError> {
        let grants = self.store.grants_of(owner).await;
        let grants = grants.map_err(|error| self.store_error(error))?;
        let ids = grants.into_iter().filter(|grant| grant.revoked_ms.is_none()).map(|grant| grant.id).collect();
        self.revoke_grants(owner, by, ids, reason).await
    }

    /// Takes back these grants of one person; ids of others are passed over.
    pub async fn revoke_grants(&self, owner: &str, by: &str, ids: Vec<String>, reason: &str) -> Result<(), LoginError> {
        // Auth passes over what this node has not heard of yet.
        if ids.iter().any(|id| self.auth.directory().grant(id).is_none()) {
            let caught_up = self.auth.catch_up().await;
            caught_up.map_err(|error| self.store_error(error))?;
        }
        self.auth.revoke_grants(owner, by, &ids, reason).await?;
        Ok(())
    }
}
