//! The methods about applications that ask people for grants by OAuth 2. Each gives the errors of [`Client::call`].

use super::auth::found;
use super::falconer::ours;
use crate::{Call, Client, Error, encode_segment};
use falconer_wire::{
    Application, ApplicationList, CreateInitialTokenRequest, InitialToken, InitialTokenList, PutApplicationRequest,
    ResetApplicationSecretRequest,
};
use http::Method;

impl Client {
    /// A page of applications. Go on with the page's `continuation_token` until it is `None`.
    pub async fn list_applications(&self, limit: Option<u32>, continuation_token: Option<&str>) -> Result<ApplicationList, Error> {
        let mut query = Vec::new();
        query.extend(limit.map(|limit| ("limit", limit.to_string())));
        query.extend(continuation_token.map(|token| ("continuationToken", token.to_owned())));
        self.call_as(&Call { query, ..ours(Method::GET, "/applications".to_owned()) }, None::<&()>).await
    }

    /// All pages of [`Client::list_applications`].
    pub async fn list_all_applications(&self) -> Result<Vec<Application>, Error> {
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let page = self.list_applications(None, token.as_deref()).await?;
            all.extend(page.applications);
            match page.continuation_token {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// One application; `None` if there is none.
    pub async fn application(&self, id: &str) -> Result<Option<Application>, Error> {
        found(self.call_as(&ours(Method::GET, of(id, "")?), None::<&()>).await)
    }

    /// Makes an application what the request says. Repeating it changes nothing; a secret is in the answer to the first request only.
    pub async fn put_application(&self, id: &str, application: &PutApplicationRequest) -> Result<Application, Error> {
        self.call_as(&ours(Method::PUT, of(id, "")?), Some(application)).await
    }

    /// Makes another secret, which is in this answer only.
    pub async fn reset_application_secret(&self, id: &str, wish: &ResetApplicationSecretRequest) -> Result<Application, Error> {
        self.call_as(&ours(Method::POST, of(id, "/reset-secret")?), Some(wish)).await
    }

    /// Deletes an application; fine when there is none.
    pub async fn delete_application(&self, id: &str) -> Result<(), Error> {
        self.call_as(&ours(Method::DELETE, of(id, "")?), None::<&()>).await
    }

    /// What applications can register themselves with, without the tokens.
    pub async fn list_initial_tokens(&self) -> Result<Vec<InitialToken>, Error> {
        let list: InitialTokenList = self.call_as(&ours(Method::GET, "/initial-tokens".to_owned()), None::<&()>).await?;
        Ok(list.initial_tokens)
    }

    /// Makes one. The token is in this answer only.
    pub async fn create_initial_token(&self, id: &str, token: &CreateInitialTokenRequest) -> Result<InitialToken, Error> {
        let path = format!("/initial-tokens/{}", encode_segment(id)?);
        self.call_as(&ours(Method::PUT, path), Some(token)).await
    }

    /// Revokes one; fine when there is none.
    pub async fn delete_initial_token(&self, id: &str) -> Result<(), Error> {
        let path = format!("/initial-tokens/{}", encode_segment(id)?);
        self.call_as(&ours(Method::DELETE, path), None::<&()>).await
    }
}

fn of(id: &str, below: &str) -> Result<String, Error> {
    Ok(format!("/applications/{}{below}", encode_segment(id)?))
}
