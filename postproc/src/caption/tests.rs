use std::collections::BTreeSet;

use diorama_synth::shot::{Pose, Role, Track};
use glam::{Quat, Vec3};
use proptest::prelude::*;

use super::*;
use crate::testing;

fn seen_all(shot: &Shot, tuple: &Tuple) -> SeenInRemoved {
    let mut seen = SeenInRemoved::new(shot.objects.len());
    for index in 0..shot.frame_count {
        seen.push(&testing::frame(shot, index), tuple);
    }
    seen
}

fn captions_of(shot: &Shot, tuple: usize) -> Captions {
    let tuple = &Tuple::all(shot).unwrap()[tuple];
    captions(shot, tuple, &seen_all(shot, tuple), &ObjectBounds::new())
}

/// Faults of grammar that rules can find.
fn grammar_faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: &str| faults.push(format!("{what}: {text}"));
    if text.contains(['{', '}']) {
        fault("a blank is open");
    }
    if text.contains("  ") || text.contains(" .") || text.contains(" ,") || text.contains(",,") {
        fault("spacing");
    }
    if !text.ends_with('.') || text.contains("..") {
        fault("full stop");
    }
    for sentence in text.split_inclusive(". ") {
        if !sentence.starts_with(|c: char| c.is_ascii_uppercase()) {
            fault("capital");
        }
    }
    let words: Vec<String> = text
        .split_whitespace()
        .map(|w| w.trim_matches([',', '.']).to_ascii_lowercase())
        .collect();
    for pair in words.windows(2) {
        if pair[0] == pair[1] {
            fault("a word twice");
        }
        if (pair[0] == "a" || pair[0] == "an") && words::article(&pair[1]) != pair[0] {
            fault("article");
        }
        let counted = words::word_count(&pair[0]) == 1
            && ["two", "three", "four", "five"].contains(&pair[0].as_str());
        if counted && ["is", "falls", "rests"].contains(&pair[1].as_str()) {
            fault("agreement");
        }
    }
    faults
}

#[test]
fn captions_tell_what_remains_and_never_what_is_gone() {
    let shot = testing::two_tuple_shot();
    let first = captions_of(&shot, 0);
    for (name, text) in first.texts() {
        assert!(!text.to_lowercase().contains("ball"), "{name}: {text}");
        assert!(
            text.contains("cube") && text.contains("gear"),
            "{name}: {text}"
        );
        assert_eq!(grammar_faults(text), Vec::<String>::new());
    }
    assert!(
        first.verbose_prompt.contains("slid"),
        "{}",
        first.verbose_prompt
    );
    assert!(
        first.verbose_prompt.contains("camera"),
        "{}",
        first.verbose_prompt
    );
    assert!(
        first.verbose_prompt.contains("evening sky"),
        "{}",
        first.verbose_prompt
    );
    let second = captions_of(&shot, 1);
    for (name, text) in second.texts() {
        assert!(
            !text.contains("cube") && text.contains("ball"),
            "{name}: {text}"
        );
    }
}

#[test]
fn a_shared_noun_may_be_said_only_while_one_remains() {
    let mut shot = testing::one_tuple_shot();
    shot.objects[1].noun = "cube".into();
    let captions = captions_of(&shot, 0);
    for (_, text) in captions.texts() {
        assert!(text.contains("cube") && !text.contains("cubes"), "{text}");
    }
    // Removed and kept share a word only inside a longer noun.
    shot.objects[1].noun = "box".into();
    shot.objects[2].noun = "sugar box".into();
    let captions = captions_of(&shot, 0);
    for (_, text) in captions.texts() {
        assert!(text.contains("sugar box"), "{text}");
    }
    assert!(
        captions
            .faults(&["box".into()], &["sugar box".into(), "gear".into()])
            .is_empty()
    );
}

#[test]
fn a_removed_camera_takes_the_word_camera_away() {
    let mut shot = testing::one_tuple_shot();
    for noun in ["camera", "scene", "clip", "floor", "video", "sky", "view"] {
        shot.objects[1].noun = noun.into();
        shot.objects[0].noun = if noun == "floor" { "table" } else { "floor" }.into();
        for seed in 0..20 {
            shot.seed = seed;
            for (_, text) in captions_of(&shot, 0).texts() {
                assert!(!contains_phrase(text, noun), "{noun}: {text}");
            }
        }
    }
}

