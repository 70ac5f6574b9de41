use std::collections::BTreeSet;

use falconer_client::{Client, Credentials};

use super::traces::{Logs, Traces, logged, repeated};
use crate::attacks::{ATTACKS, Attack, AttackKind};
use crate::callers::{CallerTemplate, Callers, Falconer};
use crate::case::{Case, Expected, Skip, Tries, Try};
use crate::exchange::{Answer, Answered, Crafted, Sender, Transport};
use crate::judge::{Verdict, judge};
use crate::place::{Access, Place, Route};
use crate::report::{Outcome, Report, Row};

/// Why nothing could be begun.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operator's: an address or credentials that cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The service is not there.
    #[error("nobody answers at {address}: {why}")]
    Service {
        /// Where it was looked for.
        address: String,
        /// What the network said.
        why: String,
    },
    /// Falconer is not there, so that nobody knows what a caller is worth.
    #[error("Falconer does not answer at {root_url}: {why}")]
    Falconer {
        /// Where it was looked for.
        root_url: String,
        /// What the network said.
        why: String,
    },
    /// Falconer answered otherwise than with a decision.
    #[error(transparent)]
    Client(#[from] falconer_client::Error),
}

/// A service, prepared: who attacks it is known, and nothing was sent to it yet but one question.
pub struct Attacker {
    pub(super) place: Place,
    pub(super) sender: Sender,
    http2: bool,
    falconer: Falconer,
    operator: Option<Credentials>,
    pub(super) routes: Vec<Prepared>,
}

pub(super) struct Prepared {
    pub route: Route,
    pub callers: Callers,
    /// What the caller that may gets.
    usual: Option<Answer>,
    answers_anybody: bool,
}

impl Attacker {
    /// Makes the callers: asks Falconer, and not the service. `client` is one of Falconer, without credentials.
    pub async fn prepare(
        place: Place,
        transport: &Transport,
        routes: Vec<Route>,
        client: Client,
        operator: Option<Credentials>,
    ) -> Result<Attacker, Error> {
        let root_url = client.root_url().to_owned();
        let falconer = Falconer::find(client).await.map_err(|why| Error::Falconer { root_url, why })?;
        let sender = Sender::to(&place, transport).map_err(Error::Settings)?;
        let mut prepared: Vec<Prepared> = Vec::new();
        let maker = CallerTemplate { falconer: &falconer, place: &place, operator: operator.as_ref() };
        // Twice: who may use the other routes is known after the first time.
        let mut scopes: Vec<Vec<String>> = Vec::new();
        for route in &routes {
            scopes.push(maker.of(route, &[]).await?.scopes);
        }
        for (number, route) in routes.iter().enumerate() {
            let others: BTreeSet<String> =
                scopes.iter().enumerate().filter(|(other, _)| *other != number).flat_map(|(_, scopes)| scopes.iter().cloned()).collect();
            let others: Vec<String> = others.into_iter().collect();
            prepared.push(Prepared { route: route.clone(), callers: maker.of(route, &others).await?, usual: None, answers_anybody: false });
        }
        Ok(Attacker { place, sender, http2: transport.http2, falconer, operator, routes: prepared })
    }

    /// How many requests would be sent to each route, at most.
    #[must_use]
    pub fn requests(&self) -> Vec<(&Route, usize)> {
        self.routes
            .iter()
            .map(|prepared| {
                let case = self.case(prepared);
                let count = |attack: &&Attack| match attack.way {
                    AttackKind::First(tries) | AttackKind::Route(tries) | AttackKind::Once(tries) | AttackKind::Answers(tries) => {
                        tries(&case).map_or(0, |tries| tries.len())
                    }
                    AttackKind::Listing | AttackKind::Logs | AttackKind::Outside(_) => 0,
                };
                (&prepared.route, 1 + ATTACKS.iter().map(count).sum::<usize>())
            })
            .collect()
    }

