//! Times at the edges of 2^31, 2^53, 2^63 and 2^64: no panic, and never an acceptance of what is over. The model counts in 128 bits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use falconer_credentials::{AccessToken, Issuer, RequestParts, Revoked, Verified, evaluate, read};
use falconer_scopes::ScopeSet;
use serde_json::Value;
use support::forge::{self, HOST, RESOURCE};

const TOKEN: &str = "alice-token-0123456789abcdefghijklmnopqrstuvw";
const SEED: &str = "SeedSeedSeedSeedSeedSsSeedSeedSeedSeedSeedSs";

/// Where numbers end, and a step to both sides.
fn edges() -> Vec<i128> {
    let mut edges = Vec::new();
    for base in [
        0,
        1 << 31,
        1 << 32,
        1 << 53,
        1 << 62,
        1 << 63,
        1 << 64,
        1_767_225_600,
        1_767_225_600_000,
        (1 << 53) / 1000,
        (1 << 63) / 1000,
        10_i128.pow(25),
    ] {
        for step in [-300_001, -300_000, -900, -2, -1, 0, 1, 2, 300_000, 300_001, 900_001] {
            edges.extend([base + step, -base + step]);
        }
    }
    edges
}

/// The clocks: those edges that fit.
fn clocks() -> Vec<i64> {
    let mut clocks: Vec<i64> = edges().into_iter().filter_map(|edge| i64::try_from(edge).ok()).collect();
    clocks.extend([i64::MIN, i64::MAX]);
    clocks
}

fn judge(authorization: Option<&str>, resource: &str, now_ms: i64, expires_ms: i64) -> Result<Verified, String> {
    let parts = RequestParts { method: "GET", resource, host: HOST, port: 443, authorization };
    let token = AccessToken::new(TOKEN.to_owned());
    let authentic = read(&parts).unwrap().unwrap().check_mac(Some(&token)).expect("the MAC is right");
    let scopes = ScopeSet::new(["*"]);
    let client = Issuer { client_id: "alice", token: &token, expires_ms, disabled: false, scopes: &scopes, revoked: Revoked::default() };
    evaluate(&authentic, &client, now_ms, &|scopes| ScopeSet::new(scopes)).map_err(|failure| failure.to_string())
}

#[test]
fn timestamps() {
    for ts in edges() {
        let header = forge::header("alice", TOKEN, &ts.to_string(), None);
        for now_ms in clocks() {
            let far = (ts * 1000 - i128::from(now_ms)).abs();
            let accepted = judge(Some(&header), RESOURCE, now_ms, i64::MAX).is_ok();
            if i128::from(now_ms).abs() < 1 << 53 {
                assert_eq!(accepted, far <= 900_000, "ts {ts} at {now_ms}");
            } else {
                // Doubles count in steps of up to 2048 there.
                assert!(!accepted || far <= 904_096, "ts {ts} at {now_ms}");
            }
        }
    }
}

#[test]
fn timestamps_that_are_no_numbers() {
    for ts in [
        "NaN",
        "Infinity",
        "-Infinity",
        "inf",
        "nan",
        "1e999",
        "-1e999",
        "0x6955b900",
        "now",
        "1767225600s",
        "e9",
        "-",
        ".",
        "1e-999999999999999999999",
    ] {
        let header = forge::header("alice", TOKEN, ts, None);
        let refused = judge(Some(&header), RESOURCE, 1_767_225_600_000, i64::MAX).unwrap_err();
        assert_eq!(refused, "Unauthorized: Stale timestamp", "{ts}");
    }
}

#[test]
fn bewits() {
    for exp in edges() {
        let resource = forge::bewit("alice", TOKEN, &exp.to_string(), None);
        for now_ms in clocks() {
            let accepted = judge(None, &resource, now_ms, i64::MAX).is_ok();
            assert_eq!(accepted, exp * 1000 > i128::from(now_ms), "exp {exp} at {now_ms}");
        }
    }
    for exp in ["x", "NaN", "Infinity", "-", "+", "0x7fffffff", "e9", ".5"] {
        let resource = forge::bewit("alice", TOKEN, exp, None);
        assert_eq!(judge(None, &resource, 1_767_225_600_000, i64::MAX).unwrap_err(), "Unauthorized: Access expired", "{exp}");
    }
    // More digits than any number has are later than any clock.
    let resource = forge::bewit("alice", TOKEN, &"9".repeat(500), None);
    assert!(judge(None, &resource, i64::MAX, i64::MAX).is_ok());
}

#[test]
fn the_clients_own_expiry() {
    let resource = forge::bewit("alice", TOKEN, &"9".repeat(30), None);
    for expires_ms in clocks() {
        for now_ms in clocks() {
            assert_eq!(judge(None, &resource, now_ms, expires_ms).is_ok(), expires_ms >= now_ms, "{expires_ms} at {now_ms}");
        }
    }
}

#[test]
fn certificates() {
    let far = "9".repeat(30);
    let numbers: Vec<i128> = edges();
    for start in numbers.iter().step_by(3) {
        for expiry in numbers.iter().step_by(2) {
            let text = format!("version:1\nseed:{SEED}\nstart:{start}\nexpiry:{expiry}\nscopes:");
            let signature = Value::from(forge::signature(TOKEN, &text));
            let ext = format!(
                "{{\"certificate\":{{\"version\":1,\"scopes\":[],\"start\":{start},\"expiry\":{expiry},\"seed\":\"{SEED}\",\"signature\":{signature}}}}}"
            );
            let resource = forge::bewit("alice", &forge::temporary_key(TOKEN, SEED), &far, Some(&ext));
            for now in
                [0, 1_767_225_600_000, i128::from(i64::MAX), i128::from(i64::MIN), *start, *expiry, *start - 300_000, *expiry + 300_001]
            {
                let Ok(now_ms) = i64::try_from(now) else {
                    continue;
                };
                let (s, e) = (*start, *expiry);
                let wanted = if s.abs() > 1 << 53 {
                    Err("ext.certificate.start must be a number")
                } else if e.abs() > 1 << 53 {
                    Err("ext.certificate.expiry must be a number")
                } else if s > now + 300_000 {
                    Err("ext.certificate.start > now")
                } else if e < now - 300_000 {
                    Err("ext.certificate.expiry < now")
                } else if e - s > 31 * 24 * 3_600_000 {
                    Err("ext.certificate cannot last longer than 31 days!")
                } else {
                    Ok(e)
                };
                let found = judge(None, &resource, now_ms, i64::MAX).map(|verified| i128::from(verified.expires_ms));
                assert_eq!(found.as_ref().map_err(String::as_str).copied(), wanted, "{start} to {expiry} at {now}");
            }
        }
    }
}
