//! Laws of the whole library.

use std::collections::{BTreeMap, HashMap};

use glam::{DVec3, Vec3};

use super::*;
use crate::{Mesh, Pixels};

/// Index of each vertex's position among the distinct positions.
fn welded(mesh: &Mesh) -> Vec<usize> {
    let mut places: HashMap<[u32; 3], usize> = HashMap::new();
    mesh.positions
        .iter()
        .map(|p| {
            // −0 and 0 are one place.
            let key = p.to_array().map(|x| (x + 0.0).to_bits());
            let next = places.len();
            *places.entry(key).or_insert(next)
        })
        .collect()
}

/// Every directed edge occurs once and so does its reverse.
fn assert_closed(id: &str, mesh: &Mesh) {
    let place = welded(mesh);
    let mut edges: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for triangle in &mesh.triangles {
        for side in 0..3 {
            let edge = (
                place[triangle[side] as usize],
                place[triangle[(side + 1) % 3] as usize],
            );
            *edges.entry(edge).or_default() += 1;
        }
    }
    let bad: Vec<_> = edges
        .iter()
        .filter(|((a, b), count)| **count != 1 || edges.get(&(*b, *a)) != Some(&1))
        .collect();
    if let Some(((a, b), count)) = bad.first() {
        let at = |place_index: usize| {
            let vertex = place.iter().position(|p| *p == place_index).unwrap();
            mesh.positions[vertex]
        };
        panic!(
            "{id}: {} of {} edges are open, the first from {} to {} ({count} times)",
            bad.len(),
            edges.len(),
            at(*a),
            at(*b)
        );
    }
}

fn volume(mesh: &Mesh) -> f32 {
    mesh.triangles
        .iter()
        .map(|t| {
            let [a, b, c] = t.map(|i| mesh.positions[i as usize]);
            a.dot(b.cross(c)) / 6.0
        })
        .sum()
}

fn all_objects() -> Vec<(String, Model)> {
    object_records()
        .into_iter()
        .map(|record| {
            // The smallest picture: only the mesh matters here.
            let model = model(&format!("{}?texture=plain-0", record.id)).unwrap();
            (record.id, model)
        })
        .collect()
}

#[test]
fn objects_are_closed_and_face_outward() {
    for (id, model) in all_objects() {
        let mesh = &model.meshes[0];
        mesh.validate()
            .unwrap_or_else(|reason| panic!("{id}: {reason}"));
        assert_closed(&id, mesh);
        assert!(volume(mesh) > 0.005, "{id}: volume {}", volume(mesh));
        assert!(
            (1_000..=20_000).contains(&mesh.triangles.len()),
            "{id}: {} triangles",
            mesh.triangles.len()
        );
    }
}

#[test]
fn objects_have_unit_size_and_are_centred() {
    for (id, model) in all_objects() {
        let (low, high) = model.meshes[0].bounds().unwrap();
        assert!(
            ((high - low).max_element() - 1.0).abs() < 1e-5,
            "{id}: {low} {high}"
        );
        assert!(
            (low + high).abs().max_element() < 1e-5,
            "{id}: {low} {high}"
        );
    }
}

#[test]
fn normals_are_unit_and_agree_with_their_triangles() {
    for (id, model) in all_objects() {
        let mesh = &model.meshes[0];
        for normal in &mesh.normals {
            assert!(
                (normal.length() - 1.0).abs() < 1e-4,
                "{id}: normal {normal}"
            );
        }
        let mut area_off = 0.0;
        let mut area = 0.0;
        for triangle in &mesh.triangles {
            let [a, b, c] = triangle.map(|i| mesh.positions[i as usize]);
            let face = (b - a).cross(c - a);
            let direction = face.normalize_or_zero();
            let off = triangle
                .iter()
                .any(|i| mesh.normals[*i as usize].dot(direction) < 0.6);
            area += face.length();
            area_off += if off { face.length() } else { 0.0 };
        }
        assert!(
            area_off < 0.01 * area,
            "{id}: {} of the area shades wrong",
            area_off / area
        );
    }
}