#[test]
fn an_adjective_that_is_a_removed_noun_is_dropped() {
    let mut shot = testing::one_tuple_shot();
    shot.objects[1].noun = "orange".into();
    shot.objects[2].adjectives = vec!["orange".into(), "shiny".into()];
    shot.light_description = "under an orange sky".into();
    for seed in 0..20 {
        shot.seed = seed;
        let captions = captions_of(&shot, 0);
        for (_, text) in captions.texts() {
            assert!(!text.contains("orange") && text.contains("cube"), "{text}");
        }
        assert!(
            captions.prompt.contains("shiny cube"),
            "{}",
            captions.prompt
        );
    }
}

#[test]
fn an_adjective_does_not_repeat_its_noun() {
    let mut shot = testing::one_tuple_shot();
    shot.objects[2].noun = "mirror".into();
    shot.objects[2].adjectives = vec!["mirror-like".into(), "yellow".into()];
    for (_, text) in captions_of(&shot, 0).texts() {
        assert!(
            text.contains("mirror") && !text.contains("mirror-like"),
            "{text}"
        );
    }
}

#[test]
fn an_unseen_object_is_not_told() {
    let shot = testing::one_tuple_shot();
    let tuple = &Tuple::all(&shot).unwrap()[0];
    let mut seen = SeenInRemoved::new(shot.objects.len());
    for index in 0..shot.frame_count {
        let mut frame = testing::frame(&shot, index);
        for id in &mut frame.instance_of_world[1].data {
            if *id == 3 {
                *id = 1;
            }
        }
        seen.push(&frame, tuple);
    }
    let captions = captions(&shot, tuple, &seen, &ObjectBounds::new());
    for (_, text) in captions.texts() {
        assert!(!text.contains("cube"), "{text}");
    }
}

#[test]
fn an_empty_scene_is_said_to_be_empty() {
    let mut shot = testing::one_tuple_shot();
    shot.objects.truncate(2);
    let captions = captions_of(&shot, 0);
    for (_, text) in captions.texts() {
        assert!(
            text.to_lowercase().contains("empty") || text.to_lowercase().contains("nothing"),
            "{text}"
        );
        assert_eq!(grammar_faults(text), Vec::<String>::new());
    }
}

#[test]
fn the_same_seed_writes_the_same_captions() {
    let mut shot = testing::one_tuple_shot();
    let first = captions_of(&shot, 0);
    assert_eq!(first, captions_of(&shot, 0));
    let others: BTreeSet<String> = (0..20)
        .map(|seed| {
            shot.seed = seed;
            captions_of(&shot, 0).prompt
        })
        .collect();
    assert!(others.len() > 10, "seeds vary the words");
}

/// A Shot of `kinds.len()` kept objects (noun, adjective, motion) and one removed ball.
fn scene(
    kinds: &[(usize, usize, usize)],
    light: usize,
    camera: usize,
    walls: usize,
    seed: u64,
) -> Shot {
    const NOUNS: [&str; 8] = [
        "cube",
        "apple",
        "hourglass",
        "sugar box",
        "scissors",
        "torus",
        "unicycle",
        "can of soup",
    ];
    const LOOKS: [&[&str]; 4] = [
        &[],
        &["shiny"],
        &["orange", "rough"],
        &["old", "blue", "matt"],
    ];
    const LIGHTS: [&str; 4] = [
        "",
        "under a clear evening sky",
        "lit by a studio lamp",
        "an overcast sky",
    ];
    let mut shot = testing::one_tuple_shot();
    shot.seed = seed;
    shot.frame_count = 24;
    shot.light_description = LIGHTS[light].into();
    let dt = shot.frame_time_secs as f32;
    let poses = |pose: &dyn Fn(f32) -> Pose| {
        Track::PerFrame((-1..=24).map(|f| pose(f as f32 * dt)).collect())
    };
    let at = |position, rotation| Pose { position, rotation };
    let base = shot.objects[3].clone();
    shot.objects.truncate(2);
    for (i, (noun, look, motion)) in kinds.iter().enumerate() {
        let mut object = base.clone();
        object.id = 3 + i as u32;
        object.name = format!("thing {i}");
        object.noun = NOUNS[*noun].into();
        object.adjectives = LOOKS[*look].iter().map(|w| (*w).into()).collect();
        object.pose = match motion {
            0 => Track::Constant(at(Vec3::Z, Quat::IDENTITY)),
            1 => poses(&|t| at(Vec3::new(t, 0.0, 0.5), Quat::IDENTITY)),
            2 => poses(&|t| at(Vec3::new(t, 0.0, 0.5), Quat::from_rotation_y(2.0 * t))),
            3 => poses(&|t| at(Vec3::new(0.0, 0.0, 9.0 - 5.0 * t * t), Quat::IDENTITY)),
            _ => poses(&|t| at(Vec3::Z, Quat::from_rotation_z(3.0 * t))),
        };
        shot.objects.push(object);
    }
    for i in 0..walls {
        let mut wall = shot.objects[0].clone();
        wall.id = 50 + i as u32;
        wall.noun = ["wall", "umbrella stand"][i].into();
        shot.objects.push(wall);
    }
    let eye = Vec3::new(0.0, 0.0, 6.0);
    shot.cameras[0].pose = match camera {
        0 => Track::Constant(at(eye, Quat::IDENTITY)),
        1 => poses(&|t| at(eye - Vec3::Z * t, Quat::IDENTITY)),
        _ => poses(&|t| at(eye, Quat::from_rotation_y(0.3 * t))),
    };
    shot
}

