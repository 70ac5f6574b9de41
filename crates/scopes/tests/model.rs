//! The fast code against the naive model, in random worlds and in all small ones.
//!
//! `FALCONER_CASES` (default 1,000,000) and `FALCONER_SEED` choose what is run; a failure prints the world, and the same seed meets it again.
//! A case is a set of roles with a list of scopes: it is expanded, normalized, merged, intersected and asked for a scope. Besides, every
//! change of a set of roles is validated by both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_scopes::{Role, RoleSet, ScopeSet, compare, covers, list, naive, takes_part, validate};
use std::collections::BTreeMap;

#[test]
fn random_worlds_equal_the_model() {
    let cases = setting("FALCONER_CASES", 1_000_000);
    let seed = setting("FALCONER_SEED", 20_260_801);
    println!("seed {seed}, {cases} cases");
    let mut random = Random(seed);
    let mut counts = Counts::default();
    let mut world = World::default();
    while counts.cases < cases {
        // A world grows by changes and is then replaced, so that sets of many histories are met.
        if random.one_in(6) {
            // Some are large: the order of validation shows from the eleventh role on.
            world = World { most: if random.one_in(12) { 14 } else { 6 }, ..World::default() };
            if world.most > 6 {
                (0..20).for_each(|_| world.change(&mut random, &mut counts));
            }
        }
        for _ in 0..2 + random.below(3) {
            world.change(&mut random, &mut counts);
        }
        for _ in 0..24 {
            world.case(&mut random, &mut counts);
        }
    }
    let share = |part: u64, whole: u64| 100.0 * part as f64 / whole as f64;
    println!(
        "{} cases: {:.1}% with a role that applies, {:.1}% two roles deep, {:.1}% satisfied",
        counts.cases,
        share(counts.applying, counts.cases),
        share(counts.two_deep, counts.cases),
        share(counts.satisfied, counts.cases),
    );
    println!("{} changes: {:.1}% refused ({} for a scope)", counts.changes, share(counts.refused, counts.changes), counts.refused_scope);
    println!("{} expansions kept across a change, {} made again", counts.kept, counts.made_again);
    assert!(counts.cases >= cases);
    assert!(counts.kept * 20 >= counts.cases && counts.made_again * 100 >= counts.cases, "both are common");
    assert!(counts.applying * 2 >= counts.cases, "at least half of the cases have a role that applies");
    assert!(counts.two_deep * 5 >= counts.cases, "at least a fifth of the cases are two roles deep");
    assert!(counts.satisfied * 5 >= counts.cases && counts.satisfied * 5 <= counts.cases * 4, "both answers are common");
    assert!(counts.refused * 20 >= counts.changes && counts.refused * 2 <= counts.changes, "both verdicts are common");
    assert!(counts.refused_scope > 0 || counts.changes < 1000, "some scopes of star roles are refused");
}

#[test]
fn small_texts_equal_the_model() {
    let texts = texts(&["a", ":", "*", "<", ".", ">"], 3);
    assert_eq!(texts.len(), 1 + 6 + 36 + 216);
    for a in &texts {
        for b in &texts {
            assert_eq!(covers(a, b), naive::covers(a, b), "covers {a:?} {b:?}");
            assert_eq!(compare(a, b), naive::key(a).cmp(&naive::key(b)), "compare {a:?} {b:?}");
        }
    }
    let mut lists = 0;
    let few = self::texts(&["a", ":", "*"], 3);
    for a in &few {
        for b in &few {
            for c in &few {
                let scopes = [a.clone(), b.clone(), c.clone()];
                let set = ScopeSet::new(&scopes);
                assert_eq!(set.to_vec(), naive::normalized(&scopes), "normal form of {scopes:?}");
                // The third scope is asked of the first two as well.
                let pair = ScopeSet::new(&scopes[..2]);
                assert_eq!(pair.satisfies(c), naive::satisfies(&scopes[..2], c), "{pair:?} satisfies {c:?}");
                lists += 1;
            }
        }
    }
    println!("{} pairs of texts, {lists} lists", texts.len() * texts.len());
}

