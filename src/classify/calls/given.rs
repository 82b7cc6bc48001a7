//! Keys given where an SDK takes something else: as a publishable key, or as the client secret it asks a server for.

use crate::rule::{CallRules, RuleError};
use regex::bytes::Regex;
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes before a key that are looked at.
const BEFORE_BYTES: usize = 600;
/// Names of one text that are passed on.
const PASSED_MAX: usize = 1_000;

/// The patterns, compiled.
#[derive(Debug)]
pub(super) struct Givens {
    /// A parameter right before a key.
    parameter: Regex,
    /// A parameter and the name it is given.
    name: Regex,
    /// A callback.
    provider: Regex,
    /// What stands right before what a function returns.
    returned: Regex,
}

/// Names in a text that are given to a parameter, and to which.
#[derive(Debug, Default)]
pub struct Passed(BTreeMap<Vec<u8>, String>);

impl Givens {
    pub fn new(rules: &CallRules) -> Result<Self, RuleError> {
        let regex =
            |pattern: &str| Regex::new(pattern).map_err(|error| RuleError::new("calls.toml", error.to_string()));
        let parameters = rules.parameters.iter().map(|one| spelt(one)).collect::<Vec<_>>().join("|");
        let providers = rules.providers.iter().map(|one| spelt(one)).collect::<Vec<_>>().join("|");
        let sign = r"\s*(?::=|=>|[:=(,]|\bto\b)\s*";
        Ok(Self {
            parameter: regex(&format!(r#"(?i)(\w*(?:{parameters}))["'`\])]*{sign}[({{]?\s*(?:const\s+)?["'`@]*$"#))?,
            name: regex(&format!(
                r#"(?i)\b(\w*(?:{parameters}))["'`\])]*{sign}[({{]?\s*([a-z_$][\w$.]*)\s*(?:[,)}};/>]|\n|$)|({providers})["'`]?\s*(?:[:=({{]\s*)+(?:async\s*)?\(?\w*\)?\s*=>\s*\(?\s*([a-z_$][\w$.]*)\s*(?:[,)}};]|\n|$)"#
            ))?,
            provider: regex(&format!(r"(?i)\b({providers})\b"))?,
            returned: regex(
                r#"(?:\breturn\s|=>\s*|->\s*|\bin\s|\{\s*|\b(?:resolve|value|success|callback|completion|onSuccess|just)\(\s*|^[\s:={}(]+)\(?\s*["'`@]+$"#,
            )?,
        })
    }

    /// The names that `text` passes on.
    pub fn passed(&self, text: &[u8]) -> Passed {
        let found = self.name.captures_iter(text).take(PASSED_MAX).filter_map(|found| {
            let parameter = found.get(1).or_else(|| found.get(3))?;
            let name = found.get(2).or_else(|| found.get(4))?;
            let last = name.as_bytes().rsplit(|&byte| byte == b'.').next().unwrap_or_default();
            Some((last.to_vec(), String::from_utf8_lossy(parameter.as_bytes()).into_owned()))
        });
        Passed(found.collect())
    }

    /// What the key at `key` is given to.
    pub fn given_as(&self, passed: &Passed, text: &[u8], key: &Range<usize>) -> Option<String> {
        let before = &text[key.start.saturating_sub(BEFORE_BYTES)..key.start];
        if let Some(found) = self.parameter.captures(before).and_then(|found| found.get(1)) {
            return Some(String::from_utf8_lossy(found.as_bytes()).into_owned());
        }
        if let Some(name) = self.provider(before) {
            return Some(name);
        }
        let assigned = crate::classify::variable::assigned(text, key)?;
        passed.0.get(assigned.name.as_bytes()).cloned()
    }

    /// The callback that returns what stands behind `before`.
    fn provider(&self, before: &[u8]) -> Option<String> {
        let found = self.provider.find_iter(before).last()?;
        let between = &before[found.end()..];
        let mut depth = 0_i32;
        for byte in between {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth -= 1,
                _ => {}
            }
            // Behind the end of what encloses the callback, or another argument beside it.
            if depth < 0 || (depth == 0 && matches!(byte, b',' | b';')) {
                return None;
            }
        }
        self.returned.is_match(between).then(|| String::from_utf8_lossy(found.as_bytes()).into_owned())
    }
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
        ];
        for text in no {
            assert_eq!(given(text), None, "{text}");
        }
    }
}
