//! The line of prompt.txt: who, what they do, where, in what light, seen how.

use diorama_assets::builtin::motion::motion_verb;

use crate::shot::{LightKind, MotionRecord, Object, Shot, Track};

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

/// Words of file names that say how a picture is stored, not what it shows.
const STORAGE: &[&str] = &["ldr", "hdr", "exr", "half", "float", "zip", "dwaa", "env"];

/// A name of a file, or of a take in it, as words: `walk_in_place`, `WalkInPlace` and `all#WalkInPlace` →
/// `walk in place`.
fn words(name: &str) -> String {
    let last = name.rsplit(['/', '#']).next().unwrap_or(name);
    let mut spaced = String::new();
    let mut before = ' ';
    for c in last.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.push(if c.is_alphanumeric() { c } else { ' ' });
        before = c;
    }
    spaced
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// The name of a picture, without how it is read (`?expanded`).
fn picture(id: &str) -> &str {
    id.split('?').next().unwrap_or(id)
}

/// A place by the name of its picture, without sizes and formats: `venice_sunset_1k` → `venice sunset`.
fn place_name(id: &str) -> String {
    let is_size = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let named: Vec<String> = words(picture(id))
        .split(' ')
        .filter(|word| !is_size(word) && !STORAGE.contains(word))
        .map(str::to_owned)
        .collect();
    named.join(" ")
}

/// What to call somebody whose noun is this: `mh male` → `man`.
pub(crate) fn person(noun: &str) -> String {
    const PEOPLE: [(&str, &[&str]); 5] = [
        ("woman", &["female", "woman", "lady"]),
        ("man", &["male", "man", "guy"]),
        ("girl", &["girl"]),
        ("boy", &["boy"]),
        (
            "person",
            &["human", "person", "character", "avatar", "people"],
        ),
    ];
    let noun = words(noun);
    let said = noun.split(' ').find_map(|word| {
        let known = PEOPLE.iter().find(|(_, names)| names.contains(&word));
        known.map(|(name, _)| (*name).to_owned())
    });
    said.unwrap_or(noun)
}

/// ` in a blue shirt and black trousers`, from the garments noted in the Shot.
fn clothing(garments: &[String]) -> String {
    let with_article = |garment: &String| {
        if garment.ends_with('s') && !garment.ends_with("dress") {
            garment.clone()
        } else {
            format!("{} {garment}", article(garment))
        }
    };
    let all: Vec<String> = garments.iter().map(with_article).collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(" in {}", listed(&all))
    }
}

