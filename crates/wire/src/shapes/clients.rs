//! Clients.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What createClient and updateClient take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientRequest {
    /// Date-time as [`crate::date_time`] reads it.
    pub expires: String,
    /// At most 10240 code points.
    pub description: String,
    /// `None`: no scopes on create, unchanged on update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Absent is `false`, on update too.
    #[serde(default)]
    pub delete_on_expiration: bool,
}

/// A client without its access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Its id.
    pub client_id: String,
    /// What it is for, in Markdown.
    pub description: String,
    /// When it stops working.
    pub expires: String,
    /// When it was made.
    pub created: String,
    /// When it was changed last.
    pub last_modified: String,
    /// When it was used last, to within six hours.
    pub last_date_used: String,
    /// When its token was made.
    pub last_rotated: String,
    /// Whether it is deleted once it has expired.
    pub delete_on_expiration: bool,
    /// Sorted, not normalized.
    pub scopes: Vec<String>,
    /// Expanded and normalized, without what `anonymous` gives.
    pub expanded_scopes: Vec<String>,
    /// Whether it is refused.
    pub disabled: bool,
}

/// A client, and what the protocol's own shape has no member for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientWithGrant {
    /// The client.
    #[serde(flatten)]
    pub client: Client,
    /// The id of the grant, with which the client ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Until when the access token before the present one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_token_ends: Option<String>,
    /// Temporary credentials that it has made count only if they start then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates_from: Option<String>,
    /// Single temporary credentials that were revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_seeds: Vec<RevokedSeed>,
}

/// Single temporary credentials that were revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedSeed {
    /// As in the certificate.
    pub seed: String,
    /// When it is forgotten.
    pub until: String,
}

/// Which temporary credentials of a client are to count no more; neither: all that start before the present time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeCertificatesRequest {
    /// All that start before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Those of this seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
}

/// What is wished of another access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetAccessTokenRequest {
    /// For how long the access token before counts; 0: it ends at once.
    pub overlap_seconds: i64,
}

/// A client with its new access token, and until when the one before counts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetAccessToken {
    /// The client.
    #[serde(flatten)]
    pub record: ClientWithGrant,
    /// The secret key, last on the wire.
    pub access_token: String,
}

/// Without the token.
impl fmt::Debug for ResetAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResetAccessToken").field("record", &self.record).finish_non_exhaustive()
    }
}

/// A page of listClientRecords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientRecordList {
    /// By id.
    pub clients: Vec<ClientWithGrant>,
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
}

/// A client as createClient and resetAccessToken answer: the only place where a token is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientWithToken {
    /// The client.
    #[serde(flatten)]
    pub client: Client,
    /// The secret key, last on the wire.
    pub access_token: String,
}

impl fmt::Debug for ClientWithToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientWithToken").field("client", &self.client).finish_non_exhaustive()
    }
}

/// A page of listClients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientList {
    /// The clients.
    pub clients: Vec<Client>,
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
}
