//! Camera rays and the pixel filter.

use glam::{Vec2, Vec3};

use super::math::TWO_PI;
use super::sampling::concentric_disc;

/// Width of the Blackman–Harris window, pixels: Blender's filter size of 1.5 is half of it.
pub const FILTER_WIDTH: f32 = 3.0;
/// Entries of the inverted filter table.
pub(crate) const FILTER_TABLE: usize = 1024;

/// A perspective camera at one instant, in world space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraFrame {
    /// Position, metres.
    pub origin: Vec3,
    /// World direction of camera +X.
    pub right: Vec3,
    /// World direction of camera +Y.
    pub up: Vec3,
    /// World direction of camera −Z: where it looks.
    pub forward: Vec3,
    /// Half the sensor width divided by the focal length.
    pub tan_half_width: f32,
    /// Principal point shift in units of image width.
    pub shift: [f32; 2],
    /// Aperture radius, metres; 0: pinhole.
    pub aperture_radius: f32,
    /// Distance of the plane in focus along the axis, metres.
    pub focus_distance: f32,
    /// Pixels.
    pub width: f32,
    /// Pixels.
    pub height: f32,
}

impl CameraFrame {
    /// Direction with unit z component through image position (pixels from the top-left corner).
    #[inline(always)]
    pub fn direction_through(&self, position: Vec2) -> Vec3 {
        // The sensor width spans the image width; square pixels.
        let scale = 2.0 * self.tan_half_width / self.width;
        let x = (position.x - 0.5 * self.width) * scale + self.shift[0] * 2.0 * self.tan_half_width;
        let y =
            (0.5 * self.height - position.y) * scale + self.shift[1] * 2.0 * self.tan_half_width;
        self.right * x + self.up * y + self.forward
    }

    /// Ray origin and unit direction through `position`, from `lens` uniform in [0, 1)².
    #[inline(always)]
    pub fn ray(&self, position: Vec2, lens: [f32; 2]) -> (Vec3, Vec3) {
        let direction = self.direction_through(position);
        if self.aperture_radius <= 0.0 {
            return (self.origin, direction.normalize_or(self.forward));
        }
        let [x, y] = concentric_disc(lens);
        let on_lens =
            self.right * (x * self.aperture_radius) + self.up * (y * self.aperture_radius);
        let focus = direction * self.focus_distance;
        (
            self.origin + on_lens,
            (focus - on_lens).normalize_or(self.forward),
        )
    }

    /// Image position (pixels) and depth along the axis (metres) of a world point; depth ≤ 0: behind.
    #[inline(always)]
    pub fn project(&self, point: Vec3) -> (Vec2, f32) {
        let v = point - self.origin;
        let position = self.project_direction(v);
        (position, v.dot(self.forward))
    }

    /// Image position of a point at infinity in direction `v`; NaN when behind.
    #[inline(always)]
    pub fn project_direction(&self, v: Vec3) -> Vec2 {
        let depth = v.dot(self.forward);
        if depth <= 0.0 {
            return Vec2::NAN;
        }
        let scale = self.width / (2.0 * self.tan_half_width);
        Vec2::new(
            (v.dot(self.right) / depth - self.shift[0] * 2.0 * self.tan_half_width) * scale
                + 0.5 * self.width,
            0.5 * self.height
                - (v.dot(self.up) / depth - self.shift[1] * 2.0 * self.tan_half_width) * scale,
        )
    }
}

/// Inverted cumulative distribution of the one-dimensional Blackman–Harris window: importance
/// sampling makes every sample weigh one and touch one pixel only.
#[derive(Debug)]
pub struct FilterTable {
    inverse: Vec<f32>,
}

