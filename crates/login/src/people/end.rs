//! What ends with a person or one of their identities: what they let others do, here at once and at every use.

use crate::error::LoginError;
use crate::login::Login;

impl Login {
    /// Takes back everything that was granted and is named by one of these identities.
    pub(crate) async fn revoke_all_grants(&self, owners: &[String], by: &str, reason: &str) -> Result<(), LoginError> {
        let mut ids = Vec::new();
        for owner in owners {
            let grants = self.store.grants_of(owner).await;
            let grants = grants.map_err(|error| self.read_error(error))?;
            ids.extend(grants.into_iter().filter(|grant| grant.revoked_ms.is_none()).map(|grant| grant.id));
        }
        self.revoke_grants(owners, by, ids, reason).await
    }

    /// Takes back these grants of one person; ids of others are passed over.
    pub async fn revoke_grants(&self, owners: &[String], by: &str, ids: Vec<String>, reason: &str) -> Result<(), LoginError> {
        // Auth passes over what this node has not heard of yet.
        if ids.iter().any(|id| self.auth.directory().grant(id).is_none()) {
            let caught_up = self.auth.catch_up().await;
            caught_up.map_err(|error| self.read_error(error))?;
        }
        self.auth.revoke_grants(owners, by, &ids, reason).await?;
        Ok(())
    }
}
