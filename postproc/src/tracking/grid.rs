//! The query grid of the public tools.

use glam::DVec2;

/// The canvas that SpaTracker stretches every picture to, pixels.
const CANVAS: [f64; 2] = [576.0, 384.0];
/// Margin on all sides of that canvas, pixels (576 // 64).
const MARGIN: f64 = 9.0;

/// `grid_size`² positions in pixels of a picture of `resolution`, row by row: on the 576×384 canvas
/// x_j = 9 + j/(g − 1)·(576 − 18) and y_i = 9 + i/(g − 1)·(384 − 18), stretched to the picture. At
/// 720×480 that is 11.25 … 708.75 by 11.25 … 468.75. A grid of one point is the middle.
pub fn query_grid(resolution: [u32; 2], grid_size: u32) -> Vec<DVec2> {
    let at = |axis: usize, index: u32| {
        let share = if grid_size > 1 {
            f64::from(index) / f64::from(grid_size - 1)
        } else {
            0.5
        };
        let on_canvas = MARGIN + share * (CANVAS[axis] - 2.0 * MARGIN);
        on_canvas * f64::from(resolution[axis]) / CANVAS[axis]
    };
    (0..grid_size)
        .flat_map(|row| (0..grid_size).map(move |column| DVec2::new(at(0, column), at(1, row))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_that_of_the_public_tools_at_720_by_480() {
        let grid = query_grid([720, 480], 70);
        assert_eq!(grid.len(), 4900);
        assert_eq!(grid[0], DVec2::splat(11.25));
        assert!(grid[4899].distance(DVec2::new(708.75, 468.75)) < 1e-9);
        assert!((grid[1].x - grid[0].x - 10.109).abs() < 1e-3, "x goes fast");
        assert!((grid[70].y - grid[0].y - 6.630).abs() < 1e-3);
        assert_eq!(query_grid([64, 64], 1), [DVec2::splat(32.0)]);
    }
}