/// Distance from a point to the hull of a cloud, 0 inside: Wolfe's minimum-norm point (1976).
fn distance_to_hull(point: Vec3, cloud: &[Vec3]) -> f32 {
    let cloud: Vec<DVec3> = cloud.iter().map(|p| (*p - point).as_dvec3()).collect();
    let mut corral = vec![(cloud[0], 1.0)];
    let mut nearest = cloud[0];
    for _ in 0..100 {
        let support = *cloud
            .iter()
            .min_by(|a, b| a.dot(nearest).total_cmp(&b.dot(nearest)))
            .unwrap();
        if nearest.length() < 1e-4 || nearest.dot(nearest - support) < 1e-8 {
            break;
        }
        corral.push((support, 0.0));
        loop {
            let affine = affine_weights(&corral);
            // As far as the weights stay positive.
            let share = corral
                .iter()
                .zip(&affine)
                .filter(|((_, old), new)| **new < 1e-10 && *old > **new)
                .map(|((_, old), new)| old / (old - new))
                .fold(1.0_f64, f64::min);
            for ((_, old), new) in corral.iter_mut().zip(&affine) {
                *old += (new - *old) * share;
            }
            let before = corral.len();
            corral.retain(|(_, weight)| *weight > 1e-10);
            if corral.len() == before || corral.len() == 1 {
                break;
            }
        }
        nearest = corral.iter().map(|(p, weight)| *p * *weight).sum();
    }
    nearest.length() as f32
}

/// Weights (sum 1) of the point of the affine hull that is nearest to the origin.
fn affine_weights(corral: &[(DVec3, f64)]) -> Vec<f64> {
    // [G 1; 1 0] [λ; μ] = [0; 1] by elimination with pivots.
    let n = corral.len();
    let mut rows: Vec<Vec<f64>> = (0..=n)
        .map(|i| {
            let mut row: Vec<f64> = (0..=n)
                .map(|j| match (i == n, j == n) {
                    (false, false) => {
                        corral[i].0.dot(corral[j].0) + if i == j { 1e-12 } else { 0.0 }
                    }
                    (true, true) => 0.0,
                    _ => 1.0,
                })
                .collect();
            row.push(if i == n { 1.0 } else { 0.0 });
            row
        })
        .collect();
    for column in 0..=n {
        let pivot = (column..=n)
            .max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))
            .unwrap();
        rows.swap(column, pivot);
        for row in 0..=n {
            if row != column {
                let factor = rows[row][column] / rows[column][column];
                for k in column..=n + 1 {
                    rows[row][k] -= factor * rows[column][k];
                }
            }
        }
    }
    (0..n).map(|i| rows[i][n + 1] / rows[i][i]).collect()
}

#[test]
fn distance_to_a_box_is_known() {
    let cube = polyhedron::box_corners(Vec3::ONE);
    for (point, expected) in [
        (Vec3::new(0.2, 0.3, -0.9), 0.0),
        (Vec3::new(3.0, 0.1, 0.4), 2.0),
        (Vec3::new(2.0, 2.0, 0.0), core::f32::consts::SQRT_2),
    ] {
        assert!(
            (distance_to_hull(point, &cube) - expected).abs() < 1e-3,
            "{point}"
        );
    }
}

#[test]
fn convex_pieces_cover_the_mesh() {
    for (id, model) in all_objects() {
        assert!(!model.convex_pieces.is_empty(), "{id} has no pieces");
        let boxes: Vec<(Vec3, Vec3)> = model
            .convex_pieces
            .iter()
            .map(|piece| {
                assert!(piece.len() >= 4, "{id}: a piece of {} points", piece.len());
                piece
                    .iter()
                    .fold((piece[0], piece[0]), |(l, h), p| (l.min(*p), h.max(*p)))
            })
            .collect();
        let mut worst = (0.0_f32, Vec3::ZERO);
        for position in model.meshes[0].positions.iter().step_by(13) {
            let distance = model
                .convex_pieces
                .iter()
                .zip(&boxes)
                .filter(|(_, (low, high))| {
                    (position.max(*low).min(*high) - *position).length() < 0.02
                })
                .map(|(piece, _)| distance_to_hull(*position, piece))
                .fold(f32::MAX, f32::min);
            if distance > worst.0 {
                worst = (distance, *position);
            }
        }
        assert!(
            worst.0 < 0.02,
            "{id}: {} m outside the pieces at {}",
            worst.0,
            worst.1
        );
    }
}

