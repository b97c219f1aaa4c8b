//! Laws of the ray queries, on every instruction set of this machine.

use std::{f32::consts::TAU, sync::Arc};

use glam::{Affine3A, Mat3A, Quat, Vec3, Vec3A};

use super::{
    BuildOptions, Hit, Instance, Isa, IsaError, Kernel, MeshBvh, Pose, Quality, Ray, Simd8,
    SurfacePoint, Tlas,
    build::{Bounds, WideTree},
    offset_origin,
};

/// A point of a surface in the world.
fn surface_point(
    tlas: &Tlas,
    instance: u32,
    primitive: u32,
    u: f32,
    v: f32,
    time: f32,
) -> SurfacePoint {
    let corners = tlas.instance(instance).mesh.corners(primitive, time);
    tlas.surface_frame(instance, time).point(corners, u, v)
}

/// PCG32 output permutation over a plain LCG: enough for tests.
struct Random(u32);

impl Random {
    fn bits(&mut self) -> u32 {
        let s = self.0;
        self.0 = s.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let w = ((s >> ((s >> 28) + 4)) ^ s).wrapping_mul(277_803_737);
        (w >> 22) ^ w
    }

    fn below(&mut self, n: usize) -> usize {
        self.bits() as usize % n
    }

    /// From −1 to 1.
    fn signed(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / 8_388_608.0 - 1.0
    }

    fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / 16_777_216.0
    }

    fn cube(&mut self) -> Vec3 {
        Vec3::new(self.signed(), self.signed(), self.signed())
    }

    fn direction(&mut self) -> Vec3 {
        loop {
            let v = self.cube();
            let length = v.length();
            if length > 0.1 && length < 1.0 {
                return v / length;
            }
        }
    }
}

fn isas() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.is_supported())
}

struct Nearest<'a, F>(&'a Tlas, &'a [Ray], F);

impl<F: Fn(&Hit) -> bool> Kernel for Nearest<'_, F> {
    type Output = Vec<Option<Hit>>;

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) -> Self::Output {
        let mut hits = Vec::with_capacity(self.1.len());
        for ray in self.1 {
            hits.push(self.0.intersect(simd, ray, |hit| (self.2)(hit)));
        }
        hits
    }
}

struct NearestOf<'a>(&'a Tlas, u32, &'a [Ray]);

impl Kernel for NearestOf<'_> {
    type Output = Vec<Option<Hit>>;

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) -> Self::Output {
        let mut hits = Vec::with_capacity(self.2.len());
        for ray in self.2 {
            hits.push(self.0.intersect_instance(simd, self.1, ray, |_| true));
        }
        hits
    }
}

struct Blocked<'a, F>(&'a Tlas, &'a [Ray], F);

impl<F: Fn(&Hit) -> bool> Kernel for Blocked<'_, F> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) -> Self::Output {
        let mut worlds = Vec::with_capacity(self.1.len());
        for ray in self.1 {
            worlds.push(self.0.blocked_worlds(simd, ray, |hit| (self.2)(hit)));
        }
        worlds
    }
}

fn nearest(isa: Isa, tlas: &Tlas, rays: &[Ray]) -> Vec<Option<Hit>> {
    isa.dispatch(Nearest(tlas, rays, |_: &Hit| true))
}

/// Every bit of a hit, so that NaN and −0 count.
fn bits(hit: Option<Hit>) -> Option<[u32; 5]> {
    hit.map(|hit| {
        [
            hit.t.to_bits(),
            hit.instance,
            hit.primitive,
            hit.u.to_bits(),
            hit.v.to_bits(),
        ]
    })
}

fn all_bits(hits: &[Option<Hit>]) -> Vec<Option<[u32; 5]>> {
    hits.iter().copied().map(bits).collect()
}

fn mesh(positions: &[Vec3], triangles: &[[u32; 3]]) -> Arc<MeshBvh> {
    Arc::new(MeshBvh::build(
        positions,
        triangles,
        BuildOptions::default(),
    ))
}

fn instance(mesh: &Arc<MeshBvh>, pose: Affine3A) -> Instance {
    Instance {
        mesh: Arc::clone(mesh),
        pose: Pose::Still(pose),
        worlds: 1,
        needs_filter: false,
    }
}

/// Triangles of many sizes and shapes, some twice, some degenerate, some on a coarse grid so that
/// edges, planes and distances coincide.
fn soup(random: &mut Random, count: usize) -> (Vec<Vec3>, Vec<[u32; 3]>) {
    let mut positions = Vec::new();
    let mut triangles: Vec<[u32; 3]> = Vec::new();
    for i in 0..count {
        let first = positions.len() as u32;
        if i % 7 == 3 {
            triangles.push(triangles[random.below(i)]);
            continue;
        }
        let size = [0.02, 0.2, 1.0][random.below(3)];
        let centre = random.cube();
        let mut corners = [0, 1, 2].map(|_| centre + random.cube() * size);
        match random.below(8) {
            0 | 1 => corners = corners.map(|p| (p * 4.0).round() / 4.0),
            2 => corners[2] = corners[1],
            3 => corners[2] = corners[0].lerp(corners[1], random.unit()),
            4 => corners = corners.map(|p| Vec3::new(p.x, p.y, 0.25)),
            _ => {}
        }
        positions.extend(corners);
        triangles.push([first, first + 1, first + 2]);
    }
    (positions, triangles)
}

