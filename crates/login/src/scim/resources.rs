//! Reading, adding, changing and deleting what a directory pushes. Each change is followed for the people before the answer.

use falconer_store::{ScimBounds, ScimFilter, ScimKind, ScimRecord, ScimWritten};
use serde_json::{Map, Value};

use super::directory::ScimSettings;
use super::error::{ScimError, ScimFault, shown, wrong};
use super::filter::Term;
use super::group::{GROUP_SCHEMA, GroupDraft};
use super::members::{Patched, ShowMembers, only_members};
use super::patch::{patch_group, patch_user, read_operations};
use super::user::{USER_SCHEMA, UserDraft, user_json};
use crate::login::Login;

/// One answer lists at most so many resources.
pub const MOST_LISTED: u32 = 200;
/// One answer lists groups with at most about so many members; then it has fewer groups. A group with more is shown without its members only.
pub const MOST_MEMBERS_LISTED: usize = 20_000;
/// The schema of changes of parts.
const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// A change of a part that others change too is made anew so often.
const TRIES: usize = 8;

impl Login {
    /// One resource of this directory.
    pub async fn read_scim(&self, scim: &ScimSettings, kind: ScimKind, id: &str) -> Result<ScimRecord, ScimError> {
        let found = self.store.scim(&scim.provider, kind, id).await;
        found.map_err(|error| self.read_error(error))?.ok_or(ScimError::NotFound)
    }

    /// One resource as it is answered. Members that are not wanted are not read. Errors: more members than one answer has.
    pub async fn show_scim(&self, scim: &ScimSettings, kind: ScimKind, id: &str, with_members: bool) -> Result<ScimRecord, ScimError> {
        if kind == ScimKind::Group && !with_members {
            return self.read_without_members(scim, id).await;
        }
        let record = self.read_scim(scim, kind, id).await?;
        check_answerable(&record)?;
        Ok(record)
    }

    /// How many resources of this directory are like that, and some of them: from the `start`th on (the first is 0).
    pub async fn list_scim(
        &self,
        scim: &ScimSettings,
        kind: ScimKind,
        terms: &[Term],
        (start, count): (u32, u32),
        with_members: bool,
    ) -> Result<(u64, Vec<ScimRecord>), ScimError> {
        let Some(filter) = store_filter(kind, terms)? else { return Ok((0, Vec::new())) };
        let found = self.store.scim_list(&scim.provider, kind, &filter, start, count.min(MOST_LISTED)).await;
        let (total, records) = found.map_err(|error| self.read_error(error))?;
        if kind == ScimKind::User || !with_members {
            return Ok((total, records));
        }
        let (mut groups, mut members) = (Vec::with_capacity(records.len()), 0);
        for record in records {
            if members > MOST_MEMBERS_LISTED {
                break;
            }
            let found = self.store.scim(&scim.provider, kind, &record.id).await;
            let Some(group) = found.map_err(|error| self.read_error(error))? else { continue };
            check_answerable(&group)?;
            members += group.members.len();
            groups.push(group);
        }
        Ok((total, groups))
    }

    /// Adds one.
    pub async fn create_scim(&self, scim: &ScimSettings, kind: ScimKind, body: &Map<String, Value>) -> Result<ScimRecord, ScimError> {
        self.check_clock()?;
        check_schema(body, schema_of(kind))?;
        let now_ms = self.now_ms();
        let mut record = ScimRecord {
            directory: scim.provider.clone(),
            kind,
            id: self.draw::<16>(),
            external_id: None,
            name: String::new(),
            display_name: String::new(),
            active: true,
            profile: String::new(),
            members: Vec::new(),
            version: 1,
            created_ms: now_ms,
            modified_ms: now_ms,
        };
        read_into(&mut record, body)?;
        if kind == ScimKind::User && scim.subject_of(&record).is_none() {
            return wrong(ScimFault::Value, format!("{} is missing: people are known by it", scim.subject.as_str()));
        }
        let push = scim.push(&record, now_ms);
        let insert = || async { self.store.insert_scim(&push, &record, scim.bounds).await.map_err(|error| self.store_error(error)) };
        let mut written = insert().await?;
        if written == ScimWritten::Taken {
            // Somebody who was deleted and has not ended yet has it perhaps.
            self.follow_pushed(scim).await?;
            written = insert().await?;
        }
        done(written, kind, scim.bounds)?;
        self.follow_change(scim, &record).await?;
        Ok(record)
    }