#[test]
fn small_worlds_equal_the_model() {
    let role = |role_id: &String, scope: String| Role { role_id: role_id.clone(), scopes: vec![scope] };
    // `<..>` is one symbol here: as six characters it would only appear in texts that are too long to enumerate.
    let (mut worlds, mut expansions, mut refused) = (0, 0, 0);
    let ids: Vec<String> = texts(&["a", ":", "*"], 3).split_off(1);
    let suffixes = texts(&["a", ":", "*", "<..>"], 3);
    let mut inputs: Vec<String> = texts(&["a", ":", "*"], 3).iter().map(|text| format!("assume:{text}")).collect();
    inputs.extend(["*", "a*", "assume*", "assume", "b*"].map(str::to_owned));
    for id in &ids {
        for suffix in &suffixes {
            for scope in [suffix.clone(), format!("assume:{suffix}")] {
                let roles = [role(id, scope)];
                worlds += 1;
                if check_validation(&roles) {
                    let set = RoleSet::new(roles.clone());
                    inputs.iter().for_each(|input| check_expansion(&set, &roles, std::slice::from_ref(input)));
                    expansions += inputs.len();
                } else {
                    refused += 1;
                }
            }
        }
    }
    let ids: Vec<String> = texts(&["a", ":", "*"], 2).split_off(1);
    let suffixes = texts(&["a", "*", "<..>"], 2);
    for (first, second) in ids.iter().flat_map(|first| ids.iter().map(move |second| (first, second))) {
        if first == second {
            continue;
        }
        for (one, two) in suffixes.iter().flat_map(|one| suffixes.iter().map(move |two| (one, two))) {
            let roles = [role(first, format!("assume:{one}")), role(second, format!("assume:{two}"))];
            worlds += 1;
            if check_validation(&roles) {
                let set = RoleSet::new(roles.clone());
                for input in [format!("assume:{first}"), format!("assume:{second}a"), "assume:a*".to_owned()] {
                    check_expansion(&set, &roles, &[input]);
                    expansions += 1;
                }
            } else {
                refused += 1;
            }
        }
    }
    println!("{worlds} worlds, {refused} refused, {expansions} expansions");
    assert!(worlds > 10_000 && refused > 1_000 && worlds - refused > 1_000 && expansions > 100_000);
}

/// Whether the roles are valid.
fn check_validation(roles: &[Role]) -> bool {
    let verdict = validate(roles);
    assert_eq!(verdict, naive::validate(roles), "validation of {roles:?}");
    verdict.is_ok()
}

fn check_expansion(set: &RoleSet, roles: &[Role], scopes: &[String]) {
    let expected = naive::expand(roles, scopes, naive::literal);
    assert_eq!(set.expand(scopes).to_vec(), expected, "expansion of {scopes:?} by {roles:?}");
}

#[derive(Default)]
struct Counts {
    cases: u64,
    applying: u64,
    two_deep: u64,
    satisfied: u64,
    changes: u64,
    refused: u64,
    refused_scope: u64,
    kept: u64,
    made_again: u64,
}

/// A valid set of roles, in both forms. The fast one has a history of `with` and `without`.
#[derive(Default)]
struct World {
    set: RoleSet,
    roles: BTreeMap<String, Role>,
    /// How many roles it may have.
    most: usize,
    /// Expansions that were made in this world's past, and that every change since has left alone.
    remembered: Vec<(Vec<String>, ScopeSet)>,
}

impl World {
    /// Changes one role, if both agree that it may be changed so.
    fn change(&mut self, random: &mut Random, counts: &mut Counts) {
        let known: Vec<&Role> = self.roles.values().collect();
        if known.len() > self.most || (known.len() > 2 && random.one_in(8)) {
            let role_id = random.of(&known).role_id.clone();
            self.set = self.set.without(&role_id);
            self.roles.remove(&role_id);
            self.check_remembered(&role_id, counts);
            return self.check_history(random);
        }
        let role = random_role(random, &known);
        let mut in_order: Vec<Role> = self.roles.values().filter(|other| other.role_id != role.role_id).cloned().collect();
        in_order.push(role.clone());
        let verdict = self.set.validate_change(&role);
        assert_eq!(verdict, naive::validate(&in_order), "adding {role:?} to {:?}", self.set);
        counts.changes += 1;
        if let Err(error) = verdict {
            counts.refused += 1;
            counts.refused_scope += u64::from(error.code() == "InvalidScopeError");
            // A set that was never validated has the same opinion.
            assert_eq!(RoleSet::new(in_order.clone()).validate_change(&role).unwrap_err(), error);
            // Nor does a set that was valid forget that something unvalidated came in.
            in_order.sort_by(|a, b| a.role_id.cmp(&b.role_id));
            in_order.push(Role { role_id: "zz".to_owned(), scopes: Vec::new() });
            let broken = self.set.with(role);
            assert_eq!(broken.validate_change(&in_order[in_order.len() - 1]), naive::validate(&in_order), "{broken:?}");
            return;
        }
        self.set = self.set.with(role.clone());
        let role_id = role.role_id.clone();
        self.roles.insert(role_id.clone(), role);
        self.check_remembered(&role_id, counts);
        self.check_history(random);
    }

