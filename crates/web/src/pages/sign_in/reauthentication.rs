//! Signing in again, within a session, with whatever the person has; and the form that was under way meanwhile.
//!
//! A form that was sent too late is not lost: its fields lie in the page that asks, go round with it, and stand in a page with one button when that is done. So
//! nothing of them is in a URL, in a cookie or on this server. A provider is opened in another tab, so that this page stays (ADR 191).

use axum::response::Response;
use falconer_grants::{GRANT_REQUEST_PAGE, encode_component};
use falconer_login::{LoginError, Means, PasskeyError, Reauthentication, Session};
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::granting::request_at;
use crate::pages::refusal::ForNow;
use crate::pages::sign_in::other_ways::{assertion, passkey_form};
use crate::pages::sign_in::{login, passkeys};
use crate::pages::visit::{KEPT, Posted, Visit, go, go_after_form, own_path, signed_out};
use crate::views::{ContinuePage, PasskeyForm, ProviderButton, ReauthenticationPage, html};

/// The name of a form here, where it is sent to, and what its button says after that.
macro_rules! kept_forms {
    ($($form:ident, $path:literal, $button:literal;)*) => {
        /// The forms that go on after it. None holds a password. Whoever keeps a form names one of these: that of another path would be lost.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum KeptForm {
            $($form,)*
        }

        impl KeptForm {
            const ALL: &[KeptForm] = &[$(KeptForm::$form,)*];

            /// Where it is sent to.
            pub(crate) const fn path(self) -> &'static str {
                match self {
                    $(KeptForm::$form => $path,)*
                }
            }

            const fn button(self) -> &'static str {
                match self {
                    $(KeptForm::$form => $button,)*
                }
            }
        }
    };
}

kept_forms! {
    ApplicationConfirm, "/auth/applications/confirm", "Go on";
    ApplicationEdit, "/auth/applications/edit", "Save";
    InitialToken, "/auth/applications/tokens", "Make a token";
    ClientConfirm, "/auth/clients/confirm", "Go on";
    ToolClient, "/auth/clients/create", "Create client";
    ClientEdit, "/auth/clients/edit", "Save";
    PersonAdd, "/auth/people/add", "Invite";
    PersonConfirm, "/auth/people/confirm", "Go on";
    PersonEdit, "/auth/people/edit", "Save";
    RoleEdit, "/auth/roles/edit", "Save";
    ScopeRegistryConfirm, "/auth/scope-registries/confirm", "Delete sentences";
    DeviceGrant, "/device/decision", "Grant";
    SiteGrant, "/grant", "Grant";
    ApplicationGrant, "/login/oauth/authorize/decision", "Grant";
    GrantRequest, "/me/grants/request", "Grant";
    Name, "/me/name", "Use it for names";
    Passkey, "/me/passkeys", "Add the passkey";
    PasskeyRemove, "/me/passkeys/remove", "Remove the passkey";
    PasskeyRename, "/me/passkeys/rename", "Rename the passkey";
    RecoveryCodes, "/me/recovery-codes", "Make ten recovery codes";
    Unlink, "/me/unlink", "Unlink";
}

/// A form that was sent too late.
struct Kept {
    form: KeptForm,
    fields: Vec<(String, String)>,
}

impl Kept {
    /// What goes round with a form of the page that asks.
    fn read(form: &Posted) -> Option<Kept> {
        let kept = KeptForm::ALL.iter().find(|known| known.path() == form.field("kept"))?;
        let fields = form.fields().filter_map(|(name, value)| Some((name.strip_prefix(KEPT)?.to_owned(), value.to_owned())));
        Some(Kept { form: *kept, fields: fields.collect() })
    }

    fn hidden(&self) -> Vec<(String, String)> {
        let path = ("kept".to_owned(), self.form.path().to_owned());
        std::iter::once(path).chain(self.fields.iter().map(|(name, value)| (format!("{KEPT}{name}"), value.clone()))).collect()
    }

    /// The request of a grant that it is about.
    fn request(&self) -> &str {
        self.fields.iter().find(|(name, _)| name == "request").map_or("", |(_, query)| query)
    }

    /// The page that it is from: that of a request is the same once more.
    fn page(&self) -> String {
        let request = self.request();
        match self.form {
            KeptForm::SiteGrant => format!("/?{request}"),
            KeptForm::ApplicationGrant => format!("/login/oauth/authorize?{request}"),
            KeptForm::DeviceGrant => format!("/device?{request}"),
            KeptForm::GrantRequest => format!("{GRANT_REQUEST_PAGE}?{request}"),
            form => cancel(form.path()).to_owned(),
        }
    }

    /// Where the form may lead.
    fn row(&self, visit: &Visit) -> Row {
        match (self.form, request_at(visit, self.form.path(), self.request())) {
            (KeptForm::ToolClient, _) => Row::Tool,
            (_, Some(request)) => Row::Grant { loopback: request.target.scheme() == "http" },
            (_, None) => Row::Page,
        }
    }
}

/// The page to sign in again at, and back to one of ours.
pub(crate) fn first(next: &str) -> Response {
    go(&format!("/me/again?next={}", encode_component(next)))
}

/// The same, also where the last sign-in is fresh.
pub(crate) fn anew(next: &str) -> Response {
    go(&format!("/me/again?anew=yes&next={}", encode_component(next)))
}

/// The answer to a form that needs a sign-in that is fresh: it goes on after that.
pub(crate) async fn keep(form: &Posted, session: &Session, kept: KeptForm) -> Result<Response, Problem> {
    let fields = form.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    page(&form.visit, session, StatusCode::FORBIDDEN, "/".to_owned(), Some(Kept { form: kept, fields }), None).await
}

