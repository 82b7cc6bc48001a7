//! What the server loaders of a module return, and what the rest of it reads.

use super::scope::FUNCTIONS;
use super::values::Values;
use super::{Dialect, children, parse, text_of, units, unquoted, visit};
use std::collections::BTreeSet;
use std::ops::Range;
use tree_sitter::Node;

/// Hooks and properties that hand a loader's result to a component, and loaders whose result a page gets as properties.
const HANDED: [&str; 8] = [
    "useLoaderData",
    "useActionData",
    "useRouteLoaderData",
    "useTypedLoaderData",
    "loaderData",
    "getServerSideProps",
    "getStaticProps",
    "getServerData",
];

/// Bytes of an expression in which the name it starts with ends.
const NAME_BYTES: usize = 200;

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
    let root = tree.root_node();
    let mut values = Values::new(text, root, says_secret);
    let mut found = Vec::new();
    let loaders = loaders(text, root, names);
    for (name, function) in &loaders {
        values.returned(*function);
        let fields = std::mem::take(&mut values.fields).into_iter();
        found.extend(fields.map(|(field, range)| Field { name: field, range, loader: Some((*name).into()) }));
    }
    let is_handed = || HANDED.iter().any(|hook| memchr::memmem::find(text, hook.as_bytes()).is_some());
    if !loaders.is_empty() && is_handed() {
        let dialect = Dialect { is_plain, elides: false, stripped: names };
        let stripped = units::stripped(text, root, dialect);
        let reads = reads(text, root, &stripped).into_iter().filter(|node| says_secret(text_of(text, *node)));
        found.extend(reads.map(|node| {
            let (name, range) = (text_of(text, node).to_owned(), node.byte_range());
            Field { name, range, loader: None }
        }));
    }
    found
}

/// The functions that a module exports under one of `names`, or gives to a call that keeps them on the server.
pub(super) fn loaders<'t>(text: &'t [u8], root: Node<'t>, names: &[&str]) -> Vec<(&'t str, Node<'t>)> {
    let tops = children(root);
    let mut listed: Vec<(&str, &str)> = Vec::new();
    for clause in tops.iter().flat_map(|node| children(*node)).filter(|node| node.kind() == "export_clause") {
        for one in children(clause) {
            let Some(name) = one.child_by_field_name("name") else { continue };
            let own = one.child_by_field_name("alias").unwrap_or(name);
            listed.push((unquoted(text, name), unquoted(text, own)));
        }
    }
    let mut found = Vec::new();
    for node in tops {
        let is_export = node.kind() == "export_statement";
        for (name, function) in functions(text, node) {
            let own = listed.iter().find(|(local, _)| *local == name).map(|(_, own)| *own);
            let exported = if is_export { Some(name) } else { own };
            let is_loader = exported.is_some_and(|name| names.contains(&name));
            if is_loader || units::is_server_call(text, function) {
                found.extend(bodies(function).into_iter().map(|body| (exported.unwrap_or(name), body)));
            }
        }
    }
    found
}

/// What `node` declares, with the names.
fn functions<'t>(text: &'t [u8], node: Node<'t>) -> Vec<(&'t str, Node<'t>)> {
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

/// The function that `node` is, or that is given to a call there; of a table of functions, each.
fn bodies(node: Node<'_>) -> Vec<Node<'_>> {
    let is_function = |one: &Node<'_>| FUNCTIONS.contains(&one.kind());
    let mut function = node;
    while !is_function(&function) {
        let next = match function.kind() {
            "call_expression" => {
                function.child_by_field_name("arguments").and_then(|all| children(all).into_iter().find(is_function))
            }
            "object" => {
                let members = children(function).into_iter();
                return members
                    .map(|one| one.child_by_field_name("value").unwrap_or(one))
                    .filter(is_function)
                    .collect();
            }
            _ => function.named_child(0),
        };
        let Some(next) = next else { return Vec::new() };
        function = next;
    }
    vec![function]
}

/// Properties that components read, and what they take out of what their loader returned whole; what is `stripped` is no
/// component's.
fn reads<'t>(text: &'t [u8], root: Node<'t>, stripped: &[Range<usize>]) -> Vec<Node<'t>> {
    let mut reads: Vec<Node<'t>> = Vec::new();
    let mut handed: BTreeSet<&str> = BTreeSet::new();
    visit(root, &mut |node| {
        let behind = stripped.partition_point(|part| part.start <= node.start_byte());
        if node != root && stripped[..behind].last().is_some_and(|part| part.contains(&node.start_byte())) {
            return false;
        }
        match node.kind() {
            "member_expression" => {
                let object = node.child_by_field_name("object").map(|one| one.byte_range()).unwrap_or_default();
                let is_environment = text.get(object).is_some_and(|object| object.ends_with(b"env"));
                reads.extend(node.child_by_field_name("property").filter(|_| !is_environment));
            }
            "variable_declarator" => {
                let (Some(name), Some(value)) = (node.child_by_field_name("name"), node.child_by_field_name("value"))
                else {
                    return true;
                };
                let end = value.end_byte().min(value.start_byte() + NAME_BYTES);
                let value = text.get(value.start_byte()..end).unwrap_or_default();
                let first = value.split(|byte| b".(<?! ".contains(byte)).next().unwrap_or_default();
                let first = std::str::from_utf8(first).unwrap_or_default();
                if HANDED.contains(&first) || handed.contains(first) {
                    take(text, name, &mut handed, &mut reads);
                }
            }
            // A component's properties.
            "required_parameter" => {
                let pattern = node.child_by_field_name("pattern").filter(|one| one.kind() == "object_pattern");
                if let Some(pattern) = pattern {
                    take(text, pattern, &mut handed, &mut reads);
                }
            }
            _ => {}
        }
        true
    });
    reads
}

/// What `pattern` takes out of what it is given, and the names it gives that.
fn take<'t>(text: &'t [u8], pattern: Node<'t>, handed: &mut BTreeSet<&'t str>, reads: &mut Vec<Node<'t>>) {
    visit(pattern, &mut |part| {
        match part.kind() {
            "identifier" => {
                handed.insert(text_of(text, part));
            }
            "shorthand_property_identifier_pattern" => {
                handed.insert(text_of(text, part));
                reads.push(part);
            }
            "property_identifier" => reads.push(part),
            "type_annotation" => return false,
            _ => {}
        }
        true
    });
}
