//! Convex hulls with exact predicates.
//!
//! Points are rounded to an integer grid and every side test is an exact integer determinant, so the
//! hull never depends on rounding, an instruction set or a libm (parry's own hull starts from an
//! eigen-decomposition that calls the system's `acos` and `cos`).

use std::collections::BTreeMap;

use glam::Vec3;

/// Grid cells along the longest side of the point cloud.
const GRID: f64 = (1u32 << 20) as f64;
/// Clouds with more points keep only the extremes of this many directions: at 1,024 the loss on a
/// sphere of radius r is below 0.003 r.
const MAX_POINTS: usize = 1024;
/// Half thickness given to flat, straight or single-point clouds, as a share of their longest side.
const INFLATION: f32 = 1.0e-3;
/// The same in metres for clouds without any size.
const SMALLEST_INFLATION: f32 = 1.0e-4;

/// A closed convex surface; triangles are counter-clockwise seen from outside.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hull {
    /// Corners, a subset of the given points (or of their inflation).
    pub(super) vertices: Vec<Vec3>,
    /// Indices into `vertices`.
    pub(super) triangles: Vec<[u32; 3]>,
}

/// The convex hull of `points`. A cloud without volume is given a thickness of a thousandth of its
/// size. `None` when there is no point, or one that is not finite.
pub(super) fn convex_hull(points: &[Vec3]) -> Option<Hull> {
    if points.is_empty() || points.iter().any(|p| !p.is_finite()) {
        return None;
    }
    let reduced;
    let points = if points.len() > MAX_POINTS {
        reduced = extremes(points);
        &reduced
    } else {
        points
    };
    if let Some(hull) = hull_of_cloud(points) {
        return Some(hull);
    }
    let (low, high) = bounds(points);
    let thickness = ((high - low).max_element() * INFLATION).max(SMALLEST_INFLATION);
    let inflated: Vec<Vec3> = points
        .iter()
        .flat_map(|p| {
            [Vec3::X, Vec3::Y, Vec3::Z]
                .into_iter()
                .flat_map(move |axis| [*p + axis * thickness, *p - axis * thickness])
        })
        .collect();
    hull_of_cloud(&inflated)
}

fn bounds(points: &[Vec3]) -> (Vec3, Vec3) {
    points
        .iter()
        .fold((points[0], points[0]), |(low, high), p| {
            (low.min(*p), high.max(*p))
        })
}

/// The farthest point in each of `MAX_POINTS` directions of a Fibonacci sphere, each once, in the
/// order of `points`.
fn extremes(points: &[Vec3]) -> Vec<Vec3> {
    let golden_angle = core::f64::consts::PI * (3.0 - 5.0f64.sqrt());
    let mut keep = vec![false; points.len()];
    for i in 0..MAX_POINTS {
        let z = 1.0 - (2.0 * i as f64 + 1.0) / MAX_POINTS as f64;
        let radius = (1.0 - z * z).sqrt();
        let angle = golden_angle * i as f64;
        let direction = Vec3::new(
            (radius * libm::cos(angle)) as f32,
            (radius * libm::sin(angle)) as f32,
            z as f32,
        );
        let mut best = (0, f32::NEG_INFINITY);
        for (index, point) in points.iter().enumerate() {
            let reach = point.dot(direction);
            if reach > best.1 {
                best = (index, reach);
            }
        }
        keep[best.0] = true;
    }
    points
        .iter()
        .zip(keep)
        .filter_map(|(p, keep)| keep.then_some(*p))
        .collect()
}

type Grid = [i64; 3];

