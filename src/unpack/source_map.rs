//! Source maps that bring the text of the sources along (`sourcesContent`), in sections or not.
//!
//! Mappings from place to place are not decoded.

use serde::Deserialize;

/// What a source map says of its sources.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    /// Each source that has a text: its path as the map gives it, and the text.
    pub sources: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    #[serde(default)]
    source_root: Option<String>,
    #[serde(default)]
    sources: Vec<Option<String>>,
    #[serde(default)]
    sources_content: Vec<Option<String>>,
    #[serde(default)]
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    #[serde(default)]
    map: Option<Box<Form>>,
}

impl SourceMap {
    /// The map in `text`, if that is one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        // A first line that keeps pages from running it as a script.
        let line_end = memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1);
        let text = if text.starts_with(b")]}'") { &text[line_end..] } else { text };
        let form: Form = serde_json::from_slice(text).ok()?;
        let mut map = Self::default();
        let mut forms = vec![form];
        while let Some(form) = forms.pop() {
            let root = form.source_root.filter(|root| !root.is_empty());
            let root = root.map(|root| if root.ends_with('/') { root } else { root + "/" }).unwrap_or_default();
            let names = form.sources.into_iter().chain(std::iter::repeat(None));
            for (name, text) in names.zip(form.sources_content) {
                if let Some(text) = text {
                    map.sources.push((format!("{root}{}", name.as_deref().unwrap_or("(no name)")), text));
                }
            }
            forms.extend(form.sections.into_iter().filter_map(|section| section.map.map(|map| *map)));
        }
        Some(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_maps_in_sections_and_without_names() {
        let text = br#")]}'
{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"sourceRoot":"app","sources":["a.ts",null,"c.ts"],"sourcesContent":["a\nb",null,"c"]}}]}"#;
        let map = SourceMap::parse(text).unwrap();
        assert_eq!(map.sources, [("app/a.ts".into(), "a\nb".into()), ("app/c.ts".into(), "c".into())]);
        assert_eq!(SourceMap::parse(b"{\"sources\":1}"), None);
    }
}