    /// Writes the whole of one. With versions only where it has one of them.
    pub async fn replace_scim(
        &self,
        scim: &ScimSettings,
        kind: ScimKind,
        id: &str,
        body: &Map<String, Value>,
        versions: Option<&[i64]>,
    ) -> Result<ScimRecord, ScimError> {
        check_schema(body, schema_of(kind))?;
        if body.iter().any(|(name, value)| name.eq_ignore_ascii_case("id") && value.as_str() != Some(id)) {
            return wrong(ScimFault::Mutability, "id can't be changed");
        }
        self.change_scim(scim, kind, id, versions, |record| read_into(record, body)).await
    }

    /// Changes parts of one. With versions only where it has one of them.
    pub async fn patch_scim(
        &self,
        scim: &ScimSettings,
        kind: ScimKind,
        id: &str,
        body: &Map<String, Value>,
        versions: Option<&[i64]>,
        show: ShowMembers,
    ) -> Result<Patched, ScimError> {
        check_schema(body, PATCH_SCHEMA)?;
        let operations = read_operations(body)?;
        if kind == ScimKind::Group
            && let Some(said) = only_members(&operations)?
        {
            return self.patch_members(scim, id, said, versions, show).await;
        }
        let changed = self.change_scim(scim, kind, id, versions, |record| match kind {
            ScimKind::User => {
                UserDraft::read(&patch_user(id, user_json(record), &operations)?)?.into_record(record);
                Ok(())
            }
            ScimKind::Group => {
                patch_group(id, GroupDraft::of(record), &operations)?.into_record(record);
                Ok(())
            }
        });
        let changed = changed.await?;
        let members = changed.members.len();
        Ok(if show.shows(members) { Patched::Resource(Box::new(changed)) } else { Patched::Version(changed.version) })
    }

    async fn change_scim(
        &self,
        scim: &ScimSettings,
        kind: ScimKind,
        id: &str,
        versions: Option<&[i64]>,
        change: impl Fn(&mut ScimRecord) -> Result<(), ScimError> + Send + Sync,
    ) -> Result<ScimRecord, ScimError> {
        self.check_clock()?;
        for _ in 0..TRIES {
            let before = self.read_scim(scim, kind, id).await?;
            if versions.is_some_and(|versions| !versions.contains(&before.version)) {
                return Err(ScimError::Changed);
            }
            let mut record = before.clone();
            change(&mut record)?;
            if kind == ScimKind::User && scim.subject_of(&record) != scim.subject_of(&before) {
                let subject = scim.subject.as_str();
                return wrong(
                    ScimFault::Mutability,
                    format!("{subject} can't be changed: people are known by it. Delete the user, and add another"),
                );
            }
            if record != before {
                record.version += 1;
                record.modified_ms = self.now_ms();
                let push = scim.push(&record, record.modified_ms);
                match self.store.update_scim(&push, &record, scim.bounds).await.map_err(|error| self.store_error(error))? {
                    ScimWritten::Changed => continue,
                    written => done(written, kind, scim.bounds)?,
                }
            }
            // Also where nothing was changed: the answer before may not have come that far.
            self.follow_change(scim, &record).await?;
            return Ok(record);
        }
        Err(ScimError::Changed)
    }

    /// Deletes one. With versions only where it has one of them.
    pub async fn delete_scim(&self, scim: &ScimSettings, kind: ScimKind, id: &str, versions: Option<&[i64]>) -> Result<(), ScimError> {
        self.check_clock()?;
        let before = self.read_scim(scim, kind, id).await?;
        if versions.is_some_and(|versions| !versions.contains(&before.version)) {
            return Err(ScimError::Changed);
        }
        let push = scim.push(&before, self.now_ms());
        let deleted = self.store.delete_scim(&push, &scim.provider, kind, id, versions.map(|_| before.version)).await;
        match deleted.map_err(|error| self.store_error(error))? {
            ScimWritten::Changed if versions.is_none() => return Err(ScimError::NotFound),
            written => done(written, kind, scim.bounds)?,
        }
        self.follow_change(scim, &before).await
    }
}

/// Half of a list of members would say that the others are not in the group.
fn check_answerable(record: &ScimRecord) -> Result<(), ScimError> {
    let members = record.members.len();
    if members > MOST_MEMBERS_LISTED { Err(ScimError::LargeGroup { members, most: MOST_MEMBERS_LISTED }) } else { Ok(()) }
}

