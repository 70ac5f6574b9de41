use super::{Attacker, Error};
use crate::attacks::FALCONER_AWAY;
use crate::case::Skip;
use crate::exchange::{Answered, Crafted};
use crate::report::{Outcome, Report, Row};

impl Attacker {
    /// Asks each route of a service that can't reach Falconer, while we can: it has to let nobody in. Errors: nobody is there.
    pub async fn run_while_falconer_is_away(self) -> Result<Report, Error> {
        self.is_there().await?;
        let mut report = Report::default();
        for prepared in &self.routes {
            let case = self.case(prepared);
            let route = Some(prepared.route.to_string());
            let signature = match case.honest() {
                Ok(signature) => signature,
                Err(Skip::OnlyFor(_)) => continue,
                Err(Skip::Untried(why)) => {
                    report.rows.push(Row::new(&FALCONER_AWAY, route, Outcome::NotTried, 0, vec![why]));
                    continue;
                }
            };
            let mut signed = Crafted::of(case.route);
            signed.set("authorization", &signature.header());
            let (mut outcome, mut seen) = (Outcome::Held, Vec::new());
            for (how, request) in [("signed by a caller that may", &signed), ("without credentials", &Crafted::of(case.route))] {
                let (came, what) = match self.sender.send(request).await {
                    Answered::Answer(answer) if answer.is_let_in() => (Outcome::Finding, format!("answered {}", answer.status)),
                    // Whoever has no credentials can be refused without a question.
                    Answered::Answer(answer) if answer.status == 503 || signed.authorization() != request.authorization() => continue,
                    Answered::Answer(answer) => {
                        (Outcome::Note, format!("answered {}, where 503 says that it is no fault of the caller", answer.status))
                    }
                    Answered::Silent => (Outcome::Finding, "it did not answer".to_owned()),
                    Answered::Closed(why) | Answered::Unreachable(why) => (Outcome::NotTried, why),
                    Answered::Unsendable => (Outcome::NotTried, "no URL can be written like that".to_owned()),
                };
                seen.push(format!("{how}: {what}"));
                if outcome != Outcome::Finding {
                    outcome = came;
                }
            }
            let mut row = Row::new(&FALCONER_AWAY, route, outcome, 2, seen);
            // Nobody was let in.
            row.means = row.means.filter(|_| outcome == Outcome::Finding);
            report.rows.push(row);
        }
        Ok(report)
    }
}
