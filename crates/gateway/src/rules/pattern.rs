use falconer_scopes::Params;
use serde_json::Value;

/// A path with parameters: `/books/{book}` has one, of one segment that is not empty; `/files/{*rest}` has one that stands for everything that follows.
/// Everything else is literal, and written as it reads when decoded. A slash at the end counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
    Rest(String),
}

/// How two patterns lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// No path fits both.
    Apart,
    /// The same paths fit both.
    Same,
    /// What fits one fits the other too, and the other is wider; or the other way round.
    Nested,
    /// Some paths fit both, and each has some of its own.
    Crossing,
}

impl Pattern {
    /// Errors: what is wrong, as the rest of a sentence that begins with the path.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let inner = text.strip_prefix('/').ok_or("does not begin with a slash")?;
        let last = inner.split('/').count() - 1;
        let mut segments = Vec::new();
        for (number, part) in inner.split('/').enumerate() {
            let segment = segment(part)?;
            match &segment {
                Segment::Literal(literal) if literal.is_empty() && number < last => return Err("has two slashes in a row".to_owned()),
                Segment::Rest(_) if number < last => return Err(format!("has `{part}` before its end")),
                _ => segments.push(segment),
            }
        }
        let pattern = Pattern { text: text.to_owned(), segments };
        let names: Vec<&str> = pattern.names().collect();
        match names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|earlier| earlier == *name)) {
            Some((_, twice)) => Err(format!("has the parameter {{{twice}}} twice")),
            None => Ok(pattern),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of its parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Parameter(name) | Segment::Rest(name) => Some(name.as_str()),
        })
    }

    /// The parameters of a path that fits, upper and lower case apart.
    #[must_use]
    pub fn parameters(&self, path: &[String]) -> Option<Params> {
        self.fits(path, |a, b| a == b).then(|| {
            let named = self.segments.iter().enumerate().filter_map(|(number, segment)| match segment {
                Segment::Literal(_) => None,
                Segment::Parameter(name) => Some((name, path.get(number).cloned().unwrap_or_default())),
                Segment::Rest(name) => Some((name, path.get(number..).unwrap_or_default().join("/"))),
            });
            named.map(|(name, value)| (name.clone(), Value::from(value))).collect()
        })
    }

    /// Whether a service that takes upper for lower case would let the path fit.
    pub(crate) fn fits_in_any_case(&self, path: &[String]) -> bool {
        self.fits(path, |a, b| a.to_lowercase() == b.to_lowercase())
    }

    fn fits(&self, path: &[String], same: impl Fn(&str, &str) -> bool) -> bool {
        if path.len() < self.segments.len() || (path.len() > self.segments.len() && !self.ends_with_rest()) {
            return false;
        }
        self.segments.iter().zip(path).all(|(segment, part)| match segment {
            Segment::Literal(literal) => same(literal, part),
            Segment::Parameter(_) => !part.is_empty(),
            Segment::Rest(_) => true,
        })
    }

    /// Whether it stands for everything that follows.
    pub(crate) fn ends_with_rest(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Rest(_)))
    }

    /// Whether each path that fits the other fits this one.
    pub(crate) fn covers(&self, other: &Pattern) -> bool {
        let (mut ours, mut theirs) = (self.segments.iter(), other.segments.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) | (Some(Segment::Rest(_)), Some(_)) => return true,
                (Some(Segment::Literal(ours)), Some(Segment::Literal(theirs))) if ours == theirs => {}
                (Some(Segment::Parameter(_)), Some(Segment::Literal(literal))) if !literal.is_empty() => {}
                (Some(Segment::Parameter(_)), Some(Segment::Parameter(_))) => {}
                _ => return false,
            }
        }
    }

    /// Whether some path fits both, where upper and lower case are the same.
    fn meets(&self, other: &Pattern) -> bool {
        let (mut ours, mut theirs) = (self.segments.iter(), other.segments.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) | (Some(Segment::Rest(_)), Some(_)) | (Some(_), Some(Segment::Rest(_))) => return true,
                (Some(Segment::Literal(ours)), Some(Segment::Literal(theirs))) if ours.to_lowercase() == theirs.to_lowercase() => {}
                (Some(Segment::Parameter(_)), Some(Segment::Literal(literal)))
                | (Some(Segment::Literal(literal)), Some(Segment::Parameter(_)))
                    if !literal.is_empty() => {}
                (Some(Segment::Parameter(_)), Some(Segment::Parameter(_))) => {}
                _ => return false,
            }
        }
    }

    pub(crate) fn relation(&self, other: &Pattern) -> Relation {
        match (self.covers(other), other.covers(self)) {
            (true, true) => Relation::Same,
            (true, false) | (false, true) => Relation::Nested,
            (false, false) if self.meets(other) => Relation::Crossing,
            (false, false) => Relation::Apart,
        }
    }
}

