//! Keys given where an SDK takes something else: as a publishable key, or as the client secret it asks a server for.

use super::super::bracket;
use super::names::words;
use crate::rule::{CallRules, RuleError};
use regex::bytes::Regex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes before a key that are looked at.
const BEFORE_BYTES: usize = 600;
/// Names of one text that are passed on.
const PASSED_MAX: usize = 1_000;

/// Aliases of names that are followed, one after another.
const ALIASES_MAX: usize = 4;

/// Bytes of an expression that are looked at.
const EXPRESSION_MAX: usize = 400;
/// Words before a parameter's name that make it a check of one, or the opposite.
const CHECKS: [&str; 20] = [
    "assert", "is", "not", "no", "never", "expect", "reject", "validate", "check", "has", "forbid", "deny", "without",
    "invalid", "wrong", "bad", "ensure", "verify", "require", "looks",
];

/// What stands between the values of an expression of which one is taken.
static CHOICE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\?\?|\?:|\|\||&&|\?|:|\b(?:or|if|else)\b").ok());
/// A name, plain or as text.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:(?:new\s+)?(?:String|str)\(\s*)?(?:@?[A-Za-z_$][\w$]*[!?]?\.)*([A-Za-z_$][\w$]*)[!?]?\s*\)?(?:\s+as\s+\w+)?$").ok()
});
/// A name that is given the value of another.
static ALIAS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?m-u)\b([A-Za-z_$][\w$]*)[ \t]*(?::[ \t]*[\w.<>?| ]+)?[ \t]*=[ \t]*([^=\n;,{}"'`>][^\n;,{}]*)"#).ok()
});

/// An entry of a table.
static TABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)^\s*(?:[A-Za-z_$][\w$]*\.)*([A-Za-z_$][\w$]*)\s*\[[^\]]+\]").ok());
/// The name of what opens behind it.
static HOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)\b([A-Za-z_$][\w$]*)\s*(?::\s*[\w.<>?, |]+)?[=:]\s*(?:Object\.freeze\(|mapOf|\w*(?:<[^<>]*>)?)?\s*$",
    )
    .ok()
});

/// The patterns, compiled.
#[derive(Debug)]
pub(super) struct Givens {
    /// A parameter right before a key.
    parameter: Regex,
    /// A parameter and the expression it is given, a callback and the name of what it returns, or a callback and its own name.
    name: Regex,
    /// A name that is given a key, or one of several values.
    held: Regex,
    /// A callback.
    provider: Regex,
    /// What stands right before what a function returns.
    returned: Regex,
}

/// Names in a text that are given to a parameter, and to which.
#[derive(Debug, Default)]
pub struct Passed {
    values: BTreeMap<Vec<u8>, String>,
    /// Names of tables of which one entry is given.
    tables: BTreeMap<Vec<u8>, String>,
    /// Names of functions that are given as callbacks.
    functions: BTreeMap<Vec<u8>, String>,
}

impl Givens {
    pub fn new(rules: &CallRules) -> Result<Self, RuleError> {
        let regex =
            |pattern: &str| Regex::new(pattern).map_err(|error| RuleError::new("calls.toml", error.to_string()));
        let parameters = rules.parameters.iter().map(|one| spelt(one)).collect::<Vec<_>>().join("|");
        let providers = rules.providers.iter().map(|one| spelt(one)).collect::<Vec<_>>().join("|");
        // A type may stand before the value; a comma only behind a name that is a text.
        let sign = r#"(?:["'`]\s*,|["'`\])]*\s*(?::\s*[\w.<>?| ]+=|:=|=>|[:=(]|\bto\b))\s*"#;
        // Other values that may be taken, and what makes text of one.
        let other = r#"(?:[^;,{}"'`\n=]|"[^"\n]*"|'[^'\n]*'|[=!]==?)*?"#;
        let first = r#"(?:[^\s:?.;,{}"'`=]|"[^"\n]*"|'[^'\n]*')"#;
        let choice = format!(
            r"(?:{other}\s*(?:\?\?|\|\||&&|\?:|\bor\b|\belse\b|\bif\s*\([^)\n]*\))\s*|{other}\s*\?\s*(?:{first}{other}\s*:\s*)?)?"
        );
        let text = r"(?:(?:new\s+)?(?:String|str)\s*\(\s*|\$\{[\w.]+:-?)?";
        Ok(Self {
            parameter: regex(&format!(
                r#"(?i-u)(\w*(?:{parameters})){sign}[({{]?\s*{choice}[(]?\s*(?:const\s+)?["'`]?{text}["'`@]*$"#
            ))?,
            name: regex(&format!(
                r#"(?i-u)\b(\w*(?:{parameters})){sign}[({{]?\s*((?:[^;,{{}}\n]|\n\s*[?:|])+)|({providers})["'`]?\s*(?:[:=({{]\s*)+(?:async\s*)?\(?\w*\)?\s*=>\s*(?:\{{\s*return\s+)?(?:Promise\.resolve)?\(?\s*([a-z_$][\w$.]*)\s*(?:[,)}};]|\n|$)|({providers})["'`]?\s*[:=]\s*[{{]?\s*([a-z_$][\w$.]*)\s*(?:[,)}};/>]|\n|$)"#
            ))?,
            held: regex(&format!(
                r#"(?-u)\b([A-Za-z_$][\w$]*)["'`]?\s*(?::\s*[\w.<>?| ]+)?\s*[:=]\s*[({{]?\s*{choice}[(]?\s*["'`]?{text}["'`@]*$"#
            ))?,
            provider: regex(&format!(r"(?i-u)\b({providers})\b"))?,
            returned: regex(
                r#"(?-u)(?:(?:=>\s*\(\s*|\breturn\s+)\{\s*(?:["']?\w+["']?\s*:\s*[^,{}]*,\s*)*["']?\w+["']?\s*:\s*|\breturn\s|=>\s*|->\s*|\bin\s|\{\s*|\)\s*(?::\s*\w+\??\s*)?=\s*|\b(?:resolve|value|success|callback|completion|onSuccess|just)\(\s*|^[\s:={}(]+)\(?\s*["'`@]+$"#,
            )?,
        })
    }

