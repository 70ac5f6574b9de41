//! Names of entries (RFC 4514), as far as two of them are compared and the first part is read.

/// The longest that is read, in bytes.
const LONGEST: usize = 4096;

/// A name, taken apart: the entry's own part first, the root last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Dn(Vec<Vec<(String, String)>>);

impl Dn {
    /// `None`: it is no name that can be read.
    pub(crate) fn parse(text: &str) -> Option<Dn> {
        let (mut parts, mut part) = (Vec::new(), Vec::new());
        let mut rest = text.trim_start();
        if rest.len() > LONGEST {
            return None;
        }
        while !rest.is_empty() {
            let (kind, behind) = rest.split_once('=')?;
            let kind = kind.trim();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
            if kind.is_empty() || !kind.bytes().all(plain) {
                return None;
            }
            let (value, end, behind) = value(behind)?;
            part.push((kind.to_ascii_lowercase(), value));
            rest = behind;
            if end != Some('+') {
                // Several values of one part have no order.
                part.sort();
                parts.push(std::mem::take(&mut part));
            }
            if end.is_some() && rest.trim().is_empty() {
                return None;
            }
        }
        Some(Dn(parts))
    }

    /// The same name, however it is written: without case and without spaces that do not count. Directories compare nearly all of their names so.
    pub(crate) fn folded(&self) -> Dn {
        let fold = |value: &String| value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let part = |part: &Vec<(String, String)>| part.iter().map(|(kind, value)| (kind.clone(), fold(value))).collect();
        Dn(self.0.iter().map(part).collect())
    }

    /// Whether it is `above`, or somewhere below it. Both folded.
    pub(crate) fn is_within(&self, above: &Dn) -> bool {
        self.0.ends_with(&above.0)
    }

    /// The value of this attribute in the entry's own part.
    pub(crate) fn own(&self, kind: &str) -> Option<&str> {
        let own = self.0.first()?.iter().find(|(own, _)| own.eq_ignore_ascii_case(kind));
        own.map(|(_, value)| value.as_str())
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A value, the character that ended it, and what is behind that.
fn value(text: &str) -> Option<(String, Option<char>, &str)> {
    let text = text.trim_start();
    let mut bytes = Vec::new();
    // Spaces at the end do not count, unless they are escaped.
    let mut counted = 0;
    let mut chars = text.char_indices();
    let mut ended = (None, "");
    while let Some((at, next)) = chars.next() {
        match next {
            ',' | '+' | ';' => {
                ended = (Some(next), text.get(at + 1..)?);
                break;
            }
            '\\' => {
                let (at, escaped) = chars.next()?;
                match text.get(at..at + 2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
                    Some(digits) => {
                        bytes.push(u8::from_str_radix(digits, 16).ok()?);
                        chars.next();
                    }
                    None if " \"#+,;<=>\\".contains(escaped) => bytes.push(u8::try_from(escaped).ok()?),
                    None => return None,
                }
                counted = bytes.len();
            }
            '"' | '<' | '>' | '\0' => return None,
            other => {
                bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
                if other != ' ' {
                    counted = bytes.len();
                }
            }
        }
    }
    bytes.truncate(counted);
    Some((String::from_utf8(bytes).ok()?, ended.0, ended.1))
}

#[cfg(test)]
mod tests {
    use super::Dn;

    #[test]
    fn names_are_read() {
        let dn = Dn::parse(r"CN=Lu\C4\8Di\C4\87\, \22x\22 ,ou=People + l=Here, dc=example,DC=com").unwrap();
        assert_eq!(dn.own("cn"), Some("Lučić, \"x\""));
        assert_eq!(dn.own("ou"), None);
        for wrong in
            ["x", "=x", "a b=c", "cn=a,", "cn=a+", r"cn=a\", r"cn=a\zz", r#"cn="a""#, r"cn=\ff", &format!("cn={}", "a".repeat(5000))]
        {
            assert!(Dn::parse(wrong).is_none(), "{wrong}");
        }
        assert!(Dn::parse("").unwrap().is_empty());
        assert_eq!(Dn::parse(r"cn=a\ ").unwrap().own("cn"), Some("a "));
        assert_eq!(Dn::parse("cn= a b ").unwrap().own("cn"), Some("a b"));
    }

    /// Somebody who may name entries elsewhere must not be able to name one that looks as if it were below the groups.
    #[test]
    fn below_and_not_below() {
        let groups = Dn::parse("ou=Groups,dc=example,dc=com").unwrap().folded();
        let within = |text: &str| Dn::parse(text).unwrap().folded().is_within(&groups);
        for fine in ["cn=a,ou=groups,dc=example,dc=com", "ou=groups,DC=Example, dc=com", "cn=a,cn=b,OU=Groups,dc=example,dc=com"] {
            assert!(within(fine), "{fine}");
        }
        for other in [
            "cn=a,dc=example,dc=com",
            r"cn=a\,ou=groups\,dc=example\,dc=com",
            r"cn=a\,ou=groups,dc=example,dc=com",
            "cn=a,ou=groups,dc=example,dc=com,dc=evil",
            "cn=a,xou=groups,dc=example,dc=com",
            "cn=a,cn=b+ou=groups,dc=example,dc=com",
        ] {
            assert!(!within(other), "{other}");
        }
    }
}
