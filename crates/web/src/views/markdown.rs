//! The words of a stranger, as Markdown: a list of what is let through, everything else is text.

use falconer_auth::is_unseen;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use url::Url;

/// Longest text that is rendered, in bytes; the rest is cut off.
pub const MAX_BYTES: usize = 2048;

/// Most bytes of a page that links take; those after them are their text alone. One definition can be used by hundreds of links.
const MAX_LINKED: usize = 16 * MAX_BYTES;

/// Quotes and lists in one another beyond this are flattened.
const MAX_DEPTH: usize = 6;

/// Renders a description as HTML that is safe to put into a page.
///
/// Let through: paragraphs, line breaks, emphasis, code, lists, quotes, rules, links to http and https (each followed by its host). Headings
/// become bold paragraphs, because the page has its own outline. Images become their alternative text, HTML becomes visible text, links
/// to anything else become their text. Characters that change the direction or hide text are dropped.
pub fn render(text: &str) -> String {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (kept, cut) = text.split_at(end);
    let mut writer = Writer { html: String::with_capacity(kept.len() * 2), open: Vec::new(), depth: 0, linked: 0 };
    for event in Parser::new_ext(kept, Options::ENABLE_STRIKETHROUGH) {
        writer.event(event);
    }
    while let Some(close) = writer.open.pop() {
        writer.html.push_str(&close);
    }
    if !cut.is_empty() {
        writer.html.push_str("<p>…</p>");
    }
    writer.html
}

struct Writer {
    html: String,
    /// What each open tag needs at its end; empty for one that was left out.
    open: Vec<String>,
    depth: usize,
    /// Bytes that links took, without their text.
    linked: usize,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => escape(&text, &mut self.html),
            Event::Code(text) => {
                self.html.push_str("<code>");
                escape(&text, &mut self.html);
                self.html.push_str("</code>");
            }
            // The seed's page kept line breaks.
            Event::SoftBreak | Event::HardBreak => self.html.push_str("<br>"),
            Event::Rule => self.html.push_str("<hr>"),
            // Extensions that are not switched on.
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph => self.push("<p>", "</p>"),
            Tag::Heading { .. } => self.push("<p><strong>", "</strong></p>"),
            Tag::BlockQuote(_) => self.push_deep("<blockquote>", "</blockquote>"),
            Tag::List(None) => self.push_deep("<ul>", "</ul>"),
            Tag::List(Some(_)) => self.push_deep("<ol>", "</ol>"),
            Tag::Item => self.push_if(self.depth <= MAX_DEPTH, "<li>", "</li>"),
            Tag::CodeBlock(CodeBlockKind::Indented | CodeBlockKind::Fenced(_)) => self.push("<pre><code>", "</code></pre>"),
            // A block of HTML holds several lines of text.
            Tag::HtmlBlock => self.push("<p>", "</p>"),
            Tag::Emphasis => self.push("<em>", "</em>"),
            Tag::Strong => self.push("<strong>", "</strong>"),
            Tag::Strikethrough => self.push("<s>", "</s>"),
            Tag::Link { dest_url, .. } => self.link(dest_url),
            Tag::Image { .. }
            | Tag::Table(_)
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => self.open.push(String::new()),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        if matches!(tag, TagEnd::BlockQuote(_) | TagEnd::List(_)) {
            self.depth = self.depth.saturating_sub(1);
        }
        if let Some(close) = self.open.pop() {
            self.html.push_str(&close);
        }
    }

    fn push(&mut self, open: &str, close: &str) {
        self.html.push_str(open);
        self.open.push(close.to_owned());
    }

    fn push_if(&mut self, wanted: bool, open: &str, close: &str) {
        if wanted { self.push(open, close) } else { self.open.push(String::new()) }
    }

    fn push_deep(&mut self, open: &str, close: &str) {
        self.depth += 1;
        self.push_if(self.depth <= MAX_DEPTH, open, close);
    }

    fn link(&mut self, destination: &str) {
        let Some((open, close)) = safe_link(destination).map(|(href, host)| tags_of_link(&href, &host)) else {
            self.open.push(String::new());
            return;
        };
        self.linked = self.linked.saturating_add(open.len()).saturating_add(close.len());
        self.push_if(self.linked <= MAX_LINKED, &open, &close);
    }
}

/// What stands before and after the text of a link.
fn tags_of_link(href: &str, host: &str) -> (String, String) {
    let mut open = String::from("<a href=\"");
    escape(href, &mut open);
    open.push_str("\" rel=\"noopener noreferrer nofollow\" referrerpolicy=\"no-referrer\" target=\"_blank\">");
    let mut close = String::from("<span class=\"hidden\">, in a new tab</span></a> <span class=\"host\">(");
    escape(host, &mut close);
    close.push_str(")</span>");
    (open, close)
}

/// The link as the browser will follow it, and the host it leads to, as ASCII.
fn safe_link(destination: &str) -> Option<(String, String)> {
    let url = Url::parse(destination).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let host = url.host_str()?;
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    Some((url.into(), host))
}

