//! What to call an asset in a caption.

/// Tokens of ids that name a data set, a format or a variant, not the thing.
const NO_NOUNS: [&str; 40] = [
    "asset",
    "baked",
    "binary",
    "bin",
    "clean",
    "decimated",
    "exr",
    "fbx",
    "final",
    "free",
    "glb",
    "gltf",
    "gso",
    "half",
    "hdr",
    "high",
    "jpg",
    "kenney",
    "ldr",
    "low",
    "lowpoly",
    "mat",
    "mesh",
    "model",
    "obj",
    "poly",
    "polyhaven",
    "png",
    "quaternius",
    "scan",
    "sketchfab",
    "textured",
    "tex",
    "unity",
    "visual",
    "geometry",
    "webp",
    "ycb",
    "zip",
    "float",
];

/// Categories of public data sets that are no nouns for one thing, and the noun to use; an empty one
/// says nothing, so the id speaks.
const CATEGORIES: [(&str, &str); 20] = [
    ("action figures", "action figure"),
    ("board games", "board game"),
    ("bottles and cans and cups", "container"),
    ("consumer goods", ""),
    ("drink", ""),
    ("food", ""),
    ("household", ""),
    ("kitchen", ""),
    ("legos", "toy brick"),
    ("media cases", "media case"),
    ("misc", ""),
    ("none", ""),
    ("object", ""),
    ("objects", ""),
    ("other", ""),
    ("shape", ""),
    ("stuffed toys", "stuffed toy"),
    ("task", ""),
    ("tool", ""),
    ("toys", "toy"),
];

/// Longest noun made from an id, words.
const MAX_WORDS: usize = 4;

/// `ycb_004_sugar_box` → `sugar box`; `object` when nothing is left.
pub(super) fn from_id(id: &str) -> String {
    let words: Vec<String> = id
        .rsplit('/')
        .next()
        .unwrap_or(id)
        .split(|c: char| !c.is_alphanumeric())
        .flat_map(split_camel_case)
        .filter(|word| {
            word.chars().count() > 1
                && !word.chars().any(char::is_numeric)
                && !NO_NOUNS.contains(&word.as_str())
        })
        .collect();
    if words.is_empty() {
        return "object".into();
    }
    words[words.len().saturating_sub(MAX_WORDS)..].join(" ")
}

/// The manifest's category where it is a noun, else the id.
pub(super) fn from_category(category: Option<&str>, id: &str) -> String {
    let category = category.unwrap_or("").trim().to_lowercase();
    let known = CATEGORIES.iter().find(|(name, _)| *name == category);
    let noun = known.map_or(category.as_str(), |(_, noun)| noun);
    if noun.is_empty() || !noun.chars().all(|c| c.is_alphabetic() || c == ' ') {
        from_id(id)
    } else {
        noun.to_owned()
    }
}

/// `GlassBottle` → `glass`, `bottle`; runs of capitals stay together.
fn split_camel_case(token: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_lower = false;
    for letter in token.chars() {
        if letter.is_uppercase() && before_lower {
            words.push(String::new());
        }
        before_lower = letter.is_lowercase();
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_plain_nouns() {
        for (id, noun) in [
            ("ycb_004_sugar_box", "sugar box"),
            ("ycb_011_banana", "banana"),
            ("egyptian_cat_statue_webp", "egyptian cat statue"),
            ("polyhaven_stool", "stool"),
            ("painted_wooden_stool_1k", "painted wooden stool"),
            ("glass_bottle_fbx", "glass bottle"),
            ("props/PaperCup-02.glb", "paper cup"),
            ("0001", "object"),
        ] {
            assert_eq!(from_id(id), noun, "{id}");
        }
    }

    #[test]
    fn categories_win_where_they_are_nouns() {
        assert_eq!(from_category(Some("Shoe"), "11pro_SL_TRX_FG"), "shoe");
        assert_eq!(from_category(Some("Toys"), "x"), "toy");
        assert_eq!(
            from_category(Some("food"), "ycb_004_sugar_box"),
            "sugar box"
        );
        assert_eq!(from_category(Some("n02876657"), "red_bottle"), "red bottle");
        assert_eq!(from_category(None, "red_bottle"), "red bottle");
    }
}
