//! Captions from the truth of the scene as seen in rgb_removed.
//!
//! Three lengths: `short_prompt` (at most 25 words), `prompt` (75) and `verbose_prompt` (125, and
//! at most 226 T5 tokens by the bound of [`words::token_bound`]). They say what is there, what moves
//! and how, place, light and camera. Sentences are drawn from [`patterns::PATTERNS`] with the
//! stream `caption` of the sample. Removed objects are never named, nor is their noun unless
//! something else of that noun is seen: a sentence that would is not eligible.

pub mod facts;
pub mod motion;
pub mod patterns;
pub mod words;

use std::collections::BTreeMap;

use diorama_synth::shot::Shot;
use diorama_synth::stream::Stream;
use serde::{Deserialize, Serialize};

pub use facts::SeenInRemoved;
use facts::{Facts, Side, Thing};
use motion::{Act, CameraMove};
use patterns::{PATTERNS, Slot};
use words::{contains_phrase, definite, indefinite, list, sentence_case, token_bound, word_count};

use crate::sample_json::ObjectBounds;
use crate::tuple::Tuple;

/// Words of `short_prompt`, `prompt` and `verbose_prompt`.
pub const WORD_LIMITS: [usize; 3] = [25, 75, 125];
/// T5 tokens of any caption.
pub const TOKEN_LIMIT: usize = 226;

/// The three captions of a sample: the content of caption.json.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captions {
    /// At most 25 words.
    pub short_prompt: String,
    /// At most 75 words.
    pub prompt: String,
    /// At most 125 words.
    pub verbose_prompt: String,
}

impl Captions {
    /// The three texts with their names, shortest first.
    pub fn texts(&self) -> [(&'static str, &str); 3] {
        [
            ("short_prompt", &self.short_prompt),
            ("prompt", &self.prompt),
            ("verbose_prompt", &self.verbose_prompt),
        ]
    }

    /// Broken rules, in words: lengths, tokens, nouns of removed objects. `removed` and `seen` are
    /// the nouns of removed objects and of what may be named.
    pub fn faults(&self, removed: &[String], seen: &[String]) -> Vec<String> {
        let plain = |nouns: &[String]| -> Vec<String> {
            nouns.iter().map(|noun| words::plain_noun(noun)).collect()
        };
        let allowed = plain(seen);
        let forbidden = facts::forbidden(plain(removed), &allowed);
        let mut faults = Vec::new();
        for ((name, text), limit) in self.texts().into_iter().zip(WORD_LIMITS) {
            if text.trim().is_empty() {
                faults.push(format!("{name} is empty"));
            }
            if word_count(text) > limit {
                faults.push(format!(
                    "{name} has {} words (at most {limit})",
                    word_count(text)
                ));
            }
            if token_bound(text) > TOKEN_LIMIT {
                faults.push(format!(
                    "{name} may have {} T5 tokens (at most {TOKEN_LIMIT})",
                    token_bound(text)
                ));
            }
            if let Some(noun) = named(text, &forbidden, &allowed) {
                faults.push(format!("{name} names a removed object: `{noun}`"));
            }
        }
        faults
    }
}

/// The first forbidden noun that `text` says, in singular or plural, other than inside an allowed one.
fn named<'a>(text: &str, forbidden: &'a [String], allowed: &[String]) -> Option<&'a String> {
    if forbidden.is_empty() {
        return None;
    }
    let mut longest_first: Vec<&String> = allowed.iter().collect();
    longest_first.sort_by_key(|noun| (std::cmp::Reverse(noun.len()), noun.as_str()));
    let mut rest = text.to_owned();
    for noun in longest_first {
        rest = words::without_phrase(&rest, &words::plural(noun));
        rest = words::without_phrase(&rest, noun);
    }
    forbidden
        .iter()
        .find(|noun| contains_phrase(&rest, noun) || contains_phrase(&rest, &words::plural(noun)))
}

/// Writes the captions of one tuple.
pub fn captions(
    shot: &Shot,
    tuple: &Tuple,
    seen: &SeenInRemoved,
    bounds: &ObjectBounds,
) -> Captions {
    let facts = Facts::gather(shot, tuple, seen, bounds);
    let mut stream = Stream::new(shot.seed, &tuple.sample_id, "caption");
    let mut writer = Writer {
        facts: &facts,
        stream: &mut stream,
        used: Vec::new(),
    };
    Captions {
        short_prompt: writer.short(),
        prompt: writer.paragraph(&Length::PROMPT),
        verbose_prompt: writer.paragraph(&Length::VERBOSE),
    }
}

/// How much a paragraph may say.
struct Length {
    words: usize,
    adjectives: usize,
    groups: usize,
    motions: usize,
    acts: usize,
    details: usize,
}

