//! What a call of the API is answered: outcomes as statuses and codes, and how every answer looks.

pub(crate) mod failure;
pub(crate) mod respond;