/// For text and for attributes in double quotes.
fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push('\n'),
            unseen if is_unseen(unseen) => {}
            shown => html.push(shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_descriptions() {
        assert_eq!(render("Notes keeps *your* **notes**."), "<p>Notes keeps <em>your</em> <strong>notes</strong>.</p>");
        assert_eq!(render("a\nb"), "<p>a<br>b</p>");
        assert_eq!(render("- `x`\n- y"), "<ul><li><code>x</code></li><li>y</li></ul>");
        assert_eq!(render("# Big"), "<p><strong>Big</strong></p>");
        assert_eq!(render(""), "");
    }

    #[test]
    fn links_show_their_host_and_send_no_referrer() {
        assert_eq!(
            render("[docs](https://docs.example.com/a?b=\"c\")"),
            "<p><a href=\"https://docs.example.com/a?b=%22c%22\" rel=\"noopener noreferrer nofollow\" \
             referrerpolicy=\"no-referrer\" target=\"_blank\">docs<span class=\"hidden\">, in a new tab</span></a> <span class=\"host\">(docs.example.com)</span></p>"
        );
        assert!(render("<https://bücher.example:81/>").contains("(xn--bcher-kva.example:81)"));
        // A text that pretends to be another host is followed by the real one.
        assert!(render("[https://bank.example](https://evil.example)").contains("(evil.example)"));
    }

    #[test]
    fn links_to_anything_else_are_text() {
        for destination in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#10;script:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "//evil.example",
            "/login",
            "?target=x",
            "mailto:a@b.example",
            "https://user:pass@evil.example",
            "https://bank.example@evil.example",
            "blob:https://x",
            "ftp://x.example",
            "about:blank",
            "http://",
        ] {
            let html = render(&format!("[click]({destination})"));
            assert!(!html.contains("<a"), "{destination}: {html}");
        }
        assert!(!render("[a]: javascript:alert(1)\n\n[a]").contains("<a"));
        assert!(!render("<javascript:alert(1)>").contains("<a"));
    }

    #[test]
    fn html_is_text() {
        for hostile in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<style>*{display:none}</style>",
            "</div></form><form action=https://evil.example><button>Grant</button>",
            "<!-- <b> -->",
            "<![CDATA[<b>]]>",
            "<?php ?>",
            "a <b onmouseover=x> b",
            "<iframe srcdoc=\"&lt;script>\">",
            "`<b>`",
            "```\n<b>\n```",
            "```\"><script>\nx\n```",
            "    <b>",
            "> <b>",
            "- <b>",
            "# <b>",
            "[<b>](https://x.example/<b>)",
            "[x](https://x.example \"<b> onmouseover=\")",
            "**<b>**",
            "&lt;b&gt; &#60;b&#62;",
        ] {
            let html = render(hostile);
            let tags: Vec<&str> = html.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect();
            for tag in tags {
                let allowed = [
                    "p",
                    "/p",
                    "br",
                    "code",
                    "/code",
                    "pre",
                    "/pre",
                    "ul",
                    "/ul",
                    "li",
                    "/li",
                    "blockquote",
                    "/blockquote",
                    "strong",
                    "/strong",
                    "em",
                    "/em",
                    "a",
                    "/a",
                    "span",
                    "/span",
                ];
                assert!(allowed.contains(&tag), "{hostile}: {tag} in {html}");
            }
            assert!(!html.contains("<b>") && !html.contains("<b "), "{hostile}: {html}");
        }
    }

    #[test]
    fn images_are_their_text() {
        assert_eq!(render("![tracker](https://evil.example/pixel.png)"), "<p>tracker</p>");
        let linked = render("[![x](https://evil.example/p.png)](https://a.example)");
        assert!(linked.contains(">x<span class=\"hidden\">") && !linked.contains("img"), "{linked}");
    }

    #[test]
    fn direction_and_invisible_characters_are_dropped() {
        let html = render("a\u{202e}b\u{2066}c\u{200b}d\u{0}e\u{7}f\u{feff}g");
        assert_eq!(html.replace('\u{fffd}', ""), "<p>abcdefg</p>");
        let link = render("[x](https://exa\u{202e}mple.com)");
        assert!(!link.contains('\u{202e}'), "{link}");
    }

    #[test]
    fn long_and_deep_texts_are_cut() {
        let long = render(&"é".repeat(5000));
        assert!(long.chars().filter(|c| *c == 'é').count() == 1024 && long.ends_with("<p>…</p>"));
        let deep = render(&format!("{} x", ">".repeat(2000)));
        assert_eq!(deep.matches("<blockquote>").count(), MAX_DEPTH);
        assert_eq!(deep.matches("</blockquote>").count(), MAX_DEPTH);
        let lists = render(&(0..60).map(|depth| format!("{}- x\n", "  ".repeat(depth))).collect::<String>());
        assert!(lists.matches("<ul>").count() <= MAX_DEPTH * 2, "{lists}");
        assert_eq!(lists.matches("<li>").count(), lists.matches("</li>").count());
    }

    #[test]
    fn one_definition_is_not_written_out_hundreds_of_times() {
        let often = render(&format!("{}\n\n[b]: https://x.example/{}", "[b] ".repeat(250), "a".repeat(900)));
        assert!(often.contains("<a href") && often.matches("b").count() >= 250, "{often}");
        assert!(often.len() < MAX_LINKED + 8 * MAX_BYTES, "{} bytes", often.len());
    }

    #[test]
    fn nonsense_stays_balanced() {
        // Deterministic soup of the characters that mean something.
        let alphabet =
            ["*", "_", "`", "[", "]", "(", ")", "<", ">", "!", "#", "-", "\n", " ", "a", "~~", "\"", "&", "https://x.example", "|"];
        let mut state = 1_u64;
        for _ in 0..2000 {
            let mut text = String::new();
            for _ in 0..40 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(alphabet[(state >> 33) as usize % alphabet.len()]);
            }
            let html = render(&text);
            for tag in ["p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a", "s", "span"] {
                let open = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
                assert_eq!(open, html.matches(&format!("</{tag}>")).count(), "{tag} in {html} of {text}");
            }
        }
    }
}