    /// The names that `text` passes on.
    pub fn passed(&self, text: &[u8]) -> Passed {
        let mut passed = Passed::default();
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let last = |name: &[u8]| name.rsplit(|&byte| byte == b'.').next().unwrap_or_default().to_vec();
        for found in self.name.captures_iter(text).take(PASSED_MAX) {
            if let (Some(parameter), Some(value)) = (found.get(1), found.get(2)) {
                let parameter = shown(parameter.as_bytes());
                if !is_check(&parameter) {
                    let table = TABLE.as_ref().and_then(|pattern| pattern.captures(value.as_bytes())?.get(1));
                    passed.tables.extend(table.map(|name| (name.as_bytes().to_vec(), parameter.clone())));
                    passed.values.extend(operands(value.as_bytes()).into_iter().map(|name| (name, parameter.clone())));
                }
            } else if let (Some(provider), Some(name)) = (found.get(3), found.get(4)) {
                passed.values.insert(last(name.as_bytes()), shown(provider.as_bytes()));
            } else if let (Some(provider), Some(name)) = (found.get(5), found.get(6)) {
                passed.functions.insert(last(name.as_bytes()), shown(provider.as_bytes()));
            }
        }
        if !passed.values.is_empty() {
            passed.follow(text);
        }
        passed
    }

    /// What the key at `key` is given to.
    pub fn given_as(&self, passed: &Passed, text: &[u8], key: &Range<usize>) -> Option<String> {
        let before = &text[key.start.saturating_sub(BEFORE_BYTES)..key.start];
        if let Some(found) = self.parameter.captures(before).and_then(|found| found.get(1)) {
            let name = String::from_utf8_lossy(found.as_bytes()).into_owned();
            return (!is_check(&name)).then_some(name);
        }
        if let Some(name) = self.provider(before) {
            return Some(name);
        }
        let function = |(name, provider): (&Vec<u8>, &String)| {
            let at = uses(before, name).last()?;
            self.returns(&before[at + name.len()..]).then(|| provider.clone())
        };
        if let Some(name) = passed.functions.iter().find_map(function) {
            return Some(name);
        }
        if let Some(parameter) = passed.table(before) {
            return Some(parameter.clone());
        }
        if passed.values.is_empty() {
            return None;
        }
        let held = self.held.captures(before).and_then(|found| passed.values.get(found.get(1)?.as_bytes()));
        let assigned = || passed.values.get(super::super::variable::assigned(text, key)?.name.as_bytes());
        held.or_else(assigned).cloned()
    }

    /// The callback that returns what stands behind `before`.
    fn provider(&self, before: &[u8]) -> Option<String> {
        let found = self.provider.find_iter(before).last()?;
        self.returns(&before[found.end()..]).then(|| String::from_utf8_lossy(found.as_bytes()).into_owned())
    }

