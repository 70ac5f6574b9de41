//! Whatever roles there are and whatever is ticked.

use proptest::prelude::*;

use super::*;

const SCOPES: &[&str] = &[
    "notes:read:a",
    "notes:read:b",
    "notes:read:*",
    "notes:*",
    "queue:x",
    "q*",
    "auth:current-scopes",
    "auth:create-client:x",
    "auth:*",
    "assume:a",
    "assume:b",
    "assume:c:x",
    "assume:c:*",
    "assume:*",
    "*",
    "au*",
    "assume:d",
];

prop_compose! {
    fn some_scopes(most: usize)(picked in prop::collection::vec(0..SCOPES.len(), 0..most)) -> Vec<&'static str> {
        picked.into_iter().filter_map(|i| SCOPES.get(i).copied()).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever roles there are and whatever is ticked: the grant is closed, within what the person has and what was ticked, gives nothing
    /// back that is not ticked, and nothing broad is ticked beforehand.
    #[test]
    fn a_selection_is_closed_and_gives_nothing_back(
        a in some_scopes(4), b in some_scopes(4), c in some_scopes(3), d in some_scopes(3),
        own in some_scopes(6), asked in some_scopes(6), mask in any::<u64>(), everything: bool, broad: bool,
    ) {
        // A person never holds a star over `assume:`, and auth refuses roles that give one another in a circle.
        let acyclic = |scopes: &[&'static str], below: &[&str]| -> Vec<&'static str> {
            scopes.iter().copied().filter(|s| !falconer_scopes::covers(s, "assume:")
                && (!s.starts_with("assume:") || below.contains(s))).collect()
        };
        let a = acyclic(&a, &["assume:b", "assume:c:x", "assume:c:*", "assume:d"]);
        let b = acyclic(&b, &["assume:c:x", "assume:c:*", "assume:d"]);
        let c = acyclic(&c, &["assume:d"]);
        let d = acyclic(&d, &[]);
        let own: Vec<&str> = own.into_iter().filter(|s| !falconer_scopes::covers(s, "assume:")).collect();
        let setting = Setting::new(&[("a", &a), ("b", &b), ("c:*", &c), ("d", &d)], &own);
        let mut offer = setting.offer(&asked, false);
        let expand = |scopes: &[&str]| setting.roles.expand(scopes);

        for line in &offer.lines {
            prop_assert!(!line.ticked || !line.closed.iter().any(crate::consent::broad::is_broad_alone), "{line:?}");
            prop_assert_eq!(line.lacking, line.closed.is_empty());
        }
        prop_assert!(offer.broad.as_ref().is_none_or(|b| !b.ticked));

        // As it is shown at first, nothing is taken away and nothing broad is granted.
        let keys = ticked(&offer);
        let (first_everything, first_broad) = (offer.everything.is_some(), false);
        let first = setting.select(&mut offer, &keys, first_everything, first_broad);
        prop_assert!(first.taken_away.is_empty(), "{:?}", first.taken_away);
        prop_assert!(!first.scopes.iter().any(crate::consent::broad::is_broad_alone));

        let keys: Vec<String> = offer.lines.iter().enumerate()
            .filter(|(at, line)| !line.lacking && mask >> at & 1 == 1)
            .map(|(_, line)| line.key.clone()).collect();
        let selection = setting.select(&mut offer, &keys, everything, broad);
        let granted = &selection.scopes;
        prop_assert_eq!(&expand(&granted.iter().collect::<Vec<_>>()), granted);
        prop_assert!(setting.of_person.satisfies_all(granted.iter()));
        let mut ticked_scopes = ScopeSet::default();
        for line in &offer.lines {
            if keys.contains(&line.key) {
                ticked_scopes = ticked_scopes.union(&line.closed);
            }
        }
        for (bundle, on) in [(&offer.everything, everything), (&offer.broad, broad)] {
            if let (Some(bundle), true) = (bundle, on) {
                ticked_scopes = ticked_scopes.union(&bundle.closed);
            }
        }
        prop_assert!(ticked_scopes.satisfies_all(granted.iter()));
        // What is not ticked and what no tick stands for does not come back as a whole, through one scope or through several.
        // What is ticked by its name is no part of that: all the rest together must not come back.
        let with_always = granted.with(ALWAYS);
        let named: Vec<&str> = offer.lines.iter().filter(|l| !l.narrowed && keys.contains(&l.key)).map(|l| l.scope.as_str()).collect();
        for line in offer.lines.iter().filter(|l| !l.lacking && !keys.contains(&l.key)) {
            let covered = line.part_of.as_ref().is_some_and(|whole| keys.contains(whole));
            let rest: Vec<&str> = line.own.iter().filter(|s| *s != ALWAYS && !named.contains(s)).collect();
            if covered || rest.is_empty() {
                continue;
            }
            prop_assert!(!with_always.satisfies_all(rest.iter().copied()), "{rest:?} came back");
        }
        // What is ticked by name stays, unless it would give back by itself what is not ticked.
        for name in &named {
            let given = expand(&[*name]);
            let gives_back = offer.lines.iter().any(|l| !keys.contains(&l.key) && !l.lacking && l.own.iter().any(|s| given.satisfies(s) && !named.contains(&s)));
            prop_assert!(gives_back || !setting.of_person.satisfies(name) || granted.satisfies(name), "{name} was taken away");
        }
        for (bundle, on) in [(&offer.everything, everything), (&offer.broad, broad)] {
            if let (Some(bundle), false) = (bundle, on) {
                for scope in bundle.scopes.iter().filter(|s| *s != ALWAYS) {
                    prop_assert!(!granted.satisfies(scope), "{scope} came back");
                }
            }
        }
        if offer.lines.is_empty() && everything && broad {
            prop_assert_eq!(granted, &setting.of_person);
        }
    }
}
