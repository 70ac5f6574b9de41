//! What is remembered of expansions, against the model, while roles change; and the bound.

use crate::common::{Keys, World, settings, strings};
use falconer_auth::{ApiError, AuthSettings, Decision, ProofParts, Question, Reason, RequestParts, RoleInput, Verdict};
use falconer_scopes::{Expression, Role, naive};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const IDS: [&str; 10] = ["a", "a:*", "a:x", "b", "b:*", "b:x*", "c:*", "c:xy", "anonymous", "g*"];
const SCOPES: [&str; 14] = [
    "assume:a",
    "assume:a:x",
    "assume:b",
    "assume:b:<..>",
    "assume:b:x",
    "assume:c:xy",
    "assume:c:<..>y",
    "k:<..>",
    "k:1",
    "k:*",
    "m",
    "assume:b*",
    "assume:gr",
    "assume:grant:<..>",
];

fn roles_of(world: &World) -> Vec<Role> {
    world.auth.directory().role_records().map(|r| Role { role_id: r.role_id.clone(), scopes: r.scopes.clone() }).collect()
}

fn model(roles: &[Role], scopes: &[String]) -> Vec<String> {
    let requested: Vec<String> = scopes.iter().filter(|s| !s.starts_with("assume:grant:")).cloned().collect();
    naive::normalized(
        &naive::expand(roles, &requested, naive::literal).into_iter().filter(|s| !s.starts_with("assume:grant:")).collect::<Vec<_>>(),
    )
}

/// What check says that a client lacks.
async fn missing_of(world: &World, keys: &Keys, required: &Expression, reveals: bool) -> Option<Expression> {
    let header = world.sign(keys, "/x", "svc.example.com", 443, None);
    let parts = RequestParts { method: "get", resource: "/x", host: "svc.example.com", port: 443, authorization: Some(&header) };
    let reveal = reveals.then_some(&[][..]);
    match world
        .auth
        .check(&Question {
            parts,
            proof: ProofParts::default(),
            required,
            payload_hash: None,
            each: None,
            reveal,
            identity: false,
            bearer: false,
        })
        .await
    {
        Ok(Decision::Allowed(_)) => None,
        Ok(Decision::Denied { missing, .. }) => Some(missing),
        other => panic!("{other:?}"),
    }
}

/// Roles come, change and go in a random order; after each change every list that was ever asked for gives what the model says, and so does
/// what a client holds. Once with a cache that holds everything, once with none, and once with one that is full of other lists, so that verdicts are found without sets.
#[tokio::test]
async fn whatever_happened_the_model_is_right() {
    for cache_mib in [32, 0, 1] {
        let world = World::with(AuthSettings { cache_mib, ..settings() }, true).await;
        let root = world.as_root().await;
        for n in 0..if cache_mib == 1 { 1_000 } else { 0 } {
            world.auth.expand(&[&*format!("full:{n}:{}", "x".repeat(4_000))]);
        }
        let mut random = Random(7);
        let client = strings(&["assume:a", "assume:c:x", "n"]);
        let keys = world.client("alice", &["assume:a", "assume:c:x", "n"]).await;
        let mut lists: Vec<Vec<String>> = vec![client.clone()];
        let (mut changes, mut refused) = (0, 0);
        while changes < 150 {
            let id = random.of(&IDS);
            let done = if random.below(4) == 0 {
                world.auth.delete_role(&root, id).await.is_ok()
            } else {
                let scopes: std::collections::BTreeSet<&str> = (0..random.below(4)).map(|_| random.of(&SCOPES)).collect();
                let scopes: Vec<String> =
                    scopes.into_iter().filter(|s| id.ends_with('*') || !s.starts_with("assume:grant:")).map(str::to_owned).collect();
                let input = RoleInput { scopes, description: format!("change {changes}") };
                match world.auth.directory().role(id).is_some() {
                    true => world.auth.update_role(&root, id, &input).await.is_ok(),
                    false => world.auth.create_role(&root, id, &input).await.is_ok(),
                }
            };
            changes += usize::from(done);
            refused += usize::from(!done);
            if lists.len() < 40 {
                lists
                    .push((0..1 + random.below(3)).map(|_| random.of(&SCOPES).replace("<..>", random.of(&["x", "xy", "*", ""]))).collect());
            }
            let roles = roles_of(&world);
            for list in &lists {
                let texts: Vec<&str> = list.iter().map(String::as_str).collect();
                assert_eq!(world.auth.expand(&texts).to_vec(), model(&roles, list), "{list:?} by {roles:?}");
            }
            let with_anonymous: Vec<String> = client.iter().cloned().chain(["assume:anonymous".to_owned()]).collect();
            let held_scopes = model(&roles, &with_anonymous);
            // A verdict is found without the set, and is the same.
            let mut requested: Vec<String> =
                SCOPES.iter().map(|scope| scope.replace("<..>", random.of(&["x", "xy", "*", "", "1"]))).collect();
            requested.extend(strings(&["n", "assume:anonymous", "assume:grant:x"]));
            for scope in &requested {
                let said = missing_of(&world, &keys, &Expression::Scope(scope.clone()), false).await;
                assert_eq!(said.is_none(), naive::satisfies(&held_scopes, scope), "{scope} by {roles:?}");
            }
            // What is revealed comes from the set, so that it is asked for last.
            for (which, reveals) in [(requested.as_slice(), false), (&requested[..3], true)] {
                let missing: Vec<String> = which.iter().filter(|scope| !naive::satisfies(&held_scopes, scope)).cloned().collect();
                let expected = Expression::all_of(missing.iter().cloned());
                let said = missing_of(&world, &keys, &Expression::all_of(which.iter().cloned()), reveals).await;
                match said {
                    None => assert_eq!(missing, [""; 0], "{roles:?}"),
                    Some(Expression::Scope(only)) => assert_eq!(missing, [only], "{roles:?}"),
                    Some(several) => assert_eq!(several, expected, "{roles:?}"),
                }
            }
            let Verdict::Success(success) = world.verify(&keys).await else { panic!("refused") };
            assert_eq!(success.scopes.to_vec(), held_scopes);
            assert_eq!(success.scopes.json(), serde_json::to_string(&success.scopes.to_vec()).unwrap());
        }
        let computed = world.auth.directory().expansion_figures().computed;
        let requested = (changes + refused) * lists.len();
        println!("{changes} changes, {refused} refused, {computed} of about {requested} expansions were made");
        assert!(refused > 10);
        if cache_mib > 1 {
            assert!(computed < requested as u64 / 2, "most were remembered: {computed} of {requested}");
        }
    }
}

