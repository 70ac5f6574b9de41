//! What the documentation prints is held against what is there: settings, commands, code, links.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::falconer;
use crate::support::patience::output_of;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(name)) => open = Some((name == language, String::new())),
            (Some(_), Some(_)) => found.extend(open.take().filter(|(wanted, _)| *wanted).map(|(_, block)| block)),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Every setting that the binary knows from the environment, as its own error message lists them.
fn settings() -> BTreeSet<String> {
    let output = output_of(falconer().args(["config", "check"]).env("FALCONER_NO_SUCH_SETTING", "x"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let list = said.trim().split_once("known are ").unwrap_or_else(|| panic!("{said}")).1;
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_examples_of_the_configuration_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("falconer.toml");
    std::fs::write(folder.path().join("deploy-robot.token"), "a-token-of-more-than-22-characters\n").unwrap();
    let mut tried = 0;
    for page in ["docs/configuration.md", "docs/getting-started.md", "docs/grants.md", "docs/oauth.md"] {
        for example in blocks(&read(page), "toml") {
            // Files that the examples name are looked for here.
            std::fs::write(&file, example.replace("/etc/falconer/", &format!("{}/", folder.path().display()))).unwrap();
            let output = output_of(falconer().args(["config", "check", "--config"]).arg(&file));
            assert!(output.status.success(), "{page}: {}\n{example}", String::from_utf8_lossy(&output.stderr));
            tried += 1;
        }
    }
    assert!(tried >= 3, "{tried} examples");
}

#[test]
fn the_table_of_settings_is_complete_and_names_no_others() {
    let page = read("docs/configuration.md");
    let table = page.split_once("## Settings").unwrap().1.split_once("### ").unwrap().0;
    let mut documented = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let name = row.split('`').nth(1).unwrap();
        if name.starts_with("[[") {
            continue;
        }
        let variable = format!("`FALCONER_{}`", name.to_uppercase().replace('.', "__"));
        assert!(row.contains(&variable), "{name} has no {variable}");
        documented.insert(name.to_owned());
    }
    assert_eq!(documented, settings());
}

#[test]
fn the_variables_of_the_page_about_services_are_settings() {
    let known: BTreeSet<String> = settings().iter().map(|name| name.to_uppercase().replace('.', "__")).collect();
    // What a build reads, and what Kubernetes sets.
    let beside = ["COMMIT", "PORT"];
    let page = read("docs/service.md");
    let mut tried = 0;
    for after in page.split("FALCONER_").skip(1) {
        let end = after.find(|letter: char| !letter.is_ascii_uppercase() && letter != '_').unwrap_or(after.len());
        let name = after[..end].strip_suffix("_FILE").filter(|name| *name != "KEY").unwrap_or(&after[..end]);
        assert!(known.contains(name) || beside.contains(&name), "docs/service.md: there is no FALCONER_{name}");
        tried += 1;
    }
    assert!(tried > 8, "{tried} variables");
}

/// The subcommands that a help text lists.
fn subcommands(path: &[&str]) -> Vec<String> {
    let output = output_of(falconer().args(path).arg("--help"));
    assert!(output.status.success(), "falconer {} --help", path.join(" "));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let Some((_, rest)) = text.split_once("Commands:\n") else { return Vec::new() };
    rest.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The words of each command that has commands below it, at any depth, and of every command.
fn groups_and_commands() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut groups, mut commands) = (BTreeSet::new(), BTreeSet::new());
    let mut open = subcommands(&[]);
    while let Some(command) = open.pop() {
        let below = subcommands(&command.split(' ').collect::<Vec<_>>());
        if !below.is_empty() {
            groups.insert(command.clone());
        }
        open.extend(below.iter().map(|below| format!("{command} {below}")));
        commands.insert(command);
    }
    (groups, commands)
}

#[test]
fn the_page_of_commands_names_all_of_them_and_no_others() {
    let page = read("docs/command-line.md");
    let mut documented = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| `falconer ")) {
        let cells: Vec<&str> = row.split('`').collect();
        let (command, example) = (cells[1].strip_prefix("falconer ").unwrap(), cells[3]);
        assert!(example.contains(&format!("falconer {command}")), "the example of {command} is {example}");
        documented.insert(command.to_owned());
    }
    let (groups, commands) = groups_and_commands();
    assert_eq!(documented, commands.difference(&groups).cloned().collect());
}