fn schema_of(kind: ScimKind) -> &'static str {
    match kind {
        ScimKind::User => USER_SCHEMA,
        ScimKind::Group => GROUP_SCHEMA,
    }
}

fn of_a_kind(kind: ScimKind) -> &'static str {
    match kind {
        ScimKind::User => "users",
        ScimKind::Group => "groups",
    }
}

fn check_schema(body: &Map<String, Value>, schema: &str) -> Result<(), ScimError> {
    let schemas = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas")).and_then(|(_, schemas)| schemas.as_array());
    let named = schemas.into_iter().flatten().filter_map(Value::as_str).any(|named| named.eq_ignore_ascii_case(schema));
    if named { Ok(()) } else { wrong(ScimFault::Syntax, format!("schemas does not name {schema}")) }
}

fn read_into(record: &mut ScimRecord, body: &Map<String, Value>) -> Result<(), ScimError> {
    match record.kind {
        ScimKind::User => UserDraft::read(body)?.into_record(record),
        ScimKind::Group => GroupDraft::read(body)?.into_record(record),
    }
    Ok(())
}

pub(super) fn done(written: ScimWritten, kind: ScimKind, bounds: ScimBounds) -> Result<(), ScimError> {
    match written {
        ScimWritten::Done => Ok(()),
        ScimWritten::Changed => Err(ScimError::Changed),
        ScimWritten::Taken => Err(ScimError::Taken("another one has this name or this externalId")),
        ScimWritten::Full => Err(ScimError::Full { what: of_a_kind(kind), most: bounds.of(kind) }),
        ScimWritten::FullGroup => Err(ScimError::Full { what: "members of the group", most: bounds.group_members }),
        ScimWritten::FullOfMembers => Err(ScimError::Full { what: "members of all groups together", most: bounds.members }),
        ScimWritten::NoSuchMember(id) => wrong(ScimFault::Value, format!("this directory has pushed no user of the id {}", shown(&id))),
    }
}

/// `None`: nothing can be like that.
fn store_filter(kind: ScimKind, terms: &[Term]) -> Result<Option<ScimFilter>, ScimError> {
    let mut filter = ScimFilter::default();
    for Term { attribute, value } in terms {
        let name = attribute.to_ascii_lowercase();
        let name = name.strip_prefix(&schema_of(kind).to_ascii_lowercase()).map_or(name.as_str(), |name| name.trim_start_matches(':'));
        let place = match (kind, name) {
            (_, "id") => &mut filter.id,
            (_, "externalid") => &mut filter.external_id,
            (ScimKind::User, "username") | (ScimKind::Group, "displayname") => &mut filter.name,
            (ScimKind::User, "displayname") => &mut filter.display_name,
            _ => return wrong(ScimFault::Filter, format!("nothing is found by {}", shown(attribute))),
        };
        let Value::String(value) = value else { return wrong(ScimFault::Filter, format!("{} is a text", shown(attribute))) };
        if place.replace(value.clone()).is_some_and(|before| before != *value) {
            return Ok(None);
        }
    }
    Ok(Some(filter))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group was answered whole, with 100,000 members as with one.
    #[test]
    fn a_group_is_answered_whole_or_without_its_members() {
        let with = |members: usize| ScimRecord {
            directory: "company".to_owned(),
            kind: ScimKind::Group,
            id: "1".to_owned(),
            external_id: None,
            name: "red".to_owned(),
            display_name: String::new(),
            active: true,
            profile: String::new(),
            members: vec!["1".to_owned(); members],
            version: 1,
            created_ms: 0,
            modified_ms: 0,
        };
        assert_eq!(check_answerable(&with(MOST_MEMBERS_LISTED)), Ok(()));
        let refused = check_answerable(&with(MOST_MEMBERS_LISTED + 1)).unwrap_err();
        assert_eq!(refused, ScimError::LargeGroup { members: MOST_MEMBERS_LISTED + 1, most: MOST_MEMBERS_LISTED });
        assert!(refused.to_string().contains("excludedAttributes=members"), "{refused}");
        assert!(ShowMembers::Always.shows(MOST_MEMBERS_LISTED) && !ShowMembers::Always.shows(MOST_MEMBERS_LISTED + 1));
        assert!(ShowMembers::Few.shows(1000) && !ShowMembers::Few.shows(1001) && ShowMembers::Never.shows(usize::MAX));
    }
}
