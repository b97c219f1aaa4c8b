//! Geometry drawn from a stream.

use glam::{Mat3, Quat, Vec3};

use crate::stream::Stream;

/// A point uniform in the volume of the upper half shell between two radii, z ≥ `floor`.
///
/// By rejection from a box, as the original does; the box is at most 100 times the shell for any
/// shell thicker than a hundredth of its radius, and thinner shells get their outer surface.
pub(super) fn half_shell(stream: &mut Stream, [inner, outer]: [f64; 2], floor: f64) -> Vec3 {
    if outer <= floor {
        return Vec3::new(0.0, 0.0, floor as f32);
    }
    for _ in 0..100_000 {
        let point = [
            stream.range(-outer, outer),
            stream.range(-outer, outer),
            stream.range(floor, outer),
        ];
        let radius = point.iter().map(|v| v * v).sum::<f64>().sqrt();
        if radius >= inner && radius <= outer {
            return Vec3::from_array(point.map(|v| v as f32));
        }
    }
    let up = direction(stream);
    Vec3::new(up.x, up.y, up.z.abs()) * outer as f32
}

/// A direction uniform on the sphere.
pub(super) fn direction(stream: &mut Stream) -> Vec3 {
    let z = stream.range(-1.0, 1.0);
    let angle = stream.range(0.0, core::f64::consts::TAU);
    let radius = (1.0 - z * z).max(0.0).sqrt();
    Vec3::new(
        (radius * libm::cos(angle)) as f32,
        (radius * libm::sin(angle)) as f32,
        z as f32,
    )
}

/// A rotation uniform over all rotations (Shoemake 1992).
pub(crate) fn rotation(stream: &mut Stream) -> Quat {
    let share = stream.unit();
    let first = stream.range(0.0, core::f64::consts::TAU);
    let second = stream.range(0.0, core::f64::consts::TAU);
    let (a, b) = ((1.0 - share).sqrt(), share.sqrt());
    Quat::from_xyzw(
        (a * libm::sin(first)) as f32,
        (a * libm::cos(first)) as f32,
        (b * libm::sin(second)) as f32,
        (b * libm::cos(second)) as f32,
    )
    .normalize()
}

/// A uniform value of a recipe's range.
pub(crate) fn uniform(stream: &mut Stream, [low, high]: [f64; 2]) -> f32 {
    stream.range(low, high) as f32
}

/// The rotation of something at `eye` that looks along −Z at `target`, +Y as far up as it can be.
pub(crate) fn look_at(eye: Vec3, target: Vec3) -> Quat {
    let back = (eye - target).try_normalize().unwrap_or(Vec3::Y);
    let right = Vec3::Z.cross(back).try_normalize().unwrap_or(Vec3::X);
    Quat::from_mat3(&Mat3::from_cols(right, back.cross(right), back)).normalize()
}

/// The direction of an azimuth (from +X towards +Y) and elevation, radians.
pub(super) fn direction_at(azimuth: f64, elevation: f64) -> Vec3 {
    Vec3::new(
        (libm::cos(elevation) * libm::cos(azimuth)) as f32,
        (libm::cos(elevation) * libm::sin(azimuth)) as f32,
        libm::sin(elevation) as f32,
    )
    .try_normalize()
    .unwrap_or(Vec3::Z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_shells_are_filled_by_volume() {
        let mut stream = Stream::new(1, "sample", "shell");
        let points: Vec<Vec3> = (0..4000)
            .map(|_| half_shell(&mut stream, [5.0, 15.0], 0.1))
            .collect();
        let mut distances: Vec<f32> = points.iter().map(|p| p.length()).collect();
        distances.sort_by(f32::total_cmp);
        assert!(distances[0] >= 5.0 && distances[3999] <= 15.0);
        // The median of the volume between 5 and 15: cbrt((5³ + 15³) / 2).
        assert!(
            (distances[2000] - 12.05).abs() < 0.15,
            "{}",
            distances[2000]
        );
        assert!(points.iter().all(|p| p.z >= 0.1));
    }

    #[test]
    fn rotations_turn_any_axis_everywhere_alike() {
        let mut stream = Stream::new(1, "sample", "rotation");
        let mean = (0..4000).fold(Vec3::ZERO, |sum, _| sum + rotation(&mut stream) * Vec3::X);
        assert!((mean / 4000.0).length() < 0.05);
    }

    #[test]
    fn looking_puts_the_target_on_the_negative_z_axis_and_keeps_the_horizon() {
        let (eye, target) = (Vec3::new(3.0, -4.0, 5.0), Vec3::new(0.5, 0.0, 1.0));
        let turn = look_at(eye, target);
        let ahead = turn * Vec3::NEG_Z;
        assert!((ahead - (target - eye).try_normalize().unwrap()).length() < 1e-5);
        assert!((turn * Vec3::X).z.abs() < 1e-5 && (turn * Vec3::Y).z > 0.0);
        assert!(look_at(Vec3::Z, Vec3::ZERO).is_normalized());
    }
}
