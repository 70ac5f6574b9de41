//! Applications that nobody has registered and that say who they are in a document at their own address: the `client_id` is its URL
//! (draft-ietf-oauth-client-id-metadata-document). What is verified is the host, and nothing else that the document says of itself.

pub(crate) mod cache;
pub(crate) mod document;
pub(crate) mod fetch;
pub(crate) mod hosts;
