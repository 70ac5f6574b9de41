//! Every page in each of its states, rendered by tests; `FALCONER_SAMPLES` names a folder to write them to, for looking at them.

mod applications;
mod console;
mod granting;
mod grants;
mod inspection;
mod me;
mod passkeys;
mod people;
mod sign_in;

use askama::Template;
use http::StatusCode;

use self::applications::{application, application_form};
use self::console::{form, plan, record, records};
use self::granting::{grant, tool_client};
use self::me::me;
use super::*;
use crate::http::problem::Problem;

fn anonymous() -> Layout {
    Layout::anonymous(&PublicOrigin::parse("https://auth.example.com").unwrap())
}

fn signed_in() -> Layout {
    Layout { account: Some("Ann Example".to_owned()), ..anonymous() }
}

fn ann() -> PersonLine {
    PersonLine { name: "Ann Example".to_owned(), identity: "mozilla-ldap/ann@example.com".to_owned() }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Name and HTML of every sample.
fn samples() -> Vec<(&'static str, String)> {
    let rooms = [
        sign_in::samples(),
        passkeys::samples(),
        granting::samples(),
        grants::samples(),
        me::samples(),
        console::samples(),
        applications::samples(),
        inspection::samples(),
        people::samples(),
        errors(),
    ];
    rooms.into_iter().flatten().collect()
}

fn page(page: &dyn askama::DynTemplate) -> String {
    page.dyn_render().unwrap()
}

fn errors() -> Vec<(&'static str, String)> {
    let error = |problem: Problem| ErrorPage { layout: anonymous(), problem, id: "7kq2-x9mf".to_owned() };
    vec![
        ("error-not-found", page(&error(Problem::not_found()))),
        ("error-internal", page(&error(Problem::internal()))),
        (
            "error-request",
            page(&error(Problem::new(
                StatusCode::BAD_REQUEST,
                "This request can't be granted",
                "The site that sent you here made a mistake: `target` must be https. Nothing was given to it.",
            ))),
        ),
    ]
}

#[test]
fn every_page_holds_what_every_page_must() {
    let samples = samples();
    assert!(samples.len() >= 20);
    for (name, html) in &samples {
        assert_eq!(html.matches("<h1").count(), 1, "{name}: one title");
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}: language");
        assert!(html.contains("<main id=\"main\"") && html.contains("href=\"#main\""), "{name}: landmark and skip link");
        // One script of ours, word for word; nothing else may run.
        let script = format!("<script>{}</script>", crate::pages::assets::VISIBLE);
        let html = &html.replace(&script, "");
        // And one in a file of ours, where passkeys are asked for.
        let html = &html.replace(&format!("<script src=\"{}\" defer></script>", crate::pages::assets::passkey()), "");
        for foreign in ["<script", " style=", "javascript:", "<img", "<style", " onclick", "src=\"http", "@import"] {
            assert!(!html.contains(foreign), "{name}: {foreign}");
        }
        // Whatever a page loads comes from here.
        for (at, _) in html.match_indices("<link") {
            assert!(html[at..].split('>').next().unwrap().contains("href=\"/assets/"), "{name}");
        }
    }
}

#[test]
fn every_control_has_a_name_for_screen_readers() {
    for (name, html) in samples() {
        for piece in html.split("<input").skip(1).chain(html.split("<select").skip(1)).chain(html.split("<textarea").skip(1)) {
            let tag = piece.split('>').next().unwrap();
            if tag.contains("type=\"hidden\"") || tag.contains("aria-hidden") {
                continue;
            }
            let labelled =
                tag.split("id=\"").nth(1).and_then(|rest| rest.split('"').next()).is_some_and(|id| html.contains(&format!("for=\"{id}\"")));
            let before = &html[..html.find(piece).unwrap()];
            let inside = before.rfind("<label") > before.rfind("</label>");
            assert!(labelled || inside, "{name}: {tag}");
        }
        let mut ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: an id stands twice");
    }
}

#[test]
fn every_form_that_posts_with_a_session_carries_its_token() {
    for (name, html) in samples() {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let posts = form.contains("method=\"post\"");
            let before_session = [
                "/login",
                "/login/company",
                "/login/mail/address",
                "/login/mail/code",
                "/login/forgotten",
                "/login/passkey",
                "/login/recovery",
                "/setup",
                "/password-link",
            ]
            .iter()
            .any(|path| form.contains(&format!("action=\"{path}\"")));
            // What is done for a session with a form of before one carries both.
            let within = !before_session || form.contains("name=\"for\"");
            assert_eq!(posts && within, form.contains("name=\"csrf\" value=\"cc"), "{name}: {form}");
            assert_eq!(before_session, form.contains("name=\"form\" value=\"ff"), "{name}: {form}");
        }
    }
}

