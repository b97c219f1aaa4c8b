//! A photographer's studio: softboxes in a dark-grey room.

use core::f32::consts::{FRAC_PI_2, PI};

use glam::Vec3;

use crate::{EnvironmentMap, Image, Pixels};

use super::noise::{hash, range, smooth_step, unit};
use super::panorama::{HEIGHT, WIDTH, fill_panorama};

/// A glowing rectangle that faces the middle of the room.
struct Softbox {
    /// Middle, metres from the eye.
    centre: Vec3,
    right: Vec3,
    up: Vec3,
    half_width: f32,
    half_height: f32,
    /// W/(m²·sr).
    radiance: Vec3,
}

impl Softbox {
    /// `azimuth` counter-clockwise from +X, both angles in radians.
    fn new(azimuth: f32, elevation: f32, distance: f32, size: [f32; 2], radiance: Vec3) -> Self {
        let (level, climb) = (libm::cosf(elevation), libm::sinf(elevation));
        let forward = Vec3::new(
            level * libm::cosf(azimuth),
            level * libm::sinf(azimuth),
            climb,
        );
        let right = forward.cross(Vec3::Z).normalize_or(Vec3::X);
        Self {
            centre: forward * distance,
            right,
            up: right.cross(forward),
            half_width: size[0] * 0.5,
            half_height: size[1] * 0.5,
            radiance,
        }
    }

    fn seen(&self, direction: Vec3) -> Vec3 {
        let distance = self.centre.length();
        let towards = direction.dot(self.centre) / distance;
        if towards <= 0.0 {
            return Vec3::ZERO;
        }
        let hit = direction * (distance / towards) - self.centre;
        let x = hit.dot(self.right) / self.half_width;
        let y = hit.dot(self.up) / self.half_height;
        // The cloth is brightest before the lamp and fades at the frame.
        let edge = |t: f32, half: f32| smooth_step(1.0, 1.0 - 0.05 / half, t.abs());
        let lamp = 1.0 - 0.18 * (x * x + y * y).min(2.0);
        self.radiance * (edge(x, self.half_width) * edge(y, self.half_height) * lamp)
    }
}

/// Softboxes of a seed: a key light, usually a fill and a rim light, sometimes one overhead.
fn softboxes(seed: u32) -> Vec<Softbox> {
    let stream = hash(u64::from(seed), 0, 0, 41);
    let draw = |label: u32, low: f32, high: f32| range(hash(stream, 0, 0, label), low, high);
    // Colour temperature: warm lamps to daylight tubes.
    let white = |label: u32| {
        let warm = draw(label, -0.10, 0.12);
        Vec3::new(1.0 + warm, 1.0, 1.0 - 1.3 * warm)
    };
    let side = if unit(hash(stream, 0, 0, 1)) < 0.5 {
        1.0
    } else {
        -1.0
    };
    let key_azimuth = draw(2, -PI, PI);
    let mut boxes = vec![Softbox::new(
        key_azimuth,
        draw(3, 0.45, 0.85),
        3.0,
        [draw(4, 1.4, 2.2), draw(5, 1.2, 1.8)],
        white(6) * draw(7, 9.0, 15.0),
    )];
    if is_bright(seed) {
        boxes.push(Softbox::new(
            key_azimuth + side * draw(8, 1.4, 2.1),
            draw(9, 0.2, 0.5),
            3.5,
            [draw(10, 1.8, 2.6), draw(11, 1.6, 2.2)],
            white(12) * draw(13, 2.0, 4.5),
        ));
        boxes.push(Softbox::new(
            key_azimuth + side * draw(14, 3.0, 3.9),
            draw(15, 0.3, 0.7),
            3.2,
            [draw(16, 0.35, 0.6), draw(17, 1.8, 2.4)],
            white(18) * draw(19, 6.0, 12.0),
        ));
    }
    if unit(hash(stream, 0, 0, 20)) < 0.6 {
        boxes.push(Softbox::new(
            key_azimuth,
            FRAC_PI_2,
            2.4,
            [draw(21, 1.2, 2.0), draw(22, 1.2, 2.0)],
            white(23) * draw(24, 3.0, 7.0),
        ));
    }
    boxes
}

fn is_bright(seed: u32) -> bool {
    unit(hash(u64::from(seed), 0, 0, 42)) < 0.7
}

/// What to call it, without article.
pub(super) fn noun(seed: u32) -> &'static str {
    if is_bright(seed) {
        "bright studio"
    } else {
        "dim studio"
    }
}

/// Radiance of the empty room: grey walls, lighter towards the floor that the lamps light.
fn room(direction: Vec3, level: f32) -> Vec3 {
    // Height on the wall of a round room of 4 m radius, eye 1.2 m above the floor, ceiling at 4 m.
    let across = (direction.x * direction.x + direction.y * direction.y).sqrt();
    let height = 4.0 * direction.z / across.max(1e-3);
    let wall = 0.75 + 0.35 * smooth_step(1.5, -1.2, height);
    let floor = smooth_step(-1.1, -1.3, height);
    let ceiling = smooth_step(2.7, 2.9, height);
    let value = wall + (1.25 - wall) * floor + (0.55 - wall) * ceiling;
    Vec3::new(1.0, 0.99, 0.97) * (value * level)
}

/// The studio of a seed.
pub(super) fn studio(seed: u32) -> EnvironmentMap {
    let boxes = softboxes(seed);
    let level = if is_bright(seed) { 0.16 } else { 0.07 };
    let pixels = fill_panorama(3, |direction| {
        let direction = Vec3::from(direction);
        boxes
            .iter()
            .fold(room(direction, level), |sum, softbox| {
                sum + softbox.seen(direction)
            })
            .into()
    });
    EnvironmentMap {
        image: Image {
            name: format!("studio {seed}"),
            width: WIDTH,
            height: HEIGHT,
            pixels: Pixels::RgbF32(pixels),
        },
        sun: None,
        description: format!("a {}", noun(seed)),
        night: false,
    }
}
