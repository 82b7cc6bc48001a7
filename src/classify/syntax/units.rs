//! The statements of a module, what each declares and uses, and which are left when server code is taken out.
//!
//! Names are matched without scopes: a shadowed name counts as a use, which can only keep an import.

use super::effects::has_effects;
use super::{Dialect, Edge, Glob, Module, Names, children, has, line, named, text_of, unquoted, visit};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use tree_sitter::Node;

/// Nodes whose names are types, or are read elsewhere.
const TYPES: [&str; 9] = [
    "type_annotation",
    "type_arguments",
    "type_parameters",
    "type_query",
    "nested_type_identifier",
    "interface_declaration",
    "type_alias_declaration",
    "ambient_declaration",
    "import_statement",
];
/// Calls whose argument the framework keeps on the server.
const SERVER_CALLS: [&str; 4] = ["routeLoader$", "routeAction$", "globalAction$", "server$"];
/// The longest name that is followed.
const NAME_MAX: usize = 200;

/// One statement at the top of a module.
#[derive(Default)]
struct Unit {
    /// Where it stands.
    range: Range<usize>,
    /// Where functions in it stand that stay on the server.
    server: Vec<Range<usize>>,
    declares: BTreeSet<String>,
    uses: BTreeSet<String>,
    /// What functions in it use that stay on the server.
    server_uses: BTreeSet<String>,
    /// `import()`, `require()` and the like in it.
    edges: Vec<Edge>,
    is_exported: bool,
    /// Whether the framework takes it out.
    is_stripped: bool,
}

/// An import statement: what it binds, and under which exported name.
struct Import {
    edge: Edge,
    /// Local name, and the export it stands for; none for a namespace.
    bindings: Vec<(String, Option<String>)>,
}

/// The parts of a module that are not shipped, in order.
pub(super) fn stripped(text: &[u8], root: Node<'_>, dialect: Dialect<'_>) -> Vec<Range<usize>> {
    let mut module = Module::default();
    let (units, _) = statements(text, root, dialect, &mut module);
    let live = live(&units);
    let parts =
        units.into_iter().zip(live).flat_map(|(unit, is_live)| if is_live { unit.server } else { vec![unit.range] });
    parts.collect()
}

/// Reads the module whose tree starts at `root`.
pub(super) fn read(text: &[u8], root: Node<'_>, dialect: Dialect<'_>) -> Module {
    let mut module = Module::default();
    let (units, imports) = statements(text, root, dialect, &mut module);
    let live = live(&units);
    let users = users(&units);
    let server_uses: BTreeSet<String> = units.iter().flat_map(|unit| unit.server_uses.iter().cloned()).collect();
    for import in imports {
        let is_kept = |name: &String| match users.get(name) {
            None if server_uses.contains(name) => Some(false),
            None => (!dialect.elides).then_some(true),
            Some(users) => Some(users.iter().any(|&user| live[user])),
        };
        module.edges.extend(left(import, &is_kept));
    }
    for (unit, is_live) in units.into_iter().zip(live) {
        module
            .edges
            .extend(unit.edges.into_iter().map(|edge| Edge { is_stripped: edge.is_stripped || !is_live, ..edge }));
    }
    module.edges.sort_by_key(|edge| edge.line);
    module
}

/// The statements of a module; what it hands on is noted in `module`.
fn statements(text: &[u8], root: Node<'_>, dialect: Dialect<'_>, module: &mut Module) -> (Vec<Unit>, Vec<Import>) {
    let (mut units, mut imports) = (Vec::new(), Vec::new());
    for node in children(root) {
        module.has_effects = module.has_effects || has_effects(text, node);
        match node.kind() {
            "import_statement" => imports.extend(import(text, node)),
            "export_statement" if node.child_by_field_name("source").is_some() => {
                passed(text, node, dialect, module);
            }
            "export_statement" => exported(text, node, dialect, (&mut units, module)),
            _ => units.push(unit(text, node)),
        }
    }
    (units, imports)
}

fn edge(specifier: &str, node: Node<'_>, names: Names) -> Edge {
    Edge { specifier: specifier.into(), line: line(node), names, is_open: false, glob: None, is_stripped: false }
}

