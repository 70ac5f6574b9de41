//! Which handler answers which method. The match is exhaustive: a row in the table without a handler does not compile.

use falconer_wire::{Call, Method};

use super::falconer::{applications, events, explain, grants, import, list_clients, people, put_client, refresh_person, scope_registries};
use super::{Answer, Request, audit, brokers, check, clients, falconer, hawk, roles, scopes, service};
use crate::api::Api;

impl Api {
    /// Answers a call that was checked as far as the table says.
    pub(crate) async fn handle(&self, method: &'static Method, request: &mut Request<'_>) -> Answer {
        match method.call {
            Call::Ping => Ok(service::ping(request.uptime_seconds, self.auth.now_ms())),
            Call::Lbheartbeat => Ok(service::lbheartbeat()),
            Call::Heartbeat => self.heartbeat().await,
            Call::Version => Ok(service::version(&self.settings)),
            Call::ListClients => clients::list(request),
            Call::Client => clients::one(request),
            Call::CreateClient => clients::create(request).await,
            Call::UpdateClient => clients::update(request).await,
            Call::ResetAccessToken => clients::reset(request).await,
            Call::EnableClient => clients::enable(request).await,
            Call::DisableClient => clients::disable(request).await,
            Call::DeleteClient => clients::delete(request).await,
            Call::GetEntityHistory => audit::of_entity(request).await,
            Call::ListAuditHistory => audit::by_client(request).await,
            Call::ListRoles => roles::list_all(request),
            Call::ListRoles2 => roles::list_page(request),
            Call::ListRoleIds => roles::list_ids(request),
            Call::Role => roles::one(request),
            Call::CreateRole => roles::create(request).await,
            Call::UpdateRole => roles::update(request).await,
            Call::DeleteRole => roles::delete(request).await,
            Call::ExpandScopes => scopes::expand(request),
            Call::CurrentScopes => scopes::current(request),
            Call::AuthenticateHawk => hawk::authenticate(request).await,
            Call::TestAuthenticate => hawk::test(request),
            Call::TestAuthenticateGet => hawk::test_get(request),
            Call::Revision => Ok(falconer::revision(request)),
            Call::Check | Call::Checks => check::answer(method.call, request).await,
            Call::Explain => explain::explain(request),
            Call::EndGrant => falconer::end_grant(request).await,
            Call::Events => events::follow(request).await,
            Call::ListClientRecords => list_clients::list(request),
            Call::ClientRecord => list_clients::one(request),
            Call::RevokeCertificates => list_clients::revoke_certificates(request).await,
            Call::ResetAccessTokenWithOverlap => list_clients::reset(request).await,
            Call::EndOldAccessToken => list_clients::end_old_token(request).await,
            Call::PutClient => put_client::put(request).await,
            Call::ImportBatch => import::batch(request).await,
            Call::ListPeople => people::list(request),
            Call::Person => people::one(&self.login, request).await,
            Call::InvitePerson => people::invite(&self.login, &self.settings.public_origin, request).await,
            Call::UpdatePerson => people::update(&self.login, request).await,
            Call::DisablePerson => people::disable(&self.login, request).await,
            Call::EnablePerson => people::enable(&self.login, request).await,
            Call::UnlockPerson => people::unlock(&self.login, request).await,
            Call::DeletePerson => people::delete(&self.login, request).await,
            Call::SignPersonOut => people::sign_out(&self.login, request).await,
            Call::RevokeGrantOfPerson => people::revoke_grant(&self.login, request).await,
            Call::MakeResetLink => people::reset_link(&self.login, &self.settings.public_origin, request).await,
            Call::PersonHistory => people::history(request).await,
            Call::LinkPerson => people::link(&self.login, request).await,
            Call::UnlinkPerson => people::unlink(&self.login, request).await,
            Call::NamePerson => people::choose_name(&self.login, request).await,
            Call::RefreshPerson => refresh_person::refresh(&self.login, request).await,
            Call::MapPerson => people::map(&self.login, request),
            Call::ListApplications => applications::list(&self.grants, request),
            Call::Application => applications::one(&self.grants, request),
            Call::PutApplication => applications::put(&self.grants, request).await,
            Call::ResetApplicationSecret => applications::reset_secret(&self.grants, request).await,
            Call::DeleteApplication => applications::delete(&self.grants, request).await,
            Call::ListInitialTokens => applications::list_initial_tokens(&self.grants, request).await,
            Call::CreateInitialToken => applications::create_initial_token(&self.grants, request).await,
            Call::DeleteInitialToken => applications::delete_initial_token(&self.grants, request).await,
            Call::ListScopeRegistries => scope_registries::list(&self.grants, request),
            Call::ScopeRegistry => scope_registries::one(&self.grants, request),
            Call::PutScopeRegistry => scope_registries::put(&self.grants, request).await,
            Call::DeleteScopeRegistry => scope_registries::delete(&self.grants, request).await,
            Call::EndedTokens => grants::ended_tokens(&self.grants, request).await,
            Call::DeriveGrant => grants::derive(&self.grants, request).await,
            Call::RequestGrant => grants::request(&self.grants, &self.settings.public_origin, request).await,
            Call::CollectGrant => grants::collect(&self.grants, request).await,
            Call::AwsS3Credentials
            | Call::AzureAccounts
            | Call::AzureTables
            | Call::AzureTableSas
            | Call::AzureContainers
            | Call::AzureContainerSas
            | Call::SentryDsn
            | Call::WebsocktunnelToken
            | Call::GcpCredentials
            | Call::GithubRepoToken => brokers::answer(method.call, self.template(method.call), request),
        }
    }
}
