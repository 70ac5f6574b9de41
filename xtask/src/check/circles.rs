//! Circles between the files of a crate, and between its rooms.
//!
//! A file needs another one where it uses something that the other one defines: `use` lines and paths, followed through the names that a `mod.rs` or
//! `lib.rs` hands on, so that handing on is not a need. A circle between files is a fault. So is one between rooms, the folders directly below `src`: a room
//! needs another one where one of its files needs one of the other's. Files that lie beside the rooms (a node, errors, settings) count in the first graph
//! only, because a room below and a room above may both need them. Methods are not seen: `impl` blocks of one type may be spread over many files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;

use super::imports::{self, Imports, Path};

/// A file of a crate: its module path (empty for `lib.rs`), and its source.
pub type Files = BTreeMap<Path, String>;

/// What needs what.
type Graph = BTreeMap<Path, BTreeSet<Path>>;

/// The circles of the crate `name`, as sentences.
pub fn faults(name: &str, files: &Files) -> Result<Vec<String>> {
    let needs = needs(files)?;
    let shown = |path: &Path| if path.is_empty() { "lib".to_owned() } else { path.join("/") };
    let sentence = |kind: &str, circle: &[Path]| {
        let names: Vec<String> = circle.iter().map(shown).collect();
        format!("{kind} of {name} need each other in a circle: {}", names.join(" -> "))
    };
    let mut faults: Vec<String> = circles(&needs).iter().map(|circle| sentence("files", circle)).collect();
    faults.extend(circles(&between_rooms(&needs)).iter().map(|circle| {
        let pairs = circle.windows(2).filter_map(|pair| example(&needs, pair.first()?, pair.get(1)?));
        format!("{} ({})", sentence("rooms", circle), pairs.collect::<Vec<_>>().join(", "))
    }));
    Ok(faults)
}

fn needs(files: &Files) -> Result<Graph> {
    let folders: BTreeSet<&[String]> = files.keys().flat_map(|path| (0..=path.len()).filter_map(|n| path.get(..n))).collect();
    let is_module = |path: &[String]| folders.contains(path);
    let read: BTreeMap<&Path, Imports> =
        files.iter().map(|(path, source)| Ok((path, imports::read(source, path, &is_module)?))).collect::<Result<_>>()?;
    let mut graph = Graph::new();
    for (path, found) in &read {
        let to = found.uses.iter().filter_map(|used| definer(&read, used, 0)).filter(|to| to != *path);
        graph.insert((*path).clone(), to.collect());
    }
    Ok(graph)
}

/// The file that defines what `path` names. Names that are handed on are followed, but not for ever.
fn definer(read: &BTreeMap<&Path, Imports>, path: &[String], depth: usize) -> Option<Path> {
    let module = (0..=path.len()).rev().filter_map(|n| path.get(..n)).find(|prefix| read.contains_key(&prefix.to_vec()))?.to_vec();
    let found = read.get(&module)?;
    let Some((name, rest)) = path.get(module.len()..).and_then(<[String]>::split_first).filter(|_| depth < 16) else { return Some(module) };
    if found.items.contains(name) {
        return Some(module);
    }
    if let Some(target) = found.exports.get(name) {
        return definer(read, &[target, rest].concat(), depth + 1);
    }
    let all = found.exports_all.iter().map(|target| [&target[..], std::slice::from_ref(name)].concat());
    let defined =
        |target: &Path| read.get(&target.get(..target.len() - 1).unwrap_or_default().to_vec()).is_some_and(|f| f.items.contains(name));
    match all.into_iter().find(defined) {
        Some(target) => definer(read, &target, depth + 1),
        None => Some(module),
    }
}

/// The same between the folders directly below `src`.
fn between_rooms(needs: &Graph) -> Graph {
    let rooms: BTreeSet<&String> = needs.keys().filter(|path| path.len() > 1).filter_map(|path| path.first()).collect();
    let room = |path: &Path| path.first().filter(|first| rooms.contains(first)).map(|first| vec![first.clone()]);
    let mut graph = Graph::new();
    for (from, targets) in needs {
        let Some(from) = room(from) else { continue };
        let others = targets.iter().filter_map(room).filter(|to| *to != from);
        graph.entry(from.clone()).or_default().extend(others);
    }
    graph
}