/// An `import` that is not of types alone.
fn import(text: &[u8], node: Node<'_>) -> Option<Import> {
    if has(node, "type") || has(node, "typeof") {
        return None;
    }
    let is_clause = |child: &Node<'_>| matches!(child.kind(), "import_clause" | "import_require_clause");
    let clause = children(node).into_iter().find(is_clause);
    let source = node.child_by_field_name("source").or_else(|| clause?.child_by_field_name("source"))?;
    let edge = edge(unquoted(text, source), node, Names::All);
    let mut bindings = Vec::new();
    let Some(clause) = clause else { return Some(Import { edge, bindings }) };
    for part in children(clause) {
        match part.kind() {
            "identifier" if clause.kind() == "import_clause" => {
                bindings.push((text_of(text, part).into(), Some("default".into())));
            }
            "identifier" => bindings.push((text_of(text, part).into(), None)),
            "namespace_import" => {
                let name = children(part).into_iter().find(|child| child.kind() == "identifier")?;
                bindings.push((text_of(text, name).into(), None));
            }
            "named_imports" => {
                let named = children(part).into_iter().filter_map(|one| specifier(text, one));
                bindings.extend(named.map(|(theirs, own)| (own, Some(theirs))));
            }
            _ => {}
        }
    }
    // `import { type A } from` binds nothing, and nothing of it is left.
    (!bindings.is_empty() || !has(clause, "named_imports")).then_some(Import { edge, bindings })
}

/// A name in braces that is no type: the other module's, and its own.
fn specifier(text: &[u8], node: Node<'_>) -> Option<(String, String)> {
    if !matches!(node.kind(), "import_specifier" | "export_specifier") || has(node, "type") || has(node, "typeof") {
        return None;
    }
    let name = unquoted(text, node.child_by_field_name("name")?).to_owned();
    let own = node.child_by_field_name("alias").map_or_else(|| name.clone(), |alias| unquoted(text, alias).into());
    Some((name, own))
}

/// `export … from`.
fn passed(text: &[u8], node: Node<'_>, dialect: Dialect<'_>, module: &mut Module) {
    let Some(source) = node.child_by_field_name("source").filter(|_| !has(node, "type")) else { return };
    let path = unquoted(text, source);
    for part in children(node) {
        let names = match part.kind() {
            "*" => Names::Star,
            "namespace_export" => {
                let name = children(part).into_iter().rfind(Node::is_named);
                let own = name.map_or_else(String::new, |name| unquoted(text, name).to_owned());
                Names::Passed(vec![("*".into(), own)])
            }
            "export_clause" => {
                let pairs = children(part).into_iter().filter_map(|one| specifier(text, one));
                Names::Passed(pairs.filter(|(_, own)| !dialect.stripped.contains(&own.as_str())).collect())
            }
            _ => continue,
        };
        match &names {
            Names::Star => module.has_star = true,
            Names::Passed(pairs) if pairs.is_empty() => continue,
            Names::Passed(pairs) => module.exports.extend(pairs.iter().map(|(_, own)| own.clone())),
            Names::All | Names::Some(_) => {}
        }
        module.edges.push(edge(path, node, names));
    }
}

/// An `export` of something that stands here.
fn exported(text: &[u8], node: Node<'_>, dialect: Dialect<'_>, (units, module): (&mut Vec<Unit>, &mut Module)) {
    if has(node, "type") {
        return;
    }
    let Some(clause) = children(node).into_iter().find(|child| child.kind() == "export_clause") else {
        let mut unit = unit(text, node);
        let is_stripped = |name: &String| dialect.stripped.contains(&name.as_str());
        unit.is_exported = true;
        unit.is_stripped = !unit.declares.is_empty() && unit.declares.iter().all(is_stripped);
        if has(node, "default") || has(node, "=") {
            module.exports.push("default".into());
        }
        module.exports.extend(unit.declares.iter().cloned());
        units.push(unit);
        return;
    };
    for (local, own) in children(clause).into_iter().filter_map(|one| specifier(text, one)) {
        let is_stripped = dialect.stripped.contains(&own.as_str());
        units.push(Unit { uses: BTreeSet::from([local]), is_exported: true, is_stripped, ..Unit::default() });
        module.exports.push(own);
    }
}

/// Any other statement.
fn unit(text: &[u8], node: Node<'_>) -> Unit {
    let mut unit = Unit { range: node.byte_range(), ..Unit::default() };
    for declaration in std::iter::once(node).chain(children(node)) {
        declared(text, declaration, &mut unit.declares);
    }
    visit(node, &mut |node| {
        match node.kind() {
            kind if TYPES.contains(&kind) => return false,
            "identifier" | "shorthand_property_identifier" if node.byte_range().len() <= NAME_MAX => {
                unit.uses.insert(text_of(text, node).into());
            }
            "statement_block" if starts_with_use_server(text, node) => return kept_on_server(text, node, &mut unit),
            "call_expression" if is_server_call(text, node) => return kept_on_server(text, node, &mut unit),
            "call_expression" => unit.edges.extend(call(text, node)),
            "new_expression" => unit.edges.extend(url(text, node)),
            _ => {}
        }
        true
    });
    // What a unit declares it names as well, which is no use of it.
    let declares = &unit.declares;
    unit.uses.retain(|name| !declares.contains(name));
    unit
}

