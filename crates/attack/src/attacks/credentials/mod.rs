//! Who signs: nobody, somebody under another's name, and certificates that do not hold.

pub(super) mod expired_certificate;
pub(super) mod foreign_certificate;
pub(super) mod forged_client_id;
pub(super) mod garbage_header;
pub(super) mod large_certificate;
pub(super) mod narrowed_scopes;
pub(super) mod no_credentials;
pub(super) mod widened_scopes;
