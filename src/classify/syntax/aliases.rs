//! Names that the configuration of a bundler gives to folders and modules, as far as they are literal.
//!
//! Nothing is run. Constants and one-line functions of the file itself are followed, and what Node calls to make paths of
//! literals; anything else makes the answer partial, which it says.

use super::scope::parameters;
use super::{named, parse, text_of, unquoted, visit};
use std::collections::HashMap;
use tree_sitter::Node;

/// Names of one configuration.
const ALIASES_MAX: usize = 500;
/// Constants and functions that lead to one another.
const DEPTH_MAX: u8 = 12;
/// Keys that hold names and what they stand for.
const KEYS: [&str; 4] = ["alias", "resolveAlias", "extraNodeModules", "_moduleAliases"];

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// A path from the folder of the configuration.
    Path(String),
    /// Text as written: a path or another name.
    Text(String),
    /// The configuration itself.
    Own,
}

/// What a name is looked for with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Find {
    /// This name, or what lies below it.
    Name(String),
    /// A regular expression.
    Pattern(String),
}

/// What one configuration says of names.
#[derive(Debug, Default)]
pub(in super::super) struct Aliases {
    /// Names, and what each stands for where that is literal.
    pub names: Vec<(Find, Option<Place>)>,
    /// Folders that plain names are looked up in.
    pub roots: Vec<Place>,
    /// Whether there are names that are not literal.
    pub is_partial: bool,
}

/// The names that `text`, a configuration in JavaScript or JSON, gives.
pub(in super::super) fn aliases(text: &[u8], is_json: bool) -> Aliases {
    let wrapped;
    let text = if is_json {
        wrapped = [b"(", text, b")"].concat();
        &wrapped
    } else {
        text
    };
    let Some(tree) = parse(text, !is_json) else { return Aliases { is_partial: true, ..Aliases::default() } };
    let mut reader = Reader { text, known: HashMap::new(), found: Aliases::default() };
    let mut nodes = Vec::new();
    visit(tree.root_node(), &mut |node| {
        match node.kind() {
            "variable_declarator" | "function_declaration" => {
                if let Some(name) = node.child_by_field_name("name") {
                    reader.known.entry(text_of(text, name)).or_insert(node);
                }
            }
            "pair" | "assignment_expression" | "call_expression" | "array" | "shorthand_property_identifier" => {
                nodes.push(node);
            }
            _ => {}
        }
        true
    });
    for node in nodes {
        reader.node(node);
    }
    reader.found
}

struct Reader<'t> {
    text: &'t [u8],
    /// Constants and functions of the file, by name.
    known: HashMap<&'t str, Node<'t>>,
    found: Aliases,
}

/// What the parameters of a function stand for.
type Given = HashMap<String, Place>;

impl<'t> Reader<'t> {
    fn node(&mut self, node: Node<'t>) {
        let field = |name: &str| node.child_by_field_name(name);
        match node.kind() {
            "pair" => {
                let (Some(key), Some(value)) = (field("key"), field("value")) else { return };
                match unquoted(self.text, key) {
                    key if KEYS.contains(&key) => self.map(value, DEPTH_MAX),
                    // webpack's `resolve.modules: ['src', 'node_modules']`.
                    "modules" if text_of(self.text, value).contains("node_modules") => self.roots(value),
                    _ => {}
                }
            }
            "shorthand_property_identifier" if KEYS.contains(&text_of(self.text, node)) => self.map(node, DEPTH_MAX),
            "assignment_expression" => {
                if let (Some(left), Some(right)) = (field("left"), field("right")) {
                    self.assigned(left, right);
                }
            }
            "call_expression" => {
                if let (Some(function), Some(arguments)) = (field("function"), field("arguments")) {
                    self.called(text_of(self.text, function), &named(arguments));
                }
            }
            "array" => self.resolver(&named(node)),
            _ => {}
        }
    }