/// Notes what code uses that stays on the server; it is not gone into again.
fn kept_on_server(text: &[u8], node: Node<'_>, unit: &mut Unit) -> bool {
    unit.server.push(node.byte_range());
    visit(node, &mut |node| {
        match node.kind() {
            kind if TYPES.contains(&kind) => return false,
            "identifier" | "shorthand_property_identifier" if node.byte_range().len() <= NAME_MAX => {
                unit.server_uses.insert(text_of(text, node).into());
            }
            "call_expression" => {
                unit.edges.extend(call(text, node).map(|edge| Edge { is_stripped: true, ..edge }));
            }
            _ => {}
        }
        true
    });
    false
}

/// The names that `node` declares.
fn declared(text: &[u8], node: Node<'_>, names: &mut BTreeSet<String>) {
    match node.kind() {
        "lexical_declaration" | "variable_declaration" => {
            for one in children(node) {
                let Some(name) = one.child_by_field_name("name") else { continue };
                visit(name, &mut |part| {
                    if matches!(part.kind(), "identifier" | "shorthand_property_identifier_pattern") {
                        names.insert(text_of(text, part).into());
                    }
                    true
                });
            }
        }
        "function_declaration"
        | "generator_function_declaration"
        | "class_declaration"
        | "abstract_class_declaration"
        | "enum_declaration" => {
            names.extend(node.child_by_field_name("name").map(|name| text_of(text, name).to_owned()));
        }
        _ => {}
    }
}

fn starts_with_use_server(text: &[u8], block: Node<'_>) -> bool {
    block.named_child(0).is_some_and(|first| text_of(text, first).trim_matches(['"', '\'', ';']) == "use server")
}

/// Whether the framework keeps what is given to this call on the server.
pub(super) fn is_server_call(text: &[u8], node: Node<'_>) -> bool {
    let Some(function) = node.child_by_field_name("function") else { return false };
    let called = text_of(text, function);
    SERVER_CALLS.contains(&called) || (called.starts_with("createServerFn") && called.ends_with(".handler"))
}

/// `import()`, `require()`, `import.meta.glob()` and `require.context()`.
fn call(text: &[u8], node: Node<'_>) -> Option<Edge> {
    let function = node.child_by_field_name("function").filter(|function| function.byte_range().len() < 30)?;
    let arguments = node.child_by_field_name("arguments")?;
    let argument = named(arguments).into_iter().next()?;
    match text_of(text, function) {
        "import" | "require" => Some(filled(text, argument, node)),
        "require.resolve" => Some(literal(text, argument, node)),
        "import.meta.glob" | "import.meta.globEager" => Some(globbed(text, argument, node)),
        "require.context" => Some(context(text, arguments, node)),
        _ => None,
    }
}

/// `import.meta.glob()`: the files that its patterns match, or what a pattern that is made at run time starts with.
fn globbed(text: &[u8], argument: Node<'_>, node: Node<'_>) -> Edge {
    let all = if argument.kind() == "array" { named(argument) } else { vec![argument] };
    let mut patterns = Vec::new();
    for one in all {
        let found = literal(text, one, node);
        if found.is_open {
            let start = found.specifier.split('*').next().unwrap_or_default().to_owned();
            return Edge { specifier: start, ..found };
        }
        patterns.push(found.specifier);
    }
    Edge { glob: Some(Glob { patterns, filter: None }), ..edge("", node, Names::All) }
}

/// `require.context(folder, whether below it too, expression)`.
fn context(text: &[u8], arguments: Node<'_>, node: Node<'_>) -> Edge {
    let given = named(arguments);
    let found = given.first().map_or_else(|| edge("", node, Names::All), |first| literal(text, *first, node));
    let is_flat = given.get(1).is_some_and(|one| one.kind() == "false");
    let is_literal = given.get(1).is_none_or(|one| matches!(one.kind(), "true" | "false"));
    if found.is_open || !is_literal {
        return Edge { is_open: true, ..found };
    }
    let filter = given.get(2).and_then(|one| one.child_by_field_name("pattern"));
    let filter = filter.map(|one| text_of(text, one).to_owned());
    let below = if is_flat { "*" } else { "**/*" };
    let patterns = vec![format!("{}/{below}", found.specifier.trim_end_matches('/'))];
    Edge { specifier: String::new(), glob: Some(Glob { patterns, filter }), ..found }
}

