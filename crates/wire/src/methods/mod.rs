//! The table: all methods of the auth API in reference order, and those of Falconer's own.

mod applications;
mod audit;
mod brokers;
mod check;
mod clients;
mod falconer;
mod import;
mod people;
mod roles;
mod scopes;
mod service;

use crate::Method;

/// Every method of `/api/auth/v1`, in reference order.
pub const METHODS: [Method; 36] = [
    service::PING,
    service::LBHEARTBEAT,
    service::VERSION,
    clients::LIST_CLIENTS,
    clients::CLIENT,
    clients::CREATE_CLIENT,
    audit::GET_ENTITY_HISTORY,
    audit::LIST_AUDIT_HISTORY,
    clients::RESET_ACCESS_TOKEN,
    clients::UPDATE_CLIENT,
    clients::ENABLE_CLIENT,
    clients::DISABLE_CLIENT,
    clients::DELETE_CLIENT,
    roles::LIST_ROLES,
    roles::LIST_ROLES2,
    roles::LIST_ROLE_IDS,
    roles::ROLE,
    roles::CREATE_ROLE,
    roles::UPDATE_ROLE,
    roles::DELETE_ROLE,
    scopes::EXPAND_SCOPES,
    scopes::CURRENT_SCOPES,
    brokers::AWS_S3_CREDENTIALS,
    brokers::AZURE_ACCOUNTS,
    brokers::AZURE_TABLES,
    brokers::AZURE_TABLE_SAS,
    brokers::AZURE_CONTAINERS,
    brokers::AZURE_CONTAINER_SAS,
    brokers::SENTRY_DSN,
    brokers::WEBSOCKTUNNEL_TOKEN,
    brokers::GCP_CREDENTIALS,
    brokers::GITHUB_REPO_TOKEN,
    scopes::AUTHENTICATE_HAWK,
    scopes::TEST_AUTHENTICATE,
    scopes::TEST_AUTHENTICATE_GET,
    service::HEARTBEAT,
];

/// Every method of `/api/falconer/v1`, in reference order.
pub const FALCONER_METHODS: &[Method] = &[
    falconer::REVISION,
    falconer::EVENTS,
    check::CHECK,
    check::CHECKS,
    check::EXPLAIN,
    falconer::END_GRANT,
    import::LIST_CLIENT_RECORDS,
    clients::CLIENT_RECORD,
    clients::REVOKE_CERTIFICATES,
    clients::RESET_ACCESS_TOKEN_WITH_OVERLAP,
    clients::END_OLD_ACCESS_TOKEN,
    import::PUT_CLIENT,
    import::IMPORT_BATCH,
    people::LIST_PEOPLE,
    people::PERSON,
    people::INVITE_PERSON,
    people::UPDATE_PERSON,
    people::DISABLE_PERSON,
    people::ENABLE_PERSON,
    people::UNLOCK_PERSON,
    people::DELETE_PERSON,
    people::SIGN_PERSON_OUT,
    people::REVOKE_GRANT_OF_PERSON,
    people::MAKE_RESET_LINK,
    people::PERSON_HISTORY,
    people::LINK_PERSON,
    people::UNLINK_PERSON,
    people::NAME_PERSON,
    people::REFRESH_PERSON,
    people::MAP_PERSON,
    applications::LIST_APPLICATIONS,
    applications::APPLICATION,
    applications::PUT_APPLICATION,
    applications::RESET_APPLICATION_SECRET,
    applications::DELETE_APPLICATION,
    applications::LIST_INITIAL_TOKENS,
    applications::CREATE_INITIAL_TOKEN,
    applications::DELETE_INITIAL_TOKEN,
    scopes::LIST_SCOPE_REGISTRIES,
    scopes::SCOPE_REGISTRY,
    scopes::PUT_SCOPE_REGISTRY,
    scopes::DELETE_SCOPE_REGISTRY,
    applications::ENDED_TOKENS,
    applications::DERIVE_GRANT,
    applications::REQUEST_GRANT,
    applications::COLLECT_GRANT,
];
