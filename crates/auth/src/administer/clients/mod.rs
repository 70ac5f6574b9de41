//! Clients: listing, making and changing them, their access tokens, what of their certificates counts no more, and how the API shows them.

pub(crate) mod certificates;
pub(crate) mod change;
pub(crate) mod tokens;
pub(crate) mod view;
