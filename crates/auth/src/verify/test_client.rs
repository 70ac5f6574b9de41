//! testAuthenticate and testAuthenticateGet: a client that everybody knows, to try credentials out with.

use falconer_credentials::{AccessToken, Issuer, RequestParts, Revoked, evaluate, read};
use falconer_scopes::{Expression, ScopeSet, list};

use crate::error::ApiError;
use crate::node::Auth;
use crate::time::DAY_MS;
use crate::verify::reason::Reason;
use crate::view::TestView;

const TESTER: &str = "tester";
const TOKEN: &str = "no-secret";

impl Auth {
    /// Evaluates a request as if `tester` with token `no-secret` had exactly `client_scopes`. No roles take part.
    pub fn test_authenticate(
        &self,
        parts: &RequestParts<'_>,
        client_scopes: &[String],
        required_scopes: &[String],
    ) -> Result<TestView, ApiError> {
        let required = Expression::all_of(required_scopes.iter().cloned());
        self.test(parts, client_scopes, required)
    }

    /// The same with fixed scopes, so that bewits can be tried out.
    pub fn test_authenticate_get(&self, parts: &RequestParts<'_>) -> Result<TestView, ApiError> {
        let scopes = ["test:*".to_owned(), "auth:create-client:test:*".to_owned()];
        self.test(parts, &scopes, Expression::AllOf(vec![Expression::Scope("test:authenticate-get".to_owned())]))
    }

    fn test(&self, parts: &RequestParts<'_>, client_scopes: &[String], required: Expression) -> Result<TestView, ApiError> {
        let failed = |failure| ApiError::from(Reason::Credentials(failure));
        let anonymous = ["assume:anonymous".to_owned()];
        let Some(signed) = read(parts).map_err(failed)? else {
            return match required.missing(&ScopeSet::new(&anonymous)) {
                None => Ok(TestView { client_id: "auth-failed:no-auth".to_owned(), scopes: anonymous.to_vec(), hash: None }),
                Some(missing) => Err(ApiError::insufficient(None, missing, required)),
            };
        };
        // The tester's token is public, so that there is nothing to hide before the MAC.
        if signed.key_owner() != TESTER {
            return Err(Reason::client_not_found(signed.key_owner()).into());
        }
        let token = AccessToken::new(TOKEN.to_owned());
        let authentic = signed.check_mac(Some(&token)).map_err(failed)?;
        let now_ms = self.now_ms();
        let own = ScopeSet::new(client_scopes);
        let tester = Issuer {
            client_id: TESTER,
            token: &token,
            expires_ms: now_ms.saturating_add(DAY_MS),
            disabled: false,
            scopes: &own,
            revoked: Revoked::default(),
        };
        let verified = evaluate(&authentic, &tester, now_ms, &|scopes: &[&str]| ScopeSet::new(scopes)).map_err(failed)?;
        let current = authentic.authorized_scopes().or_else(|| authentic.certificate_scopes());
        let scopes = match current {
            Some(current) => list::merge_normalized(&current, &anonymous),
            None => list::merge_normalized(client_scopes, &anonymous),
        };
        match required.missing(&ScopeSet::new(&scopes)) {
            None => Ok(TestView { client_id: verified.client_id, scopes, hash: verified.hash }),
            Some(missing) => Err(ApiError::insufficient(Some(&verified.client_id), missing, required)),
        }
    }
}