fn difference(a: Grid, b: Grid) -> Grid {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn cross(a: Grid, b: Grid) -> Grid {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn dot(a: Grid, b: Grid) -> i128 {
    (0..3).map(|k| i128::from(a[k]) * i128::from(b[k])).sum()
}

struct Face {
    corners: [u32; 3],
    /// Outward normal (not unit) and its product with a corner.
    normal: Grid,
    offset: i128,
    alive: bool,
}

impl Face {
    fn new(corners: [u32; 3], grid: &[Grid]) -> Self {
        let [a, b, c] = corners.map(|i| grid[i as usize]);
        let normal = cross(difference(b, a), difference(c, a));
        Self {
            corners,
            normal,
            offset: dot(normal, a),
            alive: true,
        }
    }

    /// Is `point` strictly outside? Points in the plane are not, which keeps slivers out.
    fn sees(&self, point: Grid) -> bool {
        dot(self.normal, point) > self.offset
    }
}

/// Four grid points that span a volume.
fn first_tetrahedron(grid: &[Grid]) -> Option<[u32; 4]> {
    let farthest = |measure: &dyn Fn(Grid) -> i128| -> Option<u32> {
        let mut best = (None, 0);
        for (index, point) in grid.iter().enumerate() {
            let value = measure(*point);
            if value > best.1 {
                best = (Some(index as u32), value);
            }
        }
        best.0
    };
    let a = grid[0];
    let b_index = farthest(&|p| dot(difference(p, a), difference(p, a)))?;
    let ab = difference(grid[b_index as usize], a);
    let c_index = farthest(&|p| {
        let area = cross(ab, difference(p, a));
        dot(area, area)
    })?;
    let normal = cross(ab, difference(grid[c_index as usize], a));
    let d_index = farthest(&|p| dot(normal, difference(p, a)).abs())?;
    Some([0, b_index, c_index, d_index])
}

/// Incremental hull; `None` when the rounded cloud has no volume.
fn hull_of_cloud(points: &[Vec3]) -> Option<Hull> {
    let (low, high) = bounds(points);
    let extent = f64::from((high - low).max_element());
    if extent <= 0.0 || !extent.is_finite() {
        return None;
    }
    // One point per grid cell, the first given; the order of cells is the order of insertion.
    let mut cells = BTreeMap::new();
    for (index, point) in points.iter().enumerate() {
        let cell = (*point - low)
            .to_array()
            .map(|v| (f64::from(v) / extent * GRID).round() as i64);
        cells.entry(cell).or_insert(index);
    }
    let grid: Vec<Grid> = cells.keys().copied().collect();
    let source: Vec<usize> = cells.values().copied().collect();

    let [a, b, c, d] = first_tetrahedron(&grid)?;
    let mut faces: Vec<Face> = Vec::new();
    // Which face has the directed edge; looked up only, never walked.
    let mut face_of_edge: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    let add = |corners: [u32; 3],
               faces: &mut Vec<Face>,
               face_of_edge: &mut BTreeMap<(u32, u32), usize>| {
        for k in 0..3 {
            face_of_edge.insert((corners[k], corners[(k + 1) % 3]), faces.len());
        }
        faces.push(Face::new(corners, &grid));
    };
    for (corners, opposite) in [
        ([a, b, c], d),
        ([a, c, d], b),
        ([a, d, b], c),
        ([b, d, c], a),
    ] {
        let [p, q, r] = corners;
        let outward = !Face::new(corners, &grid).sees(grid[opposite as usize]);
        let corners = if outward { corners } else { [p, r, q] };
        add(corners, &mut faces, &mut face_of_edge);
    }

    for (index, point) in grid.iter().enumerate() {
        let visible: Vec<usize> = (0..faces.len())
            .filter(|f| faces[*f].alive && faces[*f].sees(*point))
            .collect();
        if visible.is_empty() {
            continue;
        }
        for face in &visible {
            faces[*face].alive = false;
        }
        let mut horizon = Vec::new();
        for face in &visible {
            let corners = faces[*face].corners;
            for k in 0..3 {
                let edge = (corners[k], corners[(k + 1) % 3]);
                let neighbour = face_of_edge[&(edge.1, edge.0)];
                if faces[neighbour].alive {
                    horizon.push(edge);
                }
            }
        }
        for (from, to) in horizon {
            add([from, to, index as u32], &mut faces, &mut face_of_edge);
        }
        // Dead faces are dropped now and then so that the walk above stays short.
        if faces.len() > 64 && faces.iter().filter(|f| f.alive).count() * 2 < faces.len() {
            faces.retain(|f| f.alive);
            face_of_edge.clear();
            for (face_index, face) in faces.iter().enumerate() {
                for k in 0..3 {
                    let edge = (face.corners[k], face.corners[(k + 1) % 3]);
                    face_of_edge.insert(edge, face_index);
                }
            }
        }
    }

    let mut new_index = vec![u32::MAX; grid.len()];
    let mut vertices = Vec::new();
    let mut triangles = Vec::new();
    for face in faces.iter().filter(|f| f.alive) {
        triangles.push(face.corners.map(|corner| {
            let slot = &mut new_index[corner as usize];
            if *slot == u32::MAX {
                *slot = vertices.len() as u32;
                vertices.push(points[source[corner as usize]]);
            }
            *slot
        }));
    }
    Some(Hull {
        vertices,
        triangles,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Stream;

    fn cube() -> Vec<Vec3> {
        (0..8)
            .map(|i| Vec3::new((i & 1) as f32, (i >> 1 & 1) as f32, (i >> 2 & 1) as f32))
            .collect()
    }

    /// Six times the enclosed volume, by the divergence theorem.
    fn volume(hull: &Hull) -> f32 {
        hull.triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|i| hull.vertices[i as usize]);
                a.cross(b).dot(c) / 6.0
            })
            .sum()
    }

    #[test]
    fn a_cube_has_eight_corners_twelve_triangles_and_its_volume() {
        let mut points = cube();
        points.push(Vec3::splat(0.5));
        points.push(Vec3::new(0.5, 0.5, 1.0)); // in a face
        points.push(Vec3::new(0.5, 0.0, 0.0)); // on an edge
        let hull = convex_hull(&points).unwrap();
        assert_eq!(hull.triangles.len(), 2 * hull.vertices.len() - 4);
        assert!((volume(&hull) - 1.0).abs() < 1e-6);
        assert!(hull.vertices.iter().all(|v| v.min_element() >= 0.0));
    }

    #[test]
    fn every_point_of_a_random_cloud_is_inside_and_the_surface_is_closed() {
        let mut stream = Stream::new(5, "hull", "cloud");
        let points: Vec<Vec3> = (0..400)
            .map(|_| {
                let mut axis = || stream.range(-1.0, 1.0) as f32;
                Vec3::new(axis(), axis(), axis())
            })
            .collect();
        let hull = convex_hull(&points).unwrap();
        assert_eq!(hull.triangles.len(), 2 * hull.vertices.len() - 4, "Euler");
        for t in &hull.triangles {
            let [a, b, c] = t.map(|i| hull.vertices[i as usize]);
            let normal = (b - a).cross(c - a);
            for p in &points {
                assert!(normal.dot(*p - a) <= 1e-5);
            }
        }
    }

    #[test]
    fn clouds_without_volume_get_a_thickness() {
        let flat = [Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::new(1.0, 1.0, 0.0)];
        for cloud in [&flat[..], &flat[..2], &flat[..1]] {
            let hull = convex_hull(cloud).unwrap();
            assert!(volume(&hull) > 0.0);
        }
        assert!(convex_hull(&[]).is_none());
        assert!(convex_hull(&[Vec3::NAN, Vec3::ZERO]).is_none());
    }

    #[test]
    fn a_large_cloud_keeps_its_size_within_a_third_of_a_percent() {
        let mut stream = Stream::new(5, "hull", "sphere");
        let points: Vec<Vec3> = (0..20_000)
            .filter_map(|_| {
                let mut axis = || stream.range(-1.0, 1.0) as f32;
                Vec3::new(axis(), axis(), axis()).try_normalize()
            })
            .collect();
        let hull = convex_hull(&points).unwrap();
        assert!(hull.vertices.len() <= MAX_POINTS);
        let exact = 4.0 / 3.0 * core::f32::consts::PI;
        assert!((volume(&hull) / exact - 1.0).abs() < 0.02);
        for t in &hull.triangles {
            let [a, b, c] = t.map(|i| hull.vertices[i as usize]);
            let normal = (b - a).cross(c - a).try_normalize().unwrap();
            assert!(normal.dot(a) > 0.98, "{}", normal.dot(a));
        }
    }
}
