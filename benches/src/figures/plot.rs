//! The figures as a picture: each row's figure as a multiple of what is to be reached, on a logarithmic scale.

use std::fmt::Write as _;

use crate::figures::report::{Line, Report};

const LABELS: f64 = 500.0;
const BARS: f64 = 420.0;
const FIGURES: f64 = 180.0;
const LINE: f64 = 22.0;
const TOP: f64 = 58.0;
/// The scale goes from a hundredth to a hundred times.
const DECADES: f64 = 2.0;

/// An SVG of the rows that have both a figure and a target. `caption` goes below the title.
pub fn svg(report: &Report, caption: &str) -> String {
    let lines: Vec<Line<'_>> = report.lines().into_iter().filter(|line| measured(line).is_some()).collect();
    let (width, height) = (LABELS + BARS + FIGURES, TOP + LINE * lines.len() as f64 + 20.0);
    let bottom = height - 16.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Figures as multiples of what is to be reached</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"20\" font-size=\"15\" fill=\"#111\">Measured, as a multiple of what is to be reached (left of the line is better)</text>\n\
         <text x=\"12\" y=\"38\" fill=\"#555\">{}</text>\n",
        escaped(&if lines.iter().any(|line| line.peer.is_some()) {
            format!("{caption}. Grey: the other server")
        } else {
            caption.to_owned()
        })
    );
    for (multiple, label) in [(0.01, "1/100"), (0.1, "1/10"), (1.0, "to reach"), (10.0, "10x"), (100.0, "100x")] {
        let (x, stroke) = (place(multiple), if multiple == 1.0 { "#111" } else { "#ddd" });
        let _ = writeln!(svg, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"{stroke}\"/>");
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{label}</text>", TOP - 5.0);
    }
    for (number, line) in lines.iter().enumerate() {
        let Some((figure, target)) = measured(line) else { continue };
        let (y, unit) = (TOP + LINE * number as f64, line.definition.unit);
        let fill = if figure <= target { "#2a7f62" } else { "#b3541e" };
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#111\">{}</text>",
            LABELS - 8.0,
            y + 15.0,
            escaped(line.definition.work)
        );
        let _ = writeln!(
            svg,
            "<rect x=\"{LABELS}\" y=\"{:.1}\" width=\"{:.1}\" height=\"9\" fill=\"{fill}\"/>",
            y + 4.0,
            place(ratio(figure, target)) - LABELS
        );
        if let Some(Ok(peer)) = line.peer.map(|peer| &peer.figure) {
            let end = place(ratio(*peer, target)) - LABELS;
            let _ = writeln!(svg, "<rect x=\"{LABELS}\" y=\"{:.1}\" width=\"{end:.1}\" height=\"5\" fill=\"#999\"/>", y + 14.0);
        }
        let text = format!("{} (to reach {})", unit.show(figure), unit.show(target));
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#111\">{}</text>", LABELS + BARS + 8.0, y + 15.0, escaped(&text));
    }
    svg.push_str("</svg>\n");
    svg
}

fn measured(line: &Line<'_>) -> Option<(f64, f64)> {
    Some((line.ours?.figure.clone().ok()?, line.target?))
}

/// Nothing out of nothing is what was to be reached.
fn ratio(figure: f64, target: f64) -> f64 {
    match (figure > 0.0, target > 0.0) {
        (false, _) => 0.01,
        (true, true) => figure / target,
        (true, false) => 100.0,
    }
}

fn place(multiple: f64) -> f64 {
    LABELS + BARS * (multiple.log10().clamp(-DECADES, DECADES) + DECADES) / (2.0 * DECADES)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::report::Outcome;

    #[test]
    fn bars_end_at_the_line_where_the_target_is_met_exactly() {
        let mut report = Report::default();
        report.add(true, Outcome::figure("verify-plain", 12.0).above("hyper", 5.5));
        report.add(true, Outcome::figure("revocation", 0.0));
        report.add(true, Outcome::none("memory-small", "no process"));
        report.add(false, Outcome::figure("verify-plain", 1_200.0));
        let svg = svg(&report, "a < b");
        assert!(
            svg.contains(&format!("width=\"{:.1}\" height=\"9\"", BARS / 2.0))
                && svg.contains(&format!("width=\"{BARS:.1}\" height=\"5\"")),
            "{svg}"
        );
        assert!(svg.contains("a &lt; b") && svg.matches("height=\"9\"").count() == 2 && svg.ends_with("</svg>\n"), "{svg}");
    }
}
