//! Where Falconer deliberately answers otherwise.

use serde_json::Value;

use super::ROOT;

const DIFFERENCES: &str = include_str!("../http_differences.json");

/// One difference: which cases it covers and what Falconer answers there.
pub struct Difference {
    pub id: String,
    /// How many cases of the committed file it covers.
    pub covers: usize,
    /// Single cases, for a difference that is no rule.
    pub cases: Vec<String>,
    /// Only of the whole server: the API alone answers as the reference does.
    pub of_server: bool,
    /// `401`, or `4xx` for any of them.
    pub status: String,
    pub code: Option<String>,
    pub message: Option<String>,
}

impl Difference {
    pub fn covers(&self, case: &Value) -> bool {
        covers(&self.id, case) || self.cases.iter().any(|name| case["name"] == name.as_str())
    }
}

/// All of the file of differences.
pub fn differences() -> Vec<Difference> {
    let parsed: Vec<Value> = serde_json::from_str(DIFFERENCES).unwrap();
    parsed
        .iter()
        .map(|d| {
            assert!(d["reason"].as_str().is_some_and(|r| !r.is_empty()));
            Difference {
                id: d["id"].as_str().unwrap().to_owned(),
                covers: usize::try_from(d["covers"].as_u64().unwrap()).unwrap(),
                cases: d["cases"].as_array().into_iter().flatten().map(|c| c.as_str().unwrap().to_owned()).collect(),
                of_server: d["ofServer"] == true,
                status: d["falconer"]["status"].to_string().replace('"', ""),
                code: d["falconer"]["code"].as_str().map(str::to_owned),
                message: d["falconer"]["message"].as_str().map(str::to_owned),
            }
        })
        .collect()
}

/// The rules: which cases one covers, computed from the case alone.
fn covers(rule: &str, case: &Value) -> bool {
    let input = &case["input"];
    let path = input["path"].as_str().unwrap();
    let dollar = path.ends_with("/scopes/expand") && input["body"].as_str().is_some_and(|body| body.contains("$&"));
    match rule {
        // Signed as somebody whom the session never made; the trial methods have a public client and are exempt.
        "silence-before-the-mac" => {
            let who = &input["auth"];
            who["clientId"].as_str().is_some_and(|id| id != ROOT)
                && !who["accessToken"].as_str().unwrap().starts_with('<')
                && !path.contains("/test-authenticate")
        }
        "ext-of-null" => input["auth"]["ext"] == "bnVsbA==",
        "dollar-patterns-are-literal" => dollar,
        "tokens-name-the-last-id" => case["expected"]["body"]["continuationToken"].is_string(),
        "no-500-for-bad-input" => case["expected"]["status"] == 500 && !dollar,
        _ => false,
    }
}
