//! Clients: listing, making and changing them, what of their certificates counts no more, and how the API shows them.

pub(crate) mod certificates;
pub(crate) mod change;
pub(crate) mod view;
