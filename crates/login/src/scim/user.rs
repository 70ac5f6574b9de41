//! A user as a directory writes one (RFC 7643 section 4.1), as far as it is kept.

use falconer_store::ScimRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::{ScimError, ScimFault, shown, wrong};
use super::filter::is_of_the_core;

/// The schema of users.
pub const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// A user has at most so many addresses.
const MOST_EMAILS: usize = 20;
/// The longest text, in characters.
pub(crate) const LONGEST_TEXT: usize = 320;

/// What is kept of a user.
const KEPT: [&str; 6] = ["userName", "externalId", "active", "displayName", "name", "emails"];
/// What is not a directory's to say, and repeated by some.
const OURS: [&str; 3] = ["schemas", "id", "meta"];
/// What the schema has besides, and is not kept.
const OTHERS: [&str; 16] = [
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "password",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
];
/// Parts of a name.
const NAME_PARTS: [&str; 6] = ["formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"];

/// What an attribute of users is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    /// Kept under this name.
    Kept(&'static str),
    /// Not the directory's to say.
    Ours(&'static str),
    /// Known, and not kept.
    NotKept,
}

/// The attribute of this name, whatever the case; `None`: there is no such attribute.
pub(crate) fn attribute(name: &str) -> Option<Attribute> {
    let find = |list: &[&'static str]| list.iter().find(|known| known.eq_ignore_ascii_case(name)).copied();
    // Of an extension.
    if name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) && !is_of_the_core(name) {
        return Some(Attribute::NotKept);
    }
    let ours = find(&OURS).map(Attribute::Ours);
    find(&KEPT).map(Attribute::Kept).or(ours).or_else(|| find(&OTHERS).map(|_| Attribute::NotKept))
}

/// The rest of a user, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) name: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) emails: Vec<Email>,
}

/// An address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Email {
    pub(crate) value: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) primary: bool,
}

impl Profile {
    /// What is kept of a record; nothing where that can't be read.
    pub(crate) fn of(record: &ScimRecord) -> Profile {
        serde_json::from_str(&record.profile).unwrap_or_default()
    }
}

/// What is kept of a user, as JSON.
pub fn user_json(record: &ScimRecord) -> Map<String, Value> {
    let Profile { name, emails } = Profile::of(record);
    let mut user = Map::new();
    user.insert("userName".into(), json!(record.name));
    if let Some(external_id) = &record.external_id {
        user.insert("externalId".into(), json!(external_id));
    }
    user.insert("active".into(), json!(record.active));
    if !record.display_name.is_empty() {
        user.insert("displayName".into(), json!(record.display_name));
    }
    if !name.is_empty() {
        user.insert("name".into(), Value::Object(name));
    }
    if !emails.is_empty() {
        user.insert("emails".into(), json!(emails));
    }
    user
}

/// What a directory says of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserDraft {
    pub(crate) user_name: String,
    pub(crate) external_id: Option<String>,
    /// `None`: it does not say.
    pub(crate) active: Option<bool>,
    pub(crate) display_name: String,
    profile: String,
}

impl UserDraft {
    /// Reads what came, whatever the case of its names.
    pub(crate) fn read(user: &Map<String, Value>) -> Result<UserDraft, ScimError> {
        let user = canonical(user)?;
        let Some(user_name) = text("userName", user.get("userName"))? else {
            return wrong(ScimFault::Value, "userName is missing");
        };
        let profile = Profile { name: name_of(user.get("name"))?, emails: emails_of(user.get("emails"))? };
        Ok(UserDraft {
            user_name,
            external_id: text("externalId", user.get("externalId"))?,
            active: user.get("active").filter(|active| !active.is_null()).map(truth).transpose()?,
            display_name: text("displayName", user.get("displayName"))?.unwrap_or_default(),
            profile: serde_json::to_string(&profile).unwrap_or_default(),
        })
    }

    /// Writes it into a record.
    pub(crate) fn into_record(self, record: &mut ScimRecord) {
        let UserDraft { user_name, external_id, active, display_name, profile } = self;
        record.name = user_name;
        record.external_id = external_id;
        // Whoever does not say it changes nothing of it.
        record.active = active.unwrap_or(record.active);
        record.display_name = display_name;
        record.profile = profile;
    }
}

/// The kept attributes, under their own names. Two that differ in case only are refused.
fn canonical(user: &Map<String, Value>) -> Result<Map<String, Value>, ScimError> {
    let mut kept = Map::new();
    for (name, value) in user {
        match attribute(name) {
            Some(Attribute::Kept(known)) => {
                if kept.insert(known.to_owned(), value.clone()).is_some() {
                    return wrong(ScimFault::Syntax, format!("{known} is there twice"));
                }
            }
            Some(Attribute::Ours(_) | Attribute::NotKept) => {}
            None => return wrong(ScimFault::Syntax, format!("users have no attribute {}", shown(name))),
        }
    }
    Ok(kept)
}

/// A text that is not empty; `None`: not there, null, or empty.
pub(crate) fn text(name: &str, value: Option<&Value>) -> Result<Option<String>, ScimError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.chars().count() > LONGEST_TEXT => {
            wrong(ScimFault::Value, format!("{name} is longer than {LONGEST_TEXT} characters"))
        }
        Some(Value::String(text)) if text.chars().any(char::is_control) || text.trim() != text => {
            wrong(ScimFault::Value, format!("{name} has control characters, or spaces at its ends"))
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => wrong(ScimFault::Value, format!("{name} is no text")),
    }
}

/// True or false; some directories write it as text.
pub(crate) fn truth(value: &Value) -> Result<bool, ScimError> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => wrong(ScimFault::Value, "write true or false"),
    }
}

fn name_of(value: Option<&Value>) -> Result<Map<String, Value>, ScimError> {
    let parts = match value {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(parts)) => parts,
        Some(_) => return wrong(ScimFault::Value, "name is no object"),
    };
    let mut name = Map::new();
    for (part, value) in parts {
        let Some(known) = NAME_PARTS.iter().find(|known| known.eq_ignore_ascii_case(part)) else {
            return wrong(ScimFault::Syntax, format!("names have no part {}", shown(part)));
        };
        if let Some(text) = text(known, Some(value))?
            && name.insert((*known).to_owned(), json!(text)).is_some()
        {
            return wrong(ScimFault::Syntax, format!("{known} is there twice"));
        }
    }
    Ok(name)
}

fn emails_of(value: Option<&Value>) -> Result<Vec<Email>, ScimError> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return wrong(ScimFault::Value, "emails is no list"),
    };
    if list.len() > MOST_EMAILS {
        return wrong(ScimFault::Value, format!("a user has at most {MOST_EMAILS} emails"));
    }
    let mut emails: Vec<Email> = Vec::new();
    for entry in list {
        let Value::Object(entry) = entry else { return wrong(ScimFault::Value, "one of emails is no object") };
        let part = |name: &str| entry.iter().find(|(part, _)| part.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let Some(value) = text("emails.value", part("value"))? else { continue };
        let primary = part("primary").filter(|primary| !primary.is_null()).map(truth).transpose()?.unwrap_or_default();
        if primary && emails.iter().any(|email| email.primary) {
            return wrong(ScimFault::Value, "two emails are primary");
        }
        emails.push(Email { value, of: text("emails.type", part("type"))?, primary });
    }
    Ok(emails)
}
