//! Rays per second through the two-level tree, in the loop of Embree's yardstick (embree_rays.cpp):
//! primary rays, three cosine bounces, one sun ray per hit.
//!
//! `cargo bench --bench rays -- five_suzannes.bin [portable|avx2|avx512]`, the file as five_suzannes.py
//! writes it: u32 vertices, u32 faces, f32 positions, u32 corners, glTF axes. Mean radiance must
//! be Embree's, 0.9248.

#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]

use std::{sync::Arc, time::Instant};

use diorama_render::accel::{
    BuildOptions, Hit, Instance, Isa, Kernel, MeshBvh, Pose, Ray, Simd8, Tlas,
};
use glam::{Affine3A, Quat, Vec3};
use rayon::prelude::*;

const WIDTH: u32 = 512;
const HEIGHT: u32 = 512;
const SAMPLES: u32 = 8;
const REPEATS: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    let Some(path) = arguments.next() else {
        println!("usage: rays MESH.bin [portable|avx2|avx512]");
        return;
    };
    let isa = match arguments.next() {
        Some(name) => Isa::from_name(&name),
        None => Isa::detect(),
    };
    let isa = isa.unwrap_or_else(|error| panic!("{error}"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (positions, triangles) = read(&bytes);
    let start = Instant::now();
    let whole = MeshBvh::build(&positions, &triangles, BuildOptions::default());
    let built = start.elapsed().as_secs_f64();
    println!(
        "{} triangles, tree built in {built:.2} s, {}, {} threads",
        triangles.len(),
        isa.name(),
        rayon::current_num_threads()
    );
    let parts = split(&positions, &triangles);
    let scenes = [
        ("one instance", vec![still(whole, Affine3A::IDENTITY)]),
        (
            "an instance per object",
            parts
                .iter()
                .map(|(p, t)| {
                    still(
                        MeshBvh::build(p, t, BuildOptions::default()),
                        Affine3A::IDENTITY,
                    )
                })
                .collect(),
        ),
        (
            "an instance per object, posed",
            parts.iter().map(|(p, t)| posed(p, t)).collect(),
        ),
    ];
    for (name, instances) in scenes {
        let count = instances.len();
        let tlas = Tlas::build(instances);
        let mut rates = Vec::new();
        let mut mean = 0.0;
        for _ in 0..REPEATS {
            let start = Instant::now();
            let (rays, sum) = (0..HEIGHT)
                .into_par_iter()
                .with_max_len(8)
                .map(|y| isa.dispatch(Row { tlas: &tlas, y }))
                .reduce(|| (0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
            rates.push(rays as f64 / start.elapsed().as_secs_f64() / 1e6);
            mean = sum / f64::from(WIDTH * HEIGHT * SAMPLES);
        }
        rates.sort_by(f64::total_cmp);
        println!(
            "{:6.2} Mrays/s, mean radiance {mean:.4}: {name} ({count})",
            rates[REPEATS / 2]
        );
    }
}

type Part = (Vec<Vec3>, Vec<[u32; 3]>);

fn read(bytes: &[u8]) -> Part {
    let word = |i: usize| {
        [
            bytes[4 * i],
            bytes[4 * i + 1],
            bytes[4 * i + 2],
            bytes[4 * i + 3],
        ]
    };
    let vertices = u32::from_le_bytes(word(0)) as usize;
    let faces = u32::from_le_bytes(word(1)) as usize;
    let float = |i: usize| f32::from_le_bytes(word(i));
    let index = |i: usize| u32::from_le_bytes(word(i));
    let positions = (0..vertices)
        .map(|v| 2 + 3 * v)
        .map(|i| Vec3::new(float(i), float(i + 1), float(i + 2)))
        .collect();
    let triangles = (0..faces)
        .map(|f| 2 + 3 * vertices + 3 * f)
        .map(|i| [index(i), index(i + 1), index(i + 2)])
        .collect();
    (positions, triangles)
}

/// The plane (four vertices, first) and the Suzannes (equal shares of the rest).
fn split(positions: &[Vec3], triangles: &[[u32; 3]]) -> Vec<Part> {
    let share = (positions.len() - 4) / 5;
    let object = |vertex: u32| match vertex as usize {
        0..4 => 0,
        v => 1 + (v - 4) / share,
    };
    let mut parts: Vec<Part> = (0..6)
        .map(|i| match i {
            0 => positions[..4].to_vec(),
            _ => positions[4 + (i - 1) * share..4 + i * share].to_vec(),
        })
        .map(|positions| (positions, Vec::new()))
        .collect();
    for triangle in triangles {
        let owner = object(triangle[0]);
        assert!(triangle.iter().all(|v| object(*v) == owner));
        let first = if owner == 0 {
            0
        } else {
            4 + (owner - 1) * share
        };
        parts[owner].1.push(triangle.map(|v| v - first as u32));
    }
    parts
}

fn still(mesh: MeshBvh, pose: Affine3A) -> Instance {
    Instance {
        mesh: Arc::new(mesh),
        pose: Pose::Still(pose),
        worlds: 1,
        needs_filter: false,
    }
}

/// The same object, turned, scaled and moved in object space and back by its pose.
fn posed(positions: &[Vec3], triangles: &[[u32; 3]]) -> Instance {
    let pose = Affine3A::from_scale_rotation_translation(
        Vec3::splat(1.5),
        Quat::from_xyzw(0.1, 0.3, -0.2, 0.9).normalize(),
        Vec3::new(1.0, 2.0, -3.0),
    );
    let back = pose.inverse();
    let positions: Vec<Vec3> = positions
        .iter()
        .map(|p| back.transform_point3(*p))
        .collect();
    still(
        MeshBvh::build(&positions, triangles, BuildOptions::default()),
        pose,
    )
}

struct Row<'a> {
    tlas: &'a Tlas,
    y: u32,
}

fn unit(v: Vec3) -> Vec3 {
    v * (1.0 / v.dot(v).sqrt())
}

impl Kernel for Row<'_> {
    type Output = (u64, f64);

    #[inline(always)]
    #[expect(
        clippy::disallowed_methods,
        reason = "the yardstick's own loop; nothing is stored"
    )]
    fn run<S: Simd8>(self, simd: S) -> (u64, f64) {
        let eye = Vec3::new(9.0, 5.0, 9.0);
        let sun = unit(Vec3::new(0.4, 0.8, 0.3));
        let back = unit(eye - Vec3::Y);
        let right = unit(Vec3::Y.cross(back));
        let up = back.cross(right);
        let half = 0.38_f32.tan();
        let (mut rays, mut sum) = (0, 0.0);
        let y = self.y;
        for x in 0..WIDTH {
            for sample in 0..SAMPLES {
                let mut state =
                    ((y * WIDTH + x) * SAMPLES + sample).wrapping_mul(9781) ^ 0x123_4567;
                let mut next = || {
                    let s = state;
                    state = s.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
                    let w = ((s >> ((s >> 28) + 4)) ^ s).wrapping_mul(277_803_737);
                    (((w >> 22) ^ w) >> 8) as f32 / 16_777_216.0
                };
                next();
                let sx = ((x as f32 + next()) / WIDTH as f32 * 2.0 - 1.0) * half;
                let sy = (1.0 - (y as f32 + next()) / HEIGHT as f32 * 2.0) * half;
                let mut ray = Ray {
                    origin: eye,
                    direction: unit(right * sx + up * sy - back),
                    t_min: 1e-3,
                    ..Ray::default()
                };
                let (mut throughput, mut radiance) = (1.0, 0.0);
                for _ in 0..4 {
                    rays += 1;
                    let Some(hit) = self.tlas.intersect(simd, &ray, |_| true) else {
                        radiance += throughput * (0.5 + 0.5 * ray.direction.y);
                        break;
                    };
                    let mut normal = self.normal(&hit);
                    if normal.dot(ray.direction) > 0.0 {
                        normal = -normal;
                    }
                    ray.origin += ray.direction * hit.t;
                    throughput *= 0.7;
                    let cosine = normal.dot(sun);
                    if cosine > 0.0 {
                        rays += 1;
                        let shadow = Ray {
                            direction: sun,
                            ..ray
                        };
                        if self.tlas.blocked_worlds(simd, &shadow, |_| true) == 0 {
                            radiance += throughput * cosine;
                        }
                    }
                    let (u, v) = (next(), next());
                    let z = 1.0 - 2.0 * u;
                    let r = (1.0 - z * z).max(0.0).sqrt();
                    let phi = std::f32::consts::TAU * v;
                    ray.direction =
                        unit(normal + Vec3::new(r * phi.cos(), r * phi.sin(), z) * 0.999);
                }
                sum += f64::from(radiance);
            }
        }
        (rays, sum)
    }
}

impl Row<'_> {
    #[inline(always)]
    fn normal(&self, hit: &Hit) -> Vec3 {
        let [a, b, c] = self.tlas.corners(hit, 0.0);
        let normal = (b - a).cross(c - a);
        let pose = self.tlas.instance(hit.instance).pose.world_from_object(0.0);
        unit(pose.transform_vector3(normal))
    }
}
