//! A client's access token, shown to whoever sits there: of a new client, or a new one of a client that is there.

use falconer_auth::{ApiError, Authentication, ClientInput, ClientView, Revision};

use super::session::Session;
use crate::error::LoginError;
use crate::login::Login;

impl Login {
    /// Makes a client, as the session's person (`who`), who has to have proved a short while ago to be there. The inner answer is that of
    /// [`falconer_auth::Auth::create_client`].
    pub async fn create_client(
        &self,
        session: &Session,
        who: &Authentication,
        client_id: &str,
        input: &ClientInput,
    ) -> Result<Result<(ClientView, Revision), ApiError>, LoginError> {
        self.check_fresh(session)?;
        Ok(self.auth.create_client(who, client_id, input).await)
    }

    /// Makes a new access token, as the session's person (`who`), who has to have proved a short while ago to be there: what is shown goes on without them. The
    /// inner answer is that of [`falconer_auth::Auth::reset_access_token`].
    pub async fn reset_access_token(
        &self,
        session: &Session,
        who: &Authentication,
        client_id: &str,
    ) -> Result<Result<(ClientView, Revision), ApiError>, LoginError> {
        self.check_fresh(session)?;
        Ok(self.auth.reset_access_token(who, client_id).await)
    }
}
