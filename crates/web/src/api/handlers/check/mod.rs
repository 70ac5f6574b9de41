//! check and checks: a verdict instead of a list. `question` reads what is asked, `written` writes what is answered.

pub(crate) mod question;
mod written;

use falconer_auth::{ApiError, Auth, Decision, NewRefusal, RefusedBy, RefusedFor, Unable};
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

/// The same for what was read on the short way; `None` where the long way has to say why this node can't tell.
pub(crate) async fn quickly(auth: &Auth, metrics: &Metrics, body: &CheckBody<'_>) -> Option<Reply> {
    decided(auth, metrics, body).await.ok()
}

async fn decided(auth: &Auth, metrics: &Metrics, body: &CheckBody<'_>) -> Result<Reply, Unable> {
    let (text, refused) = match body {
        CheckBody::One(question) => one(auth, metrics, question).await?,
        CheckBody::Many(questions) => {
            let (mut answers, mut refused) = (Vec::with_capacity(questions.len()), None);
            for question in questions {
                let (answer, label) = one(auth, metrics, question).await?;
                answers.push(answer);
                // The line of the request in the log has room for one.
                refused = refused.or(label);
            }
            (written::list(&answers), refused)
        }
    };
    Ok(Reply { plain: true, reason: refused, ..Reply::json_bytes(text) })
}

/// The answer to one question, and what it is counted as where it is a refusal.
async fn one(auth: &Auth, metrics: &Metrics, question: &Question<'_>) -> Result<(Vec<u8>, Option<Label>), Unable> {
    let decision = auth.check(&question.auth()).await.inspect_err(|unable| metrics.checked(Label::of_unable(unable)))?;
    let label = Label::of_decision(&decision);
    metrics.checked(label);
    let id = noted(auth, question, &decision).unwrap_or_default();
    Ok((written::answer(question, &decision, &id), Some(label).filter(|label| *label != Label::Success)))
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
