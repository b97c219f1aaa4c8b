//! English by rule: articles, plurals, lists, numbers, word and token counts.

/// Words of a text: runs of non-space characters.
pub fn word_count(text: &str) -> usize {
    text.split_whitespace().count()
}

/// An upper estimate of how many T5 (SentencePiece) tokens a text has.
///
/// The tokenizer itself is not at hand. Each run of letters or digits counts one token per three
/// characters, rounded up (English words average under 1.4 tokens at 4.7 letters, so this is about
/// a third too many), each other mark counts one, and one is added for the end-of-sequence token.
pub fn token_bound(text: &str) -> usize {
    let mut tokens = 1;
    let mut run = 0usize;
    for c in text.chars() {
        if c.is_alphanumeric() {
            run += 1;
            continue;
        }
        tokens += run.div_ceil(3) + usize::from(!c.is_whitespace());
        run = 0;
    }
    tokens + run.div_ceil(3)
}

/// Turns a name into a plain noun: lower case, letters only, words of one space; at most four
/// words; `object` when nothing is left. `004_sugar_box` becomes `sugar box`.
pub fn plain_noun(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in name.split(|c: char| !(c.is_ascii_alphabetic() || c == '\'')) {
        let word = word.trim_matches('\'').to_ascii_lowercase();
        if word.len() > 1 && word.len() <= 20 && words.len() < 4 {
            words.push(word);
        }
    }
    if words.is_empty() {
        "object".into()
    } else {
        words.join(" ")
    }
}

/// Nouns of things that come in pairs and have no singular.
const PAIRS: [&str; 8] = [
    "scissors",
    "pliers",
    "tongs",
    "trousers",
    "shorts",
    "headphones",
    "glasses",
    "tweezers",
];
/// Nouns of stuff, which takes no article and has no plural.
const STUFF: [&str; 16] = [
    "sand", "grass", "gravel", "concrete", "snow", "water", "ice", "asphalt", "soil", "mud",
    "wood", "marble", "granite", "felt", "leather", "rubble",
];
/// Nouns whose plural is their singular.
const UNCHANGED: [&str; 6] = ["sheep", "fish", "deer", "aircraft", "dice", "series"];
/// Plurals that follow no rule.
const IRREGULAR: [(&str, &str); 17] = [
    ("man", "men"),
    ("woman", "women"),
    ("child", "children"),
    ("person", "people"),
    ("foot", "feet"),
    ("tooth", "teeth"),
    ("goose", "geese"),
    ("mouse", "mice"),
    ("die", "dice"),
    ("knife", "knives"),
    ("shelf", "shelves"),
    ("leaf", "leaves"),
    ("loaf", "loaves"),
    ("wolf", "wolves"),
    ("torus", "tori"),
    ("potato", "potatoes"),
    ("tomato", "tomatoes"),
];

fn is_pair(noun: &str) -> bool {
    noun.split(' ')
        .next_back()
        .is_some_and(|word| PAIRS.contains(&word))
}

fn is_stuff(noun: &str) -> bool {
    noun.split(' ')
        .next_back()
        .is_some_and(|word| STUFF.contains(&word))
}

/// Plural of a noun phrase. The head is the last word, or the one before ` of `, ` with `, ` in `.
pub fn plural(noun: &str) -> String {
    for link in [" of ", " with ", " in "] {
        if let Some((head, rest)) = noun.split_once(link) {
            return format!("{}{link}{rest}", plural(head));
        }
    }
    if is_pair(noun) {
        return format!("pairs of {noun}");
    }
    let (front, word) = noun.rsplit_once(' ').map_or(("", noun), |(f, w)| (f, w));
    let word = plural_word(word);
    if front.is_empty() {
        word
    } else {
        format!("{front} {word}")
    }
}

fn plural_word(word: &str) -> String {
    if UNCHANGED.contains(&word) {
        return word.into();
    }
    if let Some((_, plural)) = IRREGULAR.iter().find(|(singular, _)| *singular == word) {
        return (*plural).into();
    }
    let ends = |suffix: &str| word.ends_with(suffix);
    if ends("s") || ends("x") || ends("z") || ends("ch") || ends("sh") {
        return format!("{word}es");
    }
    if let Some(stem) = word.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    format!("{word}s")
}

/// `a` or `an`, by sound.
pub fn article(phrase: &str) -> &'static str {
    let word = phrase.split([' ', '-']).next().unwrap_or_default();
    let starts = |list: &[&str]| list.iter().any(|prefix| word.starts_with(prefix));
    // "Uni…", "use…", "eu…", "one" begin with a consonant sound; a silent h does not.
    let consonant = starts(&[
        "uni", "use", "usu", "uti", "ute", "eu", "ewe", "one", "once",
    ]) && !starts(&["unin", "unim", "unid"]);
    let silent_h = starts(&["hour", "honest", "honour", "honor", "heir"]);
    if silent_h || (starts(&["a", "e", "i", "o", "u"]) && !consonant) {
        "an"
    } else {
        "a"
    }
}

const NUMBERS: [&str; 11] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

/// Number as a word, 2 and above; `many` beyond twelve.
pub fn number(count: usize) -> &'static str {
    NUMBERS
        .get(count.saturating_sub(2))
        .copied()
        .unwrap_or("many")
}