/// Signed distance estimate of a point to a mesh: nearest vertex, negative where its normal says inside.
fn outside_by(point: Vec3, mesh: &Mesh) -> f32 {
    let nearest = (0..mesh.positions.len())
        .min_by(|a, b| {
            let d = |i: usize| mesh.positions[i].distance_squared(point);
            d(*a).total_cmp(&d(*b))
        })
        .unwrap();
    let away = point - mesh.positions[nearest];
    if away.dot(mesh.normals[nearest]) < 0.0 {
        -away.length()
    } else {
        away.dot(mesh.normals[nearest])
    }
}

#[test]
fn convex_pieces_do_not_stand_out_of_the_mesh() {
    for (id, model) in all_objects() {
        for piece in &model.convex_pieces {
            for point in piece.iter().step_by(6) {
                let out = outside_by(*point, &model.meshes[0]);
                assert!(out < 0.03, "{id}: a piece stands out by {out} m at {point}");
            }
        }
    }
}

#[test]
fn slabs_keep_half_extent_one() {
    for id in ["builtin/wall", "builtin/mirror_slab"] {
        let model = model(id).unwrap();
        let mesh = &model.meshes[0];
        assert_closed(id, mesh);
        let (low, high) = mesh.bounds().unwrap();
        assert!((low + Vec3::ONE).length() < 1e-5 && (high - Vec3::ONE).length() < 1e-5);
    }
}

#[test]
fn floor_is_a_level_disc_with_uv_in_metres() {
    let model = model("builtin/floor").unwrap();
    let mesh = &model.meshes[0];
    mesh.validate().unwrap();
    let area: f32 = mesh
        .triangles
        .iter()
        .map(|t| {
            let [a, b, c] = t.map(|i| mesh.positions[i as usize]);
            let face = (b - a).cross(c - a);
            assert!(face.x == 0.0 && face.y == 0.0 && face.z > 0.0);
            face.z * 0.5
        })
        .sum();
    let disc = core::f32::consts::PI * ground::FLOOR_RADIUS * ground::FLOOR_RADIUS;
    assert!((area / disc - 1.0).abs() < 0.01);
    for (position, uv) in mesh.positions.iter().zip(&mesh.uvs) {
        assert_eq!((uv.x, -uv.y), (position.x, position.y));
    }
}

#[test]
fn every_texture_tiles_has_words_and_realistic_albedo() {
    let objects = object_texture_kinds()
        .iter()
        .map(|kind| format!("builtin/cube?texture={kind}-11"));
    let floors = floor_texture_kinds()
        .iter()
        .map(|kind| format!("builtin/floor?texture={kind}-11"));
    for id in objects.chain(floors) {
        let words = texture_words(&id).unwrap();
        assert!(
            !words.is_empty() && words.iter().all(|word| !word.is_empty()),
            "{id}"
        );
        let (image, size) = match parse(&id).unwrap() {
            Builtin::Object {
                texture: (kind, seed),
                ..
            } => (kind.image(seed), 256..=512),
            Builtin::Floor { ground, seed } => (ground.image(seed), 1024..=1024),
            _ => unreachable!("ids of objects and floors"),
        };
        assert!(
            image.width == image.height && size.contains(&image.width),
            "{id}"
        );
        let Pixels::Rgba8(pixels) = &image.pixels else {
            panic!("{id}: textures are 8 bit")
        };
        let side = image.width as usize;
        assert_eq!(pixels.len(), side * side);
        let mean = pixels.iter().map(|p| f64::from(p[1])).sum::<f64>() / pixels.len() as f64;
        assert!((15.0..=238.0).contains(&mean), "{id}: mean green {mean}");
        // Across the border the picture changes no more than between rows and columns elsewhere.
        let change = |a: usize, b: usize, horizontal: bool| -> f64 {
            (0..side)
                .map(|k| {
                    let at = |line: usize| {
                        if horizontal {
                            pixels[k * side + line]
                        } else {
                            pixels[line * side + k]
                        }
                    };
                    (0..3)
                        .map(|c| f64::from(at(a)[c].abs_diff(at(b)[c])))
                        .sum::<f64>()
                })
                .sum::<f64>()
                / side as f64
        };
        for horizontal in [true, false] {
            let border = change(side - 1, 0, horizontal);
            let usual = (0..side - 1)
                .step_by(5)
                .map(|line| change(line, line + 1, horizontal))
                .fold(0.0, f64::max);
            assert!(
                border <= usual * 1.05 + 0.5,
                "{id}: border {border}, elsewhere at most {usual}"
            );
        }
    }
}

