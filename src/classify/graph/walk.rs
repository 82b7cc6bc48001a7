//! The way back from a module to those that import it, nearest first.

use super::super::syntax::{Edge, Names};
use super::resolve::{Target, folder};
use super::{Modules, OWN_WEIGHT, Own};
use crate::side::{Side, Step};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Modules that are read by the parser for one question.
const PARSED_MAX: usize = 2_000;
/// Bytes of those modules.
const BYTES_MAX: usize = 32 << 20;
/// Modules that are read once a client entry is known, to find server code that imports it as well.
const PARSED_AFTER_MAX: usize = 200;
/// Imports in doubt that are told.
const DOUBTS_MAX: usize = 3;

/// Who imports a module.
#[derive(Default)]
pub(super) struct Found {
    /// The nearest client entry.
    pub client: Option<Client>,
    /// Imports by code that is not shipped, sorted.
    pub servers: Vec<Step>,
    /// Whether some of those are by what builds.
    pub has_builds: bool,
    /// Imports that may lead to it and cannot be followed.
    pub doubts: Vec<String>,
}

/// A chain of imports from a client entry.
pub(super) struct Client {
    /// The entry first.
    pub chain: Vec<Step>,
    /// Why the entry is client code.
    pub why: String,
}

impl Client {
    pub fn entry(&self) -> &str {
        self.chain.first().map_or("", |step| step.path.as_str())
    }

    pub fn sentence(&self) -> String {
        let line = self.chain.first().map_or(0, |step| step.line);
        let through: Vec<String> =
            self.chain.iter().skip(1).map(|step| format!("`{}` (line {})", step.path, step.line)).collect();
        let through = if through.is_empty() { String::new() } else { format!(", through {}", through.join(", ")) };
        format!("the client module `{}` imports it (line {line}){through}", self.entry())
    }
}

/// Which exports of a module lead to the one asked about; none for any import of it.
type Demand = Option<BTreeSet<String>>;

struct Walk<'w, 'm> {
    modules: &'w mut Modules<'m>,
    found: Found,
    demands: BTreeMap<u32, Demand>,
    /// Modules that do something with it when they are loaded, whatever is taken of them.
    running: BTreeSet<u32>,
    /// The import through which each module was reached: the module imported, and the line.
    via: BTreeMap<u32, (u32, u64)>,
    open: VecDeque<u32>,
    /// Modules that were read by the parser, and their bytes.
    parsed: usize,
    bytes: usize,
    start: u32,
}

/// Asks who imports the module `start`.
pub(super) fn walk(modules: &mut Modules<'_>, start: u32) -> Found {
    let mut walk = Walk {
        modules,
        found: Found::default(),
        demands: BTreeMap::from([(start, None)]),
        running: BTreeSet::new(),
        via: BTreeMap::new(),
        open: VecDeque::from([start]),
        parsed: 0,
        bytes: 0,
        start,
    };
    if walk.has_effects(start) {
        walk.running.insert(start);
    }
    while let Some(number) = walk.open.pop_front() {
        walk.importers_of(number);
    }
    if walk.found.client.is_none() {
        walk.run_time();
        walk.missing();
        if walk.modules.inventory.is_cut {
            walk.found.doubts.push("the tree has more modules than are looked into".into());
        }
    }
    let mut found = walk.found;
    found.servers.sort();
    found.servers.dedup();
    found.doubts.truncate(DOUBTS_MAX);
    found
}

impl Walk<'_, '_> {
    fn importers_of(&mut self, number: u32) {
        let importers = self.modules.inventory.files[number as usize].importers.clone();
        for importer in importers {
            let most = if self.found.client.is_some() { PARSED_AFTER_MAX } else { PARSED_MAX };
            if self.parsed >= most || self.bytes > BYTES_MAX {
                if self.found.client.is_none() {
                    self.found.doubts.push("more modules import it, directly or not, than are read".into());
                }
                self.open.clear();
                return;
            }
            self.parsed += 1;
            self.importer(number, importer);
        }
    }

