//! The types of the table of the API.

use crate::Pattern;

/// Which method. Each entry of the table has a variant, so that `web` maps them to handlers in an exhaustive match.
#[allow(missing_docs)] // Each variant is documented by its entry in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Ping,
    Lbheartbeat,
    Version,
    ListClients,
    Client,
    CreateClient,
    GetEntityHistory,
    ListAuditHistory,
    ResetAccessToken,
    UpdateClient,
    EnableClient,
    DisableClient,
    DeleteClient,
    ListRoles,
    ListRoles2,
    ListRoleIds,
    Role,
    CreateRole,
    UpdateRole,
    DeleteRole,
    ExpandScopes,
    CurrentScopes,
    AwsS3Credentials,
    AzureAccounts,
    AzureTables,
    AzureTableSas,
    AzureContainers,
    AzureContainerSas,
    SentryDsn,
    WebsocktunnelToken,
    GcpCredentials,
    GithubRepoToken,
    AuthenticateHawk,
    TestAuthenticate,
    TestAuthenticateGet,
    Heartbeat,
    Revision,
    Events,
    ListClientRecords,
    ClientRecord,
    RevokeCertificates,
    ResetAccessTokenWithOverlap,
    EndOldAccessToken,
    PutClient,
    ImportBatch,
    ListPeople,
    Person,
    InvitePerson,
    UpdatePerson,
    DisablePerson,
    EnablePerson,
    UnlockPerson,
    DeletePerson,
    SignPersonOut,
    RevokeGrantOfPerson,
    MakeResetLink,
    PersonHistory,
    LinkPerson,
    UnlinkPerson,
    NamePerson,
    RefreshPerson,
    MapPerson,
    ListApplications,
    Application,
    PutApplication,
    ResetApplicationSecret,
    DeleteApplication,
    /// `listInitialTokens`
    ListInitialTokens,
    /// `createInitialToken`
    CreateInitialToken,
    /// `deleteInitialToken`
    DeleteInitialToken,
    /// `listScopeRegistries`
    ListScopeRegistries,
    /// `scopeRegistry`
    ScopeRegistry,
    /// `putScopeRegistry`
    PutScopeRegistry,
    /// `deleteScopeRegistry`
    DeleteScopeRegistry,
    /// `endedTokens`
    EndedTokens,
    DeriveGrant,
    RequestGrant,
    CollectGrant,
    Check,
    Checks,
    Explain,
    EndGrant,
}

/// One of the two APIs of the process. Both are described by the same kind of table and answered by the same dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// The protocol's own: `/api/auth/v1`.
    Auth,
    /// What the protocol has no method for: `/api/falconer/v1`.
    Falconer,
}

impl Service {
    /// Both, the protocol's own first.
    pub const ALL: [Service; 2] = [Service::Auth, Service::Falconer];
    /// The version of both.
    pub const VERSION: &'static str = "v1";

    /// Its name in URLs and references.
    pub fn name(self) -> &'static str {
        match self {
            Service::Auth => "auth",
            Service::Falconer => "falconer",
        }
    }

    /// Where its routes begin. Requests match it in any letter case.
    pub fn prefix(self) -> &'static str {
        match self {
            Service::Auth => "/api/auth/v1",
            Service::Falconer => "/api/falconer/v1",
        }
    }

    /// Heading of its reference.
    pub fn title(self) -> &'static str {
        match self {
            Service::Auth => "Auth Service",
            Service::Falconer => "Falconer",
        }
    }

    /// What it is for.
    pub fn description(self) -> &'static str {
        match self {
            Service::Auth => "Clients, roles and their scopes, and verification of signed requests for other services.",
            Service::Falconer => {
                "What Falconer can do and the protocol has no method for. Requests are signed and errors look as in the auth API."
            }
        }
    }

    /// Its methods in reference order.
    pub fn methods(self) -> &'static [Method] {
        match self {
            Service::Auth => &crate::METHODS,
            Service::Falconer => crate::FALCONER_METHODS,
        }
    }
}

/// HTTP method of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET`, and `HEAD` with it.
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Verb {
    /// Upper case, as on the request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Delete => "DELETE",
        }
    }
}

/// How settled a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// Will stay.
    Stable,
    /// Stays for those who use it.
    Deprecated,
    /// May change.
    Experimental,
}

impl Stability {
    /// The word in references.
    pub fn as_str(self) -> &'static str {
        match self {
            Stability::Stable => "stable",
            Stability::Deprecated => "deprecated",
            Stability::Experimental => "experimental",
        }
    }
}

/// A path parameter.
#[derive(Clone, Copy, Debug)]
pub struct PathParam {
    /// Name between `<` and `>` in the route.
    pub name: &'static str,
    /// What the decoded value must match; none: anything.
    pub pattern: Option<Pattern>,
}

/// A query parameter. All are optional, and none may be repeated. `bewit` is accepted everywhere and is not listed.
#[derive(Clone, Copy, Debug)]
pub struct QueryParam {
    /// Its key.
    pub name: &'static str,
    /// What the decoded value must match; none: anything.
    pub pattern: Option<Pattern>,
}

/// One segment of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Literal text.
    Literal(&'a str),
    /// One path segment as a parameter.
    Param(&'a str),
    /// The whole rest of the path as a parameter (`prefix` of awsS3Credentials only).
    Rest(&'a str),
}

/// One method of the API.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Which one.
    pub call: Call,
    /// Which API it belongs to.
    pub service: Service,
    /// Its name in references, error bodies and client libraries: `createClient`.
    pub name: &'static str,
    /// HTTP method.
    pub verb: Verb,
    /// Route below [`Service::prefix`], with `<parameters>`. A trailing slash is optional in requests.
    pub route: &'static str,
    /// Path parameters, in the order of the route.
    pub params: &'static [PathParam],
    /// Query parameters.
    pub query: &'static [QueryParam],
    /// The scope template as JSON text; none: public, no authentication is attempted.
    pub scopes: Option<&'static str>,
    /// Whether authorization needs more than the path. The use case authorizes then, after parameters and body were checked.
    pub deferred: bool,
    /// How settled it is.
    pub stability: Stability,
    /// Heading in references.
    pub category: &'static str,
    /// Short name for people.
    pub title: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Schema of the request body, a name among its service's [`crate::schemas`] such as `create-client-request`.
    pub input: Option<&'static str>,
    /// Schema of the answer.
    pub output: Option<&'static str>,
}

impl Method {
    /// The route in segments.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'static>> {
        let rest = self.call == Call::AwsS3Credentials;
        self.route.split('/').filter(|s| !s.is_empty()).map(move |segment| {
            match segment.strip_prefix('<').and_then(|s| s.strip_suffix('>')) {
                Some(name) if rest && name == "prefix" => Segment::Rest(name),
                Some(name) => Segment::Param(name),
                None => Segment::Literal(segment),
            }
        })
    }

    /// The entry of a call.
    pub fn of(call: Call) -> Option<&'static Method> {
        Method::all().find(|m| m.call == call)
    }

    /// Every method of both APIs.
    pub fn all() -> impl Iterator<Item = &'static Method> {
        Service::ALL.into_iter().flat_map(|service| service.methods().iter())
    }
}
