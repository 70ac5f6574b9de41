//! What a call may come to: computed from its row in the table as far as that says it, and named here where it does not.

use serde_json::Value;

use crate::error::Code;
use crate::table::{Call, Method, Verb};

impl Method {
    /// The scope template as JSON; none for public methods.
    pub fn template(&self) -> Option<Value> {
        serde_json::from_str(self.scopes?).ok()
    }

    /// Status of success.
    pub fn success(&self) -> u16 {
        if self.verb == Verb::Delete { 204 } else { 200 }
    }

    /// Whether it writes, so that its answer names a revision.
    pub fn changes(&self) -> bool {
        match self.call {
            Call::ExpandScopes | Call::AuthenticateHawk | Call::TestAuthenticate | Call::GithubRepoToken | Call::MapPerson => false,
            Call::Check | Call::Checks => false,
            _ => self.verb != Verb::Get,
        }
    }

    /// The errors that callers have to reckon with, by status. `InternalServerError` is not among them: it is a fault of the server.
    pub fn codes(&self) -> Vec<Code> {
        // authenticateHawk needs credentials where the settings say so.
        let credentials =
            self.scopes.is_some() || matches!(self.call, Call::TestAuthenticate | Call::TestAuthenticateGet | Call::AuthenticateHawk);
        let body = matches!(self.verb, Verb::Post | Verb::Put);
        let named = named(self.call);
        let possible = [
            (Code::MalformedPayload, true),
            (Code::InvalidRequestArguments, true),
            (Code::InputValidationError, self.input.is_some()),
            // Where the request is signed, its Host must be one; what else may be wrong with values is the method's own.
            (Code::InputError, credentials || named.contains(&Code::InputError)),
            (Code::AuthenticationFailed, credentials),
            (Code::InsufficientScopes, credentials),
            (Code::ResourceNotFound, named.contains(&Code::ResourceNotFound)),
            (Code::RequestConflict, named.contains(&Code::RequestConflict)),
            (Code::InputTooLarge, body),
            (Code::TooManyRequests, named.contains(&Code::TooManyRequests)),
            // The store is away, or the revision that was demanded does not come.
            (Code::ServiceUnavailable, true),
        ];
        possible.into_iter().filter(|(_, occurs)| *occurs).map(|(code, _)| code).collect()
    }
}

/// What the method itself answers, besides what all methods have in common.
fn named(call: Call) -> &'static [Code] {
    match call {
        Call::Client | Call::ClientRecord | Call::Role => &[Code::ResourceNotFound],
        Call::RevokeCertificates | Call::ResetAccessTokenWithOverlap => &[Code::InputError, Code::ResourceNotFound, Code::RequestConflict],
        Call::UpdateClient | Call::ResetAccessToken | Call::EnableClient | Call::DisableClient | Call::UpdateRole => {
            &[Code::InputError, Code::ResourceNotFound]
        }
        Call::CreateClient | Call::CreateRole => &[Code::InputError, Code::RequestConflict],
        Call::DeleteClient | Call::DeleteRole | Call::PutClient | Call::ImportBatch => &[Code::InputError],
        Call::Person | Call::Explain | Call::Application | Call::ScopeRegistry => &[Code::ResourceNotFound],
        Call::ResetApplicationSecret | Call::EndOldAccessToken => &[Code::InputError, Code::ResourceNotFound],
        Call::DeleteApplication | Call::ListApplications | Call::ListScopeRegistries | Call::DeleteScopeRegistry | Call::EndGrant => {
            &[Code::InputError]
        }
        Call::CreateInitialToken | Call::PutApplication | Call::PutScopeRegistry => &[Code::InputError, Code::RequestConflict],
        Call::EndedTokens => &[Code::InputError, Code::ResourceNotFound],
        Call::DeriveGrant => &[Code::InputError, Code::RequestConflict],
        Call::RequestGrant => &[Code::InputError, Code::TooManyRequests],
        Call::CollectGrant => &[Code::InputError, Code::ResourceNotFound],
        Call::InvitePerson => &[Code::InputError, Code::RequestConflict],
        Call::UpdatePerson | Call::DisablePerson | Call::EnablePerson | Call::DeletePerson | Call::MakeResetLink => {
            &[Code::InputError, Code::ResourceNotFound, Code::RequestConflict]
        }
        Call::UnlockPerson | Call::SignPersonOut | Call::RevokeGrantOfPerson | Call::MapPerson => {
            &[Code::InputError, Code::ResourceNotFound, Code::RequestConflict]
        }
        Call::LinkPerson | Call::UnlinkPerson | Call::NamePerson | Call::RefreshPerson => {
            &[Code::InputError, Code::ResourceNotFound, Code::RequestConflict]
        }
        // A continuation token that is none.
        Call::ListPeople
        | Call::PersonHistory
        | Call::ListClients
        | Call::ListClientRecords
        | Call::GetEntityHistory
        | Call::ListAuditHistory
        | Call::ListRoles2
        | Call::ListRoleIds => &[Code::InputError],
        Call::AwsS3Credentials
        | Call::AzureTables
        | Call::AzureTableSas
        | Call::AzureContainers
        | Call::AzureContainerSas
        | Call::SentryDsn
        | Call::WebsocktunnelToken
        | Call::GcpCredentials
        | Call::GithubRepoToken => &[Code::ResourceNotFound],
        _ => &[],
    }
}
