//! Who imports a module that has no side of its own, and which sides they are on.
//!
//! Imports are followed backwards from the module, and only those that are left when the framework has taken server code
//! out. The first chain from a client entry makes it shared; server importers alone make it server; an import that may lead
//! to it and cannot be followed makes it unknown. A library that apps are built on ships with them, by what build files say.
//! Everything is read through a [`TreeView`], once a tree.

mod builds;
mod bundlers;
mod components;
mod config;
mod frameworks;
mod inventory;
mod plugins;
mod resolve;
mod users;
mod walk;

use super::{Classifier, Prepared};
use crate::blob::Part;
use crate::side::{Judgement, Side, Step, TreeView};
use builds::Builds;
use frameworks::Framework;
use inventory::{Inventory, MODULE_BYTES_MAX};
use resolve::{Target, folder};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use walk::Found;

/// A judgement worth less than this is a manifest's, or none: who imports the module says more.
const OWN_WEIGHT: u32 = 60;
/// What a component says of itself is worth no more than this; where the framework renders it on the server, who imports it says more.
const COMPONENT_WEIGHT: u32 = 75;
/// Kinds of file that Gradle, Maven, .NET and Dart build into what is built on their project.
const BUILT: [&str; 17] = [
    "dart",
    "kt",
    "java",
    "groovy",
    "scala",
    "kts",
    "gradle",
    "properties",
    "xml",
    "conf",
    "cs",
    "fs",
    "vb",
    "razor",
    "resx",
    "config",
    "settings",
];
/// A judgement of such a file that is worth less is none of its own.
const BUILT_WEIGHT: u32 = 45;
/// Modules that are looked into for what one imports, and how far.
const LOOKED_MAX: usize = 100;
const LOOKED_DEPTH: usize = 2;
/// Importers named in a sentence.
const NAMED_MAX: usize = 3;
/// Sentences of the file itself that are kept behind those of its importers.
const KEPT_MAX: usize = 3;

impl Prepared<'_> {
    /// Whether who imports the file decides about the key at `key` of `text`, and not what the file itself says.
    pub fn is_open(&self, text: &[u8], key: &Range<usize>) -> bool {
        let extension = self.path.rsplit_once('.').map_or("", |(_, extension)| extension);
        let has_islands = self.listed.any(&frameworks::ISLANDS.map(str::to_owned)).is_some();
        let is_module = matches!(extension, "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "json")
            || (has_islands && matches!(extension, "vue" | "svelte"));
        if !is_module && !BUILT.contains(&extension) {
            return false;
        }
        let assigned = super::variable::assigned(text, key);
        let is_inlined = assigned.as_ref().is_some_and(|assigned| self.inlined(assigned).is_some());
        if is_inlined || self.set(assigned.as_ref(), key.start).is_some() {
            return false;
        }
        if self.is_sent(text, key) {
            return false;
        }
        let gathered = self.gather(key);
        let weight = gathered.weight();
        if !is_module && extension != "razor" {
            // What is said of all of a module of several platforms is not said of its sources for the JVM.
            return weight < if users::is_jvm(&self.path) { OWN_WEIGHT } else { BUILT_WEIGHT };
        }
        if weight < OWN_WEIGHT {
            return true;
        }
        let side = gathered.judge().side;
        let is_component = has_islands && weight <= COMPONENT_WEIGHT && side == Side::Client;
        is_component || (weight == OWN_WEIGHT && side == Side::Server)
    }
}

/// The modules of one tree and what is known of them; made when a judgement first needs it.
pub struct Graph {
    classifier: Arc<Classifier>,
    inventory: OnceLock<Inventory>,
    builds: OnceLock<Builds>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What each module imports, script by script.
    parsed: HashMap<u32, Arc<Parsed>>,
    owns: HashMap<u32, Arc<Own>>,
    found: HashMap<u32, Arc<Found>>,
}

/// What a module imports, script by script.
struct Parsed {
    scripts: Vec<Script>,
    bytes: usize,
}

/// One script of a module.
struct Script {
    module: super::syntax::Module,
    /// Where it runs, if the file's kind alone says so.
    side: Option<Side>,
}

/// What a module says of itself.
struct Own {
    side: Side,
    weight: u32,
    why: String,
    is_full_stack: bool,
}

