//! What one JavaScript or TypeScript module imports and exports, and which of its imports client code is left with.
//!
//! The one home of the parser. It does not recurse, and its steps are counted: a module that takes far more of them than
//! code does is not read, and says so. A broken one gives what could be read of it.

mod aliases;
mod called;
mod effects;
mod handed;
mod parts;
mod scope;
mod scripts;
mod units;
mod values;

pub(super) use aliases::{Aliases, Find, Place, aliases};
pub(super) use handed::{Handed, Way, handed};
pub(super) use parts::returned;
pub(super) use scripts::scripts;

use std::ops::{ControlFlow, Range};
use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

/// Steps of the parser that are taken for a module, and for each of its bytes; code takes a hundredth a byte.
const STEPS_MAX: usize = 1_000;
const BYTES_A_STEP: usize = 30;

/// What an importer takes of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Anything: a namespace, a side effect, a `require` or `import()`.
    All,
    /// These exports.
    Some(Vec<String>),
    /// Exports handed on under names of its own: theirs, its.
    Passed(Vec<(String, String)>),
    /// Every export but the default, handed on.
    Star,
}

/// One import that is no import of types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// As written.
    pub specifier: String,
    /// From 1.
    pub line: u64,
    pub names: Names,
    /// What stands behind the last literal piece is filled in at run time.
    pub is_open: bool,
    /// It names every file that this matches; the specifier is empty, or what is literal of a path that is open.
    pub glob: Option<Glob>,
    /// Only code that the framework does not ship uses it.
    pub is_stripped: bool,
}

/// Files named by patterns, as `import.meta.glob` and `require.context` do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Glob {
    /// As written; one that starts with `!` takes files away.
    pub patterns: Vec<String>,
    /// A regular expression that the path from `./` on must hold.
    pub filter: Option<String>,
}

/// What a module imports and exports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Module {
    /// Imports of values, in order.
    pub edges: Vec<Edge>,
    /// Names it exports, but for those behind `export *`.
    pub exports: Vec<String>,
    /// Whether it hands on everything of another.
    pub has_star: bool,
    /// Whether loading it does more than declare something.
    pub has_effects: bool,
    /// Whether it takes more to read than code does, and was not read.
    pub is_unread: bool,
}

/// How a module is written and built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect<'d> {
    /// TypeScript without JSX.
    pub is_plain: bool,
    /// An import that nothing uses is left out by the compiler.
    pub elides: bool,
    /// Exports that the framework takes out of what it ships.
    pub stripped: &'d [&'d str],
}

/// The imports and exports in `text`.
pub(super) fn module(text: &[u8], dialect: Dialect<'_>) -> Module {
    let Some(tree) = parse(text, dialect.is_plain) else {
        return Module { is_unread: true, ..Module::default() };
    };
    units::read(text, tree.root_node(), dialect)
}

/// The parts of `text` that the framework takes out of what it ships.
pub(super) fn stripped(text: &[u8], dialect: Dialect<'_>) -> Vec<Range<usize>> {
    let Some(tree) = parse(text, dialect.is_plain) else { return Vec::new() };
    units::stripped(text, tree.root_node(), dialect)
}

/// `text` as a tree; none if it takes too many steps, of which a broken one is given fewer: mending is what takes long.
fn parse(text: &[u8], is_plain: bool) -> Option<Tree> {
    let mut parser = Parser::new();
    let language =
        if is_plain { tree_sitter_typescript::LANGUAGE_TYPESCRIPT } else { tree_sitter_typescript::LANGUAGE_TSX };
    parser.set_language(&language.into()).ok()?;
    let mut steps = 0;
    let mut count = |state: &ParseState| {
        steps += 1;
        let most = if state.has_error() { STEPS_MAX } else { STEPS_MAX + text.len() / BYTES_A_STEP };
        if steps > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut count);
    parser.parse_with_options(&mut |at, _| text.get(at..).unwrap_or_default(), None, Some(options))
}

/// The text of `node`.
fn text_of<'t>(text: &'t [u8], node: Node<'_>) -> &'t str {
    text.get(node.byte_range()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The text of a string literal without its quotes.
fn unquoted<'t>(text: &'t [u8], node: Node<'_>) -> &'t str {
    text_of(text, node).trim_matches(['"', '\'', '`'])
}

/// Visits `node` and everything below it in order; what `enter` refuses is not gone into.
fn visit<'t>(node: Node<'t>, enter: &mut dyn FnMut(Node<'t>) -> bool) {
    let mut cursor = node.walk();
    loop {
        if enter(cursor.node()) && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// The line of `node`, from 1.
fn line(node: Node<'_>) -> u64 {
    node.start_position().row as u64 + 1
}

/// The children of `node`.
fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// The children of `node` that are no punctuation and no comment.
fn named(node: Node<'_>) -> Vec<Node<'_>> {
    children(node).into_iter().filter(|one| one.is_named() && one.kind() != "comment").collect()
}

/// Whether `node` has a child of `kind`.
fn has(node: Node<'_>, kind: &str) -> bool {
    children(node).iter().any(|child| child.kind() == kind)
}