    /// What a change does not take part in is the same after it: by the model, and without asking more than the changed id.
    fn check_remembered(&mut self, changed: &str, counts: &mut Counts) {
        let roles: Vec<Role> = self.roles.values().cloned().collect();
        let before = self.remembered.len();
        self.remembered.retain(|(_, expanded)| !takes_part(changed, expanded));
        counts.kept += self.remembered.len() as u64;
        counts.made_again += (before - self.remembered.len()) as u64;
        for (scopes, expanded) in &self.remembered {
            assert_eq!(expanded.to_vec(), naive::expand(&roles, scopes, naive::literal), "{scopes:?} after {changed:?} by {roles:?}");
        }
    }

    /// A set with a history equals a new one.
    fn check_history(&self, random: &mut Random) {
        let new = RoleSet::new(self.roles.values().cloned());
        assert!(self.set.iter().eq(self.roles.values().cloned()) && new.iter().eq(self.roles.values().cloned()), "{:?}", self.set);
        assert_eq!((self.set.len(), self.set.is_empty()), (self.roles.len(), self.roles.is_empty()));
        for role_id in self.roles.keys() {
            assert_eq!(self.set.get(role_id).as_ref(), self.roles.get(role_id));
        }
        let scopes = random_scopes(random, &self.roles.values().collect::<Vec<_>>());
        assert_eq!(self.set.expand(&scopes), new.expand(&scopes), "{:?}", self.set);
    }

    fn case(&mut self, random: &mut Random, counts: &mut Counts) {
        let known: Vec<&Role> = self.roles.values().collect();
        let roles: Vec<Role> = self.roles.values().cloned().collect();
        let scopes = random_scopes(random, &known);
        let other = random_scopes(random, &known);
        counts.cases += 1;
        let depth = depth(&roles, &scopes);
        counts.applying += u64::from(depth > 0);
        counts.two_deep += u64::from(depth > 1);

        let expanded = self.set.expand(&scopes);
        let model = naive::expand(&roles, &scopes, naive::literal);
        assert_eq!(expanded.to_vec(), model, "expansion of {scopes:?} by {roles:?}");
        assert_eq!(expanded.json(), serde_json::to_string(&model).unwrap());
        if self.remembered.len() < 16 {
            self.remembered.push((scopes.clone(), expanded.clone()));
        }

        let (a, b) = (ScopeSet::new(&scopes), ScopeSet::new(&other));
        let (normal_a, normal_b) = (naive::normalized(&scopes), naive::normalized(&other));
        assert_eq!(a.to_vec(), normal_a, "normal form of {scopes:?}");
        let mut sorted = other.clone();
        list::sort(&mut sorted);
        assert_eq!(list::normalize(sorted), normal_b, "normal form of {other:?}");

        let union = naive::union(&model, &other);
        assert_eq!(expanded.union(&b).to_vec(), union, "{expanded:?} with {other:?}");
        assert_eq!(list::merge_normalized(&normal_b, &model), union, "{other:?} with {model:?}");
        let one_more = expanded.with(&other[0]);
        assert_eq!(one_more, ScopeSet::new(model.iter().chain(&other[..1])), "{expanded:?} with {:?}", other[0]);

        let both = naive::intersection(&scopes, &other);
        assert_eq!(list::intersection(&scopes, &other), both, "what {scopes:?} and {other:?} share");
        let shared = a.intersection(&b);

        let prefix = random.of(&model).trim_end_matches('*').to_owned();
        let prefix = prefix.get(..prefix.len() / 2).unwrap_or_default();
        let below: Vec<_> = expanded.below(prefix).collect();
        assert_eq!(below, expanded.intersection(&ScopeSet::new([format!("{prefix}*")])).to_vec(), "{expanded:?} below {prefix:?}");

        let required = if random.one_in(2) { random.of(&model).clone() } else { random.of(&other).clone() };
        let required = random.variant(&required);
        let satisfied = naive::satisfies(&model, &required);
        counts.satisfied += u64::from(satisfied);
        assert_eq!(expanded.satisfies(&required), satisfied, "{expanded:?} satisfies {required:?}");
        assert_eq!(a.satisfies(&required), naive::satisfies(&scopes, &required), "{a:?} satisfies {required:?}");

        // The intersection of sets satisfies what both satisfy and nothing else; it is asked for its own members' neighbours too.
        let near = random.of(&both.iter().chain(&scopes).collect::<Vec<_>>()).to_string();
        for required in [required, random.variant(&near), format!("{}x", near.trim_end_matches('*'))] {
            let expected = naive::satisfies(&scopes, &required) && naive::satisfies(&other, &required);
            assert_eq!(shared.satisfies(&required), expected, "{shared:?} of {a:?} and {b:?} satisfies {required:?}");
        }
        assert_eq!(shared.to_vec(), naive::normalized(&shared.to_vec()), "a normal form");
    }
}