    /// Whether what stands behind `between`, the start of a function, is what that returns.
    fn returns(&self, between: &[u8]) -> bool {
        let mut depth = 0_i32;
        for byte in between {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth -= 1,
                _ => {}
            }
            // Behind the end of what encloses the function, or another argument beside it.
            if depth < 0 || (depth == 0 && matches!(byte, b',' | b';')) {
                return false;
            }
        }
        self.returned.is_match(between)
    }
}

impl Passed {
    /// What an entry of the table that is open at the end of `before` is given to.
    fn table(&self, before: &[u8]) -> Option<&String> {
        if self.tables.is_empty() {
            return None;
        }
        let named = |at: usize| self.tables.get(HOLDER.as_ref()?.captures(&before[..at])?.get(1)?.as_bytes());
        bracket::open(before).into_iter().rev().find_map(named)
    }

    /// Takes names that give their values to names that are passed on.
    fn follow(&mut self, text: &[u8]) {
        let found = ALIAS.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(text)).take(PASSED_MAX);
        let aliases: Vec<(Vec<u8>, Vec<Vec<u8>>)> = found
            .filter_map(|found| Some((found.get(1)?.as_bytes().to_vec(), operands(found.get(2)?.as_bytes()))))
            .collect();
        for _ in 0..ALIASES_MAX {
            let more: Vec<(Vec<u8>, String)> = aliases
                .iter()
                .filter_map(|(name, values)| Some((self.values.get(name)?.clone(), values)))
                .flat_map(|(parameter, values)| values.iter().map(move |value| (value.clone(), parameter.clone())))
                .filter(|(value, _)| !self.values.contains_key(value))
                .collect();
            if more.is_empty() {
                return;
            }
            self.values.extend(more);
        }
    }
}

/// Whether `parameter` is the name of a check.
fn is_check(parameter: &str) -> bool {
    words(parameter).iter().any(|word| CHECKS.contains(&word.as_str()))
}

/// The last parts of the names of which `expression` takes one.
fn operands(expression: &[u8]) -> Vec<Vec<u8>> {
    let (Some(choice), Some(name)) = (CHOICE.as_ref(), NAME.as_ref()) else { return Vec::new() };
    let expression = &expression[..expression.len().min(EXPRESSION_MAX)];
    let expression = expression.split(|&byte| byte == b'>').next().unwrap_or_default();
    let mut operands = Vec::new();
    let (mut from, mut is_condition) = (0, false);
    // A dot behind `?` is no choice.
    let signs = choice.find_iter(expression).filter(|sign| expression.get(sign.end()) != Some(&b'.'));
    let signs = signs.map(|sign| (sign.start(), sign.end(), sign.as_bytes()));
    for (start, end, sign) in signs.chain([(expression.len(), expression.len(), &b""[..])]) {
        let operand = expression[from..start].trim_ascii();
        let operand = operand.strip_prefix(b"(").unwrap_or(operand).trim_ascii();
        let operand = operand.strip_suffix(b"/").unwrap_or(operand).trim_ascii();
        // Of a bracket that opens further ahead.
        let closing = operand.iter().rev().take_while(|&&byte| byte == b')').count();
        let operand = if operand.contains(&b'(') { operand } else { operand[..operand.len() - closing].trim_ascii() };
        if sign != b"?" && sign != b"&&" && !is_condition {
            operands.extend(name.captures(operand).and_then(|found| Some(found.get(1)?.as_bytes().to_vec())));
        }
        (from, is_condition) = (end, sign == b"if");
    }
    operands
}

/// Where `name` stands in `text` as a whole word.
fn uses<'t>(text: &'t [u8], name: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    memchr::memmem::find_iter(text, name).filter(move |&at| {
        !is_word(at.checked_sub(1).and_then(|before| text.get(before))) && !is_word(text.get(at + name.len()))
    })
}