#[test]
fn what_strangers_say_is_escaped() {
    let hostile = "\"><script>alert(1)</script>";
    let mut page = grant();
    page.site.before = hostile.to_owned();
    page.site.unicode = Some(hostile.to_owned());
    page.request = hostile.to_owned();
    page.delivers_to = hostile.to_owned();
    page.groups[0].lines[0].scope = hostile.to_owned();
    page.groups[0].lines[0].key = hostile.to_owned();
    page.groups[0].lines[0].label[0].text = hostile.to_owned();
    page.groups[0].lines[0].taken_away = strings(&[hostile]);
    page.confirm = Some(Confirm { host: hostile.to_owned(), typed: hostile.to_owned(), wrong: Some("That is not the name of this site.") });
    page.person.name = hostile.to_owned();
    assert_eq!(page.render().unwrap().matches("<script").count(), 1, "but for ours");
    let mut page = me();
    page.query = hostile.to_owned();
    page.grants[0].site = hostile.to_owned();
    page.sessions[0].browser = hostile.to_owned();
    page.origins[0].origin = hostile.to_owned();
    page.groups = strings(&[hostile]);
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = tool_client();
    page.name = hostile.to_owned();
    page.description = format!("</textarea>{hostile}");
    page.request = hostile.to_owned();
    page.callback = Some(hostile.to_owned());
    page.here = hostile.to_owned();
    page.error = Some(format!("`{hostile}`"));
    assert_eq!(page.render().unwrap().matches("<script").count(), 1, "but for ours");
    let mut page = records();
    page.query = hostile.to_owned();
    page.scope = hostile.to_owned();
    page.rows[0].id = hostile.to_owned();
    page.rows[0].description = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = form(Kind::Client);
    page.draft.id = hostile.to_owned();
    page.draft.description = format!("</textarea>{hostile}");
    page.draft.scopes = format!("</textarea>{hostile}");
    page.draft.expires = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = plan();
    page.draft.scopes = hostile.to_owned();
    page.parts[0].added = strings(&[hostile]);
    page.affected[0].first[0].title = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = people::person();
    page.display_name = hostile.to_owned();
    page.identities[0].facts[0].1 = hostile.to_owned();
    page.identities[0].groups = strings(&[hostile]);
    page.sessions[0].0 = hostile.to_owned();
    page.grants[0].site = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = people::map();
    page.claims = format!("</textarea>{hostile}");
    page.error = Some(format!("`{hostile}`"));
    if let Some(found) = &mut page.found {
        found.refused[0].value = hostile.to_owned();
        found.groups = strings(&[hostile]);
    }
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = people::person_form();
    page.groups = format!("</textarea>{hostile}");
    page.display_name = hostile.to_owned();
    assert!(!page.render().unwrap().contains("<script"));
    let mut page = application_form();
    page.draft.name = hostile.to_owned();
    page.draft.redirect_uris = format!("</textarea>{hostile}");
    page.draft.scopes = format!("</textarea>{hostile}");
    page.error = Some(format!("`{hostile}`"));
    assert!(!page.render().unwrap().contains("<script"));
    let page =
        ApplicationPage { name: hostile.to_owned(), description: hostile.to_owned(), redirect_uris: strings(&[hostile]), ..application() };
    assert!(!page.render().unwrap().contains("<script"));
    let page = RecordPage { id: hostile.to_owned(), description: hostile.to_owned(), scopes: strings(&[hostile]), ..record() };
    assert!(!page.render().unwrap().contains("<script"));
}

/// Story: a field of the type `url` was in no rule of the sheet, and stood as a narrow box among the others.
#[test]
fn each_kind_of_field_has_its_look() {
    for (name, html) in samples() {
        for field in html.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let kind = field.split("type=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{name}: {field}"));
            let rule = format!("input[type=\"{kind}\"]");
            assert!(kind == "hidden" || assets::STYLE.contains(&rule), "{name}: {kind}");
        }
    }
}

/// What a field is described by is on its page, once.
#[test]
fn what_describes_a_field_is_there() {
    for (name, html) in samples() {
        for ids in html.split("aria-describedby=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            for id in ids.split(' ') {
                assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{name}: {id}");
            }
        }
    }
}

/// Story: one had none, and a description that began with an empty line lost it each time that its page was shown once more.
#[test]
fn a_text_begins_on_a_line_of_its_own() {
    for (name, html) in samples() {
        for area in html.split("<textarea").skip(1) {
            assert!(area.split_once('>').unwrap().1.starts_with('\n'), "{name}: {area}");
        }
    }
}

#[test]
fn samples_can_be_looked_at() {
    let Ok(folder) = std::env::var("FALCONER_SAMPLES") else { return };
    let folder = std::path::Path::new(&folder);
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for (name, html) in samples() {
        std::fs::write(folder.join(format!("{name}.html")), html.replace("\"/assets/", "\"assets/")).unwrap();
    }
    std::fs::write(folder.join(assets::style().trim_start_matches('/')), assets::STYLE).unwrap();
    std::fs::write(folder.join(assets::icon().trim_start_matches('/')), assets::ICON).unwrap();
}
