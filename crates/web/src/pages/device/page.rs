//! `/device`: a person types the code of a device, looks at what it asks for, and answers.

use axum::response::Response;
use falconer_grants::{DEVICE_DONE, Delivery, DeviceError, GrantRequest, SentCode, encode_component};
use falconer_login::{LoginError, Session};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::granting::grant;
use crate::pages::visit::{Posted, Visit, go, person_line};
use crate::views::{DeviceDonePage, DevicePage, html, words};

/// Longer texts are not shown again.
const LONGEST_CODE: usize = 40;

/// `GET /device?user_code=`: nothing is looked up, so that a link shows no more than a page to type a code on.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let code = visit.parameter("user_code").unwrap_or_default();
    match &visit.session {
        None => Ok(sign_in_first(&code)),
        Some(session) => Ok(page(&visit, session, StatusCode::OK, &code, None)),
    }
}

/// `POST /device`: the grant page of the device that shows this code.
pub(crate) async fn enter(form: Posted) -> Result<Response, Problem> {
    let code = form.field("user_code");
    if form.visit.session.is_none() {
        return Ok(sign_in_first(code));
    }
    let session = form.session()?;
    match form.visit.web.grants.device_request(session, form.visit.address, &SentCode::typed(code)).await {
        Ok(request) if is_answered(&request) => refused(&form.visit, session, code, DeviceError::Unknown),
        Ok(request) => grant::show(&form.visit, session, &request).await,
        Err(error) => refused(&form.visit, session, code, error),
    }
}

/// `POST /device/decision`: what was pressed there. The code comes from the form, and is looked up once more.
pub(crate) async fn decide(form: Posted) -> Result<Response, Problem> {
    let sent = SentCode::on_page(form.field("request"));
    let code = sent.as_str();
    if form.visit.session.is_none() {
        // The session ended while the page was open.
        return Ok(sign_in_first(code));
    }
    let session = form.session()?;
    let (grants, address) = (&form.visit.web.grants, form.visit.address);
    if form.ticked("cancel") {
        return match grants.refuse_device(session, address, &sent).await {
            Ok(()) => Ok(html(StatusCode::OK, Row::Page, &DeviceDonePage { layout: form.visit.layout(), granted: false })),
            Err(error) => refused(&form.visit, session, code, error),
        };
    }
    match grants.device_request(session, address, &sent).await {
        Ok(request) => grant::press(&form, &request).await,
        Err(error) => refused(&form.visit, session, code, error),
    }
}

/// `GET /device/done`
pub(crate) async fn done(visit: Visit) -> Result<Response, Problem> {
    match &visit.session {
        None => Ok(go(&format!("/login?next={}", encode_component(DEVICE_DONE)))),
        Some(_) => Ok(html(StatusCode::OK, Row::Page, &DeviceDonePage { layout: visit.layout(), granted: true })),
    }
}

fn is_answered(request: &GrantRequest) -> bool {
    matches!(&request.delivery, Delivery::Device(device) if device.answered)
}

fn sign_in_first(code: &str) -> Response {
    let next = if code.is_empty() || code.len() > LONGEST_CODE {
        "/device".to_owned()
    } else {
        format!("/device?user_code={}", encode_component(code))
    };
    go(&format!("/login?next={}", encode_component(&next)))
}

fn refused(visit: &Visit, session: &Session, code: &str, error: DeviceError) -> Result<Response, Problem> {
    match error {
        DeviceError::Unknown => Ok(page(visit, session, StatusCode::UNPROCESSABLE_ENTITY, code, Some(error.to_string()))),
        DeviceError::Login(LoginError::Throttled { retry_after_seconds }) => {
            let text = format!("Too many codes were tried. Wait {}, then try once more.", words::wait(retry_after_seconds));
            let mut response = page(visit, session, StatusCode::TOO_MANY_REQUESTS, code, Some(text));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            Ok(response)
        }
        DeviceError::Login(error) => Err(error.into()),
    }
}

fn page(visit: &Visit, session: &Session, status: StatusCode, code: &str, error: Option<String>) -> Response {
    let page = DevicePage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        code: if code.len() > LONGEST_CODE { String::new() } else { code.to_owned() },
        person: person_line(session),
        error,
    };
    html(status, Row::Page, &page)
}
