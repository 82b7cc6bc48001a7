//! Components that run in the browser, as the modules of their names say: what a server component gives one is sent there.

use super::{Graph, Inventory, MODULE_BYTES_MAX, Modules, Target};
use crate::classify::leaving;
use crate::classify::syntax::Names;
use crate::side::{Judgement, Property, TreeView};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// Modules that are looked into for a component.
const MODULES_MAX: usize = 20;

impl Graph {
    /// `base`, the judgement of what the module at `path` gives to the component of `property`.
    pub(super) fn given(
        &self,
        view: &dyn TreeView,
        (path, property): (&str, &Property),
        mut base: Judgement,
    ) -> Judgement {
        base.property = None;
        let Property { component, module } = property;
        let inventory = self.inventory.get_or_init(|| Inventory::read(view));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut modules = Modules { classifier: &self.classifier, inventory, view, known: &mut known };
        if let Some(client) = modules.client_of(path, component, module) {
            let why = format!("`<{component}>` is given it, and `{client}` starts with `\"use client\"`");
            return leaving::client(why, base);
        }
        base.evidence.push(format!("`<{component}>` from `{module}` is given it"));
        base
    }
}

impl Modules<'_> {
    /// The module with `"use client"` that `component` comes from, imported from `module` by the file at `path`.
    fn client_of(&mut self, path: &str, component: &str, module: &str) -> Option<String> {
        let files = |target| if let Target::Files(files) = target { files } else { Vec::new() };
        let mut open = files(self.inventory.resolver.resolve(path, module));
        let mut seen = BTreeSet::new();
        while let Some(number) = open.pop() {
            if seen.len() == MODULES_MAX || !seen.insert(number) {
                continue;
            }
            let path = self.path(number).to_owned();
            let text = self.view.read(&path, MODULE_BYTES_MAX).unwrap_or_default();
            if starts_with_use_client(&text) {
                return Some(path);
            }
            let parsed = self.parsed(number);
            for edge in parsed.scripts.iter().flat_map(|script| &script.module.edges) {
                let is_passed = match &edge.names {
                    Names::Passed(pairs) => pairs.iter().any(|(_, own)| own == component),
                    Names::Star => true,
                    Names::All | Names::Some(_) => false,
                };
                if !is_passed {
                    continue;
                }
                let found = files(self.inventory.resolver.resolve(&path, &edge.specifier));
                let is_star = edge.names == Names::Star;
                let has = |modules: &mut Self, number: u32| {
                    let parsed = modules.parsed(number);
                    let mut all = parsed.scripts.iter().map(|script| &script.module);
                    all.any(|module| module.has_star || module.exports.iter().any(|name| name == component))
                };
                open.extend(found.into_iter().filter(|&number| !is_star || has(self, number)));
            }
        }
        None
    }
}

/// Whether the first statement says that the module runs in the browser.
fn starts_with_use_client(text: &[u8]) -> bool {
    let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    loop {
        let end = if rest.starts_with(b"//") {
            memchr::memchr(b'\n', rest)
        } else if rest.starts_with(b"/*") {
            memchr::memmem::find(rest, b"*/").map(|at| at + 2)
        } else {
            break;
        };
        let Some(end) = end else { return false };
        rest = rest[end..].trim_ascii_start();
    }
    rest.starts_with(b"\"use client\"") || rest.starts_with(b"'use client'")
}
