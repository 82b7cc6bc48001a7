//! What an expression gives when it is sent on whole: fields by their names, and literals.
//!
//! Values are followed through names, patterns, functions of the module and what queries select; what a call of something
//! unknown makes of them is not. What masks or measures a value lets nothing out.

use super::scope::{Given, PATH_MAX, Scopes, returns};
use super::{named, text_of};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use tree_sitter::Node;

/// The longest text that is looked at, and parts of one expression.
const TEXT_BYTES_MAX: usize = 4_096;
const PARTS_MAX: usize = 300;
/// Expressions followed in one module.
const STEPS_MAX: usize = 20_000;

/// A value that is sent on, as far as a way into it goes.
#[derive(Clone)]
struct Item<'t> {
    node: Node<'t>,
    /// Properties that are taken of it, the first to be taken first.
    path: Vec<&'t str>,
    /// Properties that are not sent.
    without: Vec<&'t str>,
}

/// A search of one module.
pub(super) struct Values<'s> {
    pub(super) text: &'s [u8],
    pub(super) says_secret: &'s dyn Fn(&str) -> bool,
    pub(super) scopes: Scopes<'s>,
    steps: usize,
    seen: BTreeSet<(usize, Vec<&'s str>, Vec<&'s str>)>,
    open: Vec<Item<'s>>,
    /// What functions return.
    returns: HashMap<usize, Vec<Node<'s>>>,
    /// Fields whose names say secret, and where they are named.
    pub fields: Vec<(String, Range<usize>)>,
    /// Where literals stand.
    pub literals: Vec<Range<usize>>,
}

impl<'s> Values<'s> {
    pub fn new(text: &'s [u8], root: Node<'s>, says_secret: &'s dyn Fn(&str) -> bool) -> Self {
        let scopes = Scopes::new(text, root);
        let (seen, open, returns) = (BTreeSet::new(), Vec::new(), HashMap::new());
        let (fields, literals) = (Vec::new(), Vec::new());
        Self { text, says_secret, scopes, steps: STEPS_MAX, seen, open, returns, fields, literals }
    }

    /// Looks at everything that `function` returns.
    pub fn returned(&mut self, function: Node<'s>) {
        for value in self.returns(function) {
            self.sent(value);
        }
    }

