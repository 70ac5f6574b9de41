//! Who holds the key is told exactly what is wrong; who does not learns nothing, not even whether there is such a client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use falconer_credentials::{Failure, RequestParts, read};
use serde_json::{Value, json};
use support::forge::{self, HOST, RESOURCE, temporary_key};
use support::{Client, World};

const SEED: &str = "SeedSeedSeedSeedSeedSsSeedSeedSeedSeedSeedSs";
const TS: &str = "1767225600";

/// One way to be wrong: who signs, what ext says, and what the holder of the key is told.
struct Wrong {
    id: &'static str,
    /// Whose token makes the key; with a seed that is text, the temporary key.
    owner: &'static str,
    ext: Option<String>,
    message: &'static str,
}

fn certificate(change: impl Fn(&mut Value)) -> Option<String> {
    let mut certificate = json!({
        "version": 1, "scopes": ["pantry:jam"], "start": 1_767_225_600_000_i64, "expiry": 1_767_229_200_000_i64, "seed": SEED, "signature": "x",
    });
    change(&mut certificate);
    Some(json!({ "certificate": certificate }).to_string())
}

fn set(key: &'static str, value: Value) -> Option<String> {
    certificate(|certificate| certificate[key] = value.clone())
}

fn all() -> Vec<Wrong> {
    let alice = |ext: Option<String>, message| Wrong { id: "alice", owner: "alice", ext, message };
    let named = |id, owner: &'static str, message| Wrong { id, owner, ext: set("issuer", owner.into()), message };
    vec![
        Wrong { id: "disabled-one", owner: "disabled-one", ext: None, message: "Client with clientId 'disabled-one' is disabled" },
        Wrong {
            id: "disabled-and-expired",
            owner: "disabled-and-expired",
            ext: None,
            message: "Client with clientId 'disabled-and-expired' is disabled",
        },
        Wrong { id: "expired-one", owner: "expired-one", ext: None, message: "Client with clientId: 'expired-one' has expired" },
        // ext comes before the client's state.
        Wrong { id: "disabled-one", owner: "disabled-one", ext: Some("{".to_owned()), message: "Failed to parse ext" },
        Wrong {
            id: "disabled-one",
            owner: "disabled-one",
            ext: set("issuer", 5.into()),
            message: "ext.certificate.issuer must be a string",
        },
        Wrong {
            id: "disabled-one",
            owner: "disabled-one",
            ext: set("version", 2.into()),
            message: "Client with clientId 'disabled-one' is disabled",
        },
        alice(Some("null".to_owned()), "Failed to parse ext"),
        alice(Some("\u{feff}{}".to_owned()), "Failed to parse ext"),
        alice(Some("{\"certificate\":7}".to_owned()), "ext.certificate must be a JSON object"),
        alice(Some("{\"certificate\":\"{}\"}".to_owned()), "ext.certificate must be a JSON object"),
        alice(Some("{\"certificate\":[]}".to_owned()), "ext.certificate.version must be 1"),
        alice(Some("{\"certificate\":{\"issuer\":[\"x\"]}}".to_owned()), "ext.certificate.issuer must be a string"),
        alice(set("issuer", "alice".into()), "ext.certificate.issuer must differ from the supplied clientId"),
        alice(set("version", "1".into()), "ext.certificate.version must be 1"),
        alice(set("seed", Value::Null), "ext.certificate.seed must be a string"),
        alice(set("seed", "short".into()), "ext.certificate.seed must be 44 characters"),
        alice(set("seed", "".into()), "ext.certificate.seed must be 44 characters"),
        alice(set("start", "0".into()), "ext.certificate.start must be a number"),
        alice(set("start", json!(0.5)), "ext.certificate.start must be a number"),
        alice(set("expiry", json!(9_007_199_254_740_994_i64)), "ext.certificate.expiry must be a number"),
        alice(set("scopes", Value::Null), "ext.certificate.scopes must be an array"),
        alice(set("scopes", json!(["a", 1])), "ext.certificate.scopes must be an array of valid scopes"),
        alice(set("start", json!(1_767_225_900_001_i64)), "ext.certificate.start > now"),
        alice(set("expiry", json!(1_767_225_299_999_i64)), "ext.certificate.expiry < now"),
        alice(set("expiry", json!(1_769_904_000_001_i64)), "ext.certificate cannot last longer than 31 days!"),
        alice(set("clientId", Value::Null), "ext.certificate.clientId must only be used with ext.certificate.issuer"),
        alice(
            set("scopes", json!(["pantry:jam", "lobby:enter"])),
            "ext.certificate issuer `alice` doesn't satisfy all certificate scopes pantry:jam, lobby:enter.  The temporary credentials were not generated correctly.",
        ),
        alice(certificate(|_| ()), "ext.certificate.signature is not valid"),
        named("alice/phone", "alice", "ext.certificate.signature is not valid, or wrong clientId provided"),
        named("other/x", "alice", "ext.certificate issuer `alice` doesn't have `auth:create-client:other/x` for supplied clientId."),
        named("x", "disabled-one", "Client with clientId 'disabled-one' is disabled"),
        named("x", "expired-one", "Client with clientId: 'expired-one' has expired"),
        // Without a seed the id's own token counts, and the named issuer's state stays unknown.
        Wrong {
            id: "alice",
            owner: "alice",
            ext: certificate(|certificate| {
                certificate["issuer"] = "disabled-one".into();
                certificate["seed"] = Value::Null;
            }),
            message: "ext.certificate.seed must be a string",
        },
        alice(Some("{\"authorizedScopes\":\"a\"}".to_owned()), "ext.authorizedScopes must be an array"),
        alice(Some("{\"authorizedScopes\":[null]}".to_owned()), "ext.authorizedScopes must be an array of valid scopes"),
    ]
}