/// Rays of all kinds, many through corners and along axes.
fn rays(random: &mut Random, count: usize, targets: &[Vec3]) -> Vec<Ray> {
    (0..count)
        .map(|i| {
            let origin = match random.below(4) {
                0 => targets[random.below(targets.len())],
                1 => (random.cube() * 8.0).round() / 4.0,
                _ => random.cube() * 2.0,
            };
            let direction = match random.below(5) {
                0 => [Vec3::X, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z][random.below(4)],
                1 => targets[random.below(targets.len())] - origin,
                2 => Vec3::new(random.signed(), 0.0, random.signed()),
                _ => random.direction(),
            };
            Ray {
                origin,
                direction: if direction == Vec3::ZERO {
                    Vec3::ONE
                } else {
                    direction
                },
                t_min: if i % 3 == 0 { 0.1 } else { 0.0 },
                t_max: if i % 5 == 0 { 1.5 } else { f32::INFINITY },
                time: random.unit(),
                worlds: 1 + random.bits() % 3,
            }
        })
        .collect()
}

fn random_pose(random: &mut Random) -> Affine3A {
    let spin = Quat::from_axis_angle(random.direction(), random.unit() * TAU);
    Affine3A::from_scale_rotation_translation(
        Vec3::new(
            0.5 + random.unit(),
            0.5 + random.unit(),
            -0.5 - random.unit(),
        ),
        spin,
        random.cube(),
    )
}

/// A scene with several instances of two soups: still, posed, sheared, moving, in several worlds.
fn scene(random: &mut Random, options: BuildOptions) -> Vec<Instance> {
    let meshes = [80, 150].map(|count| {
        let (positions, triangles) = soup(random, count);
        Arc::new(MeshBvh::build(&positions, &triangles, options))
    });
    let mut instances: Vec<Instance> = (0..13)
        .map(|i| {
            let pose = match i % 4 {
                0 => Pose::Still(Affine3A::IDENTITY),
                1 => Pose::Moving {
                    open: random_pose(random),
                    close: random_pose(random),
                },
                2 => Pose::Still(Affine3A::from_mat3_translation(
                    glam::Mat3::from_cols(Vec3::X, Vec3::new(0.7, 1.0, 0.0), Vec3::Z),
                    random.cube(),
                )),
                _ => Pose::Still(random_pose(random)),
            };
            Instance {
                mesh: Arc::clone(&meshes[i % 2]),
                pose,
                worlds: 1 + (i % 3) as u32,
                needs_filter: i % 5 == 0,
            }
        })
        .collect();
    // The same thing again: every hit of it is a tie.
    let twin = instances[3].clone();
    instances.push(twin);
    instances
}

fn corners_of(mesh: &MeshBvh) -> Vec<Vec3> {
    (0..mesh.triangle_count() as u32)
        .flat_map(|primitive| mesh.corners(primitive, 0.0))
        .collect()
}

/// An answer that looks random but depends on the hit alone.
fn picky(hit: &Hit) -> bool {
    !(hit.primitive + hit.instance).is_multiple_of(3)
}

/// Tests every triangle of every instance by itself, without any box.
fn brute_force(isa: Isa, instances: &[Instance], rays: &[Ray]) -> Vec<(Option<Hit>, u32)> {
    let mut best = vec![(None, 0); rays.len()];
    for (index, instance) in instances.iter().enumerate() {
        for primitive in 0..instance.mesh.triangle_count() as u32 {
            let alone = Tlas::build(vec![Instance {
                mesh: mesh(&instance.mesh.corners(primitive, 0.0), &[[0, 1, 2]]),
                needs_filter: false,
                ..instance.clone()
            }]);
            let hits = nearest(isa, &alone, rays);
            for ((hit, (best, blocked)), ray) in hits.into_iter().zip(&mut best).zip(rays) {
                let Some(hit) = hit else { continue };
                let hit = Hit {
                    instance: index as u32,
                    primitive,
                    ..hit
                };
                if instance.needs_filter && !picky(&hit) {
                    continue;
                }
                *blocked |= ray.worlds & instance.worlds;
                let nearer = best.is_none_or(|other: Hit| {
                    (hit.t, hit.instance, hit.primitive)
                        < (other.t, other.instance, other.primitive)
                });
                if nearer {
                    *best = Some(hit);
                }
            }
        }
    }
    best
}

#[test]
fn queries_are_brute_force_on_every_instruction_set() {
    let mut random = Random(1);
    let instances = scene(&mut random, BuildOptions::default());
    let targets = corners_of(&instances[0].mesh);
    let rays = rays(&mut random, 3000, &targets);
    let expected = brute_force(Isa::Portable, &instances, &rays);
    let expected_hits: Vec<_> = expected.iter().map(|(hit, _)| bits(*hit)).collect();
    let expected_worlds: Vec<_> = expected.iter().map(|(_, worlds)| *worlds).collect();
    assert!(expected_hits.iter().flatten().count() > 1500);
    assert!(expected_hits.iter().any(Option::is_none));
    let tlas = Tlas::build(instances);
    for isa in isas() {
        let hits = isa.dispatch(Nearest(&tlas, &rays, picky));
        for (i, (hit, expected)) in hits.iter().zip(&expected_hits).enumerate() {
            assert_eq!(bits(*hit), *expected, "{}: {:?}", isa.name(), rays[i]);
        }
        let worlds = isa.dispatch(Blocked(&tlas, &rays, picky));
        assert_eq!(worlds, expected_worlds, "{}", isa.name());
    }
}

