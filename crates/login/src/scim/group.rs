//! A group as a directory writes one (RFC 7643 section 4.2).

use std::collections::BTreeSet;

use falconer_store::ScimRecord;
use serde_json::{Map, Value};

use super::error::{ScimError, ScimFault, shown, wrong};
use super::filter::{Term, is_of_the_core};
use super::user::text;

/// The schema of groups.
pub const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// One request names at most so many members.
pub const MOST_MEMBERS: usize = 10_000;

/// What is kept of a group, and what is not a directory's to say.
const ATTRIBUTES: [&str; 6] = ["displayName", "externalId", "members", "schemas", "id", "meta"];

/// The attribute of this name, whatever the case. Empty: it is one of an extension, of which nothing is kept.
pub(crate) fn attribute(name: &str) -> Option<&'static str> {
    if name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) && !is_of_the_core(name) {
        return Some("");
    }
    ATTRIBUTES.iter().find(|known| known.eq_ignore_ascii_case(name)).copied()
}

/// What a directory says of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupDraft {
    pub(crate) display_name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) members: BTreeSet<String>,
}

impl GroupDraft {
    /// As it is kept.
    pub(crate) fn of(record: &ScimRecord) -> GroupDraft {
        let ScimRecord { name, external_id, members, .. } = record;
        GroupDraft { display_name: name.clone(), external_id: external_id.clone(), members: members.iter().cloned().collect() }
    }

    /// Reads what came, whatever the case of its names.
    pub(crate) fn read(group: &Map<String, Value>) -> Result<GroupDraft, ScimError> {
        let (mut display_name, mut external_id, mut members) = (None, None, BTreeSet::new());
        let mut seen = BTreeSet::new();
        for (name, value) in group {
            let Some(known) = attribute(name) else { return wrong(ScimFault::Syntax, format!("groups have no attribute {}", shown(name))) };
            if !known.is_empty() && !seen.insert(known) {
                return wrong(ScimFault::Syntax, format!("{known} is there twice"));
            }
            match known {
                "displayName" => display_name = text(known, Some(value))?,
                "externalId" => external_id = text(known, Some(value))?,
                "members" => members = read_members(value)?,
                _ => {}
            }
        }
        let Some(display_name) = display_name else { return wrong(ScimFault::Value, "displayName is missing") };
        Ok(GroupDraft { display_name, external_id, members })
    }

    /// Writes it into a record.
    pub(crate) fn into_record(self, record: &mut ScimRecord) {
        record.name = self.display_name;
        record.external_id = self.external_id;
        record.members = self.members.into_iter().collect();
    }
}

/// Members as a list, or as one. One that is named twice is refused.
pub(crate) fn read_members(value: &Value) -> Result<BTreeSet<String>, ScimError> {
    let list = match value {
        Value::Null => return Ok(BTreeSet::new()),
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    if list.len() > MOST_MEMBERS {
        return wrong(ScimFault::Value, format!("one request names at most {MOST_MEMBERS} members; send the others in further ones"));
    }
    let mut members = BTreeSet::new();
    for entry in list {
        let Value::Object(entry) = entry else { return wrong(ScimFault::Value, "a member is an object with a value") };
        let part = |name: &str| entry.iter().find(|(part, _)| part.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let Some(id) = text("members.value", part("value"))? else { return wrong(ScimFault::Value, "a member has no value") };
        if text("members.type", part("type"))?.is_some_and(|of| !of.eq_ignore_ascii_case("user")) {
            return wrong(ScimFault::Value, "members are users; groups inside of groups are not taken");
        }
        if !members.insert(id) {
            return wrong(ScimFault::Value, "a member is named twice");
        }
    }
    Ok(members)
}

/// The members that a filter of a path chooses.
pub(crate) fn chosen(terms: &[Term]) -> Result<String, ScimError> {
    match terms {
        [Term { attribute, value: Value::String(id) }] if attribute.eq_ignore_ascii_case("value") => Ok(id.clone()),
        _ => wrong(ScimFault::Filter, "members are chosen by `value eq \"<id>\"`"),
    }
}
