//! What the server loaders of a module return, and what the rest of it reads.

use super::{children, parse, text_of, visit};
use std::collections::HashMap;
use std::ops::Range;
use tree_sitter::Node;

/// Calls that wrap what is returned and send it on.
const RESPONSES: [&str; 10] = [
    "json",
    "data",
    "defer",
    "typedjson",
    "superjson",
    "Response.json",
    "NextResponse.json",
    "Object.assign",
    "String",
    "Promise.resolve",
];
/// Hooks that hand a loader's result to a component.
const HOOKS: [&str; 4] = ["useLoaderData", "useActionData", "useRouteLoaderData", "useTypedLoaderData"];
const FUNCTIONS: [&str; 6] = [
    "function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "generator_function_declaration",
    "generator_function",
];
/// Expressions followed in one module.
const STEPS_MAX: usize = 20_000;
/// Expressions of a name that are followed.
const HOLDERS: [&str; 8] = [
    "object",
    "member_expression",
    "ternary_expression",
    "binary_expression",
    "non_null_expression",
    "as_expression",
    "template_string",
    "parenthesized_expression",
];

/// A field that a loader returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Field {
    pub name: String,
    pub range: Range<usize>,
    /// The loader; none where the component reads it of what the loader returned whole.
    pub loader: Option<String>,
}

/// Fields whose name `says_secret`, of what the exports called `names` return.
pub(in super::super) fn returned(
    text: &[u8],
    is_plain: bool,
    names: &[&str],
    says_secret: &dyn Fn(&str) -> bool,
) -> Vec<Field> {
    let Some(tree) = parse(text, is_plain) else { return Vec::new() };
    let module = given(text, tree.root_node());
    let (body, loader, found) = (HashMap::new(), String::new(), Vec::new());
    let mut search = Search { text, says_secret, module, body, steps: STEPS_MAX, loader, found };
    let mut has_loader = false;
    let mut rest = Vec::new();
    for node in children(tree.root_node()) {
        let loaders: Vec<(&str, Node<'_>)> =
            functions(text, node).into_iter().filter(|(name, _)| names.contains(name)).collect();
        if loaders.is_empty() || node.kind() != "export_statement" {
            rest.push(node);
        }
        for (name, function) in loaders.into_iter().filter(|_| node.kind() == "export_statement") {
            has_loader = true;
            search.loader = name.into();
            search.function(function);
        }
    }
    let has_hook = HOOKS.iter().any(|hook| memchr::memmem::find(text, hook.as_bytes()).is_some());
    if has_loader && has_hook {
        for node in rest {
            search.read(node);
        }
    }
    search.found
}

/// The functions that `node` declares, with their names.
fn functions<'t, 'n>(text: &'t [u8], node: Node<'n>) -> Vec<(&'t str, Node<'n>)> {
    let mut found = Vec::new();
    for declaration in std::iter::once(node).chain(children(node)) {
        match declaration.kind() {
            "function_declaration" => {
                let name = declaration.child_by_field_name("name");
                found.extend(name.map(|name| (text_of(text, name), declaration)));
            }
            "lexical_declaration" | "variable_declaration" => {
                found.extend(children(declaration).into_iter().filter_map(|one| {
                    Some((text_of(text, one.child_by_field_name("name")?), one.child_by_field_name("value")?))
                }));
            }
            _ => {}
        }
    }
    found
}

/// What names were given that a block declares, as far as that may be a secret or hold one; the first counts.
fn given<'t>(text: &'t [u8], block: Node<'t>) -> HashMap<&'t str, Node<'t>> {
    let mut given = HashMap::new();
    let declared = children(block).into_iter().filter(|one| one.kind() == "lexical_declaration").flat_map(children);
    for one in declared {
        let (Some(name), Some(value)) = (one.child_by_field_name("name"), one.child_by_field_name("value")) else {
            continue;
        };
        if HOLDERS.contains(&value.kind()) {
            given.entry(text_of(text, name)).or_insert(value);
        }
    }
    given
}

struct Search<'s> {
    text: &'s [u8],
    says_secret: &'s dyn Fn(&str) -> bool,
    /// What names of the module were given, and those of the function that is looked at.
    module: HashMap<&'s str, Node<'s>>,
    body: HashMap<&'s str, Node<'s>>,
    /// Expressions that may still be followed.
    steps: usize,
    loader: String,
    found: Vec<Field>,
}

