//! What is answered.

use super::ber::{BOOLEAN, ENUMERATED, Elements, INTEGER, OCTETS, SEQUENCE, SET};
use super::request::PAGED;

/// Result codes of RFC 4511 (appendix A) that mean something of their own here.
pub(crate) mod code {
    pub(crate) const SUCCESS: i32 = 0;
    pub(crate) const TIME_LIMIT_EXCEEDED: i32 = 3;
    pub(crate) const SIZE_LIMIT_EXCEEDED: i32 = 4;
    pub(crate) const REFERRAL: i32 = 10;
    pub(crate) const CONSTRAINT_VIOLATION: i32 = 19;
    pub(crate) const NO_SUCH_OBJECT: i32 = 32;
    pub(crate) const INAPPROPRIATE_AUTHENTICATION: i32 = 48;
    pub(crate) const INVALID_CREDENTIALS: i32 = 49;
    pub(crate) const INSUFFICIENT_ACCESS: i32 = 50;
    pub(crate) const BUSY: i32 = 51;
    pub(crate) const UNAVAILABLE: i32 = 52;
    pub(crate) const UNWILLING_TO_PERFORM: i32 = 53;
}

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// 0 is success.
    pub(crate) code: i32,
    /// The server's own words.
    pub(crate) said: String,
}

/// One entry of a directory, with the attributes that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) dn: String,
    /// Names as the server writes them, and their values.
    pub(crate) attributes: Vec<(String, Vec<Vec<u8>>)>,
}

/// One message of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// To a bind.
    Bind(Outcome),
    /// To STARTTLS.
    Extended(Outcome),
    /// One of those that were searched for.
    Entry(Entry),
    /// There may be more at another server; nobody goes there.
    Reference,
    /// The end of a search. The cookie is empty where nothing is left.
    Done { outcome: Outcome, cookie: Vec<u8> },
    /// Something that nothing was asked about.
    Unasked,
}

impl Entry {
    /// The values of an attribute; names are compared without case (RFC 4512 section 2.5).
    pub(crate) fn values(&self, name: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, values)| values.as_slice()).unwrap_or_default()
    }

    /// Whether the server gave a part of the values only, as Active Directory does with long lists: `memberOf;range=0-1499`.
    pub(crate) fn is_cut(&self, name: &str) -> bool {
        self.attributes.iter().any(|(found, _)| {
            let (found, options) = found.split_once(';').unwrap_or((found, ""));
            found.eq_ignore_ascii_case(name) && options.to_ascii_lowercase().starts_with("range=")
        })
    }
}

impl Answer {
    /// Reads what is inside of a message: the id of the question, and the answer.
    pub(crate) fn read(body: &[u8]) -> Result<(i32, Answer), &'static str> {
        let mut elements = Elements(body);
        let id = elements.number(INTEGER, "a message has no id")?;
        let (tag, operation) = elements.any()?;
        let operation = Elements(operation);
        let answer = match tag {
            0x61 => Answer::Bind(outcome(operation)?),
            0x64 => Answer::Entry(entry(operation)?),
            0x65 => Answer::Done { outcome: outcome(operation)?, cookie: cookie(elements)? },
            0x73 => Answer::Reference,
            0x78 if id == 0 => Answer::Unasked,
            0x78 => Answer::Extended(outcome(operation)?),
            _ => Answer::Unasked,
        };
        Ok((id, answer))
    }
}

