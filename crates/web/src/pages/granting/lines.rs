//! What a page of granting offers, as its template shows it: bundles, and lines by service.

use falconer_grants::{LabelPart, Offer};

use crate::views::words;
use crate::views::{Bundle, Family, Group, Line, StarField, Words};

/// With more lines than this a page is searched, and services are folded.
const MANY_LINES: usize = 30;
/// The same for scopes behind one tick.
const MANY_SCOPES: usize = 30;
/// So many scopes are named in a sentence.
const NAMED: usize = 3;

pub(crate) fn bundles(everything: Option<falconer_grants::Bundle>, broad: Option<falconer_grants::Bundle>, find: &str) -> Vec<Bundle> {
    let alone = everything.is_none();
    let everything = everything.map(|found| {
        let label = if broad.is_some() { "Everything that you may do, except what is broad" } else { "Everything that you may do" };
        bundle(found, "everything", label, "", find)
    });
    let broad = broad.map(|found| {
        let label = if alone { "What you may do" } else { "And the rest" };
        bundle(found, "broad", label, " that let it see or change who may do what, or that carry a high risk", find)
    });
    everything.into_iter().chain(broad).collect()
}

fn bundle(bundle: falconer_grants::Bundle, field: &'static str, label: &str, about: &str, find: &str) -> Bundle {
    let new = match bundle.new {
        0 => String::new(),
        new => format!(", {new} of them new since last time"),
    };
    Bundle {
        field,
        label: label.to_owned(),
        detail: format!("{}{about}{new}", words::count(bundle.count, "scope")),
        ticked: bundle.ticked,
        broad: field == "broad",
        taken_away: bundle.taken_away,
        families: Family::sort(bundle.scopes.iter().map(String::as_str), find),
        found: !find.is_empty(),
        count: bundle.count,
    }
}

/// Whether there is so much that somebody has to search it.
pub(crate) fn is_much(offer: &Offer) -> bool {
    let scopes: usize = offer.everything.iter().chain(&offer.broad).map(|bundle| bundle.count).sum();
    offer.lines.len() > MANY_LINES || scopes > MANY_SCOPES
}

/// How what was asked for stands to what the person has; `None` where no particular scopes were asked for.
pub(crate) fn summary(lines: &[falconer_grants::Line]) -> Option<String> {
    let lines: Vec<_> = lines.iter().filter(|line| !line.narrowed).collect();
    let (lacking, partial) = (lines.iter().filter(|line| line.lacking).count(), lines.iter().filter(|line| line.partial).count());
    if lines.is_empty() {
        return None;
    }
    let asks = format!("It asks for {}.", words::count(lines.len(), "scope"));
    if lacking + partial == 0 {
        return Some(format!("{asks} You have {}.", if lines.len() == 1 { "it" } else { "all of them" }));
    }
    match (lines.len(), lacking, partial) {
        (1, 1, _) => return Some(format!("{asks} You don't have it, so that it can't be given.")),
        (all, none, _) if all == none => return Some(format!("{asks} You have none of them, so that nothing of it can be given.")),
        (1, _, 1) => return Some(format!("{asks} You have a part of it.")),
        (all, _, part) if all == part => return Some(format!("{asks} You have a part of each.")),
        _ => (),
    }
    let parts = [(lines.len() - lacking - partial, "as asked for"), (partial, "in part"), (lacking, "not at all")];
    let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, how)| format!("{count} {how}")).collect();
    Some(format!("{asks} You have {}.", parts.join(", ")))
}

/// Lines that hold what is searched for, by service, and the others.
pub(crate) fn found(lines: Vec<falconer_grants::Line>, find: &str) -> (Vec<falconer_grants::Line>, Vec<falconer_grants::Line>) {
    let needle = find.to_lowercase();
    lines.into_iter().partition(|line| {
        let label = line.label.iter().map(|part| part.text.as_str()).collect::<String>();
        line.scope.to_lowercase().contains(&needle) || label.to_lowercase().contains(&needle)
    })
}

/// Lines by service, in the order in which the site named the services first.
pub(crate) fn groups(lines: Vec<falconer_grants::Line>, can_narrow: bool) -> Vec<Group> {
    let folded = lines.len() > MANY_LINES;
    let mut groups: Vec<Group> = Vec::new();
    for line in lines {
        let service = line.group.clone();
        let line = view(line, can_narrow);
        match groups.iter_mut().find(|group| group.service == service) {
            Some(group) => group.lines.push(line),
            None => groups.push(Group { service, lines: vec![line], folded }),
        }
    }
    groups
}

fn view(line: falconer_grants::Line, can_narrow: bool) -> Line {
    let mut details = Vec::new();
    if line.narrowed {
        details.push("Only what this gives that is not broad.".to_owned());
    }
    let is = |scopes: &[String]| scopes.len() == 1 && scopes.first() == Some(&line.scope);
    let (has_itself, is_itself) = (is(&line.has), is(&line.gives));
    if !line.lacking && !is_itself && line.gives.len() > NAMED {
        details.push(format!("It gets {}.", words::count(line.gives.len(), "scope")));
    }
    // Many would hide the line among scopes; what it gets is behind a fold.
    let has = if line.lacking || has_itself { vec![] } else { line.has };
    if has.len() > NAMED {
        details.insert(0, format!("You have only a part of it, in {}.", words::count(has.len(), "scope")));
    }
    let star = line.star.filter(|_| can_narrow).map(|star| StarField { prefix: star.prefix, written: star.written, wrong: star.wrong });
    Line {
        key: line.key,
        label: in_words(line.label),
        details,
        has: if has.len() > NAMED { vec![] } else { has },
        gets: if line.lacking || is_itself || line.gives.len() > NAMED { vec![] } else { line.gives.clone() },
        gives: if is_itself || line.gives.len() <= NAMED { vec![] } else { line.gives },
        scope: line.scope,
        taken_away: line.taken_away,
        ticked: line.ticked,
        broad: line.broad,
        lacking: line.lacking,
        new: line.new,
        star,
    }
}

pub(crate) fn in_words(label: Vec<LabelPart>) -> Vec<Words> {
    label.into_iter().map(|part| Words { text: part.text, strong: part.strong }).collect()
}