impl<'s> Search<'s> {
    /// Everything that `function`, or the function given to a call there, returns.
    fn function(&mut self, node: Node<'s>) {
        let mut function = node;
        while !FUNCTIONS.contains(&function.kind()) {
            let next = match function.kind() {
                "call_expression" => function
                    .child_by_field_name("arguments")
                    .and_then(|all| children(all).into_iter().find(|one| FUNCTIONS.contains(&one.kind()))),
                _ => function.named_child(0),
            };
            let Some(next) = next else { return };
            function = next;
        }
        let Some(body) = function.child_by_field_name("body") else { return };
        self.body = given(self.text, body);
        if body.kind() != "statement_block" {
            return self.returned(body);
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
        for value in returns {
            self.returned(value);
        }
    }

    /// Looks at `value`, which is returned.
    fn returned(&mut self, value: Node<'s>) {
        let mut open = vec![value];
        while let Some(node) = open.pop() {
            if self.steps == 0 {
                return;
            }
            self.steps -= 1;
            match node.kind() {
                "parenthesized_expression"
                | "await_expression"
                | "as_expression"
                | "satisfies_expression"
                | "spread_element"
                | "array"
                | "object"
                | "non_null_expression"
                | "template_string"
                | "template_substitution"
                | "sequence_expression" => {
                    open.extend(children(node).into_iter().filter(Node::is_named));
                }
                "ternary_expression" => {
                    open.extend(
                        ["consequence", "alternative"].iter().filter_map(|name| node.child_by_field_name(name)),
                    );
                }
                "binary_expression" => {
                    let operator = node.child_by_field_name("operator").map_or("", |one| one.kind());
                    // What stands before `&&` is returned only where it is nothing.
                    let sides: &[&str] = match operator {
                        "&&" => &["right"],
                        "||" | "??" | "+" => &["left", "right"],
                        _ => &[],
                    };
                    open.extend(sides.iter().filter_map(|name| node.child_by_field_name(name)));
                }
                "call_expression" => {
                    let function = node.child_by_field_name("function").map_or("", |one| text_of(self.text, one));
                    let arguments = node.child_by_field_name("arguments").filter(|_| RESPONSES.contains(&function));
                    open.extend(arguments.and_then(|all| all.named_child(0)));
                }
                "pair" => open.extend(self.pair(node)),
                "shorthand_property_identifier" => {
                    self.note(node, node);
                    open.extend(self.named(node));
                }
                "identifier" => open.extend(self.named(node)),
                "member_expression" => {
                    if let Some(property) = node.child_by_field_name("property") {
                        self.note(property, node);
                    }
                }
                _ => {}
            }
        }
    }

    /// Notes a field by its key; gives its value where that may hold more.
    fn pair<'n>(&mut self, node: Node<'n>) -> Option<Node<'n>> {
        let (key, value) = (node.child_by_field_name("key")?, node.child_by_field_name("value")?);
        let is_plain = matches!(
            value.kind(),
            "identifier"
                | "member_expression"
                | "await_expression"
                | "call_expression"
                | "as_expression"
                | "string"
                | "binary_expression"
                | "non_null_expression"
                | "subscript_expression"
                | "ternary_expression"
        );
        let called = value.child_by_field_name("function").map_or("", |one| text_of(self.text, one));
        if is_plain && !matches!(called, "Boolean" | "Number" | "String.prototype.slice" | "mask" | "redact") {
            let name = text_of(self.text, key).trim_matches(['"', '\'']);
            if (self.says_secret)(name) {
                self.add(name.to_owned(), key.byte_range());
                return None;
            }
        }
        Some(value)
    }

    /// What a name was given.
    fn named(&self, name: Node<'_>) -> Option<Node<'s>> {
        let name = text_of(self.text, name);
        self.body.get(name).or_else(|| self.module.get(name)).copied()
    }

    fn note(&mut self, name: Node<'_>, whole: Node<'_>) {
        let text = text_of(self.text, name);
        if (self.says_secret)(text) {
            self.add(text.to_owned(), whole.byte_range());
        }
    }

    fn add(&mut self, name: String, range: Range<usize>) {
        let loader = Some(self.loader.clone()).filter(|loader| !loader.is_empty());
        self.found.push(Field { name, range, loader });
    }

    /// Fields that a component reads of what its loader returned whole.
    fn read(&mut self, node: Node<'_>) {
        self.loader.clear();
        let mut reads = Vec::new();
        visit(node, &mut |node| {
            if node.kind() == "member_expression" {
                let object = node.child_by_field_name("object").map_or("", |one| text_of(self.text, one));
                let property = node.child_by_field_name("property").filter(|_| !object.ends_with("env"));
                reads.extend(property);
            }
            true
        });
        for property in reads {
            self.note(property, property);
        }
    }
}