/// What somebody does, as a verb phrase in the third person.
fn action(motion: &str) -> String {
    if let Some(verb) = motion_verb(motion) {
        return verb.to_owned();
    }
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

/// Everybody who does something, in order.
fn characters(shot: &Shot) -> impl Iterator<Item = (&Object, &MotionRecord)> {
    let objects = shot.objects.iter();
    objects.filter_map(|object| Some((object, object.motion.as_ref()?)))
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(all: &[String]) -> String {
    match all.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// ` holding a red mug`; nothing with empty hands.
fn holding(shot: &Shot, motion: &MotionRecord) -> String {
    let held = motion.held.iter();
    let named: Vec<String> = held
        .filter_map(|held| shot.object(held.object))
        .map(described)
        .collect();
    if named.is_empty() {
        String::new()
    } else {
        format!(" holding {}", listed(&named))
    }
}

/// `a blue crate`.
fn described(object: &Object) -> String {
    let mut words = object.adjectives.clone();
    words.push(object.noun.clone());
    let words = words.join(" ");
    format!("{} {words}", article(&words))
}

/// ` beside a blue crate and a red ball that falls`; nothing without props.
fn props(shot: &Shot) -> String {
    let named: Vec<String> = shot
        .objects
        .iter()
        .filter_map(|object| {
            let physics = object.physics.as_ref()?;
            let does = if physics.stationary {
                ""
            } else {
                " that falls"
            };
            Some(format!("{}{does}", described(object)))
        })
        .collect();
    if named.is_empty() {
        String::new()
    } else {
        format!(" beside {}", listed(&named))
    }
}

/// What the camera does, by its poses.
fn camera_words(shot: &Shot) -> &'static str {
    /// Cosine of half the turn, 20 degrees, that is more than a slide's.
    const AROUND: f32 = 0.9848;
    /// Metres that are no sway.
    const AWAY: f32 = 0.03;
    let still = "The camera stands still.";
    let Some(Track::PerFrame(poses)) = shot.cameras.first().map(|camera| &camera.pose) else {
        return still;
    };
    let frames = poses.get(1..poses.len().saturating_sub(1)).unwrap_or(&[]);
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else {
        return still;
    };
    let steps = frames.windows(2);
    let way: f32 = steps
        .map(|pair| pair[0].position.distance(pair[1].position))
        .sum();
    // As seen in the middle, about which an orbit is even.
    let middle = frames.get(frames.len() / 2).unwrap_or(first);
    let moved = middle.rotation.inverse() * (last.position - first.position);
    if moved.length() < 0.5 * way || way < AWAY {
        return "The camera is held by hand.";
    }
    let turned = first.rotation.dot(last.rotation).abs();
    if turned < AROUND && moved.x.abs() > moved.z.abs() {
        "The camera circles around."
    } else if moved.x.abs() >= moved.z.abs() {
        "The camera slides sideways."
    } else if moved.z < 0.0 {
        "The camera moves closer."
    } else {
        "The camera moves away."
    }
}

/// One line that says who does what, where, in what light, and how the camera sees it.
pub fn prompt(shot: &Shot) -> String {
    let named: Vec<String> = characters(shot)
        .map(|(object, motion)| {
            let noun = person(&object.noun);
            let clothes = clothing(&object.adjectives);
            let held = holding(shot, motion);
            // A character's own take has no name but the character's.
            let does = if motion.id == object.asset {
                "moves".into()
            } else {
                action(&motion.id)
            };
            format!("{} {noun}{clothes}{held} {does}", article(&noun))
        })
        .collect();
    let who = listed(&named);
    let place = match shot.environment.asset.as_deref() {
        // A generated sky has no name but what it looks like.
        Some(id) if id.starts_with("builtin/") => "on open ground".into(),
        Some(id) => format!("in front of {}", place_name(id)),
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
    let mut line = format!(
        "{who} {place}{}{light}. {}",
        props(shot),
        camera_words(shot)
    );
    if let Some(first) = line.get(..1).map(str::to_uppercase) {
        line.replace_range(..1, &first);
    }
    line
}

/// The original script's line: `cartoon character {char} {motion} in a blank room.`, or `… in
/// {skybox}.`; further characters are named like the first.
pub fn das_prompt(shot: &Shot) -> String {
    let named: Vec<String> = characters(shot)
        .map(|(object, motion)| {
            let name = motion.id.rsplit('/').next().unwrap_or(&motion.id);
            format!("cartoon character {} {name}", object.name)
        })
        .collect();
    let place = shot
        .environment
        .asset
        .as_ref()
        .map_or("a blank room".to_owned(), |id| {
            picture(id).replace('_', " ")
        });
    format!("{} in {place}.", listed(&named))
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
            ("x/wave", "waves"),
            ("x/zombie_walk", "walks like a zombie"),
            ("x/walking_stick", "performs walking stick"),
            ("x/PutGlassesOn", "performs put glasses on"),
            ("character/robot#Jump", "jumps"),
        ] {
            assert_eq!(action(name), phrase);
        }
    }

    #[test]
    fn people_places_and_clothes_are_plain_words() {
        assert_eq!(person("mh_female"), "woman");
        assert_eq!(person("unity_human"), "person");
        assert_eq!(person("robot"), "robot");
        assert_eq!(
            place_name("potsdamer_platz_1k_ldr?expanded"),
            "potsdamer platz"
        );
        let garments = ["blue shirt", "black trousers", "orange dress"].map(String::from);
        assert_eq!(
            clothing(&garments),
            " in a blue shirt, black trousers and an orange dress"
        );
        assert_eq!(clothing(&[]), "");
    }
}
