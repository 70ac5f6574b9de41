//! Changes of parts (RFC 7644 section 3.5.2), as the RFC has them and as Entra and Okta write them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::error::{ScimError, ScimFault, shown, wrong};
use super::filter::{Path, Term, read_path};
use super::group::{self, GROUP_SCHEMA, GroupDraft, chosen, read_members};
use super::user::{self, Attribute, USER_SCHEMA, text};

/// A request has at most so many operations.
const MOST_OPERATIONS: usize = 1000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Replace,
    Remove,
}

/// One of the operations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation {
    op: Op,
    path: Option<String>,
    value: Value,
}

/// The operations of a request.
pub(crate) fn read_operations(body: &Map<String, Value>) -> Result<Vec<Operation>, ScimError> {
    let part = |of: &Map<String, Value>, name: &str| of.iter().find(|(part, _)| part.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
    let Some(Value::Array(list)) = part(body, "Operations") else { return wrong(ScimFault::Syntax, "Operations is missing, or no list") };
    if list.is_empty() || list.len() > MOST_OPERATIONS {
        return wrong(ScimFault::Syntax, format!("a request has 1 to {MOST_OPERATIONS} operations"));
    }
    let mut operations = Vec::with_capacity(list.len());
    for entry in &list {
        let Value::Object(entry) = entry else { return wrong(ScimFault::Syntax, "an operation is no object") };
        let op = match part(entry, "op") {
            Some(Value::String(op)) => match op.to_ascii_lowercase().as_str() {
                "add" => Op::Add,
                "replace" => Op::Replace,
                "remove" => Op::Remove,
                _ => return wrong(ScimFault::Syntax, format!("there is no operation {}", shown(&op))),
            },
            _ => return wrong(ScimFault::Syntax, "an operation has no op"),
        };
        let path = match part(entry, "path") {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) if path.is_empty() => None,
            Some(Value::String(path)) => Some(path),
            Some(_) => return wrong(ScimFault::Path, "a path is no text"),
        };
        if path.is_none() && op == Op::Remove {
            return wrong(ScimFault::NoTarget, "say with `path` what is to be removed");
        }
        operations.push(Operation { op, path, value: part(entry, "value").unwrap_or(Value::Null) });
    }
    Ok(operations)
}

impl Operation {
    /// Where it goes and what goes there, one after the other; `true`: it is named by a path of its own.
    fn targets(&self, schema: &str) -> Result<Vec<(Path, &Value, bool)>, ScimError> {
        if let Some(path) = &self.path {
            return Ok(read_path(path, schema)?.into_iter().map(|path| (path, &self.value, true)).collect());
        }
        let Value::Object(values) = &self.value else { return wrong(ScimFault::Value, "without a path the value is an object") };
        let mut targets = Vec::new();
        for (name, value) in values {
            targets.extend(read_path(name, schema)?.map(|path| (path, value, false)));
        }
        Ok(targets)
    }
}

impl Operation {
    /// The users who come (`true`) or leave by it; `None`: it says something else too, or all members.
    pub(crate) fn members(&self) -> Result<Option<(bool, BTreeSet<String>)>, ScimError> {
        let Some(path) = &self.path else { return Ok(None) };
        let Some(Path { attribute, filter, part: None }) = read_path(path, GROUP_SCHEMA)? else { return Ok(None) };
        if !attribute.eq_ignore_ascii_case("members") {
            return Ok(None);
        }
        Ok(match (self.op, filter) {
            (Op::Add, None) => Some((true, read_members(&self.value)?)),
            (Op::Remove, None) if !self.value.is_null() => Some((false, read_members(&self.value)?)),
            (Op::Remove, Some(terms)) => Some((false, BTreeSet::from([chosen(&terms)?]))),
            _ => None,
        })
    }
}

fn is_plain(path: &Path) -> Result<(), ScimError> {
    if path.filter.is_none() && path.part.is_none() {
        return Ok(());
    }
    wrong(ScimFault::Path, format!("{} has no parts", shown(&path.attribute)))
}

/// What is not a directory's to say may be repeated, and not changed.
fn ours(id: &str, attribute: &str, value: &Value, named: bool) -> Result<(), ScimError> {
    if named || (attribute == "id" && value.as_str() != Some(id)) {
        return wrong(ScimFault::Mutability, format!("{attribute} can't be changed"));
    }
    Ok(())
}