    /// What `function` returns, looked for once.
    pub(super) fn returns(&mut self, function: Node<'s>) -> Vec<Node<'s>> {
        let known = self.returns.entry(function.id()).or_insert_with(|| {
            let mut all = returns(function);
            all.truncate(PARTS_MAX);
            all
        });
        known.clone()
    }

    /// Looks at `value`, which is sent on.
    pub fn sent(&mut self, value: Node<'s>) {
        self.seen.clear();
        self.push(value, Vec::new(), Vec::new());
        while let Some(item) = self.open.pop() {
            if self.seen.insert((item.node.id(), item.path.clone(), item.without.clone())) {
                self.step(item);
            }
        }
    }

    pub(super) fn push(&mut self, node: Node<'s>, path: Vec<&'s str>, without: Vec<&'s str>) {
        if path.len() <= PATH_MAX && self.steps > 0 {
            self.steps -= 1;
            self.open.push(Item { node, path, without });
        }
    }

    pub(super) fn push_all(&mut self, nodes: Vec<Node<'s>>, path: &[&'s str], without: &[&'s str]) {
        for node in nodes {
            self.push(node, path.to_vec(), without.to_vec());
        }
    }

    /// The text of `node`; none of one that is too long for a name or a query.
    pub(super) fn text(&self, node: Node<'s>) -> &'s str {
        if node.byte_range().len() > TEXT_BYTES_MAX { "" } else { text_of(self.text, node) }
    }

    /// The first named children of `node`; looking at them takes steps.
    pub(super) fn parts(&mut self, node: Node<'s>) -> Vec<Node<'s>> {
        let cost = node.child_count();
        if cost > self.steps {
            self.steps = 0;
            return Vec::new();
        }
        self.steps -= cost;
        let mut parts = named(node);
        parts.truncate(PARTS_MAX);
        parts
    }

    fn step(&mut self, item: Item<'s>) {
        let Item { node, path, without } = item;
        match node.kind() {
            "parenthesized_expression"
            | "await_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression"
            | "spread_element"
            | "jsx_expression" => {
                if let Some(inner) = node.named_child(0) {
                    self.push(inner, path, without);
                }
            }
            "sequence_expression" => {
                let last = self.parts(node).pop();
                self.push_all(last.into_iter().collect(), &path, &without);
            }
            "template_string" | "template_substitution" if path.is_empty() => {
                if node.kind() == "template_string" {
                    self.literals.push(node.byte_range());
                }
                let parts = self.parts(node);
                self.push_all(parts, &[], &[]);
            }
            "string" if path.is_empty() => self.literals.push(node.byte_range()),
            "ternary_expression" | "binary_expression" => {
                self.push_all(sides(node), &path, &without);
            }
            "array" => self.array(node, &path, &without),
            "object" => self.object(node, &path, &without),
            "member_expression" | "subscript_expression" => self.member(node, path, without),
            "identifier" | "shorthand_property_identifier" => self.name(node, &path, &without),
            "call_expression" => self.call(node, &path, &without),
            "new_expression" => {
                let made = node.child_by_field_name("constructor").map_or("", |one| self.text(one));
                let first = node.child_by_field_name("arguments").and_then(|all| all.named_child(0));
                if let Some(first) = first.filter(|_| matches!(made, "Response" | "NextResponse")) {
                    self.push(first, path, without);
                }
            }
            _ => {}
        }
    }

    fn array(&mut self, node: Node<'s>, path: &[&'s str], without: &[&'s str]) {
        let parts = self.parts(node);
        let index = path.first().and_then(|first| first.parse::<usize>().ok());
        let rest = if index.is_some() { &path[1..] } else { path };
        let meant = parts.into_iter().enumerate().filter(|(at, _)| index.is_none_or(|index| index == *at));
        self.push_all(meant.map(|(_, part)| part).collect(), rest, without);
    }

    /// The pairs of an object; what stands behind a spread replaces what comes of it.
    fn object(&mut self, node: Node<'s>, path: &[&'s str], without: &[&'s str]) {
        let mut replaced = if path.is_empty() { without.to_vec() } else { Vec::new() };
        for part in self.parts(node).into_iter().rev() {
            let (key, value) = match part.kind() {
                "pair" => (part.child_by_field_name("key"), part.child_by_field_name("value")),
                "shorthand_property_identifier" => (Some(part), Some(part)),
                "spread_element" if path.is_empty() => {
                    self.push(part, Vec::new(), replaced.clone());
                    continue;
                }
                "spread_element" if !replaced.contains(&path[0]) => {
                    self.push(part, path.to_vec(), without.to_vec());
                    continue;
                }
                _ => continue,
            };
            let (Some(key), Some(value)) = (key, value) else { continue };
            let name = self.text(key).trim_matches(['"', '\'']);
            if !replaced.contains(&name) {
                match path.split_first() {
                    None => self.field(key, value),
                    Some((first, rest)) if *first == name => self.push(value, rest.to_vec(), without.to_vec()),
                    Some(_) => {}
                }
            }
            replaced.push(name);
        }
    }

    /// A field with its value, both sent on.
    fn field(&mut self, key: Node<'s>, value: Node<'s>) {
        let name = self.text(key).trim_matches(['"', '\'']);
        let is_whole = matches!(value.kind(), "object" | "array" | "arrow_function" | "function_expression");
        if !is_whole && (self.says_secret)(name) {
            if !self.hides(value) {
                self.note(key);
            }
            return;
        }
        self.push(value, Vec::new(), Vec::new());
    }

    pub(super) fn note(&mut self, name: Node<'s>) {
        let text = self.text(name).trim_matches(['"', '\'', '`']).to_owned();
        self.fields.push((text, name.byte_range()));
    }

    fn member(&mut self, node: Node<'s>, path: Vec<&'s str>, without: Vec<&'s str>) {
        let property = node.child_by_field_name("property").or_else(|| node.child_by_field_name("index"));
        let (Some(object), Some(property)) = (node.child_by_field_name("object"), property) else { return };
        let name = self.text(property).trim_matches(['"', '\'']);
        if path.is_empty() && (self.says_secret)(name) {
            return self.note(property);
        }
        if node.kind() == "subscript_expression" && !matches!(property.kind(), "string" | "number") {
            // One of them, whichever.
            return self.push(object, path, without);
        }
        let path = std::iter::once(name).chain(path).collect();
        self.push(object, path, without);
    }

    /// What a name was given.
    fn name(&mut self, node: Node<'s>, path: &[&'s str], without: &[&'s str]) {
        let name = self.text(node);
        if path.is_empty() && (self.says_secret)(name) {
            if !self.hides(node) {
                self.note(node);
            }
            return;
        }
        let Some(scope) = self.scopes.of(name, node.start_byte()) else { return };
        let given = scope.given.get(name).cloned().unwrap_or_default();
        let deleted = scope.deleted.get(name).cloned().unwrap_or_default();
        let set = scope.set.get(name).cloned().unwrap_or_default();
        let mut without = without.to_vec();
        if path.is_empty() {
            without.extend(deleted);
            for (property, value) in set {
                let name = self.text(property);
                if !without.contains(&name) {
                    self.field(property, value);
                }
                if self.hides(value) {
                    without.push(name);
                }
            }
        }
        for given in given {
            self.given(&given, path, &without);
        }
    }

    fn given(&mut self, given: &Given<'s>, path: &[&'s str], without: &[&'s str]) {
        if path.first().is_some_and(|first| given.without.contains(first)) {
            return;
        }
        if let Some(named) = given.named.filter(|_| path.is_empty())
            && (self.says_secret)(self.text(named).trim_matches(['"', '\'']))
        {
            return self.note(named);
        }
        let taken = given.without.iter().filter(|_| path.is_empty());
        let without = taken.chain(without).copied().collect();
        let path = given.path.iter().chain(path).copied().collect();
        self.push(given.value, path, without);
    }
}

/// What may come of a choice or a sum.
pub(super) fn sides(node: Node<'_>) -> Vec<Node<'_>> {
    let sides: &[&str] = match node.child_by_field_name("operator").map_or("?", |one| one.kind()) {
        "?" => &["consequence", "alternative"],
        // What stands before `&&` is given only where it is nothing.
        "&&" => &["right"],
        "||" | "??" | "+" => &["left", "right"],
        _ => &[],
    };
    sides.iter().filter_map(|name| node.child_by_field_name(name)).collect()
}