#[test]
fn meshes_far_from_their_own_origin_lose_no_hit() {
    let mut random = Random(11);
    let offset = Vec3::new(3000.0, -20_000.0, 100.0);
    let (positions, triangles) = soup(&mut random, 60);
    let positions: Vec<Vec3> = positions.iter().map(|p| *p + offset).collect();
    let mesh = mesh(&positions, &triangles);
    let instances: Vec<Instance> = (0..10)
        .map(|_| {
            let back = Affine3A::from_translation(-offset);
            instance(&mesh, random_pose(&mut random) * back)
        })
        .collect();
    let targets: Vec<Vec3> = positions
        .iter()
        .map(|p| {
            instances[0]
                .pose
                .world_from_object(0.0)
                .transform_point3(*p)
        })
        .collect();
    let rays = rays(&mut random, 4000, &targets);
    let expected = brute_force(Isa::Portable, &instances, &rays);
    assert!(expected.iter().filter(|(hit, _)| hit.is_some()).count() > 1000);
    let tlas = Tlas::build(instances);
    for isa in isas() {
        for (hit, (expected, _)) in nearest(isa, &tlas, &rays).iter().zip(&expected) {
            assert_eq!(bits(*hit), bits(*expected), "{}", isa.name());
        }
    }
}

/// Rays that only just meet a triangle, aimed at points of its edges and corners.
fn close_calls(random: &mut Random, corners: [Vec3; 3], pose: Affine3A) -> Vec<Ray> {
    (0..600)
        .map(|i| {
            let [a, b] = [random.below(3), random.below(3)].map(|corner| corners[corner]);
            let target = a.lerp(b, random.unit());
            let towards = target - pose.inverse().transform_point3(random.cube() * 3.0);
            let from = match i % 3 {
                0 => target - towards,
                // From afar, and along the plane of the triangle.
                1 => target - towards * 300.0,
                _ => target - (corners[1] - corners[2]) * (1.0 + random.unit()),
            };
            let (origin, target) = (pose.transform_point3(from), pose.transform_point3(target));
            Ray {
                origin,
                direction: target - origin,
                ..Ray::default()
            }
        })
        .filter(|ray| ray.direction != Vec3::ZERO)
        .collect()
}

#[test]
fn boxes_drop_nothing_that_its_own_test_would_hit() {
    let mut random = Random(12);
    let one_each = BuildOptions {
        leaf_size: 1,
        ..BuildOptions::default()
    };
    let mut met = 0;
    for round in 0..300 {
        let mut corners = [0, 1, 2].map(|_| random.cube());
        // Edges within the faces of the box, where there is no room for an error.
        let axis = round % 3;
        let shift = [0.0, 0.0, 5.0, -300.0][random.below(4)];
        for corner in &mut corners[..2 + round % 2] {
            corner[axis] = 0.375;
        }
        let corners = corners.map(|corner| corner + shift);
        let far_off = corners.map(|corner| corner + 5000.0);
        let pose = if round % 2 == 0 {
            Affine3A::IDENTITY
        } else {
            random_pose(&mut random) * Affine3A::from_translation(Vec3::splat(-shift))
        };
        let rays = close_calls(&mut random, corners, pose);
        // Without any box; in a mesh with another triangle; beside another instance.
        let alone = mesh(&corners, &[[0, 1, 2]]);
        let both: Vec<Vec3> = corners.into_iter().chain(far_off).collect();
        let in_mesh = MeshBvh::build(&both, &[[0, 1, 2], [3, 4, 5]], one_each);
        let scenes = [
            vec![instance(&alone, pose)],
            vec![instance(&Arc::new(in_mesh), pose)],
            vec![
                instance(&alone, pose),
                instance(&mesh(&far_off, &[[0, 1, 2]]), Affine3A::IDENTITY),
            ],
        ];
        let [alone, in_mesh, beside] =
            scenes.map(|instances| nearest(Isa::widest(), &Tlas::build(instances), &rays));
        for (((alone, in_mesh), beside), ray) in alone.iter().zip(in_mesh).zip(beside).zip(&rays) {
            if alone.is_some() {
                met += 1;
                assert_eq!(bits(*alone), bits(in_mesh), "{corners:?} {ray:?}");
                assert_eq!(bits(*alone), bits(beside), "{corners:?} {ray:?}");
            }
        }
    }
    assert!(met > 50_000, "{met}");
}

