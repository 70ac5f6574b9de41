//! The methods of Falconer's own API that move records. Each gives the errors of [`Client::call`].

use crate::{Call, Client, Error, encode_segment};
use falconer_wire::{ImportBatch, ImportReport, PutClientRequest};
use http::Method;

impl Client {
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
