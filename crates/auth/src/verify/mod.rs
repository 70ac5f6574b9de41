//! Who asks, and what their credentials are worth: the MAC first, then the client, the grant and the person behind it at one snapshot. Here are
//! also the questions that only read scopes, and the client that everybody may test with.

pub(crate) mod caller;
pub(crate) mod expand;
pub(crate) mod judge;
pub(crate) mod request;
pub(crate) mod testers;
pub(crate) mod worth;