impl Graph {
    /// Of a tree that is not yet looked at.
    pub fn new(classifier: Arc<Classifier>) -> Self {
        Self { classifier, inventory: OnceLock::new(), builds: OnceLock::new(), known: Mutex::default() }
    }

    /// `base`, the judgement of the module at `path` by itself, in the light of who imports it in the tree `view`.
    ///
    /// What a component is given is judged by that component alone.
    pub fn decide(&self, view: &dyn TreeView, path: &str, base: Judgement) -> Judgement {
        if let Some(property) = base.property.clone() {
            return self.given(view, (path, &property), base);
        }
        let extension = inventory::extension(path);
        if BUILT.contains(&extension) {
            return self.built(view, path, base);
        }
        let known = base.clone();
        let judged = self.imported(view, path, base);
        if extension == "json" && judged == known { self.built(view, path, judged) } else { judged }
    }

    /// Whether a module that the one at `path` imports, directly or through another, holds one of `texts`.
    pub fn imports_hold(&self, view: &dyn TreeView, path: &str, texts: &[String]) -> bool {
        let inventory = self.inventory.get_or_init(|| Inventory::read(view));
        let Some(&start) = inventory.resolver.numbers.get(path) else { return false };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut modules = Modules { classifier: &self.classifier, inventory, view, known: &mut known };
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![start];
        for _ in 0..LOOKED_DEPTH {
            for number in std::mem::take(&mut open) {
                open.extend(modules.imports(number).into_iter().filter(|&other| seen.insert(other)));
            }
            open.truncate(LOOKED_MAX);
            let holds = |&number: &u32| {
                let text = view.read(modules.path(number), MODULE_BYTES_MAX).unwrap_or_default();
                texts.iter().any(|one| memchr::memmem::find(&text, one.as_bytes()).is_some())
            };
            if open.iter().any(holds) {
                return true;
            }
        }
        false
    }

    /// The same by what is built on the project of the file.
    fn built(&self, view: &dyn TreeView, path: &str, base: Judgement) -> Judgement {
        let is_built = |name: &str| {
            name.ends_with("proj")
                || name.ends_with(".projitems")
                || name.starts_with("build.gradle")
                || matches!(name, "pubspec.yaml" | "pom.xml")
        };
        let facts = view.facts(folder(path));
        if !facts.folders.iter().any(|folder| folder.names.iter().any(|name| is_built(name))) {
            return base;
        }
        let builds = self.builds.get_or_init(|| Builds::read(view));
        users::decide((&self.classifier, builds), view, path, base)
    }

    /// The same by who imports the module.
    fn imported(&self, view: &dyn TreeView, path: &str, base: Judgement) -> Judgement {
        let inventory = self.inventory.get_or_init(|| Inventory::read(view));
        let Some(&number) = inventory.resolver.numbers.get(path) else { return base };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = if let Some(found) = known.found.get(&number) {
            Arc::clone(found)
        } else {
            let mut tree = Modules { classifier: &self.classifier, inventory, view, known: &mut known };
            let found = Arc::new(walk::walk(&mut tree, number));
            known.found.insert(number, Arc::clone(&found));
            found
        };
        drop(known);
        let is_full_stack = Framework::around(&view.facts(folder(path))).is_full_stack;
        combine(base, &found, is_full_stack)
    }
}

/// The modules of a tree while one is asked about.
struct Modules<'m> {
    classifier: &'m Classifier,
    inventory: &'m Inventory,
    view: &'m dyn TreeView,
    known: &'m mut Known,
}

