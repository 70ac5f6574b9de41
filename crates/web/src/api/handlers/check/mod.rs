//! check and checks: a verdict instead of a list. `question` reads what is asked, `written` writes what is answered.

pub(crate) mod question;
mod written;

use falconer_auth::{ApiError, Auth, Decision, Examined, NewRefusal, RefusedBy, RefusedFor, Unable};
use falconer_wire::Call;

use self::question::{CheckBody, Question};
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request};
use crate::metrics::{Label, Metrics};

/// Answers what was read the long way.
pub(crate) async fn answer(call: Call, request: &mut Request<'_>) -> Answer {
    question::with_whole_ports(&mut request.body.json);
    let json = request.body.json.to_string();
    let body = CheckBody::of_json(call, &json)?;
    decided(request.auth, request.metrics, &body).await.map_err(|unable| ApiError::from(unable).into())
}

/// The same for what was read already. Errors: this node can't tell, and nothing has come of any question.
pub(crate) async fn decided(auth: &Auth, metrics: &Metrics, body: &CheckBody<'_>) -> Result<Reply, Unable> {
    let (text, refused) = match body {
        CheckBody::One(question) => concluded(auth, metrics, question, examined(auth, metrics, question).await?),
        CheckBody::Many(questions) => {
            // Each of them before a proof counts: where one can't be answered, the service asks all of them once more.
            let mut all = Vec::with_capacity(questions.len());
            for question in questions {
                all.push(examined(auth, metrics, question).await?);
            }
            let (mut answers, mut refused) = (Vec::with_capacity(questions.len()), None);
            for (question, examined) in questions.iter().zip(all) {
                let (answer, label) = concluded(auth, metrics, question, examined);
                answers.push(answer);
                // The line of the request in the log has room for one.
                refused = refused.or(label);
            }
            (written::list(&answers), refused)
        }
    };
    Ok(Reply { plain: true, reason: refused, ..Reply::json_bytes(text) })
}

async fn examined(auth: &Auth, metrics: &Metrics, question: &Question<'_>) -> Result<Examined, Unable> {
    auth.examine(&question.auth()).await.inspect_err(|unable| metrics.checked(Label::of_unable(unable)))
}

/// The answer to one question, and what it is counted as where it is a refusal.
fn concluded(auth: &Auth, metrics: &Metrics, question: &Question<'_>, examined: Examined) -> (Vec<u8>, Option<Label>) {
    let decision = auth.conclude(examined);
    let label = Label::of_decision(&decision);
    metrics.checked(label);
    let id = noted(auth, question, &decision).unwrap_or_default();
    (written::answer(question, &decision, &id), Some(label).filter(|label| *label != Label::Success))
}

/// Keeps a refusal for whoever asks why; its id.
fn noted(auth: &Auth, question: &Question<'_>, decision: &Decision) -> Option<String> {
    let why = match decision {
        Decision::Allowed(_) => return None,
        Decision::Denied { holder, missing } => RefusedFor::Scopes {
            client_id: holder.client_id.clone(),
            missing: Some(missing.clone()),
            required: Some(question.required.clone()),
        },
        Decision::Failed(reason) => RefusedFor::Credentials(reason.clone()),
    };
    let question = question.auth();
    Some(auth.note_refusal(NewRefusal { by: RefusedBy::Check, parts: Some(question.parts), why, payload_hash: question.payload_hash }))
}
