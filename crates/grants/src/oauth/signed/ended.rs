//! Which signed tokens ended before their time, for the services that verify them by themselves.

use falconer_auth::{ApiError, Authentication, MINUTE_MS};

use crate::grants::Grants;
use crate::oauth::signed::token::{LIFE_MS, name_of_grant};

/// The clocks of servers differ by less than a minute, which counts twice: a token that was made by one that is ahead ends later, and one that is ahead takes what was
/// revoked for older.
const MARGIN_MS: i64 = 2 * MINUTE_MS;
/// So many are said at most.
const MOST: u32 = 10_000;

/// Grants whose tokens a service takes no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedTokens {
    /// What their tokens have as `falconer_grant`.
    pub names: Vec<String>,
    /// Whether these are all.
    pub is_complete: bool,
    /// When it was so, milliseconds since 1970.
    pub at_ms: i64,
}

impl Grants {
    /// Those that were revoked within the life of a token, for the service of this `resource`. It takes `auth:ended-tokens:<resource>`.
    pub async fn ended_tokens(&self, who: &Authentication, resource: &str) -> Result<EndedTokens, ApiError> {
        self.auth.caller(who)?.require_scope(format!("auth:ended-tokens:{resource}"))?;
        let Some(_) = self.configured().offline.find(resource) else {
            return Err(ApiError::ResourceNotFound(format!("No service that verifies tokens by itself has the resource {resource}")));
        };
        let at_ms = self.now_ms();
        let since_ms = at_ms.saturating_sub(LIFE_MS + MARGIN_MS);
        // From the store, so that nothing is missing that another server has done, and nothing that was done before this one began.
        let mut ids = self.store.grants_revoked_since(since_ms, MOST + 1).await.map_err(|error| ApiError::from(self.read_error(error)))?;
        let is_complete = u32::try_from(ids.len()).is_ok_and(|count| count <= MOST);
        ids.truncate(MOST as usize);
        Ok(EndedTokens { names: ids.iter().map(|id| name_of_grant(resource, id)).collect(), is_complete, at_ms })
    }
}