impl FilterTable {
    /// Integrates and inverts the window.
    pub fn blackman_harris() -> Self {
        const FINE: usize = 4096;
        let window = |x: f32| {
            // x in [0, 1] across the window; four-term Blackman–Harris, all terms positive overall.
            let phase = |k: f32| super::math::sin_cos(TWO_PI * k * x).1;
            0.35875 - 0.48829 * phase(1.0) + 0.14128 * phase(2.0) - 0.01168 * phase(3.0)
        };
        let mut cumulative = vec![0f64; FINE + 1];
        for i in 0..FINE {
            cumulative[i + 1] = cumulative[i] + f64::from(window((i as f32 + 0.5) / FINE as f32));
        }
        let total = cumulative[FINE];
        let mut inverse = Vec::with_capacity(FILTER_TABLE + 1);
        let mut j = 0;
        for i in 0..=FILTER_TABLE {
            let target = total * i as f64 / FILTER_TABLE as f64;
            while j + 1 < FINE && cumulative[j + 1] < target {
                j += 1;
            }
            let t = (target - cumulative[j]) / (cumulative[j + 1] - cumulative[j]).max(1e-12);
            let x = (j as f64 + t.clamp(0.0, 1.0)) / FINE as f64;
            inverse.push((x as f32 - 0.5) * FILTER_WIDTH);
        }
        Self { inverse }
    }

    /// The table: offsets at equal steps of the number drawn.
    pub(crate) fn inverse(&self) -> &[f32] {
        &self.inverse
    }

    /// Offset from the pixel centre, pixels, within ±[`FILTER_WIDTH`]/2.
    #[inline(always)]
    pub fn offset(&self, u: f32) -> f32 {
        let scaled = u * FILTER_TABLE as f32;
        let i = (scaled as usize).min(FILTER_TABLE - 1);
        let t = scaled - i as f32;
        self.inverse[i] * (1.0 - t) + self.inverse[i + 1] * t
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projection_inverts_the_camera_ray() {
        let camera = CameraFrame {
            origin: Vec3::new(1.0, 2.0, 3.0),
            right: Vec3::X,
            up: Vec3::Z,
            forward: Vec3::Y,
            tan_half_width: 0.4,
            shift: [0.1, -0.05],
            aperture_radius: 0.0,
            focus_distance: 5.0,
            width: 320.0,
            height: 180.0,
        };
        for position in [
            Vec2::new(0.5, 0.5),
            Vec2::new(200.25, 17.0),
            Vec2::new(319.0, 179.0),
        ] {
            let (origin, direction) = camera.ray(position, [0.3, 0.9]);
            let (found, depth) = camera.project(origin + direction * 7.0);
            assert!((found - position).length() < 1e-3 && depth > 0.0);
        }
    }

    #[test]
    fn filter_offsets_are_symmetric_and_inside_the_window() {
        let table = FilterTable::blackman_harris();
        for i in 0..=100 {
            let u = i as f32 / 100.0;
            let offset = table.offset(u);
            assert!(offset.abs() <= FILTER_WIDTH / 2.0);
            if (2..=98).contains(&i) {
                assert!((offset + table.offset(1.0 - u)).abs() < 2e-3);
            }
        }
        // The offsets have the window's own second moment.
        let n = 20_000;
        let at = |i: i32| (f64::from(i) + 0.5) / f64::from(n);
        let window = |x: f64| {
            let phase = |k: f64| libm::cos(std::f64::consts::TAU * k * x);
            0.35875 - 0.48829 * phase(1.0) + 0.14128 * phase(2.0) - 0.01168 * phase(3.0)
        };
        let mass: f64 = (0..n).map(|i| window(at(i))).sum();
        let moment: f64 = (0..n)
            .map(|i| window(at(i)) * (at(i) - 0.5) * (at(i) - 0.5))
            .sum::<f64>()
            / mass;
        let ours: f64 = (0..n)
            .map(|i| f64::from(table.offset(at(i) as f32) / FILTER_WIDTH))
            .map(|x| x * x)
            .sum::<f64>()
            / f64::from(n);
        assert!((ours / moment - 1.0).abs() < 0.01, "{ours} {moment}");
    }
}
