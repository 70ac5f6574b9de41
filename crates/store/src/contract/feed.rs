//! What a node that follows the store is given: which history it is in, and the records that have changed since it last looked.

use std::fmt;
use std::str::FromStr;

use crate::{
    ApplicationRecord, Change, ClientRecord, GrantRecord, IdentityRecord, IssuerRecord, KeyKind, PersonRecord, Revision, RoleRecord,
    ScopeRegistryRecord,
};

/// The random id of one history of a database. Two databases have different ones, and so has a database before and after a backup was restored
/// into it. As text: 16 hexadecimal digits in lower case, such as `9f86d081884c7d65`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Epoch(u64);

impl Epoch {
    /// Of random bytes.
    pub fn from_random(bytes: [u8; 8]) -> Epoch {
        Epoch(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Text that is no epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an epoch is 16 hexadecimal digits in lower case")]
pub struct NotAnEpoch;

impl FromStr for Epoch {
    type Err = NotAnEpoch;

    fn from_str(text: &str) -> Result<Epoch, NotAnEpoch> {
        let fine = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        u64::from_str_radix(text, 16).ok().filter(|_| fine).map(Epoch).ok_or(NotAnEpoch)
    }
}

/// Which history the revisions belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// Its id.
    pub epoch: Epoch,
    /// Where it began: 0, or the revision of the backup that was restored. Up to there it is the same as the history before.
    pub start: Revision,
}

/// Records that have changed, each once, as they are now. A member for each [`KeyKind`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChangedRecords {
    /// By clientId.
    pub clients: Vec<ClientRecord>,
    /// By roleId.
    pub roles: Vec<RoleRecord>,
    /// By id.
    pub grants: Vec<GrantRecord>,
    /// By `<provider>/<subject>`.
    pub identities: Vec<IdentityRecord>,
    /// By id.
    pub people: Vec<PersonRecord>,
    /// By name.
    pub issuers: Vec<IssuerRecord>,
    /// By id.
    pub applications: Vec<ApplicationRecord>,
    /// By namespace.
    pub scope_registries: Vec<ScopeRegistryRecord>,
    /// Those that are gone, or that [`load`](crate::Store::load) would not give: of this kind, with this key.
    pub gone: Vec<(KeyKind, String)>,
}

impl ChangedRecords {
    /// How many there are, with those that are gone.
    pub fn len(&self) -> usize {
        let ChangedRecords { clients, roles, grants, identities, people, issuers, applications, scope_registries, gone } = self;
        let asking = [grants.len(), applications.len(), scope_registries.len()];
        let people = [identities.len(), people.len()];
        [clients.len(), roles.len(), issuers.len(), gone.len()].into_iter().chain(asking).chain(people).sum()
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// So many rows tell what a revision was.
pub const NEWEST_ROWS: u32 = 8;

/// The answer of [`Store::changed_records`](crate::Store::changed_records).
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Which history this is.
    pub history: History,
    /// Everything that changed up to this revision is in the answer.
    pub up_to: Revision,
    /// The present revision, at which the records were read. Greater than `up_to` when the limit cut the answer.
    pub present: Revision,
    /// As in [`Loaded::highest_ms`](crate::Loaded::highest_ms).
    pub highest_ms: i64,
    /// All records that changed after `since` and up to `up_to`.
    pub records: ChangedRecords,
    /// The first [`NEWEST_ROWS`] rows of the feed of the present revision, by which another history with as many revisions is told apart. Empty where they were
    /// pruned, and where the revision changed no record.
    pub newest: Vec<Change>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_read_as_they_are_written() {
        let epoch = Epoch::from_random([0, 1, 2, 3, 4, 5, 6, 0xff]);
        assert_eq!(epoch.to_string(), "00010203040506ff");
        assert_eq!("00010203040506ff".parse(), Ok(epoch));
        for text in ["", "17", "00010203040506FF", "+0010203040506ff", "00010203040506ff0", "g0010203040506ff"] {
            assert_eq!(text.parse::<Epoch>(), Err(NotAnEpoch), "{text}");
        }
    }
}
