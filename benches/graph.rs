//! What a hit costs in a tree of many modules that has been read already, and what the first one costs.
//!
//! `cargo bench --bench graph -- [MODULES]` prints milliseconds; the bar is 5 ms a hit with 5,000 modules.

use ansalint::classify::{Classifier, Graph};
use ansalint::rule::{RuleError, RuleFiles};
use ansalint::side::{Facts, Folder, Judgement, Side, TreeView};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

/// A tree in memory.
struct Tree(BTreeMap<String, String>);

impl TreeView for Tree {
    fn read(&self, path: &str, bytes_max: usize) -> Option<Vec<u8>> {
        self.0.get(path).filter(|text| text.len() <= bytes_max).map(|text| text.clone().into_bytes())
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.0.range(start.clone()..).map_while(|(path, _)| path.strip_prefix(&start));
        let mut names: Vec<String> = below
            .map(|rest| rest.split_once('/').map_or_else(|| rest.into(), |(name, _)| format!("{name}/")))
            .collect();
        names.dedup();
        names
    }

    fn facts(&self, _: &str) -> Facts {
        let manifests = vec![("package.json".to_owned(), self.0["package.json"].clone().into_bytes())];
        Facts { folders: vec![Arc::new(Folder { path: String::new(), names: vec!["package.json".into()], manifests })] }
    }
}

/// A shop: modules in layers that import those below them, and now and then a key.
fn tree(modules: usize) -> Tree {
    let mut files = BTreeMap::new();
    let manifest = r#"{"dependencies": {"express": "5", "react": "19", "react-dom": "19"}}"#;
    files.insert("package.json".into(), manifest.into());
    for number in 0..modules {
        let (mut imports, mut uses) = (String::new(), String::new());
        let others = (1..6).map(|step| (number * 7 + step * 131) % modules).filter(|&other| other > number);
        for other in others {
            // Writing to a `String` cannot fail.
            let _ = writeln!(imports, "import {{ f{other} }} from '../p{}/m{other}'", other / 100);
            let _ = writeln!(uses, "  f{other}();");
        }
        let filler = "// a line of code that is here for its length and for nothing else\n".repeat(40);
        let entry =
            if number % 500 == 0 { "import { useState } from 'react'\nconst s = () => useState(1)\n" } else { "" };
        let text = format!("{entry}{imports}{filler}export function f{number}() {{\n{uses}}}\n");
        files.insert(format!("src/p{}/m{number}.tsx", number / 100), text);
    }
    Tree(files)
}

fn main() -> Result<(), RuleError> {
    let modules = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(5_000);
    let tree = tree(modules);
    let classifier = Arc::new(Classifier::new(&RuleFiles::embedded().sides)?);
    let graph = Graph::new(classifier);
    let mut times = Vec::new();
    for (path, _) in tree.0.iter().filter(|(path, _)| path.ends_with("9.tsx")) {
        let start = Instant::now();
        let judgement = graph.decide(&tree, path, Judgement::new(Side::Unknown, Vec::new()));
        times.push((start.elapsed(), judgement.side));
    }
    let shared = times.iter().filter(|(_, side)| *side == Side::Shared).count();
    let first = times[0].0;
    times.remove(0);
    times.sort_unstable();
    let millis = |part: usize| times[(times.len() - 1) * part / 100].0.as_secs_f64() * 1e3;
    println!("{modules} modules, {} hits of which {shared} shared", times.len() + 1);
    println!(
        "first {:.0} ms, median {:.2} ms, 90 % {:.2} ms, worst {:.2} ms",
        first.as_secs_f64() * 1e3,
        millis(50),
        millis(90),
        millis(100)
    );
    Ok(())
}