    /// Attacks. Errors: nobody is there at all.
    pub async fn run(mut self, logs: &mut dyn Logs) -> Result<Report, Error> {
        self.is_there().await?;
        let (mut report, mut traces) = (Report::default(), Traces::default());
        for number in 0..self.routes.len() {
            self.usual(number, &mut report).await;
        }
        for attack in ATTACKS {
            match attack.way {
                AttackKind::First(tries) => {
                    let open = self.on_routes(attack, tries, &mut traces, &mut report).await;
                    for (number, prepared) in self.routes.iter_mut().enumerate() {
                        prepared.answers_anybody = open.contains(&number);
                    }
                }
                AttackKind::Route(tries) | AttackKind::Once(tries) => drop(self.on_routes(attack, tries, &mut traces, &mut report).await),
                AttackKind::Answers(tries) => {
                    let before = report.rows.len();
                    self.on_routes(attack, tries, &mut traces, &mut report).await;
                    repeated(attack, &traces, before, &mut report);
                }
                AttackKind::Listing => report.rows.push(self.listing(attack).await),
                AttackKind::Logs => report.rows.push(logged(attack, logs.written(), &traces.secrets)),
                AttackKind::Outside(why) => report.rows.push(Row::new(attack, None, Outcome::NotTried, 0, vec![why.to_owned()])),
            }
        }
        self.still_works(&mut report).await;
        Ok(report)
    }

    /// Asks each route the right request once more. Where that is refused by now, the attacks may have been refused for the same reason: a note was deleted, a
    /// limit was reached, or the callers were locked out. Then nothing is known of the route.
    async fn still_works(&self, report: &mut Report) {
        for prepared in self.routes.iter().filter(|prepared| prepared.usual.is_some()) {
            let Err(why) = self.ask_properly(prepared).await else { continue };
            let route = prepared.route.to_string();
            for row in report.rows.iter_mut().filter(|row| row.route.as_ref() == Some(&route) && row.outcome == Outcome::Held) {
                row.outcome = Outcome::NotTried;
                row.seen.push("the right request is refused now, too".to_owned());
            }
            report.unusable_routes.push(format!("{route}: at first it worked, and after the attacks {why}"));
        }
    }

    /// Whether the service answers at all. Errors: it does not.
    pub(super) async fn is_there(&self) -> Result<(), Error> {
        self.sender.date("/").await.map(drop).map_err(|why| Error::Service { address: self.place.address.clone(), why })
    }

    pub(super) fn case<'a>(&'a self, prepared: &'a Prepared) -> Case<'a> {
        let is_page = |route: &&Prepared| matches!(route.route.access, Access::Public) && route.route.only_reads();
        let public = self.routes.iter().find(is_page).map_or("/", |route| route.route.path());
        Case {
            place: &self.place,
            route: &prepared.route,
            callers: &prepared.callers,
            answers_anybody: prepared.answers_anybody,
            operator: self.operator.as_ref(),
            public,
            now_ms: self.falconer.now_ms(),
            http2: self.http2,
        }
    }

    /// What the caller that may gets of a route: without it, a refusal says nothing.
    async fn usual(&mut self, number: usize, report: &mut Report) {
        let Some(prepared) = self.routes.get(number) else { return };
        match self.ask_properly(prepared).await {
            Err(why) => report.unusable_routes.push(format!("{}: {why}", prepared.route)),
            Ok(answer) => {
                if let Some(prepared) = self.routes.get_mut(number) {
                    prepared.usual = Some(answer);
                }
            }
        }
    }

