//! A person's entry, read.

use serde_json::{Map, Value};

use super::error::LdapError;
use super::protocol::Entry;
use super::settings::LdapSettings;
use crate::providers::error::short;
use crate::providers::provider::Attributes;
use crate::providers::shown_name::shown_name;

/// Characters.
const LONGEST_SUBJECT: usize = 255;
/// Active Directory's id: 16 bytes, written as a GUID.
const GUID: &str = "objectGUID";

/// The attributes of a person that are asked for.
pub(super) fn wanted_attributes(settings: &LdapSettings) -> Vec<&str> {
    let names = &settings.attributes;
    let mut wanted = vec![names.subject.as_str(), &names.username, &names.email, &names.name];
    wanted.extend(settings.groups.memberof.as_deref());
    wanted.sort_unstable_by_key(|name| name.to_ascii_lowercase());
    wanted.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    wanted
}

/// What an entry says of a person, but for groups.
pub(super) fn attributes(entry: &Entry, settings: &LdapSettings) -> Result<Attributes, LdapError> {
    let names = &settings.attributes;
    let subject = subject(entry, &names.subject)?;
    let username = only(entry, &names.username)?;
    let email = only(entry, &names.email)?;
    let name = texts(entry, &names.name)?.into_iter().next();
    let display_name =
        [name, username.clone(), email.clone()].into_iter().flatten().map(|name| shown_name(&name)).find(|name| !name.is_empty());
    let display_name = display_name.unwrap_or_else(|| shown_name(&subject));
    let email_verified = email.is_some();
    Ok(Attributes { subject, display_name, username, email, email_verified, groups: Vec::new() })
}

/// The id of a person.
fn subject(entry: &Entry, attribute: &str) -> Result<String, LdapError> {
    let wrong = |why| LdapError::Subject { attribute: attribute.to_owned(), dn: short(&entry.dn), why };
    let value = match entry.values(attribute) {
        [] => return Err(wrong("it is not there")),
        [value] => value,
        _ => return Err(wrong("it has several values")),
    };
    if attribute.eq_ignore_ascii_case(GUID) {
        return guid(value).ok_or_else(|| wrong("it has not 16 bytes"));
    }
    let text = std::str::from_utf8(value).map_err(|_| wrong("it is no text"))?;
    if text.is_empty() {
        return Err(wrong("it is empty"));
    }
    if text.len() > LONGEST_SUBJECT {
        return Err(wrong("it is longer than 255 characters"));
    }
    // What can't be typed or seen is nobody's name.
    if !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(wrong("it is not printable ASCII"));
    }
    Ok(text.to_owned())
}

/// What is searched for to find somebody of this id again; `None`: nobody can have it.
pub(super) fn subject_value(subject: &str, attribute: &str) -> Option<Vec<u8>> {
    if attribute.eq_ignore_ascii_case(GUID) { guid_bytes(subject) } else { Some(subject.as_bytes().to_vec()) }
}

/// As Windows writes it: the first three numbers are stored with their lowest byte first.
fn guid(bytes: &[u8]) -> Option<String> {
    let [a, b, c, d, e, f, g, h, rest @ ..] = <[u8; 16]>::try_from(bytes).ok()?;
    let text: String = [d, c, b, a, f, e, h, g].into_iter().chain(rest).map(|byte| format!("{byte:02x}")).collect();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    Some(format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)))
}

fn guid_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 {
        return None;
    }
    let byte = |at: usize| digits.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let bytes = [6, 4, 2, 0, 10, 8, 14, 12].into_iter().chain((16..32).step_by(2)).map(byte).collect::<Option<Vec<u8>>>()?;
    (guid(&bytes)? == text).then_some(bytes)
}

/// The values of an attribute that hold something.
pub(super) fn texts(entry: &Entry, attribute: &str) -> Result<Vec<String>, LdapError> {
    let no_text = |_| LdapError::NoText { attribute: attribute.to_owned(), dn: short(&entry.dn) };
    let values = entry.values(attribute).iter().filter(|value| !value.is_empty());
    values.map(|value| std::str::from_utf8(value).map(str::to_owned).map_err(no_text)).collect()
}

/// The value of an attribute that has one. Several have no order in LDAP: which of them the person is would be a guess, so they are none.
fn only(entry: &Entry, attribute: &str) -> Result<Option<String>, LdapError> {
    let mut values = texts(entry, attribute)?;
    if values.len() > 1 {
        tracing::warn!(dn = %short(&entry.dn), attribute, "an attribute has several values, so that none of them counts");
        return Ok(None);
    }
    Ok(values.pop())
}

/// An entry as an operator writes it, to see what it would give: names of attributes, each with a text or a list of texts.
pub(super) fn entry_of(claims: &Map<String, Value>) -> Result<Entry, LdapError> {
    let mut entry = Entry::default();
    for (name, value) in claims {
        let list = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let texts: Option<Vec<Vec<u8>>> = list.iter().map(|value| value.as_str().map(|text| text.as_bytes().to_vec())).collect();
        let texts = texts.ok_or_else(|| LdapError::NoText { attribute: name.clone(), dn: entry.dn.clone() })?;
        entry.attributes.push((name.clone(), texts));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attributes: &[(&str, &[&[u8]])]) -> Entry {
        let attributes = attributes.iter().map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| value.to_vec()).collect()));
        Entry { dn: "uid=ann,dc=example".into(), attributes: attributes.collect() }
    }

    /// The example of Microsoft's documentation of the type GUID.
    #[test]
    fn ids_of_active_directory() {
        let bytes = [0x04, 0x03, 0x02, 0x01, 0x06, 0x05, 0x08, 0x07, 9, 10, 11, 12, 13, 14, 15, 16];
        let text = "01020304-0506-0708-090a-0b0c0d0e0f10";
        assert_eq!(guid(&bytes).as_deref(), Some(text));
        assert_eq!(subject_value(text, "OBJECTguid").as_deref(), Some(bytes.as_slice()));
        for wrong in [
            "",
            "x",
            "01020304050607080",
            "0102030405060708090a0b0c0d0e0f10",
            "01020304-0506-0708-090A-0b0c0d0e0f10",
            "é1020304-0506-0708-090a-0b0c0d0e0f1",
        ] {
            assert_eq!(subject_value(wrong, GUID), None, "{wrong}");
        }
        assert_eq!(subject(&entry(&[(GUID, &[&bytes])]), "objectguid").unwrap(), text);
        assert!(subject(&entry(&[(GUID, &[&bytes[1..]])]), GUID).is_err());
    }

    #[test]
    fn ids_that_are_none() {
        let long = [b'a'; 256];
        let none: [&[&[u8]]; 7] = [&[], &[b"a", b"b"], &[b""], &[b"\xff"], &["é".as_bytes()], &[b"a\0"], &[&long]];
        for values in none {
            assert!(subject(&entry(&[("id", values)]), "id").is_err(), "{values:?}");
        }
        assert_eq!(subject(&entry(&[("ID", &[b"a b"])]), "id").unwrap(), "a b");
    }

    #[test]
    fn which_of_several_is_no_guess() {
        let of = |values: &[&[u8]]| only(&entry(&[("mail", values)]), "mail");
        assert_eq!(of(&[b"a@b", b"c@d"]).unwrap(), None);
        assert_eq!(of(&[b"a@b", b""]).unwrap().as_deref(), Some("a@b"));
        assert!(of(&[b"\xff"]).is_err());
    }
}
