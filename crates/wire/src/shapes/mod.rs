//! What requests and answers look like: one struct each, keys in the order in which the reference sends them. Instants are texts as [`crate::date_time`]
//! writes them; unknown fields of answers are ignored when read.

mod applications;
mod audit;
mod brokers;
mod clients;
mod falconer;
mod grants;
mod import;
mod people;
mod roles;
mod scopes;
mod service;
mod verification;

pub use applications::{
    Application, ApplicationKind, ApplicationList, CreateInitialTokenRequest, InitialToken, InitialTokenList, KeySet,
    PutApplicationRequest, ResetApplicationSecretRequest,
};
pub use audit::{AuditEntry, AuditHistory};
pub use brokers::WebsocktunnelToken;
pub use clients::{
    Client, ClientList, ClientRecordList, ClientRequest, ClientWithGrant, ClientWithToken, ResetAccessToken, ResetAccessTokenRequest,
    RevokeCertificatesRequest, RevokedSeed,
};
pub use falconer::NodeRevision;
pub use grants::{
    CollectGrantRequest, CollectedGrant, DeriveGrantRequest, DerivedGrant, EndedTokens, GrantCredentials, RequestGrantRequest,
    RequestedGrant,
};
pub use import::{
    ImportBatch, ImportClient, ImportOutcome, ImportRecord, ImportReport, ImportRole, ImportedClient, ImportedRole, PutClientRequest,
};
pub use people::{
    InvitePersonRequest, LinkMail, LinkPersonRequest, MailState, MapPersonRequest, MappedPerson, PeoplePage, PersonAccount,
    PersonAccountLink, PersonGrant, PersonHistory, PersonHistoryEntry, PersonIdentity, PersonInFull, PersonLink, PersonSession,
    PersonSummary, RefreshState, RefreshedPerson, RefusedClaim, UpdatePersonRequest,
};
pub use roles::{Role, RoleIdPage, RolePage, RoleRequest};
pub use scopes::{PutScopeRegistryRequest, ScopeRegistry, ScopeRegistryList, ScopeRegistrySummary, ScopeSentence, Scopes};
pub use service::{Ping, Version};
pub use verification::{
    AuthenticateHawkRequest, AuthenticateHawkResponse, CheckRequest, CheckResponse, CheckedRequest, ChecksRequest, ChecksResponse, Each,
    ExplainedRequest, ExplainedRole, Explanation, Identity, TestAuthenticateRequest, TestAuthenticateResponse,
};