    /// The right request of a route. Errors: a sentence, where it was not let in.
    async fn ask_properly(&self, prepared: &Prepared) -> Result<Answer, String> {
        let case = self.case(prepared);
        let request = match case.route.access {
            Access::Public => Crafted::of(case.route),
            Access::Needs(_) => {
                let caller = case.callers.allowed.as_ref().map_err(Clone::clone)?;
                case.signed("", &case.signature(caller)).request?
            }
        };
        Err(match self.sender.send(&request).await {
            Answered::Answer(answer) if answer.is_let_in() => return Ok(answer),
            Answered::Answer(answer) => match answer.status {
                401 => format!(
                    "the caller that may was answered 401: does the service ask the same Falconer, about {}:{}?",
                    self.place.host, self.place.port
                ),
                403 => "the caller that may was answered 403: does it need another scope than the file says?".to_owned(),
                status => format!("the caller that may was answered {status}: name a request that is answered with 2xx"),
            },
            Answered::Closed(why) | Answered::Unreachable(why) => why,
            Answered::Silent => "it does not answer".to_owned(),
            Answered::Unsendable => "no URL can be written like that".to_owned(),
        })
    }

    /// Gives the routes that let in what is to be refused.
    async fn on_routes(&self, attack: &Attack, tries: fn(&Case<'_>) -> Tries, traces: &mut Traces, report: &mut Report) -> Vec<usize> {
        let (mut only_for, mut open) = (None, Vec::new());
        let before = report.rows.len();
        for (number, prepared) in self.routes.iter().enumerate() {
            let route = Some(prepared.route.to_string());
            match tries(&self.case(prepared)) {
                Err(Skip::OnlyFor(which)) => only_for = Some(which),
                Err(Skip::Untried(why)) => report.rows.push(Row::new(attack, route, Outcome::NotTried, 0, vec![why])),
                Ok(tries) => {
                    let (row, let_in) = self.on_route(attack, prepared, tries, traces).await;
                    report.rows.push(row);
                    open.extend(let_in.then_some(number));
                    if matches!(attack.way, AttackKind::Once(_)) {
                        break;
                    }
                }
            }
        }
        if let (Some(which), true) = (only_for, report.rows.len() == before) {
            report.rows.push(Row::new(attack, None, Outcome::DoesNotApply, 0, vec![format!("there are no {which}")]));
        }
        open
    }

    async fn on_route(&self, attack: &Attack, prepared: &Prepared, tries: Vec<Try>, traces: &mut Traces) -> (Row, bool) {
        let (mut findings, mut notes, mut untried) = (Vec::new(), Vec::new(), Vec::new());
        let (mut sent, mut let_in) = (0, false);
        // What there is to get may have changed by what was let in meanwhile.
        let fresh =
            if tries.iter().any(|one| one.expected == Expected::SameAnswer) { self.ask_properly(prepared).await.ok() } else { None };
        let usual = fresh.as_ref().or(prepared.usual.as_ref());
        for one in tries {
            let request = match &one.request {
                Ok(request) => request,
                Err(why) => {
                    untried.push(format!("{}: {why}", one.how));
                    continue;
                }
            };
            sent += 1;
            let answered = self.sender.send(request).await;
            let_in |= one.expected == Expected::Refuse && matches!(&answered, Answered::Answer(answer) if answer.is_let_in());
            traces.keep(&prepared.route, &one.how, request, &answered);
            match judge(one.expected, &answered, usual) {
                Verdict::Held => {}
                Verdict::Finding(what) => findings.push(format!("{}: {what}", one.how)),
                Verdict::Note(what) => notes.push(format!("{}: {what}", one.how)),
                Verdict::Untried(why) => untried.push(format!("{}: {why}", one.how)),
            }
            // Nobody waits for the rest of these; and who was not signed out may go on.
            if matches!(answered, Answered::Silent) || (one.expected == Expected::SignOut && !untried.is_empty()) {
                break;
            }
        }
        let outcome = match (findings.is_empty(), untried.is_empty(), notes.is_empty()) {
            (false, ..) => Outcome::Finding,
            (true, false, _) => Outcome::NotTried,
            (true, true, false) => Outcome::Note,
            (true, true, true) => Outcome::Held,
        };
        let seen = [findings, notes, untried].concat();
        (Row::new(attack, Some(prepared.route.to_string()), outcome, sent, seen), let_in)
    }
}
