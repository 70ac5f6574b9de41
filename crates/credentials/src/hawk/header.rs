//! The value of an `Authorization` header.

use crate::Failure;
use crate::failure::FormFault;

/// Longest header, in UTF-16 units: a certificate of a few hundred scopes fits. The reference takes 4096.
const LONGEST: usize = 16 << 10;

/// The attributes of a header that has the right form, as sent. None of them is empty.
pub(crate) struct Attributes<'a> {
    pub id: &'a str,
    pub ts: &'a str,
    pub nonce: &'a str,
    pub mac: &'a str,
    pub hash: Option<&'a str>,
    pub ext: Option<&'a str>,
    pub app: Option<&'a str>,
    pub dlg: Option<&'a str>,
}

/// Reads `Hawk id="...", ts="...", nonce="...", mac="..."` with `hash`, `ext`, `app`, `dlg` where given, in any order.
pub(crate) fn parse(header: &str) -> Result<Attributes<'_>, Failure> {
    if is_longer(header, LONGEST) {
        return Err(FormFault::HeaderTooLong.into());
    }
    let syntax = || Failure::from(FormFault::HeaderSyntax);
    let (scheme, rest) = split_word(header);
    // What follows the scheme is white space and then one line, or nothing at all.
    let list = skip_spaces(rest);
    // One look at all of it, so that neither line breaks nor the characters of values have to be looked for one by one.
    let printable = is_printable(list);
    if scheme.is_empty() || (list.len() == rest.len() && !rest.is_empty()) || (!printable && list.contains(is_line_break)) {
        return Err(syntax());
    }
    if !scheme.eq_ignore_ascii_case("hawk") {
        return Err(FormFault::OtherScheme.into());
    }
    if list.is_empty() {
        return Err(syntax());
    }
    scan(list, printable)
}

/// More than so many UTF-16 units? Bytes are never fewer than units, so most texts need no count.
pub(crate) fn is_longer(text: &str, units: usize) -> bool {
    text.len() > units && text.encode_utf16().nth(units).is_some()
}

/// JavaScript's `\s`.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
}

/// What JavaScript's `.` does not match.
pub(crate) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

#[derive(Default)]
struct Found<'a> {
    id: Option<&'a str>,
    ts: Option<&'a str>,
    nonce: Option<&'a str>,
    hash: Option<&'a str>,
    ext: Option<&'a str>,
    mac: Option<&'a str>,
    app: Option<&'a str>,
    dlg: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "id" => &mut self.id,
            "ts" => &mut self.ts,
            "nonce" => &mut self.nonce,
            "hash" => &mut self.hash,
            "ext" => &mut self.ext,
            "mac" => &mut self.mac,
            "app" => &mut self.app,
            "dlg" => &mut self.dlg,
            _ => return None,
        })
    }
}

/// What is wrong with the attribute of a name.
type NamedFault = fn(String) -> FormFault;

/// Finds `name="value"` anywhere and remembers whether anything was left over. Of several bad finds the last is reported, and any bad find
/// before what is left over.
fn scan(list: &str, printable: bool) -> Result<Attributes<'_>, Failure> {
    let mut found = Found::default();
    let mut bad: Option<(NamedFault, &str)> = None;
    let mut left_over = false;
    let mut rest = list;
    while !rest.is_empty() {
        let (name, after_name) = split_word(rest);
        if name.is_empty() {
            left_over = true;
            rest = after_first_char(rest);
            continue;
        }
        let Some((value, after)) = value(after_name) else {
            // No part of this word can begin a find either, since what follows it is the same.
            left_over = true;
            rest = after_name;
            continue;
        };
        rest = after;
        match found.slot(name) {
            None => bad = Some((FormFault::UnknownAttribute, name)),
            Some(_) if value.is_empty() || !(printable || is_printable(value)) => bad = Some((FormFault::AttributeValue, name)),
            Some(slot) if slot.is_some() => bad = Some((FormFault::DuplicateAttribute, name)),
            Some(slot) => *slot = Some(value),
        }
    }
    if let Some((fault, name)) = bad {
        return Err(fault(name.to_owned()).into());
    }
    if left_over {
        return Err(FormFault::HeaderFormat.into());
    }
    let (Some(id), Some(ts), Some(nonce), Some(mac)) = (found.id, found.ts, found.nonce, found.mac) else {
        return Err(FormFault::MissingAttributes.into());
    };
    Ok(Attributes { id, ts, nonce, mac, hash: found.hash, ext: found.ext, app: found.app, dlg: found.dlg })
}

/// `="value"`, white space, and then a comma with white space, or the end: the value, and what comes after.
fn value(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("=\"")?;
    let end = memchr::memchr2(b'"', b'\\', text.as_bytes())?;
    let (value, after) = text.split_at_checked(end)?;
    let after = skip_spaces(after.strip_prefix('"')?);
    if after.is_empty() {
        return Some((value, after));
    }
    Some((value, skip_spaces(after.strip_prefix(',')?)))
}

/// The `\w+` (ASCII) that the text begins with, perhaps empty, and the rest.
fn split_word(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_')).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or(("", text))
}

fn after_first_char(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

/// Printable ASCII throughout.
fn is_printable(text: &str) -> bool {
    // Without an early end, so that many bytes are looked at at once.
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// The text without the white space that it begins with.
fn skip_spaces(text: &str) -> &str {
    let after = text.strip_prefix(' ').unwrap_or(text);
    // What begins with a visible ASCII character has no more of it, which is nearly always so.
    if after.as_bytes().first().is_some_and(u8::is_ascii_graphic) { after } else { text.trim_start_matches(is_space) }
}