/// `a shiny cube`, `three shiny cubes`, `a pair of scissors`, `pale sand`.
pub fn indefinite(adjectives: &str, noun: &str, count: usize) -> String {
    let spaced = if adjectives.is_empty() {
        String::new()
    } else {
        format!("{adjectives} ")
    };
    if count > 1 {
        let plural = plural(noun);
        return match plural.strip_prefix("pairs of ") {
            Some(rest) => format!("{} pairs of {spaced}{rest}", number(count)),
            None => format!("{} {spaced}{plural}", number(count)),
        };
    }
    if is_pair(noun) {
        return format!("a pair of {spaced}{noun}");
    }
    let phrase = format!("{spaced}{noun}");
    if is_stuff(noun) {
        return phrase;
    }
    format!("{} {phrase}", article(&phrase))
}

/// `the shiny cube`, `the three cubes`, `the pair of scissors`.
pub fn definite(adjectives: &str, noun: &str, count: usize) -> String {
    let phrase = indefinite(adjectives, noun, count);
    let phrase = match phrase.split_once(' ') {
        Some(("a" | "an", rest)) => rest,
        _ => phrase.as_str(),
    };
    format!("the {phrase}")
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// First letter in upper case.
pub fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Does `phrase` occur in `text` as whole words, whatever the case?
pub fn contains_phrase(text: &str, phrase: &str) -> bool {
    let text = normal_form(text);
    let phrase = normal_form(phrase);
    phrase.trim() != "" && text.contains(&phrase)
}

/// `text` with every whole-word occurrence of `phrase` taken out.
pub fn without_phrase(text: &str, phrase: &str) -> String {
    let phrase = normal_form(phrase);
    let mut text = normal_form(text);
    if phrase.trim().is_empty() {
        return text;
    }
    while let Some(at) = text.find(&phrase) {
        // A mark that is no word stands where it was, so that its neighbours do not join up.
        text.replace_range(at..at + phrase.len(), " | ");
    }
    text
}

/// Lower case, words separated and surrounded by single spaces, marks gone.
fn normal_form(text: &str) -> String {
    let mut out = String::from(" ");
    for c in text.chars() {
        if c.is_alphanumeric() || c == '|' {
            out.extend(c.to_lowercase());
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals() {
        for (singular, expected) in [
            ("cube", "cubes"),
            ("sugar box", "sugar boxes"),
            ("torus", "tori"),
            ("torus knot", "torus knots"),
            ("toy", "toys"),
            ("berry", "berries"),
            ("brush", "brushes"),
            ("can of soup", "cans of soup"),
            ("scissors", "pairs of scissors"),
            ("kitchen knife", "kitchen knives"),
            ("fish", "fish"),
        ] {
            assert_eq!(plural(singular), expected);
        }
    }

    #[test]
    fn articles_follow_the_sound() {
        for (phrase, expected) in [
            ("apple", "an"),
            ("cube", "a"),
            ("unicycle", "a"),
            ("umbrella", "an"),
            ("hourglass", "an"),
            ("house", "a"),
            ("one-eyed doll", "a"),
            ("orange ball", "an"),
            ("uninteresting box", "an"),
            ("european clock", "a"),
        ] {
            assert_eq!(article(phrase), expected, "{phrase}");
        }
    }

    #[test]
    fn counted_nouns() {
        assert_eq!(indefinite("pale", "sand", 1), "pale sand");
        assert_eq!(definite("pale", "sand", 1), "the pale sand");
        assert_eq!(indefinite("", "egg", 1), "an egg");
        assert_eq!(indefinite("shiny", "egg", 1), "a shiny egg");
        assert_eq!(
            indefinite("shiny, red", "cube", 3),
            "three shiny, red cubes"
        );
        assert_eq!(indefinite("red", "scissors", 1), "a pair of red scissors");
        assert_eq!(indefinite("", "scissors", 2), "two pairs of scissors");
        assert_eq!(indefinite("", "cube", 40), "many cubes");
        assert_eq!(definite("", "cube", 2), "the two cubes");
        assert_eq!(definite("old", "egg", 1), "the old egg");
        assert_eq!(definite("red", "scissors", 1), "the pair of red scissors");
    }

    #[test]
    fn lists() {
        let items = ["a cube", "a gear", "two balls"].map(String::from);
        assert_eq!(list(&items), "a cube, a gear and two balls");
        assert_eq!(list(&items[..2]), "a cube and a gear");
        assert_eq!(list(&items[..1]), "a cube");
    }

    #[test]
    fn names_become_nouns() {
        assert_eq!(plain_noun("ycb_004_sugar_box"), "ycb sugar box");
        assert_eq!(plain_noun("Suzanne.001"), "suzanne");
        assert_eq!(plain_noun("__"), "object");
        assert_eq!(plain_noun("\u{202e}7"), "object");
    }

    #[test]
    fn phrases_are_whole_words() {
        assert!(contains_phrase("The Sugar box, on a floor.", "sugar box"));
        assert!(!contains_phrase("Two boxes stand there.", "box"));
        assert!(!contains_phrase(
            &without_phrase("a sugar box", "sugar box"),
            "box"
        ));
        assert!(contains_phrase(
            &without_phrase("a sugar box and a box", "sugar box"),
            "box"
        ));
    }

    #[test]
    fn token_bound_is_above_the_words() {
        assert_eq!(token_bound(""), 1);
        assert_eq!(token_bound("a cube."), 1 + 1 + 2 + 1);
        assert!(token_bound("There are two cubes on the floor.") >= 9);
    }
}