/// A user as JSON, changed.
pub(crate) fn patch_user(id: &str, mut user: Map<String, Value>, operations: &[Operation]) -> Result<Map<String, Value>, ScimError> {
    for operation in operations {
        for (path, value, named) in operation.targets(USER_SCHEMA)? {
            match user::attribute(&path.attribute) {
                Some(Attribute::Kept("name")) => change_name(&mut user, &path, operation.op, value)?,
                Some(Attribute::Kept("emails")) => change_emails(&mut user, &path, operation.op, value)?,
                Some(Attribute::Kept(known)) => {
                    is_plain(&path)?;
                    if operation.op == Op::Remove || value.is_null() {
                        if known == "active" || known == "userName" {
                            return wrong(ScimFault::Value, format!("{known} can't be removed"));
                        }
                        user.remove(known);
                    } else {
                        user.insert(known.to_owned(), value.clone());
                    }
                }
                Some(Attribute::Ours(known)) => ours(id, known, value, named)?,
                Some(Attribute::NotKept) => {}
                None => return wrong(ScimFault::Path, format!("users have no attribute {}", shown(&path.attribute))),
            }
        }
    }
    Ok(user)
}

fn change_name(user: &mut Map<String, Value>, path: &Path, op: Op, value: &Value) -> Result<(), ScimError> {
    if path.filter.is_some() {
        return wrong(ScimFault::Path, "a user has one name");
    }
    if !matches!(user.get("name"), Some(Value::Object(_))) {
        user.insert("name".to_owned(), json!({}));
    }
    let Some(Value::Object(name)) = user.get_mut("name") else { return Ok(()) };
    let mut set = |part: &str, value: Option<&Value>| {
        name.retain(|known, _| !known.eq_ignore_ascii_case(part));
        if let Some(value) = value {
            name.insert(part.to_owned(), value.clone());
        }
    };
    match (&path.part, op, value) {
        (Some(part), Op::Remove, _) => set(part, None),
        (Some(part), _, value) => set(part, Some(value)),
        (None, Op::Remove, _) | (None, _, Value::Null) => name.clear(),
        (None, op, Value::Object(parts)) => {
            if op == Op::Replace {
                name.clear();
            }
            for (part, value) in parts {
                name.retain(|known, _| !known.eq_ignore_ascii_case(part));
                name.insert(part.clone(), value.clone());
            }
        }
        (None, ..) => return wrong(ScimFault::Value, "name is no object"),
    }
    Ok(())
}

fn change_emails(user: &mut Map<String, Value>, path: &Path, op: Op, value: &Value) -> Result<(), ScimError> {
    let mut emails = match user.remove("emails") {
        Some(Value::Array(emails)) => emails,
        _ => Vec::new(),
    };
    match (&path.filter, &path.part) {
        (None, Some(_)) => return wrong(ScimFault::Path, "choose one of emails, as in `emails[type eq \"work\"].value`"),
        (None, None) => {
            if op != Op::Add {
                emails.clear();
            }
            match (op, value) {
                (Op::Remove, _) | (Op::Replace, Value::Null) => {}
                (_, Value::Array(more)) => more.iter().for_each(|one| add_email(&mut emails, one)),
                (_, one @ Value::Object(_)) => add_email(&mut emails, one),
                _ => return wrong(ScimFault::Value, "emails is no list"),
            }
        }
        (Some(terms), part) => change_chosen(&mut emails, terms, part.as_deref(), op, value)?,
    }
    // What follows reads it again for each operation.
    if emails.len() > 100 {
        return wrong(ScimFault::Value, "there are too many emails");
    }
    user.insert("emails".to_owned(), Value::Array(emails));
    Ok(())
}

/// Of several addresses one is the primary one: the newest that says so.
fn add_email(emails: &mut Vec<Value>, email: &Value) {
    let same = |known: &Value| known.get("value").is_some_and(|value| Some(value) == email.get("value"));
    emails.retain(|known| !same(known));
    if email.get("primary").is_some_and(|primary| user::truth(primary) == Ok(true)) {
        emails.iter_mut().filter_map(Value::as_object_mut).for_each(|known| drop(known.remove("primary")));
    }
    emails.push(email.clone());
}

