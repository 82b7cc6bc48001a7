//! What comes of calls: what is wrapped and sent on, what queries select, what masks a value.

use super::scope::{FUNCTIONS, parameters};
use super::values::Values;
use tree_sitter::Node;

/// Calls that wrap what is returned and send it on.
const RESPONSES: [&str; 19] = [
    "json",
    "data",
    "defer",
    "typedjson",
    "typeddefer",
    "superjson",
    "superjson.serialize",
    "JSON.stringify",
    "Response.json",
    "NextResponse.json",
    "Object.freeze",
    "String",
    "Promise.resolve",
    "Promise.all",
    "prisma.$transaction",
    "db.$transaction",
    "structuredClone",
    "JSON.parse",
    "serialize",
];
/// Methods that give what they are called on, or some of it.
const PASSING: [&str; 8] = ["catch", "finally", "filter", "find", "at", "sort", "toJSON", "concat"];
/// Methods whose argument is given what they are called on.
const APPLYING: [&str; 3] = ["then", "map", "flatMap"];
/// Parts of a call's name that say it lets no value out.
const HIDING: [&str; 15] = [
    "mask",
    "redact",
    "obfuscate",
    "hide",
    "hash",
    "boolean",
    "number",
    "slice",
    "substr",
    "replace",
    "startswith",
    "encrypt",
    "includes",
    "digest",
    "truncate",
];
/// Methods that are given the fields to read.
const SELECTING: [&str; 5] = ["select", "returning", "pick", "project", "only"];
/// Arguments that are; and those in which fields of a relation are.
const SELECTIONS: [&str; 7] = ["select", "columns", "attributes", "projection", "fields", "include", "with"];
/// Where the rows of a result are.
const ENVELOPES: [&str; 4] = ["data", "rows", "records", "docs"];
/// The longest name of a call.
const CALLEE_MAX: usize = 80;
/// Calls in one chain of methods, and expressions in one that masks.
const CHAIN_MAX: usize = 32;

impl<'s> Values<'s> {
    /// What a call gives, of which `path` is taken.
    pub(super) fn call(&mut self, node: Node<'s>, path: &[&'s str], without: &[&'s str]) {
        let (Some(function), Some(arguments)) =
            (node.child_by_field_name("function"), node.child_by_field_name("arguments"))
        else {
            return;
        };
        let all = self.parts(arguments);
        let called = if function.byte_range().len() <= CALLEE_MAX { self.text(function) } else { "" };
        if called == "Object.assign" {
            return self.push_all(all, path, without);
        }
        if called.rsplit('.').next() == Some("pick") {
            return all.into_iter().skip(1).for_each(|one| self.chosen(one, without));
        }
        if let Some(first) = all.first().filter(|_| RESPONSES.contains(&called)) {
            return self.push(*first, path.to_vec(), without.to_vec());
        }
        if function.kind() == "identifier" {
            return self.own(function, &all, (path, without));
        }
        let method = function.child_by_field_name("property").map_or("", |one| self.text(one));
        let object = function.child_by_field_name("object");
        if let Some(object) = object.filter(|_| PASSING.contains(&method)) {
            self.push(object, path.to_vec(), without.to_vec());
        }
        if let (Some(object), Some(applied)) = (object.filter(|_| APPLYING.contains(&method)), all.first()) {
            return self.apply(*applied, &[object], (path, without));
        }
        self.selected(node, path, without);
    }