fn segment(part: &str) -> Result<Segment, String> {
    if let Some(inner) = part.strip_prefix('{') {
        let inner =
            inner.strip_suffix('}').ok_or_else(|| format!("has `{part}`: a parameter is a whole segment, as in /books/{{book}}"))?;
        let (name, rest) = inner.strip_prefix('*').map_or((inner, false), |name| (name, true));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("has `{part}`: a parameter is named with letters, digits and _"));
        }
        return Ok(if rest { Segment::Rest(name.to_owned()) } else { Segment::Parameter(name.to_owned()) });
    }
    if part.contains(['{', '}']) {
        return Err(format!("has `{part}`: a parameter is a whole segment, as in /books/{{book}}"));
    }
    if part.contains(['<', '>']) {
        return Err(format!("has `{part}`: parameters of a path are written {{book}}, and <book> in its scope"));
    }
    if part == "." || part == ".." {
        return Err(format!("has a segment `{part}`, which no request may have"));
    }
    if let Some(wrong) = part.chars().find(|c| c.is_control() || "%\\?#;*".contains(*c)) {
        return Err(match wrong {
            '*' => "has a star: everything that follows is written {*rest}".to_owned(),
            '%' => "has a %: write characters as they are, not percent-encoded".to_owned(),
            wrong => format!("has {wrong:?}, which no path of a request may have"),
        });
    }
    Ok(Segment::Literal(part.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.trim_start_matches('/').split('/').map(str::to_owned).collect()
    }

    #[test]
    fn parameters_are_whole_segments() {
        let fits =
            |pattern: &str, of: &str| Pattern::parse(pattern).unwrap().parameters(&path(of)).map(|found| Value::from(found).to_string());
        assert_eq!(fits("/", "/").as_deref(), Some("{}"));
        assert_eq!(fits("/books/{book}", "/books/red").as_deref(), Some(r#"{"book":"red"}"#));
        assert_eq!(fits("/files/{*rest}", "/files/a/b/").as_deref(), Some(r#"{"rest":"a/b/"}"#));
        assert_eq!(fits("/files/{*rest}", "/files/").as_deref(), Some(r#"{"rest":""}"#));
        for (pattern, other) in [
            ("/books/{book}", "/books/"),
            ("/books/{book}", "/books/red/"),
            ("/books/{book}", "/books/red/1"),
            ("/files/{*rest}", "/files"),
            ("/books", "/books/"),
            ("/books/", "/books"),
            ("/books", "/Books"),
        ] {
            assert_eq!(fits(pattern, other), None, "{pattern} {other}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for (text, said) in [
            ("books", "slash"),
            ("", "slash"),
            ("/a//b", "two slashes"),
            ("/{*rest}/a", "before its end"),
            ("/{a}/{a}", "twice"),
            ("/{a", "whole segment"),
            ("/a{b}", "whole segment"),
            ("/{a}.html", "whole segment"),
            ("/{}", "named with"),
            ("/{a-b}", "named with"),
            ("/<book>", "written {book}"),
            ("/a/../b", "`..`"),
            ("/a%20b", "%"),
            ("/a/*", "{*rest}"),
            ("/a?b", "'?'"),
            ("/a;b", "';'"),
        ] {
            let found = Pattern::parse(text).unwrap_err();
            assert!(found.contains(said), "{text}: {found}");
        }
    }

    #[test]
    fn relations() {
        use Relation::*;
        for (one, other, relation) in [
            ("/a", "/b", Apart),
            ("/a", "/a/", Apart),
            ("/{x}", "/", Apart),
            ("/a/{x}", "/a", Apart),
            ("/{x}", "/{y}", Same),
            ("/a/{*x}", "/a/{*y}", Same),
            ("/{x}", "/a", Nested),
            ("/{*x}", "/", Nested),
            ("/{*x}", "/a/{y}", Nested),
            ("/a/{x}", "/{y}/b", Crossing),
            ("/a/{*x}", "/{y}/b", Crossing),
            ("/a", "/A", Crossing),
            ("/\u{e9}", "/\u{c9}", Crossing),
        ] {
            let (one, other) = (Pattern::parse(one).unwrap(), Pattern::parse(other).unwrap());
            assert_eq!((one.relation(&other), other.relation(&one)), (relation, relation), "{} {}", one.text(), other.text());
        }
    }
}