fn change_chosen(emails: &mut Vec<Value>, terms: &[Term], part: Option<&str>, op: Op, value: &Value) -> Result<(), ScimError> {
    for term in terms {
        if !["type", "value", "primary"].iter().any(|known| known.eq_ignore_ascii_case(&term.attribute)) {
            return wrong(ScimFault::Filter, "emails are chosen by type, value or primary");
        }
    }
    let fits = |email: &Value| terms.iter().all(|term| term_fits(email, term));
    let found = emails.iter().any(fits);
    if op == Op::Remove {
        if !found {
            return wrong(ScimFault::NoTarget, "no email is like that");
        }
        match part {
            None => emails.retain(|email| !fits(email)),
            Some(part) => emails.iter_mut().filter(|email| fits(email)).filter_map(Value::as_object_mut).for_each(|email| {
                email.retain(|known, _| !known.eq_ignore_ascii_case(part));
            }),
        }
        return Ok(());
    }
    if !found {
        if op == Op::Replace {
            return wrong(ScimFault::NoTarget, "no email is like that");
        }
        let email = terms.iter().map(|term| (term.attribute.to_ascii_lowercase(), term.value.clone())).collect();
        emails.push(Value::Object(email));
    }
    for email in emails.iter_mut().filter(|email| fits(email)).filter_map(Value::as_object_mut) {
        let parts = match (part, value) {
            (Some(part), value) => Map::from_iter([(part.to_owned(), value.clone())]),
            (None, Value::Object(parts)) => parts.clone(),
            (None, _) => return wrong(ScimFault::Value, "an email is an object"),
        };
        for (part, value) in parts {
            email.retain(|known, _| !known.eq_ignore_ascii_case(&part));
            email.insert(part, value);
        }
    }
    Ok(())
}

fn term_fits(email: &Value, term: &Term) -> bool {
    let parts = email.as_object().into_iter().flatten();
    let value = parts.into_iter().find(|(part, _)| part.eq_ignore_ascii_case(&term.attribute)).map(|(_, value)| value);
    match (&term.value, value) {
        (Value::String(wanted), Some(Value::String(value))) => wanted.eq_ignore_ascii_case(value),
        (Value::Bool(wanted), value) => value.and_then(Value::as_bool).unwrap_or_default() == *wanted,
        _ => false,
    }
}

/// A group, changed.
pub(crate) fn patch_group(id: &str, mut group: GroupDraft, operations: &[Operation]) -> Result<GroupDraft, ScimError> {
    for operation in operations {
        for (path, value, named) in operation.targets(GROUP_SCHEMA)? {
            match group::attribute(&path.attribute) {
                Some("members") => change_members(&mut group, &path, operation.op, value)?,
                Some("displayName") => {
                    is_plain(&path)?;
                    let name = text("displayName", Some(value).filter(|_| operation.op != Op::Remove))?;
                    let Some(name) = name else { return wrong(ScimFault::Value, "displayName can't be removed") };
                    group.display_name = name;
                }
                Some("externalId") => {
                    is_plain(&path)?;
                    group.external_id = text("externalId", Some(value).filter(|_| operation.op != Op::Remove))?;
                }
                Some("") => {}
                Some(known) => ours(id, known, value, named)?,
                None => return wrong(ScimFault::Path, format!("groups have no attribute {}", shown(&path.attribute))),
            }
        }
    }
    Ok(group)
}

fn change_members(group: &mut GroupDraft, path: &Path, op: Op, value: &Value) -> Result<(), ScimError> {
    if path.part.is_some() {
        return wrong(ScimFault::Path, "a member can't be changed; remove it and add another");
    }
    match (op, &path.filter) {
        (Op::Remove, Some(terms)) => {
            group.members.remove(&chosen(terms)?);
        }
        (_, Some(_)) => return wrong(ScimFault::Path, "members are chosen only to be removed"),
        (Op::Remove, None) if value.is_null() => group.members.clear(),
        (Op::Remove, None) => {
            for member in read_members(value)? {
                group.members.remove(&member);
            }
        }
        (Op::Add, None) => group.members.extend(read_members(value)?),
        (Op::Replace, None) => group.members = read_members(value)?,
    }
    Ok(())
}
