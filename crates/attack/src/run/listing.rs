use super::Attacker;
use crate::attacks::{Attack, documents};
use crate::exchange::{Answered, Crafted};
use crate::place::Access;
use crate::report::{Outcome, Row};

impl Attacker {
    /// What the service's own description names, asked for without credentials.
    pub(super) async fn listing(&self, attack: &Attack) -> Row {
        let get = |resource: &str| {
            let headers = http::HeaderMap::new();
            Crafted { method: http::Method::GET, resource: resource.to_owned(), headers, body: None }
        };
        let mut sent = 0;
        let mut found = None;
        for place in documents::PLACES {
            sent += 1;
            if let Answered::Answer(answer) = self.sender.send(&get(place)).await
                && answer.is_let_in()
                && let Some(paths) = documents::paths(&answer.body)
            {
                found = Some(paths);
                break;
            }
        }
        let Some(paths) = found else {
            let why = format!("the service has no OpenAPI document at {}", documents::PLACES.join(", "));
            return Row::new(attack, None, Outcome::DoesNotApply, sent, vec![why]);
        };
        let public: Vec<&str> =
            self.routes.iter().filter(|one| matches!(one.route.access, Access::Public)).map(|one| one.route.path()).collect();
        let (mut findings, mut untried) = (Vec::new(), Vec::new());
        for path in paths.iter().filter(|path| !public.contains(&path.as_str())) {
            sent += 1;
            match self.sender.send(&get(path)).await {
                Answered::Answer(answer) if answer.is_let_in() => findings.push(format!("GET {path}: answered {}", answer.status)),
                Answered::Answer(answer) if !(500..=599).contains(&answer.status) => {}
                Answered::Answer(answer) => untried.push(format!("GET {path}: answered {}", answer.status)),
                _ => untried.push(format!("GET {path}: no answer")),
            }
        }
        let outcome = match (findings.is_empty(), untried.is_empty()) {
            (false, _) => Outcome::Finding,
            (true, false) => Outcome::NotTried,
            (true, true) => Outcome::Held,
        };
        Row::new(attack, None, outcome, sent, [findings, untried].concat())
    }
}