/// `new URL('./worker.js', import.meta.url)`.
fn url(text: &[u8], node: Node<'_>) -> Option<Edge> {
    let constructor = node.child_by_field_name("constructor")?;
    let arguments = node.child_by_field_name("arguments")?;
    let is_url = text_of(text, constructor) == "URL" && text_of(text, arguments).ends_with("import.meta.url)");
    let argument = arguments.named_child(0).filter(|_| is_url)?;
    Some(literal(text, argument, node)).filter(|edge| !edge.is_open)
}

/// The edge to what `argument` names, as far as it is literal.
fn literal(text: &[u8], argument: Node<'_>, node: Node<'_>) -> Edge {
    let whole = edge("", node, Names::All);
    match argument.kind() {
        "string" => Edge { specifier: unquoted(text, argument).into(), ..whole },
        "template_string" => {
            let inner = unquoted(text, argument);
            let is_open = inner.contains("${");
            Edge { specifier: inner.split("${").next().unwrap_or_default().into(), is_open, ..whole }
        }
        "binary_expression" => {
            let mut first = argument;
            while let Some(left) = first.child_by_field_name("left") {
                first = left;
            }
            let start = if first.kind() == "string" { unquoted(text, first) } else { "" };
            Edge { specifier: start.into(), is_open: true, ..whole }
        }
        _ => Edge { is_open: true, ..whole },
    }
}

/// `import()` of a path that is filled in at run time: bundlers take all that it may be, if it starts with a folder.
fn filled(text: &[u8], argument: Node<'_>, node: Node<'_>) -> Edge {
    let found = literal(text, argument, node);
    if !found.is_open || !found.specifier.contains('/') {
        return found;
    }
    let mut pattern = String::new();
    visit(argument, &mut |piece| {
        let is_whole = match piece.kind() {
            "template_string" | "binary_expression" | "parenthesized_expression" => return true,
            "string_fragment" | "string" => false,
            _ if !piece.is_named() => return false,
            _ => true,
        };
        if !is_whole {
            pattern += &globset::escape(unquoted(text, piece));
        } else if !pattern.ends_with('*') {
            pattern.push('*');
        }
        false
    });
    Edge { glob: Some(Glob { patterns: vec![pattern], filter: None }), ..found }
}

/// The units that use each name.
fn users(units: &[Unit]) -> HashMap<String, Vec<usize>> {
    let mut users: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, unit) in units.iter().enumerate() {
        for name in &unit.uses {
            users.entry(name.clone()).or_default().push(index);
        }
    }
    users
}

/// Which units are left: what has no name or is exported, and what those use.
fn live(units: &[Unit]) -> Vec<bool> {
    let mut declaring: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, unit) in units.iter().enumerate() {
        unit.declares.iter().for_each(|name| declaring.entry(name).or_default().push(index));
    }
    let mut is_used = vec![false; units.len()];
    for name in units.iter().flat_map(|unit| &unit.uses) {
        declaring.get(name.as_str()).into_iter().flatten().for_each(|&index| is_used[index] = true);
    }
    let is_root = |(unit, is_used): (&Unit, bool)| {
        !unit.is_stripped && (unit.is_exported || unit.declares.is_empty() || !is_used)
    };
    let mut live: Vec<bool> = units.iter().zip(is_used).map(is_root).collect();
    let mut open: Vec<usize> = (0..units.len()).filter(|&index| live[index]).collect();
    while let Some(index) = open.pop() {
        let used = units[index].uses.iter().filter_map(|name| declaring.get(name.as_str())).flatten();
        for &other in used {
            if !std::mem::replace(&mut live[other], true) {
                open.push(other);
            }
        }
    }
    live
}

/// The import as far as something uses it; `is_kept` says of a name whether code uses it that is shipped, or any code.
fn left(import: Import, is_kept: &dyn Fn(&String) -> Option<bool>) -> Option<Edge> {
    if import.bindings.is_empty() {
        return Some(import.edge);
    }
    let used: Vec<(bool, Option<String>)> =
        import.bindings.into_iter().filter_map(|(local, theirs)| Some((is_kept(&local)?, theirs))).collect();
    let is_stripped = !used.iter().any(|(is_kept, _)| *is_kept);
    let kept = used.iter().filter(|(is_kept, _)| *is_kept != is_stripped).map(|(_, theirs)| theirs.clone());
    let names = kept.collect::<Option<Vec<String>>>().map_or(Names::All, Names::Some);
    (!used.is_empty()).then_some(Edge { names, is_stripped, ..import.edge })
}