fn outcome(mut elements: Elements<'_>) -> Result<Outcome, &'static str> {
    let code = elements.number(ENUMERATED, "a result has no code")?;
    elements.expect(OCTETS, "a result has no name")?;
    let said = elements.expect(OCTETS, "a result has no text")?;
    Ok(Outcome { code, said: String::from_utf8_lossy(said).into_owned() })
}

fn entry(mut elements: Elements<'_>) -> Result<Entry, &'static str> {
    let dn = elements.text("an entry has no name that can be read")?.to_owned();
    let mut list = Elements(elements.expect(SEQUENCE, "an entry has no list of attributes")?);
    let mut attributes = Vec::new();
    while !list.is_empty() {
        let mut attribute = Elements(list.expect(SEQUENCE, "an entry holds something else than attributes")?);
        let name = attribute.text("an attribute has no name that can be read")?.to_owned();
        let mut values = Elements(attribute.expect(SET, "an attribute has no set of values")?);
        let mut read = Vec::new();
        while !values.is_empty() {
            read.push(values.expect(OCTETS, "a value is of another kind")?.to_vec());
        }
        attributes.push((name, read));
    }
    Ok(Entry { dn, attributes })
}

/// The cookie of a page, from the controls of a message.
fn cookie(mut elements: Elements<'_>) -> Result<Vec<u8>, &'static str> {
    if elements.tag() != Some(0xa0) {
        return Ok(Vec::new());
    }
    let mut controls = Elements(elements.expect(0xa0, "")?);
    while !controls.is_empty() {
        let mut control = Elements(controls.expect(SEQUENCE, "a control is of another kind")?);
        let name = control.text("a control has no name")?;
        if control.tag() == Some(BOOLEAN) {
            control.any()?;
        }
        if name == PAGED {
            let mut value = Elements(control.expect(OCTETS, "the control of a page has no value")?);
            let mut parts = Elements(value.expect(SEQUENCE, "the control of a page is of another kind")?);
            parts.number(INTEGER, "a page has no size")?;
            return Ok(parts.expect(OCTETS, "a page has no cookie")?.to_vec());
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::super::ber::{element, number};
    use super::*;

    fn message(id: i32, operation: &[u8]) -> Vec<u8> {
        [number(INTEGER, id).as_slice(), operation].concat()
    }

    fn octets(text: &[u8]) -> Vec<u8> {
        element(OCTETS, &[text]).to_vec()
    }

    #[test]
    fn answers_are_read() {
        let result = |tag: u8, code: i32| element(tag, &[&number(ENUMERATED, code), &octets(b""), &octets(b"said")]).to_vec();
        let fine = |code| Outcome { code, said: "said".into() };
        assert_eq!(Answer::read(&message(7, &result(0x61, 49))), Ok((7, Answer::Bind(fine(49)))));
        assert_eq!(Answer::read(&message(7, &result(0x78, 0))), Ok((7, Answer::Extended(fine(0)))));
        assert_eq!(Answer::read(&message(0, &result(0x78, 52))), Ok((0, Answer::Unasked)));
        let page = element(SEQUENCE, &[&number(INTEGER, 0), &octets(b"more")]);
        let control = element(SEQUENCE, &[&octets(PAGED.as_bytes()), &octets(&page)]);
        let done = [message(7, &result(0x65, 0)), element(0xa0, &[&control]).to_vec()].concat();
        assert_eq!(Answer::read(&done), Ok((7, Answer::Done { outcome: fine(0), cookie: b"more".to_vec() })));
        let attribute = element(SEQUENCE, &[&octets(b"Mail"), &element(SET, &[&octets(b"a@b"), &octets(&[0xff])])]);
        let entry = element(0x64, &[&octets(b"cn=a"), &element(SEQUENCE, &[&attribute])]);
        let Ok((1, Answer::Entry(entry))) = Answer::read(&message(1, &entry)) else { panic!() };
        assert_eq!(entry.values("mail"), [b"a@b".to_vec(), vec![0xff]]);
        assert!(entry.values("cn").is_empty() && !entry.is_cut("mail"));
    }

    /// `ldap3` calls itself for each level of such an answer, until the stack ends and with it the whole process.
    #[test]
    fn depth_costs_nothing() {
        let nested: Vec<u8> =
            (0..30_000_u32).rev().flat_map(|level| [&[SEQUENCE, 0x84][..], &(6 * level).to_be_bytes()].concat()).collect();
        let deep = element(0x64, &[&octets(b"cn=a"), &nested]);
        assert!(Answer::read(&message(1, &deep)).is_err());
    }

    #[test]
    fn a_list_in_part() {
        let entry = Entry { dn: String::new(), attributes: vec![("memberOf;Range=0-1499".into(), Vec::new())] };
        assert!(entry.is_cut("memberof") && !entry.is_cut("member"));
    }
}
