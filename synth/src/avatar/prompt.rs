//! The line of prompt.txt: who, what they do, where, in what light, seen how.

use crate::shot::{LightKind, Shot, Track};

/// Verbs of motions whose names do not say them in the third person.
const VERBS: &[(&str, &str)] = &[
    ("walk", "walks"),
    ("run", "runs"),
    ("jump", "jumps"),
    ("jumping jacks", "does jumping jacks"),
    ("jumping", "jumps"),
    ("wave", "waves"),
    ("wave hello", "waves hello"),
    ("dance", "dances"),
    ("dab", "dabs"),
    ("idle", "stands still"),
    ("sit", "sits down"),
    ("turn", "turns around"),
    ("hop and turn", "hops and turns"),
    ("zombie walk", "walks like a zombie"),
    ("punch", "punches"),
    ("clapping", "claps"),
    ("kick", "kicks"),
];

/// A name of a file as words: `walk_in_place` → `walk in place`.
fn words(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    let spaced: String = last
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    spaced
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// What somebody does, as a verb phrase in the third person.
fn action(motion: &str) -> String {
    let name = words(motion);
    let longest = VERBS
        .iter()
        .filter(|(word, _)| name == *word || name.starts_with(&format!("{word} ")))
        .max_by_key(|(word, _)| word.len());
    match longest {
        Some((word, verb)) => format!("{verb}{}", &name[word.len()..]),
        None => format!("performs {name}"),
    }
}

fn character(shot: &Shot) -> Option<&crate::shot::Object> {
    shot.objects.iter().find(|object| object.motion.is_some())
}

fn place(shot: &Shot) -> Option<String> {
    shot.environment.asset.as_deref().map(words)
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// One line that says who does what, where, in what light, and how the camera sees it.
pub fn prompt(shot: &Shot) -> String {
    let (who, what) = match character(shot) {
        Some(object) => {
            let noun = words(&object.noun);
            let motion = object.motion.as_ref().map_or("", |motion| &motion.id);
            (format!("{} {noun}", article(&noun)), action(motion))
        }
        None => ("a character".to_owned(), "stands still".to_owned()),
    };
    let place = match place(shot) {
        Some(name) => format!("before a view of {name}"),
        None => "in a blank room on a checkered floor".into(),
    };
    let mut light = if shot.light_description.is_empty() {
        String::new()
    } else {
        format!(", {}", shot.light_description)
    };
    if shot
        .lights
        .iter()
        .any(|light| matches!(light.kind, LightKind::Area { .. }))
    {
        light.push_str(", lit by a large soft lamp from above");
    }
    let camera = match shot.cameras.first().map(|camera| &camera.pose) {
        Some(Track::PerFrame(_)) => "The camera slides sideways.",
        _ => "The camera stands still.",
    };
    let mut line = format!("{who} {what} {place}{light}. {camera}");
    if let Some(first) = line.get(..1).map(str::to_uppercase) {
        line.replace_range(..1, &first);
    }
    line
}

/// The original script's line: `cartoon character {char} {motion} in a blank room.`, or `… in
/// {skybox}.`.
pub fn das_prompt(shot: &Shot) -> String {
    let (name, motion) = character(shot).map_or(("", ""), |object| {
        let motion = object
            .motion
            .as_ref()
            .map_or("", |motion| motion.id.as_str());
        (
            object.name.as_str(),
            motion.rsplit('/').next().unwrap_or(motion),
        )
    });
    let place = shot
        .environment
        .asset
        .as_ref()
        .map_or("a blank room".to_owned(), |id| id.replace('_', " "));
    format!("cartoon character {name} {motion} in {place}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_motions_become_verb_phrases() {
        for (name, phrase) in [
            ("mh_male/walk", "walks"),
            ("mh_male/walk_in_place", "walks in place"),
            ("mh_male/jumping_jacks", "does jumping jacks"),
            ("builtin/motion/wave", "waves"),
            ("x/zombie_walk", "walks like a zombie"),
            ("x/walking_stick", "performs walking stick"),
        ] {
            assert_eq!(action(name), phrase);
        }
    }
}
