//! Records that come from elsewhere: a client with its token, a batch of many, and the lines of an import file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One line of an import file: `{"kind":"role","roleId":...}` or `{"kind":"client","clientId":...}`. A repeated or unknown key is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ImportRecord {
    /// A role.
    Role(ImportRole),
    /// A client.
    Client(ImportClient),
}

/// A role as it shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportRole {
    /// Its id, without `assume:`.
    pub role_id: String,
    /// All of its scopes, without repetition.
    pub scopes: Vec<String>,
    /// At most 10240 code points.
    pub description: String,
}

/// A client as it shall be.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportClient {
    /// Its id.
    pub client_id: String,
    /// All of its scopes, without repetition.
    pub scopes: Vec<String>,
    /// Date-time as [`crate::date_time`] reads it.
    pub expires: String,
    /// At most 10240 code points.
    pub description: String,
    /// Absent is `false`.
    #[serde(default)]
    pub delete_on_expiration: bool,
    /// Absent: a new client is enabled, and one that is there stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// The access token that it shall have. Absent: a new client gets one, and one that is there keeps its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
}

impl fmt::Debug for ImportClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportClient").field("client_id", &self.client_id).field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// What importBatch takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportBatch {
    /// No two with one id.
    pub roles: Vec<ImportRole>,
    /// No two with one id.
    pub clients: Vec<ImportClient>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of a record of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImportOutcome {
    /// It was not there.
    Created,
    /// It was there and differed.
    Updated,
    /// It was there just so.
    Unchanged,
}

/// What importBatch answers, in the order of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// One for each role.
    pub roles: Vec<ImportedRole>,
    /// One for each client.
    pub clients: Vec<ImportedClient>,
}

/// What became of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportedRole {
    /// Its id.
    pub role_id: String,
    /// What became of it.
    pub outcome: ImportOutcome,
}

/// What became of a client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportedClient {
    /// Its id.
    pub client_id: String,
    /// What became of it.
    pub outcome: ImportOutcome,
    /// The access token that was made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
}

impl fmt::Debug for ImportedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedClient").field("client_id", &self.client_id).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

/// What putClient takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutClientRequest {
    /// The access token that the client has from then on.
    pub access_token: String,
    /// Date-time as [`crate::date_time`] reads it.
    pub expires: String,
    /// At most 10240 code points.
    pub description: String,
    /// All of its scopes, without repetition.
    pub scopes: Vec<String>,
    /// Absent is `false`.
    #[serde(default)]
    pub delete_on_expiration: bool,
    /// Absent: a new client is enabled, and one that is there stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

impl fmt::Debug for PutClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutClientRequest").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<ImportRecord, String> {
        serde_json::from_str(line).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_are_read_strictly() {
        let role = r#"{"kind":"role","roleId":"r","scopes":["a"],"description":"d"}"#;
        let expected = ImportRole { role_id: "r".into(), scopes: vec!["a".into()], description: "d".into() };
        assert_eq!(read(role), Ok(ImportRecord::Role(expected)));
        // The kind may come last.
        assert_eq!(read(r#"{"roleId":"r","scopes":["a"],"description":"d","kind":"role"}"#), read(role));
        for (line, words) in [
            (r#"{"kind":"role","roleId":"r","roleId":"s","scopes":[],"description":""}"#, "duplicate field `roleId`"),
            (r#"{"kind":"role","kind":"role","roleId":"r","scopes":[],"description":""}"#, "duplicate field `kind`"),
            (r#"{"kind":"role","roleId":"r","scopes":[],"description":"","more":1}"#, "unknown field `more`"),
            (r#"{"kind":"hook","roleId":"r","scopes":[],"description":""}"#, "unknown variant `hook`"),
            (r#"{"roleId":"r","scopes":[],"description":""}"#, "missing field `kind`"),
            (r#"{"kind":"role","roleId":"r","scopes":[]}"#, "missing field `description`"),
            (r#"{"kind":"client","clientId":"c","scopes":[],"description":""}"#, "missing field `expires`"),
            (r#"{"kind":"client","clientId":"c","scopes":[1],"description":"","expires":""}"#, "invalid type"),
            (r#"{"kind":"role""#, "EOF"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}