#[test]
fn every_option_that_the_pages_print_exists() {
    let (groups, _) = groups_and_commands();
    let mut tried = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for line in text.lines().filter(|line| line.contains("falconer ")) {
            for after in line.split("falconer ").skip(1) {
                let end = after.find(['`', ')', '|', ';', '#', '\'']).unwrap_or(after.len());
                let words: Vec<&str> = after[..end].split_whitespace().collect();
                let path: Vec<&str> = words
                    .iter()
                    .copied()
                    .take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !word.starts_with('-'))
                    .collect();
                if path.is_empty() {
                    continue;
                }
                // What follows a command that has none below it are its arguments.
                let depth = (1..path.len()).find(|depth| !groups.contains(&path[..*depth].join(" "))).unwrap_or(path.len());
                let path = &path[..depth];
                let options: Vec<&str> = words.iter().copied().filter(|word| word.starts_with("--")).collect();
                if options.is_empty() {
                    continue;
                }
                let help = output_of(falconer().args(path).arg("--help"));
                assert!(help.status.success(), "{}: falconer {}", page.display(), path.join(" "));
                let help = String::from_utf8_lossy(&help.stdout).into_owned();
                for option in options {
                    let option = option.trim_end_matches([',', '.', '"']);
                    assert!(help.contains(option), "{}: falconer {} has no {option}", page.display(), path.join(" "));
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 20, "{tried} options");
}

#[test]
fn the_code_on_the_backend_page_is_the_code_that_is_built() {
    let page = read("docs/backend.md");
    assert_eq!(blocks(&page, "rust"), [read("crates/middleware/examples/books.rs")]);
    let python = blocks(&page, "python");
    assert_eq!(python.len(), 1);
    assert!(read("docs/examples/books.py").contains(&python[0]), "the Python on the page is not in docs/examples/books.py");
    assert!(page.contains("(examples/books.mjs)"), "the same for Node");
}

#[test]
fn the_code_on_the_page_of_events_is_the_code_of_the_example() {
    let python = blocks(&read("docs/events.md"), "python");
    assert_eq!(python.len(), 1);
    assert!(read("docs/examples/events.py").contains(&python[0]), "the Python on the page is not in docs/examples/events.py");
}

#[test]
fn the_json_on_the_pages_is_json() {
    let mut read = 0;
    for page in pages() {
        for block in blocks(&std::fs::read_to_string(&page).unwrap(), "json") {
            let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
            // One document, one in each line, or a member without the braces around it.
            let fine = is_json(&block) || block.lines().all(is_json) || is_json(&format!("{{{block}}}"));
            assert!(fine, "{}: this is not JSON:\n{block}", page.display());
            read += 1;
        }
    }
    assert!(read >= 10, "{read} blocks");
}

/// Story: a page showed "This window can be closed" in its small window, as advised: no page had the code.
#[test]
fn the_page_of_the_browser_module_has_each_error_code() {
    let page = read("docs/frontend.md");
    let mut files: Vec<String> = vec!["sdk/js/falconer.js".to_owned()];
    for entry in std::fs::read_dir(root().join("sdk/js/parts")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        files.extend(Some(format!("sdk/js/parts/{name}")).filter(|_| name.ends_with(".js")));
    }
    let mut codes = BTreeSet::new();
    for file in files {
        for after in read(&file).split("new FalconerError(").skip(1) {
            let quoted = after.trim_start().strip_prefix('\'').and_then(|code| code.split('\'').next());
            codes.extend(quoted.map(str::to_owned));
        }
    }
    assert!(codes.len() > 10, "{codes:?}");
    for code in codes {
        assert!(page.contains(&format!("`{code}`")), "docs/frontend.md has no {code}");
    }
}

/// README.md and all pages below docs/.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The text outside of fenced blocks and of inline code.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            kept.extend(line.split('`').step_by(2));
            kept.push('\n');
        }
    }
    kept
}

/// The anchors of a page's headings, as the usual renderers make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let heading = |line: &str| line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_lowercase());
    let outside = text.split("```").step_by(2).collect::<String>();
    let anchor = |title: String| title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).collect::<String>().replace(' ', "-");
    outside.lines().filter_map(heading).map(anchor).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut followed = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for after in prose(&text).split("](").skip(1) {
            let link = after.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if let Some(anchor) = anchor {
                let there = anchors(&std::fs::read_to_string(&target).unwrap());
                assert!(there.contains(anchor), "{}: {link}: no such heading; there are {there:?}", page.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 30, "{followed} links");
}
