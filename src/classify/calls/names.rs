//! Names taken apart into words, and whether they say Ansa and secret.

use crate::rule::CallRules;
use std::collections::BTreeSet;
use std::ops::Range;

/// The longest name that is looked at.
const NAME_MAX: usize = 80;

/// Characters behind the prefix of a key that make it no name.
const KEY_MIN: usize = 12;

/// What follows the name of Ansa where words are run together, besides words that say secret.
const BEHIND: [&str; 12] =
    ["merchant", "live", "sandbox", "api", "key", "prod", "test", "wallet", "pay", "server", "staging", "url"];

/// Which words make a name a secret's.
#[derive(Debug)]
pub(super) struct Names {
    secret: BTreeSet<String>,
    other: BTreeSet<String>,
}

impl Names {
    pub fn new(rules: &CallRules) -> Self {
        let set = |words: &[String]| words.iter().cloned().collect();
        Self { secret: set(&rules.secret_words), other: set(&rules.other_words) }
    }

    /// Whether `name` is that of an Ansa secret of the merchant.
    pub fn says_secret(&self, name: &str) -> bool {
        self.says_ansa(name) && self.is_secret(name)
    }

    /// Whether `name` says Ansa.
    pub fn says_ansa(&self, name: &str) -> bool {
        words(name).iter().any(|word| {
            let Some(rest) = word.strip_prefix("ansa") else { return word == "secretansa" || word == "skansa" };
            rest.is_empty()
                || rest.bytes().all(|byte| byte.is_ascii_digit())
                || self.secret.iter().chain(&self.other).any(|one| rest.starts_with(one.as_str()))
                || BEHIND.iter().any(|one| rest.starts_with(one))
        })
    }

    /// Whether `name` is that of a secret, whosever.
    pub fn is_secret(&self, name: &str) -> bool {
        let words = words(name);
        // Words may be run together: `secretkey`, `ansasecret`.
        let is_others = |word: &str| self.other.iter().any(|other| other.len() > 3 && word.contains(other.as_str()));
        let is_secret = |word: &String| {
            self.secret.contains(word)
                || (word.contains("secret") && !is_others(word))
                || word.strip_prefix("ansa").is_some_and(|rest| self.secret.contains(rest))
        };
        // A key, or a placeholder of one, is told of as that.
        let is_key = ["ansa_sk_live_", "ansa_sk_sandbox_"]
            .iter()
            .any(|prefix| name.find(prefix).is_some_and(|at| name.len() - at - prefix.len() >= KEY_MIN));
        !is_key
            && name.len() <= NAME_MAX
            && words.iter().any(is_secret)
            && !words.iter().any(|word| self.other.contains(word))
    }
}

/// The words of `name`, in lower case: split at `_`, `-`, `.`, `$` and where capitals start.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let chars: Vec<char> = name.chars().collect();
    for (at, &one) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let is_next_low = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        let starts = one.is_uppercase()
            && before.is_some_and(|before| before.is_lowercase() || (before.is_uppercase() && is_next_low));
        if matches!(one, '_' | '-' | '.' | '$') || starts {
            words.push(String::new());
        }
        if one.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(one.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The whole name that `needle` is a part of.
pub(super) fn around(text: &[u8], needle: &Range<usize>) -> Range<usize> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let start = text[..needle.start].iter().rev().take(NAME_MAX + 1).take_while(|byte| is_part(byte)).count();
    let end = text[needle.start..].iter().take(2 * NAME_MAX).take_while(|byte| is_part(byte)).count();
    needle.start - start..(needle.start + end).max(needle.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{RuleFiles, Rules};

    #[test]
    fn only_secrets_of_ansa_say_so() {
        let names = Names::new(&Rules::load(&RuleFiles::embedded()).unwrap().calls);
        let yes = [
            "ANSA_SECRET_KEY",
            "NEXT_PUBLIC_ANSA_SK",
            "ansaMerchantSecretKey",
            "AnsaSecret",
            "VITE_ANSASECRET",
            "ansa_private_key",
            "REACT_APP_MY_ANSA_API_SECRET",
            "VITE_SECRET_KEY_ANSA",
            "VITE_SECRETKEY_ANSA",
            "NEXT_PUBLIC_ansaLiveSecretKey",
            "EXPO_PUBLIC_AnsaSk",
            "VITE_ansask",
        ];
        let no = [
            "ANSA_CLIENT_SECRET",
            "ansaPublishableKey",
            "TRANSACTION_SECRET",
            "transactionSecretKey",
            "expansaSecret",
            "KANSAS_SECRET",
            "ANSA_KEY",
            "ansaSkip",
            "hasAnsaSecretKey",
            "VITE_ANSA_CLIENTSECRET",
            "VITE_ANSASECRETNAME",
            "VITE_ANSATZ_SK_IP",
        ];
        assert!(yes.iter().all(|name| names.says_secret(name)));
        assert_eq!(no.iter().find(|name| names.says_secret(name)), None);
    }
}
