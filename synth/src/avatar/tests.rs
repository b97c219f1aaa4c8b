//! Clips of built-in people, and of the shared characters where they are.

use diorama_assets::Workspace;
use glam::Vec3;

use super::*;
use crate::shot::Object;

fn people() -> Workspace {
    Workspace::builtin(0..6).unwrap()
}

fn performance(workspace: &Workspace, character: usize, motion: usize) -> Performance {
    let character = &workspace.characters()[character];
    Performance {
        character: character.id.clone(),
        name: character.name.clone(),
        motion: character.motions[motion].clone(),
    }
}

fn recipe(flags: &[(&str, &str)]) -> AvatarRecipe {
    let mut recipe = AvatarRecipe {
        video_length: 13,
        ..AvatarRecipe::default()
    };
    for (name, text) in flags {
        recipe.set(name, text).unwrap();
    }
    recipe.validate().unwrap();
    recipe
}

fn clip(recipe: &AvatarRecipe, sample: &str, workspace: &Workspace, who: &Performance) -> Shot {
    let pieces = PieceStore::default();
    let shot = draw_avatar(recipe, 7, sample, who, workspace, &pieces).unwrap();
    shot.validate().unwrap();
    shot
}

/// Lowest and highest corner of an object in one frame, world.
fn bounds(shot: &Shot, workspace: &Workspace, object: &Object, frame: i64) -> (Vec3, Vec3) {
    let model = workspace.model(&object.asset).unwrap();
    let mesh = match &object.body {
        Some(body) => model.posed(0, body.at(frame)),
        None => model.meshes[0].as_ref().clone(),
    };
    let place = object.pose.at(frame).world_from_object(object.scale);
    let corners = mesh.positions.iter().map(|p| place.transform_point3(*p));
    assert!(shot.object(object.id).is_some());
    corners.fold(
        (Vec3::splat(f32::INFINITY), Vec3::splat(f32::NEG_INFINITY)),
        |(low, high), p| (low.min(p), high.max(p)),
    )
}

fn moving(shot: &Shot) -> Vec<&Object> {
    let all = shot.objects.iter();
    all.filter(|o| o.motion.is_some() || o.physics.is_some())
        .collect()
}

#[test]
fn several_characters_and_props_keep_out_of_each_other() {
    let workspace = people();
    let recipe = recipe(&[
        ("range_characters", "3,3"),
        ("range_props", "4,4"),
        ("prob_recolour", "1"),
    ]);
    let mut fell = 0;
    for sample in ["000000", "000001", "000002"] {
        let shot = clip(&recipe, sample, &workspace, &performance(&workspace, 0, 0));
        let ids: Vec<u32> = shot.objects.iter().map(|o| o.id).collect();
        assert_eq!(ids, (1..=ids.len() as u32).collect::<Vec<_>>());
        let people = shot.objects.iter().filter(|o| o.motion.is_some());
        assert_eq!(people.count(), 3);
        for frame in 0..13 {
            let boxes: Vec<(&Object, (Vec3, Vec3))> = moving(&shot)
                .into_iter()
                .map(|object| (object, bounds(&shot, &workspace, object, frame)))
                .collect();
            for (index, (a, (low, high))) in boxes.iter().enumerate() {
                assert!(low.z > -0.01, "{} is in the floor: {}", a.name, low.z);
                for (b, (other_low, other_high)) in &boxes[..index] {
                    // Props may touch each other; physics keeps them apart.
                    if a.physics.is_none() || b.physics.is_none() {
                        let meet = low.cmple(*other_high).all() && other_low.cmple(*high).all();
                        assert!(!meet, "{} and {} meet in {frame}", a.name, b.name);
                    }
                }
            }
        }
        for object in &shot.objects {
            if let Some(physics) = &object.physics {
                assert!(physics.largest_penetration <= 0.02, "{}", object.name);
                let (start, end) = (object.pose.at(0), object.pose.at(12));
                let way = start.position.distance(end.position);
                assert_eq!(way > 0.05, !physics.stationary, "{}: {way}", object.name);
                fell += u32::from(!physics.stationary);
            }
        }
        // Everyone and everything is named.
        let line = prompt(&shot);
        for object in moving(&shot).iter().filter(|o| o.physics.is_some()) {
            assert!(line.contains(&object.noun), "{line}");
        }
        assert!(
            line.matches("person").count() + line.matches("man").count() >= 3
                || line.matches(" in ").count() >= 3,
            "{line}"
        );
        assert_eq!(das_prompt(&shot).matches("cartoon character").count(), 3);
    }
    assert!(fell > 0);
}