impl Modules<'_> {
    fn path(&self, number: u32) -> &str {
        &self.inventory.files[number as usize].path
    }

    /// What the module imports, read by the parser the first time.
    fn parsed(&mut self, number: u32) -> Arc<Parsed> {
        if let Some(parsed) = self.known.parsed.get(&number) {
            return Arc::clone(parsed);
        }
        let path = self.path(number).to_owned();
        let text = self.view.read(&path, MODULE_BYTES_MAX).unwrap_or_default();
        let framework = Framework::around(&self.view.facts(folder(&path)));
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        let scripts = super::syntax::scripts(&path, &text, framework.has_islands).into_iter().map(|script| {
            let dialect = super::syntax::Dialect {
                is_plain: matches!(extension, "ts" | "mts" | "cts"),
                elides: matches!(extension, "ts" | "tsx" | "mts" | "cts"),
                stripped: framework.stripped(&path),
            };
            let elides = (dialect.elides || script.elides) && !script.has_markup;
            let dialect = super::syntax::Dialect { elides, ..dialect };
            Script { module: super::syntax::module(&script.text, dialect), side: script.side }
        });
        let parsed = Arc::new(Parsed { scripts: scripts.collect(), bytes: text.len() });
        self.known.parsed.insert(number, Arc::clone(&parsed));
        parsed
    }

    /// The modules that a module imports.
    fn imports(&mut self, number: u32) -> Vec<u32> {
        let parsed = self.parsed(number);
        let path = self.path(number);
        let edges = parsed.scripts.iter().flat_map(|script| &script.module.edges).filter(|edge| !edge.is_open);
        let targets = edges.map(|edge| self.inventory.resolver.resolve(path, &edge.specifier));
        let files = |target| if let Target::Files(files) = target { files } else { Vec::new() };
        targets.flat_map(files).collect()
    }

    /// What the module says of itself.
    fn own(&mut self, number: u32) -> Arc<Own> {
        if let Some(own) = self.known.owns.get(&number) {
            return Arc::clone(own);
        }
        let path = self.path(number).to_owned();
        let text = self.view.read(&path, MODULE_BYTES_MAX).unwrap_or_default();
        let facts = self.view.facts(folder(&path));
        let framework = Framework::around(&facts);
        let gathered = self.classifier.prepare(&path, &text, Part::Start, &facts).gathered;
        let weight = gathered.weight();
        let mut judgement = gathered.judge();
        let why = if judgement.evidence.is_empty() { String::new() } else { judgement.evidence.remove(0) };
        let mut own = Own { side: judgement.side, weight, why, is_full_stack: framework.is_full_stack };
        if let Some(why) = framework.keeps_on_server(&path) {
            own = Own { side: Side::Server, weight: 100, why: why.into(), ..own };
        } else if weight < OWN_WEIGHT
            && let Some(why) = framework.ships(&path)
        {
            own = Own { side: Side::Client, weight: OWN_WEIGHT, why: why.into(), ..own };
        } else if framework.has_islands && weight <= COMPONENT_WEIGHT && own.side == Side::Client {
            own.weight = own.weight.min(OWN_WEIGHT - 1);
        }
        let own = Arc::new(own);
        self.known.owns.insert(number, Arc::clone(&own));
        own
    }
}

/// What the module itself says and what its importers say, together.
fn combine(base: Judgement, found: &Found, is_full_stack: bool) -> Judgement {
    let named = |servers: &[Step]| {
        let names = servers.iter().take(NAMED_MAX).map(|step| format!("`{}` (line {})", step.path, step.line));
        let more =
            if servers.len() > NAMED_MAX { format!(" and {} more", servers.len() - NAMED_MAX) } else { String::new() };
        names.collect::<Vec<_>>().join(", ") + &more
    };
    let own = base.evidence.iter().take(KEPT_MAX).map(|why| format!("by itself {}: {why}", base.side.as_str()));
    if let Some(client) = &found.client {
        let is_plain = base.side == Side::Client && found.servers.is_empty() && !is_full_stack;
        let side = if is_plain { Side::Client } else { Side::Shared };
        let mut evidence = vec![client.sentence(), format!("`{}` is client code: {}", client.entry(), client.why)];
        if !found.servers.is_empty() {
            evidence.push(format!("server code imports it as well: {}", named(&found.servers)));
        }
        evidence.extend(own);
        return Judgement { side, evidence, chain: client.chain.clone(), ..base };
    }
    if let Some(doubt) = found.doubts.first() {
        if base.side == Side::Client && !is_full_stack {
            return base;
        }
        let mut evidence = vec![doubt.clone()];
        if !found.servers.is_empty() {
            evidence.push(format!("otherwise server code alone imports it: {}", named(&found.servers)));
        }
        evidence.extend(own);
        return Judgement { side: Side::Unknown, evidence, ..base };
    }
    if found.servers.is_empty() {
        return base;
    }
    let who = if found.has_builds { "code of servers and builds" } else { "server code" };
    let mut evidence = vec![format!("{who} alone imports it: {}", named(&found.servers))];
    evidence.extend(own.filter(|_| base.side != Side::Server));
    Judgement { side: Side::Server, evidence, ..base }
}