#[test]
fn seeds_change_textures_and_their_words() {
    let words: std::collections::BTreeSet<_> = (0..40)
        .map(|seed| texture_words(&format!("builtin/cube?texture=stripes-{seed}")).unwrap())
        .collect();
    assert!(words.len() > 8, "{words:?}");
    let a = model("builtin/cube?texture=plain-1").unwrap();
    let b = model("builtin/cube?texture=plain-2").unwrap();
    assert_ne!(a.images, b.images);
    assert_eq!(a.meshes, b.meshes);
}

#[test]
fn only_valid_ids_name_something() {
    for id in [
        "builtin/nothing",
        "cube",
        "builtin/cube?texture=wood",
        "builtin/cube?texture=wood-",
        "builtin/cube?texture=wood-+1",
        "builtin/cube?texture=silk-1",
        "builtin/cube?colour=red",
        "builtin/cube?texture=wood-99999999999",
        "builtin/floor?texture=wood-1",
        "builtin/sky?elevation=nan",
        "builtin/sky?elevation=-7",
        "builtin/sky?turbidity=1e9",
        "builtin/sky?elevation=3&elevation=4",
        "builtin/wall?seed=1",
    ] {
        assert!(record(id).is_none(), "{id}");
        assert!(model(id).is_none() && environment(id).is_none(), "{id}");
    }
    for id in [
        "builtin/cube?texture=wood-4294967295",
        "builtin/floor?texture=sand-3",
        "builtin/sky?elevation=-2.5&turbidity=2.25",
        "builtin/overcast?seed=77",
        "builtin/studio",
    ] {
        let record = record(id).unwrap();
        assert_eq!(record.id, id);
        assert_eq!(record.blake3.len(), 64);
        assert_eq!(record.license, "CC0-1.0");
    }
    assert!(model("builtin/sky").is_none() && environment("builtin/cube").is_none());
}

/// Hash of everything in a model.
fn digest(model: &Model) -> blake3::Hash {
    let mut bytes: Vec<u8> = Vec::new();
    let mut vectors: Vec<Vec3> = model.convex_pieces.concat();
    for mesh in &model.meshes {
        vectors.extend(mesh.positions.iter().chain(&mesh.normals));
        vectors.extend(mesh.uvs.iter().map(|uv| uv.extend(0.0)));
        bytes.extend(
            mesh.triangles
                .iter()
                .flatten()
                .flat_map(|i| i.to_le_bytes()),
        );
    }
    bytes.extend(
        vectors
            .iter()
            .flat_map(Vec3::to_array)
            .flat_map(f32::to_le_bytes),
    );
    for image in &model.images {
        if let Pixels::Rgba8(pixels) = &image.pixels {
            bytes.extend(pixels.as_flattened());
        }
    }
    blake3::hash(&bytes)
}

#[test]
fn the_same_id_gives_the_same_bytes() {
    for id in [
        "builtin/teapot",
        "builtin/gear?texture=marble-3",
        "builtin/floor",
    ] {
        assert_eq!(
            digest(&model(id).unwrap()),
            digest(&model(id).unwrap()),
            "{id}"
        );
    }
    let id = "builtin/sky?elevation=8&turbidity=3";
    assert_eq!(environment(id), environment(id));
}

/// Irradiance of a level surface facing up under the picture alone.
fn level_irradiance(map: &EnvironmentMap) -> [f32; 3] {
    let Pixels::RgbF32(pixels) = &map.image.pixels else {
        panic!("environments are float pictures")
    };
    let (width, height) = (map.image.width as usize, map.image.height as usize);
    assert_eq!((width, pixels.len()), (2 * height, width * height));
    let mut sum = [0.0_f64; 3];
    for (index, pixel) in pixels.iter().enumerate() {
        assert!(
            pixel.iter().all(|c| c.is_finite() && *c >= 0.0),
            "{pixel:?}"
        );
        let zenith = core::f32::consts::PI * ((index / width) as f32 + 0.5) / height as f32;
        let weight = libm::cosf(zenith).max(0.0) * libm::sinf(zenith) * core::f32::consts::PI
            / height as f32
            * core::f32::consts::TAU
            / width as f32;
        for c in 0..3 {
            sum[c] += f64::from(pixel[c] * weight);
        }
    }
    sum.map(|c| c as f32)
}