/// `GET /me/again?next=`: at once back where the last sign-in is fresh, but with `anew`.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let next = own_path(&visit.parameter("next").unwrap_or_default()).to_owned();
    let Some(session) = &visit.session else { return Ok(go(&format!("/login?next={}", encode_component(&next)))) };
    if visit.parameter("done").is_some() {
        return Ok(html(StatusCode::OK, Row::Page, &crate::views::ReauthenticationDonePage { layout: visit.layout() }));
    }
    if visit.web.login.is_fresh(session) && visit.parameter("anew").is_none() {
        return Ok(go(&next));
    }
    page(&visit, session, StatusCode::OK, next, None, None).await
}

/// `POST /me/again`: with the password or a passkey, or after another tab has done it; the browser goes on with a new session.
pub(crate) async fn sign_in(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    let next = own_path(form.field("next")).to_owned();
    let kept = Kept::read(&form);
    if visit.session.is_none() {
        return Err(signed_out(&kept.map_or(next, |kept| kept.page())));
    }
    let session = form.session()?;
    if form.ticked("continue") {
        if visit.web.login.is_fresh(session) {
            return Ok(match kept {
                Some(kept) => go_on(visit, session, kept).await,
                None => go_after_form(visit.layout(), &next),
            });
        }
        let error = "You have not signed in again yet.".to_owned();
        return page(visit, session, StatusCode::FORBIDDEN, next, kept, Some(error)).await;
    }
    let proof = match form.field("password") {
        "" => Reauthentication::Passkey(assertion(&form)),
        password => Reauthentication::Password(password),
    };
    let (status, error) = match visit.web.login.sign_in_again(session, proof, &visit.visitor()).await {
        Ok(signed_in) => {
            let answer = match kept {
                Some(kept) => go_on(visit, session, kept).await,
                None => go_after_form(visit.layout(), &next),
            };
            return login::begin_with(visit, &signed_in, answer).await;
        }
        Err(PasskeyError::Login(LoginError::WrongPassword)) => (StatusCode::FORBIDDEN, "The password is wrong.".to_owned()),
        Err(PasskeyError::Login(LoginError::OutcomeUnknown(detail))) => {
            tracing::warn!(detail, "outcome unknown");
            (StatusCode::SERVICE_UNAVAILABLE, "It is not known whether you were signed in again. Try once more.".to_owned())
        }
        Err(PasskeyError::Login(error)) => match ForNow::of(error) {
            Ok(for_now) => return Ok(for_now.on(page(visit, session, for_now.status, next, kept, Some(for_now.text.clone())).await?)),
            Err(error) => passkeys::refusal(error.into())?,
        },
        Err(error) => passkeys::refusal(error)?,
    };
    page(visit, session, status, next, kept, Some(error)).await
}

/// The form once more, with nothing but its button.
async fn go_on(visit: &Visit, session: &Session, kept: Kept) -> Response {
    // Where it is not to be had any more, the form says so.
    let _ = visit.web.grants.read_document(session, kept.request()).await;
    let row = kept.row(visit);
    let (path, button) = (kept.form.path(), kept.form.button());
    html(StatusCode::OK, row, &ContinuePage { layout: visit.layout(), path, button, fields: kept.fields, cancel: cancel(path) })
}

/// Where somebody goes who does not sign in again: to what they came from, if that can be looked at without.
fn cancel(wanted: &str) -> &'static str {
    const PLACES: [(&str, &str); 9] = [
        ("/auth/applications", "/auth/applications"),
        ("/auth/clients", "/auth/clients"),
        ("/auth/people", "/auth/people"),
        ("/auth/roles", "/auth/roles"),
        ("/auth/scope-registries", "/auth/scope-registries"),
        ("/login/oauth/", "/"),
        ("/login/", "/auth/identities"),
        ("/me/link", "/auth/identities"),
        ("/me/unlink", "/auth/identities"),
    ];
    PLACES.into_iter().find(|(prefix, _)| wanted.starts_with(prefix)).map_or("/", |(_, place)| place)
}

async fn page(
    visit: &Visit,
    session: &Session,
    status: StatusCode,
    next: String,
    kept: Option<Kept>,
    error: Option<String>,
) -> Result<Response, Problem> {
    let login = &visit.web.login;
    let means = match login.means(session).await {
        // Whoever reads that the database is away can try again here with whatever they have.
        Err(LoginError::Unavailable(_)) if error.is_some() => Means::Local { password: true, passkey: true },
        means => means?,
    };
    let (password, passkey, provider) = match means {
        Means::Local { password, passkey } => (password, passkey, None),
        Means::Provider(provider) => (false, false, Some(provider)),
        Means::Nothing => (false, false, None),
    };
    let hidden = kept.as_ref().map(Kept::hidden).unwrap_or_default();
    let offer = if passkey { login.offer_passkey_again(session) } else { None };
    let offer = passkey_form(offer, &session.csrf, &next, false);
    let back = if kept.is_some() { "/me/again?done=1" } else { next.as_str() };
    let page = ReauthenticationPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        identity: session.identity.clone(),
        password,
        passkey: offer.map(|form| PasskeyForm {
            action: "/me/again",
            button: "Continue with a passkey",
            token_name: "csrf",
            kept: hidden.clone(),
            ..form
        }),
        provider: provider.map(|provider| ProviderButton {
            label: provider.label.clone(),
            href: format!("/login/{}?for=again&next={}", provider.name, encode_component(back)),
        }),
        cancel: cancel(kept.as_ref().map_or(next.as_str(), |kept| kept.form.path())),
        kept: hidden,
        next,
        error,
    };
    Ok(html(status, Row::Script, &page))
}