#[test]
fn picture_does_not_depend_on_the_tree() {
    let trees = [
        BuildOptions::default(),
        BuildOptions {
            quality: Quality::Fast,
            leaf_size: 1,
            leaf_cost: 1.0,
        },
        BuildOptions {
            quality: Quality::Halves,
            leaf_size: 8,
            leaf_cost: 1.0,
        },
        BuildOptions {
            quality: Quality::Best,
            leaf_size: 3,
            leaf_cost: 10.0,
        },
    ];
    let mut pictures = trees.map(|options| {
        let mut random = Random(2);
        let instances = scene(&mut random, options);
        let targets = corners_of(&instances[0].mesh);
        let rays = rays(&mut random, 40_000, &targets);
        let tlas = Tlas::build(instances);
        let isa = Isa::widest();
        (
            all_bits(&isa.dispatch(Nearest(&tlas, &rays, picky))),
            isa.dispatch(Blocked(&tlas, &rays, picky)),
        )
    });
    let (first, others) = pictures.split_first_mut().expect("four trees");
    for other in others {
        assert!(first == other);
    }
}

#[test]
fn ties_go_to_the_lower_instance_then_primitive() {
    // Three coplanar copies of a square in one mesh, the mesh placed twice.
    let corners = [Vec3::ZERO, Vec3::X, Vec3::ONE - Vec3::Z, Vec3::Y];
    let square = mesh(
        &corners,
        &[[0, 1, 2], [0, 2, 3], [0, 1, 2], [0, 2, 3], [0, 1, 2]],
    );
    let tlas = Tlas::build(vec![instance(&square, Affine3A::IDENTITY); 2]);
    let ray = |x, y, worlds| Ray {
        origin: Vec3::new(x, y, 1.0),
        direction: Vec3::NEG_Z,
        worlds,
        ..Ray::default()
    };
    for isa in isas() {
        let hits = nearest(isa, &tlas, &[ray(0.7, 0.2, 1), ray(0.2, 0.7, 1)]);
        assert_eq!(hits[0].map(|h| (h.instance, h.primitive)), Some((0, 0)));
        assert_eq!(hits[1].map(|h| (h.instance, h.primitive)), Some((0, 1)));
        let mut others = vec![instance(&square, Affine3A::IDENTITY); 2];
        others[0].worlds = 2;
        others[1].needs_filter = true;
        let hits = isa.dispatch(Nearest(
            &Tlas::build(others),
            &[ray(0.7, 0.2, 1)],
            |hit: &Hit| hit.primitive > 0,
        ));
        assert_eq!(hits[0].map(|h| (h.instance, h.primitive)), Some((1, 2)));
    }
}

#[test]
fn hits_are_strictly_between_the_limits() {
    let triangle = mesh(&[Vec3::ZERO, Vec3::X * 4.0, Vec3::Y * 4.0], &[[0, 1, 2]]);
    let tlas = Tlas::build(vec![instance(&triangle, Affine3A::IDENTITY)]);
    let ray = |t_min, t_max| Ray {
        origin: Vec3::new(1.0, 1.0, 2.0),
        direction: Vec3::NEG_Z * 0.5,
        t_min,
        t_max,
        ..Ray::default()
    };
    let rays = [ray(0.0, 4.1), ray(0.0, 4.0), ray(4.0, 9.0), ray(3.9, 4.1)];
    for isa in isas() {
        let hits = nearest(isa, &tlas, &rays);
        assert_eq!(
            hits.iter().map(|h| h.map(|h| h.t)).collect::<Vec<_>>(),
            [Some(4.0), None, None, Some(4.0)]
        );
        assert_eq!(hits[0].map(|h| (h.u, h.v)), Some((0.25, 0.25)));
        let blocked = isa.dispatch(Blocked(&tlas, &rays, |_: &Hit| true));
        assert_eq!(blocked, [1, 0, 0, 1]);
    }
}

#[test]
fn worlds_part_what_a_ray_meets() {
    let square = mesh(
        &[
            Vec3::new(-1.0, -1.0, 0.0),
            Vec3::new(3.0, -1.0, 0.0),
            Vec3::new(-1.0, 3.0, 0.0),
        ],
        &[[0, 1, 2]],
    );
    let at = |z: f32, worlds: u32| Instance {
        worlds,
        ..instance(&square, Affine3A::from_translation(Vec3::Z * z))
    };
    let tlas = Tlas::build(vec![at(1.0, 0b100), at(2.0, 0b010), at(3.0, 0b111)]);
    let ray = |t_max, worlds| Ray {
        t_max,
        worlds,
        ..Ray::default()
    };
    let rays = [
        ray(9.0, 0b111),
        ray(9.0, 0b011),
        ray(9.0, 0b001),
        ray(9.0, 0b1000),
        ray(2.5, 0b111),
        ray(1.5, 0b110),
        ray(9.0, 0b1001),
    ];
    for isa in isas() {
        let instances: Vec<_> = nearest(isa, &tlas, &rays)
            .iter()
            .map(|hit| hit.map(|hit| hit.instance))
            .collect();
        assert_eq!(
            instances,
            [Some(0), Some(1), Some(2), None, Some(0), Some(0), Some(2)]
        );
        assert_eq!(
            isa.dispatch(Blocked(&tlas, &rays, |_: &Hit| true)),
            [0b111, 0b011, 0b001, 0, 0b110, 0b100, 0b001]
        );
        let alone = isa.dispatch(NearestOf(&tlas, 1, &rays));
        assert!(alone[0].is_some_and(|hit| hit.t == 2.0 && hit.instance == 1));
        assert!(alone[5].is_none());
    }
}