impl Length {
    const PROMPT: Self = Self {
        words: WORD_LIMITS[1],
        adjectives: 1,
        groups: 4,
        motions: 2,
        acts: 2,
        details: 0,
    };
    const VERBOSE: Self = Self {
        words: WORD_LIMITS[2],
        adjectives: 2,
        groups: 6,
        motions: 4,
        acts: 3,
        details: 3,
    };
}

type Blanks = BTreeMap<&'static str, String>;

struct Writer<'a> {
    facts: &'a Facts,
    stream: &'a mut Stream,
    /// Patterns that the paragraph in hand has used.
    used: Vec<usize>,
}

impl Writer<'_> {
    /// One sentence with as much as fits.
    fn short(&mut self) -> String {
        let slot = if self.facts.things.is_empty() {
            Slot::Empty
        } else {
            Slot::Short
        };
        let order = self.order(slot);
        for (adjectives, groups) in [(1, 4), (0, 4), (0, 3), (0, 2), (0, 1)] {
            let blanks = self.scene_blanks(adjectives, groups, 2);
            for &pattern in &order {
                if let Some(text) = self.fill(pattern, &blanks)
                    && word_count(&text) <= WORD_LIMITS[0]
                {
                    return text;
                }
            }
        }
        self.last_resort()
    }

    /// Several sentences: the most important are placed first, then put in reading order.
    fn paragraph(&mut self, length: &Length) -> String {
        self.used.clear();
        // (importance, reading order, sentence); lower is earlier.
        let mut sentences: Vec<(usize, usize, String)> = Vec::new();
        let mut add = |importance: usize, place: usize, text: Option<String>| {
            if let Some(text) = text {
                sentences.push((importance, place, text));
            }
        };
        let scene = self.scene_blanks(length.adjectives, length.groups, length.acts);
        let opening = if self.facts.things.is_empty() {
            Slot::Empty
        } else {
            Slot::Opening
        };
        add(0, 0, self.draw(opening, &scene));

        let motions = self.motions(length.acts);
        if motions.iter().all(|(still, _)| *still) {
            let blanks = motions.into_iter().next().map(|(_, blanks)| blanks);
            if let Some(blanks) = blanks {
                add(1, 30, self.draw(Slot::Still, &blanks));
            }
        } else {
            for (rank, (_, blanks)) in motions.iter().take(length.motions).enumerate() {
                let slot = if rank == 0 {
                    Slot::Motion
                } else {
                    Slot::MoreMotion
                };
                add(1 + 3 * rank, 30 + rank, self.draw(slot, blanks));
            }
        }
        let mut details = self.details(length.adjectives);
        details.truncate(length.details);
        for (rank, blanks) in details.iter().enumerate() {
            add(6 + rank, 10 + rank, self.draw(Slot::Detail, blanks));
        }
        add(5, 20, self.draw(Slot::Scenery, &scene));
        if !self.facts.things.is_empty() {
            add(3, 50, self.draw(Slot::Light, &scene));
        }
        add(2, 60, self.draw(Slot::Camera, &scene));

        sentences.sort_by_key(|(importance, place, _)| (*importance, *place));
        let mut kept: Vec<(usize, String)> = Vec::new();
        let mut so_far = String::new();
        for (_, place, sentence) in sentences {
            let with_it = if so_far.is_empty() {
                sentence.clone()
            } else {
                format!("{so_far} {sentence}")
            };
            if word_count(&with_it) <= length.words && token_bound(&with_it) <= TOKEN_LIMIT {
                so_far = with_it;
                kept.push((place, sentence));
            }
        }
        kept.sort_by_key(|(place, _)| *place);
        if kept.is_empty() {
            return self.last_resort();
        }
        let texts: Vec<String> = kept.into_iter().map(|(_, text)| text).collect();
        texts.join(" ")
    }

    /// Indices of the patterns of a slot, in drawn order.
    fn order(&mut self, slot: Slot) -> Vec<usize> {
        let of_slot: Vec<usize> = (0..PATTERNS.len())
            .filter(|i| PATTERNS[*i].0 == slot)
            .collect();
        self.stream
            .choose(of_slot.len(), of_slot.len())
            .into_iter()
            .map(|i| of_slot[i])
            .collect()
    }

    /// A drawn pattern of the slot with its blanks filled; `None` when none is eligible. Patterns
    /// and first words that the paragraph has not used yet are preferred.
    fn draw(&mut self, slot: Slot, blanks: &Blanks) -> Option<String> {
        let order = self.order(slot);
        let (fresh, stale): (Vec<usize>, Vec<usize>) = order
            .into_iter()
            .partition(|pattern| !self.used.iter().any(|used| sound_alike(*used, *pattern)));
        let (pattern, text) = fresh
            .into_iter()
            .chain(stale)
            .find_map(|pattern| Some((pattern, self.fill(pattern, blanks)?)))?;
        self.used.push(pattern);
        Some(text)
    }

    /// The pattern as a sentence, unless a blank is not known or a removed object would be named.
    fn fill(&self, pattern: usize, blanks: &Blanks) -> Option<String> {
        let mut text = String::new();
        let mut rest = PATTERNS[pattern].1;
        while let Some((front, tail)) = rest.split_once('{') {
            let (name, tail) = tail.split_once('}')?;
            text.push_str(front);
            text.push_str(blanks.get(name)?);
            rest = tail;
        }
        text.push_str(rest);
        let text = sentence_case(&text);
        named(&text, &self.facts.forbidden, &self.facts.allowed)
            .is_none()
            .then_some(text)
    }

    /// When every sentence would name something removed.
    fn last_resort(&self) -> String {
        ["A quiet scene.", "An empty view.", "Nothing else remains."]
            .into_iter()
            .find(|text| named(text, &self.facts.forbidden, &self.facts.allowed).is_none())
            .unwrap_or("All is still.")
            .to_owned()
    }

    /// Blanks about the scene as a whole.
    fn scene_blanks(&self, adjectives: usize, groups: usize, acts: usize) -> Blanks {
        let facts = self.facts;
        let mut blanks = Blanks::new();
        let count = facts.things.len();
        let is_plural = count > 1;
        if count > 0 {
            let shown = groups.min(facts.groups.len());
            let mut items: Vec<String> = facts.groups[..shown]
                .iter()
                .map(|g| indefinite(&adjective_list(&g.adjectives, adjectives), &g.noun, g.count))
                .collect();
            let others: usize = facts.groups[shown..].iter().map(|g| g.count).sum();
            match others {
                0 => {}
                1 => items.push("another object".into()),
                _ => items.push("several other objects".into()),
            }
            blanks.insert("list", list(&items));
            blanks.insert("is", if is_plural { "are" } else { "is" }.into());
            blanks.insert(
                "appear",
                if is_plural { "appear" } else { "appears" }.into(),
            );
        }

        let mut place = String::new();
        if let Some((words, noun)) = &facts.support {
            // Things that never land are above it.
            let is_in_air = |act: &Act| matches!(act, Act::Hover | Act::Fly | Act::Fall);
            let in_air = facts
                .things
                .iter()
                .filter(|t| t.acts.iter().all(is_in_air))
                .count();
            let preposition = if in_air * 2 > count { "above" } else { "on" };
            blanks.insert(
                "support",
                definite(&adjective_list(words, adjectives), noun, 1),
            );
            let support = indefinite(&adjective_list(words, adjectives), noun, 1);
            let lead = format!("{preposition} {support}");
            place = format!(" {lead}");
            blanks.insert("lead", lead);
        }
        blanks.insert("place", place);

        // `lit by …` follows "is"; anything else is a phrase of place.
        let light = facts.light.as_str();
        let mut with_space = String::new();
        if !light.is_empty() {
            let starts = |prefix: &str| light.starts_with(prefix);
            let is_phrase = [
                "under ", "in ", "at ", "by ", "with ", "on ", "during ", "beneath ",
            ]
            .into_iter()
            .any(starts);
            if starts("lit ") {
                with_space = format!(", {light}");
                blanks.insert("lit_phrase", light.to_owned());
            } else {
                let phrase = if is_phrase {
                    light.to_owned()
                } else {
                    format!("under {light}")
                };
                with_space = format!(" {phrase}");
                blanks.insert("light_lead", phrase.clone());
                blanks.insert("light_phrase", phrase);
            }
        }
        blanks.insert("light", with_space);

        let scenery: Vec<String> = facts
            .scenery
            .iter()
            .take(2)
            .map(|(words, noun)| indefinite(&adjective_list(words, adjectives), noun, 1))
            .collect();
        if !scenery.is_empty() {
            let one = scenery.len() == 1;
            blanks.insert("scenery_is", if one { "is" } else { "are" }.into());
            blanks.insert("scenery", list(&scenery));
        }

        let (moves, slow) = facts.camera;
        let (verb, participle) = moves.forms();
        if moves == CameraMove::Static {
            blanks.insert("fixed", String::new());
            blanks.insert("camera", verb.into());
            blanks.insert("camera_participle", participle.into());
        } else {
            let slowly = if slow { "slowly " } else { "" };
            blanks.insert("camera", format!("{slowly}{verb}"));
            blanks.insert("moving_camera", format!("{slowly}{verb}"));
            blanks.insert("camera_participle", format!("{slowly}{participle}"));
        }

        let motions = self.motions(acts);
        if let [(_, all)] = motions.as_slice() {
            // The list stands for all things only when it names or counts them all.
            blanks.insert("all_verbs", all["verbs"].clone());
            blanks.insert("all_participles", all["participles"].clone());
        }
        if motions.len() > 1
            && let Some((false, mover)) = motions.first()
        {
            blanks.insert("mover", mover["subject"].clone());
            blanks.insert("mover_participles", mover["participles"].clone());
        }
        blanks
    }

    /// Blanks of one sentence per manner of motion, with whether it is stillness; moving things
    /// first, each in the order of their first object.
    fn motions(&self, acts: usize) -> Vec<(bool, Blanks)> {
        let mut manners: Vec<(Vec<Act>, Vec<&Thing>)> = Vec::new();
        for thing in &self.facts.things {
            let told: Vec<Act> = thing.acts.iter().copied().take(acts).collect();
            match manners.iter_mut().find(|(manner, _)| *manner == told) {
                Some((_, things)) => things.push(thing),
                None => manners.push((told, vec![thing])),
            }
        }
        manners.sort_by_key(|(manner, _)| manner[0].is_still());
        manners
            .into_iter()
            .map(|(manner, things)| {
                let is_plural = things.len() > 1;
                let form = |pick: fn(&motion::Forms) -> &'static str| {
                    let words: Vec<String> = manner
                        .iter()
                        .map(|act| pick(&act.forms()).to_owned())
                        .collect();
                    list(&words)
                };
                let mut blanks = Blanks::new();
                blanks.insert("subject", self.subject(&things));
                blanks.insert(
                    "verbs",
                    if is_plural {
                        form(|f| f.plural)
                    } else {
                        form(|f| f.singular)
                    },
                );
                blanks.insert("infinitives", form(|f| f.plural));
                blanks.insert("participles", form(|f| f.participle));
                (manner[0].is_still(), blanks)
            })
            .collect()
    }

    /// `the gear and one of the two cubes`: definite, with parts of larger groups named as parts.
    fn subject(&self, things: &[&Thing]) -> String {
        let mut counted: Vec<(&str, usize)> = Vec::new();
        for thing in things {
            match counted.iter_mut().find(|(noun, _)| *noun == thing.noun) {
                Some((_, count)) => *count += 1,
                None => counted.push((&thing.noun, 1)),
            }
        }
        let items: Vec<String> = counted
            .into_iter()
            .map(|(noun, count)| {
                let total = self.facts.things.iter().filter(|t| t.noun == noun).count();
                if count == total {
                    definite("", noun, count)
                } else {
                    let part = if count == 1 {
                        "one"
                    } else {
                        words::number(count)
                    };
                    format!("{part} of {}", definite("", noun, total))
                }
            })
            .collect();
        list(&items)
    }

    /// Where still things are that are the only one of their noun: one sentence per side.
    fn details(&self, adjectives: usize) -> Vec<Blanks> {
        let facts = self.facts;
        let single = |thing: &&Thing| {
            thing.acts[0].is_still()
                && facts
                    .groups
                    .iter()
                    .any(|g| g.noun == thing.noun && g.count == 1)
        };
        [
            (Side::Left, "on the left"),
            (Side::Middle, "in the middle"),
            (Side::Right, "on the right"),
        ]
        .into_iter()
        .filter_map(|(side, words)| {
            let there: Vec<String> = facts
                .things
                .iter()
                .filter(single)
                .filter(|thing| thing.side == side)
                .take(3)
                .map(|thing| {
                    let look = adjective_list(&thing.adjectives, adjectives);
                    definite(&look, &thing.noun, 1)
                })
                .collect();
            let is = if there.len() > 1 { "are" } else { "is" };
            (!there.is_empty()).then(|| {
                Blanks::from([
                    ("one", list(&there)),
                    ("one_is", is.to_owned()),
                    ("side", words.to_owned()),
                ])
            })
        })
        .collect()
    }
}

/// Are these one pattern, or two that begin with the same words?
fn sound_alike(a: usize, b: usize) -> bool {
    let opener = |pattern: usize| -> Vec<&str> {
        let text = PATTERNS[pattern].1;
        let fixed = text.split('{').next().unwrap_or_default();
        fixed.split_whitespace().take(2).collect()
    };
    a == b || (!opener(a).is_empty() && opener(a) == opener(b))
}

/// The first `most` adjectives, `shiny, red`.
fn adjective_list(adjectives: &[String], most: usize) -> String {
    let shown = most.min(adjectives.len());
    adjectives[..shown].join(", ")
}

#[cfg(test)]
mod tests;
