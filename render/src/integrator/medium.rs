//! Which absorbing insides a path is in.

use glam::Vec3;

use crate::kernels::math::exp;

/// Insides that can be nested or overlap before the oldest is forgotten.
const DEPTH: usize = 4;

/// The objects a path is inside of, with their absorption. Overlapping insides add up.
#[derive(Debug, Clone, Copy, Default)]
pub struct MediumStack {
    entries: [(u32, Vec3); DEPTH],
    count: usize,
}

impl MediumStack {
    /// Goes into object `id`.
    pub fn enter(&mut self, id: u32, absorption: Vec3) {
        if self.count == DEPTH {
            self.entries.copy_within(1.., 0);
            self.count -= 1;
        }
        self.entries[self.count] = (id, absorption);
        self.count += 1;
    }

    /// Comes out of object `id`; nothing happens when the path was not inside (the camera was).
    pub fn leave(&mut self, id: u32) {
        if let Some(at) = self.entries[..self.count]
            .iter()
            .rposition(|(inside, _)| *inside == id)
        {
            self.entries.copy_within(at + 1..self.count, at);
            self.count -= 1;
        }
    }

    /// Share of light left after `distance` metres.
    #[inline(always)]
    pub fn transmittance(&self, distance: f32) -> Vec3 {
        if self.count == 0 {
            return Vec3::ONE;
        }
        let mut sigma = Vec3::ZERO;
        for (_, absorption) in &self.entries[..self.count] {
            sigma += *absorption;
        }
        if sigma == Vec3::ZERO {
            return Vec3::ONE;
        }
        let depth = |s: f32| if s > 0.0 { exp(-s * distance) } else { 1.0 };
        Vec3::new(depth(sigma.x), depth(sigma.y), depth(sigma.z))
    }
}