fn sky_at(elevation: f32, turbidity: f32) -> EnvironmentMap {
    environment(&format!(
        "builtin/sky?elevation={elevation}&turbidity={turbidity}"
    ))
    .unwrap()
}

#[test]
fn sky_darkens_and_its_sun_reddens_as_the_sun_sets() {
    let luma = panorama::luma;
    let mut brighter = f32::MAX;
    let mut redness = 0.0;
    for elevation in [60.0, 30.0, 12.0, 4.0, 1.0] {
        let map = sky_at(elevation, 2.0);
        let sun = map.sun.unwrap();
        let level = level_irradiance(&map)
            .iter()
            .zip(sun.irradiance)
            .map(|(sky, sun)| sky + sun * sun_height(&map))
            .collect::<Vec<_>>();
        let total = luma([level[0], level[1], level[2]]);
        assert!(total < brighter, "{elevation}°: {total} after {brighter}");
        brighter = total;
        let red = sun.irradiance[0] / sun.irradiance[1];
        assert!(
            red > redness,
            "{elevation}°: sun's red over green {red} after {redness}"
        );
        redness = red;
        assert!(!map.night);
    }
    assert!(redness > 2.0, "a setting sun is red: {redness}");
    let twilight = sky_at(-5.0, 2.0);
    assert!(twilight.night && twilight.sun.is_none());
    assert!(luma(level_irradiance(&twilight)) < brighter * 0.3);
    assert!(luma(level_irradiance(&twilight)) > 0.0);
}

fn sun_height(map: &EnvironmentMap) -> f32 {
    map.sun.map_or(0.0, |sun| sun.direction_to_sun[2])
}

#[test]
fn noon_sun_weighs_five_and_the_sky_a_fair_share_of_it() {
    let share = |map: &EnvironmentMap| {
        let direct = panorama::luma(map.sun.unwrap().irradiance) * sun_height(map);
        panorama::luma(level_irradiance(map)) / direct
    };
    let map = sky_at(60.0, 2.5);
    let direct = panorama::luma(map.sun.unwrap().irradiance);
    assert!((direct - 5.0).abs() < 0.1, "{direct}");
    let sky = level_irradiance(&map);
    assert!(sky[2] > 1.25 * sky[0], "a noon sky is blue: {sky:?}");
    // Aerosol of optical thickness 0.10 and 0.15: diffuse over direct of clear days.
    assert!((0.10..0.25).contains(&share(&sky_at(60.0, 2.0))));
    assert!((0.15..0.30).contains(&share(&map)), "{}", share(&map));
    // Hazier air takes from the sun and gives to the sky.
    let hazy = sky_at(60.0, 6.0);
    assert!(panorama::luma(hazy.sun.unwrap().irradiance) < direct);
    assert!(panorama::luma(level_irradiance(&hazy)) > panorama::luma(sky));
}

#[test]
fn low_sun_reddens_the_horizon_under_it() {
    let map = sky_at(1.0, 2.0);
    let Pixels::RgbF32(pixels) = &map.image.pixels else {
        unreachable!("a float picture")
    };
    let (width, height) = (map.image.width as usize, map.image.height as usize);
    // 2° above the horizon under the sun (picture centre), and the zenith.
    let low = pixels[(height / 2 - 3) * width + width / 2];
    let zenith = pixels[width / 2];
    assert!(low[0] > 1.3 * low[2], "{low:?}");
    assert!(zenith[2] > zenith[0], "{zenith:?}");
}

#[test]
fn listed_environments_are_sound() {
    let records = environment_records();
    assert_eq!(records.len(), 24 + 4 + 6);
    for record in records.iter().filter(|r| !r.id.contains("sky")) {
        let map = environment(&record.id).unwrap();
        let level = panorama::luma(level_irradiance(&map));
        assert!((0.2..12.0).contains(&level), "{}: {level}", record.id);
        assert_eq!(map.description, format!("a {}", record.noun));
        assert!(map.sun.is_none() && !map.night);
    }
}
