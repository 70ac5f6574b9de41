//! What services ask about requests that they received, and what people ask about requests that were refused.

mod check;
mod explain;
mod hawk;

pub use check::{CheckRequest, CheckResponse, CheckedRequest, ChecksRequest, ChecksResponse, Each};
pub use explain::{ExplainedRequest, ExplainedRole, Explanation};
pub use hawk::{AuthenticateHawkRequest, AuthenticateHawkResponse, Identity, TestAuthenticateRequest, TestAuthenticateResponse};