    /// Looks at the imports of `number` by `importer`.
    fn importer(&mut self, number: u32, importer: u32) {
        let demand = self.demands.get(&number).cloned().unwrap_or_default();
        let runs = self.runs(number);
        let parsed = self.modules.parsed(importer);
        let mut carried: Option<(u64, Demand)> = None;
        let (mut is_browser, mut is_running) = (false, false);
        self.bytes += parsed.bytes;
        if parsed.scripts.iter().any(|script| script.module.is_unread) && self.may_ship(importer, false) {
            let path = self.modules.path(importer).to_owned();
            self.doubt(&format!("`{path}` takes more steps to read than code does, and may import this module"));
        }
        for script in &parsed.scripts {
            for edge in script.module.edges.iter().filter(|edge| !edge.is_open || edge.glob.is_some()) {
                let Some(handed) = self.carries(importer, edge, number, &demand) else { continue };
                // Loading the importer loads the module; or it does something of its own with what it takes.
                let is_run = runs || (matches!(edge.names, Names::All | Names::Some(_)) && script.module.has_effects);
                is_running |= is_run && !edge.is_stripped;
                if script.side == Some(Side::Server) || edge.is_stripped {
                    self.server(importer, edge.line);
                    continue;
                }
                is_browser |= script.side == Some(Side::Client);
                carried = Some(match carried {
                    None => (edge.line, handed),
                    Some((line, known)) => (line, join(known, handed)),
                });
            }
        }
        if let Some((line, handed)) = carried {
            if is_browser {
                return self.browser(importer, (number, line));
            }
            let is_new = is_running && self.running.insert(importer);
            self.reached(importer, (number, line), &handed, is_new);
        }
    }

    /// Whether any import of the module `number` loads it, with what was asked about.
    fn runs(&self, number: u32) -> bool {
        self.running.contains(&number) && !self.modules.inventory.resolver.is_pure(self.modules.path(number))
    }

    fn has_effects(&mut self, number: u32) -> bool {
        let is_data = super::inventory::extension(self.modules.path(number)) == "json";
        !is_data && self.modules.parsed(number).scripts.iter().any(|script| script.module.has_effects)
    }

    /// If `edge` of `importer` takes something of `number` that leads on: under which exports of `importer`.
    fn carries(&mut self, importer: u32, edge: &Edge, number: u32, demand: &Demand) -> Option<Demand> {
        let resolver = &self.modules.inventory.resolver;
        let path = self.modules.path(importer);
        let is_named = match edge.glob {
            Some(_) => resolver.many(path, edge).is_some_and(|many| many.has(self.modules.path(number))),
            None => matches!(resolver.resolve(path, &edge.specifier), Target::Files(files) if files.contains(&number)),
        };
        if !is_named {
            return None;
        }
        let runs = self.runs(number);
        if runs && !resolver.is_pure(path) {
            return Some(None);
        }
        let wanted = |name: &str| runs || demand.as_ref().is_none_or(|names| names.contains(name));
        match &edge.names {
            Names::All => Some(None),
            Names::Some(names) => names.iter().any(|name| name == "*" || wanted(name)).then_some(None),
            Names::Passed(pairs) => {
                let own: BTreeSet<String> = pairs
                    .iter()
                    .filter(|(theirs, _)| theirs == "*" || wanted(theirs))
                    .map(|(_, own)| own.clone())
                    .collect();
                (!own.is_empty()).then_some(Some(own))
            }
            Names::Star => {
                let names = demand.clone().filter(|_| !runs).or_else(|| self.exports(number));
                names.map_or(Some(None), |mut names| {
                    names.remove("default");
                    (!names.is_empty()).then_some(Some(names))
                })
            }
        }
    }

    /// Every name a module exports; none if it hands on what another one does, or has no exports to be read.
    fn exports(&mut self, number: u32) -> Demand {
        let parsed = self.modules.parsed(number);
        let module = &parsed.scripts.first()?.module;
        (!module.has_star && !module.exports.is_empty()).then(|| module.exports.iter().cloned().collect())
    }

    /// `importer` is left with an import of a module on the way.
    fn reached(&mut self, importer: u32, via: (u32, u64), demand: &Demand, is_new: bool) {
        let own = self.modules.own(importer);
        match own.side {
            Side::Test => return,
            Side::Infra => return self.build(importer, via.1),
            _ if self.configures(importer) => return self.build(importer, via.1),
            Side::Server if own.weight > OWN_WEIGHT => return self.server(importer, via.1),
            Side::Server if own.weight == OWN_WEIGHT => self.server(importer, via.1),
            Side::Client | Side::Shared if own.weight >= OWN_WEIGHT => return self.client(importer, via, &own),
            _ => {}
        }
        let is_last = self.modules.inventory.files[importer as usize].importers.is_empty();
        if is_last && own.side == Side::Client && !own.is_full_stack {
            return self.client(importer, via, &own);
        }
        if is_last && own.side == Side::Server {
            return self.server(importer, via.1);
        }
        let known = self.demands.get(&importer);
        let joined = known.map_or_else(|| demand.clone(), |known| join(known.clone(), demand.clone()));
        if is_new || known.is_none_or(|known| *known != joined) {
            self.demands.insert(importer, joined);
            self.via.entry(importer).or_insert(via);
            self.open.push_back(importer);
        }
    }

    /// A script that stands in a page or component.
    fn browser(&mut self, importer: u32, via: (u32, u64)) {
        let own = self.modules.own(importer);
        match own.side {
            Side::Test => {}
            Side::Infra => self.build(importer, via.1),
            Side::Server if own.weight > OWN_WEIGHT => self.server(importer, via.1),
            _ => {
                let why =
                    if own.side == Side::Client { own.why.clone() } else { "its scripts are sent to browsers".into() };
                self.client(importer, via, &Own { why, ..*own });
            }
        }
    }

