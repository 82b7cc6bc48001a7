//! The functions of a module, one within another, and what the names in each were given.
//!
//! Names are looked up as the language does, by function; blocks are not told apart.

use super::{children, named, text_of, visit};
use std::collections::HashMap;
use std::ops::Range;
use tree_sitter::Node;

pub(super) const FUNCTIONS: [&str; 6] = [
    "function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "generator_function_declaration",
    "generator_function",
];
/// Functions around a name that are looked at.
const NESTED_MAX: usize = 64;
/// Functions that end before a name and are left behind on the way to those around it.
const HOPS_MAX: usize = 1_000;
/// What one name is given, and what is set in it.
const GIVEN_MAX: usize = 50;
/// Parts of one pattern.
const PATTERN_MAX: usize = 300;
/// Properties on the way to a value.
pub(super) const PATH_MAX: usize = 8;

/// What a name was given: a value, or what is found in it.
#[derive(Clone, Debug)]
pub(super) struct Given<'t> {
    pub value: Node<'t>,
    /// Properties of the value on the way, outermost first.
    pub path: Vec<&'t str>,
    /// Properties that were taken out of what is left.
    pub without: Vec<&'t str>,
    /// Where the last property of the path is named.
    pub named: Option<Node<'t>>,
}

/// The names of one function, or of the module outside all functions.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope<'t> {
    /// A parameter was given nothing that is known.
    pub given: HashMap<&'t str, Vec<Given<'t>>>,
    /// Properties that are deleted from what a name holds.
    pub deleted: HashMap<&'t str, Vec<&'t str>>,
    /// Properties that are set in it later, and their values.
    pub set: HashMap<&'t str, Vec<(Node<'t>, Node<'t>)>>,
}

struct Function<'t> {
    range: Range<usize>,
    parent: usize,
    node: Node<'t>,
    scope: Option<Scope<'t>>,
}

/// All functions of a module; the first is the module.
pub(super) struct Scopes<'t> {
    text: &'t [u8],
    functions: Vec<Function<'t>>,
}

impl<'t> Scopes<'t> {
    pub fn new(text: &'t [u8], root: Node<'t>) -> Self {
        let mut functions = vec![Function { range: 0..text.len() + 1, parent: 0, node: root, scope: None }];
        let mut around = vec![0];
        visit(root, &mut |node| {
            if FUNCTIONS.contains(&node.kind()) {
                let start = node.start_byte();
                let ends = |&&at: &&usize| functions[at].range.end <= start;
                let ended = around.iter().rev().take_while(ends).count();
                around.truncate((around.len() - ended).max(1));
                let parent = around.last().copied().unwrap_or(0);
                around.push(functions.len());
                functions.push(Function { range: node.byte_range(), parent, node, scope: None });
            }
            true
        });
        Self { text, functions }
    }

    /// The innermost scope around `at` that knows `name`.
    pub fn of(&mut self, name: &str, at: usize) -> Option<&Scope<'t>> {
        let mut index = self.innermost(at)?;
        for _ in 0..NESTED_MAX {
            if self.scope(index).given.contains_key(name) {
                return Some(self.scope(index));
            }
            if index == 0 {
                return None;
            }
            index = self.functions[index].parent;
        }
        None
    }

    /// Notes that the parameter `pattern` of `function` was given `value`.
    pub fn give(&mut self, function: Node<'t>, pattern: Node<'t>, value: Node<'t>) {
        let Some(index) = self.innermost(function.start_byte()) else { return };
        let text = self.text;
        bind(text, pattern, Some(value), self.scope(index));
    }

    fn innermost(&self, at: usize) -> Option<usize> {
        let mut index = self.functions.partition_point(|one| one.range.start <= at).checked_sub(1)?;
        for _ in 0..HOPS_MAX {
            if index == 0 || self.functions[index].range.contains(&at) {
                return Some(index);
            }
            index = self.functions[index].parent;
        }
        None
    }

    fn scope(&mut self, index: usize) -> &mut Scope<'t> {
        let (text, node) = (self.text, self.functions[index].node);
        self.functions[index].scope.get_or_insert_with(|| scope(text, node))
    }
}