    /// What the function `name` of the module gives.
    fn own(&mut self, name: Node<'s>, arguments: &[Node<'s>], whence: (&[&'s str], &[&'s str])) {
        let text = self.text(name);
        let given = self.scopes.of(text, name.start_byte()).and_then(|scope| scope.given.get(text).cloned());
        let given = given.unwrap_or_default().into_iter().filter(|given| given.path.is_empty());
        given.for_each(|given| self.apply(given.value, arguments, whence));
    }

    /// What `function` gives when it is called with `arguments`.
    fn apply(&mut self, function: Node<'s>, arguments: &[Node<'s>], (path, without): (&[&'s str], &[&'s str])) {
        if !FUNCTIONS.contains(&function.kind()) {
            return;
        }
        for (pattern, value) in parameters(function).into_iter().zip(arguments) {
            self.scopes.give(function, pattern, *value);
        }
        let all = self.returns(function);
        self.push_all(all, path, without);
    }

    /// The fields that a query selects, where its result is sent on whole.
    fn selected(&mut self, call: Node<'s>, path: &[&'s str], without: &[&'s str]) {
        // Of a list of rows, each; what comes with them is in an envelope.
        let is_row = |one: &&'s str| one.parse::<usize>().is_err() && !ENVELOPES.contains(one);
        let path: Vec<&'s str> = path.iter().copied().filter(is_row).collect();
        let mut next = Some(call);
        for _ in 0..CHAIN_MAX {
            let Some(call) = next.filter(|one| one.kind() == "call_expression") else { return };
            let function = call.child_by_field_name("function");
            let method = function.and_then(|one| one.child_by_field_name("property")).map_or("", |one| self.text(one));
            let Some(arguments) = call.child_by_field_name("arguments") else { return };
            let all = if arguments.kind() == "template_string" { vec![arguments] } else { self.parts(arguments) };
            for argument in all {
                if SELECTING.contains(&method) {
                    self.fields(argument, &path, without);
                } else if argument.kind() == "object" {
                    self.selections(argument, &path, without);
                } else if path.is_empty() {
                    self.queried(argument, without);
                }
            }
            next = function.and_then(|one| one.child_by_field_name("object"));
            next =
                next.map(|one| if one.kind() == "await_expression" { one.named_child(0).unwrap_or(one) } else { one });
        }
    }

    /// The same of the arguments in `object`.
    fn selections(&mut self, object: Node<'s>, path: &[&'s str], without: &[&'s str]) {
        for pair in self.parts(object) {
            let (key, value) = match pair.kind() {
                "pair" => (pair.child_by_field_name("key"), pair.child_by_field_name("value")),
                "shorthand_property_identifier" => (Some(pair), Some(pair)),
                _ => continue,
            };
            let (Some(key), Some(value)) = (key, value) else { continue };
            if SELECTIONS.contains(&self.text(key)) {
                self.fields(value, path, without);
            }
        }
    }

    /// The fields that `selection` names.
    fn fields(&mut self, selection: Node<'s>, path: &[&'s str], without: &[&'s str]) {
        let mut open = vec![(selection, path.to_vec())];
        for _ in 0..1_000 {
            let Some((node, path)) = open.pop() else { return };
            match node.kind() {
                "object" => {
                    let pairs = self.parts(node).into_iter().filter(|one| one.kind() == "pair");
                    open.extend(pairs.filter_map(|pair| self.pair(pair, &path, without)));
                }
                "identifier" | "shorthand_property_identifier" => {
                    let text = self.text(node);
                    let scope = self.scopes.of(text, node.start_byte());
                    let given = scope.and_then(|scope| scope.given.get(text).cloned()).unwrap_or_default();
                    open.extend(
                        given.into_iter().filter(|one| one.path.is_empty()).map(|one| (one.value, path.clone())),
                    );
                }
                "as_expression" | "satisfies_expression" | "parenthesized_expression" => {
                    open.extend(node.named_child(0).map(|inner| (inner, path)));
                }
                _ if path.is_empty() => self.chosen(node, without),
                _ => {}
            }
        }
    }

    /// Notes the field that `pair` selects; gives what is selected of a relation, and the way on from there.
    fn pair(&mut self, pair: Node<'s>, path: &[&'s str], without: &[&'s str]) -> Option<(Node<'s>, Vec<&'s str>)> {
        let (key, value) = (pair.child_by_field_name("key")?, pair.child_by_field_name("value")?);
        let name = self.text(key).trim_matches(['"', '\'']);
        if value.kind() == "object" && SELECTIONS.contains(&name) {
            return Some((value, path.to_vec()));
        }
        if value.kind() == "object" {
            let is_meant = path.first().is_none_or(|first| *first == name);
            return is_meant.then(|| (value, path.iter().skip(1).copied().collect()));
        }
        let is_off = matches!(value.kind(), "false" | "null" | "undefined") || self.text(value) == "0";
        if !is_off && path.is_empty() && !without.contains(&name) && (self.says_secret)(name) {
            self.note(key);
        }
        None
    }

    /// Names in the string or the strings `node`.
    fn chosen(&mut self, node: Node<'s>, without: &[&'s str]) {
        let strings = if node.kind() == "array" { self.parts(node) } else { vec![node] };
        for string in strings.into_iter().filter(|one| matches!(one.kind(), "string" | "template_string")) {
            self.words(string, without);
        }
    }

    /// Columns that the text of a query names before its `FROM`, or behind `RETURNING`.
    fn queried(&mut self, node: Node<'s>, without: &[&'s str]) {
        if !matches!(node.kind(), "string" | "template_string") {
            return;
        }
        let text = self.text(node).trim_matches(['"', '\'', '`']).trim_start();
        if text.get(..7).is_some_and(|start| start.trim_end().eq_ignore_ascii_case("select")) {
            self.words(node, without);
        }
    }

    /// Notes each word of `string` that says secret; of a query, those before its `FROM`.
    fn words(&mut self, string: Node<'s>, without: &[&'s str]) {
        let text = self.text(string);
        let mut at = 0;
        for word in text.split(|one: char| !one.is_alphanumeric() && one != '_' && one != '$') {
            if word.eq_ignore_ascii_case("from") {
                return;
            }
            if !word.is_empty() && !without.contains(&word) && (self.says_secret)(word) {
                let start = string.start_byte() + at;
                self.fields.push((word.to_owned(), start..start + word.len()));
            }
            at += word.len() + text[at + word.len()..].chars().next().map_or(0, char::len_utf8);
        }
    }

    /// Whether nothing of a secret comes of `value`: it is empty, masked or only looked at.
    pub(super) fn hides(&mut self, value: Node<'s>) -> bool {
        let mut open = vec![value];
        for _ in 0..CHAIN_MAX {
            let Some(node) = open.pop() else { return true };
            match node.kind() {
                _ if self.is_empty(node) => {}
                "call_expression" => {
                    let called = node.child_by_field_name("function").map_or("", |one| self.text(one));
                    let called = called.rsplit(['.', ')', ']']).next().unwrap_or_default().to_ascii_lowercase();
                    let is_repeat = called == "repeat" || called == "padstart" || called == "padend";
                    if !is_repeat && !HIDING.iter().any(|part| called.contains(part)) {
                        return false;
                    }
                }
                "parenthesized_expression" | "as_expression" | "await_expression" => open.extend(node.named_child(0)),
                "template_string" => {
                    let parts = self.parts(node).into_iter().filter(|one| one.kind() == "template_substitution");
                    open.extend(parts.filter_map(|part| part.named_child(0)));
                }
                "ternary_expression" | "binary_expression" => open.extend(super::values::sides(node)),
                "identifier" | "shorthand_property_identifier" => {
                    let name = self.text(node);
                    let scope = self.scopes.of(name, node.start_byte());
                    let given = scope.and_then(|scope| scope.given.get(name).cloned()).unwrap_or_default();
                    if given.is_empty() || given.iter().any(|one| !one.path.is_empty()) {
                        return false;
                    }
                    open.extend(given.into_iter().map(|one| one.value));
                }
                _ => return false,
            }
        }
        false
    }

    /// Whether no secret is in `node`: a truth, a number, marks, a length.
    fn is_empty(&self, node: Node<'s>) -> bool {
        match node.kind() {
            "true" | "false" | "null" | "undefined" | "number" | "unary_expression" | "regex" => true,
            "identifier" => self.text(node) == "undefined",
            "string" => !self.text(node).bytes().any(|byte| byte.is_ascii_alphanumeric()),
            "member_expression" => node.child_by_field_name("property").is_some_and(|one| self.text(one) == "length"),
            "binary_expression" => super::values::sides(node).is_empty(),
            _ => false,
        }
    }
}
