//! Access grants: what a site asks for, what a person gives it, for how long, and how it is taken back.
//!
//! | concept | where |
//! |---|---|
//! | where credentials may go | `targets`, [`target`] |
//! | what a site asks for, what the page shows, what ticks come to | `consent`, [`request`] |
//! | applications: registered in the configuration or in the store, or known by a document of their own | `applications` |
//! | OAuth 2 for them: the request, codes, tokens, introspection | `oauth` |
//! | the URL that carries credentials; a client for a program on the person's own machine | `delivery` |
//! | who somebody is, signed: OpenID Connect | `openid` |
//! | devices that show a short code | `device` |
//! | more than a grant gives, for whoever has it | `widening` |
//! | granting, listing, taking back | `records` |
//! | scopes in words, and what services publish of theirs | `words` |
//!
//! What is deliberately not here: HTTP and HTML (`web`), who somebody is (`login`), what a grant is worth when it is used (`auth`), SQL,
//! arithmetic of scopes (`scopes`), a clock and a source of randomness.
//!
//! To add a way to deliver, write a file in `delivery`, which is given the grant's credentials. The request names it, and nothing else knows.

mod applications;
mod consent;
mod delivery;
mod device;
mod error;
mod grants;
mod oauth;
mod openid;
mod records;
mod settings;
mod targets;
mod widening;
mod words;

pub use applications::administer::{LONGEST_SECRET_OVERLAP_MS, PutApplication, SECRET_OVERLAP_MS};
pub use applications::application::{Application, ApplicationKind, ApplicationSettings};
pub use applications::command_line::{COMMAND_LINE, CommandLine};
pub use applications::keys::{jwks_of_keys, keys_of_jwks};
pub use applications::registration::error::RegistrationError;
pub use applications::registration::initial_tokens::{InitialTokenInput, NewInitialToken};
pub use applications::registration::metadata::ProofMethod;
pub use applications::registration::register::RegisteredApplication;
pub use consent::lifetime::Lifetime;
pub use consent::narrowing::Star;
pub use consent::news::News;
pub use consent::offer::{Bundle, IdentityLine, Line, Offer};
pub use consent::request::{self, GrantRequest, RequestError};
pub use delivery::application::{Delivery, OAuthDelivery};
pub use delivery::redirect::{Credentials, ResponseMode, encode_component};
pub use delivery::tool_client::{Callback, ToolChoices, ToolClient, ToolError, ToolRequest, ToolRequestError};
pub use device::answer::{DEVICE_DONE, DeviceDelivery, DeviceError, SentCode};
pub use device::authorization::DeviceAuthorization;
pub use error::GrantError;
pub use falconer_auth::{
    ASSERTION_ALGORITHMS, BearerKind, PROOF_ALGORITHMS, ProofFault, Risk, ShownToken, SigningAlgorithm, TokenFault, TokenScheme, UrlScheme,
};
pub use grants::Grants;
pub use oauth::client::assertion::SentAssertion;
pub use oauth::client::client_proof::ClientProof;
pub use oauth::credentials::GrantedCredentials;
pub use oauth::error::ExchangeError;
pub use oauth::introspection::{ActiveToken, Introspector};
pub use oauth::proof::SentProof;
pub use oauth::request::parameters::{ParameterError, Parameters};
pub use oauth::request::pushed::PushedRequest;
pub use oauth::request::refusal::{AuthorizationError, Cause, Unanswerable};
pub use oauth::secrets::IssuedToken;
pub use oauth::signed::ended::EndedTokens;
pub use oauth::signed::services::OfflineService;
pub use oauth::token::{ACCESS_TOKEN_TYPE, GrantType};
pub use openid::backchannel::LogoutFigures;
pub use openid::logout::LogoutRequest;
pub use openid::request::{OpenIdRequest, Prompt};
pub use records::consents::ConsentView;
pub use records::grant::{Choices, Granted, LONGEST_NAME};
pub use records::granted::{GrantGroup, GrantPage, GrantState, GrantView, Revoking, ScopeGroup, ScopeInWords, application_name};
pub use settings::{ApplicationsHttp, GrantSettings, RegisteredTarget, Registration};
pub use targets::in_words::{place, place_of_named};
pub use targets::target::{self, Target, TargetError};
pub use widening::answer::{WaitingRequest, Widening};
pub use widening::collect::Collected;
pub use widening::new_request::{GRANT_REQUEST_PAGE, ServerAddress, WaitingCode, WantedMore};
pub use words::describe::{Description, LabelPart};
pub use words::published::{PublishedScope, ScopeWords};