/// A subdivided octahedron, pushed to a bumpy sphere: closed, corners counter-clockwise from outside.
fn ball(levels: usize, bumps: f32) -> (Vec<Vec3>, Vec<[u32; 3]>) {
    let mut positions = vec![
        Vec3::X,
        Vec3::NEG_X,
        Vec3::Y,
        Vec3::NEG_Y,
        Vec3::Z,
        Vec3::NEG_Z,
    ];
    let mut triangles = vec![
        [0, 2, 4],
        [2, 1, 4],
        [1, 3, 4],
        [3, 0, 4],
        [2, 0, 5],
        [1, 2, 5],
        [3, 1, 5],
        [0, 3, 5],
    ];
    for _ in 0..levels {
        let mut middles = std::collections::BTreeMap::new();
        let mut finer = Vec::new();
        for [a, b, c] in triangles {
            let mut middle = |i: u32, j: u32| {
                *middles.entry((i.min(j), i.max(j))).or_insert_with(|| {
                    let p = positions[i as usize] + positions[j as usize];
                    positions.push(p / p.length());
                    positions.len() as u32 - 1
                })
            };
            let (ab, bc, ca) = (middle(a, b), middle(b, c), middle(c, a));
            finer.extend([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]);
        }
        triangles = finer;
    }
    for p in &mut positions {
        *p *= 1.0 + bumps * (p.x * p.y * 8.0 + p.z * p.x * 5.0).abs();
    }
    (positions, triangles)
}

#[test]
fn shared_edges_and_corners_never_leak() {
    let mut random = Random(3);
    let (positions, triangles) = ball(4, 0.05);
    let ball = mesh(&positions, &triangles);
    let poses = [
        Affine3A::IDENTITY,
        Affine3A::from_scale_rotation_translation(
            Vec3::new(3.0, 0.2, 1.0),
            Quat::from_axis_angle(Vec3::new(0.6, 0.0, 0.8), 1.0),
            Vec3::new(5.0, -70.0, 0.3),
        ),
    ];
    for pose in poses {
        let tlas = Tlas::build(vec![instance(&ball, pose)]);
        // From inside, through points of edges and corners.
        let rays: Vec<Ray> = (0..500_000)
            .map(|i| {
                let corners = triangles[random.below(triangles.len())];
                let [a, b, _] = corners.map(|v| positions[v as usize]);
                let target = match i % 3 {
                    0 => a,
                    1 => a.lerp(b, 0.5),
                    _ => a.lerp(b, random.unit()),
                };
                let origin = random.cube() * 0.5;
                Ray {
                    origin: pose.transform_point3(origin),
                    direction: pose.transform_vector3(target - origin),
                    ..Ray::default()
                }
            })
            .collect();
        for isa in isas() {
            let hits = nearest(isa, &tlas, &rays);
            let leaks = hits.iter().filter(|hit| hit.is_none()).count();
            assert_eq!(leaks, 0, "{}", isa.name());
        }
    }
}

#[test]
fn a_flat_grid_seen_at_grazing_angles_never_leaks() {
    let mut random = Random(4);
    let side = 33;
    let positions: Vec<Vec3> = (0..side * side)
        .map(|i| Vec3::new((i % side) as f32 / 7.0, (i / side) as f32 / 3.0, 0.1))
        .collect();
    let mut triangles = Vec::new();
    for y in 0..side as u32 - 1 {
        for x in 0..side as u32 - 1 {
            let i = y * side as u32 + x;
            triangles.push([i, i + 1, i + 1 + side as u32]);
            triangles.push([i, i + 1 + side as u32, i + side as u32]);
        }
    }
    let tlas = Tlas::build(vec![instance(
        &mesh(&positions, &triangles),
        Affine3A::IDENTITY,
    )]);
    let rays: Vec<Ray> = (0..300_000)
        .map(|_| {
            let (x, y) = (2 + random.below(side - 4), 2 + random.below(side - 4));
            let target = positions[y * side + x];
            let back = random.direction();
            let height = [1.0, 1e-2, 1e-4][random.below(3)];
            let origin = target + Vec3::new(back.x, back.y, back.z.abs().max(0.05) * height) * 3.0;
            Ray {
                origin,
                direction: target - origin,
                ..Ray::default()
            }
        })
        .filter(|ray| {
            // The point where f32 directions really meet the plane must be within the grid.
            let t = f64::from(0.1_f32 - ray.origin.z) / f64::from(ray.direction.z);
            let at = ray.origin.as_dvec3() + ray.direction.as_dvec3() * t;
            at.x > 0.2 && at.y > 0.4 && at.x < 4.3 && at.y < 10.3
        })
        .collect();
    assert!(rays.len() > 250_000);
    for isa in isas() {
        let hits = nearest(isa, &tlas, &rays);
        let leaks = hits.iter().filter(|hit| hit.is_none()).count();
        assert_eq!(leaks, 0, "{}", isa.name());
    }
}

