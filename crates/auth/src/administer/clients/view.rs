//! A client as the API shows it.

use falconer_store::ClientRecord;

use crate::directory::clients::client::Client;
use crate::directory::snapshot::Snapshot;
use crate::node::Auth;
use crate::view::ClientView;

impl Auth {
    /// A client as the API shows it; no token.
    pub(crate) fn view(&self, snapshot: &Snapshot, client: &Client, now_ms: i64) -> ClientView {
        let record = client.record();
        let mut scopes = record.scopes;
        falconer_scopes::list::sort(&mut scopes);
        ClientView {
            client_id: record.client_id,
            description: record.description,
            expires_ms: record.expires_us.div_euclid(1000),
            created_ms: record.created_ms,
            last_modified_ms: record.last_modified_ms,
            last_date_used_ms: record.last_date_used_ms,
            last_rotated_ms: record.last_rotated_ms,
            delete_on_expiration: record.delete_on_expiration,
            scopes,
            expanded_scopes: self.node.effective_scopes(snapshot, client, now_ms),
            disabled: record.disabled,
            access_token: None,
            grant: record.grant,
            old_token_ends_ms: record.old_token.map(|old| old.ends_ms).filter(|ends_ms| now_ms < *ends_ms),
            certificates_from_ms: record.revoked.before_ms,
            revoked_seeds: record.revoked.seeds.into_iter().map(|one| (one.seed, one.until_ms)).collect(),
        }
    }

    pub(crate) fn view_of(&self, record: ClientRecord) -> ClientView {
        self.view(&self.directory(), &Client::detached(record), self.now_ms())
    }

    pub(crate) fn view_with_token(&self, record: ClientRecord) -> ClientView {
        let token = record.access_token.clone();
        ClientView { access_token: Some(token), ..self.view_of(record) }
    }
}
