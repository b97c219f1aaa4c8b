//! Where further characters stand.

use glam::Vec3;

use super::performer::{Performer, SweptBox};
use crate::draw::sample::uniform;
use crate::recipe::AvatarRecipe;
use crate::shot::Camera;
use crate::stream::Stream;

/// Free space between the boxes that two characters sweep, metres.
const GAP: f32 = 0.05;
/// Free space that the camera keeps, metres: nearer, somebody would fill the picture.
pub(super) const CAMERA_GAP: f32 = 1.0;
/// Places that are tried for one character.
const TRIES: u32 = 100;

/// Gives every character but the first a place of its own: the middle of what it sweeps is drawn from
/// the recipe's range until it meets nobody and leaves the camera free. Where none is found it stands to
/// the right of all others.
pub(super) fn companions(
    recipe: &AvatarRecipe,
    stream: &dyn Fn(&str) -> Stream,
    cast: &mut [Performer],
    camera: &Camera,
) {
    for index in 1..cast.len() {
        let mut stream = stream(&format!("place/{index}"));
        let (before, rest) = cast.split_at_mut(index);
        let own = &mut rest[0];
        let middle = own.swept.middle();
        let found = (0..TRIES).find_map(|_| {
            let wanted = Vec3::new(
                uniform(&mut stream, recipe.range_companion_x),
                uniform(&mut stream, recipe.range_companion_y),
                middle.z,
            );
            let by = wanted - middle;
            let there = own.swept.moved(by);
            let is_free = before.iter().all(|other| !there.meets(&other.swept, GAP))
                && leaves_free(&there, camera, CAMERA_GAP);
            is_free.then_some(by)
        });
        let by = found.unwrap_or_else(|| {
            let right = before
                .iter()
                .map(|other| other.swept.high.x)
                .fold(f32::NEG_INFINITY, f32::max);
            let x = right + 2.0 * GAP - own.swept.low.x;
            Vec3::new(x, -middle.y, 0.0)
        });
        own.move_by(by);
    }
}

/// Is the camera at least `gap` metres from a box, wherever it goes?
pub(super) fn leaves_free(there: &SweptBox, camera: &Camera, gap: f32) -> bool {
    camera.pose.values().iter().all(|pose| {
        let eye = SweptBox {
            low: pose.position,
            high: pose.position,
        };
        !there.meets(&eye, gap)
    })
}