    /// `config.resolve.alias = …`, `config.resolve.alias.name = …`, `config.resolve.alias['name'] = …`.
    fn assigned(&mut self, left: Node<'t>, right: Node<'t>) {
        let ends = |text: &str| KEYS.iter().any(|key| text.strip_suffix(key).is_some_and(|rest| rest.ends_with('.')));
        if ends(text_of(self.text, left)) {
            return self.map(right, DEPTH_MAX);
        }
        if !left.child_by_field_name("object").is_some_and(|one| ends(text_of(self.text, one))) {
            return;
        }
        let key = left.child_by_field_name("property").or_else(|| left.child_by_field_name("index"));
        if let Some(key) = key.filter(|key| matches!(key.kind(), "property_identifier" | "string")) {
            self.name(unquoted(self.text, key), right);
        }
    }

    /// `config.resolve.alias.set('name', …)`, `addWebpackAlias({ … })`, `Object.assign(config.resolve.alias, { … })`.
    fn called(&mut self, function: &str, arguments: &[Node<'t>]) {
        let method = function.rsplit('.').next().unwrap_or_default();
        match (function, arguments) {
            // Calls are chained, and `set` is a common name.
            (_, [key, value]) if method == "set" && key.kind() == "string" && function.contains(".alias") => {
                self.name(unquoted(self.text, *key), *value);
            }
            ("addWebpackAlias" | "addAliases", [map]) => self.map(*map, DEPTH_MAX),
            ("Object.assign", [first, rest @ ..]) if text_of(self.text, *first).rsplit('.').next() == Some("alias") => {
                for one in rest {
                    self.map(*one, DEPTH_MAX);
                }
            }
            _ => {}
        }
    }

    /// `['module-resolver', { root: ['./src'] }]`; its `alias` is found like any.
    fn resolver(&mut self, items: &[Node<'t>]) {
        let [plugin, options, ..] = items else { return };
        if plugin.kind() != "string" && plugin.kind() != "call_expression" {
            return;
        }
        if !text_of(self.text, *plugin).contains("module-resolver") {
            return;
        }
        for pair in named(*options) {
            let field = |name: &str| pair.child_by_field_name(name);
            let (Some(key), Some(value)) = (field("key"), field("value")) else { continue };
            if unquoted(self.text, key) != "root" {
                continue;
            }
            self.roots(value);
        }
    }

    /// Takes folders that plain names are looked up in.
    fn roots(&mut self, value: Node<'t>) {
        let roots = if value.kind() == "array" { named(value) } else { vec![value] };
        for root in roots.into_iter().filter(|root| unquoted(self.text, *root) != "node_modules") {
            match self.place(root, &Given::new(), DEPTH_MAX) {
                Some(place) => self.found.roots.push(place),
                None => self.found.is_partial = true,
            }
        }
    }

    /// Takes the names of `node`, an object or a list.
    fn map(&mut self, node: Node<'t>, depth: u8) {
        let Some(depth) = depth.checked_sub(1) else { return self.found.is_partial = true };
        match node.kind() {
            "object" => named(node).into_iter().for_each(|one| self.entry(one, depth)),
            "array" => named(node).into_iter().for_each(|one| self.rule(one, depth)),
            "spread_element" | "parenthesized_expression" | "as_expression" | "satisfies_expression" => {
                if let Some(inner) = node.named_child(0) {
                    self.map(inner, depth);
                }
            }
            "ternary_expression" => named(node).into_iter().skip(1).for_each(|one| self.map(one, depth)),
            "identifier" | "shorthand_property_identifier" => {
                match self.known.get(text_of(self.text, node)).and_then(|known| known.child_by_field_name("value")) {
                    Some(value) => self.map(value, depth),
                    None => self.found.is_partial = true,
                }
            }
            // What was there before is read where it is set.
            "member_expression" if text_of(self.text, node).contains("alias") => {}
            // Any that is no list of names: another tool's word.
            "string" | "false" | "true" | "null" => {}
            _ => self.found.is_partial = true,
        }
    }

    /// One pair of an object.
    fn entry(&mut self, node: Node<'t>, depth: u8) {
        match node.kind() {
            "pair" => {
                let field = |name: &str| node.child_by_field_name(name);
                let (Some(key), Some(value)) = (field("key"), field("value")) else { return };
                if key.kind() == "computed_property_name" {
                    return self.found.is_partial = true;
                }
                self.name(unquoted(self.text, key), value);
            }
            "spread_element" => self.map(node, depth),
            "shorthand_property_identifier" => self.name(text_of(self.text, node), node),
            "comment" => {}
            _ => self.found.is_partial = true,
        }
    }

    /// `{ find: …, replacement: … }`, or `['name', …]`.
    fn rule(&mut self, node: Node<'t>, depth: u8) {
        if node.kind() == "spread_element" {
            return self.map(node, depth);
        }
        let pairs = named(node);
        if let ("array", [key, value]) = (node.kind(), pairs.as_slice()) {
            return self.name(unquoted(self.text, *key), *value);
        }
        let get = |wanted: &str| {
            let is_wanted = |pair: &&Node<'t>| {
                pair.child_by_field_name("key").is_some_and(|key| unquoted(self.text, key) == wanted)
            };
            pairs.iter().find(is_wanted)?.child_by_field_name("value")
        };
        let (Some(find), Some(replacement)) =
            (get("find").or_else(|| get("name")), get("replacement").or_else(|| get("alias")))
        else {
            return self.found.is_partial = true;
        };
        if find.kind() == "regex" {
            let pattern = find.child_by_field_name("pattern").map_or("", |pattern| text_of(self.text, pattern));
            let place = self.place(replacement, &Given::new(), depth);
            self.take(Find::Pattern(pattern.into()), place);
        } else if find.kind() == "string" {
            self.name(unquoted(self.text, find), replacement);
        } else {
            self.found.is_partial = true;
        }
    }

    fn name(&mut self, name: &str, value: Node<'t>) {
        // Several places are tried one after another.
        let values = if value.kind() == "array" { named(value) } else { vec![value] };
        for value in values {
            let place = self.place(value, &Given::new(), DEPTH_MAX);
            let find = if name.starts_with('^') { Find::Pattern(name.into()) } else { Find::Name(name.into()) };
            self.take(find, place);
        }
    }

    fn take(&mut self, find: Find, place: Option<Place>) {
        if self.found.names.len() >= ALIASES_MAX {
            return self.found.is_partial = true;
        }
        self.found.names.push((find, place));
    }

    /// What `node` stands for, if that is literal.
    fn place(&self, node: Node<'t>, given: &Given, depth: u8) -> Option<Place> {
        let depth = depth.checked_sub(1)?;
        let field = |name: &str| node.child_by_field_name(name);
        match node.kind() {
            "string" => Some(Place::Text(unquoted(self.text, node).into())),
            "template_string" => self.template(node, given, depth),
            "binary_expression" => {
                let (left, right) =
                    (self.place(field("left")?, given, depth)?, self.place(field("right")?, given, depth)?);
                append(left, right, "")
            }
            "identifier" | "shorthand_property_identifier" => match text_of(self.text, node) {
                "__dirname" => Some(Place::Path(String::new())),
                "__filename" => Some(Place::Own),
                name => given
                    .get(name)
                    .cloned()
                    .or_else(|| self.place(self.known.get(name)?.child_by_field_name("value")?, &Given::new(), depth)),
            },
            "member_expression" => self.member(node, given, depth),
            "parenthesized_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression"
            | "await_expression" => self.place(node.named_child(0)?, given, depth),
            "new_expression" => self.made("new URL", &named(field("arguments")?), given, depth),
            "call_expression" => {
                let function = text_of(self.text, field("function")?);
                if let Some(place) = self.method(field("function")?, given, depth) {
                    return Some(place);
                }
                self.made(function, &named(field("arguments")?), given, depth)
            }
            _ => None,
        }
    }

    fn template(&self, node: Node<'t>, given: &Given, depth: u8) -> Option<Place> {
        let mut place: Option<Place> = None;
        for piece in named(node) {
            let next = match piece.kind() {
                "template_substitution" => self.place(piece.named_child(0)?, given, depth)?,
                _ => Place::Text(text_of(self.text, piece).into()),
            };
            place = Some(match place {
                Some(place) => append(place, next, "")?,
                None => next,
            });
        }
        place
    }

    /// `import.meta.url`, `new URL(…).pathname`, `paths.src`.
    fn member(&self, node: Node<'t>, given: &Given, depth: u8) -> Option<Place> {
        match text_of(self.text, node) {
            "import.meta.url" | "import.meta.filename" => return Some(Place::Own),
            "import.meta.dirname" => return Some(Place::Path(String::new())),
            _ => {}
        }
        let (object, property) = (node.child_by_field_name("object")?, node.child_by_field_name("property")?);
        let property = text_of(self.text, property);
        if matches!(property, "pathname" | "href") {
            return self.place(object, given, depth);
        }
        let holder = self.known.get(text_of(self.text, object))?.child_by_field_name("value")?;
        let pair = named(holder)
            .into_iter()
            .find(|pair| pair.child_by_field_name("key").is_some_and(|key| unquoted(self.text, key) == property))?;
        self.place(pair.child_by_field_name("value")?, &Given::new(), depth)
    }

    /// A method that hands on what it is called on.
    fn method(&self, function: Node<'t>, given: &Given, depth: u8) -> Option<Place> {
        let property = function.child_by_field_name("property")?;
        let is_same = matches!(text_of(self.text, property), "toString" | "replace" | "replaceAll");
        is_same.then(|| self.place(function.child_by_field_name("object")?, given, depth)).flatten()
    }

    /// What a call gives: of Node's functions for paths, or of a function of the file.
    fn made(&self, function: &str, arguments: &[Node<'t>], given: &Given, depth: u8) -> Option<Place> {
        let places = || arguments.iter().map(|one| self.place(*one, given, depth)).collect::<Option<Vec<_>>>();
        let function_of = |known: &Node<'t>| known.child_by_field_name("value").unwrap_or(*known);
        if let Some((own, body)) = self.known.get(function).map(function_of).and_then(|own| Some((own, body(own)?))) {
            let names = parameters(own).into_iter().map(|pattern| text_of(self.text, pattern).to_owned());
            let given = names.zip(places()?).collect();
            return self.place(body, &given, depth);
        }
        if function == "process.cwd" {
            return Some(Place::Text(".".into()));
        }
        let places = places()?;
        match function.rsplit('.').next()? {
            "resolve" if function == "require.resolve" => places.into_iter().next(),
            // What is not told from where is from where the bundler is started.
            "resolve" => places.into_iter().try_fold(Place::Text(".".into()), |place, next| match next {
                Place::Text(_) => append(place, next, "/"),
                _ => Some(next),
            }),
            "join" => places.into_iter().map(Some).reduce(|place, next| append(place?, next?, "/")).flatten(),
            "dirname" => match places.into_iter().next()? {
                Place::Own => Some(Place::Path(String::new())),
                place => append(place, Place::Text("..".into()), "/"),
            },
            "fileURLToPath" | "normalizePath" | "normalize" | "String" => places.into_iter().next(),
            "new URL" | "URL" => match places.as_slice() {
                [Place::Text(text), Place::Own] => Some(Place::Path(text.clone())),
                [Place::Text(_), Place::Path(_)] => append(places[1].clone(), places[0].clone(), "/"),
                [place] => Some(place.clone()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a function of one statement gives.
fn body(function: Node<'_>) -> Option<Node<'_>> {
    if !matches!(function.kind(), "arrow_function" | "function_expression" | "function_declaration") {
        return None;
    }
    let body = function.child_by_field_name("body")?;
    if body.kind() != "statement_block" {
        return Some(body);
    }
    let only = named(body).into_iter().next()?;
    (only.kind() == "return_statement").then(|| only.named_child(0)).flatten()
}

/// `next` behind `place`.
fn append(place: Place, next: Place, between: &str) -> Option<Place> {
    match (place, next) {
        (Place::Path(path), Place::Text(text)) => Some(Place::Path(format!("{path}{between}{text}"))),
        (Place::Text(path), Place::Text(text)) => Some(Place::Text(format!("{path}{between}{text}"))),
        _ => None,
    }
}
