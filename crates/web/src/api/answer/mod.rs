//! What a call of the API is answered: outcomes as statuses and codes, what an error repeats of its request, and how every answer looks.

pub(crate) mod echo;
mod encoding;
pub(crate) mod encodings;
pub(crate) mod failure;
pub(crate) mod headers;
pub(crate) mod reply;
pub(crate) mod response;
pub(crate) mod without_method;
pub(crate) mod words;
