//! Which application asks behind the page, and what belongs to it.

use std::sync::Arc;

use crate::applications::application::{Application, ApplicationKind};
use crate::grants::Grants;
use crate::oauth::client::assertion::SentAssertion;
use crate::oauth::error::ExchangeError;

/// How an application says who it is.
#[derive(Clone, Copy, Default)]
pub enum ClientProof<'a> {
    /// It does not.
    #[default]
    Nothing,
    /// `client_id` alone.
    Id(&'a str),
    /// With its secret, in the `Authorization` header or in the form.
    Secret {
        /// `client_id`
        id: &'a str,
        /// `client_secret`
        secret: &'a str,
    },
    /// With an assertion that one of its keys has signed.
    Assertion(SentAssertion<'a>),
}

impl Grants {
    /// Whether a page of this origin may read the answers of the token endpoint.
    pub fn has_application_at(&self, origin: &str) -> bool {
        self.applications.has_origin(origin) || self.configured().documents.has_origin(origin)
    }

    /// Whether the configuration has an application of this kind.
    pub fn has_applications_of(&self, kind: ApplicationKind) -> bool {
        self.applications.configured.iter().any(|application| application.kind() == kind)
    }

    /// Who asks, once that is proved as far as this application can.
    pub(crate) async fn client(&self, proof: ClientProof<'_>) -> Result<Option<Arc<Application>>, ExchangeError> {
        let find = |id| self.known_application(id).ok_or(ExchangeError::InvalidClient);
        let is_confidential = |application: &Application| application.kind() == ApplicationKind::Confidential;
        match proof {
            ClientProof::Nothing => Ok(None),
            ClientProof::Assertion(sent) => self.asserted(sent).await.map(Some),
            ClientProof::Id(id) => {
                find(id).and_then(|known| if is_confidential(&known) { Err(ExchangeError::InvalidClient) } else { Ok(Some(known)) })
            }
            ClientProof::Secret { id, secret } => {
                find(id).and_then(
                    |known| if known.has_secret(secret, self.now_ms()) { Ok(Some(known)) } else { Err(ExchangeError::InvalidClient) },
                )
            }
        }
    }

    /// Whether what was given to this application is used by it. Third parties of the reference need not say who they are.
    pub(crate) fn may_use(&self, application: &str, client: Option<&Arc<Application>>) -> bool {
        match client {
            Some(client) => client.id() == application,
            None => self.known_application(application).is_some_and(|known| known.kind().is_of_reference()),
        }
    }
}
