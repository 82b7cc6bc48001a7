//! What code that runs on a server sends to clients: what it writes into markup, what its loaders return, and what it gives
//! to components as properties.

use super::parts::loaders;
use super::values::Values;
use super::{children, parse, text_of, unquoted, visit};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use tree_sitter::Node;

/// Components that write what they are given into the page.
const WRITING: [&str; 4] = ["Script", "Html", "Head", "Body"];
/// Properties that are the renderer's own, and never written.
const UNWRITTEN: [&str; 2] = ["key", "ref"];
/// What draws markup as a picture.
const DRAWING: [&str; 2] = ["ImageResponse", "satori"];
/// Methods of a response that render a view with variables.
const RENDERING: [&str; 3] = ["res.render", "reply.view", "ctx.render"];

/// How a literal leaves the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Way {
    /// It is written into this element.
    Markup(String),
    /// This loader returns it.
    Loader(String),
    /// This component is given it, from the module of this name.
    Property { component: String, module: String },
    /// A view is given it.
    View,
}

/// A literal that leaves the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Handed {
    pub range: Range<usize>,
    pub way: Way,
}

/// The literals of `text` that leave the server; `names` are the exports that return something to the client.
pub(in super::super) fn handed(text: &[u8], is_plain: bool, names: &[&str]) -> Vec<Handed> {
    let Some(tree) = parse(text, is_plain) else { return Vec::new() };
    let root = tree.root_node();
    let nothing = |_: &str| false;
    let mut sinks =
        Sinks { text, values: Values::new(text, root, &nothing), found: Vec::new(), imports: imports(text, root) };
    for (name, function) in loaders(text, root, names) {
        sinks.values.returned(function);
        sinks.take(&Way::Loader(name.into()));
    }
    // What is drawn as a picture is no markup that anybody is sent.
    let is_drawn = DRAWING.iter().any(|name| memchr::memmem::find(text, name.as_bytes()).is_some());
    let (mut elements, mut calls) = (Vec::new(), Vec::new());
    visit(root, &mut |node| {
        match node.kind() {
            "jsx_element" | "jsx_self_closing_element" if !is_drawn => elements.push(node),
            "call_expression" => calls.push(node),
            _ => {}
        }
        true
    });
    for element in elements {
        sinks.element(element);
    }
    for call in calls {
        sinks.view(call);
    }
    sinks.found
}

/// Where the names that a module imports are from; not types.
fn imports<'t>(text: &'t [u8], root: Node<'t>) -> BTreeMap<&'t str, &'t str> {
    let mut imports = BTreeMap::new();
    for statement in children(root).into_iter().filter(|node| node.kind() == "import_statement") {
        let Some(source) = statement.child_by_field_name("source") else { continue };
        for clause in children(statement).into_iter().filter(|node| node.kind() == "import_clause") {
            visit(clause, &mut |node| {
                if node.kind() == "identifier" {
                    imports.insert(text_of(text, node), unquoted(text, source));
                }
                true
            });
        }
    }
    imports
}

struct Sinks<'s> {
    text: &'s [u8],
    values: Values<'s>,
    found: Vec<Handed>,
    /// Names, and the modules they are from.
    imports: BTreeMap<&'s str, &'s str>,
}

impl<'s> Sinks<'s> {
    /// Notes that what was just followed leaves by `way`.
    fn take(&mut self, way: &Way) {
        let literals: BTreeSet<(usize, usize)> =
            std::mem::take(&mut self.values.literals).into_iter().map(|range| (range.start, range.end)).collect();
        self.found.extend(literals.into_iter().map(|(start, end)| Handed { range: start..end, way: way.clone() }));
    }

    fn element(&mut self, element: Node<'s>) {
        let opening = element.child_by_field_name("open_tag").unwrap_or(element);
        let name = opening.child_by_field_name("name").map_or("", |name| text_of(self.text, name));
        let written = Way::Markup(name.chars().take(80).collect());
        for child in children(element) {
            match child.kind() {
                "jsx_text" => self.found.push(Handed { range: child.byte_range(), way: written.clone() }),
                "jsx_expression" if opening != element => {
                    self.values.sent(child);
                    self.take(&written);
                }
                _ => {}
            }
        }
        let is_written = !name.starts_with(|first: char| first.is_uppercase()) || WRITING.contains(&name);
        let module = self.imports.get(name.split('.').next().unwrap_or(name)).copied();
        let way = match module {
            _ if is_written => written,
            Some(module) => Way::Property { component: name.into(), module: module.into() },
            None => return,
        };
        for attribute in
            children(opening).into_iter().filter(|one| matches!(one.kind(), "jsx_attribute" | "jsx_expression"))
        {
            let Some(first) = attribute.named_child(0) else { continue };
            let is_spread = attribute.kind() == "jsx_expression";
            if !is_spread && UNWRITTEN.contains(&text_of(self.text, first)) {
                continue;
            }
            let value = if is_spread { Some(first) } else { attribute.named_child(1) };
            if let Some(value) = value {
                self.values.sent(value);
            }
            self.take(&way);
        }
    }

    /// A call that renders a view with variables.
    fn view(&mut self, call: Node<'s>) {
        let function = call.child_by_field_name("function").filter(|one| one.byte_range().len() < 20);
        let called = function.map_or("", |one| text_of(self.text, one));
        if !RENDERING.contains(&called) {
            return;
        }
        let arguments = call.child_by_field_name("arguments").map(children).unwrap_or_default();
        if let Some(variables) = arguments.into_iter().filter(Node::is_named).nth(1) {
            self.values.sent(variables);
            self.take(&Way::View);
        }
    }
}