/// Many lists that are asked for once stay within the bound.
#[tokio::test]
async fn the_bound_is_kept() {
    let world = World::with(AuthSettings { cache_mib: 1, ..settings() }, true).await;
    world.role("wide", &["k:1", "k:2", "k:3"]).await;
    for n in 0..5_000 {
        let text = format!("other:{n}");
        assert_eq!(world.auth.expand(&["assume:wide", &text]).len(), 5);
    }
    let figures = world.auth.directory().expansion_figures();
    assert!(figures.bytes <= figures.most_bytes && figures.most_bytes == 1 << 20, "{figures:?}");
    assert!(figures.bytes > figures.most_bytes / 5 && figures.evicted > 0, "{figures:?}");
}

/// Two dozen roles that hand their parameter on twice: each verification took a third of a second, and what was cut off was not mentioned.
#[tokio::test]
async fn whoever_needs_too_many_steps_is_told() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let input = |n: usize| RoleInput {
        scopes: vec![format!("assume:p{:02}-a<..>", n + 1), format!("assume:p{:02}-b<..>", n + 1)],
        description: String::new(),
    };
    // From the upper end on, so that none of them is too much when it is written.
    for n in 0..24 {
        world.auth.create_role(&root, &format!("p{n:02}-*"), &input(n)).await.unwrap();
    }
    let refused = world.auth.update_role(&root, "p00-*", &RoleInput { description: "again".to_owned(), ..input(0) }).await;
    let Err(ApiError::InputError(message)) = refused else { panic!("{refused:?}") };
    assert!(message.starts_with("Role 'p00-*' hands its parameter on to too many roles: "), "{message}");

    let keys = world.client("deep", &["assume:p00-x"]).await;
    for (keys, authorized) in [(&keys, None), (&world.client("star", &["assume:p*"]).await, Some(strings(&["assume:p00-x"])))] {
        let verdict = world.verify_at(keys, "h.example", 443, authorized.as_deref()).await;
        let Verdict::Failed(reason) = verdict else { panic!("{verdict:?}") };
        assert!(matches!(reason, Reason::TooManySteps { .. }), "{reason:?}");
    }
    let expanded = world.auth.expand_scopes(&root, &["assume:p00-x"]);
    assert!(matches!(expanded, Err(ApiError::InputError(_))), "{expanded:?}");
    assert_eq!(world.auth.expand_scopes(&root, &["assume:p20-x"]).unwrap().len(), 31);
    // A link less, and it holds at once.
    world.auth.delete_role(&root, "p08-*").await.unwrap();
    assert!(matches!(world.verify(&keys).await, Verdict::Success(_)));
}
