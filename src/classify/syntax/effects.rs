//! Whether a module does something when it is loaded, and not only declares: then a bundler keeps it for that, whatever is
//! taken of it.
//!
//! As bundlers judge it: a call is an effect unless it is known or marked as pure. What functions and classes hold is no effect.

use super::{children, text_of, visit};
use tree_sitter::Node;

/// Calls that bundlers know to do nothing else.
const PURE: [&str; 16] = [
    "Object.freeze",
    "Object.keys",
    "Object.values",
    "Object.entries",
    "Object.fromEntries",
    "Array.from",
    "Array.of",
    "Symbol",
    "Symbol.for",
    "String",
    "Number",
    "Boolean",
    "Map",
    "Set",
    "WeakMap",
    "WeakSet",
];
/// What is run later, or holds nothing that runs.
const LATER: [&str; 12] = [
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "generator_function",
    "arrow_function",
    "method_definition",
    "class_declaration",
    "abstract_class_declaration",
    "interface_declaration",
    "type_alias_declaration",
    "ambient_declaration",
    "import_statement",
];

/// Whether loading the statement `node` does something.
pub(super) fn has_effects(text: &[u8], node: Node<'_>) -> bool {
    match node.kind() {
        "comment" | "empty_statement" | "hash_bang_line" => return false,
        "export_statement" | "lexical_declaration" | "variable_declaration" | "expression_statement" => {}
        kind if LATER.contains(&kind) || kind == "enum_declaration" => return false,
        _ => return true,
    }
    let mut found = false;
    visit(node, &mut |node| {
        if found || LATER.contains(&node.kind()) {
            return false;
        }
        found |= match node.kind() {
            "call_expression" | "new_expression" => !is_pure(text, node),
            "assignment_expression" | "augmented_assignment_expression" | "update_expression" | "await_expression" => {
                true
            }
            "unary_expression" => children(node).first().is_some_and(|sign| sign.kind() == "delete"),
            _ => false,
        };
        true
    });
    found
}

/// Whether the call `node` is known to do nothing else, or said to.
fn is_pure(text: &[u8], node: Node<'_>) -> bool {
    let called = node.child_by_field_name("function").or_else(|| node.child_by_field_name("constructor"));
    let is_known = called.is_some_and(|called| PURE.contains(&text_of(text, called)));
    let before = text[..node.start_byte()].trim_ascii_end();
    let comment = &before[before.len().saturating_sub(24)..];
    let is_marked = before.ends_with(b"*/") && memchr::memmem::find(comment, b"__PURE__").is_some();
    is_known || is_marked
}