/// Captions with every object seen.
fn captions_of_scene(shot: &Shot) -> Captions {
    let tuple = &Tuple::all(shot).unwrap()[0];
    let mut seen = SeenInRemoved::new(shot.objects.len());
    let mut frame = testing::frame(&testing::one_tuple_shot(), 0);
    let plane = &mut frame.instance_of_world[1];
    for (index, id) in plane.data.iter_mut().enumerate() {
        let object = &shot.objects[index % shot.objects.len()];
        *id = if object.role == Role::Remove {
            0
        } else {
            object.id
        };
    }
    seen.push(&frame, tuple);
    captions(shot, tuple, &seen, &ObjectBounds::new())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn captions_keep_their_rules(
        kinds in prop::collection::vec((0..8usize, 0..4usize, 0..5usize), 0..14),
        light in 0..4usize,
        camera in 0..3usize,
        walls in 0..3usize,
        seed in any::<u64>(),
    ) {
        let shot = scene(&kinds, light, camera, walls, seed);
        let captions = captions_of_scene(&shot);
        let seen: Vec<String> = shot.objects.iter().filter(|o| o.role != Role::Remove).map(|o| o.noun.clone()).collect();
        prop_assert_eq!(captions.faults(&["ball".into()], &seen), Vec::<String>::new());
        for (_, text) in captions.texts() {
            prop_assert_eq!(grammar_faults(text), Vec::<String>::new());
        }
    }
}

#[test]
fn every_pattern_is_reached_and_there_are_enough() {
    assert!(PATTERNS.len() >= 30);
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    for seed in 0..400u64 {
        let kinds: Vec<(usize, usize, usize)> = (0..seed as usize % 5)
            .map(|i| {
                (
                    (seed as usize + 3 * i) % 8,
                    i % 4,
                    if seed % 3 == 0 {
                        0
                    } else {
                        (seed as usize + i * (seed as usize % 2)) % 5
                    },
                )
            })
            .collect();
        let walls = (seed / 5) as usize % 3;
        let shot = scene(
            &kinds,
            (seed / 3) as usize % 4,
            (seed / 2) as usize % 3,
            walls,
            seed,
        );
        let captions = captions_of_scene(&shot);
        let all = format!(
            "{} {} {}",
            captions.short_prompt, captions.prompt, captions.verbose_prompt
        );
        for (index, (slot, pattern)) in PATTERNS.iter().enumerate() {
            let texts: &[&str] = if *slot == Slot::Short {
                &[&captions.short_prompt]
            } else {
                &[&all]
            };
            if texts
                .iter()
                .any(|text| matches_pattern(text, pattern, *slot == Slot::Short))
            {
                reached.insert(index);
            }
        }
    }
    let missed: Vec<&str> = (0..PATTERNS.len())
        .filter(|i| !reached.contains(i))
        .map(|i| PATTERNS[i].1)
        .collect();
    assert!(missed.is_empty(), "never drawn: {missed:#?}");
}

/// Could one sentence of `text` come from `pattern`? Its fixed words occur in order.
fn matches_pattern(text: &str, pattern: &str, whole: bool) -> bool {
    let mut fixed: Vec<&str> = Vec::new();
    let mut rest = pattern;
    while let Some((front, tail)) = rest.split_once('{') {
        fixed.push(front);
        rest = tail.split_once('}').map_or("", |(_, tail)| tail);
    }
    fixed.push(rest);
    let sentences: Vec<&str> = if whole {
        vec![text]
    } else {
        text.split_inclusive(". ").collect()
    };
    sentences.iter().any(|sentence| {
        let sentence = sentence.trim().to_lowercase();
        let mut at = 0;
        sentence.starts_with(fixed[0])
            && fixed.iter().all(|part| match sentence[at..].find(part) {
                Some(found) => {
                    at += found + part.len();
                    true
                }
                None => false,
            })
    })
}
