//! The methods of the auth service, in its reference order. Each gives the errors of [`Client::call`].

use crate::{Call, Client, Error, encode_segment};
use falconer_wire::{
    AuditHistory, AuthenticateHawkRequest, AuthenticateHawkResponse, ClientList, ClientRequest, ClientWithToken, Role, RoleIdPage,
    RolePage, RoleRequest, Scopes,
};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

type Query = Vec<(&'static str, String)>;

fn paged(limit: Option<u32>, continuation_token: Option<&str>) -> Query {
    let limit = limit.map(|limit| ("limit", limit.to_string()));
    let token = continuation_token.map(|token| ("continuationToken", token.to_owned()));
    limit.into_iter().chain(token).collect()
}

impl Client {
    /// A page of clients (at most 1000), those whose clientId begins with `prefix`. Go on with the page's `continuation_token` until it is `None`.
    pub async fn list_clients(
        &self,
        prefix: Option<&str>,
        limit: Option<u32>,
        continuation_token: Option<&str>,
    ) -> Result<ClientList, Error> {
        let mut query = paged(limit, continuation_token);
        query.extend(prefix.map(|prefix| ("prefix", prefix.to_owned())));
        self.get("/clients/".to_owned(), query).await
    }

    /// All pages of [`Client::list_clients`].
    pub async fn list_all_clients(&self, prefix: Option<&str>) -> Result<Vec<falconer_wire::Client>, Error> {
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let page = self.list_clients(prefix, None, token.as_deref()).await?;
            all.extend(page.clients);
            match page.continuation_token {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// One client; `None` if there is none.
    pub async fn client(&self, client_id: &str) -> Result<Option<falconer_wire::Client>, Error> {
        found(self.get(format!("/clients/{}", encode_segment(client_id)?), Vec::new()).await)
    }

    /// Makes a client; the answer holds its access token. Repeating it with the same values within 15 minutes gives the same answer.
    pub async fn create_client(&self, client_id: &str, client: &ClientRequest) -> Result<ClientWithToken, Error> {
        self.send_json(Method::PUT, format!("/clients/{}", encode_segment(client_id)?), Some(client)).await
    }

    /// Gives a client a new access token; the old one is refused from now on.
    pub async fn reset_access_token(&self, client_id: &str) -> Result<ClientWithToken, Error> {
        self.send_json(Method::POST, format!("/clients/{}/reset", encode_segment(client_id)?), None::<&()>).await
    }

    /// Changes a client. Absent scopes stay as they are.
    pub async fn update_client(&self, client_id: &str, client: &ClientRequest) -> Result<falconer_wire::Client, Error> {
        self.send_json(Method::POST, format!("/clients/{}", encode_segment(client_id)?), Some(client)).await
    }

    /// Lets a disabled client in again.
    pub async fn enable_client(&self, client_id: &str) -> Result<falconer_wire::Client, Error> {
        self.send_json(Method::POST, format!("/clients/{}/enable", encode_segment(client_id)?), None::<&()>).await
    }

    /// Shuts a client out.
    pub async fn disable_client(&self, client_id: &str) -> Result<falconer_wire::Client, Error> {
        self.send_json(Method::POST, format!("/clients/{}/disable", encode_segment(client_id)?), None::<&()>).await
    }

    /// Deletes a client. No error if there was none.
    pub async fn delete_client(&self, client_id: &str) -> Result<(), Error> {
        self.send_json(Method::DELETE, format!("/clients/{}", encode_segment(client_id)?), None::<&()>).await
    }

    /// What happened to an entity (`client` or `role`), oldest first.
    pub async fn entity_history(
        &self,
        entity_type: &str,
        entity_id: &str,
        limit: Option<u32>,
        continuation_token: Option<&str>,
    ) -> Result<AuditHistory, Error> {
        let route = format!("/audit/{}/{}", encode_segment(entity_type)?, encode_segment(entity_id)?);
        self.get(route, paged(limit, continuation_token)).await
    }

    /// What a client did, oldest first.
    pub async fn audit_history(
        &self,
        client_id: &str,
        limit: Option<u32>,
        continuation_token: Option<&str>,
    ) -> Result<AuditHistory, Error> {
        self.get(format!("/clients/{}/audit", encode_segment(client_id)?), paged(limit, continuation_token)).await
    }

    /// All roles.
    pub async fn list_roles(&self) -> Result<Vec<Role>, Error> {
        self.get("/roles/".to_owned(), Vec::new()).await
    }

    /// A page of roles; all of them without a limit.
    pub async fn list_roles2(&self, limit: Option<u32>, continuation_token: Option<&str>) -> Result<RolePage, Error> {
        self.get("/roles2/".to_owned(), paged(limit, continuation_token)).await
    }

    /// A page of role ids; all of them without a limit.
    pub async fn list_role_ids(&self, limit: Option<u32>, continuation_token: Option<&str>) -> Result<RoleIdPage, Error> {
        self.get("/roleids/".to_owned(), paged(limit, continuation_token)).await
    }

    /// One role; `None` if there is none.
    pub async fn role(&self, role_id: &str) -> Result<Option<Role>, Error> {
        found(self.get(format!("/roles/{}", encode_segment(role_id)?), Vec::new()).await)
    }

    /// Makes a role. Repeating it with the same values gives the same answer.
    pub async fn create_role(&self, role_id: &str, role: &RoleRequest) -> Result<Role, Error> {
        self.send_json(Method::PUT, format!("/roles/{}", encode_segment(role_id)?), Some(role)).await
    }

    /// Replaces a role.
    pub async fn update_role(&self, role_id: &str, role: &RoleRequest) -> Result<Role, Error> {
        self.send_json(Method::POST, format!("/roles/{}", encode_segment(role_id)?), Some(role)).await
    }

    /// Deletes a role. No error if there was none.
    pub async fn delete_role(&self, role_id: &str) -> Result<(), Error> {
        self.send_json(Method::DELETE, format!("/roles/{}", encode_segment(role_id)?), None::<&()>).await
    }

    /// What roles make of these scopes.
    pub async fn expand_scopes(&self, scopes: Vec<String>) -> Result<Scopes, Error> {
        self.send_json(Method::POST, "/scopes/expand".to_owned(), Some(&Scopes { scopes })).await
    }

    /// What the credentials of this client are worth at this moment.
    pub async fn current_scopes(&self) -> Result<Scopes, Error> {
        self.get("/scopes/current".to_owned(), Vec::new()).await
    }

    /// Who signed a request that somebody received, and what it may do. Needs no credentials. The answer is good for that one request.
    pub async fn authenticate_hawk(&self, request: &AuthenticateHawkRequest) -> Result<AuthenticateHawkResponse, Error> {
        self.send_json(Method::POST, "/authenticate-hawk".to_owned(), Some(request)).await
    }

    async fn get<T: DeserializeOwned>(&self, route: String, query: Query) -> Result<T, Error> {
        self.call_as(&Call { method: Method::GET, service: "auth", version: "v1", route, query }, None::<&()>).await
    }

    async fn send_json<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        method: Method,
        route: String,
        body: Option<&B>,
    ) -> Result<T, Error> {
        self.call_as(&Call { method, service: "auth", version: "v1", route, query: Vec::new() }, body).await
    }
}

/// Only the method's own 404 means that there is none: one without a code comes from a wrong root URL.
pub(super) fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.code() == Some("ResourceNotFound") => Ok(None),
        answer => answer.map(Some),
    }
}
