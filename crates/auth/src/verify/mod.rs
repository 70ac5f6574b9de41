//! Who asks, and what their credentials come to: the MAC first, then the client, the grant and the person behind it at one snapshot. Here are
//! also the questions that only read scopes, and the client that everybody may test with.

pub(crate) mod caller;
pub(crate) mod check;
pub(crate) mod effective_scopes;
pub(crate) mod evaluate;
pub(crate) mod reading;
pub(crate) mod reason;
pub(crate) mod request;
pub(crate) mod scopes;
pub(crate) mod test_client;
pub(crate) mod tokens;