/// `publishableKey`, however it is spelt: `publishable_?key`.
fn spelt(name: &str) -> String {
    name.chars()
        .map(|one| if one.is_uppercase() { format!("_?{}", one.to_lowercase()) } else { one.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{RuleFiles, Rules};

    fn given(text: &str) -> Option<String> {
        let givens = Givens::new(&Rules::load(&RuleFiles::embedded()).unwrap().calls).unwrap();
        let at = text.rfind("KEY").unwrap();
        givens.given_as(&givens.passed(text.as_bytes()), text.as_bytes(), &(at..at + 3))
    }

    #[test]
    fn parameters_of_every_language_are_known() {
        let yes = [
            "<AnsaProvider publishableKey='KEY' />",
            "<AnsaProvider publishableKey={'KEY'} />",
            "Ansa.init({ merchantPublishableKey: \"KEY\" })",
            "AnsaClient(publishableKey: \"KEY\", clientSecretProvider: p)",
            "Ansa.builder().publishableKey(\"KEY\").build();",
            "config.setPublishableKey(\"KEY\")",
            "val a = Ansa(publishableKey = \"KEY\")",
            "const k = 'KEY'\nexport const A = () => <AnsaProvider publishableKey={k}>",
            "let secret = \"KEY\"\nAnsa.configure(merchantPublishableKey: secret)",
            "NEXT_PUBLIC_ANSA_PUBLISHABLE_KEY=KEY",
            "init({ clientSecretProvider: async () => 'KEY' })",
            "init({ clientSecretProvider: () => { return \"KEY\" } })",
            "Ansa(clientSecretProvider: { \"KEY\" })",
            "Ansa(clientSecretProvider: () async { log('x'); return 'KEY'; })",
            "clientSecretProvider: () => Promise.resolve('KEY')",
            "<AnsaProvider publishableKey={live ? 'KEY' : 'b'} />",
            "<AnsaProvider publishableKey={live ? pk : 'KEY'} />",
            "init({ publishableKey: env === 'production' ? \"a\" : \"KEY\" })",
            "init({\n  publishableKey:\n    isLive()\n      ? 'KEY'\n      : 'b',\n})",
            "init({ publishableKey: process.env.PK ?? 'KEY' })",
            "init({ publishableKey: import.meta.env.PK || 'KEY' })",
            "init({ publishableKey: (live && 'KEY') })",
            "init({ publishableKey: String('KEY') })",
            "Ansa(publishableKey: pk ?? \"KEY\")",
            "Ansa(publishableKey = key ?: \"KEY\")",
            "Ansa(publishableKey = if (live) \"a\" else \"KEY\")",
            "Ansa(publishable_key=\"a\" if live else \"KEY\")",
            "val publishableKey: String = \"KEY\"",
            "PUBLISHABLE_KEY=${PK:-KEY}",
            "const LIVE = 'KEY'\ninit({ publishableKey: live ? LIVE : TEST })",
            "const LIVE = 'KEY'\nconst k = process.env.K ?? LIVE\nconst used = k\ninit({ publishableKey: used })",
            "const k = live ? 'KEY' : 'b'\ninit({ publishableKey: k })",
            "const keys = { live: 'KEY' }\n<AnsaProvider publishableKey={keys.live}>",
            "const KEYS = { live: 'KEY', test: 'b' }\n<AnsaProvider publishableKey={KEYS[env]} />",
            "const keys: Record<string, string> = Object.freeze({ live: 'KEY' })\ninit({ publishableKey: keys[env] })",
            "val keys = mapOf(\"live\" to \"KEY\")\nAnsa(publishableKey = keys[env])",
            "init({ clientSecretProvider: () => ({ validUntil: 1, clientSecret: 'KEY' }) })",
            "const mint = async () => 'KEY'\ninit({ clientSecretProvider: mint })",
            "async function mint() {\n  log()\n  return 'KEY'\n}\n<AnsaProvider clientSecretProvider={mint} />",
            "const s = 'KEY'\ninit({ clientSecretProvider: async () => { return s } })",
            "object : ClientSecretProvider { override suspend fun get(): String = \"KEY\" }",
        ];
        for text in yes {
            assert!(given(text).is_some(), "{text}");
        }
        let no = [
            "Ansa.init({ publishableKey: pk, secretKey: 'KEY' })",
            "init({ clientSecretProvider: async () => (await fetch(u, { headers: { Authorization: 'KEY' } })).json() })",
            "init({ clientSecretProvider: p, other: () => 'KEY' })",
            "const secretKey = 'KEY'\nconst publishableKey = process.env.PK",
            "# a publishable key, not KEY",
            "assertNotPublishableKey('KEY')",
            "expect(isPublishableKey(\"KEY\")).toBe(false)",
            "validatePublishableKey('KEY')",
            "init(publishableKey, 'KEY')",
            "interface A {\n  publishableKey: string\n  other?: 'KEY'\n}",
            "publishableKey: pk\nsecretKey: 'KEY'",
            "init({ publishableKey: live ? pk : other, secretKey: 'KEY' })",
            "if (publishableKey === 'KEY') throw x",
            "const KEYS = { live: 'KEY' }\ninit({ publishableKey: other[env], k: KEYS })",
            "const secret = 'KEY'\ninit({ publishableKey: secret ? pk : other })",
            "async function mint() { return fetch(u, { headers: { Authorization: 'KEY' } }) }\ninit({ clientSecretProvider: mint })",
        ];
        for text in no {
            assert_eq!(given(text), None, "{text}");
        }
    }
}