    fn client(&mut self, entry: u32, via: (u32, u64), own: &Own) {
        if self.found.client.is_some() {
            return;
        }
        let mut chain = vec![Step { path: self.modules.path(entry).into(), line: via.1 }];
        let mut at = via.0;
        while at != self.start {
            let Some(&(next, line)) = self.via.get(&at) else { break };
            chain.push(Step { path: self.modules.path(at).into(), line });
            at = next;
        }
        self.found.client = Some(Client { chain, why: own.why.clone() });
    }

    /// What builds imports it, and ships nothing of it.
    fn build(&mut self, importer: u32, line: u64) {
        self.found.has_builds = true;
        self.server(importer, line);
    }

    fn server(&mut self, importer: u32, line: u64) {
        self.found.servers.push(Step { path: self.modules.path(importer).into(), line });
    }

    /// Imports whose names are made at run time and may be of a module on the way.
    fn run_time(&mut self) {
        let paths: Vec<String> = self.demands.keys().map(|&number| self.modules.path(number).to_owned()).collect();
        for importer in self.modules.inventory.open.clone() {
            let parsed = self.modules.parsed(importer);
            let edges = parsed
                .scripts
                .iter()
                .filter(|script| script.side != Some(Side::Server))
                .flat_map(|script| &script.module.edges);
            for edge in edges.filter(|edge| edge.is_open && !edge.is_stripped) {
                self.at_run_time(importer, edge, &paths);
            }
        }
    }

    fn at_run_time(&mut self, importer: u32, edge: &Edge, paths: &[String]) {
        let path = self.modules.path(importer).to_owned();
        if self.modules.inventory.resolver.many(&path, edge).is_some() {
            return;
        }
        let Some((start, below)) = self.modules.inventory.resolver.beginning(&path, &edge.specifier) else { return };
        let leads =
            |known: &String| known.strip_prefix(&start).is_some_and(|rest| rest.contains(&below)) && *known != path;
        let leads = paths.iter().any(leads);
        if !leads || !self.may_ship(importer, edge.specifier.is_empty()) {
            return;
        }
        let start = &edge.specifier;
        let what = if start.is_empty() { String::new() } else { format!(" that starts with `{start}`") };
        let line = edge.line;
        self.doubt(&format!("`{path}` (line {line}) imports a module named at run time{what}, which may be this one"));
    }

    /// Imports that lead nowhere and end in the name of the module.
    fn missing(&mut self) {
        let path = self.modules.path(self.start).to_owned();
        let stem = stem(&path);
        for (importer, specifier) in self.modules.inventory.missing.clone() {
            let last = specifier.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let last = last.split_once('.').map_or(last, |(stem, _)| stem);
            if last != stem || last.is_empty() {
                continue;
            }
            let parsed = self.modules.parsed(importer);
            let mut edges = parsed
                .scripts
                .iter()
                .filter(|script| script.side != Some(Side::Server))
                .flat_map(|script| &script.module.edges);
            let Some(line) = edges.find(|edge| edge.specifier == specifier && !edge.is_stripped).map(|edge| edge.line)
            else {
                continue;
            };
            if self.may_ship(importer, false) {
                let path = self.modules.path(importer).to_owned();
                self.doubt(&format!(
                    "`{path}` (line {line}) imports `{specifier}`, which cannot be resolved and may be this module"
                ));
            }
        }
    }

    /// Whether `importer` is or may be client code; `surely` asks for more than a guess.
    fn may_ship(&mut self, importer: u32, surely: bool) -> bool {
        let own = self.modules.own(importer);
        match own.side {
            Side::Server | Side::Test | Side::Infra | Side::Docs => false,
            Side::Client | Side::Shared if own.weight >= OWN_WEIGHT => true,
            _ => !surely && !self.configures(importer),
        }
    }

    /// Whether a module configures a tool of its package, and so runs where that is built.
    fn configures(&self, importer: u32) -> bool {
        let path = self.modules.path(importer);
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_named =
            name.split('.').rev().nth(1).is_some_and(|part| part == "config") && name.matches('.').count() >= 2;
        is_named && self.modules.inventory.resolver.packages.contains_key(folder(path))
    }

    fn doubt(&mut self, sentence: &str) {
        self.found.doubts.push(sentence.into());
    }
}

/// Both demands together.
fn join(one: Demand, other: Demand) -> Demand {
    Some(one?.into_iter().chain(other?).collect())
}

/// What an import of the file at `path` ends in.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.split_once('.').map_or(name, |(stem, _)| stem) {
        "index" => folder(path).rsplit('/').next().unwrap_or_default(),
        stem => stem,
    }
}