fn key(client: &Client, ext: Option<&str>) -> String {
    let json: Value = ext.and_then(|ext| serde_json::from_str(ext).ok()).unwrap_or_default();
    match json["certificate"]["seed"].as_str() {
        Some(seed) => temporary_key(client.token.expose(), seed),
        None => client.token.expose().to_owned(),
    }
}

fn ask(world: &World, authorization: Option<&str>, resource: &str) -> String {
    let parts = RequestParts { method: "get", resource, host: HOST, port: 443, authorization };
    let answer = world.authenticate(&parts, world.now_ms);
    assert_eq!(answer["status"], "auth-failed");
    support::text(&answer["message"])
}

#[test]
fn with_the_key_the_exact_message_is_told() {
    let world = World::std();
    for wrong in all() {
        let key = key(world.client(wrong.owner).unwrap(), wrong.ext.as_deref());
        let header = forge::header(wrong.id, &key, TS, wrong.ext.as_deref());
        assert_eq!(ask(&world, Some(&header), RESOURCE), wrong.message, "{header}");
        // All this comes before the time.
        let stale = forge::header(wrong.id, &key, "0", wrong.ext.as_deref());
        assert_eq!(ask(&world, Some(&stale), RESOURCE), wrong.message, "{stale}");
        let bewit = forge::bewit(wrong.id, &key, "0", wrong.ext.as_deref());
        assert_eq!(ask(&world, None, &bewit), wrong.message, "{bewit}");
    }
}

#[test]
fn without_the_key_all_answers_are_one() {
    let world = World::std();
    let mut failures: Vec<Failure> = Vec::new();
    let mut note = |authorization: Option<&str>, resource: &str| {
        let parts = RequestParts { method: "get", resource, host: HOST, port: 443, authorization };
        let signed = read(&parts).unwrap().unwrap();
        let token = world.client(signed.key_owner()).map(|client| client.token.clone());
        failures.push(signed.check_mac(token.as_ref()).err().expect("the MAC is wrong"));
    };
    for wrong in all() {
        // Under a guessed key, under somebody else's token, and where there is no such client.
        for (id, key) in [(wrong.id, "guess"), (wrong.id, "rooty-token-rooty-token-rooty-token-rooty-tok"), ("nobody", "guess")] {
            note(Some(&forge::header(id, key, TS, wrong.ext.as_deref())), RESOURCE);
            note(None, &forge::bewit(id, key, "9999999999", wrong.ext.as_deref()));
        }
    }
    // The dummy key opens nothing.
    note(Some(&forge::header("nobody", "dummy-token-dummy-token-dummy-token-dummy-to", TS, None)), RESOURCE);
    assert!(failures.len() > 100);
    for failure in failures {
        assert_eq!(failure, Failure::BadMac);
        assert_eq!(failure.to_string(), "Unauthorized: Bad mac");
    }
}

/// A named certificate whose seed is no text is tried under the id's own token: the issuer's token would not do.
#[test]
fn the_key_owner_is_the_issuer_only_with_a_seed() {
    let owner = |ext: Option<String>| {
        let header = forge::header("alice/x", "k", TS, ext.as_deref());
        let parts = RequestParts { method: "get", resource: RESOURCE, host: HOST, port: 443, authorization: Some(&header) };
        read(&parts).unwrap().unwrap().key_owner().to_owned()
    };
    assert_eq!(owner(set("issuer", "alice".into())), "alice");
    assert_eq!(owner(set("issuer", Value::Null)), "alice/x");
    assert_eq!(owner(set("issuer", "".into())), "alice/x");
    assert_eq!(owner(set("issuer", 1.into())), "alice/x");
    let without_seed = certificate(|certificate| {
        certificate["issuer"] = "alice".into();
        certificate["seed"] = 1.into();
    });
    assert_eq!(owner(without_seed), "alice/x");
    assert_eq!(owner(Some("{\"certificate\":[{\"issuer\":\"alice\"}]}".to_owned())), "alice/x");
    assert_eq!(owner(None), "alice/x");
}
