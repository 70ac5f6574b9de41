//! The protocol for those who try it with made-up input.

use super::answer::Answer;
use super::ber::Header;
use super::dn::Dn;
use super::filter::FilterTemplate;
use super::filter_text::FilterError;

/// Reads a message as it comes from a server, and the name in its entry. The answer says what it is, or why it can't be read.
pub fn read_answer(bytes: &[u8]) -> Result<&'static str, &'static str> {
    let Some(header) = Header::read(bytes)? else { return Err("it is cut off") };
    let end = header.bytes.saturating_add(header.length);
    let body = bytes.get(header.bytes..end).ok_or("it is cut off")?;
    Ok(match Answer::read(body)?.1 {
        Answer::Entry(entry) => match Dn::parse(&entry.dn).map(|dn| dn.is_within(&dn.folded()) || !dn.is_empty()) {
            Some(_) => "entry",
            None => "entry without a name",
        },
        Answer::Bind(_) => "bind",
        Answer::Extended(_) => "extended",
        Answer::Reference => "reference",
        Answer::Done { cookie, .. } if cookie.is_empty() => "done",
        Answer::Done { .. } => "page",
        Answer::Unasked => "unasked",
    })
}

/// The tags of a filter with `{name}` in it, once somebody has typed that name: whatever was typed, they are the same. `None`: nothing was typed.
pub fn filter_shape(text: &str, typed: &str) -> Result<Option<Vec<u8>>, FilterError> {
    let Some(encoded) = FilterTemplate::parse(text, &["name"])?.fill(&[("name", typed.as_bytes())]) else { return Ok(None) };
    let (mut tags, mut rest) = (Vec::new(), encoded.as_slice());
    while let Ok(Some(header)) = Header::read(rest) {
        tags.push(header.tag);
        // What is made of others is gone into.
        let made_of_others = header.tag & 0x20 != 0;
        let skipped = header.bytes + if made_of_others { 0 } else { header.length };
        rest = rest.get(skipped..).unwrap_or_default();
    }
    Ok(Some(tags))
}