#[test]
fn moving_instances_are_hit_where_they_are() {
    let tile = mesh(
        &[
            Vec3::new(-0.5, -0.5, 0.0),
            Vec3::new(1.5, -0.5, 0.0),
            Vec3::new(-0.5, 1.5, 0.0),
        ],
        &[[0, 1, 2]],
    );
    let moving = Pose::Moving {
        open: Affine3A::from_translation(Vec3::new(0.0, 0.0, 1.0)),
        close: Affine3A::from_translation(Vec3::new(8.0, 0.0, 3.0)),
    };
    let tlas = Tlas::build(vec![Instance {
        pose: moving,
        ..instance(&tile, Affine3A::IDENTITY)
    }]);
    let ray = |x, time| Ray {
        origin: Vec3::X * x,
        time,
        ..Ray::default()
    };
    let rays = [
        ray(0.0, 0.0),
        ray(0.0, 1.0),
        ray(8.0, 1.0),
        ray(4.0, 0.5),
        ray(2.0, 0.25),
        ray(8.0, 0.5),
    ];
    for isa in isas() {
        let distances: Vec<_> = nearest(isa, &tlas, &rays)
            .iter()
            .map(|hit| hit.map(|hit| hit.t))
            .collect();
        assert_eq!(
            distances,
            [Some(1.0), None, Some(3.0), Some(2.0), Some(1.5), None]
        );
    }
    let point = surface_point(&tlas, 0, 0, 0.25, 0.25, 0.5);
    assert_eq!(point.position, Vec3::new(4.0, 0.0, 2.0));
    assert_eq!(point.normal, Vec3::Z);
}

#[test]
fn bent_meshes_are_hit_as_they_are_at_the_time_of_the_ray() {
    let mut random = Random(77);
    let (open, triangles) = soup(&mut random, 300);
    let close: Vec<Vec3> = open.iter().map(|p| *p + random.cube() * 0.5).collect();
    let options = BuildOptions::default();
    let bent = Arc::new(MeshBvh::build_moving(&open, &close, &triangles, options));
    let pose = random_pose(&mut random);
    for tlas in [Affine3A::IDENTITY, pose].map(|pose| Tlas::build(vec![instance(&bent, pose)])) {
        for time in [0.0, 0.25, 0.7, 1.0] {
            // What the vertices do is promised to the bit.
            let between: Vec<Vec3> = (open.iter().zip(&close))
                .map(|(open, close)| *open * (1.0 - time) + *close * time)
                .collect();
            let still = mesh(&between, &triangles);
            let at_rest = Tlas::build(vec![instance(
                &still,
                tlas.instance(0).pose.world_from_object(0.0),
            )]);
            let targets: Vec<Vec3> = corners_of(&still)
                .into_iter()
                .map(|p| {
                    at_rest
                        .instance(0)
                        .pose
                        .world_from_object(0.0)
                        .transform_point3(p)
                })
                .collect();
            let rays: Vec<Ray> = rays(&mut random, 400, &targets)
                .into_iter()
                .map(|ray| Ray { time, ..ray })
                .collect();
            for isa in isas() {
                let name = |hit: Option<Hit>| {
                    hit.map(|hit| {
                        (
                            hit.t.to_bits(),
                            hit.primitive,
                            hit.u.to_bits(),
                            hit.v.to_bits(),
                        )
                    })
                };
                let (hits, expected) = (nearest(isa, &tlas, &rays), nearest(isa, &at_rest, &rays));
                assert!(expected.iter().flatten().count() > 50);
                for (hit, expected) in hits.iter().zip(&expected) {
                    assert_eq!(name(*hit), name(*expected), "{isa:?} at {time}");
                }
                let all = |_: &Hit| true;
                assert_eq!(
                    isa.dispatch(Blocked(&tlas, &rays, all)),
                    isa.dispatch(Blocked(&at_rest, &rays, all))
                );
            }
            for (hit, ray) in nearest(Isa::widest(), &tlas, &rays).iter().zip(&rays) {
                let Some(hit) = hit else { continue };
                assert_eq!(
                    tlas.corners(hit, ray.time),
                    bent.corners(hit.primitive, time)
                );
                assert_eq!(
                    bent.corners(hit.primitive, time),
                    still.corners(hit.primitive, 0.0)
                );
            }
        }
    }
}

