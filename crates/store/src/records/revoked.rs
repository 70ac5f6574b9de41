//! Certificates that a client has issued and that count no more.

use serde_json::{Value, json};

/// What of the temporary credentials that a client has issued was revoked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevokedCertificates {
    /// Those that start before it count no more. Milliseconds since 1970.
    pub before_ms: Option<i64>,
    /// Single ones, in the order in which they were revoked.
    pub seeds: Vec<RevokedSeed>,
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedSeed {
    /// As it is in the certificate.
    pub seed: String,
    /// From then on it has ended by itself, and need not be remembered. Milliseconds since 1970.
    pub until_ms: i64,
}

impl RevokedCertificates {
    /// Whether nothing was revoked.
    pub fn is_empty(&self) -> bool {
        self.before_ms.is_none() && self.seeds.is_empty()
    }

    /// As it is kept: `{"before":1767225600000,"seeds":[["SeedSeed...",1769904000000]]}`. `None`: nothing was revoked.
    pub fn to_text(&self) -> Option<String> {
        let seeds: Vec<Value> = self.seeds.iter().map(|revoked| json!([revoked.seed, revoked.until_ms])).collect();
        (!self.is_empty()).then(|| json!({ "before": self.before_ms, "seeds": seeds }).to_string())
    }

    /// What [`RevokedCertificates::to_text`] wrote; `None`: it did not write this.
    pub fn from_text(text: &str) -> Option<RevokedCertificates> {
        let kept: Value = serde_json::from_str(text).ok()?;
        let before = kept.get("before")?;
        let before_ms = if before.is_null() { None } else { Some(before.as_i64()?) };
        let seeds = kept.get("seeds")?.as_array()?.iter().map(|revoked| {
            let seed = revoked.get(0)?.as_str()?.to_owned();
            Some(RevokedSeed { seed, until_ms: revoked.get(1)?.as_i64()? })
        });
        Some(RevokedCertificates { before_ms, seeds: seeds.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let seed = |seed: &str, until_ms| RevokedSeed { seed: seed.to_owned(), until_ms };
        for (before_ms, seeds) in [
            (None, vec![]),
            (Some(1_767_225_600_000), vec![]),
            (Some(i64::MIN), vec![seed("\u{1f600}\"\\\n", i64::MAX), seed("a", -1)]),
            (None, vec![seed("a", 0)]),
        ] {
            let revoked = RevokedCertificates { before_ms, seeds };
            match revoked.to_text() {
                Some(text) => assert_eq!(RevokedCertificates::from_text(&text), Some(revoked), "{text}"),
                None => assert!(revoked.is_empty()),
            }
        }
        for broken in ["", "{}", "[]", r#"{"before":"x","seeds":[]}"#, r#"{"before":1,"seeds":[["a"]]}"#, r#"{"before":1}"#] {
            assert_eq!(RevokedCertificates::from_text(broken), None, "{broken}");
        }
    }
}
