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
    let body = CheckBody::of_json(call, &request.body.json)?;
    decided(request.auth, request.metrics, &body).await.map_err(|unable| ApiError::from(unable).into())
}

/// The same for what was read on the short way; `None` where the long way has to say why this node can't tell.
pub(crate) async fn quickly(auth: &Auth, metrics: &Metrics, body: &CheckBody<'_>) -> Option<Reply> {
    decided(auth, metrics, body).await.ok()
}

async fn decided(auth: &Auth, metrics: &Metrics, body: &CheckBody<'_>) -> Result<Reply, Unable> {
    let mut answers = Vec::with_capacity(1);
    let mut refused = None;
    for question in body.questions() {
        let decision = auth.check(&question.auth()).await.inspect_err(|unable| metrics.checked(Label::of_unable(unable)))?;
        let label = Label::of_decision(&decision);
        metrics.checked(label);
        // The line of the request in the log has room for one.
        refused = refused.or(Some(label).filter(|label| *label != Label::Success));
        let id = noted(auth, question, &decision).unwrap_or_default();
        answers.push(written::answer(question, &decision, &id));
    }
    let text = match body {
        CheckBody::One(_) => answers.pop().unwrap_or_default(),
        CheckBody::Many(_) => written::list(&answers),
    };
    Ok(Reply { plain: true, reason: refused, ..Reply::json_bytes(text) })
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
