/// The longest target that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;

/// The target of a request, read strictly: a path that some service could read as another path is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As it was sent: what is signed.
    raw: String,
    /// The decoded segments; the last one is empty where the path ends with a slash.
    segments: Vec<String>,
}

/// Why a target is refused, 400. `Display` is for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// Not `/path?query`.
    #[error("the target of the request is not a path that begins with a slash")]
    Form,
    /// Too long.
    #[error("the target of the request is longer than {LONGEST} bytes")]
    TooLong,
    /// Control characters, white space, other letters than those of ASCII, a backslash, braces, quotes, a fragment.
    #[error("the target of the request has a character that has to be percent-encoded")]
    Character,
    /// `%` without two hexadecimal digits, or what is not UTF-8 when decoded.
    #[error("the path has a percent-encoding that cannot be read")]
    Encoding,
    /// `%61`, which is the same as `a` to some and another path to others.
    #[error("the path has a letter, digit or one of -._~ percent-encoded, which needs no encoding")]
    NeedlessEncoding,
    /// `%2561`, which becomes `%61` and then `a` for whoever decodes twice.
    #[error("the path is percent-encoded twice")]
    DoubleEncoding,
    /// `%2F` and `%5C`.
    #[error("the path has an encoded slash or backslash")]
    EncodedSlash,
    /// `.` and `..`.
    #[error("the path has a segment `.` or `..`")]
    Dots,
    /// `//`.
    #[error("the path has two slashes in a row")]
    EmptySegment,
    /// `;`, which begins parameters that some services leave out of the path.
    #[error("the path has a `;` that is not percent-encoded")]
    Semicolon,
    /// A control character, encoded.
    #[error("the path has a control character")]
    Control,
    /// `/admin/` where a rule names `/admin`, or the other way round, and only `{*rest}` of a wider rule fits.
    #[error("the path differs from one of another rule only by the slash at its end")]
    Slash,
    /// `/Admin` where a rule names `/admin`.
    #[error("the path differs from a protected one only by upper and lower case")]
    Case,
}

impl Target {
    /// Reads what stood on the request line.
    pub fn read(raw: &str) -> Result<Target, BadTarget> {
        if raw.len() > LONGEST {
            return Err(BadTarget::TooLong);
        }
        let path = raw.split_once('?').map_or(raw, |(path, _)| path);
        let inner = path.strip_prefix('/').ok_or(BadTarget::Form)?;
        if !raw.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') || path.contains(['\\', '"', '<', '>', '^', '`', '{', '|', '}'])
        {
            return Err(BadTarget::Character);
        }
        if path.contains(';') {
            return Err(BadTarget::Semicolon);
        }
        let last = inner.split('/').count() - 1;
        let segments = inner.split('/').enumerate().map(|(number, segment)| match segment {
            "" if number < last => Err(BadTarget::EmptySegment),
            segment => decode(segment),
        });
        Ok(Target { raw: raw.to_owned(), segments: segments.collect::<Result<_, _>>()? })
    }

    /// Path and query as they were sent.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The path without the query, as it was sent.
    #[must_use]
    pub fn path(&self) -> &str {
        self.raw.split_once('?').map_or(&self.raw, |(path, _)| path)
    }

    /// The same path with a slash at its end, or without; `None`: `/` has no such path.
    pub(super) fn slash_turned(&self) -> Option<Vec<String>> {
        let mut turned = self.segments.clone();
        match turned.as_slice() {
            [only] if only.is_empty() => return None,
            [.., last] if last.is_empty() => drop(turned.pop()),
            _ => turned.push(String::new()),
        }
        Some(turned)
    }

    /// The decoded segments; `/a/` has two, of which the second is empty.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }
}

fn decode(segment: &str) -> Result<String, BadTarget> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(BadTarget::Encoding);
        let (high, low) = (digit()?, digit()?);
        match u8::try_from(high * 16 + low).map_err(|_| BadTarget::Encoding)? {
            b'/' | b'\\' => return Err(BadTarget::EncodedSlash),
            byte if byte.is_ascii_control() => return Err(BadTarget::Control),
            // Encoded dots are said to be dots.
            b'.' if is_dots_when_decoded(segment) => return Err(BadTarget::Dots),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => return Err(BadTarget::NeedlessEncoding),
            byte => bytes.push(byte),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| BadTarget::Encoding)?;
    if text == "." || text == ".." {
        return Err(BadTarget::Dots);
    }
    if text.chars().any(char::is_control) {
        return Err(BadTarget::Control);
    }
    if has_encoding(&text) { Err(BadTarget::DoubleEncoding) } else { Ok(text) }
}

fn is_dots_when_decoded(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Whether another decoding would change the text.
fn has_encoding(text: &str) -> bool {
    text.as_bytes().windows(3).any(|three| matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_reads_alike_is_read() {
        for (raw, segments) in [
            ("/", &[""][..]),
            ("/books", &["books"]),
            ("/books/", &["books", ""]),
            ("/books/a%20b%2Bc?x=%2F%7E//..;", &["books", "a b+c"]),
            ("/r%C3%A9d/!$&'()*+,=:@-._~", &["r\u{e9}d", "!$&'()*+,=:@-._~"]),
            ("/100%25", &["100%"]),
            ("/a..b/...", &["a..b", "..."]),
            ("/a%3Bb", &["a;b"]),
            ("/?", &[""]),
        ] {
            let target = Target::read(raw).unwrap();
            assert_eq!((target.segments(), target.raw()), (segments.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>().as_slice(), raw));
        }
    }

    /// Each of these is another path to some server: decoded once, twice or not at all, with segments merged or left out.
    #[test]
    fn what_could_be_read_otherwise_is_refused() {
        use BadTarget::*;
        let long = format!("/{}", "a".repeat(LONGEST));
        for (raw, why) in [
            ("", Form),
            ("*", Form),
            ("books", Form),
            ("http://notes.example.com/books", Form),
            ("?x", Form),
            (long.as_str(), TooLong),
            ("/a b", Character),
            ("/a\tb", Character),
            ("/a\u{e9}", Character),
            ("/a\\b", Character),
            ("/a#b", Character),
            ("/a?b#c", Character),
            ("/{a}", Character),
            ("/a|b", Character),
            ("/%", Encoding),
            ("/%4", Encoding),
            ("/%4g", Encoding),
            ("/%+1a", Encoding),
            ("/%ff", Encoding),
            ("/%c0%af", Encoding),
            ("/%61dmin", NeedlessEncoding),
            ("/a%2Db", NeedlessEncoding),
            ("/a%2ehtml", NeedlessEncoding),
            ("/%2561dmin", DoubleEncoding),
            ("/%252e%252e/a", DoubleEncoding),
            ("/%25252e", DoubleEncoding),
            ("/a%2Fb", EncodedSlash),
            ("/a%5cb", EncodedSlash),
            ("/./a", Dots),
            ("/a/..", Dots),
            ("/a/../b", Dots),
            ("/a/%2e%2E/b", Dots),
            ("/a/.%2e/b", Dots),
            ("/%2e/b", Dots),
            ("//a", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a//", EmptySegment),
            ("/admin;x/..", Semicolon),
            ("/admin;jsessionid=1", Semicolon),
            ("/a%00", Control),
            ("/a%0Ab", Control),
            ("/a%7f", Control),
            ("/a%C2%85", Control),
        ] {
            assert_eq!(Target::read(raw), Err(why), "{raw}");
        }
    }
}
