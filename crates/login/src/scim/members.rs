//! Changes of a group's members and of nothing else, as directories send them one by one: work for those who come or leave, and none for those who stay.

use std::collections::BTreeMap;

use falconer_store::{ScimFilter, ScimKind, ScimMembers, ScimRecord, ScimWritten};

use super::directory::ScimSettings;
use super::error::ScimError;
use super::patch::Operation;
use super::resources::{MOST_MEMBERS_LISTED, done};
use crate::login::Login;

/// A group with more members is not written into the answer to a change of parts that did not ask for it.
pub const MOST_MEMBERS_ANSWERED: u32 = 1000;

/// Whether an answer shows the members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowMembers {
    /// They were asked for.
    Always,
    /// Where they are at most [`MOST_MEMBERS_ANSWERED`]; otherwise nothing of the group is shown.
    Few,
    /// They were asked to be left out.
    Never,
}

impl ShowMembers {
    /// Whether the answer to a change shows a group with so many members.
    pub(super) fn shows(self, members: usize) -> bool {
        match self {
            ShowMembers::Always => members <= MOST_MEMBERS_LISTED,
            ShowMembers::Few => members <= MOST_MEMBERS_ANSWERED as usize,
            ShowMembers::Never => true,
        }
    }
}

/// What is answered to a change of parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Patched {
    /// All that is shown of it.
    Resource(Box<ScimRecord>),
    /// It is done; the group has this version now.
    Version(i64),
}

impl Login {
    /// Changes who is in a group. The operations are applied in their order: the last word on each user counts.
    pub(super) async fn patch_members(
        &self,
        scim: &ScimSettings,
        id: &str,
        said: BTreeMap<String, bool>,
        versions: Option<&[i64]>,
        show: ShowMembers,
    ) -> Result<Patched, ScimError> {
        self.check_clock()?;
        let of = |comes: bool| said.iter().filter(|(_, said)| **said == comes).map(|(id, _)| id.clone()).collect();
        let change = ScimMembers {
            directory: scim.provider.clone(),
            group: id.to_owned(),
            versions: versions.map(<[i64]>::to_vec),
            came: of(true),
            left: of(false),
        };
        let push = scim.push_of_group(id, self.now_ms());
        let changed = self.store.change_scim_members(&push, &change, scim.bounds).await.map_err(|error| self.store_error(error))?;
        let group = match changed {
            Ok(group) => group,
            // Without a version there is none, with one it may have another.
            Err(ScimWritten::Changed) => {
                self.read_without_members(scim, id).await?;
                return Err(ScimError::Changed);
            }
            Err(written) => return Err(done(written, ScimKind::Group, scim.bounds).err().unwrap_or(ScimError::Changed)),
        };
        // Also where nobody came or left: the answer before may not have come that far.
        self.follow_changed_group(scim).await?;
        if !show.shows(group.members as usize) {
            return Ok(Patched::Version(group.version));
        }
        let shown = match show {
            ShowMembers::Few | ShowMembers::Always => self.read_scim(scim, ScimKind::Group, id).await?,
            ShowMembers::Never => self.read_without_members(scim, id).await?,
        };
        Ok(Patched::Resource(Box::new(shown)))
    }

    pub(super) async fn read_without_members(&self, scim: &ScimSettings, id: &str) -> Result<ScimRecord, ScimError> {
        let filter = ScimFilter { id: Some(id.to_owned()), ..ScimFilter::default() };
        let found = self.store.scim_list(&scim.provider, ScimKind::Group, &filter, 0, 1).await;
        found.map_err(|error| self.read_error(error))?.1.pop().ok_or(ScimError::NotFound)
    }
}

/// Who comes and who leaves, where all operations say that and nothing else.
pub(super) fn only_members(operations: &[Operation]) -> Result<Option<BTreeMap<String, bool>>, ScimError> {
    let mut said = BTreeMap::new();
    for operation in operations {
        let Some((comes, ids)) = operation.members()? else { return Ok(None) };
        said.extend(ids.into_iter().map(|id| (id, comes)));
    }
    Ok(Some(said))
}
