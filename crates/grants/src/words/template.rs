//! `notes:read:<book>`: scopes that differ in some places, and sentences about them.

/// A piece of a template or of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// What stands between `<` and `>`.
    Parameter(String),
}

/// What a scope has in the place of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'s> {
    Exactly(&'s str),
    /// The scope ends here in a star: whatever begins like this.
    Beginning(&'s str),
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTemplate {
    /// `<` and `>` do not go in pairs, or hold something else than a name.
    Brackets,
    /// A name stands there twice.
    Twice,
    /// Nothing stands between two parameters: nobody could say where one ends.
    Adjacent,
}

/// Reads `text`; a name is one to 40 lower-case letters, digits, `-` and `_`.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece>, NoTemplate> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let (name, after) = after.split_once('>').ok_or(NoTemplate::Brackets)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        if before.contains('>') || !(1..=40).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(NoTemplate::Brackets);
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Parameter(name.to_owned()));
        rest = after;
    }
    if rest.contains('>') {
        return Err(NoTemplate::Brackets);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

/// Scopes that differ in the places of the parameters only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Template, NoTemplate> {
        let pieces = pieces(text)?;
        let names: Vec<&String> =
            pieces.iter().filter_map(|piece| if let Piece::Parameter(name) = piece { Some(name) } else { None }).collect();
        if names.iter().enumerate().any(|(at, name)| names.iter().skip(at + 1).any(|other| other == name)) {
            return Err(NoTemplate::Twice);
        }
        let is_parameter = |piece: &Piece| matches!(piece, Piece::Parameter(_));
        if pieces.iter().zip(pieces.iter().skip(1)).any(|(one, next)| is_parameter(one) && is_parameter(next)) {
            return Err(NoTemplate::Adjacent);
        }
        Ok(Template { pieces })
    }

    /// How much of it is fixed: of several that fit, the one with the most says the most.
    pub(crate) fn fixed_len(&self) -> usize {
        self.pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.len() } else { 0 }).sum()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Parameter(known) if known == name))
    }

    /// What the scope has in each place; `None` where it does not fit. A star at its end has to stand in the last parameter: a scope that covers more
    /// than the template says is not described by it.
    pub(crate) fn values<'t, 's>(&'t self, scope: &'s str) -> Option<Vec<(&'t str, Value<'s>)>> {
        let (mut rest, star) = scope.strip_suffix('*').map_or((scope, false), |before| (before, true));
        let mut values = Vec::new();
        let mut pieces = self.pieces.iter().enumerate();
        let last = self.pieces.len().checked_sub(1)?;
        while let Some((at, piece)) = pieces.next() {
            match piece {
                Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Piece::Parameter(name) if at == last => {
                    if rest.is_empty() && !star {
                        return None;
                    }
                    values.push((name.as_str(), if star { Value::Beginning(rest) } else { Value::Exactly(rest) }));
                    return Some(values);
                }
                Piece::Parameter(name) => {
                    let (_, Piece::Text(text)) = pieces.next()? else { return None };
                    // The last fixed text stands at the end, each other one where it comes first.
                    let value = if at + 1 == last { rest.strip_suffix(text.as_str())? } else { before(rest, text)? };
                    rest = rest.get(value.len() + text.len()..)?;
                    if value.is_empty() {
                        return None;
                    }
                    values.push((name.as_str(), Value::Exactly(value)));
                }
            }
        }
        (rest.is_empty() && !star).then_some(values)
    }

    /// Whether the scope covers something that the template describes.
    pub(crate) fn meets(&self, scope: &str) -> bool {
        let Some(beginning) = scope.strip_suffix('*') else { return self.values(scope).is_some() };
        match self.pieces.first() {
            None => false,
            Some(Piece::Parameter(_)) => true,
            Some(Piece::Text(text)) => text.starts_with(beginning) || (self.pieces.len() > 1 && beginning.starts_with(text.as_str())),
        }
    }
}

/// What stands before `text`, which is not at the very beginning.
fn before<'s>(rest: &'s str, text: &str) -> Option<&'s str> {
    let first = rest.chars().next()?.len_utf8();
    let at = rest.get(first..)?.find(text)?;
    rest.get(..first + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str, scope: &str) -> Option<String> {
        let template = Template::parse(template).unwrap();
        let values = template.values(scope)?;
        let shown = values.iter().map(|(name, value)| match value {
            Value::Exactly(text) => format!("{name}={text}"),
            Value::Beginning(text) => format!("{name}={text}..."),
        });
        Some(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn scopes_fit_templates() {
        for (template, scope, expected) in [
            ("notes:read:<book>", "notes:read:zap/releases", Some("book=zap/releases")),
            ("notes:read:<book>", "notes:read:zap/*", Some("book=zap/...")),
            ("notes:read:<book>", "notes:read:*", Some("book=...")),
            ("notes:read:<book>", "notes:read:", None),
            ("notes:read:<book>", "notes:*", None),
            ("notes:read:<book>", "notes:read*", None),
            ("notes:<act>:<book>", "notes:read:a:b", Some("act=read book=a:b")),
            ("notes:<act>:<book>", "notes:re*", None),
            ("notes:<book>:read", "notes:a:read:read", Some("book=a:read")),
            ("notes:<book>:read", "notes:a:*", None),
            ("notes:<book>:read", "notes::read", None),
            ("notes:ping", "notes:ping", Some("")),
            ("notes:ping", "notes:ping*", None),
            ("notes:<a>/<b>/z", "notes:1/2/3/z", Some("a=1 b=2/3")),
            ("notes:<a>/<b>", "notes://x", Some("a=/ b=x")),
        ] {
            assert_eq!(read(template, scope).as_deref(), expected, "{template} {scope}");
        }
    }

    #[test]
    fn stars_meet_what_they_cover() {
        let meets = |template: &str, scope: &str| Template::parse(template).unwrap().meets(scope);
        for (template, scope) in [
            ("notes:read:<book>", "notes:*"),
            ("notes:read:<book>", "*"),
            ("notes:read:<book>", "notes:read:zap*"),
            ("notes:ping", "notes:p*"),
            ("notes:ping", "notes:ping*"),
        ] {
            assert!(meets(template, scope), "{template} {scope}");
        }
        for (template, scope) in [("notes:read:<book>", "notes:write:*"), ("notes:ping", "notes:ping:*"), ("notes:ping", "notes:pong")] {
            assert!(!meets(template, scope), "{template} {scope}");
        }
    }

    #[test]
    fn what_is_no_template() {
        for (text, why) in [
            ("notes:<", NoTemplate::Brackets),
            ("notes:>", NoTemplate::Brackets),
            ("notes:<>", NoTemplate::Brackets),
            ("notes:<a b>", NoTemplate::Brackets),
            ("notes:<a<b>>", NoTemplate::Brackets),
            ("notes:<a>:<a>", NoTemplate::Twice),
            ("notes:<a><b>", NoTemplate::Adjacent),
        ] {
            assert_eq!(Template::parse(text), Err(why), "{text}");
        }
    }
}