#[test]
fn what_is_added_moves_nothing_that_was_there() {
    let workspace = people();
    let who = performance(&workspace, 1, 2);
    let alone = clip(&recipe(&[]), "000004", &workspace, &who);
    let crowd = [("range_characters", "2,2"), ("range_props", "2,2")];
    let crowded = clip(&recipe(&crowd), "000004", &workspace, &who);
    assert_eq!(alone.objects[..2], crowded.objects[..2]);
    assert_eq!(alone.cameras, crowded.cameras);
    assert_eq!(alone.environment, crowded.environment);
    let again = clip(&recipe(&crowd), "000004", &workspace, &who);
    assert_eq!(crowded, again);
}

#[test]
fn the_prompt_says_what_the_camera_does() {
    let workspace = people();
    let who = performance(&workspace, 0, 0);
    for (flag, range, said) in [
        ("range_camera_orbit", "60,60", "circles around"),
        ("range_camera_slide", "0.5,0.5", "slides sideways"),
        ("range_camera_dolly", "1,1", "moves closer"),
        ("range_camera_dolly", "-1,-1", "moves away"),
        ("range_camera_handheld", "0.1,0.1", "held by hand"),
        ("range_camera_slide", "0,0", "stands still"),
    ] {
        let line = prompt(&clip(
            &recipe(&[(flag, range), ("video_length", "49")]),
            "000000",
            &workspace,
            &who,
        ));
        assert!(line.contains(said), "{said}: {line}");
    }
}

/// How far the lowest point of somebody who stands may be from the floor, metres.
const FEET: f32 = 0.01;

/// Feet of every motion of `workspace`: in no frame deeper in the floor than a centimetre, nor farther above
/// it unless the motion is one that leaves it. Returns how many clips there were.
fn check_feet(workspace: &Workspace, characters: impl Iterator<Item = usize>) -> u32 {
    let recipe = recipe(&[("video_length", "49"), ("prob_skybox", "0")]);
    let leaves_floor = |motion: &str| {
        ["jump", "hop", "run"]
            .iter()
            .any(|word| motion.contains(word))
    };
    let mut checked = 0;
    for character in characters {
        for motion in 0..workspace.characters()[character].motions.len() {
            let who = performance(workspace, character, motion);
            let pieces = PieceStore::default();
            let Ok(shot) = draw_avatar(&recipe, 7, "000000", &who, workspace, &pieces) else {
                continue;
            };
            let heights: Vec<f32> = (0..49)
                .map(|frame| bounds(&shot, workspace, &shot.objects[1], frame).0.z)
                .collect();
            let (low, high) = heights
                .iter()
                .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), height| {
                    (low.min(*height), high.max(*height))
                });
            assert!(low.abs() < FEET, "{who:?}: {low} m");
            assert!(
                high < FEET || leaves_floor(&who.motion),
                "{who:?}: {high} m"
            );
            // A jump is not pressed to the floor.
            let is_jump = who.name.starts_with("mh_") && who.motion.ends_with("jumping");
            assert!(high > 0.05 || !is_jump, "{who:?}: {high} m");
            checked += 1;
        }
    }
    checked
}

#[test]
fn feet_of_built_in_people_are_within_a_centimetre_of_the_floor_in_every_frame() {
    let workspace = people();
    assert!(check_feet(&workspace, 0..2) > 10);
}

/// Characters of the shared files, laid out with all its motions; `None` where the files are not.
fn shared_people(folder: &std::path::Path) -> Option<Workspace> {
    let root = std::env::var_os("DIORAMA_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        std::path::PathBuf::from,
    );
    let assets = root.join("assets").canonicalize().ok()?;
    for (name, motions) in [
        ("mh_male", "motion"),
        ("mh_female", "motion"),
        ("kenney_human", "motion"),
        ("quaternius_man", "motion"),
        ("unity_human", "motion/unity_human"),
    ] {
        let place = folder.join("raw").join(name);
        std::fs::create_dir_all(place.join("motion")).ok()?;
        let link = |from: std::path::PathBuf, to: std::path::PathBuf| {
            std::fs::copy(from, to).map(|_| ()).ok()
        };
        let file = format!("{name}.fbx");
        link(
            assets.join("characters").join(name).join(&file),
            place.join(&file),
        )?;
        for entry in std::fs::read_dir(assets.join(motions)).ok()? {
            let path = entry.ok()?.path();
            if path.extension().is_some_and(|ending| ending == "fbx") {
                link(path.clone(), place.join("motion").join(path.file_name()?))?;
            }
        }
    }
    Some(Workspace::open(folder).ok()?.0)
}

