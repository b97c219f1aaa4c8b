use std::collections::BTreeMap;

use super::*;

/// Different sizes, hair and clothes.
const SEEDS: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn people() -> Vec<CharacterParameters> {
    let mut people: Vec<CharacterParameters> = SEEDS
        .into_iter()
        .map(CharacterParameters::from_seed)
        .collect();
    people.push(CharacterParameters::standard());
    people
}

/// Directed edges between places, with how often each is used.
fn edges(mesh: &Mesh) -> BTreeMap<[[u32; 3]; 2], i32> {
    let key = |v: u32| {
        mesh.positions[v as usize]
            .to_array()
            .map(|c| (c + 0.0).to_bits())
    };
    let mut edges = BTreeMap::new();
    for &[a, b, c] in &mesh.triangles {
        for (p, q) in [(a, b), (b, c), (c, a)] {
            *edges.entry([key(p), key(q)]).or_insert(0) += 1;
        }
    }
    edges
}

#[test]
fn every_edge_has_a_triangle_on_each_side() {
    for parameters in people() {
        let model = character(&parameters);
        let mesh = &model.meshes[0];
        mesh.validate().unwrap();
        let edges = edges(mesh);
        let open = edges
            .iter()
            .filter(|([a, b], count)| edges.get(&[*b, *a]) != Some(count))
            .count();
        assert_eq!(open, 0, "{parameters:?}");
        let shared = edges.values().filter(|count| **count != 1).count();
        assert!(
            shared * 500 < edges.len(),
            "{shared} of {} edges are used twice",
            edges.len()
        );
    }
}

#[test]
fn a_person_is_as_tall_as_stated_and_stands_on_the_floor() {
    for mut parameters in people() {
        parameters.hair_style = HairStyle::Bald;
        let model = character(&parameters);
        let (low, high) = model.meshes[0].bounds().unwrap();
        assert!(low.z.abs() < 0.004, "{low}");
        assert!(
            (high.z - parameters.height_m).abs() < 0.012,
            "{high} {}",
            parameters.height_m
        );
        // Left and right alike.
        assert!((low.x + high.x).abs() < 0.01, "{low} {high}");
    }
}

#[test]
fn weights_are_few_and_sum_to_one() {
    for parameters in people() {
        let model = character(&parameters);
        let rig = model.rig.unwrap();
        let skin = rig.skins[0].as_ref().unwrap();
        assert_eq!(
            skin.first_influence.len(),
            model.meshes[0].positions.len() + 1
        );
        for (vertex, range) in skin.first_influence.windows(2).enumerate() {
            let list = &skin.influences[range[0] as usize..range[1] as usize];
            assert!((1..=4).contains(&list.len()));
            let sum: f32 = list.iter().map(|i| i.weight).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
            // Far on one side nothing follows the other.
            let x = model.meshes[0].positions[vertex].x;
            if x.abs() > 0.14 * parameters.height_m / 1.75 {
                let other = if x > 0.0 { ":Right" } else { ":Left" };
                for influence in list {
                    let name = &rig.joints[usize::from(influence.joint)].name;
                    assert!(!name.contains(other), "{name} moves {x}");
                }
            }
        }
    }
}

#[test]
fn the_rest_pose_moves_nothing() {
    let model = character(&CharacterParameters::standard());
    let posed = model.posed(0, &model.rig.as_ref().unwrap().rest_pose());
    for (a, b) in posed.positions.iter().zip(&model.meshes[0].positions) {
        assert!(a.distance(*b) < 1e-5);
    }
}

#[test]
fn the_same_person_is_the_same_bytes() {
    let parameters = CharacterParameters::from_seed(11);
    assert_eq!(character(&parameters), character(&parameters));
    assert_ne!(
        character(&parameters),
        character(&CharacterParameters::from_seed(12))
    );
}

#[test]
fn triangles_are_enough_and_not_too_many() {
    let counts: Vec<usize> = people()
        .iter()
        .map(|parameters| character(parameters).meshes[0].triangles.len())
        .collect();
    assert!(
        counts.iter().all(|count| (10_000..36_000).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn parts_are_not_inside_out() {
    let body = Body::new(&CharacterParameters::standard());
    for part in details::parts(&body) {
        assert!(part.mesh.volume() > 0.0, "{}", part.joint);
    }
}

#[test]
fn people_have_ids() {
    let record = crate::builtin::record("builtin/person/3").unwrap();
    assert_eq!(record.noun, CharacterParameters::from_seed(3).noun());
    let model = crate::builtin::model("builtin/person/3").unwrap();
    assert_eq!(model, character(&CharacterParameters::from_seed(3)));
    for id in [
        "builtin/person",
        "builtin/person/",
        "builtin/person/x",
        "builtin/person/3?a=b",
    ] {
        assert!(crate::builtin::record(id).is_none(), "{id}");
    }
}