/// The patterns of the parameters of `function`.
pub(super) fn parameters(function: Node<'_>) -> Vec<Node<'_>> {
    if let Some(one) = function.child_by_field_name("parameter") {
        return vec![one];
    }
    let all = function.child_by_field_name("parameters").map(named).unwrap_or_default();
    all.into_iter().map(|one| one.child_by_field_name("pattern").unwrap_or(one)).collect()
}

/// What `function` returns.
pub(super) fn returns(function: Node<'_>) -> Vec<Node<'_>> {
    let Some(body) = function.child_by_field_name("body") else { return Vec::new() };
    if body.kind() != "statement_block" {
        return vec![body];
    }
    let mut returns = Vec::new();
    visit(body, &mut |node| {
        if FUNCTIONS.contains(&node.kind()) {
            return false;
        }
        if node.kind() == "return_statement" {
            returns.extend(node.named_child(0));
        }
        true
    });
    returns
}

/// The names that `function` declares itself.
fn scope<'t>(text: &'t [u8], function: Node<'t>) -> Scope<'t> {
    let mut scope = Scope::default();
    if FUNCTIONS.contains(&function.kind()) {
        for pattern in parameters(function) {
            bind(text, pattern, None, &mut scope);
        }
    }
    visit(function, &mut |node| {
        if node != function && FUNCTIONS.contains(&node.kind()) {
            if let Some(name) = node.child_by_field_name("name").filter(|_| node.kind() != "method_definition") {
                bind(text, name, Some(node), &mut scope);
            }
            return false;
        }
        declare(text, node, &mut scope);
        true
    });
    scope
}

/// What the statement or expression `node` says of names.
fn declare<'t>(text: &'t [u8], node: Node<'t>, scope: &mut Scope<'t>) {
    let field = |name: &str| node.child_by_field_name(name);
    match node.kind() {
        "variable_declarator" => {
            if let Some(name) = field("name") {
                bind(text, name, field("value"), scope);
            }
        }
        "assignment_expression" => {
            let (Some(left), Some(right)) = (field("left"), field("right")) else { return };
            if let Some((name, property)) = property(text, left) {
                let set = scope.set.entry(name).or_default();
                if set.len() < GIVEN_MAX {
                    set.push((property, right));
                }
            } else if matches!(left.kind(), "identifier" | "object_pattern" | "array_pattern") {
                bind(text, left, Some(right), scope);
            }
        }
        "unary_expression" if field("operator").is_some_and(|one| one.kind() == "delete") => {
            if let Some((name, taken)) = field("argument").and_then(|one| property(text, one)) {
                let deleted = scope.deleted.entry(name).or_default();
                if deleted.len() < GIVEN_MAX {
                    deleted.push(text_of(text, taken));
                }
            }
        }
        _ => {}
    }
}

/// The name and the property of `name.property`.
fn property<'t>(text: &'t [u8], node: Node<'t>) -> Option<(&'t str, Node<'t>)> {
    let object = node.child_by_field_name("object").filter(|one| one.kind() == "identifier")?;
    Some((text_of(text, object), node.child_by_field_name("property")?))
}

/// A pattern, the way to what it takes, what is taken out of that, and where it is named.
type Taken<'t> = (Node<'t>, Vec<&'t str>, Vec<&'t str>, Option<Node<'t>>);

/// Notes what the names in `pattern` take of `value`.
fn bind<'t>(text: &'t [u8], pattern: Node<'t>, value: Option<Node<'t>>, scope: &mut Scope<'t>) {
    let mut open: Vec<Taken<'t>> = vec![(pattern, Vec::new(), Vec::new(), None)];
    while let Some((node, path, without, named)) = open.pop() {
        if path.len() > PATH_MAX {
            continue;
        }
        let below = |name: &'t str| path.iter().copied().chain([name]).collect::<Vec<&'t str>>();
        match node.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => {
                let is_short = node.kind() != "identifier";
                let name = text_of(text, node);
                let path = if is_short { below(name) } else { path };
                let named = if is_short { Some(node) } else { named };
                let given = scope.given.entry(name).or_default();
                let has_room = given.len() < GIVEN_MAX;
                given.extend(value.filter(|_| has_room).map(|value| Given { value, path, without, named }));
            }
            "object_pattern" => {
                let mut taken = Vec::new();
                for part in children(node).into_iter().take(PATTERN_MAX) {
                    let key = part.child_by_field_name("key");
                    match part.kind() {
                        "pair_pattern" => {
                            let name = key.map_or("", |key| text_of(text, key)).trim_matches(['"', '\'']);
                            taken.push(name);
                            let inner = part.child_by_field_name("value");
                            open.extend(inner.map(|inner| (inner, below(name), Vec::new(), key)));
                        }
                        "rest_pattern" => {
                            open.extend(part.named_child(0).map(|rest| (rest, path.clone(), taken.clone(), None)));
                        }
                        _ => {
                            let short = part.child_by_field_name("left").unwrap_or(part);
                            taken.push(text_of(text, short));
                            open.push((short, path.clone(), Vec::new(), None));
                        }
                    }
                }
            }
            "array_pattern" => {
                let parts = children(node).into_iter().filter(Node::is_named).zip(INDICES);
                open.extend(parts.map(|(part, index)| (part, below(index), Vec::new(), None)));
            }
            "assignment_pattern" => {
                open.extend(node.child_by_field_name("left").map(|left| (left, path, without, named)));
            }
            _ => {}
        }
    }
}

const INDICES: [&str; 6] = ["0", "1", "2", "3", "4", "5"];
