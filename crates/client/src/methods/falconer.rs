//! The methods of Falconer's own API that answer services and move records. Each gives the errors of [`Client::call`].

use super::auth::found;
use crate::{Call, Client, Error, encode_segment};
use falconer_wire::{
    CheckRequest, CheckResponse, ChecksRequest, ChecksResponse, ClientRecordList, ClientWithGrant, DeriveGrantRequest, DerivedGrant,
    Explanation, ImportBatch, ImportReport, PutClientRequest, ResetAccessToken, ResetAccessTokenRequest, RevokeCertificatesRequest,
};
use http::Method;

impl Client {
    /// Whether the signer of a request that somebody received may do what it needs. Needs no credentials. The answer is good for that one request.
    pub async fn check(&self, question: &CheckRequest) -> Result<CheckResponse, Error> {
        self.call_as(&ours(Method::POST, "/check".to_owned()), Some(question)).await
    }

    /// The same for up to sixteen requests, in their order.
    pub async fn checks(&self, questions: &ChecksRequest) -> Result<ChecksResponse, Error> {
        self.call_as(&ours(Method::POST, "/checks".to_owned()), Some(questions)).await
    }

    /// Takes a part of the grant whose own credentials sign the call.
    pub async fn derive_grant(&self, wish: &DeriveGrantRequest) -> Result<DerivedGrant, Error> {
        self.call_as(&ours(Method::POST, "/derived-grants".to_owned()), Some(wish)).await
    }

    /// Why a request was refused; `None` where the node that answers remembers none of this id.
    pub async fn explain(&self, refusal_id: &str) -> Result<Option<Explanation>, Error> {
        found(self.call_as(&ours(Method::GET, format!("/explain/{}", encode_segment(refusal_id)?)), None::<&()>).await)
    }

    /// A page of clients with the grants that they were made with. Go on with the page's `continuation_token` until it is `None`.
    pub async fn list_client_records(
        &self,
        prefix: Option<&str>,
        limit: Option<u32>,
        continuation_token: Option<&str>,
    ) -> Result<ClientRecordList, Error> {
        let mut query = Vec::new();
        query.extend(prefix.map(|prefix| ("prefix", prefix.to_owned())));
        query.extend(limit.map(|limit| ("limit", limit.to_string())));
        query.extend(continuation_token.map(|token| ("continuationToken", token.to_owned())));
        self.call_as(&Call { query, ..ours(Method::GET, "/clients/".to_owned()) }, None::<&()>).await
    }

    /// All pages of [`Client::list_client_records`].
    pub async fn list_all_client_records(&self, prefix: Option<&str>) -> Result<Vec<ClientWithGrant>, Error> {
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let page = self.list_client_records(prefix, None, token.as_deref()).await?;
            all.extend(page.clients);
            match page.continuation_token {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// One client, with what the protocol's own answer has no member for; `None` if there is none.
    pub async fn client_record(&self, client_id: &str) -> Result<Option<ClientWithGrant>, Error> {
        found(self.call_as(&ours(Method::GET, format!("/clients/{}", encode_segment(client_id)?)), None::<&()>).await)
    }

    /// Revokes temporary credentials that a client has made. Repeating it with the same moment or seed changes nothing.
    pub async fn revoke_certificates(&self, client_id: &str, which: &RevokeCertificatesRequest) -> Result<ClientWithGrant, Error> {
        self.call_as(&ours(Method::POST, format!("/clients/{}/revoke-certificates", encode_segment(client_id)?)), Some(which)).await
    }

    /// Gives a client a new access token, and lets the old one count beside it for a while.
    pub async fn reset_access_token_with_overlap(
        &self,
        client_id: &str,
        wish: &ResetAccessTokenRequest,
    ) -> Result<ResetAccessToken, Error> {
        self.call_as(&ours(Method::POST, format!("/clients/{}/reset-access-token", encode_segment(client_id)?)), Some(wish)).await
    }

    /// Ends the access token before the present one, where it still counts. Fine where there is none.
    pub async fn end_old_access_token(&self, client_id: &str) -> Result<ClientWithGrant, Error> {
        self.call_as(&ours(Method::POST, format!("/clients/{}/end-old-access-token", encode_segment(client_id)?)), None::<&()>).await
    }

    /// Makes a client what the request says, its access token included. Repeating it changes nothing.
    pub async fn put_client(&self, client_id: &str, client: &PutClientRequest) -> Result<falconer_wire::Client, Error> {
        self.call_as(&ours(Method::PUT, format!("/clients/{}", encode_segment(client_id)?)), Some(client)).await
    }

    /// Makes roles and clients what the batch says, all or none. Repeating it changes nothing, and within 15 minutes it gives the access tokens
    /// that were made again.
    pub async fn import_batch(&self, batch: &ImportBatch) -> Result<ImportReport, Error> {
        self.call_as(&ours(Method::POST, "/import".to_owned()), Some(batch)).await
    }
}

pub(super) fn ours(method: Method, route: String) -> Call<'static> {
    Call { method, service: "falconer", version: "v1", route, query: Vec::new() }
}
