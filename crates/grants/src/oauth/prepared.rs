//! What tokens need, taken in hand before what they are given for is used up: what can't be made leaves a code and a refresh token as they are, and after the use
//! nothing is looked for that may not be there.

use std::sync::Arc;

use falconer_store::{GrantIdentityRecord, GrantRecord};

use crate::grants::Grants;
use crate::oauth::error::ExchangeError;
use crate::oauth::signed::form::TokenForm;
use crate::openid::tokens::IdTokenForm;

/// What is known of tokens before they are made.
pub(crate) struct Prepared {
    /// Of the access token.
    pub(crate) form: TokenForm,
    /// What the application is told of the person.
    pub(crate) identity: Option<GrantIdentityRecord>,
    /// Of the ID token, where there is to be one.
    pub(crate) id_token: Option<Arc<IdTokenForm>>,
}

impl Prepared {
    /// Nobody is told who the person is.
    pub(crate) fn unidentified(form: TokenForm) -> Prepared {
        Prepared { form, identity: None, id_token: None }
    }
}

impl Grants {
    /// What tokens of a grant need that are for these resources. `None`: the grant or its person is gone, so that there are none.
    pub(crate) async fn prepare(
        &self,
        resources: &[String],
        grant: &GrantRecord,
        application: &str,
    ) -> Result<Option<Prepared>, ExchangeError> {
        let Some(form) = self.form_of(resources, &grant.id, None).await? else { return Ok(None) };
        let Some(identity) = self.grant_identity(&grant.id).await? else { return Ok(Some(Prepared::unidentified(form))) };
        let Some(id_token) = self.id_token_form(grant, &identity, application).await? else { return Ok(None) };
        Ok(Some(Prepared { form, identity: Some(identity), id_token: Some(Arc::new(id_token)) }))
    }
}