#[test]
fn rays_leaving_a_convex_surface_never_find_it_again() {
    let (positions, triangles) = ball(3, 0.0);
    let tiny: Vec<Vec3> = positions.iter().map(|p| *p * 1e-3).collect();
    let huge: Vec<Vec3> = positions.iter().map(|p| *p * 2e4).collect();
    let off_centre: Vec<Vec3> = positions
        .iter()
        .map(|p| *p + Vec3::new(90.0, -70.0, 30.0))
        .collect();
    let turned = Quat::from_axis_angle(Vec3::new(0.48, 0.64, 0.6), 0.7);
    let far = Vec3::new(1e4, -1e4, 1e4);
    let cases = [
        (&positions, Affine3A::IDENTITY),
        (&positions, Affine3A::from_rotation_translation(turned, far)),
        (&tiny, Affine3A::IDENTITY),
        (&tiny, Affine3A::from_rotation_translation(turned, far)),
        (
            &tiny,
            Affine3A::from_scale_rotation_translation(Vec3::new(700.0, 1.0, -40.0), turned, far),
        ),
        (&huge, Affine3A::from_rotation_translation(turned, far)),
        (
            &off_centre,
            Affine3A::from_scale_rotation_translation(Vec3::splat(1e-3), turned, -far),
        ),
    ];
    for (case, (positions, pose)) in cases.into_iter().enumerate() {
        // Flat facets on one side of every other: the ball is convex but for rounding of its own
        // corners, so each triangle is tried with those that share its plane only if it is exact.
        let ball = mesh(positions, &triangles);
        let tlas = Tlas::build(vec![instance(&ball, pose)]);
        let mut random = Random(5);
        let rays: Vec<Ray> = (0..60_000)
            .map(|_| {
                let primitive = random.below(triangles.len()) as u32;
                let (mut u, mut v) = (random.unit(), random.unit());
                if u + v > 1.0 {
                    (u, v) = (1.0 - u, 1.0 - v);
                }
                let point = surface_point(&tlas, 0, primitive, u, v, 0.0);
                let normal = point.normal;
                let across = normal.any_orthonormal_vector();
                let turn = Quat::from_axis_angle(normal, random.unit() * TAU);
                let lift = [1.0, 1e-2, 1e-5, 0.0][random.below(4)] * random.unit();
                let direction = turn * across + normal * lift;
                // Exactly outwards: rounding must not send a grazing ray inside.
                let direction = if direction.dot(normal) <= 0.0 {
                    direction + normal * 1e-6
                } else {
                    direction
                };
                Ray {
                    origin: offset_origin(point.position, point.error, normal, direction),
                    direction,
                    ..Ray::default()
                }
            })
            .collect();
        for isa in isas() {
            let again = nearest(isa, &tlas, &rays).iter().flatten().count();
            assert_eq!(again, 0, "case {case}, {}", isa.name());
        }
    }
}

#[test]
fn rays_leave_to_the_side_they_go_to() {
    // A closed box seen from its inside: a ray into it must find the far wall, at any distance from
    // the world's origin.
    for centre in [Vec3::ZERO, Vec3::new(1e4, 1e4, -1e4)] {
        let (positions, triangles) = ball(0, 0.0);
        let tlas = Tlas::build(vec![instance(
            &mesh(&positions, &triangles),
            Affine3A::from_translation(centre),
        )]);
        let mut random = Random(6);
        for _ in 0..2000 {
            let primitive = random.below(8) as u32;
            let point = surface_point(&tlas, 0, primitive, 0.3, 0.3, 0.0);
            let direction = {
                let d = random.direction();
                if d.dot(point.normal) > -0.05 {
                    -point.normal
                } else {
                    d
                }
            };
            let origin = offset_origin(point.position, point.error, point.normal, direction);
            let side = (origin - point.position).dot(point.normal);
            assert!(side < 0.0);
            let ray = Ray {
                origin,
                direction,
                ..Ray::default()
            };
            let hit = nearest(Isa::widest(), &tlas, &[ray])[0].expect("the box is closed");
            assert_ne!(hit.primitive, primitive);
        }
    }
}

#[test]
fn a_hit_knows_its_triangle() {
    let mut random = Random(10);
    let instances = scene(&mut random, BuildOptions::default());
    let targets = corners_of(&instances[0].mesh);
    let rays = rays(&mut random, 500, &targets);
    let tlas = Tlas::build(instances);
    for (hit, ray) in nearest(Isa::widest(), &tlas, &rays).iter().zip(&rays) {
        let Some(hit) = hit else { continue };
        let mesh = &tlas.instance(hit.instance).mesh;
        assert_eq!(
            tlas.corners(hit, 0.0),
            mesh.corners(hit.primitive, 0.0),
            "{ray:?}"
        );
    }
}

#[test]
fn surface_points_stay_within_their_error() {
    let mut random = Random(7);
    let (positions, triangles) = soup(&mut random, 200);
    let soup = mesh(&positions, &triangles);
    let pose = Affine3A::from_scale_rotation_translation(
        Vec3::new(2.0, -3.0, 0.1),
        Quat::from_axis_angle(Vec3::new(0.0, 0.6, 0.8), 2.0),
        Vec3::new(100.0, 200.0, -50.0),
    );
    let tlas = Tlas::build(vec![instance(&soup, pose)]);
    for _ in 0..5000 {
        let primitive = random.below(triangles.len()) as u32;
        let (u, v) = (random.unit() * 0.5, random.unit() * 0.5);
        let point = surface_point(&tlas, 0, primitive, u, v, 0.0);
        let [a, b, c] = soup.corners(primitive, 0.0).map(Vec3::as_dvec3);
        let (u, v) = (f64::from(u), f64::from(v));
        let exact = a * (1.0 - u - v) + b * u + c * v;
        let m = pose.matrix3;
        let [x, y, z] = [m.x_axis, m.y_axis, m.z_axis].map(|axis| Vec3::from(axis).as_dvec3());
        let exact =
            x * exact.x + y * exact.y + z * exact.z + Vec3::from(pose.translation).as_dvec3();
        let off = (point.position.as_dvec3() - exact).abs();
        assert!(off.cmple(point.error.as_dvec3()).all(), "{off} {point:?}");
        assert!((point.normal.length() - 1.0).abs() < 1e-6);
    }
}