/// 0 when no role applies, 1 when one does, 2 when one applies to something that a role granted and nobody gave.
fn depth(roles: &[Role], scopes: &[String]) -> u32 {
    let grants =
        |scope: &String| -> Vec<Vec<String>> { roles.iter().filter_map(|role| naive::granted(role, scope, naive::literal)).collect() };
    let first: Vec<Vec<String>> = scopes.iter().flat_map(grants).collect();
    let mut granted = first.iter().flatten().filter(|scope| !scopes.contains(scope));
    match (first.is_empty(), granted.any(|scope| !grants(scope).is_empty())) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    }
}

/// Roles are made in layers `a` to `d`, and mostly depend on deeper layers, so that long valid chains are common; the rest gives cycles.
const LAYERS: [&str; 4] = ["a", "b", "c", "d"];
const TAILS: [&str; 12] = ["", ":", ":x", ":y", ":xy", "*", ":*", ":x*", ":xy*", "**", ":**", ":*x"];

fn random_role(random: &mut Random, known: &[&Role]) -> Role {
    let layer = random.below(LAYERS.len());
    let role_id = if random.one_in(60) { "*".to_owned() } else { format!("{}{}", LAYERS[layer], random.of(&TAILS)) };
    let scopes = (0..random.below(4)).map(|_| random_grant(random, layer, known)).collect();
    Role { role_id, scopes }
}

fn random_grant(random: &mut Random, layer: usize, known: &[&Role]) -> String {
    let token = ["<..>", "<..>", "x", "<..>x", "<..>:y", "x<..>", "<..>*", "*<..>", "<..><..>", "*"];
    if random.one_in(3) {
        let leaves = ["k:", "k:x", "k:y/", "k", "", "z*", "k:*"];
        return format!("{}{}", random.of(&leaves), random.of(&token));
    }
    let deeper: Vec<&&Role> = known.iter().filter(|role| role.role_id.as_str() > LAYERS[(layer + 1).min(3)]).collect();
    if !deeper.is_empty() && !random.one_in(10) {
        let stem = random.of(&deeper).role_id.trim_end_matches('*').to_owned();
        let tail = if random.one_in(2) { "" } else { random.of(&token) };
        return format!("assume:{stem}{tail}");
    }
    let next = if random.one_in(10) { random.below(4) } else { layer + 1 };
    match LAYERS.get(next) {
        Some(layer) => format!("assume:{layer}:{}", random.of(&token)),
        None => format!("k:{}", random.of(&token)),
    }
}

/// One to four scopes, most of them near a role.
fn random_scopes(random: &mut Random, known: &[&Role]) -> Vec<String> {
    let mut scopes = Vec::new();
    for _ in 0..1 + random.below(4) {
        let scope = if !known.is_empty() && !random.one_in(3) {
            format!("assume:{}", random.of(known).role_id)
        } else if known.is_empty() || random.one_in(2) {
            format!("{}{}", random.of(&["k:", "k", "", "z", "assume:", "assume:a"]), random.text(3))
        } else {
            let role = random.of(known);
            if role.scopes.is_empty() { String::new() } else { random.of(&role.scopes).clone() }
        };
        scopes.push(random.variant(&scope));
    }
    scopes
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    fn text(&mut self, longest: usize) -> String {
        (0..self.below(longest + 1)).map(|_| *self.of(&['a', 'x', ':', '*', '$'])).collect()
    }

    /// The scope itself, or cut short with or without a star, or continued.
    fn variant(&mut self, scope: &str) -> String {
        let cut = &scope[..self.below(scope.len() + 1)];
        match self.below(10) {
            0 => format!("{cut}*"),
            1 => format!("{}*", scope.strip_suffix('*').unwrap_or(scope)),
            2 | 3 => format!("{}{}", scope.strip_suffix('*').unwrap_or(scope), self.text(2)),
            4 if self.one_in(2) => cut.to_owned(),
            _ => scope.to_owned(),
        }
    }
}

/// Every text of up to `longest` symbols, shortest first.
fn texts(symbols: &[&str], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last = last.iter().flat_map(|text| symbols.iter().map(move |symbol| format!("{text}{symbol}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    }
}