#[test]
fn feet_of_shared_characters_are_within_a_centimetre_of_the_floor_in_every_frame() {
    let folder = tempfile::tempdir().unwrap();
    let Some(workspace) = shared_people(folder.path()) else {
        return; // the files are not there
    };
    assert!(check_feet(&workspace, 0..5) > 30);
}

/// Largest change, metres, over the frames of where corners of a held object are in the joint that holds it.
fn slip(shot: &Shot, workspace: &Workspace, object: &Object) -> f32 {
    let (holder, joint) = shot.holder(object.id).unwrap();
    let model = workspace.model(&object.asset).unwrap();
    let (low, high) = model.meshes[0].bounds().unwrap();
    let places = |frame: i64| {
        let body = &holder.body.as_ref().unwrap().at(frame).joints[usize::from(joint)];
        let world = holder.pose.at(frame).world_from_object(holder.scale) * *body;
        // Without the joint's scale: distances stay metres.
        let (_, rotation, position) = world.to_scale_rotation_translation();
        let hand = glam::Affine3A::from_rotation_translation(rotation, position);
        let prop = object.pose.at(frame).world_from_object(object.scale);
        [low, high, low.with_z(high.z)].map(|p| (hand.inverse() * prop).transform_point3(p))
    };
    let first = places(-1);
    (0..=i64::from(shot.frame_count))
        .flat_map(|frame| {
            let pairs = first.into_iter().zip(places(frame));
            pairs.map(|(a, b)| a.distance(b))
        })
        .fold(0.0, f32::max)
}

#[test]
fn what_is_held_follows_the_hand_clear_of_floor_and_body() {
    let workspace = people();
    let recipe = recipe(&[
        ("range_characters", "2,2"),
        ("range_held", "2,2"),
        ("range_props", "1,1"),
    ]);
    let mut count = 0;
    let motions = workspace.characters()[0].motions.len();
    for motion in 0..motions {
        let who = performance(&workspace, motion % 6, motion);
        let shot = clip(&recipe, &format!("{motion:06}"), &workspace, &who);
        let line = prompt(&shot);
        for object in &shot.objects {
            if shot.holder(object.id).is_none() {
                continue;
            }
            count += 1;
            assert!(slip(&shot, &workspace, object) < 1e-4, "{}", object.name);
            assert!(
                line.contains(" holding ") && line.contains(&object.noun),
                "{line}"
            );
            for frame in -1..=13 {
                assert!(bounds(&shot, &workspace, object, frame).0.z > -1e-3);
            }
        }
    }
    // Hands stay empty where arms touch body or floor all the time.
    assert!(count > motions, "{count} of {}", 4 * motions);
}

#[test]
fn a_fist_is_all_that_holding_changes_in_a_body() {
    let workspace = people();
    let who = performance(&workspace, 2, 0);
    let open = clip(&recipe(&[]), "000003", &workspace, &who);
    let held = clip(
        &recipe(&[("range_held", "1,1")]),
        "000003",
        &workspace,
        &who,
    );
    let [a, b] = [&open, &held].map(|shot| shot.objects[1].body.as_ref().unwrap());
    let rig = workspace.model(&who.character).unwrap();
    let rig = rig.rig.as_ref().unwrap();
    let changed: Vec<&str> = rig
        .joints
        .iter()
        .enumerate()
        .filter(|(joint, _)| {
            let frames = a.values().iter().zip(b.values());
            frames
                .into_iter()
                .any(|(a, b)| !a.joints[*joint].abs_diff_eq(b.joints[*joint], 1e-5))
        })
        .map(|(_, joint)| joint.name.as_str())
        .collect();
    assert!(!changed.is_empty());
    let fingers = ["Index", "Middle", "Ring", "Pinky"];
    for name in changed {
        assert!(fingers.iter().any(|finger| name.contains(finger)), "{name}");
    }
}

#[test]
fn senseless_sizes_become_those_of_people_and_long_animals_no_longer_than_people_are_high() {
    let workspace = people();
    let model = workspace.model(&workspace.characters()[0].id).unwrap();
    let sized = |size: Vec3| {
        let mut model = model.as_ref().clone();
        let mut mesh = model.meshes[0].as_ref().clone();
        let (low, high) = mesh.bounds().unwrap();
        for position in &mut mesh.positions {
            *position = (*position - low) / (high - low) * size;
        }
        model.meshes[0] = mesh.into();
        performer::scale_to_fit(&model, 1.7)
    };
    assert_eq!(sized(Vec3::new(1.5, 0.4, 1.8)), 1.0);
    assert!((sized(Vec3::new(150.0, 40.0, 170.0)) - 0.01).abs() < 1e-6);
    // A fox in centimetres, 204 of them long.
    assert!((sized(Vec3::new(30.0, 204.0, 79.0)) - 0.01).abs() < 1e-6);
}