/// Two files because of which one room needs the other.
fn example(needs: &Graph, from: &Path, to: &Path) -> Option<String> {
    let inside = |path: &Path, room: &Path| path.first() == room.first();
    let (file, target) = needs
        .iter()
        .filter(|(file, _)| inside(file, from))
        .find_map(|(file, targets)| targets.iter().find(|target| inside(target, to)).map(|target| (file, target)))?;
    Some(format!("{} needs {}", file.join("/"), target.join("/")))
}

/// One shortest circle for each knot of the graph; its first node is repeated at its end.
fn circles(graph: &Graph) -> Vec<Vec<Path>> {
    let mut found: Vec<Vec<Path>> = Vec::new();
    let mut in_a_circle: BTreeSet<&Path> = BTreeSet::new();
    for node in graph.keys() {
        if in_a_circle.contains(node) {
            continue;
        }
        if let Some(circle) = way_back(graph, node) {
            in_a_circle.extend(graph.keys().filter(|other| circle.contains(other)));
            found.push(circle);
        }
    }
    found
}

fn way_back(graph: &Graph, start: &Path) -> Option<Vec<Path>> {
    let mut came_from: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in graph.get(node).into_iter().flatten() {
            if next == start {
                let mut way = vec![start.clone()];
                let mut at = node;
                while at != start {
                    way.push(at.clone());
                    at = came_from.get(at)?;
                }
                way.push(start.clone());
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
        let path = |name: &str| name.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        faults("x", &files.iter().map(|(name, source)| (path(name), (*source).to_owned())).collect()).unwrap()
    }

    #[test]
    fn files_that_use_each_other_are_a_circle_and_tests_are_not() {
        let found = faults_of(&[
            ("", "mod a; mod b; mod c; pub use a::A;"),
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "use std::fmt; use crate::{c::{self, C}}; pub struct B;"),
            ("c", "pub fn c() { crate::a::go(); } pub struct C;"),
            ("d", "use crate::a::A; #[cfg(test)] mod tests { use crate::e::E; }"),
            ("e", "use super::d; pub struct E;"),
        ]);
        assert_eq!(found, ["files of x need each other in a circle: a -> b -> c -> a"]);
    }

    #[test]
    fn names_that_are_handed_on_lead_to_where_they_are_defined() {
        let handed_on =
            [("", "mod room; mod e; pub use room::A; pub use e::*;"), ("room", "mod a; mod b; pub(crate) use a::{A, B as Bee};")];
        let circle = [
            ("room/a", "use crate::E; pub struct A; pub struct B;"),
            ("e", "use crate::room::Bee; pub struct E;"),
            ("room/b", "use super::A;"),
        ];
        let none = [("room/a", "use crate::E; pub struct A; pub struct B;"), ("e", "pub struct E;"), ("room/b", "use super::A;")];
        assert_eq!(faults_of(&[&handed_on[..], &circle].concat()), ["files of x need each other in a circle: e -> room/a -> e"]);
        assert_eq!(faults_of(&[&handed_on[..], &none].concat()), Vec::<String>::new());
    }

    #[test]
    fn rooms_may_not_need_each_other_though_no_files_do() {
        let found = faults_of(&[
            ("", ""),
            ("node", "use crate::low::a::A; pub struct Node;"),
            ("low/a", "pub struct A;"),
            ("low/b", "fn b() { x!(crate::high::c::C) }"),
            ("high/c", "pub struct C;"),
            ("high/d", "use crate::node::Node; use crate::low::a::A;"),
        ]);
        assert_eq!(found, ["rooms of x need each other in a circle: high -> low -> high (high/d needs low/a, low/b needs high/c)"]);
    }
}