#[test]
fn a_mirrored_instance_keeps_its_outside() {
    let (positions, triangles) = ball(1, 0.0);
    let pose = Affine3A::from_scale(Vec3::new(-1.0, 2.0, 1.0));
    let tlas = Tlas::build(vec![instance(&mesh(&positions, &triangles), pose)]);
    for primitive in 0..triangles.len() as u32 {
        let point = surface_point(&tlas, 0, primitive, 0.3, 0.3, 0.0);
        assert!(point.normal.dot(point.position) > 0.0);
    }
}

#[test]
fn odd_meshes_build_and_are_walked() {
    let empty = mesh(&[], &[]);
    let degenerate = mesh(&[Vec3::ONE; 3], &vec![[0, 1, 2]; 5000]);
    let tile = [Vec3::ZERO, Vec3::X, Vec3::Y];
    let pile = mesh(&tile, &vec![[0, 1, 2]; 5000]);
    // Each triangle is twice as large as all before: the worst case for a tree's depth.
    let growing: Vec<Vec3> = (0..100)
        .flat_map(|i| tile.map(|p| (p + 0.001) * f32::from_bits((87 + i) << 23)))
        .collect();
    let growing_triangles: Vec<[u32; 3]> =
        (0..100).map(|i| [3 * i, 3 * i + 1, 3 * i + 2]).collect();
    let growing = mesh(&growing, &growing_triangles);
    let flattened = Affine3A::from_scale(Vec3::new(1.0, 1.0, 0.0));
    let tlas = Tlas::build(vec![
        instance(&empty, Affine3A::IDENTITY),
        instance(&degenerate, Affine3A::IDENTITY),
        instance(&pile, flattened),
        instance(&growing, Affine3A::IDENTITY),
        instance(&pile, Affine3A::from_translation(Vec3::Z * 3.0)),
    ]);
    let ray = Ray {
        origin: Vec3::new(0.25, 0.25, -1.0),
        ..Ray::default()
    };
    for isa in isas() {
        let pile_hits = isa.dispatch(NearestOf(&tlas, 4, &[ray]));
        assert_eq!(
            pile_hits[0].map(|hit| (hit.t, hit.primitive)),
            Some((4.0, 0))
        );
        assert!(isa.dispatch(NearestOf(&tlas, 0, &[ray]))[0].is_none());
        assert!(isa.dispatch(NearestOf(&tlas, 1, &[ray]))[0].is_none());
        assert!(isa.dispatch(NearestOf(&tlas, 2, &[ray]))[0].is_none());
        assert!(nearest(isa, &tlas, &[ray])[0].is_some_and(|hit| hit.instance == 3));
    }
    let nothing = Tlas::build(vec![instance(&empty, Affine3A::IDENTITY)]);
    assert!(nothing.bounds().is_none());
    assert!(nearest(Isa::widest(), &nothing, &[ray])[0].is_none());
}

#[test]
fn every_tree_keeps_to_its_stack() {
    let chain: Vec<Bounds> = (0..300)
        .map(|i| {
            let size = f32::from_bits((40 + i / 2) << 23);
            Bounds {
                min: Vec3::ZERO,
                max: Vec3::splat(size),
            }
        })
        .collect();
    for quality in [Quality::Best, Quality::Fast, Quality::Halves] {
        let options = BuildOptions {
            quality,
            leaf_size: 1,
            leaf_cost: 1.0,
        };
        let tree = WideTree::build(&chain, options, 85);
        assert!(tree.stack_need <= 85, "{quality:?}: {}", tree.stack_need);
        let mut items = tree.items.clone();
        items.sort_unstable();
        assert!(items.into_iter().eq(0..300));
    }
}

#[test]
fn the_same_boxes_give_the_same_tree() {
    let mut random = Random(8);
    let (positions, triangles) = soup(&mut random, 2000);
    let [a, b] = [0, 1].map(|_| MeshBvh::build(&positions, &triangles, BuildOptions::default()));
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}

#[test]
fn instruction_sets_are_named() {
    assert_eq!(Isa::from_name("portable"), Ok(Isa::Portable));
    assert_eq!(Isa::from_name(""), Ok(Isa::widest()));
    let error = Isa::from_name("sse9").expect_err("no such thing");
    assert_eq!(error, IsaError::Unknown("sse9".into()));
    assert!(error.to_string().contains("portable, avx2 or avx512"));
    for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_supported()) {
        assert_eq!(Isa::from_name(isa.name()), Err(IsaError::Unsupported(isa)));
    }
}

#[test]
fn poses_between_are_straight() {
    let mut random = Random(9);
    let pose = Pose::Moving {
        open: random_pose(&mut random),
        close: random_pose(&mut random),
    };
    let (Pose::Moving { open, close }, half) = (pose, pose.world_from_object(0.5)) else {
        unreachable!()
    };
    assert_eq!(pose.world_from_object(0.0), open);
    assert_eq!(pose.world_from_object(1.0), close);
    let expected = Mat3A::from_cols(
        (open.matrix3.x_axis + close.matrix3.x_axis) * 0.5,
        (open.matrix3.y_axis + close.matrix3.y_axis) * 0.5,
        (open.matrix3.z_axis + close.matrix3.z_axis) * 0.5,
    );
    assert!(half.matrix3.abs_diff_eq(expected, 1e-6));
    let middle: Vec3A = (open.translation + close.translation) * 0.5;
    assert!(half.translation.abs_diff_eq(middle, 1e-6));
}
